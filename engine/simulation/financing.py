"""What a position costs and brings while it is held: borrow fees, dividends, splits, and the rate of its currency.

Everything that happens between two bars, and at the open before any order fills, is booked by `begin_bar`; what
happens within a bar by `end_bar`, at its close. Compiled.
"""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.fills import apply_exit
from quantcrafter.engine.simulation.interventions import book_cash
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import add_order
from quantcrafter.engine.simulation.primitives import TOLERANCE, order_price, to_quantity
from quantcrafter.engine.simulation.protection import follow_units
from quantcrafter.engine.simulation.records import CLOSE, NONE, SPLIT_UP, Market, Record
from quantcrafter.engine.simulation.risk_records import BORROW, CASH_IN_LIEU, DIVIDEND
from quantcrafter.engine.simulation.units import drop_empty_units, unit_of
from quantcrafter.engine.simulation.worth import value_of

YEAR_NS = 365 * 86_400_000_000_000


@jit
def borrow_fee(quantity: float, price: float, percent: float, elapsed_ns: int) -> float:
    """Return what borrowing that quantity costs for a time, in the currency of the price."""
    return abs(quantity) * price * percent / 100.0 * (elapsed_ns / YEAR_NS)


@jit
def pay_borrow(desk: Record, book: Record, bar: int, price: float, elapsed_ns: int) -> None:
    """Book the fee of a short position for a time that has gone by, on its value at `price`."""
    if book["lots"] < 0 and book["borrow_percent"] > 0.0 and elapsed_ns > 0:
        fee = borrow_fee(book["quantity"], price, book["borrow_percent"], elapsed_ns) * book["rate"]
        book_cash(desk, book, bar, BORROW, -fee)


@jit
def split_lots(lots: int, ratio: float) -> int:
    """Return the whole lots that a number of lots becomes, rounded towards zero."""
    exact = abs(lots) * ratio
    whole = math.floor(exact + 0.5)
    if abs(exact - whole) > TOLERANCE * exact:
        whole = math.floor(exact)
    return int(whole) if lots >= 0 else -int(whole)


@jit
def close_remainder(desk: Record, book: Record, bar: int) -> None:
    """Close a position, of which a split would leave no whole lot, at the last close before it."""
    lots = book["lots"]
    k = add_order(desk, book, bar, CLOSE, -1 if lots > 0 else 1, abs(lots), SPLIT_UP)
    apply_exit(desk, book, k, bar, abs(lots), book["mark"], math.nan)


@jit
def split_position(desk: Record, book: Record, bar: int, ratio: float) -> None:
    """Let each unit held become `ratio` units, each worth so much less; a part of a lot is paid out at the mark."""
    exact = book["quantity"] * ratio
    book["price"] /= ratio
    book["basis"] /= ratio
    book["highest"] /= ratio
    book["lowest"] /= ratio
    book["mark"] /= ratio
    book["last_price"] /= ratio
    book["first_lots"] = split_lots(book["first_lots"], ratio)
    book["last_lots"] = split_lots(book["last_lots"], ratio)
    book["lots"] = split_lots(book["lots"], ratio)
    book["quantity"] = to_quantity(book["lots"], book["lot_size"], book["lot_inverse"])
    split_units(book, ratio)
    left = exact - book["quantity"]
    if abs(left) > TOLERANCE * abs(exact):
        if book["contract"] == 1.0:
            book_cash(desk, book, bar, CASH_IN_LIEU, value_of(book, left, book["mark"] - book["price"]))
        else:
            book_cash(desk, book, bar, CASH_IN_LIEU, left * book["mark"] * book["rate"])
            book["carry"] -= left * book["basis"]


@jit
def split_units(book: Record, ratio: float) -> None:
    """Let the units mean what the position means after a split; parts of a lot that make up a whole go to the last."""
    left, last = abs(book["lots"]), book["units"] - 1
    for u in range(last):
        book["unit_lots"][u] = split_lots(book["unit_lots"][u], ratio)
        left -= book["unit_lots"][u]
    book["unit_lots"][last] = left
    for u in range(last + 1):
        book["unit_price"][u] /= ratio
    drop_empty_units(book)


@jit
def split_price(book: Record, price: float, ratio: float) -> float:
    """Return the price of an order after a split, on the tick and not below the least one; NaN stays NaN."""
    if math.isnan(price):
        return price
    return float(order_price(price / ratio, book["tick_size"], book["tick_inverse"], book["contract"]))


@jit
def split_orders(desk: Record, book: Record, bar: int, ratio: float) -> None:
    """Let the orders at work mean the units after a split: more of them, at prices so much lower."""
    book["alarm_bar"] = 0
    for k in range(book["working"]):
        order = book["slots"][k]
        order["lots"] = order["filled"] + max(1, split_lots(order["lots"] - order["filled"], ratio))
        order["price"] = split_price(book, order["price"], ratio)
        order["limit"] = split_price(book, order["limit"], ratio)
        unit = unit_of(book, book["unit"][k]) if book["unit"][k] >= 0 else -1
        if unit >= 0:
            order["lots"] = book["unit_lots"][unit]
        elif order["rule"] >= 0:
            order["lots"] = abs(book["lots"])
    if book["lots"] != 0:
        follow_units(desk, book, bar, NONE)


@jit
def begin_bar(desk: Record, book: Record, market: Market, bar: int) -> None:
    """Book what happened from the last close to this open: borrow, then a split, then a dividend."""
    columns, row = market.account, book["start"] + bar
    if book["lots"] < 0 and bar > 0:
        pay_borrow(desk, book, bar, book["mark"], columns.open_ns[row] - columns.close_ns[row - 1])
    if len(columns.rate_open) > 0:
        book["rate"] = columns.rate_open[row]
    if len(columns.split) == 0:
        return
    ratio = columns.split[row]
    if ratio != 1.0:
        if book["lots"] != 0 and split_lots(book["lots"], ratio) == 0:
            close_remainder(desk, book, bar)
        if book["lots"] != 0:
            split_position(desk, book, bar, ratio)
        split_orders(desk, book, bar, ratio)
    if columns.dividend[row] != 0.0 and book["lots"] != 0:
        book_cash(desk, book, bar, DIVIDEND, value_of(book, book["quantity"], columns.dividend[row]))


@jit
def end_bar(desk: Record, book: Record, market: Market, bar: int) -> None:
    """Take the rate as of the close, and book the borrow fee of the bar, on its closing value."""
    columns, row = market.account, book["start"] + bar
    if len(columns.rate_close) > 0:
        book["rate"] = columns.rate_close[row]
    if book["lots"] < 0:
        pay_borrow(desk, book, bar, market.close[row], columns.close_ns[row] - columns.open_ns[row])
