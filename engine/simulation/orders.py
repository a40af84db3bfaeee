"""The life of an open order: created, found in its phase, touched, removed. Compiled.

`k` is a slot of the holding's open orders, `bar` an index into the instrument's own bars.
"""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.records import (
    ANY,
    AT_CLOSE,
    CANCELLED,
    CLOSE,
    CLOSES,
    ENTRY,
    LIMIT,
    LIMITS,
    MARKET,
    NO_REASON,
    OCO,
    OPENS,
    POSITION_CLOSED,
    REVERSAL,
    SCALE_IN,
    STOPS,
    WORKING,
    WORKING_SLOTS,
    Record,
)


@jit
def add_order(portfolio: Record, holding: Record, bar: int, kind: int, side: int, lots: int, reason: int) -> int:
    """Create an order that is active from the instrument's next bar on, and return its slot.

    In an auction, an order at the close is active at the close of this bar.
    """
    k = holding["working"]
    if k == WORKING_SLOTS:
        # Never write beyond the record: the driver stops the run when it sees this count.
        portfolio["overflow"] += 1
        k = WORKING_SLOTS - 1
    else:
        holding["working"] = k + 1
        portfolio["at_work"] += 1
    holding["alarm_bar"] = 0
    holding["from_bar"][k] = bar + 1
    holding["phase"][k] = OPENS if kind in (MARKET, CLOSE) else LIMITS if kind == LIMIT else STOPS
    if kind == AT_CLOSE:
        holding["from_bar"][k], holding["phase"][k] = bar + 1 - portfolio["auction"], CLOSES
    holding["opens"][k] = 1 if reason in (ENTRY, SCALE_IN, REVERSAL) else 0
    holding["decided"][k] = bar
    holding["day_bar"][k] = -1
    holding["unit"][k] = -1
    order = holding["slots"][k]
    order["id"] = portfolio["next_order"]
    portfolio["next_order"] += 1
    order["parent"] = -1
    order["instrument"] = holding["index"]
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
    order["execution"] = holding["execution"]
    return int(k)


@jit
def next_working(holding: Record, bar: int, phase: int, part: int, after: int) -> int:
    """Return the slot of the next order of that phase and part that may fill at `bar`, with an id above `after`, or -1.

    `part` is ANY, CLOSING or OPENING. If the terms require volume, there is none on a bar without volume.
    """
    if holding["untraded"] == 1:
        return -1
    for k in range(holding["working"]):
        meant = holding["phase"][k] == phase and (part == ANY or holding["opens"][k] == part - 1)
        if meant and holding["slots"][k]["id"] > after and holding["from_bar"][k] <= bar:
            return k
    return -1


@jit
def slot_of(holding: Record, number: int) -> int:
    """Return the slot of the open order with that id, or -1."""
    for k in range(holding["working"]):
        if holding["slots"][k]["id"] == number:
            return k
    return -1


@jit
def is_leaving(holding: Record) -> bool:
    """Return whether there is an order to close at the next open or close."""
    leaving = False
    for k in range(holding["working"]):
        leaving = leaving or (holding["phase"][k] in (OPENS, CLOSES) and holding["opens"][k] == 0)
    return leaving


@jit
def end_entries(portfolio: Record, holding: Record, bar: int, side: int, reason: int) -> None:
    """Cancel open orders that would open or increase a position of that side; a grid of that side ends."""
    for k in range(holding["working"] - 1, -1, -1):
        if holding["opens"][k] == 1 and holding["slots"][k]["side"] == side:
            retire(portfolio, holding, k, bar, CANCELLED, reason)
    if holding["grid_side"] == side:
        holding["grid_side"] = 0


@jit
def retire(portfolio: Record, holding: Record, k: int, bar: int, status: int, reason: int) -> None:
    """Take an order off work and write it, with its end, to the table."""
    order = holding["slots"][k]
    order["status"] = status
    order["status_reason"] = reason
    order["closed_bar"] = bar
    portfolio["order_rows"][portfolio["orders"]] = order
    portfolio["orders"] += 1
    drop_slot(portfolio, holding, k)


@jit
def drop_slot(portfolio: Record, holding: Record, k: int) -> None:
    """Remove an order from its slot; the following ones move up."""
    portfolio["at_work"] -= 1
    holding["alarm_bar"] = 0
    holding["working"] -= 1
    for j in range(k, holding["working"]):
        holding["slots"][j] = holding["slots"][j + 1]
        holding["from_bar"][j] = holding["from_bar"][j + 1]
        holding["phase"][j] = holding["phase"][j + 1]
        holding["opens"][j] = holding["opens"][j + 1]
        holding["decided"][j] = holding["decided"][j + 1]
        holding["day_bar"][j] = holding["day_bar"][j + 1]
        holding["touch_price"][j] = holding["touch_price"][j + 1]
        holding["value"][j] = holding["value"][j + 1]
        holding["charged"][j] = holding["charged"][j + 1]
        holding["unit"][j] = holding["unit"][j + 1]


@jit
def cancel_exits(portfolio: Record, holding: Record, bar: int, parent: int) -> None:
    """Cancel open orders to close a position that is gone; `parent` is the entry of the order that closed it.

    Orders of the same parent are its OCO siblings.
    """
    for k in range(holding["working"] - 1, -1, -1):
        order = holding["slots"][k]
        if holding["opens"][k] == 0 or order["reason"] == SCALE_IN:
            sibling = parent >= 0 and order["parent"] == parent
            retire(portfolio, holding, k, bar, CANCELLED, OCO if sibling else POSITION_CLOSED)


@jit
def is_engaged(holding: Record) -> bool:
    """Return whether there is a position, a grid, or an open order that may open one."""
    engaged = holding["lots"] != 0 or holding["grid_side"] != 0
    for k in range(holding["working"]):
        engaged = engaged or holding["opens"][k] == 1
    return bool(engaged)


@jit
def block(portfolio: Record, holding: Record, bar: int, flags: int, reason: int) -> None:
    """Record an entry signal of the current execution that doesn't become an order."""
    block_signal(portfolio, holding, int(holding["execution"]), bar, flags, reason)


@jit
def block_signal(portfolio: Record, holding: Record, e: int, bar: int, flags: int, reason: int) -> None:
    """Note an entry signal of execution `e` that does not become an order."""
    row = portfolio["blocked_rows"][portfolio["blocked"]]
    portfolio["blocked"] += 1
    row["bar"] = bar
    row["instrument"] = holding["index"]
    row["flags"] = flags
    row["reason"] = reason
    row["execution"] = e
