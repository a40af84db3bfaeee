"""The values of an instrument and their sources: the same for validate, a run and the inspector."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import SpecError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.compute_process.jobs.instrument_values import InstrumentValuesRequest, find_values
from quantcrafter.engine.runtime.running.instrument_values import InstrumentValues, instrument_values
from quantcrafter.engine.runtime.running.run import run
from tests.support.bar_store import workdays, write_csv
from tests.support.job_context import DirectContext

REST = """
logic:
  el: {use: compare, left: bars.close, op: ">", right: 0}
advisors:
  go: {use: rule, enter_long: [el]}
money:
  size: {use: fixed_quantity, quantity: 100}
execution:
  entry: {use: market, signals: [go], money: size}
run: {cash: 100000, currency: CNY}
"""


def strategy(instrument: str, rest: str = REST) -> str:
    return f"quantcrafter: 1\nname: case\ninstruments:\n  - {{data: csv, path: d.csv, {instrument}}}\n{rest}"


def found(folder: Path, instrument: str, rest: str = REST) -> InstrumentValues:
    return instrument_values(strategy(instrument, rest), 0, load_registry(), base_dir=folder)


def sources(values: InstrumentValues) -> dict[str, tuple[str, str]]:
    return {each.name: (each.value, each.source) for each in values.values}


@pytest.fixture(autouse=True)
def bars(tmp_path: Path) -> None:
    write_csv(tmp_path / "d.csv", [day.replace(",5", ",500") for day in workdays("2024-01-02", 30)])


def test_each_value_has_its_source(tmp_path: Path) -> None:
    known = sources(found(tmp_path, 'symbol: "600000.SH", timeframe: 1d, lot_size: 200'))
    assert known["market"] == ("cn_stocks", "suffix")
    assert known["session"] == ("09:30-15:00 Asia/Shanghai", "suffix")
    assert known["calendar"] == ("XSHG", "suffix")
    assert known["lot_size"] == ("200", "file")
    assert known["currency"] == ("CNY", "suffix")
    assert known["sell_duty_percent"] == ("0.05", "suffix")
    assert known["trading_days"] == ("243", "suffix")
    named = sources(found(tmp_path, "symbol: X, timeframe: 1d, market: us_stocks"))
    assert (named["calendar"], named["tick_size"]) == (("XNYS", "market"), ("0.01", "market"))
    unknown = found(tmp_path, "symbol: X, timeframe: 1d")
    assert sources(unknown)["session"] == ("00:00-24:00 UTC", "guess")
    assert "calendar" not in sources(unknown)
    assert "midnight UTC" in unknown.notes[0]


@pytest.mark.parametrize("instrument", ["symbol: X, timeframe: 1d", 'symbol: "600000.SH", timeframe: 1d'])
def test_they_are_those_of_the_run(tmp_path: Path, instrument: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(strategy(instrument), encoding="utf-8")
    terms = run(file, registry=load_registry()).instruments[0].terms
    assert {each.name: each.source for each in found(tmp_path, instrument).values} == {
        name: term.source for name, term in terms.items()
    }


def test_a_graph_in_the_making_hides_nothing(tmp_path: Path) -> None:
    broken = 'logic:\n  el: {use: compare, left: nowhere.close, op: ">"}\nrun: {currency: CNY}\n'
    instrument = 'symbol: "600000.SH", timeframe: 1d'
    assert found(tmp_path, instrument, broken) == found(tmp_path, instrument)


def test_without_the_file_what_is_known_stays_and_the_reason_is_given(tmp_path: Path) -> None:
    (tmp_path / "d.csv").unlink()
    values = found(tmp_path, 'symbol: "600000.SH", timeframe: 1d')
    assert "d.csv" in values.error
    assert sources(values)["lot_size"] == ("100", "suffix")


def test_a_wrong_instrument_is_told_with_its_problems(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no market 'us_stock'"):
        found(tmp_path, "symbol: X, timeframe: 1d, market: us_stock")
    with pytest.raises(SpecError):
        instrument_values(strategy("symbol: X"), 7, load_registry(), base_dir=tmp_path)


def test_the_job_gives_the_same(tmp_path: Path) -> None:
    text = strategy('symbol: "600000.SH", timeframe: 1d')
    request = InstrumentValuesRequest(text, 0, base_dir=str(tmp_path))
    assert find_values(request, DirectContext()) == instrument_values(text, 0, load_registry(), base_dir=tmp_path)
