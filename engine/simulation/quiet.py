"""Bars at which nothing happens: they are passed quickly, with the same books as if each had been run. Compiled.

1. After a bar that was run, `set_alarm` notes what would wake the instrument: prices at which an order is touched, and
   a bar at which something is due whatever the prices are.
2. `pass_quiet` marks positions and notes equity at every step, up to the first at which an instrument is woken, by its
   alarm or by a signal, or at which the account's guards have something to do.
Whatever is not known for sure to be quiet is run: an alarm that goes off for nothing costs time only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, FlagColumn, FloatColumn
from quantcrafter.engine.simulation.halts import breached, is_lost, maintenance_of, severity
from quantcrafter.engine.simulation.jit import fetch, inlined, jit
from quantcrafter.engine.simulation.protection import move_orders
from quantcrafter.engine.simulation.records import LIMITS, OPENS, STOP_LIMIT, Market, Record, Table, Timeline
from quantcrafter.engine.simulation.risk_records import TIME_STOP
from quantcrafter.engine.simulation.worth import worth

EIGHT: Any = np.int64(8)
"""How many flags are looked at together."""

EVERY_FLAG: Any = np.int64(255)

SOON: Any = np.int64(12)
"""How many bars ahead what will be read is fetched."""

AT_ONCE: Any = np.int64(0)
"""An alarm that goes off at the next bar."""


@inlined
def has_room(desk: Record, bars: int) -> bool:
    """Return whether every table can take what that many bars may write."""
    used = max(desk["orders"], desk["fills"], desk["trades"], desk["blocked"], desk["interventions"], desk["cashflows"])
    return bool(used + desk["at_work"] + bars * desk["rows_per_bar"] + desk["spare_rows"] <= desk["capacity"])


@jit
def set_alarm(desk: Record, book: Record) -> None:
    """Note what would make the next bars of an instrument more than quiet."""
    below, above, due = -math.inf, math.inf, int(book["last_bar"])
    for k in range(book["working"]):
        order, phase = book["slots"][k], book["phase"][k]
        price = order["limit"] if phase == LIMITS and order["kind"] == STOP_LIMIT else order["price"]
        if phase == OPENS or not abs(price) < math.inf:
            due = AT_ONCE
        elif (order["side"] > 0) == (phase == LIMITS):
            below = max(below, price)
        else:
            above = min(above, price)
        if order["expires"] >= 0:
            due = min(due, order["expires"])
    if book["working"] > 0 and desk["following"] == 1:
        due = AT_ONCE
    if desk["stepped"] == 1 or book["grid_side"] != 0 or (book["lots"] != 0 and desk["restless"] == 1):
        due = AT_ONCE
    if book["lots"] != 0:
        due = min(due, time_stop_bar(desk, book, due))
    book["alarm_below"], book["alarm_above"], book["alarm_bar"], book["quiet_until"] = below, above, due, 0


@inlined
def is_asleep(book: Record) -> bool:
    """Return whether an instrument was quiet when the step began, and nothing has woken it since."""
    return bool(book["awake"] == 0 and book["alarm_bar"] > 0)


@jit
def time_stop_bar(desk: Record, book: Record, due: int) -> int:
    """Return the bar at which a position's time is over, at most `due`."""
    for g in range(desk["guards"]):
        guard = desk["guard_rows"][g]
        if guard["kind"] == TIME_STOP and book["entry_bar"] + guard["value"] - 1 < due:
            due = max(math.floor(book["entry_bar"] + guard["value"] - 1), 0)
    return int(due)


@inlined
def is_untouched(book: Record, market: Market, bar: int) -> bool:
    """Return whether no order of an instrument can fill at a bar: nothing changed since its alarm was set."""
    row = book["start"] + bar
    if bar >= book["alarm_bar"]:
        return False
    return bool(book["alarm_below"] < market.low[row] and market.high[row] < book["alarm_above"])


@inlined
def idle_flag(desk: Record, book: Record, bar: int) -> int:
    """Return the flag that asks for nothing while a position is held, from `bar` on: to enter its own side once more.

    0 where there is no such flag.
    """
    lots = book["lots"]
    if lots == 0 or desk["care"] == 1 or bar < book["first_bar"]:
        return 0
    return int(ENTER_LONG if lots > 0 else ENTER_SHORT)


@inlined
def is_quiet(desk: Record, book: Record, market: Market, bar: int, row: int) -> bool:
    """Return whether nothing happens to an instrument at a bar but that a position is marked."""
    if bar >= book["alarm_bar"]:
        return False
    if bar < book["quiet_until"]:
        return True
    flags = market.flags[row]
    if flags != 0 and flags != idle_flag(desk, book, bar):
        return False
    high, low = market.high[row], market.low[row]
    if not (low > book["alarm_below"] and high < book["alarm_above"]):
        return False
    if len(market.day_edge) > 0 and market.day_edge[row] != 0 and book["working"] > 0:
        return False
    return bool(desk["plain"] == 1 or (is_settled(desk, book, market, row) and is_unpaid(desk, book, market, row)))


@inlined
def is_settled(desk: Record, book: Record, market: Market, row: int) -> bool:
    """Return whether a bar neither moves a position's stop nor ends its session."""
    lots = book["lots"]
    if lots == 0:
        return True
    if desk["moving"] == 1 and (market.high[row] > book["highest"] if lots > 0 else market.low[row] < book["lowest"]):
        return False
    return bool(len(market.account.closing) == 0 or market.account.closing[row] == 0)


@inlined
def is_unpaid(desk: Record, book: Record, market: Market, row: int) -> bool:
    """Return whether nothing is booked for a position beside fills: no fee, split or dividend."""
    lots = book["lots"]
    if desk["financed"] == 0:
        return True
    if lots < 0 and book["borrow_percent"] > 0.0:
        return False
    if len(market.account.split) == 0:
        return True
    return bool(market.account.split[row] == 1.0 and (lots == 0 or market.account.dividend[row] == 0.0))


@inlined
def mark_quiet(desk: Record, book: Record, market: Market, bar: int, row: int) -> None:
    """Mark an instrument at the close of a quiet bar."""
    book["bar"] = bar
    if desk["plain"] == 0 and len(market.account.rate_close) > 0:
        book["rate"] = market.account.rate_close[row]
    if book["lots"] != 0:
        book["highest"] = max(book["highest"], market.high[row])
        book["lowest"] = min(book["lowest"], market.low[row])
        book["mark"] = market.close[row]
        # Of many instruments the processor does not see by itself where it goes on in each.
        fetch(market.high, row + SOON)
        fetch(market.low, row + SOON)
        fetch(market.close, row + SOON)


@inlined
def is_calm(desk: Record, market: Market, equity: float, required: float, step: int) -> bool:
    """Return whether the account's guards have nothing to do at a close; `required` is the margin of all positions."""
    if len(market.account.day) > 0 and market.account.day[step] != desk["day"]:
        return False
    if equity < required or desk["margin_called"] == 1:
        return False
    desk["peak"] = max(desk["peak"], equity)
    for g in range(desk["guards"]):
        guard = desk["guard_rows"][g]
        if severity(guard["action"]) > desk["halted"] and breached(desk, guard, equity):
            return False
    desk["last_equity"] = equity
    return True


@inlined
def note_cash(desk: Record, curve: FloatColumn, step: int) -> None:
    """Note the cash at the close of a step, where it is not that of the step before."""
    last, cash = desk["cash_changes"] - 1, desk["cash"]
    if last >= 0 and curve[1, last] == cash:
        return
    if last < 0 or curve[2, last] != step:
        last += 1
        desk["cash_changes"] = last + 1
    curve[1, last], curve[2, last] = cash, step


@inlined
def first_flagged(flags: FlagColumn, idle: int) -> int:
    """Return the first row whose flags ask for more than `idle`, or how many there are."""
    row, asked = 0, EVERY_FLAG ^ idle
    while row + EIGHT <= len(flags):
        lower = flags[row] | flags[row + 1] | flags[row + 2] | flags[row + 3]
        upper = flags[row + 4] | flags[row + 5] | flags[row + 6] | flags[row + 7]
        if ((lower | upper) & asked) != 0:
            break
        row += EIGHT
    while row < len(flags) and (flags[row] & asked) == 0:
        row += 1
    return row


@inlined
def stretch_end(desk: Record, book: Record, market: Market, start: int, stop: int) -> int:
    """Return the first bar from `start` on that is not quiet: with a signal, an alarm, or a better price to follow.

    Columns are cut before they are looped over: of rows counted from 0 the compiler knows that they do not wrap around.
    """
    lots, moving = book["lots"], desk["moving"] == 1
    first, last, idle = (
        book["start"] + start,
        book["start"] + min(stop, book["alarm_bar"]),
        idle_flag(desk, book, start),
    )
    if last <= first:
        return start
    flags, idle = market.flags[first:last], idle_flag(desk, book, start)
    if book["working"] == 0 and not (moving and lots != 0):
        return start + first_flagged(flags, idle)
    high, low = market.high[first:last], market.low[first:last]
    # A stop that follows the best price wakes the instrument when there is a better one.
    lid = book["highest"] if moving and lots > 0 else math.inf
    floor = book["lowest"] if moving and lots < 0 else -math.inf
    below, above, asked = book["alarm_below"], book["alarm_above"], EVERY_FLAG ^ idle
    row = 0
    while row < len(flags):
        quiet = (below < low[row]) & (high[row] < above) & (high[row] <= lid) & (low[row] >= floor)
        if not quiet or (flags[row] & asked) != 0:
            break
        row += 1
    return start + row


@inlined
def lost_bar(desk: Record, book: Record, market: Market, start: int, end: int) -> int:
    """Return the first bar from `start` on at whose close the account is lost, or `end`."""
    for bar in range(start, end):
        if is_lost(desk, desk["cash"] + worth(book, market.close[bar])):
            return bar
    return end


@inlined
def pass_quiet_alone(
    desk: Record, book: Record, rules: Table, market: Market, curve: FloatColumn, start: int, stop: int
) -> int:
    """Pass the quiet bars of a single instrument that has nothing but orders and a position; return the first other.

    Those at whose close the stop follows the price, and nothing else happens, are passed as well.
    """
    end = pass_stretch(desk, book, market, curve, start, stretch_end(desk, book, market, start, stop))
    if desk["moving"] == 0:
        return end
    while end < stop and only_follows(desk, book, market, end):
        if pass_stretch(desk, book, market, curve, end, end + 1) == end:
            return end
        move_orders(desk, book, rules, market.columns, end)
        set_alarm(desk, book)
        end = pass_stretch(desk, book, market, curve, end + 1, stretch_end(desk, book, market, end + 1, stop))
    return end


@inlined
def only_follows(desk: Record, book: Record, market: Market, bar: int) -> bool:
    """Return whether a bar that ended a stretch did so because of a better price alone, and its moves find room."""
    row = book["start"] + bar
    flags, high, low = market.flags[row], market.high[row], market.low[row]
    if book["lots"] == 0 or desk["care"] == 1 or bar >= book["alarm_bar"] or not has_room(desk, 1):
        return False
    return bool(
        (flags == 0 or flags == idle_flag(desk, book, bar)) and book["alarm_below"] < low and high < book["alarm_above"]
    )


@inlined
def hold_through(book: Record, market: Market, start: int, end: int) -> None:
    """Mark a position at the closes of quiet bars; its extremes are looked for in two halves, which is quicker."""
    first, last = book["start"] + start, book["start"] + end
    high, low = market.high[first:last], market.low[first:last]
    highest, lowest = book["highest"], book["lowest"]
    other_high, other_low = highest, lowest
    for pair in range(len(high) // 2):
        row = 2 * pair
        highest, lowest = max(highest, high[row]), min(lowest, low[row])
        other_high, other_low = max(other_high, high[row + 1]), min(other_low, low[row + 1])
    if len(high) % 2 == 1:
        highest, lowest = max(highest, high[len(high) - 1]), min(lowest, low[len(high) - 1])
    book["highest"], book["lowest"] = max(highest, other_high), min(lowest, other_low)
    book["mark"] = market.close[last - 1]


@inlined
def add_worth(book: Record, market: Market, equities: FloatColumn, start: int, end: int) -> None:
    """Add what a position is worth at each of some closes to the equity."""
    close, rate = market.close[book["start"] + start : book["start"] + end], book["rate"]
    points, entered = book["quantity"] * book["multiplier"], book["contract"] * book["price"]
    for row in range(len(equities)):
        equities[row] += points * (close[row] - entered) * rate


@jit
def pass_stretch(desk: Record, book: Record, market: Market, curve: FloatColumn, start: int, end: int) -> int:
    """Note the equity of quiet bars of a single instrument; return the first at whose close the account is lost.

    That is `end` where there is none.
    """
    if end <= start:
        return start
    lots, cash = book["lots"], desk["cash"]
    note_cash(desk, curve, start)
    if lots == 0:
        equity = cash + worth(book, book["mark"])
        equities = curve[0][start:end]
        for row in range(len(equities)):
            equities[row] = equity
        return end
    if lots < 0 or cash < 0.0 or book["contract"] == 1.0:
        end = lost_bar(desk, book, market, start, end)
        if end == start:
            return start
    equities = curve[0][start:end]
    for row in range(len(equities)):
        equities[row] = cash
    add_worth(book, market, equities, start, end)
    hold_through(book, market, start, end)
    book["bar"] = end - 1
    return end


@inlined
def quiet_end(desk: Record, book: Record, market: Market, start: int, stop: int) -> int:
    """Return the first bar from `start` on that is not quiet, at most `stop`; what was looked at once is remembered."""
    if book["alarm_bar"] <= start:
        return start
    if book["quiet_until"] <= start:
        book["quiet_until"] = stretch_end(desk, book, market, start, stop)
    return int(min(stop, book["quiet_until"]))


@inlined
def note_worth(desk: Record, books: Table, market: Market, curve: FloatColumn, start: int, end: int) -> int:
    """Note equity and cash of quiet steps; return the first at whose close the account is lost, or `end`."""
    equities, cash = curve[0][start:end], desk["cash"]
    note_cash(desk, curve, start)
    for row in range(len(equities)):
        equities[row] = cash
    for i in range(len(books)):
        if books[i]["lots"] != 0:
            add_worth(books[i], market, equities, start, end)
    for row in range(len(equities)):
        if is_lost(desk, equities[row]):
            return start + row
    return end


@jit
def pass_quiet_together(desk: Record, books: Table, market: Market, curve: FloatColumn, start: int, stop: int) -> int:
    """Pass quiet steps of instruments side by side that have nothing but orders and positions; return the first other.

    Worth is added instrument by instrument: at each close in the same order as if the step had been run.
    """
    end = stop
    for i in range(len(books)):
        end = quiet_end(desk, books[i], market, start, end)
        if end <= start:
            return start
    end = note_worth(desk, books, market, curve, start, end)
    if end == start:
        return start
    for i in range(len(books)):
        books[i]["bar"] = end - 1
        if books[i]["lots"] != 0:
            hold_through(books[i], market, start, end)
    return end


@jit
def pass_quiet(
    desk: Record, books: Table, market: Market, timeline: Timeline, curve: FloatColumn, start: int, stop: int
) -> int:
    """Pass steps at which nothing happens; return the first that must be run."""
    together = len(timeline.first_event) == 0
    for step in range(start, stop):
        first, last = (0, len(books)) if together else (timeline.first_event[step], timeline.first_event[step + 1])
        if desk["rebalance"] == 1 and (desk["drift_percent"] > 0.0 or timeline.due[step]):
            return step
        for event in range(first, last):
            i, bar = (event, step) if together else (timeline.instrument[event], timeline.bar[event])
            if not is_quiet(desk, books[i], market, bar, books[i]["start"] + bar):
                return step
        for event in range(first, last):
            i, bar = (event, step) if together else (timeline.instrument[event], timeline.bar[event])
            mark_quiet(desk, books[i], market, bar, books[i]["start"] + bar)
        equity, required = desk["cash"], 0.0
        for i in range(len(books)):
            equity += worth(books[i], books[i]["mark"])
            if desk["watched"] == 1:
                required += maintenance_of(books[i])
        if is_lost(desk, equity) or (desk["watched"] == 1 and not is_calm(desk, market, equity, required, step)):
            return step
        curve[0, step] = equity
        note_cash(desk, curve, step)
    return stop
