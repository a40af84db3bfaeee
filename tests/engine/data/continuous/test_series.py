"""Continuous series: which contract is held when, at which prices, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, DataError, DataProvider, DataRequest, RawBars, Rolls
from quantcrafter.engine.api.settings import Continuous
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.data.continuous.provider import ContinuousProvider
from quantcrafter.engine.data.load import LoadedBars, load_bars
from quantcrafter.engine.data.markets import MARKETS, market_request
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from tests.support.contract_files import QUARTERS, ContractData, price, write_contracts

FUTURES = next(market for market in MARKETS if market.name == "us_futures")
BEFORE_EXPIRY = {"rule": "days_before_expiry", "days": 5}


def load(folder: Path, symbol: str = "ES", end: date | None = None, **series: Any) -> LoadedBars:
    """Return the series of the contracts in a folder."""
    given = Continuous.model_validate({"contracts": "*.csv", "roll": BEFORE_EXPIRY, **series})
    provider = ContinuousProvider.of(CsvProvider, {}, given, FUTURES.contract(symbol))
    request = market_request(DataRequest(symbol, Timeframe(1, "d"), str(folder), end_ns=None), FUTURES)
    if end is not None:
        end_ns = int(np.datetime64(end, "ns").astype(np.int64))
        request = DataRequest(**{name: getattr(request, name) for name in request.__slots__} | {"end_ns": end_ns})
    return load_bars(provider, request)


def real(bars: Bars) -> Bars:
    """Return the bars at real prices."""
    return bars if bars.traded is None else bars.traded


def days_of(bars: Bars) -> list[date]:
    """Return the day on which each bar closes in Chicago, an afternoon hour there: that of UTC."""
    return [date.fromisoformat(str(np.datetime64(int(each), "ns"))[:10]) for each in bars.close_ns]


def rolls_of(bars: Bars) -> list[tuple[str, str, str]]:
    """Return the last day before each roll, and the contracts before and after it."""
    rolls, days = real(bars).rolls, days_of(bars)
    assert isinstance(rolls, Rolls)
    rows = np.flatnonzero(~np.isnan(rolls.price))
    names = [rolls.names[number] for number in rolls.contract]
    return [(str(days[row - 1]), names[row - 1], names[row]) for row in rows]


def test_the_series_is_rolled_so_many_sessions_before_the_expiry(tmp_path: Path) -> None:
    # 15 March and 21 June are Fridays. Five sessions earlier: the Friday before, and in June one more, as the 19th,
    # a holiday with a short session of futures, counts as a session.
    loaded = load(write_contracts(tmp_path))
    assert rolls_of(loaded.bars) == [("2024-03-08", "ESH24", "ESM24"), ("2024-06-14", "ESM24", "ESU24")]


def test_real_prices_are_those_of_the_contract_that_is_held(tmp_path: Path) -> None:
    bars = real(load(write_contracts(tmp_path)).bars)
    assert bars.rolls is not None
    for day, close, number in zip(days_of(bars), bars.close.tolist(), bars.rolls.contract.tolist(), strict=True):
        assert close == price(day, bars.rolls.names[number])
    assert days_of(bars)[-1] == date(2024, 9, 20)


def test_a_roll_is_booked_at_the_last_close_of_the_new_contract(tmp_path: Path) -> None:
    bars = real(load(write_contracts(tmp_path)).bars)
    assert bars.rolls is not None
    news = bars.rolls.price[~np.isnan(bars.rolls.price)].tolist()
    assert news == [price(date(2024, 3, 8), "ESM24"), price(date(2024, 6, 14), "ESU24")]
    assert [bars.rolls.expiries[number] for number in (0, 1, 2)] == [
        (day - date(1970, 1, 1)).days for day in (date(2024, 3, 15), date(2024, 6, 21), date(2024, 9, 20))
    ]


def test_differences_move_the_earlier_contracts(tmp_path: Path) -> None:
    bars = load(write_contracts(tmp_path), adjust="back_difference").bars
    # All of the series is then at the level of the last contract: a point a day, without a jump.
    assert bars.close.tolist() == [price(day, "ESU24") for day in days_of(bars)]
    assert (bars.high - bars.low).tolist() == [4.0] * len(bars)


def test_ratios_scale_the_earlier_contracts(tmp_path: Path) -> None:
    bars = load(write_contracts(tmp_path), adjust="back_ratio").bars
    roll, second = date(2024, 3, 8), date(2024, 6, 14)
    late = price(second, "ESU24") / price(second, "ESM24")
    early = late * price(roll, "ESM24") / price(roll, "ESH24")
    first = days_of(bars).index(date(2024, 1, 10))
    middle = days_of(bars).index(date(2024, 4, 10))
    assert bars.close[first] == pytest.approx(price(date(2024, 1, 10), "ESH24") * early)
    assert bars.close[middle] == pytest.approx(price(date(2024, 4, 10), "ESM24") * late)
    assert bars.close[-1] == price(date(2024, 9, 20), "ESU24")


def test_unadjusted_columns_see_real_prices(tmp_path: Path) -> None:
    bars = load(write_contracts(tmp_path), adjust="none").bars
    assert bars.traded is None
    assert bars.rolls is not None
    assert len(rolls_of(bars)) == 2


def test_each_roll_is_told(tmp_path: Path) -> None:
    told = [str(each) for each in load(write_contracts(tmp_path)).findings if "Rolled" in str(each)]
    assert told == [
        "Rolled on 2024-03-08 from ESH24 to ESM24, at 5068 and 5118: a difference of +50.",
        "Rolled on 2024-06-14 from ESM24 to ESU24, at 5216 and 5276: a difference of +60.",
    ]


def by_day(rows: Mapping[str, int]) -> dict[date, int]:
    return {date.fromisoformat(day): volume for day, volume in rows.items()}


BUSY = {
    "ESH24": ContractData(date(2024, 3, 4), date(2024, 3, 15), 0.0, 1000),
    "ESM24": ContractData(
        date(2024, 3, 4), date(2024, 3, 22), 50.0, by_day({"2024-03-06": 1000, "2024-03-07": 1001, "2024-03-12": 9000})
    ),
}
"""The next contract has as much volume on the 6th, and more on the 7th."""


@pytest.mark.parametrize("rule", ["volume", "open_interest"])
def test_more_volume_leads_to_a_roll_at_the_close_of_the_next_session(tmp_path: Path, rule: str) -> None:
    loaded = load(write_contracts(tmp_path, BUSY), roll={"rule": rule})
    assert rolls_of(loaded.bars) == [("2024-03-08", "ESH24", "ESM24")]


def test_without_more_volume_the_roll_is_before_the_expiry(tmp_path: Path) -> None:
    quiet = {**BUSY, "ESM24": BUSY["ESM24"]._replace(volume=10)}
    assert rolls_of(load(write_contracts(tmp_path, quiet), roll={"rule": "volume"}).bars) == [
        ("2024-03-14", "ESH24", "ESM24")
    ]


def test_volume_skips_a_contract_that_is_hardly_traded(tmp_path: Path) -> None:
    contracts = {
        "GCG24": ContractData(date(2024, 1, 2), date(2024, 2, 27), 0.0, 1000),
        "GCH24": ContractData(date(2024, 1, 2), date(2024, 3, 26), 5.0, 3),
        "GCJ24": ContractData(date(2024, 1, 2), date(2024, 4, 26), 20.0, by_day({"2024-01-30": 5000})),
    }
    loaded = load(write_contracts(tmp_path, contracts), "GC", roll={"rule": "volume"})
    assert rolls_of(loaded.bars) == [("2024-01-31", "GCG24", "GCJ24")]


def test_a_list_of_dates_says_when_it_is_rolled(tmp_path: Path) -> None:
    dates = [date(2024, 2, 1), date(2024, 5, 31)]
    loaded = load(write_contracts(tmp_path), roll={"rule": "dates", "dates": dates})
    assert rolls_of(loaded.bars) == [("2024-02-01", "ESH24", "ESM24"), ("2024-05-31", "ESM24", "ESU24")]


@pytest.mark.parametrize("rule", [BEFORE_EXPIRY, {"rule": "volume"}, {"rule": "open_interest"}])
@pytest.mark.parametrize("end", ["2024-03-05", "2024-03-08", "2024-03-09", "2024-03-12", "2024-03-16"])
def test_a_roll_is_decided_without_later_bars(tmp_path: Path, rule: Mapping[str, Any], end: str) -> None:
    whole = load(write_contracts(tmp_path / "whole", BUSY), adjust="none", roll=rule).bars
    last = date.fromisoformat(end) - timedelta(1)
    cut = {name: data._replace(last=min(data.last, last)) for name, data in BUSY.items()}
    known = load(write_contracts(tmp_path / "cut", cut), adjust="none", roll=rule).bars
    ended = load(tmp_path / "whole", adjust="none", roll=rule, end=date.fromisoformat(end)).bars
    assert len(known) == sum(day <= last for day in days_of(whole))
    for bars in (known, ended):
        count = len(bars)
        assert bars.close.tolist() == whole.close[:count].tolist()
        assert rolls_of(bars) == rolls_of(whole.slice(0, count))


def test_a_contract_may_have_its_expiry_in_the_file(tmp_path: Path) -> None:
    write_contracts(tmp_path, {"ZZZ1": QUARTERS["ESH24"], "ZZZ2": QUARTERS["ESM24"]})
    listed = [
        {"symbol": "second", "path": "ZZZ2.csv", "expiry": date(2024, 6, 21)},
        {"symbol": "first", "path": "ZZZ1.csv", "expiry": date(2024, 3, 15)},
    ]
    given = Continuous.model_validate({"contracts": listed, "roll": BEFORE_EXPIRY})
    provider = ContinuousProvider.of(CsvProvider, {}, given, None)
    request = market_request(DataRequest("ZZ", Timeframe(1, "d"), str(tmp_path)), FUTURES)
    assert rolls_of(load_bars(provider, request).bars) == [("2024-03-08", "first", "second")]


LATE = {"ESH24": QUARTERS["ESH24"], "ESM24": QUARTERS["ESM24"]._replace(first=date(2024, 3, 18))}


@pytest.mark.parametrize(
    ("contracts", "series", "message"),
    [
        ({}, {}, "no contract fits '*.csv'. Correct 'contracts'."),
        (
            LATE,
            {},
            (
                "on 2024-03-08, the day of the roll from ESH24 to ESM24, both need bars; ESH24 has them until "
                "2024-03-15, ESM24 from 2024-03-18 on. Give data that overlap, or change 'roll'."
            ),
        ),
        (
            LATE,
            {"roll": {"rule": "volume"}},
            "on 2024-03-15, the day of the roll from ESH24 to ESM24, both need bars",
        ),
        (
            {"ESH24": QUARTERS["ESH24"], "ES_other": QUARTERS["ESM24"]},
            {},
            "the month of these contracts isn't known: ES_other. Name files such as ESH24.csv",
        ),
        (
            {"ESH24": QUARTERS["ESH24"], "ESH2024": QUARTERS["ESM24"]},
            {},
            "ESH2024 and ESH24 are of the same contract. Leave one of them out of 'contracts'.",
        ),
        (
            QUARTERS,
            {"roll": {"rule": "dates", "dates": [date(2024, 2, 1)]}},
            "3 contracts have 2 rolls, but 1 'dates' are given. Give a date for each roll.",
        ),
        (
            {"ESH24": QUARTERS["ESH24"]._replace(above=-6000.0), "ESM24": QUARTERS["ESM24"]},
            {"adjust": "back_ratio"},
            "'back_ratio' needs prices above zero at each roll, was -932. Set 'adjust: back_difference'.",
        ),
    ],
)
def test_what_is_missing_is_said_with_its_remedy(
    tmp_path: Path, contracts: Mapping[str, ContractData], series: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        load(write_contracts(tmp_path, contracts), **series)
    assert str(caught.value).startswith("ES: ")
    assert message in str(caught.value)


def test_an_expiry_that_nobody_says_is_never_guessed(tmp_path: Path) -> None:
    write_contracts(tmp_path, {"XYH24": QUARTERS["ESH24"], "XYM24": QUARTERS["ESM24"]})
    with pytest.raises(DataError, match="XY: the expiry of XYH24 isn't known"):
        load(tmp_path, "XY")


def test_further_columns_are_those_of_the_contract_that_is_held(tmp_path: Path) -> None:
    given = Continuous.model_validate({"contracts": "*.csv", "roll": BEFORE_EXPIRY})
    provider = ContinuousProvider.of(CsvProvider, {"columns": {"oi": "Open Interest"}}, given, FUTURES.contract("ES"))
    volumes = {"ESH24": 1000, "ESM24": 2000, "ESU24": 3000}
    contracts = {name: QUARTERS[name]._replace(volume=volume) for name, volume in volumes.items()}
    folder = str(write_contracts(tmp_path, contracts))
    bars = load_bars(provider, market_request(DataRequest("ES", Timeframe(1, "d"), folder), FUTURES)).bars
    assert (bars.extra["oi"] == 3 * bars.volume).all()
    assert set(bars.extra["oi"].tolist()) == {3000.0, 6000.0, 9000.0}


def test_open_interest_needs_its_column(tmp_path: Path) -> None:
    write_contracts(tmp_path, BUSY)
    for file in tmp_path.iterdir():
        file.write_text(file.read_text(encoding="utf-8").replace("Open Interest", "Other"), encoding="utf-8")
    with pytest.raises(DataError, match="no column for open interest among"):
        load(tmp_path, roll={"rule": "open_interest"})


class Stored(DataProvider):
    """A provider without files, which knows contracts by their symbols."""

    name = "stored"

    def known_symbols(self, base_dir: str = "") -> tuple[str, ...]:
        del base_dir
        return ("AAPL", "ESH24", "ESM24")

    def load(self, request: DataRequest) -> RawBars:
        days = [date(2024, 2, 26) + timedelta(each) for each in range(26)]
        days = [day for day in days if day.weekday() < 5]
        time_ns = np.array(days, "datetime64[ns]").astype(np.int64)
        close = np.array([price(day, request.symbol) for day in days])
        rows = np.arange(len(days))
        return RawBars(time_ns, close, close, close, close, np.ones(len(days)), rows, "date", source="stored")


def test_contracts_may_be_symbols_of_a_store() -> None:
    series = Continuous.model_validate({"contracts": "ES*", "roll": BEFORE_EXPIRY})
    provider = ContinuousProvider.of(Stored, {}, series, FUTURES.contract("ES"))
    request = market_request(DataRequest("ES", Timeframe(1, "d")), FUTURES)
    assert rolls_of(load_bars(provider, request).bars) == [("2024-03-08", "ESH24", "ESM24")]


def test_a_series_knows_when_one_of_its_files_changes(tmp_path: Path) -> None:
    series = Continuous.model_validate({"contracts": "*.csv", "roll": BEFORE_EXPIRY})
    provider = ContinuousProvider.of(CsvProvider, {}, series, FUTURES.contract("ES"))
    request = market_request(DataRequest("ES", Timeframe(1, "d"), str(write_contracts(tmp_path))), FUTURES)
    before = provider.data_version(request)
    assert before == provider.data_version(request)
    with (tmp_path / "ESU24.csv").open("a", encoding="utf-8") as file:
        file.write("2024-09-23,1,1,1,1,1,1\n")
    assert provider.data_version(request) != before
