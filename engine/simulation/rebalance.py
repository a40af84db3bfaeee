"""Rebalancing of positions to target weights: surplus is sold before anything is bought. Compiled.

The rule is that of the job's only execution.
"""

from __future__ import annotations

import math

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.simulation.entry_limits import count_others
from quantcrafter.engine.simulation.halts import is_shut_out
from quantcrafter.engine.simulation.jit import jit, rare
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
    MarketArrays,
    Record,
    Table,
)
from quantcrafter.engine.simulation.worth import value_of


@jit
def weight_of(portfolio: Record, holding: Record, market: MarketArrays, bar: int) -> float:
    """Return the target share of the equity; NaN if the instrument is not changed at this bar.

    No position in something that is worth nothing, or less, is a part of the equity.
    """
    if bar < holding["first_bar"] or not market.close[holding["start"] + bar] > 0.0:
        return math.nan
    weight = market.columns[portfolio["executions"][0]["weight"], holding["start"] + bar]
    return float(weight) if -math.inf < weight < math.inf else math.nan


@jit
def has_drifted(portfolio: Record, holding: Record, market: MarketArrays, bar: int, equity: float) -> bool:
    """Return whether a position is further from its weight than it may be."""
    if portfolio["drift_percent"] <= 0.0:
        return False
    gap = value_of(holding, holding["quantity"], holding["mark"]) / equity - weight_of(portfolio, holding, market, bar)
    return bool(abs(gap) * 100.0 > portfolio["drift_percent"])


@jit
def target_lots(portfolio: Record, holding: Record, market: MarketArrays, bar: int, equity: float) -> int:
    """Return the signed lots for the weight, rounded towards zero; the current lots without a weight."""
    weight = weight_of(portfolio, holding, market, bar)
    if math.isnan(weight):
        return int(holding["lots"])
    quantity = abs(weight) * equity / value_of(holding, 1.0, market.close[holding["start"] + bar])
    lots = whole_lots(quantity, holding["lot_size"], holding["lot_inverse"])
    return lots if weight > 0.0 else -lots


@jit
def end_rebalancing(portfolio: Record, holding: Record, bar: int) -> None:
    """Cancel the rest of orders of an earlier rebalancing that lacked volume: new orders follow from the weights."""
    for k in range(holding["working"] - 1, -1, -1):
        if holding["slots"][k]["reason"] == REBALANCE:
            retire(portfolio, holding, k, bar, CANCELLED, REPLACED)


@jit
def sell_down(portfolio: Record, holding: Record, bar: int, target: int) -> None:
    """Order the surplus of a position to be closed at the next open."""
    held = holding["lots"]
    if held != 0 and holding["leaving"] == 1:
        return
    keep = abs(target) if held * target > 0 else 0
    if abs(held) > keep:
        add_order(portfolio, holding, bar, MARKET, -1 if held > 0 else 1, abs(held) - keep, REBALANCE)


@jit
def buy_up(portfolio: Record, holding: Record, rules: Table, market: MarketArrays, bar: int, target: int) -> None:
    """Order the missing part of a position at the next open, unless a filter blocks it or it could not be protected."""
    held = holding["lots"]
    there = abs(held) if held * target > 0 else 0
    if abs(target) <= there:
        return
    side, flag = (1, ENTER_LONG) if target > 0 else (-1, ENTER_SHORT)
    if not market.allowed[0, holding["start"] + bar]:
        block(portfolio, holding, bar, flag, BLOCKED_FILTER)
        return
    if is_shut_out(portfolio, holding, market, bar, flag, side):
        return
    row = holding["start"] + bar
    if math.isnan(stop_distance(rules, market, holding, row, market.close[row], side)):
        block(portfolio, holding, bar, flag, BLOCKED_DISTANCE)
        return
    k = add_order(portfolio, holding, bar, MARKET, side, abs(target) - there, REBALANCE)
    holding["opens"][k] = 1


@rare
def rebalance(
    portfolio: Record,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    instruments: Table,
    bars: Table,
    due: int,
    equity: float,
) -> None:
    """Adjust the instruments whose bars closed to their weights, if due."""
    if not equity > 0.0:
        return
    asked = due != 0
    for e in range(len(bars)):
        asked = asked or has_drifted(portfolio, holdings[instruments[e]], market, bars[e], equity)
    if not asked:
        return
    for e in range(len(bars)):
        holding = holdings[instruments[e]]
        if not math.isnan(weight_of(portfolio, holding, market, bars[e])):
            end_rebalancing(portfolio, holding, bars[e])
        sell_down(portfolio, holding, bars[e], target_lots(portfolio, holding, market, bars[e], equity))
    for e in range(len(bars)):
        holding = holdings[instruments[e]]
        if portfolio["entry_limits"] == 1:
            count_others(portfolio, holdings, instruments[e])
        buy_up(portfolio, holding, rules, market, bars[e], target_lots(portfolio, holding, market, bars[e], equity))
