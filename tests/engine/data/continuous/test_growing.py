"""Continuous series whose contracts get their bars one by one: the series of loaded ones, and what can't be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import Bar, Bars, DataError, DataRequest, HeldContract
from quantcrafter.engine.api.settings import ContractFile, RollRule
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.data.continuous.contracts import LoadedContract, load_contracts
from quantcrafter.engine.data.continuous.growing import GrowingSeries
from quantcrafter.engine.data.continuous.rolls import decide_holds
from quantcrafter.engine.data.continuous.series import join
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.markets import MARKETS, market_request
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.graph.history import bar_of
from tests.support.contract_files import QUARTERS, ContractData, write_contracts

FUTURES = next(market for market in MARKETS if market.name == "us_futures")
REQUEST = DataRequest("ES", Timeframe(1, "d"), open_interest=True)
QUIET = ContractData(date(2024, 3, 4), date(2024, 3, 22), 50.0, 10)
BUSY = {
    "ESH24": ContractData(date(2024, 3, 4), date(2024, 3, 15), 0.0, 1000),
    "ESM24": QUIET._replace(volume={date(2024, 3, 6): 1000, date(2024, 3, 7): 1001, date(2024, 3, 12): 9000}),
}
DATES = {"rule": "dates", "dates": [date(2024, 2, 1), date(2024, 5, 31)]}


def contracts_of(folder: Path, data: dict[str, ContractData]) -> tuple[LoadedContract, ...]:
    write_contracts(folder, data)
    request = market_request(replace(REQUEST, base_dir=str(folder)), FUTURES)

    def provider(file: ContractFile) -> CsvProvider:
        return CsvProvider(path=file.path)

    files = [ContractFile(path=f"{name}.csv") for name in data]
    return load_contracts(files, provider, request, load_bars, FUTURES.contract("ES"), "refuse")[0]


def until(contracts: Sequence[LoadedContract], close_ns: int) -> tuple[LoadedContract, ...]:
    """Return what the contracts had by a moment."""
    ends = [int(np.searchsorted(each.bars.close_ns, close_ns, side="right")) for each in contracts]
    return tuple(replace(each, bars=each.bars.slice(0, end)) for each, end in zip(contracts, ends, strict=True))


def later(contracts: Sequence[LoadedContract], close_ns: int) -> list[tuple[dict[str, Bar], dict[str, float]]]:
    """Return the bars that close after a moment with their open interest, moment by moment."""
    found: dict[int, tuple[dict[str, Bar], dict[str, float]]] = {}
    for each in contracts:
        interest = each.bars.open_interest
        assert interest is not None
        for row, now in enumerate(each.bars.close_ns.tolist()):
            if now > close_ns:
                bars, amounts = found.setdefault(now, ({}, {}))
                bars[each.name], amounts[each.name] = bar_of(each.bars, row), float(interest[row])
    return [found[now] for now in sorted(found)]


def grown(contracts: Sequence[LoadedContract], rule: RollRule, close_ns: int) -> tuple[Bars, list[Bar]]:
    """Return the bars of a series that are known by a moment, and those that come later."""
    series = GrowingSeries(REQUEST, until(contracts, close_ns), rule, "")
    came = [series.take(*each) for each in later(contracts, close_ns)]
    return series.bars, [each for each in came if each is not None]


@pytest.mark.parametrize(
    ("data", "given"),
    [
        (QUARTERS, {"rule": "days_before_expiry", "days": 5}),
        (QUARTERS, {"rule": "days_before_expiry", "days": 0}),
        (QUARTERS, DATES),
        (BUSY, {"rule": "volume"}),
        (BUSY, {"rule": "open_interest"}),
    ],
)
def test_a_series_that_grows_is_the_one_of_a_run(tmp_path: Path, data: Any, given: dict[str, Any]) -> None:
    if given.get("days") == 0:
        data = {**data, "ESU24": data["ESU24"]._replace(first=date(2024, 1, 2))}
    contracts, rule = contracts_of(tmp_path, data), RollRule.model_validate(given)
    whole, _ = join(REQUEST, contracts, decide_holds("ES", contracts, rule), "none", "")
    expected = [bar_of(whole, row) for row in range(len(whole))]
    moments = np.unique(np.concatenate([each.bars.close_ns for each in contracts])).tolist()
    rolled = {int(whole.close_ns[row - 1]) for row in np.flatnonzero(~np.isnan(whole.rolls.price))}  # type: ignore[union-attr]
    near = [place for place, now in enumerate(moments) if now in rolled]
    for place in sorted({0, 30 % len(moments), *(each + k for each in near for k in (-1, 0, 1))}):
        known, came = grown(contracts, rule, moments[place])
        count = len(known)
        assert known.close.tolist() == whole.close[:count].tolist()
        assert known.rolls is not None
        assert whole.rolls is not None
        np.testing.assert_array_equal(known.rolls.price, whole.rolls.price[:count])
        assert [known.rolls.names[k] for k in known.rolls.contract] == [
            whole.rolls.names[k] for k in whole.rolls.contract[:count]
        ]
        assert came == expected[count:]
    assert len(rolled) == len(contracts) - 1


def test_a_series_begins_without_bars(tmp_path: Path) -> None:
    contracts = contracts_of(tmp_path, BUSY)
    known, came = grown(contracts, RollRule(rule="volume"), 0)
    assert (len(known), known.rolls is None) == (0, False)
    rolls = [each.contract for each in came if each.contract is not None and each.contract.roll is not None]
    # ESM24 is 50 points above ESH24, which stands at 5001 and a point for each day of the year: 67 on 8 March.
    assert rolls == [HeldContract("ESM24", 5118.0, rolls[0].expiry_day)]
    assert str(np.datetime64(int(rolls[0].expiry_day or 0), "D")) == "2024-06-21"


def test_a_roll_that_a_rule_finds_out_afterwards_is_told(tmp_path: Path) -> None:
    contracts = contracts_of(tmp_path, {**BUSY, "ESM24": QUIET})
    with pytest.raises(DataError, match=r"had more volume than ESH24 before it expired on 2024-03-15.*can't be known"):
        grown(contracts, RollRule(rule="volume"), int(contracts[0].bars.close_ns[3]))


def test_a_day_of_a_roll_without_bars_of_both_is_told_and_changes_nothing(tmp_path: Path) -> None:
    contracts = contracts_of(tmp_path, BUSY)
    series = GrowingSeries(REQUEST, until(contracts, 0), RollRule(rule="days_before_expiry", days=5), "")
    days = later(contracts, 0)
    for bars, _ in days[:4]:
        series.take(bars)
    series.take({"ESH24": days[4][0]["ESH24"]})
    for _ in range(2):
        with pytest.raises(DataError, match=r"on 2024-03-08, .* from ESH24 to ESM24, both .* of ESM24"):
            series.take(days[5][0])
    series.take({"ESM24": days[4][0]["ESM24"]})
    bar = series.take(days[5][0])
    assert bar is not None
    assert bar.contract == HeldContract("ESM24", 5118.0, bar.contract.expiry_day if bar.contract else None)


def test_bars_of_no_contract_or_of_a_day_that_is_over_are_refused(tmp_path: Path) -> None:
    contracts = contracts_of(tmp_path, BUSY)
    series = GrowingSeries(REQUEST, until(contracts, 0), RollRule(rule="open_interest"), "")
    (first, interest), (second, more) = later(contracts, 0)[:2]
    with pytest.raises(DataError, match=r"there is no contract 'ESH25'. Did you mean 'ESH24'"):
        series.take({"ESH25": first["ESH24"]})
    with pytest.raises(DataError, match="the open interest of ESH24 is missing"):
        series.take(first)
    series.take(first, interest)
    series.take(second, more)
    with pytest.raises(DataError, match="a bar of 2024-03-04 comes after the first one of 2024-03-05"):
        series.take(first, interest)
    with pytest.raises(DataError, match="must be of the same trading day"):
        series.take({"ESH24": second["ESH24"], "ESM24": first["ESM24"]}, interest)
