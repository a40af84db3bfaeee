"""The bar loop after QC-BAR-1, compiled; and the same steps one at a time, for the driver in Python.

At every step, for the instruments whose bars close then, each phase in file order:
1. what the open satisfies fills at the open: market orders, then stops, then limits;
2. stop orders that the bar touches fill, then limit orders, each by id; a filled one cancels its OCO sibling at once;
3. of entries inside the bar those stops fill, then those targets, that were certainly reached after the entry;
4. positions are marked at the close, and equity is noted;
5. decisions are taken; orders made here work from the instrument's next bar on.
A phase runs for all of these instruments before the next begins, so that no entry at an open is paid with what a stop
brings in only later, and all decisions of a step see the same equity.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.decisions import decide
from quantcrafter.engine.simulation.entries import begin_day_bar
from quantcrafter.engine.simulation.financing import begin_bar, end_bar
from quantcrafter.engine.simulation.halts import close_account, force_exit, is_lost, note_late_exit, watch
from quantcrafter.engine.simulation.jit import entry, fetch, inlined, jit, lend
from quantcrafter.engine.simulation.matching import end_data, mark, match_after, match_open, match_phase
from quantcrafter.engine.simulation.protection import move_orders
from quantcrafter.engine.simulation.quiet import (
    has_room,
    is_asleep,
    is_quiet,
    is_untouched,
    mark_quiet,
    note_cash,
    pass_quiet,
    pass_quiet_alone,
    pass_quiet_together,
    quiet_end,
    set_alarm,
)
from quantcrafter.engine.simulation.ranking import next_ranked
from quantcrafter.engine.simulation.rebalance import rebalance
from quantcrafter.engine.simulation.records import (
    ANY,
    CLOSING,
    DECISIONS,
    LIMITS,
    NONE,
    STOPS,
    UP_TO_CLOSE,
    WHOLE,
    Market,
    Record,
    Table,
    Timeline,
)
from quantcrafter.engine.simulation.steps import Steps, run_nodes
from quantcrafter.engine.simulation.worth import worth

AT_OPEN: Any = np.int64(0)
INSIDE: Any = np.int64(1)
AFTER: Any = np.int64(2)
"""The course of a bar: what the open satisfies, what the bar touches, what it reached after entries inside it."""


@inlined
def equity_of(desk: Record, books: Table) -> float:
    """Return cash plus all positions at their marks."""
    equity = desk["cash"]
    for i in range(len(books)):
        if books[i]["lots"] != 0:
            equity += worth(books[i], books[i]["mark"])
    return float(equity)


@inlined
def events_of(books: Table, timeline: Timeline, step: int) -> tuple[int, int]:
    """Return the first event of a step and the one after its last; side by side each instrument has one."""
    if len(timeline.first_event) == 0:
        return 0, len(books)
    return timeline.first_event[step], timeline.first_event[step + 1]


def begin_days_of(desks: Table, books: Table, market: Market, timeline: Timeline, step: int) -> None:
    """End orders that were good for a day which is over at the bars of a step."""
    first, last = events_of(books, timeline, step)
    begin_days(desks[0], books, market, timeline, step, first, last)


def has_room_for(desks: Table, books: Table, timeline: Timeline, step: int) -> bool:
    """Return whether every table can take what a step may write."""
    first, last = events_of(books, timeline, step)
    return bool(has_room(desks[0], last - first))


@inlined
def event_at(timeline: Timeline, step: int, event: int) -> tuple[int, int]:
    """Return instrument and bar of an event of a step."""
    if len(timeline.first_event) == 0:
        return event, step
    return timeline.instrument[event], timeline.bar[event]


@inlined
def prices_at(market: Market, row: int) -> tuple[float, float, float, float]:
    """Return open, high, low and close of a row."""
    return market.open[row], market.high[row], market.low[row], market.close[row]


@inlined
def settle(desks: Table, books: Table, market: Market, timeline: Timeline, curve: FloatColumn, step: int) -> float:
    """Mark the positions of a step at its close; note equity and cash, and return the equity."""
    desk = desks[0]
    first, last = events_of(books, timeline, step)
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        book = books[i]
        row = book["start"] + bar
        if is_asleep(book):
            mark_quiet(desk, book, market, bar, row)
            continue
        if desk["financed"] == 1:
            end_bar(desk, book, market, bar)
        if book["lots"] != 0:
            mark(desk, book, bar, market.high[row], market.low[row], market.close[row])
    equity = equity_of(desk, books)
    curve[0, step] = equity
    note_cash(desk, curve, step)
    return equity


@jit
def open_step(desks: Table, books: Table, market: Market, timeline: Timeline, step: int) -> None:
    """Begin the bars of a step: what happened since the last close is booked before any order fills."""
    desk = desks[0]
    first, last = events_of(books, timeline, step)
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        book = books[i]
        row = book["start"] + bar
        if is_asleep(book):
            if len(market.account.rate_open) > 0:
                book["rate"] = market.account.rate_open[row]
            continue
        book["bar"] = bar
        book["bar_range"] = market.high[row] - market.low[row]
        if desk["skip_empty"] == 1:
            book["untraded"] = 0 if market.account.volume[row] > 0.0 else 1
        if desk["volume_percent"] > 0.0:
            book["volume_left"] = market.account.volume[row] * desk["volume_percent"] / 100.0
        if len(market.account.closing) > 0:
            note_late_exit(desk, book, market, bar)
        if desk["financed"] == 1:
            begin_bar(desk, book, market, bar)


@jit
def begin_days(
    desk: Record, books: Table, market: Market, timeline: Timeline, step: int, first: int, last: int
) -> None:
    """End orders that were good for a day which is over at the bars of a step."""
    if len(market.day_edge) == 0:
        return
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        begin_day_bar(desk, books[i], market, bar)


@jit
def open_ranked(desks: Table, books: Table, rules: Table, market: Market, timeline: Timeline, step: int) -> None:
    """Fill entries at the open of a step, the instrument of the highest rank first."""
    first, last = events_of(books, timeline, step)
    event = next_ranked(desks, books, market, timeline, first, last, step)
    while event >= 0:
        i, bar = event_at(timeline, step, event)
        price = market.open[books[i]["start"] + bar]
        match_open(desks[0], books, rules, market.columns, i, bar, ANY, price)
        event = next_ranked(desks, books, market, timeline, first, last, step)


@inlined
def wake(desk: Record, books: Table, market: Market, timeline: Timeline, step: int, known: int) -> int:
    """Note which instruments of a step are more than quiet at its bar, in `turn`, and return how many they are.

    The others need only be marked. The list ends with -1. Side by side it is looked ahead, up to the step `known`, and
    remembered how far each is quiet.
    """
    first, last = events_of(books, timeline, step)
    awake = 0
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        book = books[i]
        book["bar"] = bar
        if known > step:
            quiet = quiet_end(desk, book, market, step, known) > step
        else:
            quiet = is_quiet(desk, book, market, bar, book["start"] + bar)
        if quiet:
            book["awake"] = 0
        else:
            book["awake"] = 1
            books[awake]["turn"] = event
            awake += 1
    if awake < len(books):
        books[awake]["turn"] = NONE
    return awake


@jit
def match_step(
    desk: Record, books: Table, rules: Table, market: Market, timeline: Timeline, step: int, awake: int
) -> None:
    """Fill stops and limits of a step: at the open, inside the bar, then what came after entries inside it."""
    entered = False
    for course in (AT_OPEN, INSIDE, AFTER):
        if course == AFTER and not entered:
            return
        for phase in (STOPS, LIMITS):
            for turn in range(awake):
                i, bar = event_at(timeline, step, books[turn]["turn"])
                book = books[i]
                if book["working"] == 0 or is_untouched(book, market, bar):
                    continue
                prices = prices_at(market, book["start"] + bar)
                if course == AFTER:
                    match_after(desk, books, rules, market.columns, i, bar, phase, prices)
                    continue
                book["inside"] = course
                if course == AT_OPEN:
                    prices = prices[0], prices[0], prices[0], prices[0]
                match_phase(desk, books, rules, market.columns, i, bar, phase, prices)
                book["inside"] = 0
                entered = entered or book["inside_bar"] == bar


@jit
def fill_step(
    desks: Table,
    books: Table,
    rules: Table,
    market: Market,
    timeline: Timeline,
    curve: FloatColumn,
    step: int,
    known: int,
) -> float:
    """Run a step up to its close: orders fill, positions are marked. Return the equity.

    `known` is the step up to which it may be looked ahead, if that is later: all bars before it are there.

    NaN says that nothing was done, because a table may be too full: empty the tables and call again.
    """
    desk = desks[0]
    first, last = events_of(books, timeline, step)
    if not has_room(desk, last - first):
        return math.nan
    awake = wake(desk, books, market, timeline, step, known)
    begin_days(desk, books, market, timeline, step, first, last)
    if desk["plain"] == 0:
        open_step(desks, books, market, timeline, step)
    if desk["rebalance"] == 1 or desk["ranked"] == 1:
        for event in range(first, last):
            i, bar = event_at(timeline, step, event)
            match_open(desk, books, rules, market.columns, i, bar, CLOSING, market.open[books[i]["start"] + bar])
    if desk["ranked"] == 1:
        open_ranked(desks, books, rules, market, timeline, step)
    working = False
    for turn in range(awake):
        i, bar = event_at(timeline, step, books[turn]["turn"])
        if books[i]["working"] > 0 and not is_untouched(books[i], market, bar):
            match_open(desk, books, rules, market.columns, i, bar, ANY, market.open[books[i]["start"] + bar])
            working = working or books[i]["working"] > 0
    if working:
        match_step(desk, books, rules, market, timeline, step, awake)
    return float(settle(desks, books, market, timeline, curve, step))


@inlined
def decide_event(desks: Table, books: Table, rules: Table, market: Market, i: int, bar: int, equity: float) -> None:
    """Take the decisions of one instrument on the close of its bar, and end its orders with its data."""
    desk, book = desks[0], books[i]
    if desk["moving"] == 1:
        move_orders(desk, book, rules, market.columns, bar)
    if desk["guards"] > 0:
        force_exit(desk, book, market, bar)
    cared = desk["care"] == 1 and (book["working"] > 0 or book["lots"] != 0 or book["grid_side"] != 0)
    if cared or market.flags[book["start"] + bar] != 0:
        following = book["start"] + bar + 1
        fetch(market.open, following)
        fetch(market.high, following)
        fetch(market.low, following)
        fetch(market.close, following)
        decide(desk, books, rules, market, i, bar, equity)
    end_data(desk, book, bar)


@jit
def decide_step(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    desks: Table,
    books: Table,
    rules: Table,
    market: Market,
    timeline: Timeline,
    steps: Steps,
    step: int,
    equity: float,
    part: int,
) -> bool:
    """Run the nodes that read the position, then take all decisions: of guards, then of instruments in file order.

    Return whether only instruments that were awake can have been changed by it.
    """
    desk = desks[0]
    if desk["stepped"] == 1:
        run_nodes(desks, books, steps, timeline, step, equity)
    if desk["watched"] == 1:
        watch(desk, books, market, step, equity)
    lost = is_lost(desk, equity)
    if lost:
        close_account(desk, books, step, equity)
    first, last = events_of(books, timeline, step)
    if desk["rebalance"] == 1:
        instruments, bars = timeline.instrument[first:last], timeline.bar[first:last]
        rebalance(desk, books, rules, market, instruments, bars, timeline.due[step], equity)
    if part == WHOLE and desk["simple"] == 1 and desk["rebalance"] == 0 and not lost:
        turn = 0
        while turn < len(books) and books[turn]["turn"] >= 0:
            i, bar = event_at(timeline, step, books[turn]["turn"])
            decide_event(desks, books, rules, market, i, bar, equity)
            turn += 1
        return True
    for event in range(first, last):
        i, bar = event_at(timeline, step, event)
        if not is_asleep(books[i]):
            decide_event(desks, books, rules, market, i, bar, equity)
    return False


@entry
def run_steps(  # noqa: PLR0913, PLR0917 - arrays and numbers: numba takes nothing else
    desks: Table,
    books: Table,
    rules: Table,
    market: Market,
    timeline: Timeline,
    curve: FloatColumn,
    steps: Steps,
    start: int,
    stop: int,
    part: int,
) -> int:
    """Run steps `start` to `stop`, noting equity and cash of each in `curve`; return the first step not run.

    That is `stop`, or an earlier step for which a table may be too full: empty the tables and call again from there.
    `part` is WHOLE, or what of each step is to be run: UP_TO_CLOSE, or the DECISIONS on a close that was reached so.
    """
    desk = desks[0]
    market, timeline, steps = lend(market), lend(timeline), lend(steps)
    side_by_side = len(timeline.first_event) == 0 and desk["simple"] == 1
    step = start
    while step < stop:
        if part == WHOLE:
            if side_by_side and len(books) == 1:
                step = pass_quiet_alone(desk, books[0], rules, market, curve, step, stop)
                fetch(market.open, step + 1)
            elif side_by_side:
                step = pass_quiet_together(desk, books, market, curve, step, stop)
            else:
                step = pass_quiet(desk, books, market, timeline, curve, step, stop)
            if step == stop:
                break
        if part != DECISIONS:
            known = stop if part == WHOLE and side_by_side else step
            if math.isnan(fill_step(desks, books, rules, market, timeline, curve, step, known)):
                return step
        if part != UP_TO_CLOSE:
            awake_only = decide_step(desks, books, rules, market, timeline, steps, step, curve[0, step], part)
            if part == WHOLE:
                set_alarms(desk, books, timeline, step, awake_only)
        step += 1
    return step


@inlined
def set_alarms(desk: Record, books: Table, timeline: Timeline, step: int, awake_only: bool) -> None:  # noqa: FBT001 - no keywords here
    """Note for the instruments of a step what will wake them; those that slept through it keep their alarms."""
    if awake_only:
        turn = 0
        while turn < len(books) and books[turn]["turn"] >= 0:
            set_alarm(desk, books[event_at(timeline, step, books[turn]["turn"])[0]])
            turn += 1
        return
    first, last = events_of(books, timeline, step)
    for event in range(first, last):
        book = books[event_at(timeline, step, event)[0]]
        if not is_asleep(book):
            set_alarm(desk, book)
