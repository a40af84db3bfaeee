"""Rolls of a continuous series of futures on the chart: one by one where there is room, together where not. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantcrafter.engine.api.engine import Roll


@dataclass(frozen=True, slots=True)
class RollGroup:
    """Rolls that are too close to each other to be marked one by one, or a single one."""

    rolls: tuple[Roll, ...]

    @property
    def place(self) -> float:
        """Where the mark stands among the bars: between the last bar of a contract and the first one of the next."""
        return (self.rolls[0].bar + self.rolls[-1].bar) / 2 - 0.5


class RollMarks:
    """The rolls of an instrument, found by bar.

    Args:
        rolls: those of the run, oldest first.
    """

    def __init__(self, rolls: Sequence[Roll]) -> None:
        self.all = tuple(rolls)
        self._bars = np.array([roll.bar for roll in rolls], dtype=np.int64)

    def at(self, bar: int) -> Roll | None:
        """Return the roll before a bar, None if there is none."""
        place = int(np.searchsorted(self._bars, bar))
        return self.all[place] if place < len(self.all) and self.all[place].bar == bar else None

    def groups(self, left: float, right: float, distance: float) -> list[RollGroup]:
        """Return the rolls between two places among the bars; those closer than so many bars are one group."""
        first, end = np.searchsorted(self._bars, [left, right + 1.0])
        found: list[list[Roll]] = []
        for roll in self.all[first:end]:
            if found and roll.bar - found[-1][0].bar < distance:
                found[-1].append(roll)
            else:
                found.append([roll])
        return [RollGroup(tuple(each)) for each in found]
