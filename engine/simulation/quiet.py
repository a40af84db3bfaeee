"""Bars at which nothing happens: they are skipped quickly, with the same results as if each had been run. Compiled.

1. After a bar that was run, `set_alarm` notes what would wake the instrument: prices at which an order is touched, and
   a bar at which something is due whatever the prices are.
2. `pass_quiet` marks positions and notes equity at every step, up to the first at which an instrument is woken, by its
   alarm or by a signal, or at which the account's guards have something to do. Bars that are not certain to be quiet
   are run: an unnecessary alarm only costs time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, FlagColumn, FloatColumn
from quantcrafter.engine.simulation.halts import breached, is_lost, maintenance_of, severity
from quantcrafter.engine.simulation.jit import fetch, inlined, jit
from quantcrafter.engine.simulation.quotes import side_offset
from quantcrafter.engine.simulation.records import LIMITS, OPENS, STOP_LIMIT, MarketArrays, Record, Table, Timeline
from quantcrafter.engine.simulation.risk_records import TIME_STOP
from quantcrafter.engine.simulation.ticks import tick_at
from quantcrafter.engine.simulation.worth import worth

EIGHT: Any = np.int64(8)
"""Number of flags that are checked together."""

EVERY_FLAG: Any = np.int64(255)

SOON: Any = np.int64(16)
"""Number of bars by which reads are prefetched."""

EIGHTH: Any = np.int64(7)
"""The bits that are zero in the number of every eighth row."""

AT_ONCE: Any = np.int64(0)
"""An alarm that goes off at the next bar."""


@inlined
def has_room(portfolio: Record, bars: int) -> bool:
    """Return whether every table has room for that many bars."""
    used = max(
        portfolio["orders"],
        portfolio["fills"],
        portfolio["parts"],
        portfolio["blocked"],
        portfolio["interventions"],
        portfolio["cashflows"],
    )
    return bool(
        used + portfolio["at_work"] + bars * portfolio["rows_per_bar"] + portfolio["spare_rows"]
        <= portfolio["capacity"]
    )


@jit
def set_alarm(portfolio: Record, holding: Record) -> None:
    """Set the alarms of an instrument's next bars."""
    below, above, due = -math.inf, math.inf, int(holding["last_bar"])
    for k in range(holding["working"]):
        order, phase = holding["slots"][k], holding["phase"][k]
        price = order["limit"] if phase == LIMITS and order["kind"] == STOP_LIMIT else order["price"]
        if phase == OPENS or not abs(price) < math.inf:
            due = AT_ONCE
        elif (order["side"] > 0) == (phase == LIMITS):
            below = max(below, price + reach_of(holding, int(order["side"]), price))
        else:
            above = min(above, price - reach_of(holding, int(order["side"]), price))
        if order["expires"] >= 0:
            due = min(due, order["expires"])
    if holding["working"] > 0 and (portfolio["following"] == 1 or portfolio["spread_row"] >= 0):
        due = AT_ONCE
    if portfolio["stepped"] == 1 or holding["grid_side"] != 0 or (holding["lots"] != 0 and portfolio["restless"] == 1):
        due = AT_ONCE
    if holding["lots"] != 0:
        due = min(due, time_stop_bar(portfolio, holding, due))
    holding["alarm_below"], holding["alarm_above"], holding["alarm_bar"], holding["quiet_until"] = below, above, due, 0


@inlined
def reach_of(holding: Record, side: int, price: float) -> float:
    """Return how far from an order's price the bar's may be at most when the price of the order's side is there."""
    offset = abs(side_offset(holding, side))
    return float(offset + tick_at(holding, price, 0) if offset > 0.0 else 0.0)


@inlined
def is_asleep(holding: Record) -> bool:
    """Return whether an instrument was quiet at the start of the step, and nothing has woken it since."""
    return bool(holding["awake"] == 0 and holding["alarm_bar"] > 0)


@jit
def time_stop_bar(portfolio: Record, holding: Record, due: int) -> int:
    """Return the bar at which a position's time is over, at most `due`."""
    for g in range(portfolio["guards"]):
        guard = portfolio["guard_rows"][g]
        if guard["kind"] == TIME_STOP and holding["entry_bar"] + guard["value"] - 1 < due:
            due = max(math.floor(holding["entry_bar"] + guard["value"] - 1), 0)
    return int(due)


@inlined
def is_untouched(holding: Record, market: MarketArrays, bar: int) -> bool:
    """Return whether no order of an instrument can fill at a bar: nothing changed since its alarm was set."""
    row = holding["start"] + bar
    if bar >= holding["alarm_bar"]:
        return False
    return bool(holding["alarm_below"] < market.low[row] and market.high[row] < holding["alarm_above"])


@inlined
def idle_flag(portfolio: Record, holding: Record, bar: int) -> int:
    """Return the flag without effect while a position is held, from `bar` on: another entry on its own side.

    0 if there is none.
    """
    lots = holding["lots"]
    if lots == 0 or portfolio["checks_closes"] == 1 or bar < holding["first_bar"]:
        return 0
    return int(ENTER_LONG if lots > 0 else ENTER_SHORT)


@inlined
def is_quiet(portfolio: Record, holding: Record, market: MarketArrays, bar: int, row: int) -> bool:
    """Return whether nothing happens to an instrument at a bar but that a position is marked."""
    if bar >= holding["alarm_bar"]:
        return False
    if bar < holding["quiet_until"]:
        return True
    flags = market.flags[row]
    if flags != 0 and flags != idle_flag(portfolio, holding, bar):
        return False
    high, low = market.high[row], market.low[row]
    if not (low > holding["alarm_below"] and high < holding["alarm_above"]):
        return False
    if len(market.day_edge) > 0 and market.day_edge[row] != 0 and holding["working"] > 0:
        return False
    return bool(
        portfolio["plain"] == 1
        or (is_settled(portfolio, holding, market, row) and is_unpaid(portfolio, holding, market, row))
    )


@inlined
def is_settled(portfolio: Record, holding: Record, market: MarketArrays, row: int) -> bool:
    """Return whether a bar neither moves a position's stop nor ends its session."""
    lots = holding["lots"]
    if lots == 0:
        return True
    if portfolio["moving"] == 1 and (
        market.high[row] > holding["highest"] if lots > 0 else market.low[row] < holding["lowest"]
    ):
        return False
    return bool(len(market.account.closing) == 0 or market.account.closing[row] == 0)


@inlined
def is_due(at_open: FloatColumn, inside: FloatColumn, row: int) -> bool:
    """Return whether something is due at the open of a bar or inside it."""
    return bool(at_open[row] != 0.0 or inside[row] != 0.0)


@inlined
def is_unpaid(portfolio: Record, holding: Record, market: MarketArrays, row: int) -> bool:
    """Return whether nothing is booked for a position beside fills: no fee, funding, swap, split, dividend or roll."""
    lots = holding["lots"]
    if portfolio["financed"] == 0:
        return True
    if lots < 0 and holding["borrow_percent"] > 0.0:
        return False
    columns = market.account
    if lots != 0 and len(columns.funding_open) > 0 and is_due(columns.funding_open, columns.funding_inside, row):
        return False
    if lots != 0 and len(columns.nights_open) > 0 and is_due(columns.nights_open, columns.nights_inside, row):
        return False
    if len(market.account.split) == 0:
        return True
    return bool(market.account.split[row] == 1.0 and (lots == 0 or market.account.dividend[row] == 0.0))


@inlined
def mark_quiet(portfolio: Record, holding: Record, market: MarketArrays, bar: int, row: int) -> None:
    """Mark an instrument at the close of a quiet bar."""
    holding["bar"] = bar
    if portfolio["plain"] == 0 and len(market.account.rate_close) > 0:
        holding["rate"] = market.account.rate_close[row]
    if holding["lots"] != 0:
        holding["highest"] = max(holding["highest"], market.high[row])
        holding["lowest"] = min(holding["lowest"], market.low[row])
        holding["mark"] = market.close[row]
        # With many instruments, the processor can't predict the next read of each.
        fetch(market.high, row + SOON)
        fetch(market.low, row + SOON)
        fetch(market.close, row + SOON)


@inlined
def mark_only(holding: Record, market: MarketArrays, bar: int) -> None:
    """Mark a position at the close of a quiet bar; `catch_up` brings the rest up to date."""
    row = holding["start"] + bar
    holding["mark"] = market.close[row]
    # Of many instruments the processor does not see by itself where it goes on in each: a fetch brings eight rows.
    if row & EIGHTH == 0:
        fetch(market.close, row + SOON)
        fetch(market.high, row + SOON)
        fetch(market.low, row + SOON)


@jit
def catch_up(holding: Record, market: MarketArrays, end: int) -> None:
    """Bring an instrument up to date that was only marked at the closes of its quiet bars, those before `end`."""
    start = holding["bar"] + 1
    if start < end:
        if holding["lots"] != 0:
            hold_through(holding, market, start, end)
        holding["bar"] = end - 1


@jit
def catch_up_all(holdings: Table, market: MarketArrays, end: int) -> None:
    """Bring all instruments side by side up to date."""
    for i in range(len(holdings)):
        catch_up(holdings[i], market, end)


@inlined
def is_calm(portfolio: Record, market: MarketArrays, equity: float, required: float, step: int) -> bool:
    """Return whether the account's guards have nothing to do at a close; `required` is the margin of all positions."""
    if len(market.account.day) > 0 and market.account.day[step] != portfolio["day"]:
        return False
    if equity < required or portfolio["margin_called"] == 1:
        return False
    portfolio["peak"] = max(portfolio["peak"], equity)
    for g in range(portfolio["guards"]):
        guard = portfolio["guard_rows"][g]
        if severity(guard["action"]) > portfolio["halted"] and breached(portfolio, guard, equity):
            return False
    portfolio["last_equity"] = equity
    return True


@inlined
def note_cash(portfolio: Record, curve: FloatColumn, step: int) -> None:
    """Record the cash at the close of a step if it has changed."""
    last, cash = portfolio["cash_changes"] - 1, portfolio["cash"]
    if last >= 0 and curve[1, last] == cash:
        return
    if last < 0 or curve[2, last] != step:
        last += 1
        portfolio["cash_changes"] = last + 1
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
def stretch_end(portfolio: Record, holding: Record, market: MarketArrays, start: int, stop: int) -> int:
    """Return the first bar from `start` on that is not quiet: with a signal, an alarm, or a better price to follow.

    Columns are cut before they are looped over: of rows counted from 0 the compiler knows that they do not wrap around.
    """
    lots, moving = holding["lots"], portfolio["moving"] == 1
    first, last, idle = (
        holding["start"] + start,
        holding["start"] + min(stop, holding["alarm_bar"]),
        idle_flag(portfolio, holding, start),
    )
    if last <= first:
        return start
    flags, idle = market.flags[first:last], idle_flag(portfolio, holding, start)
    if holding["working"] == 0 and not (moving and lots != 0):
        return start + first_flagged(flags, idle)
    high, low = market.high[first:last], market.low[first:last]
    # A trailing stop wakes the instrument at a better price.
    lid = holding["highest"] if moving and lots > 0 else math.inf
    floor = holding["lowest"] if moving and lots < 0 else -math.inf
    below, above, asked = holding["alarm_below"], holding["alarm_above"], EVERY_FLAG ^ idle
    row = 0
    while row < len(flags):
        quiet = (below < low[row]) & (high[row] < above) & (high[row] <= lid) & (low[row] >= floor)
        if not quiet or (flags[row] & asked) != 0:
            break
        row += 1
    return start + row


@inlined
def hold_through(holding: Record, market: MarketArrays, start: int, end: int) -> None:
    """Value a position at the closes of quiet bars; its extremes are searched in two halves, which is faster."""
    first, last = holding["start"] + start, holding["start"] + end
    high, low = market.high[first:last], market.low[first:last]
    highest, lowest = holding["highest"], holding["lowest"]
    other_high, other_low = highest, lowest
    for pair in range(len(high) // 2):
        row = 2 * pair
        highest, lowest = max(highest, high[row]), min(lowest, low[row])
        other_high, other_low = max(other_high, high[row + 1]), min(other_low, low[row + 1])
    if len(high) % 2 == 1:
        highest, lowest = max(highest, high[len(high) - 1]), min(lowest, low[len(high) - 1])
    holding["highest"], holding["lowest"] = max(highest, other_high), min(lowest, other_low)
    holding["mark"] = market.close[last - 1]


@inlined
def add_worth(holding: Record, market: MarketArrays, equities: FloatColumn, start: int, end: int) -> None:
    """Add what a position is worth at each of some closes to the equity."""
    close, rate = market.close[holding["start"] + start : holding["start"] + end], holding["rate"]
    points, entered = holding["quantity"] * holding["multiplier"], holding["contract"] * holding["settled"]
    for row in range(len(equities)):
        equities[row] += points * (close[row] - entered) * rate


@inlined
def quiet_end(portfolio: Record, holding: Record, market: MarketArrays, start: int, stop: int) -> int:
    """Return the first bar from `start` on that is not quiet, at most `stop`; what was looked at once is remembered."""
    if holding["alarm_bar"] <= start:
        return start
    if holding["quiet_until"] <= start:
        end = stretch_end(portfolio, holding, market, start, stop)
        holding["quiet_until"] = end
        # What the decision on that bar, and a fill at the next one, will look at.
        row = holding["start"] + end
        fetch(market.allowed, row)
        fetch(market.close, row)
        fetch(market.open, row + 1)
    return int(min(stop, holding["quiet_until"]))


@inlined
def note_worth(
    portfolio: Record, holdings: Table, market: MarketArrays, curve: FloatColumn, start: int, end: int
) -> int:
    """Record equity and cash of quiet steps; return the first at whose close the account is lost, or `end`."""
    equities, cash = curve[0][start:end], portfolio["cash"]
    note_cash(portfolio, curve, start)
    for row in range(len(equities)):
        equities[row] = cash
    for i in range(len(holdings)):
        if holdings[i]["lots"] != 0:
            add_worth(holdings[i], market, equities, start, end)
    for row in range(len(equities)):
        if is_lost(portfolio, equities[row]):
            return start + row
    return end


@jit
def pass_quiet_together(
    portfolio: Record, holdings: Table, market: MarketArrays, curve: FloatColumn, start: int, stop: int
) -> int:
    """Pass quiet steps of instruments side by side that have nothing but orders and positions; return the first other.

    Worth is added instrument by instrument: at each close in the same order as if the step had been run.
    """
    if portfolio["next_wake"] <= start:
        return start
    end = stop
    for i in range(len(holdings)):
        end = quiet_end(portfolio, holdings[i], market, start, end)
        if end <= start:
            return start
    end = note_worth(portfolio, holdings, market, curve, start, end)
    for i in range(len(holdings)):
        if holdings[i]["lots"] != 0 and end > start:
            holdings[i]["mark"] = market.close[holdings[i]["start"] + end - 1]
    return end


@jit
def pass_quiet(
    portfolio: Record,
    holdings: Table,
    market: MarketArrays,
    timeline: Timeline,
    curve: FloatColumn,
    start: int,
    stop: int,
) -> int:
    """Pass steps at which nothing happens; return the first that must be run."""
    together = len(timeline.first_event) == 0
    for step in range(start, stop):
        first, last = (0, len(holdings)) if together else (timeline.first_event[step], timeline.first_event[step + 1])
        if portfolio["rebalance"] == 1 and (portfolio["drift_percent"] > 0.0 or timeline.due[step]):
            return step
        for event in range(first, last):
            i, bar = (event, step) if together else (timeline.instrument[event], timeline.bar[event])
            if not is_quiet(portfolio, holdings[i], market, bar, holdings[i]["start"] + bar):
                return step
        if portfolio["watched"] == 1 and len(market.account.day) > 0 and market.account.day[step] != portfolio["day"]:
            return step
        for event in range(first, last):
            i, bar = (event, step) if together else (timeline.instrument[event], timeline.bar[event])
            mark_quiet(portfolio, holdings[i], market, bar, holdings[i]["start"] + bar)
        equity, required = portfolio["cash"], 0.0
        for i in range(len(holdings)):
            equity += worth(holdings[i], holdings[i]["mark"])
            if portfolio["watched"] == 1:
                required += maintenance_of(holdings[i])
        if is_lost(portfolio, equity) or (
            portfolio["watched"] == 1 and not is_calm(portfolio, market, equity, required, step)
        ):
            return step
        curve[0, step] = equity
        note_cash(portfolio, curve, step)
    return stop
