"""Positions brought to target weights: what is too much is sold before what is too little is bought. Compiled.

The rule is that of the job's only execution.
"""

from __future__ import annotations

import math

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.simulation.halts import is_shut_out
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import add_order, block, retire
from quantcrafter.engine.simulation.primitives import whole_lots
from quantcrafter.engine.simulation.protection import stop_distance
from quantcrafter.engine.simulation.records import (
    BLOCKED_DISTANCE,
    BLOCKED_FILTER,
    CANCELLED,
    MARKET,
    REBALANCE,
    REPLACED,
    Market,
    Record,
    Table,
)
from quantcrafter.engine.simulation.worth import value_of


@jit
def weight_of(desk: Record, book: Record, market: Market, bar: int) -> float:
    """Return the wanted part of the equity, NaN when the instrument is to be left alone at this bar.

    No position in something that is worth nothing, or less, is a part of the equity.
    """
    if bar < book["first_bar"] or not market.close[book["start"] + bar] > 0.0:
        return math.nan
    weight = market.columns[desk["executions"][0]["weight"], book["start"] + bar]
    return float(weight) if -math.inf < weight < math.inf else math.nan


@jit
def has_drifted(desk: Record, book: Record, market: Market, bar: int, equity: float) -> bool:
    """Return whether a position is further from its weight than it may be."""
    if desk["drift_percent"] <= 0.0:
        return False
    gap = value_of(book, book["quantity"], book["mark"]) / equity - weight_of(desk, book, market, bar)
    return bool(abs(gap) * 100.0 > desk["drift_percent"])


@jit
def target_lots(desk: Record, book: Record, market: Market, bar: int, equity: float) -> int:
    """Return the signed lots that the weight asks for, rounded towards zero; what there is when it asks for nothing."""
    weight = weight_of(desk, book, market, bar)
    if math.isnan(weight):
        return int(book["lots"])
    quantity = abs(weight) * equity / value_of(book, 1.0, market.close[book["start"] + bar])
    lots = whole_lots(quantity, book["lot_size"], book["lot_inverse"])
    return lots if weight > 0.0 else -lots


@jit
def end_rebalancing(desk: Record, book: Record, bar: int) -> None:
    """Cancel what is left of orders of an earlier rebalancing, for want of volume: the weights ask anew."""
    for k in range(book["working"] - 1, -1, -1):
        if book["slots"][k]["reason"] == REBALANCE:
            retire(desk, book, k, bar, CANCELLED, REPLACED)


@jit
def sell_down(desk: Record, book: Record, bar: int, target: int) -> None:
    """Order what is too much of a position to be closed at the next open."""
    held = book["lots"]
    if held != 0 and book["leaving"] == 1:
        return
    keep = abs(target) if held * target > 0 else 0
    if abs(held) > keep:
        add_order(desk, book, bar, MARKET, -1 if held > 0 else 1, abs(held) - keep, REBALANCE)


@jit
def buy_up(desk: Record, book: Record, rules: Table, market: Market, bar: int, target: int) -> None:
    """Order what a position lacks at the next open, unless a filter holds it back or it could not be protected."""
    held = book["lots"]
    there = abs(held) if held * target > 0 else 0
    if abs(target) <= there:
        return
    flag = ENTER_LONG if target > 0 else ENTER_SHORT
    if not market.allowed[0, book["start"] + bar]:
        block(desk, book, bar, flag, BLOCKED_FILTER)
        return
    if is_shut_out(desk, book, market, bar, flag):
        return
    side, row = 1 if target > 0 else -1, book["start"] + bar
    if math.isnan(stop_distance(rules, market.columns, book, row, market.close[row], side)):
        block(desk, book, bar, flag, BLOCKED_DISTANCE)
        return
    k = add_order(desk, book, bar, MARKET, side, abs(target) - there, REBALANCE)
    book["opens"][k] = 1


@jit
def rebalance(
    desk: Record, books: Table, rules: Table, market: Market, instruments: Table, bars: Table, due: int, equity: float
) -> None:
    """Bring the instruments whose bars closed to their weights, if it is time to."""
    if not equity > 0.0:
        return
    asked = due != 0
    for e in range(len(bars)):
        asked = asked or has_drifted(desk, books[instruments[e]], market, bars[e], equity)
    if not asked:
        return
    for e in range(len(bars)):
        book = books[instruments[e]]
        if not math.isnan(weight_of(desk, book, market, bars[e])):
            end_rebalancing(desk, book, bars[e])
        sell_down(desk, book, bars[e], target_lots(desk, book, market, bars[e], equity))
    for e in range(len(bars)):
        book = books[instruments[e]]
        buy_up(desk, book, rules, market, bars[e], target_lots(desk, book, market, bars[e], equity))
