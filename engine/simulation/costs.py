"""What a fill costs, and whether the account can pay for it. Compiled.

`k` is the slot of the order that fills. Amounts are in the account's currency; what the broker charges is reckoned in
the instrument's and converted at the rate of the fill.
"""

from __future__ import annotations

from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.primitives import TOLERANCE, commission_of, slippage_of, to_quantity, whole_lots
from quantcrafter.engine.simulation.records import CLOSE, LIMIT, STOP_LIMIT, Record, Table
from quantcrafter.engine.simulation.worth import margin_of, worth


@jit
def order_charge(
    desk: Record, book: Record, kind: int, side: int, lots: int, quantity: float, notional: float
) -> float:
    """Return what broker and tax take for an order that has filled so much in all, in the instrument's currency."""
    percent = desk["commission_maker_percent"] if kind in (LIMIT, STOP_LIMIT) else desk["commission_percent"]
    fixed = desk["commission_per_order"] + desk["commission_per_lot"] * lots
    charge = commission_of(notional, quantity, percent, desk["commission_per_unit"], fixed, desk["commission_minimum"])
    duty = book["buy_duty"] if side > 0 else book["sell_duty"]
    return float(charge + notional * duty / 100.0)


@jit
def fill_costs(desk: Record, book: Record, k: int, lots: int, price: float) -> tuple[float, float, float]:
    """Return quantity, commission and slippage of a fill; limit orders have no slippage.

    Percentages are those of the value, whatever its sign: multiplier included.

    The commission of an order that fills in parts is that of the whole, so its minimum is charged once.
    """
    order = book["slots"][k]
    kind, filled = order["kind"], order["filled"]
    quantity = to_quantity(lots, book["lot_size"], book["lot_inverse"])
    points = quantity * book["multiplier"]
    notional = points * abs(price)
    if filled == 0:
        commission = order_charge(desk, book, kind, order["side"], lots, quantity, notional)
    else:
        whole = to_quantity(filled + lots, book["lot_size"], book["lot_inverse"])
        charge = order_charge(desk, book, kind, order["side"], filled + lots, whole, book["value"][k] + notional)
        commission = charge - book["charged"][k]
    slippage = 0.0
    if kind not in (LIMIT, STOP_LIMIT):
        move = book["bar_range"] * desk["slippage_range_percent"] / 100.0
        ticks, tick_size = desk["slippage_ticks"], book["tick_size"]
        slippage = slippage_of(notional, points, desk["slippage_bps"], ticks, tick_size, move) * book["rate"]
    return quantity, commission * book["rate"], slippage


@jit
def note_part(book: Record, k: int, lots: int, notional: float, commission: float) -> None:
    """Remember what a part of an order was worth and what it was charged, when there are more parts to come."""
    order = book["slots"][k]
    filled = order["filled"]
    if filled + lots < order["lots"]:
        book["value"][k] = notional if filled == 0 else book["value"][k] + notional
        charged = commission / book["rate"]
        book["charged"][k] = charged if filled == 0 else book["charged"][k] + charged


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
    available = desk["cash"]
    for j in range(len(books)):
        lots, margin = books[j]["lots"], books[j]["initial_margin"]
        if lots == 0:
            continue
        at = price if j == i else books[j]["mark"]
        if books[j]["contract"] == 1.0:
            available += worth(books[j], at)
            available -= margin_of(books[j], abs(books[j]["quantity"]), at, margin, books[j]["unit_margin"])
        elif lots < 0 or margin < 1.0:
            value = books[j]["quantity"] * at * books[j]["rate"]
            available += (1.0 + margin) * value if lots < 0 else (1.0 - margin) * value
    return float(available)


@jit
def can_pay(desk: Record, book: Record, k: int, lots: int, price: float, available: float) -> bool:
    """Return whether margin and costs of an entry stay within `available`."""
    quantity, commission, slippage = fill_costs(desk, book, k, lots, price)
    taken = margin_of(book, quantity, price, book["initial_margin"], book["unit_margin"])
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
