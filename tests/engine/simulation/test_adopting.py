"""A changed strategy takes over what fits of an earlier state, and says what it dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.orders import Cancel
from quantcrafter.engine.api.ports import ENTER_LONG, EXIT_LONG
from quantcrafter.engine.api.rules import ExecutionRule, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.adopting import adopt
from quantcrafter.engine.simulation.closed_bar import closed_bars
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.random_programs import with_program

ROWS = [[100, 101, 99, 100], [100, 102, 100, 101], [101, 102, 100, 101], [101, 102, 100, 101], [101, 102, 90, 92]]
STOP = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=5.0)
TARGET = ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=20.0)
BELOW = ExecutionRule(entry=EntryRule(OrderKind.LIMIT, Offset(percent=5.0)))


def job_of(symbols: tuple[str, ...] = ("A",), lot_size: float = 1.0, percent: float = 50.0, **more: Any) -> EngineJob:
    flags = more.pop("flags", {0: ENTER_LONG, 3: EXIT_LONG})
    pairs = [(make_bars(ROWS, symbol), Setup(flags=flags, lot_size=lot_size)) for symbol in symbols]
    return make_job(*pairs, size=SizeRule(SizeKind.EQUITY_PERCENT, percent), **more)


def left_by(job: EngineJob, rules: tuple[str, ...] = (), steps: int = 2) -> SessionState:
    session = SimulationSession.open(job, identity=Identity("first", rules))
    for _, bars in zip(range(steps), closed_bars(job), strict=False):
        session.append(bars)
        session.close_step()
    return SessionState.from_json(session.state().to_json())


def go_on(job: EngineJob, state: SessionState, identity: Identity, steps: int = 2) -> SimulationSession:
    session = SimulationSession.open(job, state, identity=identity)
    for bars in list(closed_bars(job))[steps:]:
        session.append(bars)
        session.step()
    return session


def test_position_cash_and_matching_orders_go_on_under_the_new_terms() -> None:
    old = left_by(job_of(protection=(STOP, TARGET)), ("stop", "target"))
    changed = job_of(percent=10.0, protection=(TARGET, STOP))
    who = Identity("second", ("target", "stop"))
    with pytest.raises(RunError, match="another strategy"):
        SimulationSession.open(changed, old, identity=who)
    found = adopt(old, changed, who)
    assert found.dropped == ()
    session = SimulationSession.open(changed, found.state, identity=who)
    assert session.memory.portfolio["executions"][0]["size_value"] == 10.0
    assert session.cash == old.account["cash"]
    assert [int(order["rule"]) for order in session.working_orders(0)] == [1, 0]
    ledger = go_on(changed, found.state, who).ledger()
    assert (ledger.fills["lots"].tolist(), ledger.fills["side"].tolist()) == ([500], [-1])


def test_an_order_whose_rule_is_gone_is_dropped_said_and_cancelled_at_the_broker() -> None:
    old = left_by(job_of(protection=(STOP, TARGET)), ("stop", "target"))
    changed, who = job_of(protection=(TARGET,)), Identity("second", ("target",))
    found = adopt(old, changed, who)
    assert found.dropped == (
        "Order 1 of A is cancelled: its rule 'stop' was removed.",
        "The position of A no longer has a stop: rules of the new version protect the next entry.",
    )
    (command,) = SimulationSession.open(changed, found.state, identity=who).commands()
    assert isinstance(command, Cancel)
    assert command.order.number == 1


def test_an_order_whose_rule_is_of_another_kind_now_is_dropped_and_said() -> None:
    old = left_by(job_of(protection=(STOP, TARGET)), ("one", "other"))
    found = adopt(old, job_of(protection=(STOP, TARGET)), Identity("second", ("other", "one")))
    assert found.dropped == (
        "Order 1 of A is cancelled: its rule 'one' is of another kind now.",
        "Order 2 of A is cancelled: its rule 'other' is of another kind now.",
        "The position of A no longer has a stop: rules of the new version protect the next entry.",
        "The position of A no longer has a target: rules of the new version apply to the next entry.",
    )


def test_an_entry_that_waits_goes_on_where_what_protects_it_is_known() -> None:
    old = left_by(job_of(execution=BELOW, flags={0: ENTER_LONG}))
    who = Identity("second")
    assert adopt(old, job_of(execution=BELOW, percent=10.0), who).dropped == ()
    atr_stop = ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=1.0, column="atr")
    pair = (make_bars(ROWS, "A"), Setup(rule_columns=([1.0] * 5,)))
    found = adopt(old, make_job(pair, protection=(atr_stop,), execution=BELOW), who)
    assert found.dropped == (
        "Order 0 of A is cancelled: a rule that would protect it has no value at the bar of its decision.",
    )


def test_instruments_come_and_go_but_none_with_an_open_position_is_left_behind() -> None:
    flat = left_by(job_of(("A", "B"), flags={}))
    found = adopt(flat, job_of(("B", "C")), Identity("second"))
    assert found.dropped == ("A is no longer traded; its 0 orders are cancelled.",)
    assert list(found.state.instruments) == ["B", "C"]
    session = SimulationSession.open(job_of(("B", "C")), found.state, identity=Identity("second"))
    assert session.memory.holdings["bars"].tolist() == [2, 0]
    with pytest.raises(RunError, match="A position of 500 lots is open in A, which the strategy no longer trades"):
        adopt(left_by(job_of(("A", "B"))), job_of(("B",)), Identity("second"))


def test_a_lot_stays_what_it_is_while_a_position_is_open() -> None:
    with pytest.raises(RunError, match=r"'lot_size' of A was 1.0 and is 0.5 now"):
        adopt(left_by(job_of()), job_of(lot_size=0.5), Identity("second"))
    assert adopt(left_by(job_of(flags={})), job_of(lot_size=0.5), Identity("second")).dropped == ()


def test_what_nodes_remember_goes_on_with_the_same_nodes_alone() -> None:
    job = with_program(job_of(), 3)
    assert job.steps is not None
    assert len(job.steps.state)
    old = left_by(job)
    assert adopt(old, job, Identity("first")).state.instruments["A"].steps == old.instruments["A"].steps
    numbers = job.steps.registers + 1.0
    other = replace(job, steps=replace(job.steps, registers=numbers))
    found = adopt(old, other, Identity("second"))
    assert found.state.instruments["A"].steps == ()
    assert found.dropped == ("The state of the nodes that read the position of A was discarded.",)
    assert SimulationSession.open(other, found.state, identity=Identity("second")).index == 2


def test_the_same_strategy_adopts_everything() -> None:
    job = job_of(protection=(STOP, TARGET))
    old, who = left_by(job, ("stop", "target")), Identity("first", ("stop", "target"))
    found = adopt(old, job, who)
    assert found.dropped == ()
    assert found.state.to_json() == old.to_json()
