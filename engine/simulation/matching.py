"""The phases of a bar before its close: which orders fill, at what price, and what a fill brings about. Compiled."""

from __future__ import annotations

import math
from typing import Any

from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.book import end_partial_entries
from quantcrafter.engine.simulation.caps import capped_lots
from quantcrafter.engine.simulation.costs import affordable_lots, available_cash, volume_lots
from quantcrafter.engine.simulation.fills import apply_exit, apply_fill
from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.orders import add_order, next_working, retire, slot_of
from quantcrafter.engine.simulation.primitives import match_limit, match_stop, to_quantity
from quantcrafter.engine.simulation.records import (
    ANY,
    BELOW_MINIMUM,
    CANCELLED,
    CAPPED,
    CLOSE,
    DATA_ENDED,
    END_OF_DATA,
    FILLED,
    LIMITS,
    NO_CASH,
    NO_REASON,
    NONE,
    OPENS,
    REDUCED,
    REJECTED,
    STOP,
    STOP_LIMIT,
    STOPS,
    Market,
    Record,
    Table,
)
from quantcrafter.engine.simulation.risk_records import ENTRY_BLOCKED, ENTRY_CUT
from quantcrafter.engine.simulation.sizing import is_too_small


@jit
def entry_limit(desk: Record, books: Table, i: int, k: int, bar: int, offered: int, price: float) -> tuple[int, int]:
    """Return how many of the lots offered an entry may take, and why not all of them: cash, caps, the minimum."""
    book = books[i]
    lots = affordable_lots(desk, book, k, offered, price, available_cash(desk, books, i, price))
    why = NO_REASON
    if lots < offered:
        if lots == 0 or desk["reject"] == 1:
            return 0, NO_CASH
        why = REDUCED
    if desk["guards"] > 0:
        allowed, rule = capped_lots(desk, books, i, k, lots, price)
        if allowed < lots:
            wanted = to_quantity(lots, book["lot_size"], book["lot_inverse"])
            given = to_quantity(allowed, book["lot_size"], book["lot_inverse"])
            intervene(desk, book["index"], bar, ENTRY_CUT if allowed > 0 else ENTRY_BLOCKED, rule, wanted, given)
            lots, why = allowed, CAPPED
    if lots > 0 and why != NO_REASON and book["slots"][k]["filled"] == 0 and is_too_small(book, lots):
        return 0, BELOW_MINIMUM
    return lots, why


@jit
def way_to(book: Record, k: int, bar: int) -> int:
    """Return which way the price went when it reached an entry inside the bar: +1 up, -1 down.

    A stop is reached in its own direction, a limit from the other side. A stop-limit that was touched inside this bar
    fills at its trigger.
    """
    order = book["slots"][k]
    touched = order["kind"] == STOP_LIMIT and order["touched_bar"] == bar
    at_trigger = touched and order["price"] == book["touch_price"][k]
    return int(order["side"] if order["kind"] == STOP or at_trigger else -order["side"])


@inlined
def fill_entry(
    desk: Record, books: Table, rules: Table, columns: FloatColumn, i: int, k: int, bar: int, price: float
) -> None:
    """Fill an entry order as far as volume, cash and caps allow.

    What the bar's volume does not take stays at work; of a stop that was triggered as a market order.
    """
    book = books[i]
    order = book["slots"][k]
    wanted = order["lots"] - order["filled"]
    offered = volume_lots(desk, book, k, wanted)
    if offered < wanted and book["phase"][k] == STOPS:
        book["phase"][k] = OPENS
    if offered == 0:
        return
    lots, why = entry_limit(desk, books, i, k, bar, offered, price)
    if lots == 0:
        retire(desk, book, k, bar, REJECTED if order["filled"] == 0 else FILLED, why)
        return
    if book["inside"] == 1:
        book["inside_bar"], book["inside_way"] = bar, way_to(book, k, bar)
    number = order["id"]
    apply_fill(desk, books, rules, columns, i, k, bar, lots, price, math.nan)
    if why != NO_REASON:
        retire(desk, book, slot_of(book, number), bar, FILLED, why)


@jit
def fill_exit(
    desk: Record, books: Table, rules: Table, columns: FloatColumn, i: int, k: int, bar: int, price: float
) -> None:
    """Close with an order as much of the position as the bar's volume allows.

    What it does not take stays at work; of a stop that was triggered as a market order.
    """
    book = books[i]
    if book["slots"][k]["kind"] == STOP and book["opens"][k] == 0:
        k = end_partial_entries(desk, book, k, bar)
    wanted = min(book["slots"][k]["lots"] - book["slots"][k]["filled"], abs(book["lots"]))
    lots = volume_lots(desk, book, k, wanted)
    if lots < wanted and book["phase"][k] == STOPS:
        book["phase"][k] = OPENS
        if book["unit"][k] < 0 or wanted == abs(book["lots"]):
            book["leaving"] = 1
    if lots > 0:
        apply_fill(desk, books, rules, columns, i, k, bar, lots, price, math.nan)


@jit
def fill_order(
    desk: Record, books: Table, rules: Table, columns: FloatColumn, i: int, k: int, bar: int, price: float
) -> None:
    """Fill the order in slot `k` of instrument `i` at `price`.

    One that may open a position first closes what there is on the other side, then opens with the rest.
    """
    book = books[i]
    order = book["slots"][k]
    number, opens = order["id"], book["opens"][k] == 1
    if not opens or book["lots"] * order["side"] < 0:
        fill_exit(desk, books, rules, columns, i, k, bar, price)
        if not opens or book["lots"] != 0:
            return
        k = slot_of(book, number)
    if k >= 0:
        fill_entry(desk, books, rules, columns, i, k, bar, price)


@jit
def touch(book: Record, k: int, bar: int, price: float) -> None:
    """Let a stop-limit whose trigger was touched at `price` be a limit from now on."""
    book["slots"][k]["touched_bar"] = bar
    book["touch_price"][k] = price
    book["phase"][k] = LIMITS


@jit
def rest_of_bar(
    book: Record, k: int, bar: int, open_: float, high: float, low: float, close: float
) -> tuple[float, float, float]:
    """Return open, high and low of the part of the bar that the order in slot `k` certainly sees as a limit.

    That is the whole bar, unless it is a stop-limit that was touched inside this very bar: then all that is known to
    have come after is the way from its trigger to the close.
    """
    if book["slots"][k]["touched_bar"] == bar and book["touch_price"][k] != open_:
        price = book["touch_price"][k]
        return price, max(price, close), min(price, close)
    return open_, high, low


@jit
def match_open(
    desk: Record, books: Table, rules: Table, columns: FloatColumn, i: int, bar: int, part: int, price: float
) -> None:
    """Fill market orders of instrument `i` at the open, by id: all, or one part of them."""
    book = books[i]
    k = next_working(book, bar, OPENS, part, NONE)
    while k >= 0:
        order = book["slots"][k]["id"]
        fill_order(desk, books, rules, columns, i, k, bar, price)
        k = next_working(book, bar, OPENS, part, order)


@jit
def match_phase(
    desk: Record, books: Table, rules: Table, columns: FloatColumn, i: int, bar: int, phase: int, prices: Any
) -> None:
    """Fill the stops, or the limits, that `prices` touch, by id: open, high, low and close, or the open four times."""
    book = books[i]
    open_, high, low, close = prices
    k = next_working(book, bar, phase, ANY, NONE)
    while k >= 0:
        order = book["slots"][k]
        number = order["id"]
        if phase == STOPS:
            price = match_stop(int(order["side"]), order["price"], open_, high, low)
        else:
            limit = order["limit"] if order["kind"] == STOP_LIMIT else order["price"]
            first, highest, lowest = rest_of_bar(book, k, bar, open_, high, low, close)
            price = match_limit(int(order["side"]), limit, first, highest, lowest)
        if not math.isnan(price):
            if phase == STOPS and order["kind"] == STOP_LIMIT:
                touch(book, k, bar, price)
            else:
                fill_order(desk, books, rules, columns, i, k, bar, price)
        k = next_working(book, bar, phase, ANY, number)


@jit
def was_entered_inside(desk: Record, book: Record, bar: int) -> bool:
    """Return whether a position of this bar has orders that what came after its entry may reach within the bar."""
    return bool(book["inside_bar"] == bar and book["lots"] != 0 and book["working"] > 0 and desk["arm_delay"] == 0)


@jit
def next_armed(book: Record, bar: int, phase: int, after: int) -> int:
    """Return the slot of the next protective order of that phase that an entry of this bar made, or -1."""
    for k in range(book["working"]):
        order = book["slots"][k]
        made = order["rule"] >= 0 and order["created_bar"] == bar and book["from_bar"][k] == bar + 1
        if made and book["phase"][k] == phase and order["id"] > after:
            return k
    return -1


@jit
def after_entry(book: Record, bar: int, open_: float, high: float, low: float, close: float) -> Any:
    """Return the prices that a bar certainly saw after the entry inside it: where it began, highest, lowest, close.

    That is the way from the entry to the close, and the extreme that the price was moving to when it reached the entry.
    A stop that the bar reaches, and beyond which it did not open, may have been reached after the entry, too: where a
    target is certain, the stop is taken.
    """
    price, way = book["last_price"], book["inside_way"]
    highest = high if way > 0 else max(price, close)
    lowest = low if way < 0 else min(price, close)
    stop, certain = next_armed(book, bar, STOPS, NONE), False
    k = next_armed(book, bar, LIMITS, NONE)
    while k >= 0:
        order = book["slots"][k]
        certain = certain or not math.isnan(match_limit(int(order["side"]), order["price"], price, highest, lowest))
        k = next_armed(book, bar, LIMITS, order["id"])
    if certain and stop >= 0:
        level = book["slots"][stop]["price"]
        if book["lots"] > 0 and open_ > level:
            lowest = low
        if book["lots"] < 0 and open_ < level:
            highest = high
    return price, highest, lowest, close


@jit
def match_after(
    desk: Record, books: Table, rules: Table, columns: FloatColumn, i: int, bar: int, phase: int, prices: Any
) -> None:
    """Fill protective stops, or targets, of an entry inside the bar that were reached after it."""
    book = books[i]
    if not was_entered_inside(desk, book, bar):
        return
    open_, high, low, close = prices
    first, highest, lowest, _ = after_entry(book, bar, open_, high, low, close)
    k = next_armed(book, bar, phase, NONE)
    while k >= 0:
        order = book["slots"][k]
        number = order["id"]
        side, level = int(order["side"]), order["price"]
        if phase == STOPS:
            price = match_stop(side, level, first, highest, lowest)
        else:
            price = match_limit(side, level, first, highest, lowest)
        if not math.isnan(price):
            fill_order(desk, books, rules, columns, i, k, bar, price)
        k = next_armed(book, bar, phase, number)


def next_slot(books: Table, i: int, bar: int, phase: int, part: int, after: int) -> int:
    """Return `next_working` of instrument `i`; the driver in Python passes tables, which are faster than records."""
    return int(next_working(books[i], bar, phase, part, after))


def touch_slot(books: Table, i: int, k: int, bar: int, price: float) -> None:
    """Let the stop-limit in slot `k` of instrument `i` be a limit from now on."""
    touch(books[i], k, bar, price)


def entered_inside(desks: Table, books: Table, i: int, bar: int) -> bool:
    """Return `was_entered_inside` of instrument `i`."""
    return bool(was_entered_inside(desks[0], books[i], bar))


def armed_slot(books: Table, i: int, bar: int, phase: int, after: int) -> int:
    """Return `next_armed` of instrument `i`."""
    return int(next_armed(books[i], bar, phase, after))


def after_entry_of(books: Table, i: int, bar: int, open_: float, high: float, low: float, close: float) -> Any:
    """Return `after_entry` of instrument `i`."""
    first, highest, lowest, last = after_entry(books[i], bar, open_, high, low, close)
    return float(first), float(highest), float(lowest), float(last)


def fill_slot(desks: Table, books: Table, rules: Table, market: Market, i: int, k: int, bar: int, price: float) -> None:
    """Fill the order in slot `k` of instrument `i` at `price`."""
    fill_order(desks[0], books, rules, market.columns, i, k, bar, price)


@inlined
def mark(desk: Record, book: Record, bar: int, high: float, low: float, close: float) -> None:
    """Mark an open position at the close; at the end of the instrument's data close it, if the terms say so.

    Of a bar inside which it was entered only what certainly came after counts for its extremes.
    """
    if book["inside_bar"] == bar and book["entry_bar"] == bar:
        high = high if book["inside_way"] > 0 else close
        low = low if book["inside_way"] < 0 else close
    book["highest"] = max(book["highest"], high)
    book["lowest"] = min(book["lowest"], low)
    book["mark"] = close
    if bar == book["last_bar"] and desk["close_last"] == 1:
        close_last(desk, book, bar, close)


@jit
def close_last(desk: Record, book: Record, bar: int, close: float) -> None:
    """Close the position at the last close of its instrument's data."""
    k = add_order(desk, book, bar, CLOSE, -1 if book["lots"] > 0 else 1, abs(book["lots"]), DATA_ENDED)
    apply_exit(desk, book, k, bar, abs(book["lots"]), close, math.nan)


@inlined
def end_data(desk: Record, book: Record, bar: int) -> None:
    """Cancel what is still at work when the instrument has no further bar."""
    if bar == book["last_bar"] and book["working"] > 0:
        cancel_all(desk, book, bar)


def finish(desks: Table, books: Table, i: int) -> None:
    """End an instrument's data after its last close: close the position there, if the terms say so, and all orders."""
    desk, book = desks[0], books[i]
    bar = int(book["bars"]) - 1
    if book["lots"] != 0 and desk["close_last"] == 1:
        close_last(desk, book, bar, book["mark"])
    cancel_all(desk, book, bar)


@jit
def cancel_all(desk: Record, book: Record, bar: int) -> None:
    """Cancel every order at work, because the data has ended."""
    while book["working"] > 0:
        retire(desk, book, book["working"] - 1, bar, CANCELLED, END_OF_DATA)
