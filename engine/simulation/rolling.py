"""The roll of a futures position from an expiring contract into the next one. Compiled.

A roll happens between two bars, at the last closes of both contracts: the position is closed in the old contract and
opened in the new one, each at its bid or ask and with the costs of a market order. The profit up to the roll is paid.
For rules and nodes the position goes on: its prices, stops, targets and working orders are moved by the difference.
"""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.booking import book_fill
from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.orders import add_order, retire
from quantcrafter.engine.simulation.quotes import quoted
from quantcrafter.engine.simulation.records import CLOSE, FILLED, NO_REASON, ROLLED, Record
from quantcrafter.engine.simulation.ticks import order_price
from quantcrafter.engine.simulation.worth import value_of


@rare
def roll(portfolio: Record, holding: Record, bar: int, old: float, new: float) -> None:
    """Roll a position and its orders: `old` and `new` are the last closes of the two contracts."""
    holding["alarm_bar"] = 0
    difference = new - old
    for k in range(holding["working"]):
        order = holding["slots"][k]
        order["price"] = moved_level(holding, order["price"], difference)
        order["limit"] = moved_level(holding, order["limit"], difference)
        holding["touch_price"][k] += difference
    holding["grid_anchor"] += difference
    if holding["lots"] != 0:
        roll_position(portfolio, holding, bar, old, new)
        move_position(holding, difference)
        holding["mark"] = new


@jit
def moved_level(holding: Record, price: float, difference: float) -> float:
    """Return the price of an order in the new contract, on the tick; NaN stays NaN."""
    if math.isnan(price):
        return price
    return float(order_price(holding, price + difference))


@jit
def roll_position(portfolio: Record, holding: Record, bar: int, old: float, new: float) -> None:
    """Close the position in the old contract and open it in the new one."""
    side, lots = (1 if holding["lots"] > 0 else -1), abs(holding["lots"])
    sold, bought = quoted(holding, -side, old), quoted(holding, side, new)
    holding["rolled"] += value_of(holding, holding["quantity"], sold - holding["settled"])
    fill_leg(portfolio, holding, bar, -side, lots, sold)
    fill_leg(portfolio, holding, bar, side, lots, bought)
    holding["settled"] = bought


@jit
def fill_leg(portfolio: Record, holding: Record, bar: int, side: int, lots: int, price: float) -> None:
    """Book one leg of a roll; it takes nothing of the bar's volume, which is that of the new contract."""
    volume_left = holding["volume_left"]
    k = add_order(portfolio, holding, bar, CLOSE, side, lots, ROLLED)
    commission, slippage = book_fill(portfolio, holding, k, bar, lots, price, math.nan)
    holding["commission"] += commission
    holding["slippage"] += slippage
    holding["volume_left"] = volume_left
    retire(portfolio, holding, k, bar, FILLED, NO_REASON)


@jit
def move_position(holding: Record, difference: float) -> None:
    """Express the prices of a position in those of the new contract."""
    holding["price"] += difference
    holding["highest"] += difference
    holding["lowest"] += difference
    holding["last_price"] += difference
    for u in range(holding["units"]):
        holding["unit_price"][u] += difference
