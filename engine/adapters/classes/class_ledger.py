"""A ledger of another engine's fills, updated by the simulation's own functions.

1. Quantities become whole lots: of one unit where all are whole, else of a hundred-millionth.
2. Steps without a fill are run by the bar loop. At a step with fills, each is booked between open and close: cash,
   costs, position and trades are calculated as in any run.
3. Orders come from the other engine; open orders are cancelled when the data ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import ClassInstrument, ClassJob, ClassRun, EngineJob, Execution, InstrumentJob
from quantcrafter.engine.api.errors import RunCancelledError, RunError
from quantcrafter.engine.api.ledger import ORDER_DTYPE, Ledger, OrderKind, OrderStatus, Reason, StatusReason
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.rules import ExecutionRule, SizeKind, SizeRule
from quantcrafter.engine.api.settings import RunSettings
from quantcrafter.engine.simulation.fills import apply_fill
from quantcrafter.engine.simulation.kernel import has_room_for, open_step, settle
from quantcrafter.engine.simulation.orders import add_order, drop_slot, slot_of
from quantcrafter.engine.simulation.primitives import commission_of, whole_inverse
from quantcrafter.engine.simulation.records import UP_TO_CLOSE, WORKING_SLOTS
from quantcrafter.engine.simulation.state import SimulationState

FINEST_LOT = 1e-8
MOST_LOTS = 1 << 53
TABLE_ROWS = 2_048
ROOM = 8 * WORKING_SLOTS
"""Rows that are left free in each table for what a step may write at its close."""

CHUNK_STEPS = 5_000
"""How many steps the bar loop runs between two looks at `cancelled`."""


@dataclass(frozen=True, slots=True)
class ClassFill:
    """One execution as reported by the other engine; `bar` counts the instrument's own bars, `side` is +1 or -1."""

    order: int
    instrument: int
    bar: int
    side: int
    quantity: float
    price: float
    kind: OrderKind


@dataclass(frozen=True, slots=True)
class ClassOrder:
    """One order as it ended; `closed_bar` is -1 while it works. Orders are listed by id, from 0 on."""

    instrument: int
    created_bar: int
    closed_bar: int
    side: int
    quantity: float
    price: float
    kind: OrderKind
    status: OrderStatus
    status_reason: StatusReason = StatusReason.NONE


def usual_charge(settings: RunSettings, quantity: float, price: float, lot_size: float) -> float:
    """Return what the other engine's own account is charged for an order: that of one that is no limit order."""
    terms = settings.commission
    fixed = terms.per_order + terms.per_lot * quantity / lot_size
    return commission_of(quantity * price, quantity, terms.percent, terms.per_unit, fixed, terms.minimum)


def keep_books(job: ClassJob, fills: Sequence[ClassFill], orders: Sequence[ClassOrder]) -> ClassRun:
    """Return the ledger of a strategy class; the fills of each bar are in the order in which they happened.

    Raises:
        RunError: there is a commission for each lot, and a quantity is no whole number of lots; or one is too large.
        RunCancelledError: `job.cancelled()` returned True.
    """
    instruments = job.instruments
    traded: list[ClassFill | ClassOrder] = [*orders, *fills]
    for each in traded:
        _check_quantity(instruments[each.instrument], each.quantity, instruments[each.instrument].lot_size)
    lots = tuple(_lot_size(job, index, fills, orders) for index in range(len(instruments)))
    for each in traded:
        _check_quantity(instruments[each.instrument], each.quantity, lots[each.instrument])
    holdings = _Books(job, orders, lots)
    with np.errstate(all="ignore"):
        holdings.book_all(fills)
    return ClassRun(holdings.ledger(), lots)


def _lot_size(job: ClassJob, index: int, fills: Sequence[ClassFill], orders: Sequence[ClassOrder]) -> float:
    """Return the lots in which an instrument was traded: those that it has where commission depends on them."""
    traded: list[ClassFill | ClassOrder] = [*fills, *orders]
    quantities = [each.quantity for each in traded if each.instrument == index]
    if job.settings.commission.per_lot > 0.0:
        instrument = job.instruments[index]
        for quantity in quantities:
            if abs(quantity / instrument.lot_size - round(quantity / instrument.lot_size)) > FINEST_LOT:
                raise RunError(
                    Message(
                        "'per_lot' needs whole lots, and the class traded {quantity:g} of {symbol}, whose lot "
                        "is {lot_size:g}. Set 'lot_size', or give 'per_unit' instead.",
                        quantity=quantity,
                        symbol=instrument.symbol,
                        lot_size=instrument.lot_size,
                    )
                )
        return instrument.lot_size
    return 1.0 if all(float(quantity).is_integer() for quantity in quantities) else FINEST_LOT


def _check_quantity(instrument: ClassInstrument, quantity: float, lot_size: float) -> None:
    """Refuse a quantity that can't be counted in lots.

    Raises:
        RunError: it is too large, or no number.
    """
    if not math.isfinite(quantity) or quantity / lot_size > MOST_LOTS:
        raise RunError(
            Message(
                "A quantity of {symbol} must be at most {most:g} ({lots:,} lots of {lot_size:g}), and the class "
                "ordered {quantity:g}. Check how the class computes the volumes of its orders.",
                symbol=instrument.symbol,
                most=MOST_LOTS * lot_size,
                lots=MOST_LOTS,
                lot_size=lot_size,
                quantity=quantity,
            )
        )


def _whole(quantity: float, lot_size: float) -> int:
    inverse = whole_inverse(lot_size)
    return round(quantity * inverse if inverse > 0.0 else quantity / lot_size)


def _engine_job(job: ClassJob, lots: Sequence[float]) -> EngineJob:
    """Return a job that decides nothing, on the same bars and by the same terms."""
    instruments = tuple(_idle(each, lot_size) for each, lot_size in zip(job.instruments, lots, strict=True))
    execution = Execution(ExecutionRule(), SizeRule(SizeKind.QUANTITY, 1.0))
    return EngineJob(instruments, (execution,), (), job.settings)


def _idle(instrument: ClassInstrument, lot_size: float) -> InstrumentJob:
    bars = instrument.bars
    flags, allowed = np.zeros(len(bars), np.uint8), np.ones(len(bars), np.bool_)
    return InstrumentJob(instrument.symbol, bars, instrument.tick_size, lot_size, flags, allowed, 0)


class _Books:
    """The state of a simulation, and what is known of each order."""

    def __init__(self, job: ClassJob, orders: Sequence[ClassOrder], lots: Sequence[float]) -> None:
        self._job = job
        self._orders = orders
        self._lots = lots
        self._state = SimulationState.of(_engine_job(job, lots), TABLE_ROWS)
        self._state.portfolio["next_order"] = len(orders)
        count = len(orders)
        self._filled = [0] * count
        self._price = [math.nan] * count
        self._reason = [Reason.ENTRY] * count
        # What the parts of an order that has filled so far were worth, and were charged.
        self._parts = [(0.0, 0.0)] * count

    def book_all(self, fills: Sequence[ClassFill]) -> None:
        """Run all steps, and book the fills at theirs."""
        done = 0
        in_time = sorted(fills, key=self._step_of)
        for step, together in groupby(in_time, key=self._step_of):
            self._run(done, step)
            self._begin(step)
            for fill in together:
                self._holding(fill)
            state = self._state
            settle(state.portfolios, state.holdings, state.market, state.timeline, state.curve, step)
            done = step + 1
        self._run(done, len(self._state.ts_ns))

    def _step_of(self, fill: ClassFill) -> int:
        closes = self._job.instruments[fill.instrument].bars.close_ns
        return int(np.searchsorted(self._state.ts_ns, closes[fill.bar]))

    def _run(self, start: int, stop: int) -> None:
        """Run steps at which nothing fills."""
        state = self._state
        while start < stop:
            if self._job.cancelled():
                raise RunCancelledError(Message("The run was cancelled."))
            target = min(start + CHUNK_STEPS, stop)
            start = state.kernel(*state.arrays(), start, target, UP_TO_CLOSE)
            if start < target:
                state.harvest()

    def _begin(self, step: int) -> None:
        """Begin a step as the bar loop does, with every instrument of it awake."""
        state = self._state
        if not has_room_for(state.portfolios, state.holdings, state.timeline, step):
            state.harvest()
        for i, bar in state.events(step):
            state.holdings[i]["bar"], state.holdings[i]["awake"] = bar, 1
        open_step(state.portfolios, state.holdings, state.market, state.timeline, step)

    def _holding(self, fill: ClassFill) -> None:
        """Book one fill: for as long as that takes its order has a slot, as one that may open a position."""
        state, number = self._state, fill.order
        portfolio, holding = state.portfolio, state.holdings[fill.instrument]
        if max(portfolio["fills"], portfolio["orders"], portfolio["parts"]) + ROOM > portfolio["capacity"]:
            state.harvest()
        lot_size = self._lots[fill.instrument]
        lots, ordered = _whole(fill.quantity, lot_size), _whole(self._orders[number].quantity, lot_size)
        self._reason[number] = Reason.ENTRY if holding["lots"] * fill.side >= 0 else Reason.SIGNAL
        k = add_order(portfolio, holding, fill.bar, int(fill.kind), fill.side, ordered, int(self._reason[number]))
        portfolio["next_order"] -= 1
        holding["slots"][k]["id"], holding["slots"][k]["filled"] = number, self._filled[number]
        holding["opens"][k] = 1
        holding["value"][k], holding["charged"][k] = self._parts[number]
        if fill.kind != OrderKind.MARKET and fill.price != self._job.instruments[fill.instrument].bars.open[fill.bar]:
            # Which way the price went is not told: of the rest of the bar the close alone counts.
            holding["inside_bar"], holding["inside_way"] = fill.bar, 0
        apply_fill(
            *(portfolio, state.holdings, state.rules, state.market, fill.instrument, k, fill.bar),
            *(lots, fill.price, math.nan),
        )
        self._filled[number] += lots
        self._price[number] = fill.price
        k = slot_of(holding, number)
        if k >= 0:
            self._parts[number] = float(holding["value"][k]), float(holding["charged"][k])
            drop_slot(portfolio, holding, k)

    def ledger(self) -> Ledger:
        """Return the ledger, with the orders of the other engine, and those that closed positions at the end."""
        state, count = self._state, len(self._orders)
        state.harvest()
        for page in state.pages:
            page["orders"] = page["orders"][page["orders"].view(ORDER_DTYPE)["id"] >= count]
        ledger = state.ledger()
        return replace(ledger, orders=np.concatenate([self._order_table(), ledger.orders]))

    def _order_table(self) -> npt.NDArray[Any]:
        table = np.zeros(len(self._orders), ORDER_DTYPE)
        for name in ("parent", "rule", "expires", "touched_bar", "level"):
            table[name] = -1
        table["limit"] = math.nan
        for index, (row, order) in enumerate(zip(table, self._orders, strict=True)):
            made = order
            if order.status is OrderStatus.WORKING:
                last, reason = len(self._job.instruments[order.instrument].bars) - 1, StatusReason.END_OF_DATA
                made = replace(order, status=OrderStatus.CANCELLED, status_reason=reason, closed_bar=last)
            row["id"], row["instrument"], row["side"] = index, made.instrument, made.side
            row["created_bar"], row["closed_bar"] = made.created_bar, made.closed_bar
            row["lots"], row["price"] = _whole(made.quantity, self._lots[made.instrument]), made.price
            row["filled"], row["fill_price"] = self._filled[index], self._price[index]
            row["kind"], row["status"], row["status_reason"] = made.kind, made.status, made.status_reason
            row["reason"] = self._reason[index]
        return table
