"""Positions at a broker keep the protection that their strategy wants, whatever the broker refuses."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.orders import Cancel, Submit
from quantcrafter.engine.live.inputs import UserCommand
from quantcrafter.engine.live.protection_watch import MOST_REFUSALS
from quantcrafter.engine.simulation.order_commands import working_terms
from tests.support.counts import sample
from tests.support.live_cases import PLAIN, STOPPED, Case
from tests.support.strict_broker import S, StrictMarket

TARGET = STOPPED.replace("  trail:", "  goal: {use: percent_target, percent: 4}\n  trail:").replace(
    "[stop, trail]", "[stop, trail, goal]"
)


TEXTS = {"plain": PLAIN, "trailing": STOPPED, "target": TARGET}


@cache
def case_of(kind: str) -> Case:
    return Case.of(TEXTS[kind])


def wanted(market: StrictMarket) -> dict[int, tuple[str, int]]:
    """Return the protective orders that the strategy wants: kind and lots by number."""
    terms = working_terms(market.core.session._session.memory.holdings)
    return {n: (each.kind, each.lots) for n, each in terms.items() if each.reduce_only and each.kind != "market"}


def check_protected(market: StrictMarket) -> None:
    """Check that the broker has the position that is booked, and works just what the strategy wants."""
    held = market.core.session.positions
    assert held.get("ONE", 0.0) == market.held
    there = {n: (each.submit.kind, each.left) for n, each in market.orders.items() if each.state == "working"}
    lacking = {each.number for each in market.core.session.unplaced()}
    assert there == {n: each for n, each in wanted(market).items() if n not in lacking}
    if market.held and not lacking:
        assert sum(each.left for each in market.working()) == abs(market.held)
    assert not lacking or market.core.gate.unprotected == ("ONE",)


kinds = st.sampled_from(["plain", "trailing", "target"])


def played(market: StrictMarket, count: int = 60) -> StrictMarket:
    """Play bars, and resume after each."""
    for step in market.case.bars[:count]:
        market.play(step)
        market.take(UserCommand("resume", market.now_ns))
    return market


@settings(max_examples=sample(20, of=2_000), deadline=None)
@given(seed=st.integers(0, 2**32), kind=kinds, is_spot=st.booleans(), every=st.sampled_from([0, 7]))
def test_once_the_broker_is_quiet_every_position_has_stops_for_exactly_its_quantity(
    seed: int, kind: str, *, is_spot: bool, every: int
) -> None:
    market = StrictMarket(case_of(kind), seed, is_spot=is_spot and kind != "target", kept_every=every)
    for step in case_of(kind).bars[:60]:
        market.play(step)
        if market.is_quiet:
            check_protected(market)
        market.take(UserCommand("resume", market.now_ns))
    market.settle()
    check_protected(market)


@settings(max_examples=sample(8, of=500), deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(["trailing", "target"]))
def test_a_stop_works_at_the_broker_without_a_gap_while_it_is_replaced(seed: int, kind: str) -> None:
    """The broker changes no orders, and fills entries in parts: stops are replaced by others."""
    is_on = False
    replaced = 0

    def look(market: StrictMarket) -> None:
        nonlocal is_on, replaced
        works = bool(market.working())
        exits = [each for each in market.working("market") if each.submit.reduce_only]
        if is_on and market.held and not exits:
            assert works
        replaced += len(market.working()) > 1
        is_on = works and bool(market.held)

    played(StrictMarket(case_of(kind), seed, calm=True, on_change=look))
    assert replaced


@settings(max_examples=sample(8, of=500), deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(["plain", "trailing"]))
def test_where_orders_reserve_the_position_none_is_refused_for_that(seed: int, kind: str) -> None:
    market = played(StrictMarket(case_of(kind), seed, calm=True, is_spot=True))
    assert [each for each in market.orders.values() if each.state == "rejected"] == []
    assert any(is_stop(each.submit) for each in market.orders.values())


def is_stop(submit: Submit) -> bool:
    return submit.kind == "stop"


def test_a_position_whose_stop_stays_refused_is_closed_with_an_alarm() -> None:
    market = StrictMarket(case_of("plain"), 1, trouble=0.0, refuses=is_stop)
    for step in case_of("plain").bars[:60]:
        market.play(step)
    entry, *protecting = [each.submit for each in market.orders.values()]
    (exit_,) = [each for each in protecting if each.kind == "market"]
    assert len([each for each in protecting if each.ts_ns < exit_.ts_ns]) == MOST_REFUSALS
    assert (exit_.reduce_only, exit_.lots) == (True, entry.lots)
    assert exit_.ts_ns - entry.ts_ns < 60 * S
    assert market.alarms() == [
        (
            "ONE: the broker has refused the stop 5 times (no). The position is closed at the market. "
            "No entries until 'resume'."
        )
    ]
    assert (market.held, market.core.gate.reducing, market.core.gate.closing) == (0, True, ())
    check_protected(market)


def test_an_exit_that_is_refused_is_tried_again_less_and_less_often() -> None:
    left = 6

    def refuses(submit: Submit) -> bool:
        nonlocal left
        left -= submit.kind == "market" and submit.reduce_only
        return submit.kind == "stop" or (submit.kind == "market" and submit.reduce_only and left > 0)

    market = StrictMarket(case_of("plain"), 1, trouble=0.0, refuses=refuses)
    for step in case_of("plain").bars[:60]:
        market.play(step)
    tries = [
        each.submit.ts_ns for each in market.orders.values() if each.submit.reduce_only and not is_stop(each.submit)
    ]
    waits = [round((later - one) / S) for one, later in pairwise(tries)]
    assert len(waits) == 5
    assert waits == sorted(waits)
    assert waits[-1] >= 16
    assert (market.held, market.core.gate.reducing) == (0, True)


def test_a_stop_that_can_not_be_moved_stays_where_it_is() -> None:
    """The first stop of a position is accepted, and no other one: it works on until it fills."""
    accepted: set[Any] = set()

    def refuses(submit: Submit) -> bool:
        if not is_stop(submit) or submit.parent not in accepted:
            accepted.add(submit.parent)
            return False
        return True

    near = STOPPED.replace("percent: 2}", "percent: 0.3}").replace("percent: 3}", "percent: 0.3}")
    hourly = Case.of(near.replace("timeframe: 1d", "timeframe: 1h"))
    market = played(StrictMarket(hourly, 2, trouble=0.0, refuses=refuses), 100)
    filled = [each for each in market.orders.values() if is_stop(each.submit) and each.filled]
    assert filled
    assert "Stops that work stay" in market.alarms()[0]
    assert not any("closed at the market" in each for each in market.alarms())
    cancels = [each.order.number for each in market.commands if isinstance(each, Cancel)]
    assert not {each.submit.order.number for each in filled} & set(cancels)
