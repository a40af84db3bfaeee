"""Cash flows of an open position: borrow fees, dividends, splits, rolls, and the rate of its currency.

Everything that happens between two bars, and at the open before any order fills, is booked by `begin_bar`; what
happens within a bar by `end_bar`, at its close. Compiled.
"""

from __future__ import annotations

import math

from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.fills import apply_exit
from quantcrafter.engine.simulation.interventions import book_cash
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.opposing import reverses
from quantcrafter.engine.simulation.orders import add_order
from quantcrafter.engine.simulation.primitives import TOLERANCE, to_quantity
from quantcrafter.engine.simulation.protection import follow_units
from quantcrafter.engine.simulation.records import CLOSE, NONE, SPLIT_UP, MarketArrays, Record
from quantcrafter.engine.simulation.risk_records import BORROW, CASH_IN_LIEU, DIVIDEND, FUNDING, SWAP
from quantcrafter.engine.simulation.rolling import roll
from quantcrafter.engine.simulation.ticks import order_price
from quantcrafter.engine.simulation.units import drop_empty_units, unit_of
from quantcrafter.engine.simulation.worth import value_of

SWAP_DAYS = 360.0
"""The days of a year by which brokers divide a swap in percent."""

YEAR_NS = 365 * 86_400_000_000_000


@jit
def borrow_fee(quantity: float, price: float, percent: float, elapsed_ns: int) -> float:
    """Return the borrow fee of that quantity for a time, in the currency of the price."""
    return abs(quantity) * price * percent / 100.0 * (elapsed_ns / YEAR_NS)


@jit
def pay_borrow(portfolio: Record, holding: Record, bar: int, price: float, elapsed_ns: int) -> None:
    """Book the fee of a short position for an elapsed time, on its value at `price`."""
    if holding["lots"] < 0 and holding["borrow_percent"] > 0.0 and elapsed_ns > 0:
        fee = borrow_fee(holding["quantity"], price, holding["borrow_percent"], elapsed_ns) * holding["rate"]
        book_cash(portfolio, holding, bar, BORROW, -fee)


@jit
def pay_funding(portfolio: Record, holding: Record, bar: int, price: float, count: float) -> None:
    """Book so many fundings of a position, on its value at `price`: above zero, long ones pay to short ones.

    If the rate changes, `count` is the sum of the rates in percent, and `funding_percent` is 1.
    """
    if count != 0.0 and holding["funding_percent"] != 0.0:
        value = value_of(holding, holding["quantity"], price)
        book_cash(portfolio, holding, bar, FUNDING, -value * holding["funding_percent"] / 100.0 * count)


@jit
def pay_swap(portfolio: Record, holding: Record, bar: int, price: float, nights: float) -> None:
    """Book the swap of a position for so many nights: what its side earns, or pays below zero.

    If the swap changes, `nights` is the sum of what the side earns, and both swaps are 1.
    """
    swap = holding["swap_long"] if holding["lots"] > 0 else holding["swap_short"]
    if nights != 0.0 and swap != 0.0:
        quantity = abs(holding["quantity"])
        if holding["swap_by_value"] == 1:
            earned = abs(value_of(holding, quantity, price)) * swap / 100.0 / SWAP_DAYS
        else:
            earned = value_of(holding, quantity, swap)
        book_cash(portfolio, holding, bar, SWAP, earned * nights)


@jit
def carry(
    portfolio: Record, holding: Record, bar: int, price: float, fundings: FloatColumn, nights: FloatColumn
) -> None:
    """Book funding and swap of a position for a part of a bar, by the columns that count them."""
    row = holding["start"] + bar
    if len(fundings) > 0:
        pay_funding(portfolio, holding, bar, price, fundings[row])
    if len(nights) > 0:
        due = nights[row]
        if holding["swap_dated"] == 1 and holding["lots"] < 0:
            due = fundings[row]
        pay_swap(portfolio, holding, bar, price, due)


@jit
def split_lots(lots: int, ratio: float) -> int:
    """Return the whole lots that a number of lots becomes, rounded towards zero."""
    exact = abs(lots) * ratio
    whole = math.floor(exact + 0.5)
    if abs(exact - whole) > TOLERANCE * exact:
        whole = math.floor(exact)
    return int(whole) if lots >= 0 else -int(whole)


@jit
def close_remainder(portfolio: Record, holding: Record, bar: int) -> None:
    """Close a position that a split would reduce to less than one lot, at the last close before it."""
    lots = holding["lots"]
    k = add_order(portfolio, holding, bar, CLOSE, -1 if lots > 0 else 1, abs(lots), SPLIT_UP)
    apply_exit(portfolio, holding, k, bar, abs(lots), holding["mark"], math.nan)


@jit
def split_position(portfolio: Record, holding: Record, bar: int, ratio: float) -> None:
    """Convert each unit held to `ratio` units of lower value; a fraction of a lot is paid out at the mark."""
    exact = holding["quantity"] * ratio
    holding["price"] /= ratio
    holding["settled"] /= ratio
    holding["basis"] /= ratio
    holding["highest"] /= ratio
    holding["lowest"] /= ratio
    holding["mark"] /= ratio
    holding["last_price"] /= ratio
    holding["first_lots"] = split_lots(holding["first_lots"], ratio)
    holding["last_lots"] = split_lots(holding["last_lots"], ratio)
    holding["fresh_lots"] = split_lots(holding["fresh_lots"], ratio)
    holding["lots"] = split_lots(holding["lots"], ratio)
    holding["quantity"] = to_quantity(holding["lots"], holding["lot_size"], holding["lot_inverse"])
    split_units(holding, ratio)
    left = exact - holding["quantity"]
    if abs(left) > TOLERANCE * abs(exact):
        if holding["contract"] == 1.0:
            book_cash(
                portfolio, holding, bar, CASH_IN_LIEU, value_of(holding, left, holding["mark"] - holding["settled"])
            )
        else:
            book_cash(portfolio, holding, bar, CASH_IN_LIEU, left * holding["mark"] * holding["rate"])
            holding["carry"] -= left * holding["basis"]


@jit
def split_units(holding: Record, ratio: float) -> None:
    """Adjust the units of a position to a split; fractions that add up to whole lots go to the last unit."""
    left, last = abs(holding["lots"]), holding["units"] - 1
    for u in range(last):
        holding["unit_lots"][u] = split_lots(holding["unit_lots"][u], ratio)
        left -= holding["unit_lots"][u]
    holding["unit_lots"][last] = left
    for u in range(last + 1):
        holding["unit_price"][u] /= ratio
    drop_empty_units(holding)


@jit
def split_price(holding: Record, price: float, ratio: float) -> float:
    """Return the price of an order after a split, on the tick and at least the lowest one; NaN stays NaN."""
    if math.isnan(price):
        return price
    return float(order_price(holding, price / ratio))


@jit
def split_orders(portfolio: Record, holding: Record, bar: int, ratio: float, held: int) -> None:
    """Adjust the open orders to a split: more units, at proportionally lower prices.

    `held` are the lots of the position before the split; a reversing order closes what it has become.
    """
    holding["alarm_bar"] = 0
    for k in range(holding["working"]):
        order = holding["slots"][k]
        before, now = (held, abs(holding["lots"])) if reverses(holding, k) else (0, 0)
        left = order["lots"] - order["filled"] - before
        order["lots"] = order["filled"] + max(1, split_lots(left, ratio)) + now
        order["price"] = split_price(holding, order["price"], ratio)
        order["limit"] = split_price(holding, order["limit"], ratio)
        unit = unit_of(holding, holding["unit"][k]) if holding["unit"][k] >= 0 else -1
        if unit >= 0:
            order["lots"] = holding["unit_lots"][unit]
        elif order["rule"] >= 0:
            order["lots"] = abs(holding["lots"])
    if holding["lots"] != 0:
        follow_units(portfolio, holding, bar, NONE)


@jit
def split(portfolio: Record, holding: Record, bar: int, ratio: float) -> None:
    """Book a split of a position and of the open orders."""
    if holding["lots"] != 0 and split_lots(holding["lots"], ratio) == 0:
        close_remainder(portfolio, holding, bar)
    held = abs(holding["lots"])
    if holding["lots"] != 0:
        split_position(portfolio, holding, bar, ratio)
    split_orders(portfolio, holding, bar, ratio, held)


@jit
def begin_bar(portfolio: Record, holding: Record, market: MarketArrays, bar: int) -> None:
    """Book what happened from the last close to this open: borrow, funding, swap, then a roll, a split, a dividend."""
    columns, row = market.account, holding["start"] + bar
    if holding["lots"] < 0 and bar > 0:
        pay_borrow(portfolio, holding, bar, holding["mark"], columns.open_ns[row] - columns.close_ns[row - 1])
    if len(columns.rate_open) > 0:
        holding["rate"] = columns.rate_open[row]
    if holding["lots"] != 0:
        carry(portfolio, holding, bar, holding["mark"], columns.funding_open, columns.nights_open)
    if len(columns.split) == 0:
        return
    ratio = columns.split[row]
    if math.isnan(ratio):
        # An instrument that rolls has neither splits nor dividends: NaN marks a roll, and the price is the new one.
        if bar > 0:
            roll(portfolio, holding, bar, market.close[row - 1], columns.dividend[row])
        return
    if ratio != 1.0:
        split(portfolio, holding, bar, ratio)
    if columns.dividend[row] != 0.0 and holding["lots"] != 0:
        book_cash(portfolio, holding, bar, DIVIDEND, value_of(holding, holding["quantity"], columns.dividend[row]))


@jit
def end_bar(portfolio: Record, holding: Record, market: MarketArrays, bar: int) -> None:
    """Take the rate as of the close, and book borrow fee, funding and swap of the bar, on its closing value."""
    columns, row = market.account, holding["start"] + bar
    if len(columns.rate_close) > 0:
        holding["rate"] = columns.rate_close[row]
    if holding["lots"] < 0:
        pay_borrow(portfolio, holding, bar, market.close[row], columns.close_ns[row] - columns.open_ns[row])
    if holding["lots"] != 0:
        carry(portfolio, holding, bar, market.close[row], columns.funding_inside, columns.nights_inside)
