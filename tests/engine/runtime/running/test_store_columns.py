"""Strategies on bars of the store with its spread, further columns and open interest: the same runs as on the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import DataError, Severity
from quantcrafter.engine.data.store import BarStore
from quantcrafter.engine.data.store.bar_files import ImportOptions, import_file
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.runtime.running.run import run
from tests.support.bar_store import workdays, write_csv
from tests.support.continuous_strategy import write_continuous
from tests.support.contract_files import QUARTERS

FROM_FILE = "data: csv, path: spy_1d.csv, columns: {rating: Model}"
FROM_STORE = "data: store, columns: {rating: signal}"
SPREAD = ", spread: {column: Spread, unit: points}"
STRATEGY = """\
quantcrafter: 1
name: rated
instruments:
  - {symbol: SPY, timeframe: 1d, SOURCE, spread: {column: Spread, unit: points}}
logic:
  good: {use: compare, left: bars.rating, op: ">", right: 0.5}
  bad: {use: compare, left: bars.rating, op: "<", right: 0.3}
advisors:
  go: {use: rule, enter_long: [good], exit_long: [bad]}
money:
  size: {use: fixed_quantity, quantity: 10}
execution:
  entry: {use: market, signals: [go], money: size}
run: {cash: 100000}
"""


def result_of(folder: Path, source: str, *, spread: str = SPREAD) -> RunResult:
    file = folder / "strategy.yaml"
    file.write_text(STRATEGY.replace("SOURCE", source).replace(SPREAD, spread), encoding="utf-8")
    return run(file, registry=load_registry())


def trades_of(result: RunResult) -> list[tuple[float, ...]]:
    return [tuple(row[name] for name in ("entry_price", "exit_price", "pnl")) for row in result.trades]


def prices(folder: Path) -> Path:
    lines = [f"{line},0.{n * 7 % 10},{n % 4 + 2}" for n, line in enumerate(workdays("2024-01-02", 60))]
    return write_csv(folder / "spy_1d.csv", lines, "Date,Open,High,Low,Close,Volume,Model,Spread")


def test_a_run_on_the_store_trades_as_one_on_the_file(tmp_path: Path) -> None:
    path = prices(tmp_path)
    import_file(BarStore(), str(path), (), ImportOptions({"columns": {"signal": "Model"}}))
    expected = trades_of(result_of(tmp_path, FROM_FILE))
    assert len(expected) > 5
    assert trades_of(result_of(tmp_path, FROM_STORE)) == expected
    plain = result_of(tmp_path, FROM_STORE.replace("rating: signal", "rating: signal, width: spread"))
    assert trades_of(plain) == expected
    free = trades_of(result_of(tmp_path, FROM_STORE, spread=""))
    assert [entry for entry, _, _ in free] < [entry for entry, _, _ in expected]  # bought at the ask


def test_a_bar_without_a_spread_is_refused_by_name(tmp_path: Path) -> None:
    path = prices(tmp_path)
    options = {"columns": {"signal": "Model"}}
    import_file(BarStore(), str(path), (), ImportOptions(options))
    later = [f"{line},0.5" for line in workdays("2024-03-26", 5)]
    more = write_csv(tmp_path / "more.csv", later, "Date,Open,High,Low,Close,Volume,Model")
    (done,) = import_file(BarStore(), str(more), ("SPY",), ImportOptions(options))
    assert any("stored column 'spread': bars without a value: 5" in str(each) for each in done.findings)
    with pytest.raises(DataError, match=r"a spread must be a number .*such bars: 5"):
        result_of(tmp_path, FROM_STORE)


def test_contracts_of_the_store_are_rolled_by_their_stored_open_interest(tmp_path: Path) -> None:
    file = write_continuous(tmp_path, instrument="data: store", contracts="ES*")
    options = ImportOptions(market="us_futures", markets=load_registry().markets)
    for name in QUARTERS:
        import_file(BarStore(), str(tmp_path / "data" / f"{name}.csv"), (name,), options)
    assert {series.columns for series in BarStore().list()} == {("open_interest",)}
    text = file.read_text(encoding="utf-8").replace("{rule: days_before_expiry, days: 5}", "{rule: open_interest}")
    file.write_text(text, encoding="utf-8")
    result = run(file, registry=load_registry())
    assert [(roll.old, roll.new) for roll in result.instruments[0].rolls] == [("ESH24", "ESM24"), ("ESM24", "ESU24")]


@pytest.mark.parametrize(
    ("stored", "own", "told"),
    [("us_futures", "", 1), ("us_futures", ", market: us_stocks", 0), ("", "", 0)],
)
def test_a_market_that_only_the_store_knows_is_warned_of(tmp_path: Path, stored: str, own: str, told: int) -> None:
    choices = ImportOptions({"columns": {"signal": "Model"}}, market=stored, markets=load_registry().markets)
    import_file(BarStore(), str(prices(tmp_path)), (), choices)
    file = tmp_path / "strategy.yaml"
    file.write_text(STRATEGY.replace("SOURCE", FROM_STORE + own), encoding="utf-8")
    problems = [each for each in validate_file(file, load_registry()) if each.code == "market_stored"]
    assert [(each.severity, each.remedy) for each in problems] == [
        (Severity.WARNING, f"Add 'market: {stored}' to the instrument.")
    ] * told
