"""Books and order states agree with a broker that answers late, fills in parts, refuses and repeats its reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.order_state import OrderState, TrackedOrder
from quantcrafter.engine.api.ports import ENTER_LONG, EXIT_LONG
from quantcrafter.engine.api.rules import ExecutionRule, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.closed_bar import closed_bars
from quantcrafter.engine.simulation.records import WORKING_SLOTS
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from tests.support.counts import sample
from tests.support.jobs import Setup, make_job
from tests.support.outside_broker import BrokerOrder, OutsideBroker
from tests.support.random_jobs import jobs, random_bars

PLAIN: dict[str, Any] = {"cash": 1e7, "end_of_data": "leave", "fills": {}}
many = settings(max_examples=sample(25, of=5_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
OVER = {
    "filled": {OrderState.FILLED},
    "cancelled": {OrderState.CANCELLED},
    "expired": {OrderState.EXPIRED},
    "rejected": {OrderState.REJECTED},
}


def listen(session: SimulationSession, broker: OutsideBroker, *, all_of_them: bool = False) -> None:
    for event in broker.reports(all_of_them=all_of_them):
        broker.take(session.apply(event))


def settle(session: SimulationSession, broker: OutsideBroker) -> None:
    """Let all that is in progress come to its end, without a further bar."""
    broker.trouble = 0.0
    for _ in range(20):
        broker.work(at_once=True)
        listen(session, broker, all_of_them=True)
        broker.take(session.commands())
        if broker.is_idle:
            return
    raise AssertionError("session and broker go on for ever")


def live(job: EngineJob, broker: OutsideBroker, kept_every: int = 0) -> SimulationSession:
    """Run a job bar by bar at a broker outside; now and then in a new process, if so many steps are given.

    A job whose entries fill so late that their protective orders are more than a session has room for is left out.
    """
    try:
        return run_live(job, broker, kept_every)
    except RunError as error:
        if f"more than {WORKING_SLOTS} open orders" not in str(error):
            raise
        reject()


def run_live(job: EngineJob, broker: OutsideBroker, kept_every: int) -> SimulationSession:
    session = SimulationSession.open(job, venue="external")
    for step, bars in enumerate(closed_bars(job)):
        broker.work()
        broker.trade({symbol: (bar.open, bar.high, bar.low, bar.close) for symbol, bar in bars.items()})
        listen(session, broker)
        session.append(bars)
        broker.take(session.close_step())
        listen(session, broker)
        if kept_every and step % kept_every == 0:
            session.drain()
            session = SimulationSession.open(job, SessionState.from_json(session.state().to_json()), venue="external")
    settle(session, broker)
    return session


def check_states(session: SimulationSession, broker: OutsideBroker, tracked: Mapping[int, TrackedOrder]) -> None:
    known = {order.number: each for order, each in broker.orders.items()}
    for number, order in tracked.items():
        check_order(order, known[number])
    at_work: dict[int, Any] = {}
    for i in range(len(session.job.instruments)):
        at_work |= {int(row["id"]): row for row in session.working_orders(i)}
    for number, theirs in known.items():
        if theirs.state == "working":
            assert number in at_work, f"the broker works {theirs}, and the session doesn't"
            assert at_work[number]["lots"] == theirs.lots
    for number in at_work:
        assert known[number].state == "working", f"the session works {number}, and the broker has {known[number]}"


def check_order(ours: TrackedOrder, theirs: BrokerOrder) -> None:
    assert ours.filled == theirs.filled
    if theirs.state == "working":
        assert not ours.state.is_over
        assert (ours.lots, ours.price, ours.limit) == (theirs.lots, theirs.price, theirs.limit)
    else:
        assert ours.state in OVER[theirs.state], (ours, theirs)


def check_holdings(session: SimulationSession, broker: OutsideBroker, fills: list[tuple[int, float]]) -> None:
    lots = {
        each.symbol: int(holding["lots"])
        for each, holding in zip(session.job.instruments, session.memory.holdings, strict=True)
    }
    assert {symbol: held for symbol, held in lots.items() if held} == {
        symbol: held for symbol, held in broker.positions.items() if held
    }
    assert Counter(fills) == Counter(broker.executed)
    assert session.cash == pytest.approx(session.job.settings.cash + broker.cash, rel=1e-9)


def rows(session: SimulationSession) -> list[tuple[int, float]]:
    return [(int(fill["side"] * fill["lots"]), float(fill["price"])) for fill in session.ledger().fills]


@many
@given(jobs(**PLAIN), st.integers(0, 2**32 - 1))
def test_after_any_trouble_positions_money_and_orders_are_those_of_the_broker(job: EngineJob, seed: int) -> None:
    broker = OutsideBroker(seed)
    session = live(job, broker)
    check_holdings(session, broker, rows(session))
    check_states(session, broker, session.orders)


@many
@given(jobs(**PLAIN), st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_the_same_holds_for_a_session_that_is_kept_and_opened_again(job: EngineJob, seed: int, every: int) -> None:
    broker = OutsideBroker(seed)
    session = live(job, broker, kept_every=every)
    check_holdings(session, broker, broker.executed)
    check_states(session, broker, session.orders)


@many
@given(jobs(**PLAIN), st.integers(0, 2**32 - 1))
def test_what_the_trades_brought_is_the_change_of_the_account(job: EngineJob, seed: int) -> None:
    broker = OutsideBroker(seed)
    session = live(job, broker)
    ledger = session.ledger()
    gained = ledger.parts["pnl"].sum() + sum(each.unrealised_pnl for each in ledger.open_positions)
    worth = sum(float(holding["quantity"] * holding["mark"]) for holding in session.memory.holdings)
    assert broker.cash + worth == pytest.approx(gained, rel=1e-9, abs=1e-4)


def test_all_kinds_of_trouble_happen() -> None:
    seen: set[str] = set()
    for seed in range(25):
        broker = OutsideBroker(seed)
        live(busy_job(seed), broker)
        seen |= broker.seen
    assert seen == {
        *("commands wait", "rejected", "unanswered at first", "amend refused", "cancel refused"),
        *("ended by the broker", "filled in parts", "the rest comes later", "reports wait"),
        *("reports change places", "reported twice"),
    }


def busy_job(seed: int) -> EngineJob:
    """Return a job with a signal on every other bar, limit entries, a stop that follows the price, and a target."""
    bars = random_bars(seed, "S", np.arange(60))
    chosen = np.random.default_rng(seed).choice([0, ENTER_LONG, EXIT_LONG], 60, p=[0.5, 0.35, 0.15])
    return make_job(
        (bars, Setup(flags=[int(flag) for flag in chosen], rule_columns=(None, None))),
        size=SizeRule(SizeKind.QUANTITY, 9.0),
        protection=(
            ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=1.0),
            ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=1.5),
        ),
        execution=ExecutionRule(entry=EntryRule(OrderKind.LIMIT, Offset(percent=0.2))),
        settings={"cash": 1e6},
    )
