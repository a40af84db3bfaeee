"""Further entries in the direction held. Compiled."""

from __future__ import annotations

import math

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.simulation.entries import offset_distance, steps_of
from quantcrafter.engine.simulation.halts import shut_out
from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.orders import add_order, block, is_leaving, retire
from quantcrafter.engine.simulation.primitives import MOST_LOTS, TOLERANCE, is_price
from quantcrafter.engine.simulation.protection import stop_distance
from quantcrafter.engine.simulation.records import (
    BLOCKED_DISTANCE,
    CANCELLED,
    LIMIT,
    MARKET,
    NONE,
    OPENS,
    POSITION_CLOSED,
    REPLACED,
    SCALE_IN,
    STOP,
    MarketArrays,
    Record,
    Table,
)
from quantcrafter.engine.simulation.ticks import on_tick, tick_at


@jit
def scaled_lots(terms: Record, holding: Record, number: int) -> int:
    """Return the lots of the entry of that number (the first is 0), by those of the first one, rounded down."""
    lots = float(holding["first_lots"] * terms["scale_sizes"][number])
    return math.floor(min(lots * (1.0 + TOLERANCE), MOST_LOTS))


@jit
def has_moved(terms: Record, holding: Record, market: MarketArrays, bar: int) -> bool:
    """Return whether the close lies the spacing or more from the last entry's price, on the wanted side of it."""
    row = holding["start"] + bar
    side = 1 if holding["lots"] > 0 else -1
    last = holding["last_price"]
    steps = steps_of(holding, last, terms["scale_ticks"], terms["scale_pips"])
    distance = offset_distance(terms, market, row, last, terms["scale_percent"], steps, terms["scale_multiple"])
    moved = (market.close[row] - last) * side * terms["scale_sign"]
    return bool(distance >= 0.0 and moved >= distance - TOLERANCE * abs(last))


@jit
def is_growing(holding: Record) -> bool:
    """Return whether a further entry is still open because of a lack of volume."""
    growing = False
    for k in range(holding["working"]):
        growing = growing or holding["slots"][k]["reason"] == SCALE_IN
    return growing


@jit
def is_resting(holding: Record, k: int) -> bool:
    """Return whether the order in slot `k` is a further entry that waits at its price."""
    order = holding["slots"][k]
    return bool(order["reason"] == SCALE_IN and order["filled"] == 0 and holding["phase"][k] != OPENS)


@jit
def end_resting(portfolio: Record, holding: Record, bar: int, reason: int) -> None:
    """Cancel the further entries that wait at their prices."""
    for k in range(holding["working"] - 1, -1, -1):
        if is_resting(holding, k):
            retire(portfolio, holding, k, bar, CANCELLED, reason)


@jit
def next_level(terms: Record, holding: Record, market: MarketArrays, row: int, last: float) -> float:
    """Return the price of the entry after one at `last`, at least one tick from it; NaN if there is none."""
    way = (1 if holding["lots"] > 0 else -1) * int(terms["scale_sign"])
    steps = steps_of(holding, last, terms["scale_ticks"], terms["scale_pips"])
    distance = offset_distance(terms, market, row, last, terms["scale_percent"], steps, terms["scale_multiple"])
    if not 0.0 <= distance < math.inf:
        return math.nan
    level = on_tick(holding, last + way * max(distance, tick_at(holding, last, way)), 1.0)
    return level if is_price(level, holding["contract"]) else math.nan


@jit
def entries_due(holding: Record) -> int:
    """Return the number of the first further entry that must be placed; -1 if those that rest are as they should be.

    They are placed at the first close after an entry, and again when some have been cancelled. One that was triggered
    without any volume is on its way.
    """
    resting, made = 0, int(holding["entries"])
    for k in range(holding["working"]):
        order = holding["slots"][k]
        if is_resting(holding, k):
            resting += 1
        elif order["reason"] == SCALE_IN and order["filled"] == 0:
            made += 1
    if holding["placed_after"] == holding["entries_made"] and resting == holding["placed"]:
        return -1
    return made


@jit
def do_fit(terms: Record, holding: Record, market: MarketArrays, bar: int, first: int, level: float) -> bool:
    """Return whether just the further entries from number `first` on wait, each at its price with its lots."""
    number = first
    for k in range(holding["working"]):
        if not is_resting(holding, k):
            continue
        order = holding["slots"][k]
        if number == terms["scale_entries"] or order["price"] != level:
            return False
        if order["lots"] != scaled_lots(terms, holding, number):
            return False
        level = next_level(terms, holding, market, holding["start"] + bar, level)
        number += 1
    return bool(number == terms["scale_entries"])


@rare
def rest_entries(
    portfolio: Record, terms: Record, holding: Record, rules: Table, market: MarketArrays, bar: int, equity: float
) -> None:
    """Keep the further entries of a position at work, each at its price: the spacing away from the one before it.

    None is placed without a distance for its stop and target.
    """
    if holding["lots"] == 0:
        return
    if holding["leaving"] == 1 or is_leaving(holding):
        end_resting(portfolio, holding, bar, POSITION_CLOSED)
        return
    first = entries_due(holding)
    if first < 0 or not equity > 0.0 or not market.allowed[holding["execution"], holding["start"] + bar]:
        return
    level = next_level(terms, holding, market, holding["start"] + bar, holding["last_price"])
    side = 1 if holding["lots"] > 0 else -1
    if math.isnan(level) or shut_out(portfolio, holding, market, bar, side)[0] >= 0:
        return
    if do_fit(terms, holding, market, bar, first, level):
        holding["placed"] = terms["scale_entries"] - first
        holding["placed_after"] = holding["entries_made"]
        return
    end_resting(portfolio, holding, bar, REPLACED)
    place_entries(portfolio, terms, holding, rules, market, bar, first, level)


@jit
def place_entries(
    portfolio: Record,
    terms: Record,
    holding: Record,
    rules: Table,
    market: MarketArrays,
    bar: int,
    first: int,
    level: float,
) -> None:
    """Place the further entries from number `first` on, which lies at `level`."""
    row, side = holding["start"] + bar, 1 if holding["lots"] > 0 else -1
    kind = STOP if terms["scale_sign"] > 0 else LIMIT
    holding["placed"], holding["placed_after"] = 0, holding["entries_made"]
    for number in range(first, terms["scale_entries"]):
        lots = scaled_lots(terms, holding, number)
        if lots == 0 or math.isnan(level):
            return
        if math.isnan(stop_distance(rules, market, holding, row, level, side)):
            if holding["placed"] == 0:
                block(portfolio, holding, bar, ENTER_LONG if side > 0 else ENTER_SHORT, BLOCKED_DISTANCE)
                holding["placed_after"] = NONE
            return
        k = add_order(portfolio, holding, bar, kind, side, lots, SCALE_IN)
        holding["slots"][k]["price"] = level
        holding["placed"] += 1
        level = next_level(terms, holding, market, row, level)


@jit
def scale_in(
    portfolio: Record,
    terms: Record,
    holding: Record,
    rules: Table,
    market: MarketArrays,
    bar: int,
    flags: int,
    equity: float,
) -> None:
    """Order a further entry when there may be one: not without a distance for its stop and target."""
    held = holding["lots"]
    if held == 0 or holding["entries"] >= terms["scale_entries"] or not equity > 0.0:
        return
    if not market.allowed[holding["execution"], holding["start"] + bar] or is_leaving(holding):
        return
    side, wanted = (1, ENTER_LONG) if held > 0 else (-1, ENTER_SHORT)
    if shut_out(portfolio, holding, market, bar, side)[0] >= 0 or is_growing(holding):
        return
    if terms["scale_on_signal"] == 1 and (flags & wanted) == 0:
        return
    lots = scaled_lots(terms, holding, holding["entries"])
    if lots == 0 or not has_moved(terms, holding, market, bar):
        return
    row = holding["start"] + bar
    if math.isnan(stop_distance(rules, market, holding, row, market.close[row], side)):
        block(portfolio, holding, bar, wanted, BLOCKED_DISTANCE)
        return
    add_order(portfolio, holding, bar, MARKET, side, lots, SCALE_IN)
