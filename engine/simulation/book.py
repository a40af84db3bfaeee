"""Fills and positions: compiled functions that keep the books.

`desk` and `book` are records of `engine.simulation.records`; `k` is a slot of the book's orders at work, `bar` an index
into the instrument's own bars.
"""

from __future__ import annotations

from engine.simulation.costs import fill_costs, note_part, volume_lots
from engine.simulation.jit import jit
from engine.simulation.orders import cancel_exits, end_entries, retire, slot_of
from engine.simulation.primitives import to_quantity
from engine.simulation.records import CANCELLED, FILLED, NO_REASON, OPENS, POSITION_CLOSED, STOP, STOPS, Record
from engine.simulation.sizing import note_result


@jit
def book_fill(desk: Record, book: Record, k: int, bar: int, lots: int, price: float) -> tuple[float, float]:
    """Write a fill, move the cash, and return commission and slippage."""
    order = book["slots"][k]
    quantity, commission, slippage = fill_costs(desk, book, k, lots, price)
    note_part(book, k, lots, quantity * price, commission)
    desk["cash"] -= order["side"] * (quantity * price * book["rate"]) + commission + slippage
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
    fill["rate"] = book["rate"]
    return commission, slippage


@jit
def open_position(desk: Record, book: Record, k: int, bar: int, lots: int, price: float) -> None:
    """Fill an entry order: the position grows, its price is the average by cost."""
    commission, slippage = book_fill(desk, book, k, bar, lots, price)
    order = book["slots"][k]
    held = abs(book["lots"])
    if held == 0:
        book["price"] = price
        book["basis"] = price * book["rate"]
        book["carry"] = 0.0
        book["leaving"] = 0
        book["commission"] = commission
        book["slippage"] = slippage
        book["entry_bar"] = bar
        book["entry_order"] = order["id"]
        book["highest"] = price
        book["lowest"] = price
        book["entries"] = 0
        book["first_lots"] = lots
    else:
        book["price"] = (book["price"] * held + price * lots) / (held + lots)
        book["basis"] = (book["basis"] * held + price * book["rate"] * lots) / (held + lots)
        book["commission"] += commission
        book["slippage"] += slippage
    # An order that fills in parts is one entry.
    if order["filled"] == lots:
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
        if book["opens"][other] == 1 and book["slots"][other]["filled"] > 0 and book["slots"][other]["level"] < 0:
            retire(desk, book, other, bar, CANCELLED, POSITION_CLOSED)
    return int(slot_of(book, number))


@jit
def reduce_position(desk: Record, book: Record, k: int, bar: int, price: float) -> None:
    """Fill an exit order: the position shrinks, and when it is gone, so are the orders that were there to close it."""
    order = book["slots"][k]
    parent, level = order["parent"], order["level"]
    if order["kind"] == STOP:
        k = end_partial_entries(desk, book, k, bar)
        order = book["slots"][k]
    wanted = min(order["lots"] - order["filled"], abs(book["lots"]))
    closed = close_part(desk, book, k, bar, price)
    if level >= 0:
        book["grid_held"][level] -= closed
    if closed < wanted:
        return
    retire(desk, book, k, bar, FILLED, NO_REASON)
    if level >= 0:
        book["grid_held"][level] = 0
    if book["lots"] == 0:
        cancel_exits(desk, book, bar, parent)
        if book["grid_side"] != 0 and level < 0:
            end_entries(desk, book, bar, book["grid_side"], POSITION_CLOSED)


@jit
def close_part(desk: Record, book: Record, k: int, bar: int, price: float) -> int:
    """Book what an order closes of the position: a trade, with that part's share of the entry's costs. Return its lots.

    What the bar's volume does not take stays at work; of a stop that was triggered as a market order.
    """
    held = abs(book["lots"])
    wanted = min(book["slots"][k]["lots"] - book["slots"][k]["filled"], held)
    lots = volume_lots(desk, book, k, wanted)
    if lots < wanted and book["phase"][k] == STOPS:
        book["phase"][k] = OPENS
        book["leaving"] = 1
    if lots == 0:
        return 0
    commission, slippage = book_fill(desk, book, k, bar, lots, price)
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
    entry_value = to_quantity(lots, book["lot_size"], book["lot_inverse"]) * book["basis"]
    note_result(desk, book, bar, trade["pnl"], entry_value)
    book["commission"] -= entry_commission
    book["slippage"] -= entry_slippage
    book["carry"] -= carry
    book["lots"] += int(book["slots"][k]["side"]) * lots
    book["quantity"] = to_quantity(book["lots"], book["lot_size"], book["lot_inverse"])
    book["mark"] = price
    return int(lots)


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
    trade["pnl"] = (
        side * (price * book["rate"] - book["basis"]) * to_quantity(lots, book["lot_size"], book["lot_inverse"])
    )
    # An average of several entries at one price may lie beyond it by its rounding.
    trade["mae"] = max(entry - lowest if side > 0 else highest - entry, 0.0)
    trade["mfe"] = max(highest - entry if side > 0 else entry - lowest, 0.0)
    trade["instrument"] = book["index"]
    trade["side"] = side
    trade["exit_reason"] = order["reason"]
