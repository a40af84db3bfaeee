"""Positions at target weights."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from quantcrafter.engine.api import (
    ExecutionLogic,
    ExecutionRule,
    FilterInputs,
    Message,
    RebalanceRule,
    RiskInputs,
    SeriesInput,
    param,
    port,
)


class Rebalance(ExecutionLogic):
    """Hold every instrument at a share of the equity, and restore these weights from time to time.

    `weight` is a series of each instrument: 0.25 is a quarter of the equity long, -0.1 a tenth short, 0 nothing; no
    value leaves the position as it is. Quantities follow from equity and close, rounded towards zero to whole lots, and
    are traded at the next open: surplus is sold in all instruments before anything is bought. An instrument without a
    bar at that time is left out. Filters block purchases (and short sales), never reductions. It starts at the first
    bar with a decision; then `every_bars` steps later, at the first close of a month, or when a position is more than
    `drift_percent` of the equity away from its weight, whichever is set.
    """

    name = "rebalance"
    category = "Portfolio"

    weight: SeriesInput = port("The wanted part of the equity, from -1 to 1; the same for all as a number.")
    filters: FilterInputs = port("Filters that hold back purchases.", default=())
    risk: RiskInputs = port("Stops and targets that protect the positions.", default=())
    every_bars: int = param("After how many closes to restore; 0: not by count.", default=0, unit="bars", ge=0)
    monthly: bool = param("Restore at the first close of each month (UTC).", default=False)
    drift_percent: float = param("Restore when a weight is off by more; 0: never.", default=0.0, unit="%", ge=0, le=100)

    @model_validator(mode="after")
    def _some_occasion(self) -> Self:
        if not (self.every_bars or self.monthly or self.drift_percent):
            raise ValueError(Message("weights are never restored: set every_bars, monthly or drift_percent"))
        return self

    def rule(self) -> ExecutionRule:
        return ExecutionRule(rebalance=RebalanceRule(self.every_bars, self.monthly, self.drift_percent))
