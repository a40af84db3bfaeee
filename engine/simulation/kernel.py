"""The bar loop after QC-BAR-1, compiled.

At every step, for the instruments whose bars close then, each phase in file order:
1. market orders fill at the open;
2. stop orders are matched, then limit orders, each by id; a filled one cancels its OCO sibling at once;
3. positions are marked at the close, and equity is noted;
4. decisions are taken; orders made here work from the instrument's next bar on.
A phase runs for all of these instruments before the next begins, so that no entry at an open is paid with what a stop
brings in only later, and all decisions of a step see the same equity.
"""

from __future__ import annotations

from engine.api.ports import FloatColumn
from engine.simulation.decisions import decide, stop_distance
from engine.simulation.jit import jit
from engine.simulation.matching import end_data, mark, match_inside, match_open
from engine.simulation.records import ROWS_PER_BAR, Market, Record, Table, Timeline


@jit
def equity_of(desk: Record, books: Table) -> float:
    """Return cash plus all positions at their marks."""
    equity = desk["cash"]
    for i in range(len(books)):
        equity += books[i]["quantity"] * books[i]["mark"]
    return float(equity)


@jit
def has_room(desk: Record, bars: int) -> bool:
    """Return whether every table can take what that many bars may write."""
    used = max(desk["orders"], desk["fills"], desk["trades"], desk["blocked"])
    return bool(used + bars * ROWS_PER_BAR <= desk["capacity"])


@jit
def run_one(desks: Table, books: Table, rules: Table, market: Market, curve: FloatColumn, start: int, stop: int) -> int:
    """Run steps `start` to `stop` of a single instrument; return the first step not run."""
    desk, book = desks[0], books[0]
    open_, high, low, close, flags, allowed, columns = market
    for bar in range(start, stop):
        # Most bars have nothing to do: they must cost nothing but the look at their flags.
        if (flags[bar] != 0 or book["working"] > 0 or bar == book["bars"] - 1) and not has_room(desk, 1):
            return bar
        if book["working"] > 0:
            match_open(desk, books, rules, columns, book["index"], bar, open_[bar])
            match_inside(desk, book, bar, open_[bar], high[bar], low[bar])
        if book["lots"] != 0:
            mark(desk, book, bar, high[bar], low[bar], close[bar])
        equity = desk["cash"] + book["quantity"] * book["mark"]
        curve[0, bar] = equity
        curve[1, bar] = desk["cash"]
        if flags[bar] != 0:
            distance = stop_distance(rules, columns, bar, close[bar])
            decide(desk, book, bar, flags[bar], allowed[bar], close[bar], equity, distance)
        end_data(desk, book, bar)
    return stop


@jit
def run_many(
    desks: Table,
    books: Table,
    rules: Table,
    market: Market,
    timeline: Timeline,
    curve: FloatColumn,
    start: int,
    stop: int,
) -> int:
    """Run steps `start` to `stop` of several instruments; return the first step not run."""
    desk = desks[0]
    open_, high, low, close, flags, allowed, columns = market
    first_event, instrument, bars = timeline
    for step in range(start, stop):
        events = range(first_event[step], first_event[step + 1])
        if not has_room(desk, len(events)):
            return step
        for e in events:
            i, bar = instrument[e], bars[e]
            match_open(desk, books, rules, columns, i, bar, open_[books[i]["start"] + bar])
        for e in events:
            book, bar = books[instrument[e]], bars[e]
            row = book["start"] + bar
            match_inside(desk, book, bar, open_[row], high[row], low[row])
        for e in events:
            book, bar = books[instrument[e]], bars[e]
            row = book["start"] + bar
            if book["lots"] != 0:
                mark(desk, book, bar, high[row], low[row], close[row])
        equity = equity_of(desk, books)
        curve[0, step] = equity
        curve[1, step] = desk["cash"]
        for e in events:
            book, bar = books[instrument[e]], bars[e]
            row = book["start"] + bar
            if flags[row] != 0:
                distance = stop_distance(rules, columns, row, close[row])
                decide(desk, book, bar, flags[row], allowed[row], close[row], equity, distance)
            end_data(desk, book, bar)
    return stop


@jit
def run_steps(
    desks: Table,
    books: Table,
    rules: Table,
    market: Market,
    timeline: Timeline,
    curve: FloatColumn,
    start: int,
    stop: int,
) -> int:
    """Run steps `start` to `stop`, writing equity and cash of each to `curve`; return the first step not run.

    That is `stop`, or an earlier step for which a table may be too full: empty the tables and call again from there.
    """
    if len(timeline.first_event) == 0:
        return int(run_one(desks, books, rules, market, curve, start, stop))
    return int(run_many(desks, books, rules, market, timeline, curve, start, stop))
