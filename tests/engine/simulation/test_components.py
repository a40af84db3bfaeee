"""Decision components written in Python: what they see, what they may answer, and what stops the run."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    CancelOrder,
    ComponentError,
    DecisionComponent,
    ExecutionLogic,
    MoneyManager,
    OnOpposite,
    PlaceOrder,
    Protection,
    ProtectiveKind,
    ProtectiveRule,
    RiskManager,
    Signals,
    SizeKind,
    SizeRule,
    StrategyContext,
)
from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import BlockReason, Ledger, OrderKind, OrderStatus, Reason, StatusReason
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.session import SimulationSession
from tests.support.counts import sample
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_money_is_conserved, assert_same_bits
from tests.support.random_jobs import random_bars

CALM = [[100, 101, 99, 100]] * 4
BY_COMPONENT = ProtectiveRule(ProtectiveKind.COMPONENT)
Answer = Callable[[StrategyContext], Any]


def execution(answer: Answer) -> type[ExecutionLogic]:
    """Return an execution component that answers so."""

    class Hand(ExecutionLogic):
        """Answers."""

        name = "hand"

        def on_bar(self, ctx: StrategyContext) -> Any:
            return answer(ctx)

    return Hand


def risk(answer: Answer) -> type[RiskManager]:
    """Return a risk manager that answers so."""

    class Guard(RiskManager):
        """Answers."""

        name = "guard"

        def on_bar(self, ctx: StrategyContext) -> Any:
            return answer(ctx)

    return Guard


def money(answer: Answer) -> type[MoneyManager]:
    """Return a money manager that answers so."""

    class Size(MoneyManager):
        """Answers."""

        name = "size"

        def on_bar(self, ctx: StrategyContext) -> Any:
            return answer(ctx)

    return Size


def job_with(
    component: type[Any], rows: Any = CALM, flags: Any = None, *, inputs: dict[str, Any] | None = None, **terms: Any
) -> EngineJob:
    """Return a job of one instrument in which that component takes part."""
    own_rule = issubclass(component, RiskManager)
    protection = terms.pop("protection", ()) + ((BY_COMPONENT,) if own_rule else ())
    part = DecisionComponent("node", component(), (inputs or {},), len(protection) - 1 if own_rule else -1)
    setup = Setup(flags or {}, rule_columns=(None,) * len(protection), tick_size=0.01)
    return make_job((make_bars(rows), setup), protection=protection, components=(part,), **terms)


def fills(ledger: Ledger) -> list[tuple[int, int, float, str]]:
    return [
        (int(f["bar"]), int(f["side"] * f["lots"]), float(f["price"]), Reason(f["reason"]).name.lower())
        for f in ledger.fills
    ]


def at(bar: int, wish: Any) -> Answer:
    return lambda ctx: wish if ctx.index == bar else None


# ---------------------------------------------------------------------- what they do


def test_an_execution_component_places_orders_of_every_kind() -> None:
    wishes = {
        0: PlaceOrder("buy", 10),
        1: [PlaceOrder("sell", 4, "limit", price=102.004), PlaceOrder("sell", 6, "stop", price=98, only_close=True)],
        3: PlaceOrder("buy", 5, "stop_limit", price=101, limit=101.5, bars=1),
    }
    rows = [[100, 101, 99, 100], [100, 101, 99, 100], [101, 102, 100, 101], [99, 100, 97, 98], [100, 102, 99, 101]]
    ledger = simulate_stepwise(job_with(execution(lambda ctx: wishes.get(ctx.index)), rows))
    assert fills(ledger) == [
        (1, 10, 100.0, "component"),
        (2, -4, 102.0, "component"),
        (3, -6, 98.0, "component"),
        (4, 5, 101.0, "component"),
    ]
    assert [OrderKind(o["kind"]).name for o in ledger.orders] == ["MARKET", "LIMIT", "STOP", "STOP_LIMIT"]
    assert ledger.orders[3]["expires"] == 4


def test_a_component_is_told_what_a_point_of_a_contract_is_worth() -> None:
    asked = []

    def size(ctx: StrategyContext) -> float:
        asked.append(ctx.risk["point_value"])
        return ctx.portfolio.equity / 100.0 / (ctx.risk["stop_distance"] * ctx.risk["point_value"])

    stop = (ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=2.0),)
    job = job_with(money(size), flags={0: ENTER_LONG}, protection=stop, settings={"cash": 100_000.0})
    rates = np.full(4, 2.0)
    contract = replace(job.instruments[0], kind="contract", multiplier=25.0, rate_open=rates, rate_close=rates.copy())
    job = replace(job, instruments=(contract,))
    ledger = simulate_stepwise(job)
    assert asked == [50.0]
    assert ledger.fills["lots"].tolist() == [10]


def test_prices_of_a_component_may_lie_below_zero_for_a_contract() -> None:
    rows = [[1, 1, 1, 1], [1, 1, -3, -2], [-2, -2, -9, -8], [-8, -8, -8, -8]]
    wishes = {0: PlaceOrder("buy", 10, "limit", price=-2.5), 1: PlaceOrder("sell", 10, "stop", price=-5)}
    job = job_with(execution(lambda ctx: wishes.get(ctx.index)), rows)
    job = replace(job, instruments=(replace(job.instruments[0], kind="contract"),))
    ledger = simulate_stepwise(job)
    assert fills(ledger) == [(1, 10, -2.5, "component"), (2, -10, -5.0, "component")]
    assert ledger.cash[-1] == pytest.approx(job.settings.cash - 25.0)
    protected = job_with(risk(at(1, Protection(stop=-5.0))), rows, {0: ENTER_LONG})
    protected = replace(protected, instruments=(replace(protected.instruments[0], kind="contract"),))
    assert simulate_stepwise(protected).trades["exit_price"].tolist() == [-5.0]
    with pytest.raises(ComponentError, match="instead of a price above 0"):
        simulate_stepwise(job_with(risk(at(1, Protection(stop=-5.0)))))


def test_an_order_against_the_position_closes_it_and_opens_the_rest_on_the_other_side() -> None:
    wishes = {0: PlaceOrder("buy", 10), 1: PlaceOrder("sell", 25)}
    job = job_with(execution(lambda ctx: wishes.get(ctx.index)))
    ledger = simulate_stepwise(job)
    assert fills(ledger) == [(1, 10, 100.0, "component"), (2, -10, 100.0, "component"), (2, -15, 100.0, "component")]
    assert [position.lots for position in ledger.open_positions] == [-15]
    assert_money_is_conserved(job, ledger)


def test_a_component_sees_its_orders_and_takes_them_back() -> None:
    seen: list[Any] = []

    def answer(ctx: StrategyContext) -> Any:
        seen.append([(order.number, order.side, order.kind, order.price) for order in ctx.orders])
        return {0: PlaceOrder("buy", 1, "limit", price=90), 1: CancelOrder(0)}.get(ctx.index)

    ledger = simulate_stepwise(job_with(execution(answer)))
    assert seen == [[], [(0, "buy", "limit", 90.0)], [], []]
    assert StatusReason(ledger.orders[0]["status_reason"]) is StatusReason.COMPONENT
    assert OrderStatus(ledger.orders[0]["status"]) is OrderStatus.CANCELLED


def test_filters_hold_back_what_would_open_and_let_pass_what_closes() -> None:
    wishes = {0: PlaceOrder("buy", 10), 1: PlaceOrder("sell", 10), 2: PlaceOrder("buy", 10)}
    job = job_with(execution(lambda ctx: wishes.get(ctx.index)))
    job.instruments[0].allowed[1:] = False
    ledger = simulate_stepwise(job)
    assert fills(ledger) == [(1, 10, 100.0, "component"), (2, -10, 100.0, "component")]
    assert [(int(b["bar"]), BlockReason(b["reason"])) for b in ledger.blocked] == [(2, BlockReason.FILTER)]


def test_no_component_is_asked_before_everything_is_complete() -> None:
    asked: list[int] = []
    job = job_with(execution(lambda ctx: asked.append(ctx.index)))
    job = replace(job, instruments=(replace(job.instruments[0], first_bar=2),))
    simulate_stepwise(job)
    assert asked == [2, 3]


def test_a_money_manager_is_asked_for_the_size_of_a_signal() -> None:
    asked: list[tuple[int, float, float]] = []

    def answer(ctx: StrategyContext) -> float:
        asked.append((ctx.index, ctx.portfolio.equity, ctx.risk["stop_distance"]))
        return 7.9

    stop = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=5)
    ledger = simulate_stepwise(job_with(money(answer), flags={1: ENTER_LONG}, protection=(stop,)))
    assert asked == [(1, 100_000.0, 5.0)]
    assert fills(ledger) == [(2, 7, 100.0, "entry")]


def test_a_risk_manager_moves_the_stop_nearer_and_never_away() -> None:
    rows = [[100, 101, 99, 100], [100, 104, 99, 103], [103, 104, 102, 103], [103, 104, 96, 97]]
    levels = {1: 97.0, 2: 95.0}
    guard = risk(lambda ctx: Protection(stop=levels[ctx.index]) if ctx.index in levels else None)
    wide = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=10)
    ledger = simulate_stepwise(job_with(guard, rows, {0: ENTER_LONG}, protection=(wide,)))
    assert fills(ledger) == [(1, 1, 100.0, "entry"), (3, -1, 97.0, "component")]
    assert ledger.orders[1]["rule"] == 1
    assert len(ledger.interventions) == 1


def test_a_risk_manager_sets_a_target_leaves_and_halts() -> None:
    target = simulate_stepwise(job_with(risk(at(1, Protection(target=100.5))), CALM, {0: ENTER_LONG}))
    assert fills(target) == [(1, 1, 100.0, "entry"), (2, -1, 100.5, "component")]
    left = simulate_stepwise(job_with(risk(at(1, Protection(exit=True))), CALM, {0: ENTER_LONG}))
    assert fills(left) == [(1, 1, 100.0, "entry"), (2, -1, 100.0, "component")]
    halted = simulate_stepwise(job_with(risk(at(0, Protection(halt=True))), CALM, {1: ENTER_LONG}))
    assert len(halted.fills) == 0
    assert [BlockReason(b["reason"]).name for b in halted.blocked] == ["HALT"]


def test_a_component_sees_what_a_trader_would() -> None:
    seen: dict[str, Any] = {}

    def answer(ctx: StrategyContext) -> Any:
        if ctx.index == 1:
            held, day = ctx.positions["TEST"], ctx.calendar
            seen.update(held=(held.side, held.quantity, held.entry_price, held.entry_bar), cash=ctx.portfolio.cash)
            seen.update(day=(day.day, day.minute, day.timezone), size=ctx.size("long"), fast=ctx.indicators.fast.now)
            seen.update(flags=int(ctx.signals.cross.now), closes=len(ctx.market.close))
        return PlaceOrder("buy", 3) if ctx.index == 0 else None

    inputs = {"fast": np.arange(4.0), "cross": Signals(np.array([0, 5, 0, 0], np.uint8))}
    simulate_stepwise(job_with(execution(answer), inputs=inputs, size=SizeRule(SizeKind.CASH, 950)))
    assert seen == {
        "held": ("long", 3.0, 100.0, 1),
        "cash": 99_700.0,
        "day": (1, 0, "UTC"),
        "size": 9.0,
        "fast": 1.0,
        "flags": 5,
        "closes": 2,
    }


# ---------------------------------------------------------------------- the same books as the compiled driver


def like_market(ctx: StrategyContext) -> list[PlaceOrder]:
    """Trade signals as the component `market` does with `on_opposite: reverse`."""
    flags = int(ctx.signals.signal.now)
    held = ctx.positions[ctx.market.symbol]
    wanted = flags & (ENTER_LONG | ENTER_SHORT)
    clash = wanted == ENTER_LONG | ENTER_SHORT or flags & 3 == 3 or flags & 12 == 12
    side = "long" if wanted == ENTER_LONG else "short"
    leaving = (held.side == "long" and flags & EXIT_LONG) or (held.side == "short" and flags & EXIT_SHORT)
    enters = wanted != 0 and not clash and held.side != side
    orders = []
    if held.side != "flat" and (leaving or enters):
        orders.append(PlaceOrder("sell" if held.side == "long" else "buy", held.quantity, only_close=True))
    if enters and (size := ctx.size("long")) > 0:
        orders.append(PlaceOrder("buy" if side == "long" else "sell", size))
    return orders


@settings(max_examples=sample(60, of=2_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1), st.sampled_from(["reduce", "reject"]), st.sampled_from([0.0, 0.1]))
def test_a_component_that_trades_like_market_has_the_books_of_market(seed: int, short_of: str, percent: float) -> None:
    bars = random_bars(seed, "TEST", np.arange(40))
    rng = np.random.default_rng(seed)
    flags = np.where(rng.random(40) < 0.4, rng.integers(0, 16, 40), 0).astype(np.uint8)
    terms: dict[str, Any] = {
        "size": SizeRule(SizeKind.EQUITY_PERCENT, 70.0),
        "settings": {"cash": 5_000.0, "commission": {"percent": percent}, "insufficient_cash": short_of},
    }
    setup = Setup(list(flags))
    compiled = simulate(make_job((bars, setup), on_opposite=OnOpposite.REVERSE, **terms))
    part = DecisionComponent("hand", execution(like_market)(), ({"signal": Signals(flags)},))
    job = make_job((bars, setup), components=(part,), **terms)
    stepped = simulate_stepwise(job)
    assert stepped.equity.tobytes() == compiled.equity.tobytes()
    assert stepped.fills["price"].tolist() == compiled.fills["price"].tolist()
    assert stepped.fills["lots"].tolist() == compiled.fills["lots"].tolist()
    assert_money_is_conserved(job, stepped)


def test_a_restored_snapshot_asks_the_components_again() -> None:
    job = job_with(execution(lambda ctx: PlaceOrder("buy", ctx.index + 1)))
    session = SimulationSession(job)
    session.step()
    snapshot = session.snapshot()
    while not session.done:
        session.step()
    whole = session.ledger()
    session.restore(snapshot)
    while not session.done:
        session.step()
    assert_same_bits(session.ledger(), whole)


# ---------------------------------------------------------------------- what stops the run

PLACE = r"at bar 1 of TEST \(1970-01-03 00:00:00 UTC\)\. Given: close 100, fast 1, position flat 0, equity 100000\.00\."


@pytest.mark.parametrize(
    ("make", "answer", "message"),
    [
        (execution, lambda _: 1 / 0, "failed in on_bar: ZeroDivisionError: division by zero"),
        (execution, lambda ctx: ctx.market.close[2], "bar 2 is not known yet: the bar that just closed is 1"),
        (execution, lambda _: "buy", "returned 'buy' instead of orders"),
        (execution, lambda _: 3.0, "returned 3.0 instead of orders"),
        (execution, lambda _: [None], "returned None instead of PlaceOrder or CancelOrder"),
        (execution, lambda _: PlaceOrder("buy", math.nan), "the quantity must be a number of 0 or more"),
        (execution, lambda _: PlaceOrder("buy", 1, "limit"), "a limit or stop order has a price"),
        (execution, lambda _: PlaceOrder("buy", 1, "limit", price=math.nan), "prices must be above 0"),
        (execution, lambda _: PlaceOrder("buy", 1, "stop", price=-1), "prices must be above 0"),
        (execution, lambda _: PlaceOrder("buy", 1, bars=0), "bars must be a whole number of 1 or more"),
        (execution, lambda _: PlaceOrder(cast("Any", "up"), 1), "the side is buy or sell"),
        (execution, lambda _: PlaceOrder("sell", 1, only_close=True), "there is nothing for it to close"),
        (execution, lambda _: CancelOrder(7), "cancels order 7, which is not one of its open orders"),
        (execution, lambda _: [PlaceOrder("buy", 1)] * 17, "returned 17 orders, of which 16 may be made"),
        (risk, lambda _: 95.0, "returned 95.0 instead of Protection or None"),
        (risk, lambda _: Protection(stop=math.nan), "returned nan as stop instead of a price above 0"),
        (money, lambda _: math.nan, "returned nan instead of a quantity of 0 or more"),
        (money, lambda _: None, "returned None instead of a quantity"),
        (money, lambda _: np.ones(3), "instead of a quantity"),
        (money, lambda _: -1, "returned -1.0 instead of a quantity of 0 or more"),
    ],
)
def test_a_wrong_answer_stops_the_run_with_name_bar_and_what_was_given(
    make: Callable[[Answer], type[Any]], answer: Answer, message: str
) -> None:
    component = make(lambda ctx: answer(ctx) if ctx.index == 1 else None)
    job = job_with(component, flags={1: ENTER_LONG}, inputs={"fast": np.arange(4.0)})
    with pytest.raises(ComponentError) as caught:
        simulate_stepwise(job)
    text = str(caught.value)
    assert text.startswith("Node 'node' (")
    assert message in text
    assert caught.value.node == "node"
    assert re.search(PLACE, text), text


def test_a_component_that_overwrites_what_it_is_shown_fails_and_harms_nobody() -> None:
    def overwrite(ctx: StrategyContext) -> float:
        column: Any = ctx.market.close[:]
        while isinstance(column.base, np.ndarray):
            column = column.base
        column.flags.writeable = True
        column[:] = 1.0
        return 1.0

    job = job_with(money(overwrite), CALM, {1: ENTER_LONG})
    before = job.instruments[0].bars.close.copy()
    with pytest.raises(ComponentError, match="it writes into its input, which is read-only"):
        simulate_stepwise(job)
    assert np.array_equal(job.instruments[0].bars.close, before)
