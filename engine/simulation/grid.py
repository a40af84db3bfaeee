"""A grid: limit entries at lines below (for a short: above) an anchor, each sold one line higher. Compiled."""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.entries import offset_distance, steps_of
from quantcrafter.engine.simulation.halts import shut_out
from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.orders import add_order
from quantcrafter.engine.simulation.primitives import whole_lots
from quantcrafter.engine.simulation.protection import stop_distance
from quantcrafter.engine.simulation.records import GRID, LIMIT, MarketArrays, Record, Table
from quantcrafter.engine.simulation.ticks import on_tick, tick_at
from quantcrafter.engine.simulation.worth import value_of


@rare
def begin_grid(
    _portfolio: Record, terms: Record, holding: Record, market: MarketArrays, bar: int, side: int, lots: int
) -> bool:
    """Lay the grid's lines from the anchor at this close; return whether its anchor and spacing are known."""
    row = holding["start"] + bar
    anchor = market.columns[terms["line"], row] if terms["line"] >= 0 else market.close[row]
    steps = steps_of(holding, anchor, terms["grid_ticks"], terms["grid_pips"])
    step = offset_distance(terms, market, row, anchor, terms["grid_percent"], steps, terms["grid_multiple"])
    if not (0.0 < anchor < math.inf and step >= tick_at(holding, anchor, 0) and step < math.inf):
        return False
    holding["grid_side"], holding["grid_anchor"], holding["grid_step"], holding["grid_lots"] = side, anchor, step, lots
    for level in range(terms["grid_levels"]):
        holding["grid_held"][level] = 0
    return True


@jit
def grid_price(holding: Record, line: int) -> float:
    """Return the price of a line of the grid; line 0 is the anchor."""
    price = holding["grid_anchor"] - holding["grid_side"] * line * holding["grid_step"]
    return on_tick(holding, price, 1.0)


@jit
def place_line(portfolio: Record, holding: Record, bar: int, level: int, side: int, lots: int, price: float) -> int:
    """Put a limit order of one of the grid's lines to work and return its slot."""
    k = add_order(portfolio, holding, bar, LIMIT, side, lots, GRID)
    holding["slots"][k]["level"] = level
    holding["slots"][k]["price"] = price
    return k


@jit
def is_protectable(holding: Record, rules: Table, market: MarketArrays, bar: int, side: int, price: float) -> bool:
    """Return whether an entry at a price, decided at this close, has a distance for its stop and target."""
    return not math.isnan(stop_distance(rules, market, holding, holding["start"] + bar, price, side))


@rare
def tend_grid(
    portfolio: Record, terms: Record, holding: Record, rules: Table, market: MarketArrays, bar: int, equity: float
) -> None:
    """Make sure that every line has its order: to enter, or to exit one line higher.

    Lines to enter wait for a close at which their stop and target have a distance.
    """
    side, lots = holding["grid_side"], holding["grid_lots"]
    has_order = 0
    planned = abs(holding["lots"])
    for k in range(holding["working"]):
        order = holding["slots"][k]
        if order["level"] >= 0:
            has_order |= 1 << int(order["level"])
            if holding["opens"][k] == 1:
                planned += order["lots"] - order["filled"]
    largest = terms["grid_cap_percent"] / 100.0 * equity / value_of(holding, 1.0, holding["grid_anchor"])
    most = whole_lots(largest, holding["lot_size"], holding["lot_inverse"])
    allowed = (
        market.allowed[holding["execution"], holding["start"] + bar]
        and shut_out(portfolio, holding, market, bar, side)[0] < 0
    )
    for level in range(terms["grid_levels"]):
        if has_order >> level & 1:
            continue
        if holding["grid_held"][level] > 0:
            target = grid_price(holding, level)
            k = place_line(portfolio, holding, bar, level, -side, holding["grid_held"][level], target)
            holding["slots"][k]["parent"] = holding["entry_order"]
        elif allowed and planned + lots <= most and grid_price(holding, level + 1) > 0.0:
            price = grid_price(holding, level + 1)
            if not is_protectable(holding, rules, market, bar, side, price):
                continue
            k = place_line(portfolio, holding, bar, level, side, lots, price)
            holding["opens"][k] = 1
            planned += lots
