"""Decisions by components written in Python: called bar by bar, with their results checked and executed.

At the close of a step, after the account's guards, for each instrument whose bar closed, in file order:
1. trailing stops move, expired orders end;
2. risk managers are called, in the order in which they are connected;
3. the execution component is called for orders; or the built-in execution acts on the signals, for which the money
   manager is called if there is an entry signal. None is called before the first bar at which everything is complete.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.component import ExecutionLogic, MoneyManager, RiskManager
from quantcrafter.engine.api.context import StrategyContext
from quantcrafter.engine.api.decisions import CancelOrder, PlaceOrder, Protection
from quantcrafter.engine.api.engine import DecisionComponent, EngineJob
from quantcrafter.engine.api.errors import ComponentError, QuantCrafterError
from quantcrafter.engine.api.foreign import calling, is_own, is_plain, node_label, own_call, reason_of, settled, use_of
from quantcrafter.engine.api.frozen import LentColumns, OverwrittenError
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.node_state import Contents, WrittenError, copied_state, seal
from quantcrafter.engine.graph.bar_events import split_inputs
from quantcrafter.engine.simulation import python_decisions as actions
from quantcrafter.engine.simulation.closed_bar import ClosedBar
from quantcrafter.engine.simulation.decisions import ENTRIES
from quantcrafter.engine.simulation.kernel import decide_event
from quantcrafter.engine.simulation.orders import is_engaged
from quantcrafter.engine.simulation.portfolio_view import HoldingView
from quantcrafter.engine.simulation.primitives import is_price, to_quantity, whole_lots
from quantcrafter.engine.simulation.protection import is_for
from quantcrafter.engine.simulation.records import COMPONENT, WORKING_SLOTS
from quantcrafter.engine.simulation.state import SimulationState
from quantcrafter.engine.simulation.ticks import on_tick

MOST_ORDERS = 16
"""Maximum number of orders that an execution component may create at one bar of an instrument."""

_SIDES = {"buy": 1, "sell": -1}
_KINDS = {"market": OrderKind.MARKET, "limit": OrderKind.LIMIT, "stop": OrderKind.STOP}
_KINDS["stop_limit"] = OrderKind.STOP_LIMIT


States = Mapping[str, tuple[dict[str, Any], ...]]
"""The states of the decision components: by node, one for each instrument."""


class Deciders:
    """The decision components of a job with their own `on_bar`, for the state of a simulation."""

    def __init__(self, job: EngineJob, state: SimulationState) -> None:
        self._job = job
        self._state = state
        self._labels = {part.node: node_label(part.node, part.component) for part in job.components}
        self._view = HoldingView(job, state, self._size)
        self._contents = {part.node: Contents(part.component) for part in job.components}
        for part in job.components:
            seal(part.component)
        self._lent = {part.node: LentColumns() for part in job.components if not is_own(part.component)}
        self._contexts = {part.node: self._contexts_of(part) for part in job.components}
        self._risk = [part for part in job.components if isinstance(part.component, RiskManager)]
        self._money = {part.execution: part for part in job.components if isinstance(part.component, MoneyManager)}
        self._execution = next((part for part in job.components if isinstance(part.component, ExecutionLogic)), None)

    def decide(self, step: int, equity: float, events: list[tuple[int, int]]) -> None:
        """Make all decisions at the close of a step.

        Raises:
            ComponentError: a component raised an exception or returned an invalid result.
        """
        state = self._state
        self._view.equity = equity
        for i, bar in events:
            self._view.bars_now[i] = bar
        arrays = (state.portfolios, state.holdings, state.rules, state.market, state.timeline, state.steps)
        actions.begin_decisions(*arrays, step, equity)
        for i, bar in events:
            ready = bar >= state.holdings[i]["first_bar"]
            if self._execution is not None:
                actions.tend_event(state.portfolios, state.holdings, state.rules, state.market, i, bar)
            if ready:
                for part in self._risk:
                    self._protect(part, step, i, bar)
            if self._execution is None:
                self._decide_by_rule(i, bar, equity, ready=ready)
                continue
            if ready:
                self._execute(self._execution, i, bar)
            actions.end_event(state.portfolios, state.holdings, i, bar)

    def states(self) -> States:
        """Return a copy of the components' states, by node and instrument."""
        return {node: tuple(copied_state(ctx.state) for ctx in contexts) for node, contexts in self._contexts.items()}

    def restore(self, states: States) -> None:
        """Restore the components' states; a node that is not in `states` gets an empty state."""
        for node, contexts in self._contexts.items():
            kept = states.get(node, ())
            for i, ctx in enumerate(contexts):
                ctx.state = copied_state(kept[i]) if i < len(kept) else {}

    def check_inputs(self) -> None:
        """Check at the end of a run whether a component wrote to its inputs or to itself.

        Raises:
            ComponentError: one did.
        """
        for part in self._job.components:
            try:
                self._lent.get(part.node, LentColumns()).check()
                self._contents[part.node].check()
            except (OverwrittenError, WrittenError) as error:
                text = Message(
                    "{labels} failed in on_bar: {reason}.", labels=self._labels[part.node], reason=reason_of(error)
                )
                raise ComponentError(text, node=part.node) from error

    def rebind(self, bars: Mapping[str, ClosedBar]) -> None:
        """Make the inputs of the newest bars available to the components."""
        for i, instrument in enumerate(self._job.instruments):
            bar = bars.get(instrument.symbol)
            if bar is None or bar.history is None:
                continue
            self._view.show_history(i, bar.history)
            for part in self._job.components:
                if part.node in self._lent:
                    self._lent[part.node] = LentColumns()  # copies of the columns before are of no use
                self._bind(self._contexts[part.node][i], part, bar.inputs[part.node], bar.history)

    def _contexts_of(self, part: DecisionComponent) -> tuple[StrategyContext, ...]:
        contexts = []
        for instrument, inputs in zip(self._job.instruments, part.inputs, strict=True):
            ctx = StrategyContext(part.node)
            self._bind(ctx, part, inputs, instrument.seen)
            ctx.show(self._view)
            contexts.append(ctx)
        return tuple(contexts)

    def _bind(self, ctx: StrategyContext, part: DecisionComponent, inputs: Mapping[str, Any], bars: Bars) -> None:
        lent = self._lent.get(part.node)
        if lent is not None:
            bars, inputs = lent.value(bars), lent.value(inputs)
        ctx.bind(*split_inputs(inputs, bars))

    def _ask(self, part: DecisionComponent, i: int, bar: int) -> tuple[Any, StrategyContext]:
        ctx = self._contexts[part.node][i]
        ctx.index = self._view.row_of(i, bar)
        within = own_call()
        try:
            if within is not None:  # a call around the whole run costs less than one for each bar
                within.turn_to(self._labels[part.node], part.node)
                answer = part.component.on_bar(ctx)
            else:
                with calling(self._labels[part.node], Message("deciding"), part.component, part.node):
                    answer = part.component.on_bar(ctx)
            ctx.check_state()
        except BaseException as raised:
            error = settled(raised)
            if isinstance(error, QuantCrafterError) and is_plain(error):
                error.node = error.node or part.node
                raise error from error.__cause__
            raise self._failure(part, ctx, Message("failed in on_bar: {reason}", reason=reason_of(error))) from raised
        return answer, ctx

    def _failure(self, part: DecisionComponent, ctx: StrategyContext, detail: Message) -> ComponentError:
        what = Message(
            "Node '{node}' ({use}) {detail}, at {place}.",
            node=part.node,
            use=use_of(part.component),
            detail=detail,
            place=ctx.place(),
        )
        return ComponentError(Message("{what} Given: {given}.", what=what, given=ctx.given()), node=part.node)

    # ------------------------------------------------------------------ money

    def _decide_by_rule(self, i: int, bar: int, equity: float, *, ready: bool) -> None:
        state = self._state
        holding, terms = state.holdings[i], state.portfolio["executions"]
        row = holding["start"] + bar
        for e, part in self._money.items():
            free = holding["execution"] == e or not is_engaged(holding)
            if free and ready and state.market.signals[e, row] & ENTRIES:
                terms[e]["size_value"] = self._quantity(part, i, bar)
        decide_event(state.portfolios, state.holdings, state.rules, state.market, i, bar, equity)
        for e in self._money:
            terms[e]["size_value"] = 0.0

    def _quantity(self, part: DecisionComponent, i: int, bar: int) -> float:
        answer, ctx = self._ask(part, i, bar)
        number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
        if not number and not hasattr(answer, "dtype"):
            raise self._failure(part, ctx, Message("returned {answer} instead of a quantity", answer=repr(answer)))
        try:
            quantity = float(answer)
        except (TypeError, ValueError):
            raise self._failure(
                part, ctx, Message("returned {answer} instead of a quantity", answer=repr(answer))
            ) from None
        if not 0.0 <= quantity < math.inf:
            raise self._failure(
                part, ctx, Message("returned {quantity} instead of a quantity of 0 or more", quantity=quantity)
            )
        return quantity

    def _size(self, i: int, side: Literal["long", "short"]) -> float:
        """Return the money manager's quantity for an entry of instrument `i` at this close."""
        state, bar = self._state, self._view.bars_now[i]
        holding = state.holdings[i]
        money = self._money.get(int(holding["execution"]))
        if money is not None:
            return self._quantity(money, i, bar)
        sign = 1 if side == "long" else -1
        arrays = (state.portfolios, state.holdings, state.rules, state.market)
        lots, _ = actions.sized_lots(*arrays, i, bar, sign, self._view.equity)
        return float(to_quantity(lots, holding["lot_size"], holding["lot_inverse"]))

    # ------------------------------------------------------------------ risk

    def _protect(self, part: DecisionComponent, step: int, i: int, bar: int) -> None:
        answer, ctx = self._ask(part, i, bar)
        if answer is None:
            return
        if not isinstance(answer, Protection):
            raise self._failure(
                part, ctx, Message("returned {answer} instead of Protection or None", answer=repr(answer))
            )
        state = self._state
        holding = state.holdings[i]
        contract = float(holding["contract"])
        for name, price in (("stop", answer.stop), ("target", answer.target)):
            if price is not None and not _is_price(price, contract):
                detail = (
                    Message("returned {price} as {name} instead of a price", price=repr(price), name=name)
                    if contract
                    else Message("returned {price} as {name} instead of a price above 0", price=repr(price), name=name)
                )
                raise self._failure(part, ctx, detail)
        if answer.halt:
            actions.halt_trading(state.portfolios, state.holdings, step, part.rule, self._view.equity)
        if holding["lots"] == 0 or not is_for(state.rules[part.rule], holding):
            return
        if answer.stop is not None:
            actions.set_stop(state.portfolios, state.holdings, state.rules, i, bar, part.rule, float(answer.stop))
        if answer.target is not None:
            actions.set_target(state.portfolios, state.holdings, state.rules, i, bar, part.rule, float(answer.target))
        if answer.exit:
            actions.leave_position(state.portfolios, state.holdings, i, bar)

    # ------------------------------------------------------------------ execution

    def _execute(self, part: DecisionComponent, i: int, bar: int) -> None:
        answer, ctx = self._ask(part, i, bar)
        single = isinstance(answer, (PlaceOrder, CancelOrder))
        wishes = (answer,) if single else () if answer is None else answer
        if not isinstance(wishes, Iterable) or isinstance(wishes, (str, bytes)):
            raise self._failure(part, ctx, Message("returned {answer} instead of orders", answer=repr(answer)))
        listed = list(wishes)
        if len(listed) > MOST_ORDERS:
            raise self._failure(
                part,
                ctx,
                Message(
                    "returned {count} orders, of which {most} may be made at a bar", count=len(listed), most=MOST_ORDERS
                ),
            )
        for wish in listed:
            if isinstance(wish, CancelOrder):
                self._cancel(part, ctx, wish, i, bar)
            elif isinstance(wish, PlaceOrder):
                self._place(part, ctx, wish, i, bar)
            else:
                raise self._failure(
                    part, ctx, Message("returned {wish} instead of PlaceOrder or CancelOrder", wish=repr(wish))
                )

    def _cancel(self, part: DecisionComponent, ctx: StrategyContext, wish: CancelOrder, i: int, bar: int) -> None:
        state = self._state
        holding = state.holdings[i]
        own = [k for k in range(int(holding["working"])) if holding["slots"][k]["reason"] == COMPONENT]
        own = [k for k in own if holding["slots"][k]["rule"] < 0]
        if wish.number is not None:
            own = [k for k in own if holding["slots"][k]["id"] == wish.number]
            if not own:
                raise self._failure(
                    part,
                    ctx,
                    Message("cancels order {number}, which is not one of its open orders", number=wish.number),
                )
        for k in reversed(own):
            actions.cancel_order(state.portfolios, state.holdings, i, k, bar)

    def _place(self, part: DecisionComponent, ctx: StrategyContext, wish: PlaceOrder, i: int, bar: int) -> None:
        state = self._state
        holding = state.holdings[i]
        wrong = _what_is_wrong(wish, float(holding["contract"]))
        side, held = _SIDES.get(wish.side, 0), int(holding["lots"])
        if not wrong and wish.only_close and held * side >= 0:
            wrong = Message("there is nothing for it to close")
        if not wrong and holding["working"] >= WORKING_SLOTS - MOST_ORDERS:
            wrong = Message("there are {count} open orders, which is the maximum", count=holding["working"])
        if wrong:
            raise self._failure(part, ctx, Message("returned {wish}: {wrong}", wish=wish, wrong=wrong))
        lots = whole_lots(float(wish.quantity), holding["lot_size"], holding["lot_inverse"])
        opens = not wish.only_close and (held * side >= 0 or lots > abs(held))
        if opens and actions.is_held_back(state.portfolios, state.holdings, state.market, i, bar, side):
            return
        if lots == 0:
            actions.note_no_size(state.portfolios, state.holdings, i, bar, side)
            return
        k = actions.make_order(state.portfolios, state.holdings, i, bar, int(_KINDS[wish.kind]), side, lots)
        holding["opens"][k] = not wish.only_close
        for name, price in (("price", wish.price), ("limit", wish.limit)):
            if price is not None:
                holding["slots"][k][name] = on_tick(holding, float(price), 1.0)
        if wish.bars is not None:
            holding["slots"][k]["expires"] = bar + wish.bars


def _is_price(value: Any, contract: float) -> bool:
    return isinstance(value, (int, float)) and bool(is_price(float(value), contract))


def _what_is_wrong(wish: PlaceOrder, contract: float) -> str:
    """Return why an order cannot be executed, or nothing; prices of a contract may be below zero."""
    if wish.side not in _SIDES or wish.kind not in _KINDS:
        return Message("the side is buy or sell, the kind market, limit, stop or stop_limit")
    if not isinstance(wish.quantity, (int, float)) or not 0.0 <= wish.quantity < math.inf:
        return Message("the quantity must be a number of 0 or more")
    if (wish.kind != "market") != (wish.price is not None) or (wish.kind == "stop_limit") != (wish.limit is not None):
        return Message("a limit or stop order has a price, a stop_limit a price and a limit, a market order neither")
    if any(price is not None and not _is_price(price, contract) for price in (wish.price, wish.limit)):
        return Message("prices must be finite") if contract else Message("prices must be above 0")
    if wish.bars is not None and not (isinstance(wish.bars, int) and wish.bars >= 1):
        return Message("bars must be a whole number of 1 or more")
    return ""
