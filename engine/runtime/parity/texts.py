"""Short texts of orders and fills, and the comparison of numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import InstrumentJob
from quantcrafter.engine.api.ledger import BlockReason, OrderKind, OrderStatus, StatusReason
from quantcrafter.engine.api.message import Message, joined, word

TOLERANCE = 1e-9


def fill_text(fill: Any, instrument: InstrumentJob) -> Message:
    """Return a fill (a row of FILL_DTYPE), such as `buy 10 at 98.5 (stop)`."""
    return Message(
        "{side} {quantity} at {price} ({kind})",
        side=_side(fill),
        quantity=_quantity(fill, instrument),
        price=price_text(fill["price"]),
        kind=_kind(fill),
    )


def order_text(order: Any, instrument: InstrumentJob) -> Message:
    """Return an order (a row of ORDER_DTYPE), such as `sell 10 at 98.5 (stop)`."""
    if not math.isnan(order["price"]):
        return fill_text(order, instrument)
    return Message(
        "{side} {quantity} ({kind})", side=_side(order), quantity=_quantity(order, instrument), kind=_kind(order)
    )


def end_text(order: Any) -> Message:
    """Return how an order ended, such as `cancelled at bar 12, oco`."""
    ended = word(OrderStatus(int(order["status"])).name.lower())
    reason = StatusReason(int(order["status_reason"]))
    if order["closed_bar"] >= 0:
        ended = Message("{what} at bar {bar}", what=ended, bar=order["closed_bar"])
    return ended if reason is StatusReason.NONE else joined([ended, _word(reason)], ", ")


def block_text(blocked: Any) -> Message:
    """Return a blocked entry (a row of BLOCKED_DTYPE), such as `at bar 12, filter`."""
    return Message("at bar {bar}, {reason}", bar=blocked["bar"], reason=_word(BlockReason(int(blocked["reason"]))))


def price_text(value: float) -> str:
    """Return a price with up to ten digits."""
    return Message("none") if math.isnan(value) else f"{value:.10g}"


def same_numbers(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return where two columns of prices or amounts are equal: to 1e-9, relative to sizes above 1."""
    near: npt.NDArray[np.bool_] = np.isclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return near


def first_difference(a: npt.NDArray[Any], b: npt.NDArray[Any], fields: tuple[str, ...]) -> int | None:
    """Return the first row in which two tables differ in one of the fields, or which only one of them has."""
    both = min(len(a), len(b))
    wrong = np.zeros(both, np.bool_)
    for name in fields:
        one, other = a[name][:both], b[name][:both]
        wrong |= ~same_numbers(one, other) if one.dtype.kind == "f" else one != other
    rows = np.flatnonzero(wrong)
    if len(rows):
        return int(rows[0])
    return both if len(a) != len(b) else None


def _word(reason: StatusReason | BlockReason) -> Message:
    return word(reason.name.lower().replace("_", " "))


def _side(traded: Any) -> Message:
    return Message("buy") if traded["side"] > 0 else Message("sell")


def _quantity(traded: Any, instrument: InstrumentJob) -> str:
    return f"{int(traded['lots']) * instrument.lot_size:.10g}"


def _kind(traded: Any) -> Message:
    return word(OrderKind(int(traded["kind"])).name.lower().replace("_", "-"))
