"""Whether two views of a run say the same, wherever each is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from quantcrafter.app.charts.model.chart import chart_model
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.explain import take_census, why_no_trade
from quantcrafter.engine.runtime.results.report_columns import report_data
from quantcrafter.engine.runtime.results.run_view import RunView

SPLITS_AND_RATES = """\
quantcrafter: 1
name: Splits, dividends and rates
instruments:
  - symbol: ONE
    data: csv
    path: {one}
    corporate_actions: columns
    timeframe: 1d
    tick_size: 0.01
  - {{symbol: TWO, data: synthetic, timeframe: 1d, bars: 150, seed: 5, currency: EUR, tick_size: 0.01}}
  - {{symbol: USDJPY, data: synthetic, timeframe: 1d, bars: 90, seed: 8, kind: contract, multiplier: 10, lot_size: 1}}
data:
  eurusd: {{use: feed, data: synthetic, symbol: EURUSD, timeframe: 1d, bars: 400, seed: 9}}
indicators:
  fast: {{use: ta.SMA, input: bars.close, timeperiod: 3}}
  slow: {{use: ta.SMA, input: eurusd.close, timeperiod: 8}}
  average: {{use: ta.SMA, input: bars.close, timeperiod: 7}}
  lonely: {{use: ta.RSI, input: bars.close, timeperiod: 5}}
advisors: {{cross: {{use: crossover, fast: fast, slow: average}}}}
risk: {{stop: {{use: percent_stop, percent: 2}}, halt: {{use: max_drawdown, percent: 60}}}}
money: {{size: {{use: fixed_quantity, quantity: 1}}}}
execution: {{entry: {{use: market, signals: [cross], risk: [stop, halt], money: size}}}}
run: {{cash: 100000, currency: USD, rates: {{EUR: eurusd}}}}
"""


def write_splits_and_rates(folder: Path) -> Path:
    """Write a strategy over instruments with splits, dividends, another currency and a contract."""
    rng = np.random.default_rng(4)
    days = np.datetime64("2020-01-01") + np.arange(200)
    split = np.where(np.arange(200) % 60 == 50, 2.0, 1.0)
    dividend = np.where(np.arange(200) % 45 == 40, 0.3, 0.0)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.02, 200))) / np.cumprod(split)
    lines = ["date,open,high,low,close,volume,split,dividend"]
    for day, price, parts, cash in zip(days, close, split, dividend, strict=True):
        lines.append(f"{day},{price:.4f},{price * 1.01:.4f},{price * 0.99:.4f},{price:.4f},1000,{parts},{cash}")
    (folder / "one.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "strategy.yaml"
    path.write_text(SPLITS_AND_RATES.format(one="one.csv"), encoding="utf-8")
    return path


def assert_same_views(found: RunView, expected: RunView) -> None:
    """Hold that two views agree in everything that any reader asks for."""
    for name in (
        "strategy",
        "engine",
        "mode",
        "origin",
        "settings",
        "rule_nodes",
        "warnings",
        "findings",
        "notes",
        "synthetic",
        "decisions",
        "feeds",
        "bars",
        "warmup",
        "data_hash",
        "metrics",
        "nodes",
        "months",
    ):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.to_json() == expected.to_json()
    _same(found.daily_returns, expected.daily_returns)
    _assert_same_instruments(found, expected)
    _assert_same_columns(found, expected)
    _assert_same_readers(found, expected)


def _assert_same_instruments(found: RunView, expected: RunView) -> None:
    for ours, theirs in zip(found.instruments, expected.instruments, strict=True):
        assert ours.bars.content_hash == theirs.bars.content_hash
        for name in ("flags", "allowed", "rate_open", "rate_close", "split", "dividend"):
            _same(getattr(ours, name), getattr(theirs, name))
        assert len(ours.executions) == len(theirs.executions)
        for one, other in zip(ours.executions, theirs.executions, strict=True):
            _same(one.flags, other.flags)
            _same(one.allowed, other.allowed)
        for name in ("symbol", "tick_size", "lot_size", "first_bar", "kind", "multiplier", "currency", "margin"):
            assert getattr(ours, name) == getattr(theirs, name), name
        assert (ours.pip_size, ours.min_quantity) == (theirs.pip_size, theirs.min_quantity)
        assert ours.borrow_percent == theirs.borrow_percent
        assert ours.bars.session == theirs.bars.session


def _assert_same_columns(found: RunView, expected: RunView) -> None:
    assert list(found.columns()) == list(expected.columns())
    for number in range(len(expected.instruments)):
        for node, outputs in expected.columns():
            assert found.role(node) is expected.role(node)
            for output in outputs:
                _same(found.column(node, output, number), expected.column(node, output, number))
                _same(found.strength(node, output, number), expected.strength(node, output, number))
        for feed, column in expected.feeds:
            _same(found.feed_column(feed, column, number), expected.feed_column(feed, column, number))


def _assert_same_readers(found: RunView, expected: RunView) -> None:
    assert why_no_trade(found) == why_no_trade(expected)
    registry = load_registry()
    assert take_census(found, registry) == take_census(expected, registry)
    ours, theirs = report_data(found), report_data(expected)
    assert [(each.name, each.node, each.overlay) for each in ours.series] == [
        (each.name, each.node, each.overlay) for each in theirs.series
    ]
    assert (ours.findings, ours.no_trades, ours.settings) == (theirs.findings, theirs.no_trades, theirs.settings)
    for number in range(len(expected.instruments)):
        curves, others = chart_model(found, number).curves, chart_model(expected, number).curves
        for name in ("equity", "hold", "drawdown", "exposure"):
            _same(getattr(curves, name).column, getattr(others, name).column)


def _same(found: Any, expected: Any) -> None:
    if expected is None:
        assert found is None
        return
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
