"""The arithmetic of QC-BAR-1: pure compiled functions of scalars.

Both drivers call these, so that their results are identical. `side` is +1 to buy (or long), -1 to sell (or short).
Prices and amounts are in the quote currency. An `inverse` is 1 / step where that is a whole number, else 0: dividing by
it gives the exact decimal (3 / 10 instead of 3 x 0.1).
"""

from __future__ import annotations

import math

from quantcrafter.engine.simulation.jit import jit

TOLERANCE = 1e-12
"""A generous relative error of a few floating-point operations: ties are decided as in decimal arithmetic."""

TICK_TOLERANCE = 1e-6
"""Tolerance for a distance of one tick: prices are large compared with a tick, and so is their rounding error."""

MOST_LOTS = 2.0**53
"""Beyond this a float64 no longer holds every whole number."""


def whole_inverse(step: float) -> float:
    """Return 1 / `step` when it is a whole number within 1e-9, else 0."""
    if step <= 0.0:
        return 0.0
    inverse = math.floor(1.0 / step + 0.5)
    return inverse if inverse >= 1.0 and abs(inverse * step - 1.0) < 1e-9 else 0.0  # noqa: PLR2004 - documented


@jit
def round_to_tick(price: float, tick_size: float, tick_inverse: float) -> float:
    """Return the multiple of the tick nearest to `price`, halves away from zero; tick size 0 means no rounding.

    NaN and infinity are returned as they are.
    """
    if tick_size <= 0.0 or not abs(price) < math.inf:
        return price
    scaled = price * tick_inverse if tick_inverse > 0.0 else price / tick_size
    ticks = math.floor(abs(scaled) * (1.0 + TOLERANCE) + 0.5)
    if scaled < 0.0:
        ticks = -ticks
    return ticks / tick_inverse if tick_inverse > 0.0 else ticks * tick_size


@jit
def is_price(price: float, contract: float) -> bool:
    """Return whether an order can have that price: above zero, or for a contract any finite price."""
    return abs(price) < math.inf and (price > 0.0 or contract == 1.0)


@jit
def to_quantity(lots: int, lot_size: float, lot_inverse: float) -> float:
    """Return the quantity of that many lots, in units of the instrument."""
    return lots / lot_inverse if lot_inverse > 0.0 else lots * lot_size


@jit
def whole_lots(quantity: float, lot_size: float, lot_inverse: float) -> int:
    """Return how many whole lots fit into `quantity`; 0 when it is NaN or not positive."""
    lots = quantity * lot_inverse if lot_inverse > 0.0 else quantity / lot_size
    if not lots > 0.0:
        return 0
    return math.floor(min(lots * (1.0 + TOLERANCE), MOST_LOTS))


@jit
def match_stop(side: int, trigger: float, open_: float, high: float, low: float) -> float:
    """Return the fill price of a stop order within a bar, or NaN when the bar does not touch the trigger."""
    if side > 0:
        return max(trigger, open_) if high >= trigger else math.nan
    return min(trigger, open_) if low <= trigger else math.nan


@jit
def match_limit(side: int, limit: float, open_: float, high: float, low: float) -> float:
    """Return the fill price of a limit order within a bar, or NaN when the bar does not touch the limit."""
    if side > 0:
        return min(limit, open_) if low <= limit else math.nan
    return max(limit, open_) if high >= limit else math.nan


@jit
def commission_of(
    notional: float, quantity: float, percent: float, per_unit: float, fixed: float, minimum: float
) -> float:
    """Return the commission of an order: the sum of its charges, at least the minimum if there is one."""
    total = percent / 100.0 * notional + per_unit * quantity + fixed
    return total if minimum <= 0.0 else max(minimum, total)


@jit
def slippage_of(notional: float, quantity: float, bps: float, ticks: float, tick_size: float, move: float) -> float:
    """Return the slippage of a market or stop fill as an amount; `move` is a price difference."""
    return notional * bps / 10_000.0 + (ticks * tick_size + move) * quantity


@jit
def protective_distance(price: float, percent: float, multiple: float, value: float, offset: float) -> float:
    """Return the distance of a protective order from `price`; `value` is the rule's column (0 without one)."""
    return abs(price) * percent / 100.0 + multiple * value + offset
