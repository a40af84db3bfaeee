"""A grid: limit entries at lines below (for a short: above) an anchor, each sold one line higher. Compiled."""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.entries import offset_distance, steps_of
from quantcrafter.engine.simulation.halts import shut_out
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import add_order
from quantcrafter.engine.simulation.primitives import round_to_tick, whole_lots
from quantcrafter.engine.simulation.protection import stop_distance
from quantcrafter.engine.simulation.records import GRID, LIMIT, Market, Record, Table
from quantcrafter.engine.simulation.worth import value_of


@jit
def begin_grid(terms: Record, book: Record, market: Market, bar: int, side: int, lots: int) -> bool:
    """Lay the grid's lines from the anchor at this close; return whether its anchor and spacing are known."""
    row = book["start"] + bar
    anchor = market.columns[terms["line"], row] if terms["line"] >= 0 else market.close[row]
    steps = steps_of(book, terms["grid_ticks"], terms["grid_pips"])
    step = offset_distance(terms, market, row, anchor, terms["grid_percent"], steps, terms["grid_multiple"])
    if not (0.0 < anchor < math.inf and step >= book["tick_size"] and step < math.inf):
        return False
    book["grid_side"], book["grid_anchor"], book["grid_step"], book["grid_lots"] = side, anchor, step, lots
    for level in range(terms["grid_levels"]):
        book["grid_held"][level] = 0
    return True


@jit
def grid_price(book: Record, line: int) -> float:
    """Return the price of a line of the grid; line 0 is the anchor."""
    price = book["grid_anchor"] - book["grid_side"] * line * book["grid_step"]
    return float(round_to_tick(price, book["tick_size"], book["tick_inverse"]))


@jit
def place_line(desk: Record, book: Record, bar: int, level: int, side: int, lots: int, price: float) -> int:
    """Put a limit order of one of the grid's lines to work and return its slot."""
    k = add_order(desk, book, bar, LIMIT, side, lots, GRID)
    book["slots"][k]["level"] = level
    book["slots"][k]["price"] = price
    return k


@jit
def is_protectable(book: Record, rules: Table, market: Market, bar: int, side: int, price: float) -> bool:
    """Return whether an entry at a price, decided at this close, has a distance for its stop and target."""
    return not math.isnan(stop_distance(rules, market.columns, book, book["start"] + bar, price, side))


@jit
def tend_grid(desk: Record, terms: Record, book: Record, rules: Table, market: Market, bar: int, equity: float) -> None:
    """See to it that every line has its order: to enter, or to leave one line higher what it holds.

    Lines to enter wait for a close at which their stop and target have a distance.
    """
    side, lots = book["grid_side"], book["grid_lots"]
    has_order = 0
    planned = abs(book["lots"])
    for k in range(book["working"]):
        order = book["slots"][k]
        if order["level"] >= 0:
            has_order |= 1 << int(order["level"])
            if book["opens"][k] == 1:
                planned += order["lots"] - order["filled"]
    largest = terms["grid_cap_percent"] / 100.0 * equity / value_of(book, 1.0, book["grid_anchor"])
    most = whole_lots(largest, book["lot_size"], book["lot_inverse"])
    allowed = market.allowed[book["execution"], book["start"] + bar] and shut_out(desk, book, market, bar)[0] < 0
    for level in range(terms["grid_levels"]):
        if has_order >> level & 1:
            continue
        if book["grid_held"][level] > 0:
            target = grid_price(book, level)
            k = place_line(desk, book, bar, level, -side, book["grid_held"][level], target)
            book["slots"][k]["parent"] = book["entry_order"]
        elif allowed and planned + lots <= most and grid_price(book, level + 1) > 0.0:
            price = grid_price(book, level + 1)
            if not is_protectable(book, rules, market, bar, side, price):
                continue
            k = place_line(desk, book, bar, level, side, lots, price)
            book["opens"][k] = 1
            planned += lots
