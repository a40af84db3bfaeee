"""Problems of currencies, rates and guards, each with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import quantcrafter
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import validate_file

BASE = """quantcrafter: 1
instruments:
  - {{symbol: AAPL, data: sample{instrument}}}
{data}advisors: {{go: {{use: breakout, entry_bars: 5}}}}
{risk}money: {{size: {{use: fixed_quantity, quantity: 1}}}}
execution: {{entry: {{use: market, signals: [go], money: size{wired}}}}}
run: {{cash: 1000{run}}}
"""
FEED = "data: {rate: {use: feed, symbol: IBM, data: sample}}\n"


def problems(
    folder: Path, *, instrument: str = "", data: str = "", risk: str = "", wired: str = "", run: str = ""
) -> list[str]:
    file = folder / "s.yaml"
    file.write_text(BASE.format(instrument=instrument, data=data, risk=risk, wired=wired, run=run), encoding="utf-8")
    return [f"{p.line}:{p.column} {p.message} {p.remedy}" for p in validate_file(file, load_registry())]


def test_a_currency_without_a_rate_is_named_where_it_stands(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, instrument=", currency: EUR")
    assert found.startswith("3:44 AAPL is priced in EUR, the account is in USD: no rate given. Add a feed of the rate")


def test_a_rate_must_be_a_feed_of_the_file(tmp_path: Path) -> None:
    found = problems(tmp_path, instrument=", currency: EUR", data=FEED, run=", rates: {EUR: rat}")
    assert found == ["8:26 run: the rate of EUR must be a feed of 'data', 'rat' is not one. Did you mean 'rate'?"]


@pytest.mark.parametrize("rate", ["rate", "1/rate"])
def test_a_currency_with_a_rate_is_fine(tmp_path: Path, rate: str) -> None:
    assert problems(tmp_path, instrument=", currency: EUR", data=FEED, run=f", rates: {{EUR: {rate}}}") == []


def test_a_currency_is_a_code_in_capitals(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, instrument=", currency: euro")
    assert "'currency' of an instrument must be a code in capitals such as EUR, was 'euro'" in found


def test_a_cap_for_an_instrument_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    risk = "risk: {cap: {use: max_position, limit: 5, symbol: AAPPL}}\n"
    (found,) = problems(tmp_path, risk=risk, wired=", risk: [cap]")
    assert found.endswith("must be an instrument of the strategy, was 'AAPPL'. Did you mean 'AAPL'?")


def test_the_end_of_a_session_needs_bars_shorter_than_a_day(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, risk="risk: {flat: {use: session_end}}\n", wired=", risk: [flat]")
    assert "'flat' needs bars shorter than a day, AAPL has 1d." in found


def test_a_stop_by_money_is_nothing_to_size_by(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    risk = "risk: {stop: {use: cash_stop, cash: 50}}\n"
    text = BASE.format(instrument="", data="", risk=risk, wired=", risk: [stop]", run="")
    file.write_text(text.replace("{use: fixed_quantity, quantity: 1}", "{use: risk_percent}"), encoding="utf-8")
    (problem,) = validate_file(file, load_registry())
    assert problem.code == "no_stop"


def test_a_run_in_another_currency_converts_every_amount_at_the_rate_known_then(tmp_path: Path) -> None:
    days = [f"2024-01-{day:02d}" for day in range(1, 13)]
    prices = [100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111]
    lines = "".join(f"{d},{p},{p + 0.5},{p - 0.5},{p},1000\n" for d, p in zip(days, prices, strict=True))
    (tmp_path / "p.csv").write_text(f"date,open,high,low,close,volume\n{lines}", encoding="utf-8")
    rates = "".join(f"{d},{r},{r},{r},{r},0\n" for d, r in zip(days, np.linspace(2.0, 3.1, 12), strict=True))
    (tmp_path / "r.csv").write_text(f"date,open,high,low,close,volume\n{rates}", encoding="utf-8")
    text = BASE.format(
        instrument=", currency: EUR", data=FEED, risk="", wired="", run=", rates: {EUR: rate}, commission: {percent: 1}"
    )
    text = text.replace("symbol: AAPL, data: sample", "symbol: P, data: csv, path: p.csv, session: 24x7")
    text = text.replace("symbol: IBM, data: sample", "symbol: R, data: csv, path: r.csv, session: 24x7")
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    result = quantcrafter.run(tmp_path / "s.yaml")
    (fill,) = result.ledger.fills
    # The entry fills at the open of a day; what is known then is the rate of the day before.
    assert fill["rate"] == pytest.approx(2.0 + 0.1 * (fill["bar"] - 1))
    assert fill["commission"] == pytest.approx(0.01 * fill["price"] * fill["rate"])
    last = 1000 - fill["price"] * fill["rate"] - fill["commission"] + 111 * 3.1
    assert result.ledger.equity[-1] == pytest.approx(last)
