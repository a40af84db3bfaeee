"""Further entries in the direction held. Compiled."""

from __future__ import annotations

import math

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.simulation.entries import offset_distance, steps_of
from quantcrafter.engine.simulation.halts import shut_out
from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.orders import add_order, block, is_leaving
from quantcrafter.engine.simulation.primitives import MOST_LOTS, TOLERANCE
from quantcrafter.engine.simulation.protection import stop_distance
from quantcrafter.engine.simulation.records import BLOCKED_DISTANCE, MARKET, SCALE_IN, MarketArrays, Record, Table


@jit
def scaled_lots(holding: Record, factor: float) -> int:
    """Return the lots of the next entry: the first one's x factor ^ the number of entries so far, rounded down."""
    lots = holding["first_lots"] * factor ** holding["entries"]
    return math.floor(min(float(lots) * (1.0 + TOLERANCE), MOST_LOTS))


@jit
def has_moved(terms: Record, holding: Record, market: MarketArrays, bar: int) -> bool:
    """Return whether the close lies the spacing or more from the last entry's price, on the wanted side of it."""
    row = holding["start"] + bar
    side = 1 if holding["lots"] > 0 else -1
    last, steps = holding["last_price"], steps_of(holding, terms["scale_ticks"], terms["scale_pips"])
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
    if shut_out(portfolio, holding, market, bar)[0] >= 0 or is_growing(holding):
        return
    wanted = ENTER_LONG if held > 0 else ENTER_SHORT
    if terms["scale_on_signal"] == 1 and (flags & wanted) == 0:
        return
    lots = scaled_lots(holding, terms["scale_factor"])
    if lots == 0 or not has_moved(terms, holding, market, bar):
        return
    side, row = 1 if held > 0 else -1, holding["start"] + bar
    if math.isnan(stop_distance(rules, market.columns, holding, row, market.close[row], side)):
        block(portfolio, holding, bar, wanted, BLOCKED_DISTANCE)
        return
    add_order(portfolio, holding, bar, MARKET, side, lots, SCALE_IN)
