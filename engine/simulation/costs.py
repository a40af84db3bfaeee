"""What a fill costs, and whether the account can pay for it. Compiled."""

from __future__ import annotations

from engine.simulation.jit import jit
from engine.simulation.primitives import TOLERANCE, commission_of, slippage_of, to_quantity
from engine.simulation.records import LIMIT, STOP_LIMIT, Record, Table


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
    if kind not in (LIMIT, STOP_LIMIT):
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
