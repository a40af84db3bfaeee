"""Further entries in the direction held."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from quantcrafter.engine.api import MOST_ENTRIES, ExecutionRule, Message, Offset, ScaleInRule, SeriesInput, param, port
from quantcrafter.nodes.execution.base import NEEDS_ATR, SignalExecution


class ScaleIn(SignalExecution):
    """Enter by market orders, and enlarge the position in steps: pyramiding with it, averaging down against it.

    A further entry is ordered at a close that is at least the spacing away from the last entry's fill price, in favour
    of the position or against it; with `on_signal` only on a bar with an entry signal of its side. The spacing is the
    sum of the three, each counted from the last entry. The second entry has the first one's size times `size_factor`,
    the third that times the factor again, in whole lots. Filters also block further entries.

    Stops and targets belong to the whole position: with each entry they are replaced by orders for all of it, at their
    distance from its average price. Those with `scope: unit` belong to one entry each, and stay at their distance from
    its fill price. Source: pyramiding after Faith, Way of the Turtle (2007), by ATR in favour.
    """

    name = "scale_in"
    category = "Position building"

    max_entries: int = param("Entries in all, the first included.", default=4, ge=2, le=MOST_ENTRIES)
    direction: Literal["favour", "against"] = param("Whether to add to winners or to losers.", default="favour")
    spacing_percent: float = param("Distance of entries, in percent.", default=0.0, unit="%", ge=0, lt=100)
    spacing_ticks: float = param("Distance of entries, in ticks.", default=0.0, unit="ticks", ge=0, le=1e6)
    spacing_pips: float = param("Distance of entries, in pips.", default=0.0, unit="pips", ge=0, le=1e6)
    spacing_atr: float = param("Distance of entries, in average true ranges.", default=0.0, ge=0, le=1000)
    atr: SeriesInput | None = port("The average true range, such as a node of ta.ATR.", default=None)
    size_factor: float = param("Size of an entry, in sizes of the one before.", default=1.0, gt=0, le=10)
    on_signal: bool = param("Add only on a bar with an entry signal.", default=False)

    @model_validator(mode="after")
    def _spacing_is_known(self) -> Self:
        if self.spacing_atr and self.atr is None:
            raise ValueError(NEEDS_ATR)
        if not (self.spacing_percent or self.spacing_ticks or self.spacing_pips or self.spacing_atr or self.on_signal):
            wish = Message("set spacing_percent, spacing_ticks, spacing_pips or spacing_atr")
            raise ValueError(Message("entries need a distance, or on_signal: {wish}", wish=wish))
        return self

    def rule(self) -> ExecutionRule:
        spacing = Offset(self.spacing_percent, self.spacing_ticks, self.spacing_atr, self.spacing_pips)
        favour = self.direction == "favour"
        scale = ScaleInRule(self.max_entries, spacing, favour, self.size_factor, self.on_signal)
        return ExecutionRule(self.opposite(), self.combine, scale_in=scale)
