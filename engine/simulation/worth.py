"""The worth of a position for the account, its value, and its margin. Compiled.

A spot position is paid for: it is worth its price. A contract is not: it is worth its gain since the entry or the last
roll, which changes the cash when it is closed or rolled. Amounts are in the account's currency, at the latest rate.
"""

from __future__ import annotations

from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.records import Record


@inlined
def worth(holding: Record, price: float) -> float:
    """Return the position's contribution to the equity at a price."""
    points = holding["quantity"] * holding["multiplier"]
    return float(points * (price - holding["contract"] * holding["settled"]) * holding["rate"])


@inlined
def open_profit(holding: Record) -> float:
    """Return what a position has gained at its mark, less the costs of its entries, with its fees and dividends."""
    if holding["contract"] == 1.0:
        gain = worth(holding, holding["mark"]) + holding["rolled"]
    else:
        gain = (holding["mark"] * holding["rate"] - holding["basis"]) * holding["quantity"]
    return float(gain - holding["commission"] - holding["slippage"] + holding["carry"])


@jit
def pair_profit(one: Record, two: Record) -> tuple[float, float]:
    """Return the open profit of two legs together, and their gross value at entry."""
    value = abs(one["basis"] * one["quantity"]) + abs(two["basis"] * two["quantity"])
    return float(open_profit(one) + open_profit(two)), float(value)


@inlined
def value_of(holding: Record, quantity: float, price: float) -> float:
    """Return the value of a quantity at a price, with the signs of both."""
    return float(quantity * holding["multiplier"] * price * holding["rate"])


@jit
def margin_of(holding: Record, quantity: float, price: float, part: float, amount: float) -> float:
    """Return the margin of a quantity, not negative: a part of its value, and an amount for each unit."""
    return float(value_of(holding, quantity, abs(price)) * part + quantity * amount * holding["rate"])
