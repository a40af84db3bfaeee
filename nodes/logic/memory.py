"""Logic that remembers: bars_since, rolling_count, highest_since, lowest_since."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantcrafter.engine.api import (
    BoolColumn,
    ConditionInput,
    FloatColumn,
    SeriesInput,
    StepForm,
    StepOutputs,
    param,
    port,
)
from quantcrafter.nodes import kernels
from quantcrafter.nodes.logic.base import CATEGORY_MEMORY, MAX_BARS, SeriesLogic


class BarsSince(SeriesLogic):
    """Count the bars since the condition was last true: 0 at a bar at which it is true, then 1, 2 and so on.

    Known at the bar's close. NaN before the first time. Depends on the whole history.
    """

    name = "bars_since"
    loops = True
    category = CATEGORY_MEMORY

    condition: ConditionInput = port("The condition.")

    def lookback(self) -> None:
        return None

    def compute(self, condition: BoolColumn) -> FloatColumn:
        return kernels.bars_since(condition)

    def steps(self, form: StepForm) -> StepOutputs:
        return form.age(form.input("condition"))


class RollingCount(SeriesLogic):
    """Count at how many of the last `bars` bars, this one included, the condition was true.

    Known at the bar's close. The first bars - 1 bars have no value (NaN).
    """

    name = "rolling_count"
    category = CATEGORY_MEMORY

    condition: ConditionInput = port("The condition.")
    bars: int = param("Over how many bars.", default=10, unit="bars", ge=1, le=MAX_BARS)

    def warmup(self) -> int:
        return self.bars - 1

    def compute(self, condition: BoolColumn) -> FloatColumn:
        out = np.full(len(condition), np.nan)
        if len(condition) >= self.bars:
            count = np.cumsum(condition, dtype=np.int64)
            out[self.bars - 1 :] = count[self.bars - 1 :]
            out[self.bars :] -= count[: -self.bars]
        return out

    def steps(self, form: StepForm) -> StepOutputs:
        return form.count(form.input("condition"), self.bars)


class HighestSince(SeriesLogic):
    """Give the highest value of a series since the condition was last true, that bar included.

    Known at the bar's close. NaN before the condition was first true; bars without a value are ignored. Depends on the
    whole history.
    """

    name = "highest_since"
    loops = True
    category = CATEGORY_MEMORY

    input: SeriesInput = port("The series.")
    condition: ConditionInput = port("Restarts where it is true.")

    def lookback(self) -> None:
        return None

    def compute(self, **inputs: Any) -> FloatColumn:
        return kernels.highest_since(inputs["input"], inputs["condition"])

    def steps(self, form: StepForm) -> StepOutputs:
        return form.highest_since(form.input("input"), form.input("condition"))


class LowestSince(SeriesLogic):
    """Give the lowest value of a series since the condition was last true, that bar included.

    Known at the bar's close. NaN before the condition was first true; bars without a value are ignored. Depends on the
    whole history.
    """

    name = "lowest_since"
    loops = True
    category = CATEGORY_MEMORY

    input: SeriesInput = port("The series.")
    condition: ConditionInput = port("Restarts where it is true.")

    def lookback(self) -> None:
        return None

    def compute(self, **inputs: Any) -> FloatColumn:
        below: FloatColumn = -inputs["input"]
        return -kernels.highest_since(below, inputs["condition"])

    def steps(self, form: StepForm) -> StepOutputs:
        return -form.highest_since(-form.input("input"), form.input("condition"))
