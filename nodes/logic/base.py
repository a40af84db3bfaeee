"""What the logic nodes share."""

from __future__ import annotations

from quantcrafter.engine.api import Logic, Output, PortType

MAX_BARS = 100_000

CATEGORY_ARITHMETIC = "Arithmetic"
CATEGORY_CONDITIONS = "Conditions"
CATEGORY_MEMORY = "Memory"
CATEGORY_POSITION = "Position"
CATEGORY_STATISTICS = "Statistics"
CATEGORY_TIME = "Time"


class WindowedLogic(Logic):
    """Base of the logic here: it reads its warm-up and the newest bar; what remembers more says so."""

    def lookback(self) -> int | None:
        return self.warmup()


class SeriesLogic(WindowedLogic):
    """Base of logic whose output is a series."""

    outputs = (Output("value", PortType.SERIES, "The result, float64."),)


class ConditionLogic(WindowedLogic):
    """Base of logic whose output is a condition."""

    outputs = (Output("value", PortType.CONDITION, "Whether it holds at this bar."),)
