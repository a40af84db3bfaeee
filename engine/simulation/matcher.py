"""Our own matcher, according to QC-BAR-1."""

from __future__ import annotations

import math

from quantcrafter.engine.api.matching import Matcher, WorkingOrder
from quantcrafter.engine.simulation.primitives import match_limit, match_stop
from quantcrafter.engine.simulation.records import LIMITS, OPENS

__all__ = ["BarMatcher", "Matcher", "WorkingOrder"]


class BarMatcher:
    """Matches after QC-BAR-1, by the same primitives as the compiled driver."""

    def match(self, order: WorkingOrder) -> float | None:
        """Return the price at which the order fills on this bar, or None if it doesn't."""
        if order.phase == OPENS:
            return order.open
        touched = match_limit if order.phase == LIMITS else match_stop
        price = touched(order.side, order.price, order.open, order.high, order.low)
        return None if math.isnan(price) else price
