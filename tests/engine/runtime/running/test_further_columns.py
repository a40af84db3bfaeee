"""Columns of a data file beside the prices: series like the others, in runs, saved runs, longer bars and sessions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantcrafter.engine.api import DataError, SpecError
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.spec import load_strategy
from tests.support.bar_by_bar import run_on, until

SCORES = [0.1, 0.9, None, 0.2, 0.7, 0.8, None, 0.3, 0.95, 0.1, 0.6, 0.2]
STRATEGY = """\
quantcrafter: 1
instruments:
  - {symbol: ABC, data: csv, path: abc.csv, timeframe: 1d, columns: {signal: score}}
data: {weekly: {use: resample, timeframe: 1w}}
logic:
  good: {use: compare, left: bars.signal, op: ">", right: 0.5}
  bad: {use: compare, left: bars.signal, op: "<", right: 0.25}
  last_week: {use: compare, left: weekly.signal, op: ">", right: 0}
advisors: {rule: {use: rule, enter_long: [good], exit_long: [bad]}}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [rule], money: size}}
run: {cash: 10000}
"""


@pytest.fixture(name="registry")
def _registry() -> Registry:
    return load_registry()


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    days = np.arange("2024-01-01", "2024-01-17", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    rows = [
        f"{day},{10 + n},{11 + n},{9 + n},{10 + n},100,{'' if s is None else s}"
        for n, (day, s) in enumerate(zip(days, SCORES, strict=True))
    ]
    (tmp_path / "abc.csv").write_text(
        "date,open,high,low,close,volume,score\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    path = tmp_path / "strategy.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


def test_a_column_is_a_series_whose_missing_values_stay_missing(file: Path, registry: Registry) -> None:
    result = run(file, registry=registry)
    shown = result.instruments[0].bars.column("signal")
    np.testing.assert_array_equal(shown, [np.nan if score is None else score for score in SCORES])
    # 0.9 on bar 1 fills on bar 2 at 12; 0.2 on bar 3 on bar 4 at 14; 0.7 on 4, 0.1 on 9; 0.6 on 10, 0.2 on 11 is last.
    assert [(row["bar"], row["side"], row["price"]) for row in result.fills] == [
        (2, "buy", 12.0),
        (4, "sell", 14.0),
        (5, "buy", 15.0),
        (10, "sell", 20.0),
        (11, "buy", 21.0),
    ]


def test_a_longer_bar_has_the_value_of_its_last_bar(file: Path, registry: Registry) -> None:
    weekly = run(file, registry=registry).feed_column("weekly", "signal")
    # The week from 1 January ends with bar 4 (0.7), the next one with bar 9 (0.1).
    assert np.isnan(weekly[:4]).all()
    assert weekly[4:].tolist() == [0.7] * 5 + [0.1] * 3


def test_a_missing_last_value_of_a_longer_bar_stays_missing(file: Path, registry: Registry) -> None:
    data = file.with_name("abc.csv")
    data.write_text(data.read_text(encoding="utf-8").replace("100,0.7", "100,"), encoding="utf-8")
    assert np.isnan(run(file, registry=registry).feed_column("weekly", "signal")[4:9]).all()


def test_it_is_the_same_from_parquet_and_in_a_saved_run(file: Path, registry: Registry, tmp_path: Path) -> None:
    whole = run(file, registry=registry)
    pl.read_csv(file.with_name("abc.csv"), try_parse_dates=True).write_parquet(file.with_name("abc.parquet"))
    other = run(file, registry=registry, overrides=["instruments.0.data=parquet", "instruments.0.path=abc.parquet"])
    assert other.fills.rows() == whole.fills.rows()
    saved = RunFolder.open(save_run(whole, tmp_path / "saved"))
    np.testing.assert_array_equal(saved.instruments[0].bars.extra["signal"], whole.instruments[0].bars.extra["signal"])
    assert saved.instruments[0].bars.content_hash == whole.instruments[0].bars.content_hash
    assert json.dumps(saved.to_json()) == json.dumps(whole.to_json())


def test_a_session_that_gets_bar_by_bar_trades_the_same(file: Path, registry: Registry) -> None:
    whole = run(file, registry=registry)
    graph = load_graph(file, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market)
    assert session.ledger().fills.tolist() == whole.ledger.fills.tolist()


def test_nothing_looks_ahead(file: Path, registry: Registry) -> None:
    assert find_lookahead(file, registry=registry) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{signal: score}", "{signal: scroe}", r"no column 'scroe' for 'signal'.*Did you mean 'score'"),
        ("{signal: score}", "{clsoe: score, signal: score}", "'clsoe' is too close to 'close'"),
        ("{signal: score}", "{bars: score}", "isn't 'bars', was 'bars'"),
        ('bars.signal, op: ">"', 'bars.signl, op: ">"', "Bars have no column 'signl'. Did you mean 'signal'"),
        ("weekly.signal", "weekly.signl", "'weekly' has no output 'signl'"),
    ],
)
def test_a_wrong_name_is_said_with_what_to_do(file: Path, registry: Registry, old: str, new: str, message: str) -> None:
    file.write_text(STRATEGY.replace(old, new), encoding="utf-8")
    with pytest.raises((DataError, SpecError), match=message):
        run(file, registry=registry)


def test_text_in_the_column_is_an_error_with_its_row(file: Path, registry: Registry) -> None:
    data = file.with_name("abc.csv")
    data.write_text(data.read_text(encoding="utf-8").replace("100,0.9", "100,high"), encoding="utf-8")
    with pytest.raises(DataError, match=r"'signal' must be a number, row 3 has 'high'"):
        run(file, registry=registry)


def test_an_instrument_without_the_column_is_named(file: Path, registry: Registry) -> None:
    more = "  - {symbol: XYZ, data: csv, path: abc.csv, timeframe: 1d}\ndata:"
    file.write_text(STRATEGY.replace("data: {weekly", more + " {weekly"), encoding="utf-8")
    with pytest.raises(SpecError, match="XYZ lacks it: name it under 'columns' of every instrument"):
        run(file, registry=registry)


def test_the_text_of_a_strategy_is_kept(file: Path) -> None:
    assert load_strategy(file).instruments[0].options["columns"] == {"signal": "score"}
