"""Entry orders: their price, how long they work, and what becomes of them while they wait. Compiled."""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import add_order, retire
from quantcrafter.engine.simulation.primitives import is_price, round_to_tick
from quantcrafter.engine.simulation.protection import stop_distance
from quantcrafter.engine.simulation.records import (
    BARS,
    CANCELLED,
    DAY,
    DAY_BEGINS,
    DAY_ENDS,
    EITHER,
    ENTRY,
    EXPIRED,
    LIMIT,
    NO_SIZE,
    REPLACED,
    STOP_LIMIT,
    Market,
    Record,
    Table,
)
from quantcrafter.engine.simulation.sizing import entry_lots


@jit
def steps_of(book: Record, ticks: float, pips: float) -> float:
    """Return a number of ticks and of pips as a difference of prices."""
    return float(ticks * book["tick_size"] + pips * book["pip_size"])


@jit
def offset_distance(
    terms: Record, market: Market, row: int, price: float, percent: float, steps: float, multiple: float
) -> float:
    """Return price x percent / 100 + steps + multiple x range at `row`; NaN while the range is not known."""
    distance = abs(price) * percent / 100.0 + steps
    if multiple != 0.0:
        distance += multiple * market.columns[terms["atr"], row]
    return float(distance)


@jit
def entry_price(terms: Record, book: Record, market: Market, row: int, side: int) -> float:
    """Return trigger or limit of a waiting entry that is decided at `row`; NaN when it is not known."""
    line = terms["short_line"] if side < 0 and terms["short_line"] >= 0 else terms["line"]
    base = market.columns[line, row] if line >= 0 else market.close[row]
    steps = steps_of(book, terms["entry_ticks"], terms["entry_pips"])
    distance = offset_distance(terms, market, row, base, terms["entry_percent"], steps, terms["entry_multiple"])
    away = -side if terms["entry_kind"] == LIMIT else side
    price = round_to_tick(base + away * distance, book["tick_size"], book["tick_inverse"])
    return price if is_price(price, book["contract"]) else math.nan


@jit
def limit_beyond(terms: Record, book: Record, market: Market, row: int, side: int, trigger: float) -> float:
    """Return the limit of a stop-limit with that trigger, at least one tick; NaN when its distance is not known."""
    steps = steps_of(book, terms["limit_ticks"], terms["limit_pips"])
    distance = offset_distance(terms, market, row, trigger, terms["limit_percent"], steps, terms["limit_multiple"])
    limit = round_to_tick(trigger + side * distance, book["tick_size"], book["tick_inverse"])
    return limit if not limit <= 0.0 or book["contract"] == 1.0 else book["tick_size"]


@jit
def lots_at(
    desk: Record, book: Record, rules: Table, market: Market, decided: int, side: int, price: float, equity: float
) -> tuple[int, int]:
    """Return the lots of an entry at `price`, or 0 and why there is none.

    Distances and the money rule's column have their values of the bar `decided`: the same that protect the position.
    """
    row = book["start"] + decided
    distance = stop_distance(rules, market.columns, book, row, price, side)
    return entry_lots(desk, book, price, equity, distance, size_value(desk, book, market, row))


@jit
def size_value(desk: Record, book: Record, market: Market, row: int) -> float:
    """Return the value of the money rule's column; 0 where it has none."""
    column = desk["executions"][book["execution"]]["size_column"]
    return float(market.columns[column, row]) if column >= 0 else 0.0


@jit
def last_bar(terms: Record, bar: int) -> int:
    """Return the last bar at which an order made on the close of `bar` may fill, or -1 where it is not counted."""
    return int(bar + terms["life_bars"]) if terms["life"] == BARS else -1


@jit
def place_entry(
    desk: Record, book: Record, market: Market, bar: int, side: int, lots: int, price: float, expires: int
) -> int:
    """Put a waiting entry of the rule's kind to work and return its slot."""
    terms = desk["executions"][book["execution"]]
    kind = terms["entry_kind"]
    k = add_order(desk, book, bar, kind, side, lots, ENTRY)
    order = book["slots"][k]
    order["price"] = price
    order["expires"] = expires
    if terms["life"] == DAY:
        book["day_bar"][k] = bar + 1
    if kind == STOP_LIMIT:
        order["limit"] = limit_beyond(terms, book, market, book["start"] + bar, side, price)
    return k


@jit
def waiting_entry(book: Record, side: int) -> int:
    """Return the slot of an entry at work on that side, or -1; 0 means either side."""
    for k in range(book["working"]):
        order = book["slots"][k]
        if order["reason"] == ENTRY and (side == 0 or order["side"] == side):
            return k
    return -1


@jit
def replace_entry(
    desk: Record, book: Record, rules: Table, market: Market, k: int, bar: int, price: float, equity: float
) -> None:
    """Cancel a waiting entry and put it to work anew at another price, for what is left of its life.

    It is sized for the new price, with the distances of the bar that gave its signal. One that can no longer be sized
    or protected ends; the rest of one that has filled in part keeps its lots.
    """
    order = book["slots"][k]
    side, lots, expires = int(order["side"]), order["lots"] - order["filled"], order["expires"]
    decided, day_bar = book["decided"][k], book["day_bar"][k]
    if order["filled"] == 0:
        lots, _ = lots_at(desk, book, rules, market, decided, side, price, equity)
    retire(desk, book, k, bar, CANCELLED, REPLACED if lots > 0 else NO_SIZE)
    if lots > 0:
        k = place_entry(desk, book, market, bar, side, lots, price, expires)
        book["decided"][k], book["day_bar"][k] = decided, day_bar


@jit
def expire_orders(desk: Record, book: Record, market: Market, bar: int) -> None:
    """End orders whose time is over at a close: their number of bars, or the session of their day."""
    if len(market.day_edge) > 0 and (market.day_edge[book["start"] + bar] & DAY_ENDS) != 0:
        end_day(desk, book, bar)
    for k in range(book["working"] - 1, -1, -1):
        if 0 <= book["slots"][k]["expires"] <= bar:
            retire(desk, book, k, bar, CANCELLED, EXPIRED)


@jit
def end_day(desk: Record, book: Record, bar: int) -> None:
    """End orders that are good for a day, because `bar` was the last one of it."""
    for k in range(book["working"] - 1, -1, -1):
        if 0 <= book["day_bar"][k] <= bar:
            book["slots"][k]["expires"] = bar
            retire(desk, book, k, bar, CANCELLED, EXPIRED)


@jit
def begin_day_bar(desk: Record, book: Record, market: Market, bar: int) -> None:
    """End orders that were good for a day whose last bars are missing: the first bar of another one has come."""
    if book["working"] > 0 and (market.day_edge[book["start"] + bar] & DAY_BEGINS) != 0:
        end_day(desk, book, bar - 1)


@jit
def follow_line(desk: Record, book: Record, rules: Table, market: Market, bar: int, equity: float) -> None:
    """Let a waiting entry follow its line while the line has a value."""
    k = waiting_entry(book, EITHER)
    if k < 0:
        return
    # After a fill that came late the position may be that of another execution.
    owner, book["execution"] = book["execution"], book["slots"][k]["execution"]
    terms = desk["executions"][book["execution"]]
    if terms["follow"] == 1 and book["slots"][k]["touched_bar"] < 0:
        row, side = book["start"] + bar, int(book["slots"][k]["side"])
        price = entry_price(terms, book, market, row, side)
        if terms["entry_kind"] == STOP_LIMIT and math.isnan(limit_beyond(terms, book, market, row, side, price)):
            price = math.nan
        if not math.isnan(price) and price != book["slots"][k]["price"]:
            replace_entry(desk, book, rules, market, k, bar, price, equity)
    book["execution"] = owner
