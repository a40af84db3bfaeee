"""Sessions in which a position can't be closed, and price limits: worked out by hand, and what holds of any run."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset
from quantcrafter.engine.api.ledger import InterventionKind, OrderKind, Reason, StatusReason
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, ProtectiveKind, ProtectiveRule
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.venue_columns import limits_of, tick_of
from quantcrafter.engine.trading_calendar.trading_days import trading_days_in_order
from tests.engine.simulation.test_open_session import by_day
from tests.support.counts import sample
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.random_jobs import jobs

quick = settings(max_examples=sample(150, of=2_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
STILL = (100.0, 101.0, 99.0, 100.0)


def job_of(rows: list[Any], flags: dict[int, int], **more: Any) -> EngineJob:
    """Return a job on daily bars with rules of an exchange."""
    rules: dict[str, Any] = {
        name: more.pop(name) for name in ("settlement", "price_limits", "split", "dividend") if name in more
    }
    return make_job((make_bars(rows), Setup(flags=flags, more=rules)), **more)


def fills_of(job: EngineJob) -> list[tuple[int, int, float]]:
    """Return bar, side and price of all fills."""
    return [(int(f["bar"]), int(f["side"]), float(f["price"])) for f in simulate(job).fills]


def test_a_position_is_reversed_in_the_session_after_its_entry() -> None:
    flags = {0: ENTER_LONG, 1: ENTER_SHORT}
    job = job_of([STILL] * 4, flags, settlement="t+1", on_opposite=OnOpposite.REVERSE, settings={"cash": 1e4})
    # Bought on day 1; the reversal of day 1's close fills on day 2, which is a later session.
    assert fills_of(job) == [(1, 1, 100.0), (2, -1, 100.0), (2, -1, 100.0)]


def test_of_hourly_bars_an_exit_waits_for_the_first_bar_of_the_next_session() -> None:
    rows = [STILL] * 9
    rows[7] = (103.0, 104.0, 102.0, 103.0)
    job = by_day(job_of(rows, {0: ENTER_LONG, 2: EXIT_LONG}, settlement="t+1"))
    ledger = simulate(job)
    # Seven hours a session: entered in hour 1, the exit of hour 2 waits until bar 7.
    assert [(int(f["bar"]), float(f["price"])) for f in ledger.fills] == [(1, 100.0), (7, 103.0)]
    notes = ledger.interventions[ledger.interventions["kind"] == InterventionKind.EXIT_HELD_BACK]
    assert [(int(each["bar"]), float(each["before"]), float(each["after"])) for each in notes] == [(3, 1.0, 0.0)]


def test_what_can_not_be_closed_in_its_session_is_left_open_at_the_end() -> None:
    last = {"end_of_data": "close_last"}
    left = simulate(job_of([STILL] * 2, {0: ENTER_LONG}, settlement="t+1", settings=last))
    assert len(left.fills) == 1
    assert [position.lots for position in left.open_positions] == [1]
    closed = simulate(job_of([STILL] * 3, {0: ENTER_LONG}, settlement="t+1", settings=last))
    assert closed.fills["kind"].tolist() == [OrderKind.MARKET, OrderKind.CLOSE]


def test_limits_are_rounded_to_the_tick_half_up_and_change_with_their_day() -> None:
    rows = [(10.05, 10.05, 10.05, 10.05), (10.0, 10.0, 10.0, 0.03), (0.03, 0.04, 0.03, 0.03)]
    (instrument,) = job_of(rows, {}, price_limits=((0, 10.0), (2, 20.0))).instruments
    up, down = limits_of(instrument)
    # 10.05 x 1.1 = 11.055, 10.05 x 0.9 = 9.045; a fifth of 0.03 is less than a tick.
    assert up.tolist() == [np.inf, 11.06, 0.04]
    assert down.tolist() == [-np.inf, 9.05, 0.02]


def test_limits_are_counted_from_the_close_less_split_and_dividend() -> None:
    rows = [(20.0, 20.0, 20.0, 20.0), (9.0, 9.0, 9.0, 9.0)]
    columns = {"split": np.array([1.0, 2.0]), "dividend": np.array([0.0, 1.0])}
    (instrument,) = job_of(rows, {}, price_limits=((0, 10.0),), **columns).instruments
    up, down = limits_of(instrument)
    assert (up[1], down[1]) == (9.9, 8.1)


@pytest.mark.parametrize(
    ("day", "fills"),
    [
        ((11.0, 11.0, 11.0, 11.0), []),  # locked all day
        ((10.5, 11.0, 10.4, 11.0), [(1, 1, 10.5)]),  # bought before it was
        ((11.0, 11.0, 10.99, 10.99), [(1, 1, 11.0)]),  # it opened
    ],
)
def test_an_entry_at_the_upper_limit(day: tuple[float, ...], fills: list[Any]) -> None:
    job = job_of([(10.0, 10.1, 9.9, 10.0), day, (11.5, 11.6, 11.4, 11.5)], {0: ENTER_LONG}, price_limits=((0, 10.0),))
    assert fills_of(job) == fills


@pytest.mark.parametrize(
    "day", [(12.0, 12.0, 12.0, 12.0), (11.0, 11.5, 11.0, 11.5), (11.0, 11.02, 11.0, 11.0), (11.5, 11.5, 11.0, 11.0)]
)
def test_a_bar_beyond_its_limit_is_traded_as_any_other(day: tuple[float, ...]) -> None:
    job = job_of([(10.0, 10.1, 9.9, 10.0), day], {0: ENTER_LONG}, price_limits=((0, 10.0),))
    assert fills_of(job) == [(1, 1, day[0])]


@pytest.mark.parametrize(("close", "fills"), [(11.0, []), (10.99, [(1, 1, 11.0)])])
def test_a_stop_at_the_limit_fills_where_the_bar_comes_back_from_it(close: float, fills: list[Any]) -> None:
    rule = ExecutionRule(entry=EntryRule(OrderKind.STOP, Offset(percent=10.0)))
    rows = [(10.0, 10.1, 9.9, 10.0), (10.5, 11.0, 10.4, close)]
    assert fills_of(job_of(rows, {0: ENTER_LONG}, price_limits=((0, 10.0),), execution=rule)) == fills


def test_a_short_position_is_not_bought_back_at_the_upper_limit() -> None:
    rows = [(10.0, 10.1, 9.9, 10.0), (10.0, 10.1, 9.9, 10.0), (11.0, 11.0, 11.0, 11.0), (11.5, 11.6, 11.4, 11.5)]
    stop = (ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=5.0),)
    job = job_of(rows, {0: ENTER_SHORT}, price_limits=((0, 10.0),), protection=stop)
    assert fills_of(job) == [(1, -1, 10.0), (3, 1, 11.5)]


@quick
@given(jobs(account=True))
def test_nothing_is_closed_in_the_session_of_its_entry(job: EngineJob) -> None:
    ledger = simulate(job)
    for i, each in enumerate(job.instruments):
        if each.settlement == "t+0" or each.split is not None:
            continue
        days = trading_days_in_order(each.bars.open_ns, each.bars.session)
        held, fresh, day = 0, 0, None
        # A roll changes the contract: the position goes on.
        fills = ledger.fills[ledger.fills["reason"] != Reason.ROLL]
        for fill in fills[fills["instrument"] == i]:
            today = days[fill["bar"]]
            fresh = fresh if today == day else 0
            day, lots, side = today, int(fill["lots"]), int(fill["side"])
            closing = min(lots, abs(held)) if held * side < 0 else 0
            assert closing <= abs(held) - fresh
            held += side * lots
            fresh += lots - closing


@quick
@given(jobs(account=True))
def test_nothing_fills_at_a_locked_limit(job: EngineJob) -> None:
    ledger = simulate(job)
    for i, each in enumerate(job.instruments):
        up, down = limits_of(each)
        bars = each.bars
        for fill in ledger.fills[ledger.fills["instrument"] == i]:
            bar, price = int(fill["bar"]), Fraction(float(fill["price"]))
            if fill["reason"] == Reason.SPLIT:
                continue
            day = int(trading_days_in_order(bars.open_ns[bar : bar + 1], bars.session)[0])
            if (
                fill["side"] > 0
                and up[bar] <= bars.low[bar] <= bars.high[bar] <= up[bar] + tick_of(each, day, up[bar], -1) / 3
            ):
                assert price < up[bar]
            if (
                fill["side"] < 0
                and down[bar] - tick_of(each, day, down[bar]) / 3 <= bars.low[bar] <= bars.high[bar] <= down[bar]
            ):
                assert price > down[bar]
    rejected = ledger.orders["status_reason"] == StatusReason.PRICE_LIMIT
    assert not np.isin(ledger.orders["kind"][rejected], (OrderKind.LIMIT, OrderKind.STOP_LIMIT)).any()
