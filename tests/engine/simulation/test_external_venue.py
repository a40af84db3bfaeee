"""An external broker reports on orders: the ledger follows its reports, and the broker gets the resulting commands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import Offset, ScaleInRule
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import Ledger, OrderKind, OrderStatus, StatusReason
from quantcrafter.engine.api.order_id import OrderError, OrderId
from quantcrafter.engine.api.orders import (
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    Cancel,
    Cancelled,
    CancelRejected,
    Expired,
    Filled,
    OrderCommand,
    Rejected,
    Submit,
)
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG
from quantcrafter.engine.api.rules import (
    ExecutionRule,
    GuardKind,
    GuardRule,
    OnOpposite,
    ProtectiveKind,
    ProtectiveRule,
    SizeKind,
    SizeRule,
)
from quantcrafter.engine.simulation.closed_bar import ClosedBar, closed_bars
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.placing import FIRST_NS
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from tests.support.counts import sample
from tests.support.feeding import joined
from tests.support.jobs import DAY_NS, Setup, make_bars, make_job
from tests.support.random_jobs import jobs

STOP = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=5.0)
TARGET = ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=5.0)
FLAT = [[100, 101, 99, 100]] * 6


def bar(day: int, flags: int = 0, close: float = 100.0, **more: Any) -> ClosedBar:
    high, low = max(101.0, close), min(99.0, close)
    return ClosedBar(100.0, high, low, close, day * DAY_NS, (day + 1) * DAY_NS, flags=flags, **more)


def session_of(**more: Any) -> SimulationSession:
    given = {"cash": 10_000.0, **more.pop("settings", {})}
    return SimulationSession.open(make_job((make_bars(FLAT), Setup()), settings=given, **more), venue="external")


def close(session: SimulationSession, day: int, flags: int = 0, price: float = 100.0) -> tuple[OrderCommand, ...]:
    session.append({"TEST": bar(day, flags, price)})
    return session.close_step()


def filled(order: OrderId, lots: int, price: float, fee: float | None = None, name: str = "x1") -> Filled:
    return Filled(order, name, lots, price, 0, fee)


TEN = {"size": SizeRule(SizeKind.QUANTITY, 10.0), "protection": (STOP, TARGET)}


def test_nothing_fills_before_it_is_reported_and_the_fill_is_booked_as_it_is_told() -> None:
    session = session_of(**TEN)
    (entry,) = close(session, 0, ENTER_LONG)
    assert close(session, 1) == ()
    assert len(session.ledger().fills) == 0
    session.apply(Accepted(entry.order, 1, "venue-7"))
    stop, target = session.apply(filled(entry.order, 10, 100.25, fee=1.5))
    assert isinstance(stop, Submit)
    assert isinstance(target, Submit)
    assert (stop.kind, stop.price, stop.lots, target.kind, target.price) == ("stop", 95.24, 10, "limit", 105.26)
    (fill,) = session.ledger().fills
    assert (fill["lots"], fill["price"], fill["commission"], fill["slippage"], fill["bar"]) == (10, 100.25, 1.5, 0.0, 2)
    assert session.cash == 10_000.0 - 1002.5 - 1.5


def test_parts_are_booked_as_they_come_and_their_protection_grows() -> None:
    session = session_of(**TEN)
    (entry,) = close(session, 0, ENTER_LONG)
    stop, target = session.apply(filled(entry.order, 4, 100.0))
    assert isinstance(stop, Submit)
    assert stop.lots == 4
    for each in (stop, target):
        session.apply(Accepted(each.order, 2))
    cancel, again = session.apply(filled(entry.order, 6, 101.0, name="x2"))
    assert isinstance(cancel, Cancel)
    assert isinstance(again, Submit)
    assert (cancel.order, again.kind, again.lots) == (target.order, "stop", 10)
    (target,) = session.apply(Cancelled(target.order, 3))
    assert isinstance(target, Submit)
    assert (target.kind, target.lots) == ("limit", 10)
    (cancel,) = session.apply(Accepted(again.order, 4))
    assert isinstance(cancel, Cancel)
    assert cancel.order == stop.order
    (position,) = session.ledger().open_positions
    assert (position.lots, position.entry_price) == (10, 100.6)


def test_a_report_that_comes_twice_changes_nothing_and_an_impossible_one_is_refused() -> None:
    session = session_of(**TEN)
    (entry,) = close(session, 0, ENTER_LONG)
    session.apply(filled(entry.order, 4, 100.0))
    assert session.apply(filled(entry.order, 4, 100.0)) == ()
    before = session.state().to_json()
    with pytest.raises(OrderError, match="4 of 10 lots have filled"):
        session.apply(filled(entry.order, 7, 100.0, name="x2"))
    with pytest.raises(OrderError, match="which this session has not sent"):
        session.apply(filled(replace(entry.order, number=99), 1, 100.0))
    with pytest.raises(OrderError, match="which this session has not sent"):
        session.apply(Accepted(replace(entry.order, worker="other"), 1))
    assert session.state().to_json() == before
    assert len(session.ledger().fills) == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"lots": 1.5}, "'lots' is a whole number above 0"),
        ({"lots": 5.0}, "'lots' is a whole number above 0"),
        ({"lots": "5"}, "'lots' is a whole number above 0"),
        ({"price": "100"}, "'price' is a finite number"),
        ({"fee": "1"}, "'fee' is a finite number"),
        ({"price": -1.0}, "a price of TEST is above 0"),
        ({"price": 0.0}, "a price of TEST is above 0"),
        ({"ts_ns": 1.5}, "'ts_ns' can't be read"),
        ({"ts_ns": -5}, "'ts_ns' is a time in nanoseconds"),
        ({"order": "nothing"}, "order"),
        ({"execution": 3}, "'execution' can't be read"),
    ],
)
def test_a_report_that_can_not_be_true_is_one_error_and_changes_nothing(change: dict[str, Any], text: str) -> None:
    session = session_of(**TEN)
    (submit,) = close(session, 0, ENTER_LONG)
    kept = session.state().to_json()
    good = filled(submit.order, 10, 100.0)
    with pytest.raises(OrderError, match=text):
        session.apply(replace(good, **change))
    assert session.state().to_json() == kept
    session.apply(good)
    reopened = SimulationSession.open(session.job, SessionState.from_json(session.state().to_json()), venue="external")
    assert reopened.memory.holdings[0]["lots"] == 10


def test_a_target_that_fills_takes_the_stop_with_it() -> None:
    session = session_of(**TEN)
    (entry,) = close(session, 0, ENTER_LONG)
    stop, target = session.apply(filled(entry.order, 10, 100.0))
    session.apply(Accepted(stop.order, 2))
    (cancel,) = session.apply(filled(target.order, 10, 105.0))
    assert isinstance(cancel, Cancel)
    assert cancel.order == stop.order
    (trade,) = session.ledger().trades
    assert trade["pnl"] == 50.0
    assert session.apply(Cancelled(stop.order, 5)) == ()


def test_an_order_that_filled_more_than_the_session_wanted_is_cancelled_for_its_rest() -> None:
    session = session_of(**TEN)
    (entry,) = close(session, 0, ENTER_LONG)
    stop, target = session.apply(filled(entry.order, 10, 100.0))
    session.apply(Accepted(target.order, 2))
    (amend,) = session.apply(filled(stop.order, 4, 95.0, name="x2"))
    assert isinstance(amend, Amend)
    assert (amend.order, amend.lots) == (target.order, 6)
    # The broker still has 10 lots of the target: 3 of them are left to fill.
    cancels = session.apply(filled(target.order, 7, 105.0, name="x3"))
    assert target.order in [each.order for each in cancels if isinstance(each, Cancel)]
    assert session.orders[target.order.number].left == 3
    session.apply(Cancelled(target.order, 4))
    assert session.orders[target.order.number].left == 0


@pytest.mark.parametrize(
    ("event", "status", "reason"),
    [
        (Rejected, OrderStatus.REJECTED, StatusReason.NONE),
        (Cancelled, OrderStatus.CANCELLED, StatusReason.NONE),
        (Expired, OrderStatus.CANCELLED, StatusReason.EXPIRED),
    ],
)
def test_an_order_that_the_broker_ends_leaves_work_and_is_not_cancelled_again(
    event: Any, status: OrderStatus, reason: StatusReason
) -> None:
    session = session_of(**TEN)
    (entry,) = close(session, 0, ENTER_LONG)
    assert session.apply(event(entry.order, 1)) == ()
    (order,) = session.ledger().orders
    assert (order["status"], order["status_reason"]) == (status, reason)
    assert close(session, 1) == ()


def test_an_order_is_not_amended_before_the_broker_has_it() -> None:
    trailing = ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=5.0)
    session = session_of(size=SizeRule(SizeKind.QUANTITY, 10.0), protection=(trailing,))
    (entry,) = close(session, 0, ENTER_LONG)
    (stop,) = session.apply(filled(entry.order, 10, 100.0))
    assert close(session, 1, price=110.0) == ()
    (amend,) = session.apply(Accepted(stop.order, 3))
    assert isinstance(amend, Amend)
    assert amend.price == 104.5


def test_a_stop_whose_amend_is_refused_works_until_another_one_is_accepted() -> None:
    trailing = ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=5.0)
    session = session_of(size=SizeRule(SizeKind.QUANTITY, 10.0), protection=(trailing,))
    (entry,) = close(session, 0, ENTER_LONG)
    (stop,) = session.apply(filled(entry.order, 10, 100.0))
    session.apply(Accepted(stop.order, 2))
    (amend,) = close(session, 1, price=110.0)
    assert isinstance(amend, Amend)
    assert (amend.change, amend.price) == (1, 104.5)
    assert session.apply(AmendRejected(stop.order, 1, 3, "too late")) == ()
    now_ns = 2 * DAY_NS
    assert session.ask_again(now_ns + FIRST_NS - 1) == ()
    assert session.next_due_ns == now_ns + FIRST_NS
    (other,) = session.ask_again(now_ns + FIRST_NS)
    assert isinstance(other, Submit)
    assert (other.kind, other.lots, other.price) == ("stop", 10, 104.5)
    assert session.next_due_ns is None
    (cancel,) = session.apply(Accepted(other.order, 4))
    assert isinstance(cancel, Cancel)
    assert cancel.order == stop.order
    assert session.apply(Cancelled(stop.order, 5)) == ()


def test_an_order_whose_amend_was_refused_is_cancelled_at_once_when_it_should_go() -> None:
    trailing = ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=5.0)
    session = session_of(size=SizeRule(SizeKind.QUANTITY, 10.0), protection=(trailing, TARGET))
    (entry,) = close(session, 0, ENTER_LONG)
    stop, target = session.apply(filled(entry.order, 10, 100.0))
    session.apply(Accepted(stop.order, 2))
    close(session, 1, price=104.0)
    assert session.apply(AmendRejected(stop.order, 1, 3, "no")) == ()
    (cancel,) = session.apply(filled(target.order, 10, 105.0, name="x2"))
    assert isinstance(cancel, Cancel)
    assert cancel.order == stop.order


def test_an_order_whose_cancel_is_refused_is_cancelled_again_or_booked_when_it_filled() -> None:
    session = session_of(**TEN)
    (entry,) = close(session, 0, ENTER_LONG)
    stop, target = session.apply(filled(entry.order, 10, 100.0))
    session.apply(Accepted(stop.order, 2))
    session.apply(filled(target.order, 10, 105.0))
    assert session.apply(CancelRejected(stop.order, 4, "busy")) == ()
    due_ns = session.next_due_ns
    assert due_ns == DAY_NS + FIRST_NS
    (cancel,) = session.ask_again(due_ns)
    assert isinstance(cancel, Cancel)
    assert cancel.order == stop.order
    # It filled while the cancel was on its way: what has traded has traded.
    session.drain()
    session.apply(filled(stop.order, 10, 95.0, name="x9"))
    (position,) = session.ledger().open_positions
    assert position.lots == -10


def test_a_late_fill_that_closes_one_of_two_units_leaves_the_orders_of_the_other() -> None:
    unit = tuple(replace(rule, scope="unit") for rule in (STOP, TARGET))
    grow = ExecutionRule(scale_in=ScaleInRule(2, Offset(percent=2.0)))
    session = session_of(size=SizeRule(SizeKind.QUANTITY, 10.0), protection=unit, execution=grow)
    (entry,) = close(session, 0, ENTER_LONG)
    stop, target = session.apply(filled(entry.order, 10, 100.0))
    (further,) = close(session, 1, price=103.0)
    others = session.apply(filled(further.order, 10, 103.0, name="x2"))
    for each in (stop, *others):
        session.apply(Accepted(each.order, 2))
    (again,) = session.apply(Cancelled(target.order, 3))
    session.apply(Accepted(again.order, 3))
    cancels = session.apply(filled(target.order, 10, 105.0, name="x3"))
    assert {each.order for each in cancels if isinstance(each, Cancel)} == {stop.order, again.order}
    assert session.memory.holdings[0]["lots"] == 10
    assert session.working_orders(0)["id"].tolist() == [each.order.number for each in others]
    rows = session.ledger().orders
    assert rows["filled"][rows["id"] == target.order.number].tolist() == [10]


def test_a_saved_session_follows_its_orders_on() -> None:
    session = session_of(**TEN)
    (entry,) = close(session, 0, ENTER_LONG)
    for each in session.apply(filled(entry.order, 4, 100.0)):
        session.apply(Accepted(each.order, 2))
    kept = SessionState.from_json(session.state().to_json())
    again = SimulationSession.open(session.job, kept, venue="external")
    assert again.commands() == ()
    assert again.apply(filled(entry.order, 4, 100.0)) == ()
    assert len(again.apply(filled(entry.order, 6, 100.0, name="x2"))) == 2
    assert again.state().account["cash"] == 9_000.0


def test_a_simulated_venue_reports_nothing() -> None:
    session = SimulationSession.open(make_job((make_bars(FLAT), Setup())))
    with pytest.raises(RunError, match="Open it with venue='external'"):
        session.apply(Accepted(OrderId("session", 0, 0), 1))


# ---------------------------------------------------------------------- the check before sending


def test_an_entry_that_can_not_be_paid_is_cut_before_it_is_sent() -> None:
    session = session_of(size=SizeRule(SizeKind.QUANTITY, 150.0))
    (entry,) = close(session, 0, ENTER_LONG)
    assert isinstance(entry, Submit)
    assert entry.lots == 100


def test_an_entry_that_can_not_be_paid_is_refused_where_the_run_says_so() -> None:
    session = session_of(size=SizeRule(SizeKind.QUANTITY, 150.0), settings={"insufficient_cash": "reject"})
    assert close(session, 0, ENTER_LONG) == ()
    (order,) = session.ledger().orders
    assert (order["status"], order["status_reason"]) == (OrderStatus.REJECTED, StatusReason.NO_CASH)


def test_a_cap_cuts_an_entry_before_it_is_sent() -> None:
    session = session_of(size=SizeRule(SizeKind.QUANTITY, 50.0), guards=(GuardRule(GuardKind.MAX_POSITION, 20.0),))
    (entry,) = close(session, 0, ENTER_LONG)
    assert isinstance(entry, Submit)
    assert entry.lots == 20


def test_two_entries_at_once_share_the_cash() -> None:
    pairs = [(make_bars(FLAT, symbol), Setup()) for symbol in ("A", "B")]
    job = make_job(*pairs, size=SizeRule(SizeKind.QUANTITY, 70.0), settings={"cash": 10_000.0})
    session = SimulationSession.open(job, venue="external")
    session.append({"A": bar(0, ENTER_LONG), "B": bar(0, ENTER_LONG)})
    assert [each.lots for each in session.close_step() if isinstance(each, Submit)] == [70, 30]


def test_what_a_position_frees_that_is_being_left_pays_for_the_other_side() -> None:
    session = session_of(size=SizeRule(SizeKind.EQUITY_PERCENT, 100.0), on_opposite=OnOpposite.REVERSE)
    (entry,) = close(session, 0, ENTER_LONG)
    session.apply(filled(entry.order, 100, 100.0, fee=0.0))
    exit_, short = close(session, 1, ENTER_SHORT)
    assert isinstance(exit_, Submit)
    assert isinstance(short, Submit)
    assert (exit_.lots, exit_.reduce_only, short.lots, short.reduce_only) == (100, True, 100, False)
    assert session.cash == 0.0


def test_an_exit_is_never_held_back() -> None:
    session = session_of(size=SizeRule(SizeKind.EQUITY_PERCENT, 100.0))
    (entry,) = close(session, 0, ENTER_LONG)
    session.apply(filled(entry.order, 100, 100.0, fee=500.0))
    (exit_,) = close(session, 1, EXIT_LONG)
    assert isinstance(exit_, Submit)
    assert exit_.lots == 100


# ---------------------------------------------------------------------- against the simulated venue


PLAIN: dict[str, Any] = {
    "cash": 1e9,
    "end_of_data": "leave",
    "commission": {},
    "slippage": {},
    "margin": {"initial_percent": 1.0},
}
several = settings(max_examples=sample(40, of=3_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def reported(job: EngineJob, holdings: Ledger, stop: int) -> list[Ledger]:
    """Run a job in a session whose broker reports the fills of a backtest, each before its bar has closed.

    At a step it continues from the text of its state.
    """
    session, parts = SimulationSession.open(job, venue="external"), []
    sent: dict[int, OrderId] = {}
    done = 0
    known = [0] * len(job.instruments)
    index = {each.symbol: i for i, each in enumerate(job.instruments)}
    for step, bars in enumerate(closed_bars(job)):
        if step == stop:
            kept = SessionState.from_json(session.state().to_json())
            parts.append(session.drain())
            session = SimulationSession.open(job, kept, venue="external", identity=Identity(epoch=1))
        for symbol in bars:
            known[index[symbol]] += 1
        while done < len(holdings.fills) and holdings.fills[done]["bar"] < known[holdings.fills[done]["instrument"]]:
            fill = holdings.fills[done]
            event = filled(sent[int(fill["order_id"])], int(fill["lots"]), float(fill["price"]), 0.0, f"x{done}")
            sent |= accepted(session, session.apply(event))
            done += 1
        session.append(bars)
        sent |= accepted(session, session.close_step())
    return [*parts, session.ledger()]


def accepted(session: SimulationSession, commands: tuple[OrderCommand, ...]) -> dict[int, OrderId]:
    """Accept what a broker is sent, and what follows from that; return the orders by number."""
    waiting, sent = list(commands), {}
    while waiting:
        command = waiting.pop(0)
        sent[command.order.number] = command.order
        if isinstance(command, Submit):
            waiting += session.apply(Accepted(command.order, 0))
        elif isinstance(command, Cancel):
            waiting += session.apply(Cancelled(command.order, 0))
        elif isinstance(command, Amend):
            waiting += session.apply(Amended(command.order, command.change, 0))
    return sent


@several
@given(jobs(**PLAIN, fills={"arm": "next_bar"}), st.integers(0, 80))
def test_a_broker_that_fills_as_the_simulated_venue_does_gives_the_same_fills_and_trades(
    job: EngineJob, stop: int
) -> None:
    # A broker does not report that a stop-limit was triggered, from when on it no longer follows its line.
    entries = [each.rule.entry for each in job.executions]
    assume(not any(entry.kind == OrderKind.STOP_LIMIT and entry.follow for entry in entries))
    holdings = simulate(job)
    found = joined(reported(job, holdings, stop))
    for name in ("order_id", "bar", "lots", "price", "side", "reason"):
        assert np.array_equal(found.fills[name], holdings.fills[name]), name
    for name in ("entry_bar", "exit_bar", "lots", "pnl", "exit_reason"):
        assert np.array_equal(found.trades[name], holdings.trades[name]), name
    assert np.array_equal(found.equity, holdings.equity)


def test_a_report_waits_until_the_appended_bar_is_decided_on() -> None:
    session = session_of(**TEN)
    (entry,) = close(session, 0, ENTER_LONG)
    session.append({"TEST": bar(1)})
    with pytest.raises(RunError, match=r"Call close_step\(\) before"):
        session.apply(filled(entry.order, 10, 100.0))
    assert session.close_step() == ()
    assert len(session.apply(filled(entry.order, 10, 100.0))) == 2
