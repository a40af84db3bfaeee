"""Quiet bars of a single instrument: passed at once, together with those at which only a stop moves. Compiled."""

from __future__ import annotations

from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.halts import is_lost
from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.jit import fetch, inlined, jit
from quantcrafter.engine.simulation.primitives import protective_distance
from quantcrafter.engine.simulation.protection import fixed_offset, followed_price, is_for, move_stop, working_stop
from quantcrafter.engine.simulation.quiet import (
    EVERY_FLAG,
    first_flagged,
    has_room,
    hold_through,
    idle_flag,
    note_cash,
    reach_of,
    set_alarm,
    stretch_end,
)
from quantcrafter.engine.simulation.records import NONE, TRAILING_STOP_HIT, MarketArrays, Record, Table
from quantcrafter.engine.simulation.risk_records import STOP_MOVED
from quantcrafter.engine.simulation.worth import worth


@inlined
def pass_quiet_alone(
    portfolio: Record, holding: Record, rules: Table, market: MarketArrays, curve: FloatColumn, start: int, stop: int
) -> int:
    """Pass the quiet bars of a single instrument that has nothing but orders and a position; return the first other.

    Bars at whose close only the stop moves are passed as well.
    """
    trails = False
    if portfolio["moving"] == 1 and holding["lots"] != 0 and portfolio["checks_closes"] == 0:
        end = unlost_end(portfolio, holding, market, start, min(stop, holding["alarm_bar"]))
        k = working_stop(holding) if portfolio["trailing"] >= 0 else NONE
        trails = k >= 0 and is_for(rules[portfolio["trailing"]], holding)
        if trails:
            end = trail(portfolio, holding, rules[portfolio["trailing"]], market, k, start, end)
        else:
            end = follow(portfolio, holding, rules, market, start, end)
    else:
        end = stretch_end(portfolio, holding, market, start, stop)
    fetch(market.open, holding["start"] + end + 1)
    return int(pass_stretch(portfolio, holding, market, curve, start, end, trails))


@inlined
def unlost_end(portfolio: Record, holding: Record, market: MarketArrays, start: int, end: int) -> int:
    """Return the first bar from `start` on at whose close the account is lost, or a later one; at most `end`."""
    if end <= start:
        return start
    if not (holding["lots"] < 0 or portfolio["cash"] < 0.0 or holding["contract"] == 1.0):
        return end
    flags = market.flags[holding["start"] + start : holding["start"] + end]
    return lost_bar(
        portfolio, holding, market, start, start + first_flagged(flags, idle_flag(portfolio, holding, start))
    )


@inlined
def trail(portfolio: Record, holding: Record, rule: Record, market: MarketArrays, k: int, start: int, end: int) -> int:
    """Move the trailing stop in slot `k` by the only rule that moves it; return the first bar with more to do.

    The best and the worst price of the position are brought up to that bar.
    """
    first, last, side = holding["start"] + start, holding["start"] + end, 1 if holding["lots"] > 0 else -1
    flags, high, low = market.flags[first:last], market.high[first:last], market.low[first:last]
    below, above, asked = (
        holding["alarm_below"],
        holding["alarm_above"],
        EVERY_FLAG ^ idle_flag(portfolio, holding, start),
    )
    order, highest, lowest = holding["slots"][k], holding["highest"], holding["lowest"]
    price = order["price"]
    moved, room, row = 0, free_rows(portfolio), 0
    while row < len(flags):
        if (low[row] <= below) | (high[row] >= above) or (flags[row] & asked) != 0:
            break
        if (high[row] > highest and side > 0) or (low[row] < lowest and side < 0):
            reached = high[row] if side > 0 else low[row]
            offset = fixed_offset(rule, holding, reached)
            distance = protective_distance(reached, rule["percent"], 0.0, 0.0, offset)
            level = followed_price(holding, reached, side, distance)
            if (level - price) * side > 0.0:
                if moved == room:
                    break
                intervene(portfolio, holding["index"], start + row, STOP_MOVED, portfolio["trailing"], price, level)
                price, moved = level, moved + 1
                reach = reach_of(holding, -side, price)
                below = max(below, price + reach) if side > 0 else below
                above = min(above, price - reach) if side < 0 else above
        highest, lowest = max(highest, high[row]), min(lowest, low[row])
        row += 1
    holding["highest"], holding["lowest"] = highest, lowest
    if moved > 0:
        order["price"], order["rule"], order["reason"] = price, portfolio["trailing"], TRAILING_STOP_HIT
        holding["alarm_below"], holding["alarm_above"] = below, above
    return start + row


@inlined
def free_rows(portfolio: Record) -> int:
    """Return how many moves there is room for."""
    if not has_room(portfolio, 1):
        return 0
    taken = portfolio["at_work"] + portfolio["rows_per_bar"] + portfolio["spare_rows"]
    return int(portfolio["capacity"] - taken - portfolio["interventions"])


@jit
def follow(portfolio: Record, holding: Record, rules: Table, market: MarketArrays, start: int, end: int) -> int:
    """Move a stop by all of its rules at each better price; return the first bar with more to do, or `end`."""
    first, last, is_long = holding["start"] + start, holding["start"] + end, holding["lots"] > 0
    flags, high, low = market.flags[first:last], market.high[first:last], market.low[first:last]
    asked = EVERY_FLAG ^ idle_flag(portfolio, holding, start)
    for row in range(len(flags)):
        is_touched = not (holding["alarm_below"] < low[row] and high[row] < holding["alarm_above"])
        if is_touched or (flags[row] & asked) != 0:
            return start + row
        if high[row] > holding["highest"] if is_long else low[row] < holding["lowest"]:
            if not has_room(portfolio, 1):
                return start + row
            holding["highest"], holding["lowest"] = max(holding["highest"], high[row]), min(holding["lowest"], low[row])
            move_stop(portfolio, holding, rules, market, start + row)
            set_alarm(portfolio, holding)
    return end


@inlined
def lost_bar(portfolio: Record, holding: Record, market: MarketArrays, start: int, end: int) -> int:
    """Return the first bar from `start` on at whose close the account is lost, or `end`."""
    for bar in range(start, end):
        if is_lost(portfolio, portfolio["cash"] + worth(holding, market.close[bar])):
            return bar
    return end


@inlined
def pass_stretch(
    portfolio: Record,
    holding: Record,
    market: MarketArrays,
    curve: FloatColumn,
    start: int,
    end: int,
    marked: bool,  # noqa: FBT001 - no keywords here
) -> int:
    """Record the equity of quiet bars of a single instrument; return the first at whose close the account is lost.

    That is `end` where there is none. `marked` says that the extremes of the position are up to date.
    """
    if end <= start:
        return start
    lots, cash = holding["lots"], portfolio["cash"]
    note_cash(portfolio, curve, start)
    if lots == 0:
        equity = cash + worth(holding, holding["mark"])
        equities = curve[0][start:end]
        for row in range(len(equities)):
            equities[row] = equity
        return end
    if lots < 0 or cash < 0.0 or holding["contract"] == 1.0:
        end = lost_bar(portfolio, holding, market, start, end)
        if end == start:
            return start
    equities, close = curve[0][start:end], market.close[holding["start"] + start : holding["start"] + end]
    points, entered = holding["quantity"] * holding["multiplier"], holding["contract"] * holding["settled"]
    rate = holding["rate"]
    for row in range(len(equities)):
        equities[row] = cash + points * (close[row] - entered) * rate
    if marked:
        holding["mark"] = market.close[holding["start"] + end - 1]
    else:
        hold_through(holding, market, start, end)
    holding["bar"] = end - 1
    return end
