"""Decisions on the close of a bar: signal flags in, orders or blocked entries out. Compiled."""

from __future__ import annotations

from engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from engine.simulation.jit import jit
from engine.simulation.orders import add_order
from engine.simulation.protection import stop_distance
from engine.simulation.records import (
    BLOCKED_CONTRADICTION,
    BLOCKED_FILTER,
    BLOCKED_OPPOSITE,
    BLOCKED_WARMUP,
    CLOSE_OPPOSITE,
    ENTRY,
    IGNORE_OPPOSITE,
    MARKET,
    OPPOSITE,
    SIGNAL,
    Market,
    Record,
    Table,
)
from engine.simulation.sizing import entry_lots

ENTRIES = ENTER_LONG | ENTER_SHORT


@jit
def contradicts(flags: int) -> bool:
    """Return whether a bar asks for both entries at once, or to enter and leave the same side."""
    both = (flags & ENTRIES) == ENTRIES
    long = (flags & ENTER_LONG) != 0 and (flags & EXIT_LONG) != 0
    short = (flags & ENTER_SHORT) != 0 and (flags & EXIT_SHORT) != 0
    return both or long or short


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
def enter(desk: Record, book: Record, rules: Table, market: Market, bar: int, side: int, equity: float) -> None:
    """Order an entry of the size that the money rule gives, or note why there is none."""
    flag = ENTER_LONG if side > 0 else ENTER_SHORT
    row = book["start"] + bar
    if not market.allowed[row]:
        block(desk, book, bar, flag, BLOCKED_FILTER)
        return
    price = market.close[row]
    distance = stop_distance(rules, market.columns, row, price)
    lots, reason = entry_lots(desk, book, price, equity, distance)
    if lots == 0:
        block(desk, book, bar, flag, reason)
        return
    add_order(desk, book, bar, MARKET, side, lots, ENTRY)


@jit
def leave(desk: Record, book: Record, bar: int, reason: int) -> None:
    """Order the whole position to be closed at the next open."""
    lots = book["lots"]
    add_order(desk, book, bar, MARKET, -1 if lots > 0 else 1, abs(lots), reason)


@jit
def decide(desk: Record, books: Table, rules: Table, market: Market, i: int, bar: int, equity: float) -> None:
    """Act on the flags of a bar that has closed: exits first, then at most one entry.

    `equity` is marked at this close.
    """
    book = books[i]
    flags = market.flags[book["start"] + bar]
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
    enter(desk, book, rules, market, bar, side, equity)
