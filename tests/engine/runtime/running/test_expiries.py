"""Contracts whose last bar closes before the end of their expiry: round the clock, or where bars are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import Bar, DataError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import never, run, silent
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.market_files import ENTER, Row, strategy

HOURS = "symbol: BTCM4, kind: contract, timeframe: 1h, session: 24x7, timezone: UTC, expiry: 2024-06-05"


def hour(day: int, hour: int, price: float, flag: int = 0) -> Row:
    return (f"2024-06-{day:02}T{hour:02}:00", price, price, price, price, flag)


BEFORE = [hour(4, 10, 100.0, ENTER), hour(4, 11, 100.0), hour(4, 12, 102.0)]
LAST_DAY = [*BEFORE, hour(5, 8, 103.0), hour(5, 9, 104.0)]
LATER = [hour(6, 9, 120.0), hour(6, 10, 121.0)]
CASES = [
    pytest.param(LAST_DAY, 104.0, id="data end on the last day"),
    pytest.param([*LAST_DAY, *LATER], 104.0, id="later bars"),
    pytest.param([*BEFORE, *LATER], 102.0, id="expiry where bars are missing"),
]


def result_of(folder: Path, rows: list[Row], settings: str = "", instrument: str = HOURS) -> RunResult:
    return run(strategy(folder, rows, instrument, settings=settings), registry=load_registry())


@pytest.mark.parametrize("engine", ["native", "backtrader", "vnpy"])
@pytest.mark.parametrize(("rows", "price"), CASES)
def test_a_position_is_closed_at_the_last_price_up_to_the_expiry(
    tmp_path: Path, rows: list[Row], price: float, engine: str
) -> None:
    result = result_of(tmp_path, rows, f", engine: {engine}")
    assert [*zip(result.trades["exit_price"].tolist(), result.trades["exit_reason"].tolist(), strict=True)] == [
        (price, "expiry")
    ]
    assert not len(result.ledger.open_positions)


def test_data_that_end_before_the_day_of_the_expiry_leave_the_position_open(tmp_path: Path) -> None:
    result = result_of(tmp_path, BEFORE)
    assert (len(result.trades), len(result.ledger.open_positions)) == (0, 1)


def test_a_run_that_goes_on_after_the_expiry_closes_it(tmp_path: Path) -> None:
    assert result_of(tmp_path, BEFORE, ", end: 2024-06-07").trades["exit_reason"].tolist() == ["expiry"]


def test_data_of_another_instrument_that_go_on_close_it(tmp_path: Path) -> None:
    file = strategy(tmp_path, BEFORE, HOURS)
    rows = [",".join(map(str, row)) for row in [*BEFORE, *LATER]]
    (tmp_path / "other.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]) + "\n", encoding="utf-8")
    other = "  - {data: csv, path: other.csv, symbol: ETH, timeframe: 1h, session: 24x7, timezone: UTC}\nlogic:"
    file.write_text(file.read_text(encoding="utf-8").replace("logic:", other), encoding="utf-8")
    trades = run(file, registry=load_registry()).trades
    assert [*zip(trades["instrument"].tolist(), trades["exit_price"].tolist(), strict=True)] == [("BTCM4", 102.0)]


def bar_of(row: Row) -> Bar:
    opens = int(np.datetime64(str(row[0]), "ns").astype(np.int64))
    return Bar(opens, opens + 3_600_000_000_000, *row[1:])


@pytest.mark.parametrize(("rows", "price"), CASES)
def test_a_session_closes_it_when_the_expiry_has_passed(tmp_path: Path, rows: list[Row], price: float) -> None:
    registry = load_registry()
    graph = load_graph(strategy(tmp_path, [hour(4, 9, 100.0), *LAST_DAY, *LATER], HOURS), registry)
    known = load_market(graph, silent, never).bars[0].slice(0, 1)
    session = StrategySession.open(graph, {"BTCM4": known})
    for row in rows:
        session.append({"BTCM4": bar_of(row)})
    session.end_data()
    ledger = session.ledger()
    assert (ledger.fills["price"][-1], len(ledger.open_positions)) == (price, 0)
    assert len(ledger.fills) == 2


def test_a_session_closes_it_with_the_bars_of_others(tmp_path: Path) -> None:
    registry = load_registry()
    file = strategy(tmp_path, [hour(4, 9, 100.0), *BEFORE, *LATER], HOURS)
    other = "  - {data: csv, path: d.csv, symbol: ETH, timeframe: 1h, session: 24x7, timezone: UTC}\nlogic:"
    file.write_text(file.read_text(encoding="utf-8").replace("logic:", other), encoding="utf-8")
    graph = load_graph(file, registry)
    known = load_market(graph, silent, never)
    first = {bars.symbol: bars.slice(0, 1) for bars in known.bars}
    session = StrategySession.open(graph, first)
    for row in BEFORE:
        session.append({"BTCM4": bar_of(row), "ETH": bar_of(row)})
    assert session.positions == {"BTCM4": 1.0, "ETH": 1.0}
    session.append({"ETH": bar_of(LATER[0])})
    assert session.positions == {"ETH": 1.0}
    session.append({"ETH": bar_of(LATER[1]), "BTCM4": bar_of(LATER[1])})
    assert session.positions == {"ETH": 1.0}


DAYS: list[Row] = [
    *((f"2024-05-{day}", 100.0, 101.0, 99.0, 100.0, ENTER if day == 24 else 0) for day in (20, 21, 22, 23, 24)),
    *((f"2024-05-{day}", 100.0, 101.0, 99.0, 100.0, 0) for day in (28, 29, 30, 31)),
    ("2024-06-03", 100.0, 101.0, 99.0, 100.0, 0),
    ("2024-06-04", 101.0, 102.0, 100.0, 101.0, 0),
    ("2024-06-05", 102.0, 104.0, 101.0, 103.0, 0),
]
AFTER: list[Row] = [("2024-06-06", 120.0, 150.0, 50.0, 120.0, 0), ("2024-06-07", 121.0, 122.0, 120.0, 121.0, 0)]
WEEKS = "symbol: ESM4, kind: contract, market: us_futures, timeframe: 1w, expiry: 2024-06-05"


@pytest.mark.parametrize("rows", [[*DAYS, *AFTER], DAYS], ids=["later days", "data end with the contract"])
def test_a_week_in_which_a_contract_expires_ends_with_its_last_session(tmp_path: Path, rows: list[Row]) -> None:
    result = result_of(tmp_path, rows, instrument=WEEKS)
    assert [*zip(result.trades["exit_price"].tolist(), result.trades["exit_reason"].tolist(), strict=True)] == [
        (103.0, "expiry")
    ]
    bars = load_market(load_graph(tmp_path / "strategy.yaml", load_registry()), silent, never).bars[0]
    assert (bars.high[-1], bars.low[-1], bars.close[-1]) == (104.0, 99.0, 103.0)
    assert str(np.datetime64(int(bars.close_ns[-1]), "ns"))[:10] == "2024-06-05"


def test_a_contract_that_expired_before_its_first_bar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expired on 2024-01-05, before the first bar, which opens on 2024-0"):
        result_of(tmp_path, DAYS, instrument=WEEKS.replace("06-05", "01-05"))
