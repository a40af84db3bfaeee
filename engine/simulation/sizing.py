"""How large an entry is, or why there is none. Compiled."""

from __future__ import annotations

import math

from engine.simulation.jit import jit
from engine.simulation.primitives import wanted_quantity, whole_lots
from engine.simulation.records import BLOCKED_DISTANCE, BLOCKED_EQUITY, BLOCKED_SIZE, RISK_PERCENT, Record


@jit
def entry_lots(desk: Record, book: Record, price: float, equity: float, distance: float) -> tuple[int, int]:
    """Return the lots of an entry expected at `price`, or 0 and the reason why there is none.

    `distance` is what `stop_distance` says at `price`.
    """
    if not equity > 0.0:
        return 0, BLOCKED_EQUITY
    if math.isnan(distance) or (desk["size_kind"] == RISK_PERCENT and math.isinf(distance)):
        return 0, BLOCKED_DISTANCE
    quantity = wanted_quantity(desk["size_kind"], desk["size_value"], equity, price, distance)
    return whole_lots(quantity, book["lot_size"], book["lot_inverse"]), BLOCKED_SIZE
