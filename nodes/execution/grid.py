"""A grid of limit orders."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from quantcrafter.engine.api import MOST_LEVELS, ExecutionRule, GridRule, Message, Offset, SeriesInput, param, port
from quantcrafter.nodes.execution.base import NEEDS_ATR, SignalExecution


class Grid(SignalExecution):
    """Buy at lines below the price and sell each purchase one line higher, again and again; a short grid is mirrored.

    An entry signal starts the grid: its anchor is `line`, or the close; its lines are the spacing apart below (for a
    short grid: above) the anchor, and don't move. At each line, a limit order waits, with the size of the money
    manager. What was bought at a line is offered by a limit order at the line above, for the first line at the anchor;
    once sold, the line's entry is placed again. Orders are created at the close of a bar, and are active from the next
    one on.

    An exit signal ends the grid and closes the position; so does an entry signal of the other side, as `on_opposite`
    says. When a stop-loss closes the position the grid ends too. `cap_percent` limits the position that all waiting
    entries together could make, counted at the anchor's price.
    """

    name = "grid"
    category = "Position building"

    line: SeriesInput | None = port("The anchor of the grid; the close if left out.", default=None)
    levels: int = param("Number of lines.", default=5, ge=1, le=MOST_LEVELS)
    spacing_percent: float = param("Distance of lines, in percent of the anchor.", default=0.0, unit="%", ge=0, lt=100)
    spacing_ticks: float = param("Distance of lines, in ticks.", default=0.0, unit="ticks", ge=0, le=1e6)
    spacing_pips: float = param("Distance of lines, in pips.", default=0.0, unit="pips", ge=0, le=1e6)
    spacing_atr: float = param("Distance of lines, in average true ranges.", default=0.0, ge=0, le=1000)
    atr: SeriesInput | None = port("The average true range, such as a node of ta.ATR.", default=None)
    cap_percent: float = param("Largest position, of the equity.", default=100.0, unit="%", gt=0, le=1000)

    @model_validator(mode="after")
    def _spacing_is_known(self) -> Self:
        if self.spacing_atr and self.atr is None:
            raise ValueError(NEEDS_ATR)
        if not (self.spacing_percent or self.spacing_ticks or self.spacing_pips or self.spacing_atr):
            wish = Message("set spacing_percent, spacing_ticks, spacing_pips or spacing_atr")
            raise ValueError(Message("a grid needs a distance of its lines: {wish}", wish=wish))
        return self

    def rule(self) -> ExecutionRule:
        spacing = Offset(self.spacing_percent, self.spacing_ticks, self.spacing_atr, self.spacing_pips)
        return ExecutionRule(self.opposite(), self.combine, grid=GridRule(self.levels, spacing, self.cap_percent))
