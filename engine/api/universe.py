"""Nodes that see all instruments of a strategy at once: the cross-section of a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.component import Component
from quantcrafter.engine.api.ports import BoolColumn, PortType, param

UNIVERSE_INPUTS = (PortType.SERIES, PortType.CONDITION)
"""What the ports of a node that sees the universe take."""

MAX_AGE_DAYS = 366.0


@dataclass(frozen=True)
class Universe:
    """The instruments that a node sees.

    `symbols` are all m of them, in the order of the file. `counts` says, shape (k, m), which of them count at each of k
    moments: those that are listed, with a bar that is new enough. `values` are what the file says of each instrument,
    by name; '' where it says nothing.
    """

    symbols: tuple[str, ...]
    counts: BoolColumn
    values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


class UniverseNode(Component):
    """Base of the nodes that are computed for all instruments at once."""

    def lookback(self) -> int:
        """Return 1: which instruments count depends on when the bar before closed."""
        return 1

    def across(self, universe: Universe, **inputs: Any) -> Any:
        """Map the values of all instruments at k moments to outputs, each moment by itself.

        Args:
            universe: the m instruments.
            inputs: by port, of shape (k, m): float64 for a series, NaN where an instrument doesn't count or has no
                value; bool for a condition, False where it doesn't count. A tuple of these for a port that takes a
                list.

        Returns:
            One array of shape (k, m) for each output, as a tuple if there are several. A row may depend only on the
            same row of the inputs: k is any number of moments, and just one where a strategy runs bar by bar.
        """
        raise NotImplementedError(type(self).__name__)

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the symbols, and the names of values, that it expects some instrument to have."""
        return (), ()


class SeesUniverse(UniverseNode):
    """Mixed into an indicator, a logic node, an advisor or a filter whose value depends on all instruments.

    It has `across` in place of `compute`. A moment is the close of a bar of any instrument. An instrument counts at it
    from its first bar on, if a bar of it has closed since the bar before of the instrument that is asked, or is at most
    `max_age_days` old. One whose data begins later, or has ended, doesn't count, and doesn't hold up the others.
    """

    max_age_days: float = param(
        "How old the last bar of an instrument may be, for its value to count; 0: closed since the last bar.",
        default=0.0,
        unit="days",
        advanced=True,
        ge=0,
        le=MAX_AGE_DAYS,
    )
    within: str = param(
        "Compare only instruments with the same value of this name, such as sector; all of them if left out.",
        default="",
        advanced=True,
    )


def values_that_count(universe: Universe, values: npt.NDArray[np.float64]) -> BoolColumn:
    """Return which values are there: of an instrument that counts, and a finite number; shape (k, m)."""
    return np.asarray(universe.counts & np.isfinite(values), np.bool_)
