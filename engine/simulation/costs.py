"""What a fill costs, and whether the account can pay for it. Compiled.

`k` is the slot of the order that fills. Amounts are in the account's currency; what the broker charges is reckoned in
the instrument's and converted at the rate of the fill.
"""

from __future__ import annotations

from engine.simulation.jit import jit
from engine.simulation.primitives import TOLERANCE, commission_of, slippage_of, to_quantity, whole_lots
from engine.simulation.records import CLOSE, LIMIT, STOP_LIMIT, Record, Table


@jit
def order_charge(desk: Record, book: Record, k: int, lots: int, price: float) -> float:
    """Return what the broker takes for the order in slot `k` once it has filled so many lots more, in all its fills."""
    order = book["slots"][k]
    percent = desk["commission_percent"]
    if order["kind"] in (LIMIT, STOP_LIMIT):
        percent = desk["commission_maker_percent"]
    filled = order["filled"] + lots
    quantity = to_quantity(filled, book["lot_size"], book["lot_inverse"])
    notional = book["value"][k] + to_quantity(lots, book["lot_size"], book["lot_inverse"]) * price
    fixed = desk["commission_per_order"] + desk["commission_per_lot"] * filled
    return float(
        commission_of(notional, quantity, percent, desk["commission_per_unit"], fixed, desk["commission_minimum"])
    )


@jit
def fill_costs(desk: Record, book: Record, k: int, lots: int, price: float) -> tuple[float, float, float]:
    """Return quantity, commission and slippage of a fill; limit orders have no slippage.

    The commission of an order that fills in parts is that of the whole, so its minimum is charged once.
    """
    quantity = to_quantity(lots, book["lot_size"], book["lot_inverse"])
    commission = (order_charge(desk, book, k, lots, price) - book["charged"][k]) * book["rate"]
    slippage = 0.0
    if book["slots"][k]["kind"] not in (LIMIT, STOP_LIMIT):
        move = book["bar_range"] * desk["slippage_range_percent"] / 100.0
        ticks, tick_size = desk["slippage_ticks"], book["tick_size"]
        slippage = slippage_of(quantity * price, quantity, desk["slippage_bps"], ticks, tick_size, move) * book["rate"]
    return quantity, commission, slippage


@jit
def note_charge(desk: Record, book: Record, k: int, lots: int, price: float) -> None:
    """Remember what a fill is worth and what the order has been charged, before it counts as filled."""
    book["charged"][k] = order_charge(desk, book, k, lots, price)
    book["value"][k] += to_quantity(lots, book["lot_size"], book["lot_inverse"]) * price


@jit
def volume_lots(desk: Record, book: Record, k: int, lots: int) -> int:
    """Return how many of `lots` the bar's volume still has for the order; a closing order at the end takes all."""
    if desk["volume_percent"] <= 0.0 or book["slots"][k]["kind"] == CLOSE:
        return lots
    return min(lots, whole_lots(book["volume_left"], book["lot_size"], book["lot_inverse"]))


@jit
def available_cash(desk: Record, books: Table, i: int, price: float) -> float:
    """Return what an entry may take: the equity, less the initial margin of all positions.

    Positions count at their latest known price, the instrument `i` itself at `price`. Without leverage that is the
    cash, less twice the value of every short position (its proceeds, and its margin).
    """
    available, margin = desk["cash"], desk["initial_margin"]
    for j in range(len(books)):
        lots = books[j]["lots"]
        if lots < 0 or (lots > 0 and margin < 1.0):
            value = books[j]["quantity"] * (price if j == i else books[j]["mark"]) * books[j]["rate"]
            available += (1.0 + margin) * value if lots < 0 else (1.0 - margin) * value
    return float(available)


@jit
def can_pay(desk: Record, book: Record, k: int, lots: int, price: float, available: float) -> bool:
    """Return whether margin and costs of an entry stay within `available`."""
    quantity, commission, slippage = fill_costs(desk, book, k, lots, price)
    taken = quantity * price * book["rate"] * desk["initial_margin"]
    return bool((taken + commission + slippage) * (1.0 - TOLERANCE) <= available)


@jit
def affordable_lots(desk: Record, book: Record, k: int, lots: int, price: float, available: float) -> int:
    """Return the largest number of lots, at most `lots`, whose margin and costs can be paid."""
    if can_pay(desk, book, k, lots, price, available):
        return lots
    paid, unpaid = 0, lots
    while unpaid - paid > 1:
        middle = paid + (unpaid - paid) // 2
        if can_pay(desk, book, k, middle, price, available):
            paid = middle
        else:
            unpaid = middle
    return paid
