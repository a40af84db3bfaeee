"""The orders of a session at an external broker: commands to it, and its reports.

1. `commands` compares the open orders with those sent before, and returns the commands for the broker.
2. `apply` processes its reports. Each order is tracked with the table in `engine.api.order_state`: late and repeated
   reports have no effect, impossible ones are rejected. Fills are booked as reported, without checks.
3. The broker's own actions are applied: an order that it ended is removed, and if it rejected an amend or a cancel, it
   is repeated later.
4. A protective order that it ended, or didn't change, is still wanted: it gets another number, and is sent again
   (`engine.simulation.placing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quantcrafter.engine.api.ledger import ORDER_DTYPE, OrderStatus, StatusReason
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderError
from quantcrafter.engine.api.order_state import OrderState, TrackedOrder, order_fields, order_from_fields
from quantcrafter.engine.api.orders import (
    Amend,
    AmendRejected,
    CancelRejected,
    Filled,
    OrderCommand,
    OrderEvent,
    Submit,
    checked,
)
from quantcrafter.engine.simulation.late import book_report, row_of
from quantcrafter.engine.simulation.matcher import WorkingOrder
from quantcrafter.engine.simulation.order_commands import SentOrders, working_terms
from quantcrafter.engine.simulation.orders import is_leaving, retire, slot_of
from quantcrafter.engine.simulation.placing import AT_CLOSE, FIRST_NS, Placing, is_at_work, protects, working_lots
from quantcrafter.engine.simulation.records import Record, Table
from quantcrafter.engine.simulation.state import SimulationState

KEPT_ORDERS = 200
"""Number of ended orders that are remembered for late fills."""

_ENDS = {
    OrderState.REJECTED: (OrderStatus.REJECTED, StatusReason.NONE),
    OrderState.DENIED: (OrderStatus.REJECTED, StatusReason.NONE),
    OrderState.CANCELLED: (OrderStatus.CANCELLED, StatusReason.NONE),
    OrderState.EXPIRED: (OrderStatus.CANCELLED, StatusReason.EXPIRED),
}


@dataclass(frozen=True, slots=True)
class Missed:
    """A protective order that the broker ended though it is wanted: it goes on under the number `again`.

    `count` says how often it has ended so.
    """

    order: TrackedOrder
    again: int
    count: int


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A protective order that is wanted, and that the broker has refused `count` times and not accepted yet.

    `is_covered` says whether earlier stops at the broker are for as many lots.
    """

    symbol: str
    number: int
    is_stop: bool
    count: int
    is_covered: bool


class NoVenue:
    """Fills nothing: the broker reports fills."""

    def match(self, order: WorkingOrder) -> float | None:  # noqa: ARG002 - a matcher's
        """Return None."""
        return None


class Outside:
    """A broker's view of a session's orders; with `reporting`, it reports their state."""

    def __init__(self, memory: SimulationState, sent_orders: SentOrders, placing: Placing, *, reporting: bool) -> None:
        self._memory = memory
        self._reporting = reporting
        self._placing = placing
        self._missed: list[Missed] = []
        self._filled: set[int] = set()
        self._seen = (0, 0)
        self.sent_orders = sent_orders
        self.tracked: dict[int, TrackedOrder] = {}

    # ------------------------------------------------------------------ commands

    def commands(self, ts_ns: int, now_ns: int, *, in_answer: bool = False) -> tuple[OrderCommand, ...]:
        """Return the new commands for the broker since the last call, with `ts_ns`; it is `now_ns` (both UTC).

        `in_answer` to a report, or as time goes by, only what is due of rejected requests is repeated: otherwise, a
        broker that always rejects them would get them forever.
        """
        self._placing.pass_time(now_ns, at_close=not in_answer)
        before = dict(self.sent_orders.terms)
        # An order is over when its venue says so. An external broker may have more lots of an order than the session,
        # so that they are filled here and still open there; `_follow` leaves out what the broker has reported as ended.
        over = set() if self._reporting else self._filled | self._now_filled()
        wanted = working_terms(self._memory.holdings)
        if self._reporting:
            self._placing.tidy(self.tracked, wanted, at_close=not in_answer)
            wanted = self._placing.allowed(before, wanted, self.tracked)
        commands = self.sent_orders.update(wanted, over, ts_ns)
        self._filled, self._seen = set(), self._written()
        if self._reporting:
            commands = tuple(command for command in commands if self._follow(command, before))
            self._forget()
        return commands

    def _follow(self, command: OrderCommand, before: Mapping[int, Any]) -> bool:
        """Record a command that is about to be sent; return False if it can't be sent now."""
        number = command.order.number
        if isinstance(command, Submit):
            self.tracked[number] = TrackedOrder.begin(command)
            return True
        tracked = self.tracked.get(number)
        if tracked is None or tracked.state.is_over:
            return False
        if not self._placing.may_ask(number, "amend" if isinstance(command, Amend) else "cancel"):
            self.sent_orders.terms[number] = before[number]
            return False
        try:
            self.tracked[number] = tracked.ask(command)
        except OrderError:
            # An answer is still pending. Until then, the terms are compared with those sent before.
            if isinstance(command, Amend):
                self.sent_orders.terms[number] = before[number]
            return False
        return True

    def _forget(self) -> None:
        over = [number for number, order in self.tracked.items() if order.state.is_over]
        for number in over[:-KEPT_ORDERS]:
            del self.tracked[number]

    def _written(self) -> tuple[int, int]:
        return len(self._memory.pages), int(self._memory.portfolio["orders"])

    def _now_filled(self) -> set[int]:
        """Return the numbers of orders that have filled since commands were asked for."""
        pages, rows = self._seen
        memory = self._memory
        parts: list[Table] = [page["orders"].view(ORDER_DTYPE) for page in memory.pages[pages:]]
        parts.append(memory.portfolio["order_rows"][: int(memory.portfolio["orders"])])
        parts[0] = parts[0][rows:]
        return {int(number) for part in parts for number in part["id"][part["status"] == OrderStatus.FILLED]}

    def before_drain(self) -> None:
        """Record what has filled, because its rows are about to be dropped."""
        self._filled |= self._now_filled()

    def after_drain(self) -> None:
        """Note that no rows are written any more."""
        self._seen = self._written()

    # ------------------------------------------------------------------ events

    def apply(self, event: OrderEvent, now_ns: int) -> None:
        """Book a broker's report about an order, which came at `now_ns` (UTC).

        Raises:
            OrderError: the order is not one that was sent, or the report can't be true. Nothing is changed.
        """
        event = checked(event)
        number = event.order.number
        before = self.tracked.get(number)
        if before is None or before.order != event.order:
            what = f"{type(event).__name__} of order {event.order} is reported, which this session has not sent"
            raise OrderError(Message("{what}. Compare the broker's orders with those of the session.", what=what))
        after = before.apply(event)
        if after is before:
            return
        if isinstance(event, Filled) and after.filled > before.filled:
            self._check_price(event, before)
            self._holding(event, before)
        self.tracked[number] = after
        if isinstance(event, AmendRejected):
            self._not_amended(after, now_ns)
        if isinstance(event, CancelRejected) and not after.state.is_over:
            self._placing.refused(number, "cancel", now_ns)
            self._ask_again(after)
        if after.state is OrderState.FILLED:
            self._end_rest(number)
        if after.state in _ENDS:
            self._end(after, now_ns)

    def _not_amended(self, after: TrackedOrder, now_ns: int) -> None:
        """Keep the terms that the broker has; a protective order is replaced by another one, unless it fills first."""
        number = after.order.number
        if number in self.sent_orders.terms:
            terms = self.sent_orders.terms[number]
            self.sent_orders.terms[number] = replace(terms, lots=after.lots, price=after.price, limit=after.limit)
        place = self._place(number)
        if place is None or after.asked or after.state.is_over or not protects(after):
            self._placing.delay(number, "amend", AT_CLOSE)
            return
        made = self._renumber(*place, OrderStatus.CANCELLED, StatusReason.REPLACED)
        self._placing.delay(made, "submit", now_ns + FIRST_NS)

    def _renumber(self, holding: Record, k: int, status: OrderStatus, reason: StatusReason) -> int:
        """End the order in a slot under its number, and return the number under which what is left of it goes on."""
        self._memory.harvest()
        portfolio, order, bar = self._memory.portfolio, holding["slots"][k], int(holding["bars"]) - 1
        portfolio["order_rows"][portfolio["orders"]] = order
        row = portfolio["order_rows"][int(portfolio["orders"])]
        row["status"], row["status_reason"], row["closed_bar"] = int(status), int(reason), bar
        portfolio["orders"] += 1
        order["id"] = portfolio["next_order"]
        portfolio["next_order"] += 1
        order["lots"] -= order["filled"]
        order["filled"], order["created_bar"], order["fill_price"] = 0, bar, np.nan
        holding["value"][k] = holding["charged"][k] = 0.0
        return int(order["id"])

    def _check_price(self, event: Filled, before: TrackedOrder) -> None:
        """Reject a price that an instrument which is paid in full can't have.

        Raises:
            OrderError: it is not above zero.
        """
        holding = self._memory.holdings[self.sent_orders.index_of(before.submit.symbol)]
        if event.price <= 0.0 and not holding["contract"]:
            symbol = before.submit.symbol
            raise OrderError(
                Message(
                    "Filled of order {order}: a price of {symbol} is above 0, was {price}.",
                    order=event.order,
                    symbol=symbol,
                    price=repr(event.price),
                )
            )

    def _place(self, number: int) -> tuple[Record, int] | None:
        for holding in self._memory.holdings:
            k = int(slot_of(holding, number))
            if k >= 0:
                return holding, k
        return None

    def _end(self, ended: TrackedOrder, now_ns: int) -> None:
        """Take an order off work that the broker ended; a protective one is still wanted, and is sent again."""
        number, (status, reason) = ended.order.number, _ENDS[ended.state]
        self.sent_orders.terms.pop(number, None)
        place = self._place(number)
        if place is None:
            return
        holding, k = place
        if protects(ended) and holding["lots"] != 0 and not holding["opens"][k]:
            earlier = self._placing.count(number)
            made = self._renumber(holding, k, status, reason)
            if ended.state is OrderState.REJECTED or not ended.cancel_asked:  # else it made way for an exit
                count = self._placing.refused(made, "submit", now_ns, earlier=earlier)
                self._missed.append(Missed(ended, made, count))
            return
        retire(self._memory.portfolio, holding, k, int(holding["bars"]) - 1, int(status), int(reason))
        if not is_leaving(holding):
            holding["leaving"] = 0  # what should have closed the position did not: it may be tried again

    def take_missed(self) -> list[Missed]:
        """Return the protective orders that the broker ended since the last call, though they are still wanted."""
        missed, self._missed = self._missed, []
        return missed

    def refusals_of(self, number: int) -> int:
        """Return how often the broker rejected a protective order, by the number that it has now."""
        return self._placing.count(number)

    def unplaced(self) -> Iterator[Unplaced]:
        """Yield the protective orders that are wanted, and that the broker has refused and not accepted yet."""
        wanted = working_terms(self._memory.holdings)
        for number, each in wanted.items():
            count, order = self._placing.count(number), self.tracked.get(number)
            if count and not (order is not None and is_at_work(order)):
                symbol = self.sent_orders.symbol_of(each.instrument)
                earlier = [
                    other
                    for n, other in self.tracked.items()
                    if n not in wanted
                    and other.submit.symbol == symbol
                    and other.submit.side == each.side
                    and other.submit.kind != "limit"
                    and protects(other)
                ]
                is_covered = working_lots(earlier) >= each.lots
                yield Unplaced(symbol, number, each.kind != "limit", count, is_covered=is_covered)

    @property
    def next_due_ns(self) -> int | None:
        """When a request that was refused is due again (UTC ns); None if none is."""
        return self._placing.next_due_ns

    def _end_rest(self, number: int) -> None:
        """End an order of which the broker has filled all that it knew, before it was told that the order has grown.

        That is one that reverses a position entered at that moment: the position is closed, and nothing is opened.
        """
        place = self._place(number)
        if place is not None:
            holding, k = place
            holding["slots"][k]["lots"] = holding["slots"][k]["filled"]
            retire(self._memory.portfolio, holding, k, int(holding["bars"]) - 1, OrderStatus.FILLED, StatusReason.NONE)

    def _ask_again(self, order: TrackedOrder) -> None:
        """Note that an order is still open at the broker: the next commands cancel it if it should have ended."""
        self.sent_orders.terms[order.order.number] = self.sent_orders.terms_of(order)

    def _holding(self, event: Filled, before: TrackedOrder) -> None:
        """Book a fill in the current bar, the one after the latest closed bar."""
        number, memory = event.order.number, self._memory
        i = self.sent_orders.index_of(before.submit.symbol)
        ended = row_of(memory, i, before) if self._place(number) is None else None
        bar = int(memory.holdings[i]["bars"])
        with np.errstate(all="ignore"):
            book_report(memory, number, bar, event.lots, event.price, event.fee, ended)
        if not is_leaving(memory.holdings[i]):
            memory.holdings[i]["leaving"] = 0  # the rest of an entry may have come after the order that closed it

    # ------------------------------------------------------------------ keeping it

    def kept(self) -> tuple[dict[str, Any], ...]:
        """Return the orders that are followed, in plain values."""
        return tuple(map(order_fields, self.tracked.values()))

    @property
    def refused(self) -> tuple[tuple[int, str, int, int], ...]:
        """What was rejected, by order number and request: how often, and when it is due again."""
        return self._placing.kept()

    def resume(
        self, tracked: tuple[Mapping[str, Any], ...], refused: tuple[tuple[int, str, int, int], ...] = ()
    ) -> None:
        """Track the saved orders."""
        self._placing.resume(refused)
        orders = [order_from_fields(dict(each)) for each in tracked]
        self.tracked = {each.order.number: each for each in orders}
