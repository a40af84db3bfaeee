from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import RunCancelledError, SpecError
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.run import run, spec_hash
from quantcrafter.engine.spec import parse_strategy
from tests.support.catalog import SmallCatalog, strategy_text

BODY = """
data:
  five: {use: coarser, timeframe: 5d}
  twin: {use: other, symbol: Y, data: ramp, step: 2, bars: 30}
indicators:
  fast: {use: mean, input: bars.close, period: 3}
  slow: {use: mean, input: five.close, period: 2}
  theirs: {use: mean, input: twin.close, period: 2}
logic:
  up: {use: above, left: fast, right: slow}
  near: {use: above, left: theirs, right: 0}
advisors:
  trend: {use: while, condition: up}
filters:
  open: {use: gate, condition: near}
risk:
  stop: {use: stop, percent: 50}
money:
  size: {use: units, quantity: 10}
execution:
  entry: {use: at_market, signals: [trend], filters: [open], risk: [stop], money: size}
"""
RUN = "{cash: 10000, commission: {percent: 0.1}, end_of_data: close_last}"


def result_of(text: str, *overrides: str) -> RunResult:
    return run(parse_strategy(text), registry=SmallCatalog(), overrides=overrides)


def test_a_strategy_with_every_part_trades_after_the_warm_up() -> None:
    result = result_of(strategy_text(BODY, run=RUN))
    assert result.bars == 20
    assert result.warmup == 7  # 5-day bars end on a fixed grid: after bars 2, 7, 12 and 17
    trades = result.to_json()["trades"]
    assert [(trade["entry_bar"], trade["exit_bar"], trade["exit_reason"]) for trade in trades] == [
        (8, 19, "end_of_data")
    ]
    assert trades[0]["entry_price"] == 107.5
    assert trades[0]["exit_price"] == 119.0
    costs = 0.001 * 10 * (107.5 + 119.0)
    assert trades[0]["pnl"] == pytest.approx(10 * (119.0 - 107.5) - costs)
    assert result.ledger.equity[-1] == pytest.approx(10_000 + trades[0]["pnl"])


def test_overrides_win_over_the_file_and_leave_it_alone() -> None:
    spec = parse_strategy(strategy_text(BODY, run=RUN))
    changed = run(spec, registry=SmallCatalog(), overrides=["money.size.quantity=3", "instruments.0.bars=15"])
    assert changed.bars == 15
    assert changed.to_json()["fills"][0]["quantity"] == 3
    assert run(spec, registry=SmallCatalog()).bars == 20


def test_a_wrong_override_is_reported_like_a_wrong_file() -> None:
    with pytest.raises(SpecError) as caught:
        result_of(strategy_text(BODY, run=RUN), "money.sise.quantity=3", "indicators.fast.period=0")
    assert "sise" in str(caught.value)


def test_the_same_run_twice_is_the_same() -> None:
    first, second = (result_of(strategy_text(BODY, run=RUN)) for _ in range(2))
    assert first.data_hash == second.data_hash
    assert first.ledger.fills.tobytes() == second.ledger.fills.tobytes()
    assert first.ledger.equity.tobytes() == second.ledger.equity.tobytes()


def test_several_instruments_share_the_cash() -> None:
    text = strategy_text(BODY, run=RUN).replace(
        "  - {symbol: X, data: ramp}", "  - {symbol: X, data: ramp}\n  - {symbol: Z, data: ramp, step: 3}"
    )
    result = result_of(text)
    fills = result.to_json()["fills"]
    assert {fill["instrument"] for fill in fills} == {"X", "Z"}
    spent = sum(fill["price"] * fill["quantity"] * 1.001 for fill in fills if fill["side"] == "buy")
    assert min(result.ledger.cash) == pytest.approx(10_000 - spent)


def test_only_the_asked_range_is_run() -> None:
    run_range = RUN.replace("}, end", "}, start: 2020-01-06, end: 2020-01-16, end")
    result = result_of(strategy_text(BODY, run=run_range))
    assert result.bars == 10


def test_progress_tells_the_stages_in_order_and_ends_at_the_total() -> None:
    seen: list[tuple[str, int, int]] = []
    run(
        parse_strategy(strategy_text(BODY)),
        registry=SmallCatalog(),
        progress=lambda stage, done, total: seen.append((stage, done, total)),
    )
    stages = list(dict.fromkeys(stage for stage, _, _ in seen))
    assert stages == ["load", "columns", "simulate"]
    for stage in stages:
        last = [each for each in seen if each[0] == stage][-1]
        assert last[1] == last[2]


@pytest.mark.parametrize("after", [0, 2, 5])
def test_a_cancelled_run_ends_with_its_own_error(after: int) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    with pytest.raises(RunCancelledError):
        run(parse_strategy(strategy_text(BODY)), registry=SmallCatalog(), cancelled=cancelled)


@pytest.mark.parametrize(("choice", "words"), [({"engine": "nativ"}, "native"), ({"mode": "live"}, "backtest")])
def test_an_engine_or_mode_that_is_not_there_is_refused(choice: dict[str, str], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        run(parse_strategy(strategy_text(BODY)), registry=SmallCatalog(), **choice)  # type: ignore[arg-type]


def test_the_trace_holds_every_column_on_the_instruments_bars() -> None:
    found = result_of(strategy_text(BODY))
    nodes = dict(found.columns())
    assert set(nodes) == {"fast", "slow", "theirs", "up", "near", "trend", "open"}
    assert found.column("fast", "value").shape == (20,)
    assert found.column("slow").shape == (20,)
    assert np.isnan(found.column("slow")[:7]).all()
    assert found.column("slow")[7] == (102 + 107) / 2
    with pytest.raises(KeyError):
        found.column("fast", "nothing")


def test_the_hash_of_a_strategy_ignores_layout_and_comments_and_sees_everything_else(tmp_path: Path) -> None:
    def hash_of(text: str) -> str:
        path = tmp_path / "s.yaml"
        path.write_text(text, encoding="utf-8")
        return spec_hash(load_graph(path, SmallCatalog()))

    text = strategy_text(BODY, run=RUN)
    same = hash_of(text)
    assert hash_of(text + "layout: {fast: [1, 2]}\n# a comment\n") == same
    for change in (("period: 3", "period: 4"), ("cash: 10000", "cash: 10001"), ("symbol: X", "symbol: Q")):
        assert hash_of(text.replace(*change)) != same
