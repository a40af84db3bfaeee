"""Orders, fills and positions: compiled functions that keep the books.

`desk` and `book` are records of `engine.simulation.records`; `k` is a slot of the book's orders at work, `bar` an index
into the instrument's own bars.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.simulation.jit import jit
from engine.simulation.primitives import TOLERANCE, commission_of, slippage_of, to_quantity
from engine.simulation.records import (
    CANCELLED,
    ENTRY,
    FILLED,
    LIMIT,
    NO_REASON,
    OCO,
    POSITION_CLOSED,
    WORKING,
    Record,
    Table,
)


@jit
def add_order(desk: Record, book: Record, bar: int, kind: int, side: int, lots: int, reason: int) -> int:
    """Put a new order to work from the instrument's next bar on, and return its slot."""
    k = book["working"]
    book["working"] = k + 1
    book["from_bar"][k] = bar + 1
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
    return int(k)


@jit
def next_working(book: Record, bar: int, kind: int, after: int) -> int:
    """Return the slot of the next order of that kind that may fill at `bar`, with an id above `after`, or -1."""
    for k in range(book["working"]):
        order = book["slots"][k]
        if order["kind"] == kind and order["id"] > after and book["from_bar"][k] <= bar:
            return k
    return -1


@jit
def retire(desk: Record, book: Record, k: int, bar: int, status: int, reason: int) -> None:
    """Take an order off work and write it, with its end, to the table."""
    order = book["slots"][k]
    order["status"] = status
    order["status_reason"] = reason
    order["closed_bar"] = bar
    desk["order_rows"][desk["orders"]] = order
    desk["orders"] += 1
    book["working"] -= 1
    for j in range(k, book["working"]):
        book["slots"][j] = book["slots"][j + 1]
        book["from_bar"][j] = book["from_bar"][j + 1]


@jit
def cancel_exits(desk: Record, book: Record, bar: int, parent: int) -> None:
    """Cancel what still works to close a position that has gone; `parent` is the entry of the order that closed it.

    Orders of the same parent are its OCO siblings.
    """
    for k in range(book["working"] - 1, -1, -1):
        order = book["slots"][k]
        if order["reason"] != ENTRY:
            sibling = parent >= 0 and order["parent"] == parent
            retire(desk, book, k, bar, CANCELLED, OCO if sibling else POSITION_CLOSED)


@jit
def fill_costs(desk: Record, book: Record, kind: int, lots: int, price: float) -> tuple[float, float, float]:
    """Return quantity, commission and slippage of a fill; limit orders have no slippage."""
    quantity = to_quantity(lots, book["lot_size"], book["lot_inverse"])
    notional = quantity * price
    commission = commission_of(
        notional,
        quantity,
        desk["commission_percent"],
        desk["commission_per_unit"],
        desk["commission_per_order"],
        desk["commission_minimum"],
    )
    slippage = 0.0
    if kind != LIMIT:
        slippage = slippage_of(notional, quantity, desk["slippage_bps"], desk["slippage_ticks"], book["tick_size"])
    return quantity, commission, slippage


@jit
def available_cash(desk: Record, books: Table, i: int, price: float) -> float:
    """Return what an entry may cost: the cash, less twice the value of every short position (proceeds and margin).

    Positions count at their latest known price, the instrument `i` itself at `price`.
    """
    available = desk["cash"]
    for j in range(len(books)):
        if books[j]["lots"] < 0:
            available += 2.0 * books[j]["quantity"] * (price if j == i else books[j]["mark"])
    return float(available)


@jit
def can_pay(desk: Record, book: Record, kind: int, lots: int, price: float, available: float) -> bool:
    """Return whether value and costs of an entry stay within `available`."""
    quantity, commission, slippage = fill_costs(desk, book, kind, lots, price)
    return (quantity * price + commission + slippage) * (1.0 - TOLERANCE) <= available


@jit
def affordable_lots(desk: Record, book: Record, kind: int, lots: int, price: float, available: float) -> int:
    """Return the largest number of lots, at most `lots`, whose value and costs can be paid."""
    if can_pay(desk, book, kind, lots, price, available):
        return lots
    paid, unpaid = 0, lots
    while unpaid - paid > 1:
        middle = paid + (unpaid - paid) // 2
        if can_pay(desk, book, kind, middle, price, available):
            paid = middle
        else:
            unpaid = middle
    return paid


@jit
def book_fill(desk: Record, book: Record, k: int, bar: int, lots: int, price: float) -> tuple[float, float]:
    """Write a fill, move the cash, and return commission and slippage."""
    order = book["slots"][k]
    kind: Any = np.int64(order["kind"])
    quantity, commission, slippage = fill_costs(desk, book, kind, lots, price)
    desk["cash"] -= order["side"] * (quantity * price) + commission + slippage
    order["fill_price"] = price
    fill = desk["fill_rows"][desk["fills"]]
    desk["fills"] += 1
    fill["order_id"] = order["id"]
    fill["bar"] = bar
    fill["lots"] = lots
    fill["price"] = price
    fill["commission"] = commission
    fill["slippage"] = slippage
    fill["instrument"] = book["index"]
    fill["side"] = order["side"]
    fill["kind"] = order["kind"]
    fill["reason"] = order["reason"]
    return commission, slippage


@jit
def open_position(desk: Record, book: Record, k: int, bar: int, lots: int, price: float) -> None:
    """Fill an entry order: the position grows, its price is the average by cost."""
    commission, slippage = book_fill(desk, book, k, bar, lots, price)
    held = abs(book["lots"])
    if held == 0:
        book["price"] = price
        book["commission"] = commission
        book["slippage"] = slippage
        book["entry_bar"] = bar
        book["entry_order"] = book["slots"][k]["id"]
        book["highest"] = price
        book["lowest"] = price
    else:
        book["price"] = (book["price"] * held + price * lots) / (held + lots)
        book["commission"] += commission
        book["slippage"] += slippage
    book["lots"] += book["slots"][k]["side"] * lots
    book["quantity"] = to_quantity(book["lots"], book["lot_size"], book["lot_inverse"])
    book["mark"] = price


@jit
def reduce_position(desk: Record, book: Record, k: int, bar: int, price: float) -> None:
    """Fill an exit order: write a trade for the part that it closes, with that part's share of the entry's costs."""
    parent = book["slots"][k]["parent"]
    held = abs(book["lots"])
    lots = min(book["slots"][k]["lots"], held)
    commission, slippage = book_fill(desk, book, k, bar, lots, price)
    entry_commission, entry_slippage = book["commission"], book["slippage"]
    if lots < held:
        entry_commission *= lots / held
        entry_slippage *= lots / held
    write_trade(desk, book, k, bar, lots, price)
    trade = desk["trade_rows"][desk["trades"] - 1]
    trade["commission"] = entry_commission + commission
    trade["slippage"] = entry_slippage + slippage
    trade["pnl"] -= trade["commission"] + trade["slippage"]
    book["commission"] -= entry_commission
    book["slippage"] -= entry_slippage
    book["lots"] += book["slots"][k]["side"] * lots
    book["quantity"] = to_quantity(book["lots"], book["lot_size"], book["lot_inverse"])
    book["mark"] = price
    retire(desk, book, k, bar, FILLED, NO_REASON)
    if book["lots"] == 0:
        cancel_exits(desk, book, bar, parent)


@jit
def write_trade(desk: Record, book: Record, k: int, bar: int, lots: int, price: float) -> None:
    """Write a trade of `lots` closed at `price`, its profit before costs."""
    order = book["slots"][k]
    entry = book["price"]
    highest = max(book["highest"], price)
    lowest = min(book["lowest"], price)
    side = -order["side"]
    trade = desk["trade_rows"][desk["trades"]]
    desk["trades"] += 1
    trade["entry_bar"] = book["entry_bar"]
    trade["exit_bar"] = bar
    trade["entry_order"] = book["entry_order"]
    trade["exit_order"] = order["id"]
    trade["lots"] = lots
    trade["entry_price"] = entry
    trade["exit_price"] = price
    trade["pnl"] = side * (price - entry) * to_quantity(lots, book["lot_size"], book["lot_inverse"])
    trade["mae"] = entry - lowest if side > 0 else highest - entry
    trade["mfe"] = highest - entry if side > 0 else entry - lowest
    trade["instrument"] = book["index"]
    trade["side"] = side
    trade["exit_reason"] = order["reason"]
