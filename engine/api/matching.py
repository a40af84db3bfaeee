"""Matching: the interface to an engine's matcher, one order on one bar at a time."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, Protocol


class Phase(IntEnum):
    """The phases of a bar: orders at the open, then stops, then limits."""

    OPEN = 0
    STOP = 1
    LIMIT = 2


class WorkingOrder(NamedTuple):
    """One open order on one bar, for a matcher.

    `instrument` is the index in file order, `bar` an index into its own bars, `side` +1 to buy and -1 to sell. `phase`
    is the kind of matching: OPEN at the open, STOP by the trigger `price`, LIMIT by the limit `price`; a stop-limit is
    passed as a stop until it is triggered, then as a limit. `open` to `close` are the prices of the bar; if `whole_bar`
    is False, they cover only the part after the order's trigger was touched inside this bar, so a matcher that replays
    the bar itself must use the given prices in this case.
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
    """Called for every order that may fill on a bar, in canonical order.

    That is: market orders by id, then stops by id, then limits by id, each for all instruments of the step in file
    order. OCO siblings of a filled order are removed before the next call.
    """

    def match(self, order: WorkingOrder) -> float | None:
        """Return the price at which the order fills on this bar, or None if it doesn't."""
        ...
