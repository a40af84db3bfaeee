"""Matcher: who says at what price a working order fills. Ours by default; another engine can take its place."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from engine.simulation.primitives import match_limit, match_stop
from engine.simulation.records import LIMITS, OPENS


class WorkingOrder(NamedTuple):
    """One order at work on one bar, as a matcher sees it.

    `instrument` is the index in file order, `bar` an index into its own bars, `side` +1 to buy and -1 to sell. `phase`
    says how to match: OPENS at the open, STOPS by the trigger `price`, LIMITS by the limit `price`; a stop-limit is
    asked for as a stop until it is touched, then as a limit. `open` to `close` are the prices of the bar; where
    `whole_bar` is False only what came after the order's trigger was touched inside this bar, so that a matcher that
    replays the bar itself must leave this case to the prices given.
    """

    number: int
    instrument: int
    bar: int
    phase: int
    side: int
    lots: int
    price: float
    open: float
    high: float
    low: float
    close: float
    whole_bar: bool = True


class Matcher(Protocol):
    """Asked for every order that may fill on a bar, in canonical order.

    That is: market orders by id, then stops by id, then limits by id, each for all instruments of the step in file
    order. OCO siblings of an order that filled are gone before the next is asked for.
    """

    def match(self, order: WorkingOrder) -> float | None:
        """Return the price at which the order fills on this bar, or None when it does not."""
        ...


class BarMatcher:
    """Matches after QC-BAR-1, by the same primitives as the compiled driver."""

    def match(self, order: WorkingOrder) -> float | None:
        if order.phase == OPENS:
            return order.open
        touched = match_limit if order.phase == LIMITS else match_stop
        price = touched(order.side, order.price, order.open, order.high, order.low)
        return None if math.isnan(price) else price
