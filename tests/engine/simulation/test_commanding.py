"""Between two steps the program may forbid entries, withdraw them and close positions, whatever the strategy does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import BlockReason, OrderKind, Reason, StatusReason
from quantcrafter.engine.api.orders import Cancel, Filled, Rejected, Submit
from quantcrafter.engine.api.ports import ENTER_LONG
from quantcrafter.engine.api.rules import ExecutionRule, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.closed_bar import ClosedBar, closed_bars
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from tests.support.counts import sample
from tests.support.jobs import DAY_NS, Setup, make_bars, make_job
from tests.support.random_jobs import jobs

several = settings(max_examples=sample(40, of=3_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
FLAT = [[100, 101, 99, 100]] * 6
STOP = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=5.0)
TEN = SizeRule(SizeKind.QUANTITY, 10.0)


def bar(day: int, flags: int = 0) -> ClosedBar:
    return ClosedBar(100.0, 101.0, 99.0, 100.0, day * DAY_NS, (day + 1) * DAY_NS, flags=flags)


def close(session: SimulationSession, day: int, flags: int = 0) -> tuple[Any, ...]:
    session.append({"TEST": bar(day, flags)})
    return session.close_step()


def session_of(venue: Any = "external", **more: Any) -> SimulationSession:
    job = make_job((make_bars(FLAT), Setup()), settings={"cash": 10_000.0}, size=TEN, **more)
    return SimulationSession.open(job, venue=venue)


def opening(session: SimulationSession, first: int) -> set[int]:
    """Return the open orders numbered `first` and higher that would open or increase a position."""
    holdings = session.memory.holdings
    return {
        number
        for holding in holdings
        for k in range(int(holding["working"]))
        if holding["opens"][k] == 1 and (number := int(holding["slots"][k]["id"])) >= first
    }


@several
@given(job=st.one_of(jobs(), jobs(account=True)), begin=st.integers(0, 60), flatten=st.booleans())
def test_no_entry_is_made_while_they_are_shut_and_none_is_left_after_they_are_withdrawn(
    job: EngineJob, begin: int, *, flatten: bool
) -> None:
    session, first = SimulationSession.open(job), 0
    for step, bars in enumerate(closed_bars(job)):
        if step == begin:
            first = int(session.memory.portfolio["next_order"])
            (session.close_positions if flatten else session.withdraw_entries)()
            session.shut_entries(shut=True)
            assert opening(session, 0) == set()
            session = SimulationSession.open(job, SessionState.from_json(session.state().to_json()))
            session.shut_entries(shut=True)
        session.append(bars)
        session.step()
        assert step < begin or opening(session, 0) == set()
    if begin < len(session) and flatten:
        for holding in session.memory.holdings[session.memory.holdings["lots"] != 0]:
            assert holding["leaving"] == 1  # no bar came, or none at which it could be closed
    if begin < len(session):
        made = session.ledger().orders
        assert not np.isin(made["reason"][made["id"] >= first], (Reason.ENTRY, Reason.SCALE_IN, Reason.REVERSAL)).any()


def test_an_entry_that_is_shut_out_is_noted_with_its_reason_and_the_exits_go_on() -> None:
    session = session_of("simulated", protection=(STOP,))
    session.shut_entries(shut=True)
    assert close(session, 0, ENTER_LONG) == ()
    (blocked,) = session.ledger().blocked
    assert (blocked["reason"], blocked["bar"]) == (BlockReason.SHUT, 0)
    assert len(session.ledger().interventions) == 0
    session.shut_entries(shut=False)
    assert [type(each) for each in close(session, 1, ENTER_LONG)] == [Submit]


def test_positions_are_closed_at_the_next_open_and_asking_again_changes_nothing() -> None:
    session = session_of("simulated", protection=(STOP,))
    close(session, 0, ENTER_LONG)
    close(session, 1)
    assert session.positions == {"TEST": 10.0}
    (exit_,) = session.close_positions()
    assert isinstance(exit_, Submit)
    assert (exit_.kind, exit_.side, exit_.lots, exit_.reason) == ("market", "sell", 10, "halt")
    assert session.close_positions() == ()
    close(session, 2)
    assert session.positions == {}
    assert session.ledger().trades["exit_reason"].tolist() == [Reason.HALT]


def test_a_waiting_entry_is_cancelled_at_the_broker_and_a_protective_stop_stays() -> None:
    waiting = EntryRule(OrderKind.LIMIT, Offset(percent=-5.0))
    session = session_of(protection=(STOP,), execution=ExecutionRule(entry=waiting))
    (entry,) = close(session, 0, ENTER_LONG)
    (cancel,) = session.withdraw_entries()
    assert isinstance(cancel, Cancel)
    assert cancel.order == entry.order
    (stop,) = session.apply(Filled(entry.order, "x", 4, 95.0, 0))  # it filled in part before the cancel came
    assert isinstance(stop, Submit)
    assert (stop.kind, stop.lots) == ("stop", 4)
    assert session.withdraw_entries() == ()
    assert session.ledger().orders["status_reason"].tolist()[0] == StatusReason.HALT


def test_a_position_is_closed_again_when_the_broker_refused_to() -> None:
    session = session_of(protection=(STOP,))
    (entry,) = close(session, 0, ENTER_LONG)
    session.apply(Filled(entry.order, "x", 10, 100.0, 0))
    (exit_,) = session.close_positions()
    session.apply(Rejected(exit_.order, 1, "no"))
    (again,) = session.close_positions()
    assert isinstance(again, Submit)
    assert again.order != exit_.order
    assert again.lots == 10


def test_nothing_is_asked_in_the_middle_of_a_step() -> None:
    session = session_of()
    session.append({"TEST": bar(0)})
    for ask in (session.withdraw_entries, session.close_positions):
        with pytest.raises(RunError, match="not run yet"):
            ask()
