"""Decisions on the close of a bar: signal flags in, market orders or blocked entries out. Compiled."""

from __future__ import annotations

import math

from engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, FloatColumn
from engine.simulation.book import add_order
from engine.simulation.jit import jit
from engine.simulation.primitives import protective_distance, wanted_quantity, whole_lots
from engine.simulation.records import (
    BLOCKED_CONTRADICTION,
    BLOCKED_DISTANCE,
    BLOCKED_EQUITY,
    BLOCKED_FILTER,
    BLOCKED_OPPOSITE,
    BLOCKED_SIZE,
    BLOCKED_WARMUP,
    CLOSE_OPPOSITE,
    ENTRY,
    IGNORE_OPPOSITE,
    MARKET,
    OPPOSITE,
    RISK_PERCENT,
    SIGNAL,
    STOP_LOSS,
    Record,
    Table,
)

ENTRIES = ENTER_LONG | ENTER_SHORT


@jit
def contradicts(flags: int) -> bool:
    """Return whether a bar asks for both entries at once, or to enter and leave the same side."""
    both = (flags & ENTRIES) == ENTRIES
    long = (flags & ENTER_LONG) != 0 and (flags & EXIT_LONG) != 0
    short = (flags & ENTER_SHORT) != 0 and (flags & EXIT_SHORT) != 0
    return both or long or short


@jit
def rule_distance(rule: Record, columns: FloatColumn, row: int, price: float) -> float:
    """Return the distance of a protective rule from `price`, with its column's value at `row`."""
    value = columns[rule["column"], row] if rule["column"] >= 0 else 0.0
    return float(protective_distance(price, rule["percent"], rule["multiple"], value, rule["offset"]))


@jit
def stop_distance(rules: Table, columns: FloatColumn, row: int, close: float) -> float:
    """Return the distance of the nearest stop-loss from the close: infinite without one.

    NaN when any protective rule, of a stop or a target, has no distance or none above zero.
    """
    nearest = math.inf
    for r in range(len(rules)):
        distance = rule_distance(rules[r], columns, row, close)
        if not (distance > 0.0 and distance < math.inf):
            return math.nan
        if rules[r]["kind"] == STOP_LOSS:
            nearest = min(nearest, distance)
    return nearest


@jit
def block(desk: Record, book: Record, bar: int, flags: int, reason: int) -> None:
    """Note an entry signal that does not become an order."""
    row = desk["blocked_rows"][desk["blocked"]]
    desk["blocked"] += 1
    row["bar"] = bar
    row["instrument"] = book["index"]
    row["flags"] = flags
    row["reason"] = reason


@jit
def enter(
    desk: Record,
    book: Record,
    bar: int,
    side: int,
    allowed: int,
    close: float,
    equity: float,
    distance: float,
) -> None:
    """Order an entry of the size that the money rule gives, or note why there is none."""
    flag = ENTER_LONG if side > 0 else ENTER_SHORT
    if allowed == 0:
        block(desk, book, bar, flag, BLOCKED_FILTER)
        return
    if not equity > 0.0:
        block(desk, book, bar, flag, BLOCKED_EQUITY)
        return
    if math.isnan(distance) or (desk["size_kind"] == RISK_PERCENT and math.isinf(distance)):
        block(desk, book, bar, flag, BLOCKED_DISTANCE)
        return
    quantity = wanted_quantity(desk["size_kind"], desk["size_value"], equity, close, distance)
    lots = whole_lots(quantity, book["lot_size"], book["lot_inverse"])
    if lots == 0:
        block(desk, book, bar, flag, BLOCKED_SIZE)
        return
    add_order(desk, book, bar, MARKET, side, lots, ENTRY)


@jit
def leave(desk: Record, book: Record, bar: int, reason: int) -> None:
    """Order the whole position to be closed at the next open."""
    lots = book["lots"]
    add_order(desk, book, bar, MARKET, -1 if lots > 0 else 1, abs(lots), reason)


@jit
def decide(
    desk: Record,
    book: Record,
    bar: int,
    flags: int,
    allowed: int,
    close: float,
    equity: float,
    distance: float,
) -> None:
    """Act on the flags of a bar that has closed: exits first, then at most one entry.

    `equity` is marked at this close; `allowed` is 0 where the filters block entries, `distance` is what
    `stop_distance` says for this bar.
    """
    entries = flags & ENTRIES
    if bar < book["first_bar"]:
        if entries != 0:
            block(desk, book, bar, entries, BLOCKED_WARMUP)
        return
    held = book["lots"]
    leaving = (held > 0 and (flags & EXIT_LONG) != 0) or (held < 0 and (flags & EXIT_SHORT) != 0)
    if leaving:
        leave(desk, book, bar, SIGNAL)
    if entries == 0:
        return
    if contradicts(flags):
        block(desk, book, bar, entries, BLOCKED_CONTRADICTION)
        return
    side = 1 if entries == ENTER_LONG else -1
    if held * side > 0:
        return
    if held != 0 and not leaving:
        if desk["on_opposite"] == IGNORE_OPPOSITE:
            block(desk, book, bar, entries, BLOCKED_OPPOSITE)
            return
        leave(desk, book, bar, OPPOSITE)
        if desk["on_opposite"] == CLOSE_OPPOSITE:
            return
    enter(desk, book, bar, side, allowed, close, equity, distance)
