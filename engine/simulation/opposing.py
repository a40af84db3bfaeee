"""Entry orders against a position or another entry: they cancel each other, or reverse the position. Compiled.

A reversing order (REVERSAL) closes the position and opens the other side at one price. Its open lots are those of the
position and those of the new one; they follow the position, and if another order closes it, an entry is left.

`k` and `j` are slots of the holding's open orders, `bar` is an index into the instrument's own bars.
"""

from __future__ import annotations

from typing import Any

from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.orders import retire
from quantcrafter.engine.simulation.records import (
    BOTH_WAYS,
    CANCELLED,
    ENTRY,
    LIMIT,
    OCO,
    REVERSAL,
    REVERSE_AT_PRICE,
    STOP,
    STOP_LIMIT,
    STOPS,
    Record,
    Table,
)


@jit
def reverses(holding: Record, k: int) -> bool:
    """Return whether an order closes the open position and opens the other side."""
    order = holding["slots"][k]
    return bool(order["reason"] == REVERSAL and order["side"] * holding["lots"] < 0)


@jit
def let_reverse(holding: Record, k: int) -> None:
    """Let a waiting entry against the position also close it."""
    order = holding["slots"][k]
    order["lots"] += abs(holding["lots"])
    order["reason"] = REVERSAL


@rare
def oppose(portfolio: Record, holding: Record, bar: int, lots: int) -> None:
    """Cancel entries against a position of which `lots` were entered just now, or let them reverse it.

    If the entry was inside the bar, what turns into a reversing order is active from the next bar on, except for the
    part of the bar that certainly came after the entry.
    """
    terms = portfolio["executions"][holding["execution"]]
    for k in range(holding["working"] - 1, -1, -1):
        order = holding["slots"][k]
        if holding["opens"][k] == 0 or order["side"] * holding["lots"] > 0:
            continue
        if order["reason"] == REVERSAL:
            order["lots"] += lots
        elif order["reason"] == ENTRY and terms["on_opposite"] == REVERSE_AT_PRICE:
            let_reverse(holding, k)
            if holding["inside"] == 1:
                holding["from_bar"][k] = bar + 1
        elif order["reason"] == ENTRY and terms["two_sided"] == 1:
            retire(portfolio, holding, k, bar, CANCELLED, OCO)


@rare
def follow_exit(_portfolio: Record, holding: Record, number: int, side: int, lots: int) -> None:
    """Reduce reversing orders by the lots of the position that the order with that number and side has closed."""
    for k in range(holding["working"]):
        order = holding["slots"][k]
        if order["reason"] == REVERSAL and order["side"] == side and order["id"] != number:
            order["lots"] -= lots
            if holding["lots"] == 0:
                order["reason"] = ENTRY


@jit
def nearer_exit(holding: Record, k: int, phase: int, active: int) -> int:
    """Return the slot of the exit that the price reaches before the reversing order in slot `k`, or -1.

    That is the nearest order of the same side and phase, active from the bar `active` on at the latest, which only
    closes.
    """
    order, found = holding["slots"][k], -1
    if not reverses(holding, k) or order["kind"] == STOP_LIMIT:
        return found
    way = order["side"] if phase == STOPS else -order["side"]
    level = order["price"]
    for j in range(holding["working"]):
        other = holding["slots"][j]
        if holding["opens"][j] == 1 or holding["phase"][j] != phase or holding["from_bar"][j] > active:
            continue
        if other["kind"] in (STOP, LIMIT) and (level - other["price"]) * way > 0.0:
            found, level = j, other["price"]
    return found


@jit
def earlier_reversal(holding: Record, k: int, phase: int, active: int) -> int:
    """Return the slot of the reversing order that the price reaches before the exit in slot `k`, or at it, or -1."""
    order = holding["slots"][k]
    if holding["opens"][k] == 1 or order["kind"] not in (STOP, LIMIT):
        return -1
    way = order["side"] if phase == STOPS else -order["side"]
    for j in range(holding["working"]):
        other = holding["slots"][j]
        active_too = holding["phase"][j] == phase and holding["from_bar"][j] <= active
        if active_too and other["side"] == order["side"] and other["kind"] != STOP_LIMIT and reverses(holding, j):
            return j if (order["price"] - other["price"]) * way >= 0.0 else -1
    return -1


@jit
def partner_of(holding: Record, k: int, phase: int, bar: int) -> int:
    """Return the slot of the waiting entry on the other side that may also fill in that phase of the bar, or -1."""
    order = holding["slots"][k]
    if holding["inside"] == 0 or holding["lots"] != 0 or holding["opens"][k] == 0 or order["level"] >= 0:
        return -1
    for j in range(holding["working"]):
        other = holding["slots"][j]
        opposite = holding["opens"][j] == 1 and other["side"] * order["side"] < 0 and other["level"] < 0
        if opposite and holding["phase"][j] == phase and holding["from_bar"][j] <= bar:
            return j if phase != STOPS or other["kind"] == STOP else -1
    return -1


@jit
def is_put_off(portfolio: Record, holding: Record, k: int, j: int, bar: int, prices: Any, closes: Any) -> bool:
    """Decide which of two entries that a bar reached came first, and return whether it was not the one in slot `k`.

    The bar doesn't show it, so the position that is left is the one that is worth less at the close: that of the first
    order, or that of the second where it reverses the first within the bar. The high and the low then both came after
    the first one.
    `prices` are those at which the orders in slots `k` and `j` would fill, `closes` the closes of their sides.
    """
    side = holding["slots"][k]["side"]
    mine, other = side * (closes[0] - prices[0]), -side * (closes[1] - prices[1])
    worse = mine < other or (mine == other and side > 0)
    order = holding["slots"][k]
    reversing = portfolio["executions"][order["execution"]]["on_opposite"] == REVERSE_AT_PRICE
    # A position that can be closed in a later session at the earliest is not reversed in this bar.
    within = order["kind"] != STOP_LIMIT and portfolio["arm_delay"] == 0 and holding["next_session"] == 0
    first = worse != (reversing and within)
    holding["from_bar"][j if first else k] = bar + 1
    holding["inside_bar"], holding["inside_way"] = bar, BOTH_WAYS
    return not first


def put_off_slot(
    portfolios: Table, holdings: Table, i: int, k: int, j: int, bar: int, prices: Any, closes: Any
) -> bool:
    """Return `is_put_off` of instrument `i`."""
    return bool(is_put_off(portfolios[0], holdings[i], k, j, bar, prices, closes))


def partner_slot(holdings: Table, i: int, k: int, phase: int, bar: int) -> int:
    """Return `partner_of` of instrument `i`."""
    return int(partner_of(holdings[i], k, phase, bar))


def earlier_slot(holdings: Table, i: int, k: int, phase: int, active: int) -> int:
    """Return `earlier_reversal` of instrument `i`, or `k` if there is none."""
    j = int(earlier_reversal(holdings[i], k, phase, active))
    return j if j >= 0 else k


def nearer_slot(holdings: Table, i: int, k: int, phase: int, active: int) -> int:
    """Return `nearer_exit` of instrument `i`."""
    return int(nearer_exit(holdings[i], k, phase, active))
