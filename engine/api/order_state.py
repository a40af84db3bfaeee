"""The effect of each command and event on an order: one table, and the order record that follows it.

1. `TrackedOrder.begin(submit)` starts to track an order before it is sent.
2. `TrackedOrder.ask(command)` records an amend or a cancel when it is sent.
3. `TrackedOrder.apply(event)` records a report of the venue. Events may be late, repeated or out of order, as they are
   from real brokers: a fill before the order was accepted, a fill while a cancel is pending or after it, the same
   execution twice. Impossible events are rejected with an `OrderError`, and the order is not changed.

Records are frozen: both functions return a new record, or the same one if nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any

from pydantic import ConfigDict, with_config

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderError, OrderId
from quantcrafter.engine.api.orders import (
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    Cancel,
    Cancelled,
    CancelRejected,
    Denied,
    Expired,
    Filled,
    OrderCommand,
    OrderEvent,
    Rejected,
    Submit,
    Unanswered,
    parsed,
    written,
)


class OrderState(StrEnum):
    """The known state of an order."""

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    PARTLY_FILLED = "partly_filled"
    PENDING_AMEND = "pending_amend"
    PENDING_CANCEL = "pending_cancel"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    DENIED = "denied"

    @property
    def is_over(self) -> bool:
        """Whether the order has ended. A late fill may still come, but the order is no longer active."""
        return self in _OVER


class Move(Enum):
    """The effect of an event that doesn't simply end the order."""

    LIVE = "live"
    """The order is active: its state is derived from what is known of it (see `TrackedOrder`)."""
    STAY = "stay"
    """Nothing changes: the report is late or repeated."""


_OVER = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED, OrderState.DENIED})
_ENDS: dict[type[Any], OrderState | Move] = {
    Rejected: OrderState.REJECTED,
    Cancelled: OrderState.CANCELLED,
    Expired: OrderState.EXPIRED,
}
_REPORTS: dict[type[Any], OrderState | Move] = {Accepted: Move.LIVE, Filled: Move.LIVE, **_ENDS}
_ANSWERS: dict[type[Any], OrderState | Move] = {
    Amended: Move.LIVE,
    AmendRejected: Move.LIVE,
    CancelRejected: Move.LIVE,
}
_WORKING = {**_REPORTS, **_ANSWERS, Amend: Move.LIVE, Cancel: Move.LIVE, Unanswered: Move.STAY}
_ASKED = {**_REPORTS, **_ANSWERS, Cancel: Move.LIVE, Unanswered: OrderState.UNKNOWN}
_LATE: dict[type[Any], OrderState | Move] = {
    **dict.fromkeys((Accepted, Amended, AmendRejected, CancelRejected, Unanswered), Move.STAY),
    **dict.fromkeys((Cancelled, Expired), Move.STAY),
    Filled: Move.LIVE,
}

TABLE: Mapping[OrderState, Mapping[type[Any], OrderState | Move]] = MappingProxyType(
    {
        OrderState.PENDING_NEW: {
            **_REPORTS,
            CancelRejected: Move.LIVE,
            Cancel: Move.LIVE,
            Unanswered: OrderState.UNKNOWN,
            Denied: OrderState.DENIED,
        },
        OrderState.ACCEPTED: _WORKING,
        OrderState.PARTLY_FILLED: _WORKING,
        OrderState.PENDING_AMEND: {**_ASKED, Amend: Move.LIVE},
        OrderState.PENDING_CANCEL: _ASKED,
        OrderState.UNKNOWN: {**_ASKED, Unanswered: Move.STAY},
        OrderState.FILLED: _LATE,
        OrderState.CANCELLED: _LATE,
        OrderState.EXPIRED: _LATE,
        OrderState.REJECTED: {**_LATE, Rejected: Move.STAY},
        OrderState.DENIED: {Denied: Move.STAY},
    }
)
"""The effect of each command and event in each state; anything not listed is impossible and rejected. A final state
doesn't change. A late fill is still booked, because its lots were traded.
"""


@with_config(ConfigDict(extra="forbid", allow_inf_nan=False))
@dataclass(frozen=True, slots=True)
class TrackedOrder:
    """An order with all of its commands and events.

    `lots`, `price` and `limit` are its terms as last confirmed, `asked` the amends without an answer yet, `changes` the
    total number of requested amends. `filled` never exceeds `lots`. `fills` are its executions as they were reported.
    The state of an active order is derived from the rest: a pending cancel, else a pending amend, else fills, else
    accepted, else new.
    """

    submit: Submit
    state: OrderState = OrderState.PENDING_NEW
    lots: int = 0
    price: float | None = None
    limit: float | None = None
    venue_id: str = ""
    accepted: bool = False
    cancelling: bool = False
    cancel_asked: bool = False
    changes: int = 0
    asked: tuple[Amend, ...] = ()
    filled: int = 0
    fills: tuple[Filled, ...] = ()
    text: str = ""

    @classmethod
    def begin(cls, submit: Submit) -> TrackedOrder:
        """Start to follow an order that is about to be sent."""
        return cls(submit, lots=submit.lots, price=submit.price, limit=submit.limit)

    @property
    def order(self) -> OrderId:
        """The order's id."""
        return self.submit.order

    @property
    def left(self) -> int:
        """The lots that may still fill; 0 once the order is over."""
        return 0 if self.state.is_over else self.lots - self.filled

    def ask(self, command: OrderCommand) -> TrackedOrder:
        """Return the order with a pending amend or cancel.

        Raises:
            OrderError: its state does not allow the command.
        """
        self._move(command)
        if isinstance(command, Cancel):
            return _live(replace(self, cancelling=True, cancel_asked=True))
        if not isinstance(command, Amend):
            raise _impossible(self, command, "it has been sent already")
        if command.change != self.changes + 1:
            raise _impossible(self, command, f"the next change is {self.changes + 1}")
        if command.lots <= self.filled:
            raise _impossible(self, command, f"{self.filled} lots have filled, and {command.lots} are to be in all")
        return _live(replace(self, changes=command.change, asked=(*self.asked, command)))

    def apply(self, event: OrderEvent) -> TrackedOrder:
        """Return the order after an event; the same one when the event is late or repeated.

        Raises:
            OrderError: the event can't be true in this state, or contradicts what was reported before.
        """
        move = self._move(event)
        if isinstance(event, Filled):
            return _with_fill(self, event)
        if isinstance(event, (Amended, AmendRejected)) and not 1 <= event.change <= self.changes:
            raise _impossible(self, event, f"{self.changes} amends have been sent")
        if isinstance(event, CancelRejected) and not self.cancel_asked:
            raise _impossible(self, event, "no cancel has been sent")
        if move is Move.STAY:
            return self
        told = _told(self, event)
        return replace(told, state=move) if isinstance(move, OrderState) else _live(told)

    def _move(self, message: OrderCommand | OrderEvent) -> OrderState | Move:
        if message.order != self.order:
            raise OrderError(
                Message(
                    "{type} names order {order}, and this is {order_2}.",
                    type=type(message).__name__,
                    order=message.order,
                    order_2=self.order,
                )
            )
        move = TABLE[self.state].get(type(message))
        if move is None:
            raise _impossible(self, message, "")
        return move


def _told(order: TrackedOrder, event: OrderEvent) -> TrackedOrder:
    """Return the order with the data of an event other than its state."""
    if isinstance(event, Accepted):
        order = replace(order, accepted=True, venue_id=event.venue_id or order.venue_id)
    elif isinstance(event, (Amended, AmendRejected)):
        order = _answered(order, event)
    elif isinstance(event, CancelRejected) and order.cancelling:
        order = replace(order, cancelling=False, text=event.text)
    elif isinstance(event, (Rejected, Denied, Cancelled)):
        order = replace(order, text=event.text)
    return order


def _answered(order: TrackedOrder, event: Amended | AmendRejected) -> TrackedOrder:
    """Return the order with one pending amend less; those before an executed one are superseded."""
    terms = next((each for each in order.asked if each.change == event.change), None)
    if terms is None:  # answered before
        return order
    if isinstance(event, AmendRejected):
        others = tuple(each for each in order.asked if each is not terms)
        return replace(order, asked=others, text=event.text)
    later = tuple(each for each in order.asked if each.change > event.change)
    lots = max(terms.lots, order.filled)
    return replace(order, accepted=True, lots=lots, price=terms.price, limit=terms.limit, asked=later)


def _with_fill(order: TrackedOrder, fill: Filled) -> TrackedOrder:
    """Return the order with an execution more, unless it is known."""
    known = next((each for each in order.fills if each.execution == fill.execution), None)
    if known is not None:
        if (known.lots, known.price) == (fill.lots, fill.price):
            return order
        was = f"execution {fill.execution} was reported with {known.lots} lots at {known.price:g} before"
        raise _impossible(order, fill, was)
    filled = order.filled + fill.lots
    # A fill may overtake the report that an amend to more lots has been executed.
    most = max(order.lots, *(each.lots for each in order.asked)) if order.asked else order.lots
    if filled > most:
        raise _impossible(order, fill, f"{order.filled} of {most} lots have filled")
    more = replace(order, filled=filled, lots=max(order.lots, filled), fills=(*order.fills, fill))
    return more if order.state.is_over else _live(more)


def _live(order: TrackedOrder) -> TrackedOrder:
    """Return an active order in the state that is derived from what is known of it."""
    may_grow = any(each.lots > order.filled for each in order.asked)
    if order.filled == order.lots and not may_grow:
        return replace(order, state=OrderState.FILLED)
    if order.cancelling:
        state = OrderState.PENDING_CANCEL
    elif order.asked:
        state = OrderState.PENDING_AMEND
    elif order.filled:
        state = OrderState.PARTLY_FILLED
    else:
        state = OrderState.ACCEPTED if order.accepted else OrderState.PENDING_NEW
    return replace(order, state=state)


def _impossible(order: TrackedOrder, message: OrderCommand | OrderEvent, why: str) -> OrderError:
    because = f": {why}" if why else ""
    return OrderError(
        Message(
            "Order {order} ({symbol}) is {state}, {filled} of "
            "{lots} lots filled. {describe} is not possible now{because}. "
            "Compare the order with the broker's own record.",
            order=order.order,
            symbol=order.submit.symbol,
            state=order.state.replace("_", " "),
            filled=order.filled,
            lots=order.lots,
            describe=_describe(message),
            because=because,
        )
    )


def _describe(message: OrderCommand | OrderEvent) -> str:
    if isinstance(message, Filled):
        return f"A fill of {message.lots} lots at {message.price:g}"
    if isinstance(message, (Amend, Amended, AmendRejected)):
        return f"{type(message).__name__} (change {message.change})"
    return type(message).__name__


def order_fields(order: TrackedOrder) -> dict[str, Any]:
    """Return an order as plain values for JSON, by field name."""
    return written(order)


def order_from_fields(fields: dict[str, Any]) -> TrackedOrder:
    """Return the order that `order_fields` wrote.

    Raises:
        OrderError: a field is missing, unknown or of another type.
    """
    order: TrackedOrder = parsed(TrackedOrder, fields)
    return order
