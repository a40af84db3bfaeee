"""Commands to a broker: whatever the rules do, following the commands gives the open orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset
from quantcrafter.engine.api.ledger import OrderKind, OrderStatus
from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.orders import Amend, Cancel, OrderCommand, Submit
from quantcrafter.engine.api.ports import ENTER_LONG, EXIT_LONG
from quantcrafter.engine.api.rules import ExecutionRule, ProtectiveKind, ProtectiveRule
from quantcrafter.engine.simulation.closed_bar import closed_bars
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.order_commands import WorkingTerms, changes_between
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from tests.support.counts import sample
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.random_jobs import jobs

TRAILING = ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=2.0)
TARGET = ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=5.0)
RISING = [[100, 101, 99, 100], [100, 102, 100, 102], [102, 104, 102, 104], [104, 110, 104, 110], [110, 111, 109, 110]]

many = settings(max_examples=sample(80, of=5_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def commands_of(job: EngineJob, identity: Identity = Identity()) -> list[tuple[OrderCommand, ...]]:  # noqa: B008
    session = SimulationSession.open(job, identity=identity)
    told = []
    for bars in closed_bars(job):
        session.append(bars)
        told.append(session.close_step())
    return told


def terms(number: int, **changed: Any) -> WorkingTerms:
    values: dict[str, Any] = {"kind": "limit", "side": "buy", "lots": 3, "price": 10.0, "limit": None, "day": False}
    values |= {"reduce_only": False, "parent": -1, "reason": "entry"}
    return WorkingTerms(number, 0, **{**values, **changed})


@pytest.mark.parametrize("changed", [{"price": 11.0}, {"lots": 2}, {"limit": 12.0}])
def test_an_order_with_another_price_limit_or_size_is_amended(changed: dict[str, Any]) -> None:
    found = changes_between({1: terms(1)}, {1: terms(1, **changed)}, ())
    assert (found.submitted, found.cancelled) == ((), ())
    assert found.amended == (terms(1, **changed, change=1),)


def test_a_new_order_is_submitted_and_one_that_is_gone_cancelled_unless_it_filled() -> None:
    found = changes_between({1: terms(1), 2: terms(2), 3: terms(3)}, {3: terms(3), 4: terms(4)}, {2})
    assert found.submitted == (terms(4),)
    assert found.cancelled == (terms(1),)
    assert found.amended == ()


def test_entry_protection_and_a_stop_that_follows_are_told_in_turn() -> None:
    job = make_job((make_bars(RISING), Setup(flags={0: ENTER_LONG})), protection=(TRAILING, TARGET))
    told = commands_of(job, Identity(worker="w7", epoch=3))
    (entry,) = told[0]
    assert isinstance(entry, Submit)
    assert (entry.order, entry.kind, entry.side, entry.lots, entry.reduce_only) == (
        OrderId("w7", 3, 0),
        "market",
        "buy",
        1,
        False,
    )
    stop, target = told[1]  # the entry filled: it is neither cancelled nor told again
    assert isinstance(stop, Submit)
    assert isinstance(target, Submit)
    assert (stop.kind, stop.price, stop.reduce_only, stop.parent, stop.reason) == (
        "stop",
        99.96,
        True,
        entry.order,
        "trailing_stop",
    )
    assert (target.kind, target.price, target.reason) == ("limit", 105.0, "take_profit")
    (moved,) = told[2]
    assert moved == Amend(stop.order, 1, 1, 1.0, job.instruments[0].bars.close_ns[2], 101.92, None)
    assert told[3] == (Cancel(stop.order, job.instruments[0].bars.close_ns[3]),)  # the target filled


def test_an_exit_signal_cancels_an_entry_that_waits() -> None:
    entry = EntryRule(OrderKind.LIMIT, Offset(percent=5.0))
    job = make_job(
        (make_bars(RISING), Setup(flags={0: ENTER_LONG, 2: EXIT_LONG})), execution=ExecutionRule(entry=entry)
    )
    told = commands_of(job)
    assert [[type(each) for each in step] for step in told] == [[Submit], [], [Cancel], [], []]


class Desk:
    """A broker's list of orders, kept by commands alone."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[int, float | None, float | None]] = {}
        self.known: set[int] = set()

    def take(self, commands: tuple[OrderCommand, ...]) -> None:
        for command in commands:
            number = command.order.number
            if isinstance(command, Submit):
                assert number not in self.known
                self.known.add(number)
                self.orders[number] = (command.lots, command.price, command.limit)
            elif isinstance(command, Amend):
                assert number in self.orders
                self.orders[number] = (command.lots, command.price, command.limit)
            else:
                del self.orders[number]


@many
@given(st.one_of(jobs(), jobs(account=True)), st.integers(0, 60))
def test_following_the_commands_gives_the_orders_at_work_whatever_the_rules_do(job: EngineJob, stop: int) -> None:
    session, portfolio, filled = SimulationSession.open(job), Desk(), set()
    for step, bars in enumerate(closed_bars(job)):
        if step == stop:
            kept = SessionState.from_json(session.state().to_json())
            session = SimulationSession.open(job, kept, identity=Identity(epoch=1))
        session.append(bars)
        portfolio.take(session.close_step())
        drained = session.drain()
        filled |= set(drained.orders["id"][drained.orders["status"] == OrderStatus.FILLED].tolist())
        for number in filled:
            portfolio.orders.pop(number, None)
        at_work = {}
        for i in range(len(job.instruments)):
            for order in session.working_orders(i):
                price, limit = (None if np.isnan(value) else float(value) for value in (order["price"], order["limit"]))
                at_work[int(order["id"])] = (int(order["lots"]), price, limit)
        assert portfolio.orders == at_work


def test_ids_go_on_in_the_next_epoch_and_orders_keep_theirs() -> None:
    job = make_job((make_bars(RISING), Setup(flags={0: ENTER_LONG})), protection=(TRAILING, TARGET))
    session, told = SimulationSession.open(job, identity=Identity(epoch=1)), []
    for epoch, bars in enumerate(closed_bars(job), 1):
        session.append(bars)
        told.append(session.close_step())
        session = SimulationSession.open(job, session.state(), identity=Identity(epoch=epoch + 1))
    assert [[str(each.order) for each in step] for step in told] == [
        ["session-1-0"],
        ["session-2-1", "session-2-2"],
        ["session-2-1"],
        ["session-2-1"],
        [],
    ]
