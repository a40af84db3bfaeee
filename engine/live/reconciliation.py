"""The comparison of a worker's log with its broker: at the start, after each reconnect, and every half minute.

1. Executions of the worker's orders that the log doesn't have are booked as reports. Orders that the log has at work,
   and the broker hasn't, are asked for.
2. Then positions are compared: what the broker has of a symbol is what all workers of the account hold, what other
   workers have traded and not booked yet, and what belongs to nobody, such as a trade made by hand, less what was taken
   as fees.
3. An order of the worker that works at the broker, and has ended in the log, doesn't agree either.
4. A difference counts when it is found twice in a row, some seconds apart: reports may be under way.

What is found is an input (`Reconciled`). Nothing is sent, adopted or closed because of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from quantcrafter.engine.api import BrokerConnection, TryAgainError, VenueExecution
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderError, OrderId
from quantcrafter.engine.api.order_state import OrderState
from quantcrafter.engine.api.orders import Filled
from quantcrafter.engine.live.account_book import AccountBook, signed
from quantcrafter.engine.live.account_view import AccountView, Asking, view_of
from quantcrafter.engine.live.core import StrategyCore
from quantcrafter.engine.live.inputs import LiveInput, Reconciled, Report

log = logging.getLogger("quantcrafter.live")

EVERY_S = 30.0
"""How often log and broker are compared."""

SETTLE_S = 2.0
"""How long a difference must last."""

OVERLAP_NS = 3_600_000_000_000
"""How far before the last comparison executions are asked for: clocks differ, and reports may be late."""

_AT_WORK = frozenset({OrderState.ACCEPTED, OrderState.PARTLY_FILLED})


class Reconciliation:
    """Compares one worker with its broker.

    Args:
        key: the worker's key.
        prefix: what ids of its orders begin with.
        connection: the broker.
        core: an open core.
        book: the account's book.
        was_filled: whether the log has an execution of an order.
        now_ns: the time that inputs have.
        clock: counts seconds.
    """

    def __init__(
        self,
        key: str,
        prefix: str,
        connection: BrokerConnection,
        core: StrategyCore,
        book: AccountBook,
        *,
        was_filled: Callable[[str, str], bool],
        now_ns: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key, self._prefix, self._connection, self._core, self._book = key, prefix, connection, core, book
        self._was_filled, self._now_ns, self._clock = was_filled, now_ns, clock
        self._next_s = -1.0
        self._reported: set[str] = set()
        self._asked = False
        self._asking: Asking | None = None
        self._doubts: tuple[str, ...] = ()

    def soon(self) -> None:
        """Compare with the next inputs."""
        self._next_s, self._asked, self._doubts, self._asking = -1.0, False, (), None

    def inputs(self, *, waits: bool = False) -> Iterator[LiveInput]:
        """Yield what the log lacks, and then what the comparison gave, if it is news.

        An account whose answers take long is asked in a thread, and compared when they are there, unless it `waits`.
        """
        if self._clock() < self._next_s or self._core.gate.broker == "lost":
            return
        try:
            view = self._view(waits=waits)
            if view is None:
                return
            reports = [] if self._asked else list(self._missing(view))
            if reports:
                self._asked = True
                yield from reports
                return
            found = self._compared(view)
        except TryAgainError as error:
            log.warning("Worker %s: the account can't be compared with the log now: %s", self._key, error)
            self._again_in(SETTLE_S)
            return
        if found is not None:
            yield found

    # ------------------------------------------------------------------ what the log lacks

    def _view(self, *, waits: bool) -> AccountView | None:
        """Return what the account is now; None if it is being asked.

        Raises:
            TryAgainError: it can't be asked now.
        """
        since_ns = max(0, self._book.compared_ns - OVERLAP_NS)
        if waits or not self._connection.is_slow:
            return view_of(self._connection, since_ns)
        if self._asking is None:
            self._asking = Asking(lambda: view_of(self._connection, since_ns))
            return None
        try:
            view = self._asking.answer()
        except Exception:
            self._asking = None
            raise
        if view is not None:
            self._asking = None
        return view

    def _missing(self, view: AccountView) -> Iterator[LiveInput]:
        """Yield executions that the log doesn't have, and what became of orders that don't work at the broker."""
        for each in view.executions:
            order = self._own(each.client_order_id)
            if order is None or each.id in self._reported or self._is_booked(order, each):
                continue
            filled = self._as_report(order, each)
            if filled is not None:
                self._reported.add(each.id)
                yield Report(filled, self._now_ns())
        working = {each.client_order_id for each in view.orders}
        for tracked in list(self._core.session.orders.values()):
            if tracked.state in _AT_WORK and str(tracked.order) not in working:
                yield from (Report(event, self._now_ns()) for event in self._connection.outcome(tracked.order))

    def _own(self, text: str) -> OrderId | None:
        try:
            order = OrderId.parse(text)
        except OrderError:
            return None
        return order if order.worker == self._prefix else None

    def _is_booked(self, order: OrderId, execution: VenueExecution) -> bool:
        tracked = self._core.session.orders.get(order.number)
        if tracked is not None and tracked.order == order:
            return any(each.execution == execution.id for each in tracked.fills)
        return self._was_filled(str(order), execution.id)

    def _as_report(self, order: OrderId, execution: VenueExecution) -> Filled | None:
        """Return an execution as the report that didn't come; None if it can't be one of the order."""
        tracked = self._core.session.orders.get(order.number)
        if tracked is None:
            return None
        lots = round(execution.quantity / tracked.submit.lot_size)
        if lots < 1:
            return None
        ts_ns = max(0, execution.ts_ns)
        return Filled(order, execution.id, lots, execution.price, ts_ns, execution.fee)

    # ------------------------------------------------------------------ the comparison

    def _compared(self, view: AccountView) -> Reconciled | None:
        """Return what the comparison gives if it is certain, and news."""
        now_ns = self._now_ns()
        doubts = tuple(map(str, self._differences(view)))
        if doubts and doubts != self._doubts:
            self._doubts = doubts
            self._again_in(SETTLE_S)
            return None
        self._doubts = doubts
        self._again_in(EVERY_S)
        self._book.note_compared(now_ns)
        gate = self._core.gate
        nobodys = {symbol: quantity for symbol, quantity in self._book.nobodys().items() if abs(quantity) > 0.0}
        if gate.agreed and not doubts and dict(gate.nobodys) == nobodys:
            return None
        if doubts and gate.disagreed == doubts and dict(gate.nobodys) == nobodys:
            return None
        return Reconciled(now_ns, doubts, nobodys)

    def _again_in(self, seconds: float) -> None:
        self._next_s, self._asked = self._clock() + seconds, False

    def _differences(self, view: AccountView) -> Iterator[Message]:
        """Yield what doesn't agree, a sentence each."""
        executions = view.executions
        self._book.note_fees(executions)
        workers = self._book.prefixes()
        uncounted = self._book.uncounted(executions)
        owners = {each.id: _owner(each.client_order_id) for each in uncounted}
        self._book.count_as_nobodys([each for each in uncounted if owners[each.id] not in workers])
        under_way = [each for each in uncounted if owners[each.id] in workers and owners[each.id] != self._prefix]
        own = [(each, self._own(each.client_order_id)) for each in uncounted if owners[each.id] == self._prefix]
        self._book.count([each for each, order in own if order is not None and self._is_booked(order, each)])
        for each, order in own:
            if order is None or not self._is_booked(order, each):
                yield Message(
                    "The execution {execution} of order {order} is not in the log.",
                    execution=each.id,
                    order=each.client_order_id,
                )
        yield from self._orders(view)
        yield from self._positions(view, under_way)

    def _orders(self, view: AccountView) -> Iterator[Message]:
        working = {each.client_order_id for each in view.orders}
        known = {str(each.order): each for each in self._core.session.orders.values()}
        for text in sorted(working):
            if self._own(text) is not None and (text not in known or known[text].state.is_over):
                yield Message("The order {order} works at the broker, and has ended in the log.", order=text)
        for text, tracked in known.items():
            if tracked.state in _AT_WORK and text not in working:
                yield Message("The order {order} works in the log, and not at the broker.", order=text)

    def _positions(self, view: AccountView, under_way: Sequence[VenueExecution]) -> Iterator[Message]:
        """Yield the symbols of the strategy of which the broker has another quantity than it should."""
        at_broker: dict[str, float] = {}
        for each in view.positions:
            at_broker[each.symbol] = at_broker.get(each.symbol, 0.0) + each.quantity
        nobodys = self._book.nobodys()
        for instrument, terms in zip(self._core.graph.instruments, self._core.session.terms, strict=True):
            symbol = instrument.spec.symbol
            ours = self._book.held(symbol) + sum(signed(each) for each in under_way if each.symbol == symbol)
            there = at_broker.get(symbol, 0.0) + self._book.fees(symbol)
            if symbol not in nobodys:
                self._book.begin(symbol, _rounded(there - ours, float(terms.value("lot_size"))))
            elif abs(there - ours - nobodys[symbol]) > float(terms.value("lot_size")) / 2:
                yield Message(
                    "The broker's position in {symbol} differs by {excess:+g} from what the workers and nobody hold.",
                    symbol=symbol,
                    excess=there - ours - nobodys[symbol],
                )


def _rounded(quantity: float, lot_size: float) -> float:
    """Return a quantity, 0 if it is less than half a lot."""
    return quantity if abs(quantity) > lot_size / 2 else 0.0


def _owner(text: str) -> str:
    """Return the worker's part of an order's id; '' if it is none of ours."""
    try:
        return OrderId.parse(text).worker
    except OrderError:
        return ""
