"""The phases of a bar before its close: which orders fill, at what price, and what a fill brings about. Compiled."""

from __future__ import annotations

import math

from engine.api.ports import FloatColumn
from engine.simulation.book import (
    add_order,
    affordable_lots,
    available_cash,
    next_working,
    open_position,
    reduce_position,
    retire,
)
from engine.simulation.decisions import rule_distance
from engine.simulation.jit import jit
from engine.simulation.primitives import match_limit, match_stop, protective_level
from engine.simulation.records import (
    CANCELLED,
    CLOSE,
    DATA_ENDED,
    END_OF_DATA,
    ENTRY,
    FILLED,
    LIMIT,
    MARKET,
    NO_CASH,
    NO_REASON,
    NONE,
    REDUCED,
    REJECTED,
    STOP,
    STOP_LOSS,
    STOP_LOSS_HIT,
    TAKE_PROFIT,
    TAKE_PROFIT_HIT,
    Record,
    Table,
)


@jit
def nearest_rule(rules: Table, columns: FloatColumn, kind: int, row: int, price: float) -> tuple[int, float]:
    """Return the protective rule of that kind nearest to `price`, and its distance; -1 when there is none."""
    chosen, nearest = -1, math.inf
    for r in range(len(rules)):
        if rules[r]["kind"] == kind:
            distance = rule_distance(rules[r], columns, row, price)
            if distance < nearest:
                chosen, nearest = r, distance
    return chosen, nearest


@jit
def protect(desk: Record, book: Record, bar: int, entry: int, kind: int, rule: int, distance: float) -> None:
    """Put a stop-loss or a take-profit to work for the position that order `entry` opened at the open of `bar`."""
    side = 1 if book["lots"] > 0 else -1
    if kind == STOP_LOSS:
        k = add_order(desk, book, bar, STOP, -side, abs(book["lots"]), STOP_LOSS_HIT)
    else:
        k = add_order(desk, book, bar, LIMIT, -side, abs(book["lots"]), TAKE_PROFIT_HIT)
    order = book["slots"][k]
    order["parent"] = entry
    order["rule"] = rule
    order["price"] = protective_level(kind, side, book["price"], distance, book["tick_size"], book["tick_inverse"])
    book["from_bar"][k] = bar + desk["arm_delay"]


@jit
def fill_entry(
    desk: Record, books: Table, rules: Table, columns: FloatColumn, i: int, k: int, bar: int, price: float
) -> None:
    """Fill an entry order at the open as far as the account can pay for it, and protect the position."""
    book = books[i]
    entry, wanted = book["slots"][k]["id"], book["slots"][k]["lots"]
    decided = book["start"] + book["slots"][k]["created_bar"]
    lots = affordable_lots(desk, book, MARKET, wanted, price, available_cash(desk, books, i, price))
    if lots < wanted and (lots == 0 or desk["reject"] == 1):
        retire(desk, book, k, bar, REJECTED, NO_CASH)
        return
    open_position(desk, book, k, bar, lots, price)
    retire(desk, book, k, bar, FILLED, NO_REASON if lots == wanted else REDUCED)
    if len(rules) == 0:
        return
    for kind in (STOP_LOSS, TAKE_PROFIT):
        rule, distance = nearest_rule(rules, columns, kind, decided, price)
        if rule >= 0:
            protect(desk, book, bar, entry, kind, rule, distance)


@jit
def match_open(desk: Record, books: Table, rules: Table, columns: FloatColumn, i: int, bar: int, price: float) -> None:
    """Fill market orders of instrument `i` at the open, by id."""
    book = books[i]
    k = next_working(book, bar, MARKET, NONE)
    while k >= 0:
        order = book["slots"][k]["id"]
        if book["slots"][k]["reason"] == ENTRY:
            fill_entry(desk, books, rules, columns, i, k, bar, price)
        else:
            reduce_position(desk, book, k, bar, price)
        k = next_working(book, bar, MARKET, order)


@jit
def match_inside(desk: Record, book: Record, bar: int, open_: float, high: float, low: float) -> None:
    """Fill what the bar touches: stop orders by id, then limit orders by id."""
    for kind in (STOP, LIMIT):
        k = next_working(book, bar, kind, NONE)
        while k >= 0:
            order, side, level = book["slots"][k]["id"], book["slots"][k]["side"], book["slots"][k]["price"]
            if kind == STOP:
                price = match_stop(side, level, open_, high, low)
            else:
                price = match_limit(side, level, open_, high, low)
            if not math.isnan(price):
                reduce_position(desk, book, k, bar, price)
            k = next_working(book, bar, kind, order)


@jit
def mark(desk: Record, book: Record, bar: int, high: float, low: float, close: float) -> None:
    """Mark an open position at the close; at the end of the instrument's data close it, if the terms say so."""
    book["highest"] = max(book["highest"], high)
    book["lowest"] = min(book["lowest"], low)
    book["mark"] = close
    if bar == book["bars"] - 1 and desk["close_last"] == 1:
        k = add_order(desk, book, bar, CLOSE, -1 if book["lots"] > 0 else 1, abs(book["lots"]), DATA_ENDED)
        reduce_position(desk, book, k, bar, close)


@jit
def end_data(desk: Record, book: Record, bar: int) -> None:
    """Cancel what is still at work when the instrument has no further bar."""
    if bar == book["bars"] - 1:
        while book["working"] > 0:
            retire(desk, book, book["working"] - 1, bar, CANCELLED, END_OF_DATA)
