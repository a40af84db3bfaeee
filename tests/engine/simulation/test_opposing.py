"""Entries on both sides and orders that reverse: what brokers are told, what is refused, and what must always hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import OrderKind, OrderStatus, Reason, StatusReason
from quantcrafter.engine.api.orders import Accepted, Amend, Cancel, Filled, OrderCommand, Submit
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.closed_bar import ClosedBar
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED
from quantcrafter.engine.simulation.session import SimulationSession
from tests.support.counts import sample
from tests.support.jobs import DAY_NS, Setup, make_bars, make_job
from tests.support.random_jobs import random_bars

BOTH = ENTER_LONG | ENTER_SHORT
TEN = SizeRule(SizeKind.QUANTITY, 10.0)
STOPS = EntryRule(OrderKind.STOP, Offset(percent=2.0), two_sided=True)
EITHER_WAY = ExecutionRule(entry=STOPS)
AND_REVERSE = ExecutionRule(OnOpposite.REVERSE_AT_PRICE, entry=STOPS)
FLAT = [[100, 101, 99, 100]] * 6


def session_of(rule: ExecutionRule, **more: Any) -> SimulationSession:
    job = make_job((make_bars(FLAT), Setup()), execution=rule, size=TEN, settings={"cash": 100_000.0}, **more)
    return SimulationSession.open(job, venue="external")


def close(session: SimulationSession, day: int, flags: int = 0) -> tuple[OrderCommand, ...]:
    session.append({"TEST": ClosedBar(100.0, 101.0, 99.0, 100.0, day * DAY_NS, (day + 1) * DAY_NS, flags=flags)})
    return session.close_step()


def submits(commands: tuple[OrderCommand, ...]) -> list[tuple[str, str, int, float | None]]:
    return [(each.side, each.kind, each.lots, each.price) for each in commands if isinstance(each, Submit)]


def test_a_broker_is_sent_both_orders_and_the_cancel_of_the_other_one() -> None:
    session = session_of(EITHER_WAY)
    commands = close(session, 0, BOTH)
    assert submits(commands) == [("buy", "stop", 10, 102.0), ("sell", "stop", 10, 98.0)]
    buy, sell = commands
    answer = session.apply(Filled(buy.order, "x1", 4, 102.0, 0, None))
    assert [(type(each), each.order) for each in answer] == [(Cancel, sell.order)]


def test_a_broker_is_told_how_an_order_that_reverses_grows_with_the_position() -> None:
    session = session_of(AND_REVERSE)
    buy, sell = close(session, 0, BOTH)
    for each in (buy, sell):
        session.apply(Accepted(each.order, 0))
    (grown,) = session.apply(Filled(buy.order, "x1", 4, 102.0, 0, None))
    assert isinstance(grown, Amend)
    assert (grown.order, grown.lots) == (sell.order, 14)
    (whole,) = session.apply(Filled(buy.order, "x2", 6, 102.0, 0, None))
    assert (whole.order, whole.lots) == (sell.order, 20)  # type: ignore[union-attr]  # an amend
    session.apply(Filled(sell.order, "x3", 20, 98.0, 0, None))
    assert session.memory.holdings[0]["lots"] == -10
    (trade,) = session.ledger().trades
    assert (trade["lots"], trade["exit_reason"], trade["pnl"]) == (10, Reason.REVERSAL, -40.0)


def test_a_broker_that_fills_a_reversal_before_it_has_grown_closes_the_position() -> None:
    session = session_of(AND_REVERSE)
    buy, sell = close(session, 0, BOTH)
    session.apply(Filled(buy.order, "x1", 10, 102.0, 0, None))
    assert session.apply(Filled(sell.order, "x2", 10, 98.0, 0, None)) == ()
    assert session.memory.holdings[0]["lots"] == 0
    assert session.memory.holdings[0]["working"] == 0
    orders = session.ledger().orders
    assert sorted(orders["lots"].tolist()) == sorted(orders["filled"].tolist()) == [10, 10]
    # At the next close there is no position, so both sides are ordered again.
    assert submits(close(session, 1, BOTH)) == [("buy", "stop", 10, 102.0), ("sell", "stop", 10, 98.0)]


def test_before_it_is_sent_a_reversal_is_checked_as_if_the_position_were_closed() -> None:
    session = session_of(
        ExecutionRule(OnOpposite.REVERSE_AT_PRICE, entry=EntryRule(OrderKind.STOP, Offset(percent=2.0)))
    )
    session.memory.portfolio["cash"] = 1_050.0
    (buy,) = close(session, 0, ENTER_LONG)
    session.apply(Filled(buy.order, "x1", 10, 102.0, 0, None))
    (sell,) = close(session, 1, ENTER_SHORT)
    # 30 in cash, and 10 x 100 for the position at its latest price: enough for 10 of 98 after the 10 that are closed.
    assert (sell.side, sell.lots, sell.price) == ("sell", 20, 98.0)  # type: ignore[union-attr]  # a submit
    poor = session_of(ExecutionRule(OnOpposite.REVERSE_AT_PRICE, entry=EntryRule(OrderKind.STOP, Offset(percent=2.0))))
    poor.memory.portfolio["cash"] = 1_050.0
    (buy,) = close(poor, 0, ENTER_LONG)
    poor.apply(Filled(buy.order, "x1", 10, 102.0, 0, 200.0))
    (sell,) = close(poor, 1, ENTER_SHORT)
    assert sell.lots == 10 + 8  # type: ignore[union-attr]  # 830 are left of it all, for 8 at 98


@pytest.mark.parametrize(
    "rule", [ExecutionRule(OnOpposite.REVERSE_AT_PRICE), ExecutionRule(entry=EntryRule(two_sided=True))]
)
def test_market_orders_can_neither_wait_on_both_sides_nor_reverse_at_a_price(rule: ExecutionRule) -> None:
    job = make_job((make_bars(FLAT), Setup()), execution=rule)
    with pytest.raises(RunError, match="need entry orders that wait for a price"):
        simulate(job)


def test_a_live_session_refuses_fills_at_the_close_of_the_decision() -> None:
    rule = ExecutionRule(entry=EntryRule(OrderKind.AT_CLOSE))
    setup = (make_bars(FLAT), Setup())
    job = make_job(setup, execution=rule, settings={"fills": {"close": "auction"}})
    with pytest.raises(RunError, match="it knows no closing auction, and no moment before it"):
        SimulationSession.open(job, venue="external")
    SimulationSession.open(job)  # the simulated venue fills them
    session = session_of(rule)
    assert submits(close(session, 0, ENTER_LONG)) == [("buy", "at_close", 10, None)]


def random_job(seed: int, rule: ExecutionRule, protection: tuple[ProtectiveRule, ...]) -> EngineJob:
    rng = np.random.default_rng(seed)
    bars = random_bars(seed, "S", np.arange(120))
    flags = rng.choice([0, BOTH, BOTH, ENTER_LONG, ENTER_SHORT], len(bars))
    return make_job((bars, Setup(flags)), execution=rule, size=TEN, protection=protection, settings={"cash": 1e9})


RULES = st.sampled_from(
    [
        (),
        (ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=0.7),),
        (
            ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=0.8),
            ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=0.5),
        ),
    ]
)
often = settings(max_examples=sample(60, of=3_000), deadline=None, suppress_health_check=list(HealthCheck))


@often
@given(st.integers(0, 2**32 - 1), st.sampled_from([OrderKind.STOP, OrderKind.LIMIT]), RULES)
def test_of_two_waiting_entries_only_one_fills(seed: int, kind: OrderKind, protection: Any) -> None:
    rule = ExecutionRule(OnOpposite.IGNORE, entry=EntryRule(kind, Offset(percent=0.4), two_sided=True))
    ledger = simulate(random_job(seed, rule, protection), kernel=INTERPRETED)
    orders = {int(order["id"]): order for order in ledger.orders}
    filled = [
        order for order in ledger.orders if order["reason"] == Reason.ENTRY and order["status"] == OrderStatus.FILLED
    ]
    assert filled
    for entry in filled:
        others = [
            each
            for each in orders.values()
            if each["reason"] == Reason.ENTRY
            and each["side"] == -entry["side"]
            and each["created_bar"] < entry["closed_bar"] <= each["closed_bar"]
        ]
        assert all(each["status_reason"] == StatusReason.OCO for each in others), (entry, others)


@often
@given(st.integers(0, 2**32 - 1), st.sampled_from([OrderKind.STOP, OrderKind.LIMIT]), RULES)
def test_a_reversal_always_leaves_the_size_of_one_entry(seed: int, kind: OrderKind, protection: Any) -> None:
    rule = ExecutionRule(OnOpposite.REVERSE_AT_PRICE, entry=EntryRule(kind, Offset(percent=0.4), two_sided=True))
    ledger = simulate(random_job(seed, rule, protection), kernel=INTERPRETED)
    held = np.cumsum(ledger.fills["lots"] * ledger.fills["side"])
    assert set(np.abs(held).tolist()) <= {0, 10}
    reversals = ledger.orders[
        (ledger.orders["reason"] == Reason.REVERSAL) & (ledger.orders["status"] == OrderStatus.FILLED)
    ]
    assert set(reversals["lots"].tolist()) <= {20}
    closing = ledger.trades["exit_reason"] == Reason.REVERSAL
    # Without stops and targets, every position ends by the order of the other side.
    assert protection or closing.all()
