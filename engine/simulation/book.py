"""Fills and positions: compiled functions that keep the books.

`desk` and `book` are records of `engine.simulation.records`; `k` is a slot of the book's orders at work, `bar` an index
into the instrument's own bars.
"""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.costs import fill_costs, note_part
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import retire, slot_of
from quantcrafter.engine.simulation.primitives import to_quantity
from quantcrafter.engine.simulation.records import CANCELLED, ENDED_BY_STOP, Record
from quantcrafter.engine.simulation.sizing import note_result
from quantcrafter.engine.simulation.units import clear_units, grow_unit, put_unit, shrink_units
from quantcrafter.engine.simulation.worth import value_of


@jit
def cash_moved(book: Record, side: int, quantity: float, price: float) -> float:
    """Return what a fill takes from the cash, costs apart: all that is bought, or of a contract what it has lost."""
    if book["contract"] == 0.0:
        return float(side * (quantity * price * book["rate"]))
    closing = book["lots"] * side < 0
    return float(side * value_of(book, quantity, price - book["price"])) if closing else 0.0


@jit
def book_fill(desk: Record, book: Record, k: int, bar: int, lots: int, price: float, fee: float) -> tuple[float, float]:
    """Write a fill, move the cash, and return commission and slippage: by the terms where the fee is NaN."""
    order = book["slots"][k]
    quantity, commission, slippage = fill_costs(desk, book, k, lots, price)
    if not math.isnan(fee):
        commission, slippage = fee, 0.0
    note_part(book, k, lots, quantity * book["multiplier"] * abs(price), commission)
    desk["cash"] -= cash_moved(book, int(order["side"]), quantity, price) + commission + slippage
    book["volume_left"] -= quantity
    order["fill_price"] = price
    order["filled"] += lots
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
    fill["execution"] = order["execution"]
    fill["rate"] = book["rate"]
    return commission, slippage


@jit
def open_position(desk: Record, book: Record, k: int, bar: int, lots: int, price: float, fee: float) -> None:
    """Book what an order opens: the position grows, its price is the average by cost."""
    commission, slippage = book_fill(desk, book, k, bar, lots, price, fee)
    order = book["slots"][k]
    held = abs(book["lots"])
    if held == 0:
        book["price"] = price
        book["basis"] = value_of(book, 1.0, price)
        book["carry"] = 0.0
        book["leaving"] = 0
        book["execution"] = order["execution"]
        book["commission"] = commission
        book["slippage"] = slippage
        book["entry_bar"] = bar
        book["entry_order"] = order["id"]
        book["highest"] = price
        book["lowest"] = price
        book["entries"] = 0
        book["first_lots"] = lots
        book["units"] = 1
        put_unit(book, 0, order["id"], bar, lots, price)
    else:
        book["price"] = (book["price"] * held + price * lots) / (held + lots)
        book["basis"] = (book["basis"] * held + value_of(book, 1.0, price) * lots) / (held + lots)
        book["commission"] += commission
        book["slippage"] += slippage
        if order["id"] == book["entry_order"]:
            book["first_lots"] += lots
        grow_unit(book, order["id"], bar, lots, price)
    # An order that fills in parts is one entry.
    if held == 0 or order["filled"] == lots:
        book["entries"] += 1
        book["entries_made"] += 1
    book["last_lots"] = lots
    book["last_price"] = price
    book["decided_bar"] = book["decided"][k]
    book["lots"] += int(order["side"]) * lots
    book["quantity"] = to_quantity(book["lots"], book["lot_size"], book["lot_inverse"])
    book["mark"] = price


@jit
def end_partial_entries(desk: Record, book: Record, k: int, bar: int) -> int:
    """Cancel what is left of partly filled entries when the stop in slot `k` is triggered; return the stop's new slot.

    What is no longer wanted at this price is not bought on.
    """
    number = book["slots"][k]["id"]
    for other in range(book["working"] - 1, -1, -1):
        entry = book["slots"][other]
        if book["opens"][other] == 1 and entry["filled"] > 0 and entry["level"] < 0:
            retire(desk, book, other, bar, CANCELLED, ENDED_BY_STOP)
    return int(slot_of(book, number))


@jit
def close_part(desk: Record, book: Record, k: int, bar: int, lots: int, price: float, fee: float) -> None:
    """Book what an order closes of the position: a trade, with that part's share of the entry's costs."""
    held = abs(book["lots"])
    commission, slippage = book_fill(desk, book, k, bar, lots, price, fee)
    entry_commission, entry_slippage, carry = book["commission"], book["slippage"], book["carry"]
    if lots < held:
        entry_commission *= lots / held
        entry_slippage *= lots / held
        carry *= lots / held
    write_trade(desk, book, k, bar, lots, price)
    trade = desk["trade_rows"][desk["trades"] - 1]
    trade["commission"] = entry_commission + commission
    trade["slippage"] = entry_slippage + slippage
    trade["pnl"] -= trade["commission"] + trade["slippage"]
    trade["pnl"] += carry
    trade["carry"] = carry
    entry_value = to_quantity(lots, book["lot_size"], book["lot_inverse"]) * abs(book["basis"])
    note_result(desk, book, bar, trade["pnl"], entry_value)
    book["commission"] -= entry_commission
    book["slippage"] -= entry_slippage
    book["carry"] -= carry
    if lots == held:
        clear_units(book)
    else:
        shrink_units(book, book["unit"][k], lots)
    book["lots"] += int(book["slots"][k]["side"]) * lots
    book["quantity"] = to_quantity(book["lots"], book["lot_size"], book["lot_inverse"])
    book["mark"] = price


@jit
def write_trade(desk: Record, book: Record, k: int, bar: int, lots: int, price: float) -> None:
    """Write a trade of `lots` closed at `price`, its profit before costs."""
    order = book["slots"][k]
    entry = book["price"]
    highest = max(book["highest"], price)
    lowest = min(book["lowest"], price)
    side = -int(order["side"])
    trade = desk["trade_rows"][desk["trades"]]
    desk["trades"] += 1
    trade["entry_bar"] = book["entry_bar"]
    trade["exit_bar"] = bar
    trade["entry_order"] = book["entry_order"]
    trade["exit_order"] = order["id"]
    trade["lots"] = lots
    trade["entry_price"] = entry
    trade["exit_price"] = price
    quantity = to_quantity(lots, book["lot_size"], book["lot_inverse"])
    if book["contract"] == 1.0:
        trade["pnl"] = side * value_of(book, quantity, price - entry)
    else:
        trade["pnl"] = side * (price * book["rate"] - book["basis"]) * quantity
    # An average of several entries at one price may lie beyond it by its rounding.
    trade["mae"] = max(entry - lowest if side > 0 else highest - entry, 0.0)
    trade["mfe"] = max(highest - entry if side > 0 else entry - lowest, 0.0)
    trade["instrument"] = book["index"]
    trade["side"] = side
    trade["exit_reason"] = order["reason"]
