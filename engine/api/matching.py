"""Matching: the question that a bar puts to an engine, one order at a time."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, Protocol


class Phase(IntEnum):
    """The course of a bar: orders at the open, then stops, then limits."""

    OPEN = 0
    STOP = 1
    LIMIT = 2


class WorkingOrder(NamedTuple):
    """One open order on one bar, as a matcher sees it.

    `instrument` is the index in file order, `bar` an index into its own bars, `side` +1 to buy and -1 to sell. `phase`
    says how to match: OPEN at the open, STOP by the trigger `price`, LIMIT by the limit `price`; a stop-limit is asked
    for as a stop until it is touched, then as a limit. `open` to `close` are the prices of the bar; where `whole_bar`
    is False only what came after the order's trigger was touched inside this bar, so that a matcher that replays the
    bar itself must leave this case to the prices given.
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
