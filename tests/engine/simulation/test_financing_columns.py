"""Funding and swap: when they are due, told from a plain walk through the hours, and by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.engine import EngineJob, NightlySwap
from quantcrafter.engine.api.ledger import CashflowKind
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.financing_columns import funding_counts, night_counts
from tests.support.jobs import Setup, make_job

NEW_YORK = ZoneInfo("America/New_York")
BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
HOUR_NS = 3_600_000_000_000


def hourly(hours: list[int], length: int = 1) -> Bars:
    """Return bars that open so many hours after the beginning, each of a length in hours, at a price of 100."""
    first = int(BEGIN.timestamp()) * 1_000_000_000
    open_ns = first + np.array(hours, np.int64) * HOUR_NS
    prices = np.full(len(hours), 100.0)
    times = (open_ns, open_ns + length * HOUR_NS)
    return Bars("X", Timeframe(length, "h"), *times, prices, prices, prices, prices, prices)


def job_of(bars: Bars, flag: int, **terms: object) -> EngineJob:
    return make_job((bars, Setup(flags={0: flag}, more={"kind": "contract", **terms})))


def rollovers(begin: datetime, end: datetime) -> list[datetime]:
    """Return the hours from begin to end, both included, at which it is 17:00 in New York on a working day."""
    hours = [begin + timedelta(hours=n) for n in range(int((end - begin) / timedelta(hours=1)) + 1)]
    local = [each.astimezone(NEW_YORK) for each in hours]
    return [each for each in local if each.hour == 17 and each.weekday() < 5]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 24 * 21), min_size=1, max_size=40), st.sampled_from([None, 0, 2, 4]))
def test_nights_and_fundings_are_those_of_a_walk_through_the_hours(hours: set[int], triple: int | None) -> None:
    opens = sorted(each * 3 for each in hours)
    job = job_of(hourly(opens, 3), ENTER_LONG, swap=NightlySwap(-1.0, 0.0, triple_day=triple), funding_percent=0.01)
    before, inside = night_counts(job.instruments[0])
    funded_before, funded_inside = funding_counts(job.instruments[0])
    for bar, opened in enumerate(opens):
        last = opens[bar - 1] + 3 if bar else opened
        waited = [BEGIN + timedelta(hours=n) for n in range(last, opened + 1)]
        held = [BEGIN + timedelta(hours=n) for n in (opened + 1, opened + 2)]
        assert funded_before[bar] == sum(each.hour % 8 == 0 for each in waited)
        assert funded_inside[bar] == sum(each.hour % 8 == 0 for each in held)
        for counted, times in ((before[bar], waited), (inside[bar], held)):
            due = rollovers(times[0], times[-1])
            assert counted == sum(3 if each.weekday() == triple else 1 for each in due)


@pytest.mark.parametrize(("flag", "amounts"), [(ENTER_LONG, [-0.1, -0.1]), (ENTER_SHORT, [0.1, 0.1])])
def test_a_perpetual_is_funded_at_eight_and_sixteen(flag: int, amounts: list[float]) -> None:
    ledger = simulate(job_of(hourly(list(range(6, 18))), flag, funding_percent=0.1))
    # Entered at 07:00 UTC at 100; a tenth of a percent at 08:00, the open of bar 2, and at 16:00, that of bar 10.
    assert ledger.cashflows["kind"].tolist() == [CashflowKind.FUNDING] * 2
    assert ledger.cashflows["amount"].tolist() == pytest.approx(amounts)
    assert ledger.cashflows["bar"].tolist() == [2, 10]
    assert ledger.equity[-1] - 100_000.0 == pytest.approx(sum(amounts))


def test_a_position_that_is_entered_at_the_moment_of_a_funding_does_not_pay_it() -> None:
    ledger = simulate(job_of(hourly([7, 8, 9]), ENTER_LONG, funding_percent=0.1))
    assert len(ledger.fills) == 1
    assert len(ledger.cashflows) == 0


def test_swap_is_booked_at_five_in_the_afternoon_of_new_york_whatever_its_clocks_show() -> None:
    # 8 March 2024 is a Friday, the 10th the day on which clocks go forward: 22:00 UTC, then 21:00.
    hours = list(range(24 * 7 + 20, 24 * 7 + 24)) + list(range(24 * 10 + 19, 24 * 10 + 24))
    ledger = simulate(job_of(hourly(hours), ENTER_LONG, swap=NightlySwap(-0.5, 0.25)))
    when = [hours[bar] for bar in ledger.cashflows["bar"].tolist()]
    assert when == [24 * 7 + 22, 24 * 10 + 21]
    assert ledger.cashflows["amount"].tolist() == [-0.5, -0.5]


def test_three_nights_are_due_on_wednesday() -> None:
    hours = list(range(24 * 5 + 20, 24 * 5 + 24))  # 6 March 2024
    ledger = simulate(job_of(hourly(hours), ENTER_SHORT, swap=NightlySwap(-0.5, 0.25), multiplier=10.0))
    assert ledger.cashflows["amount"].tolist() == [7.5]
