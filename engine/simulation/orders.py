"""The life of an order at work: made, found in its phase, touched, taken off. Compiled.

`k` is a slot of the book's orders at work, `bar` an index into the instrument's own bars.
"""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.records import (
    ANY,
    CANCELLED,
    CLOSE,
    ENTRY,
    LIMIT,
    LIMITS,
    MARKET,
    NO_REASON,
    OCO,
    OPENS,
    POSITION_CLOSED,
    SCALE_IN,
    STOPS,
    WORKING,
    WORKING_SLOTS,
    Record,
)


@jit
def add_order(desk: Record, book: Record, bar: int, kind: int, side: int, lots: int, reason: int) -> int:
    """Put a new order to work from the instrument's next bar on, and return its slot."""
    k = book["working"]
    if k == WORKING_SLOTS:
        # Never write beyond the record: the driver stops the run when it sees this count.
        desk["overflow"] += 1
        k = WORKING_SLOTS - 1
    else:
        book["working"] = k + 1
        desk["at_work"] += 1
    book["alarm_bar"] = 0
    book["from_bar"][k] = bar + 1
    book["phase"][k] = OPENS if kind in (MARKET, CLOSE) else LIMITS if kind == LIMIT else STOPS
    book["opens"][k] = 1 if reason in (ENTRY, SCALE_IN) else 0
    book["decided"][k] = bar
    book["day_bar"][k] = -1
    book["unit"][k] = -1
    order = book["slots"][k]
    order["id"] = desk["next_order"]
    desk["next_order"] += 1
    order["parent"] = -1
    order["instrument"] = book["index"]
    order["rule"] = -1
    order["created_bar"] = bar
    order["closed_bar"] = -1
    order["lots"] = lots
    order["price"] = math.nan
    order["fill_price"] = math.nan
    order["kind"] = kind
    order["side"] = side
    order["status"] = WORKING
    order["reason"] = reason
    order["status_reason"] = NO_REASON
    order["limit"] = math.nan
    order["filled"] = 0
    order["expires"] = -1
    order["touched_bar"] = -1
    order["level"] = -1
    order["execution"] = book["execution"]
    return int(k)


@jit
def next_working(book: Record, bar: int, phase: int, part: int, after: int) -> int:
    """Return the slot of the next order of that phase and part that may fill at `bar`, with an id above `after`, or -1.

    `part` is ANY, CLOSING or OPENING. On a bar without volume there is none, where the terms say so.
    """
    if book["untraded"] == 1:
        return -1
    for k in range(book["working"]):
        meant = book["phase"][k] == phase and (part == ANY or book["opens"][k] == part - 1)
        if meant and book["slots"][k]["id"] > after and book["from_bar"][k] <= bar:
            return k
    return -1


@jit
def slot_of(book: Record, number: int) -> int:
    """Return the slot of the order at work with that id, or -1."""
    for k in range(book["working"]):
        if book["slots"][k]["id"] == number:
            return k
    return -1


@jit
def is_leaving(book: Record) -> bool:
    """Return whether an order to close at the next open is at work."""
    leaving = False
    for k in range(book["working"]):
        leaving = leaving or (book["phase"][k] == OPENS and book["opens"][k] == 0)
    return leaving


@jit
def end_entries(desk: Record, book: Record, bar: int, side: int, reason: int) -> None:
    """Cancel orders at work that would open or enlarge a position of that side; a grid of that side ends."""
    for k in range(book["working"] - 1, -1, -1):
        if book["opens"][k] == 1 and book["slots"][k]["side"] == side:
            retire(desk, book, k, bar, CANCELLED, reason)
    if book["grid_side"] == side:
        book["grid_side"] = 0


@jit
def retire(desk: Record, book: Record, k: int, bar: int, status: int, reason: int) -> None:
    """Take an order off work and write it, with its end, to the table."""
    order = book["slots"][k]
    order["status"] = status
    order["status_reason"] = reason
    order["closed_bar"] = bar
    desk["order_rows"][desk["orders"]] = order
    desk["orders"] += 1
    drop_slot(desk, book, k)


@jit
def drop_slot(desk: Record, book: Record, k: int) -> None:
    """Take an order off its slot; those behind it move up."""
    desk["at_work"] -= 1
    book["alarm_bar"] = 0
    book["working"] -= 1
    for j in range(k, book["working"]):
        book["slots"][j] = book["slots"][j + 1]
        book["from_bar"][j] = book["from_bar"][j + 1]
        book["phase"][j] = book["phase"][j + 1]
        book["opens"][j] = book["opens"][j + 1]
        book["decided"][j] = book["decided"][j + 1]
        book["day_bar"][j] = book["day_bar"][j + 1]
        book["touch_price"][j] = book["touch_price"][j + 1]
        book["value"][j] = book["value"][j + 1]
        book["charged"][j] = book["charged"][j + 1]
        book["unit"][j] = book["unit"][j + 1]


@jit
def cancel_exits(desk: Record, book: Record, bar: int, parent: int) -> None:
    """Cancel what still works to close a position that has gone; `parent` is the entry of the order that closed it.

    Orders of the same parent are its OCO siblings.
    """
    for k in range(book["working"] - 1, -1, -1):
        order = book["slots"][k]
        if book["opens"][k] == 0 or order["reason"] == SCALE_IN:
            sibling = parent >= 0 and order["parent"] == parent
            retire(desk, book, k, bar, CANCELLED, OCO if sibling else POSITION_CLOSED)


@jit
def is_engaged(book: Record) -> bool:
    """Return whether there is a position, a grid, or an order at work that may open one."""
    engaged = book["lots"] != 0 or book["grid_side"] != 0
    for k in range(book["working"]):
        engaged = engaged or book["opens"][k] == 1
    return bool(engaged)


@jit
def block(desk: Record, book: Record, bar: int, flags: int, reason: int) -> None:
    """Note an entry signal, of the execution whose turn it is, that does not become an order."""
    block_signal(desk, book, int(book["execution"]), bar, flags, reason)


@jit
def block_signal(desk: Record, book: Record, e: int, bar: int, flags: int, reason: int) -> None:
    """Note an entry signal of execution `e` that does not become an order."""
    row = desk["blocked_rows"][desk["blocked"]]
    desk["blocked"] += 1
    row["bar"] = bar
    row["instrument"] = book["index"]
    row["flags"] = flags
    row["reason"] = reason
    row["execution"] = e
