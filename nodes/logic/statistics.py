"""Where a value stands among the last ones, how much they swing, and how far two are apart.

rank, zscore, volatility, spread.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from quantcrafter.engine.api import FloatColumn, SeriesInput, StepForm, StepOutputs, param, port
from quantcrafter.nodes import kernels
from quantcrafter.nodes.logic.base import CATEGORY_STATISTICS, SeriesLogic

_MAX_WINDOW = 10_000


class Rank(SeriesLogic):
    """Rank a value among the last `bars`: 0 for the lowest, 100 for the highest, 50 in the middle.

    The percentage of the bars - 1 values before that lie below it; equal ones count half (percentile rank). Known at
    the bar's close. The first bars - 1 bars have no value, nor does a window with a NaN.
    """

    name = "rank"
    loops = True
    category = CATEGORY_STATISTICS
    formula_source = "Percentile rank: (below + equal / 2) / count"

    input: SeriesInput = port("The series.")
    bars: int = param("Over how many bars, this one included.", default=100, unit="bars", ge=2, le=_MAX_WINDOW)

    def warmup(self) -> int:
        return self.bars - 1

    def compute(self, **inputs: FloatColumn) -> FloatColumn:
        return kernels.percent_rank(inputs["input"], self.bars)

    def steps(self, form: StepForm) -> StepOutputs:
        return form.rank(form.input("input"), self.bars)


class ZScore(SeriesLogic):
    """Measure how many standard deviations a value lies above the mean of the last `bars`, this one included.

    The deviation is that of the population (divided by the count), as in TA-Lib's STDDEV. Known at the bar's close. The
    first bars - 1 bars have no value, nor does a window with a NaN or without movement.
    """

    name = "zscore"
    loops = True
    category = CATEGORY_STATISTICS
    formula_source = "Standard score: (x - mean) / standard deviation, two passes over each window"

    input: SeriesInput = port("The series.")
    bars: int = param("Over how many bars, this one included.", default=20, unit="bars", ge=2, le=_MAX_WINDOW)

    def warmup(self) -> int:
        return self.bars - 1

    def compute(self, **inputs: FloatColumn) -> FloatColumn:
        return kernels.zscore(inputs["input"], self.bars)

    def steps(self, form: StepForm) -> StepOutputs:
        return form.zscore(form.input("input"), self.bars)


class Volatility(SeriesLogic):
    """Measure how much a price swings, in percent a year.

    100 x standard deviation of the last `bars` log returns (of a sample: divided by bars - 1) x square root of
    `bars_per_year`. Known at the bar's close. The first `bars` bars have no value, nor has a window with a price that
    is NaN or not above zero. There are 252 trading days per year on stock exchanges, 365 where trading never stops.
    """

    name = "volatility"
    loops = True
    category = CATEGORY_STATISTICS
    formula_source = "Realised volatility: annualised standard deviation of log returns; Hull, Options, Futures"

    input: SeriesInput = port("The price.")
    bars: int = param("Over how many returns.", default=20, unit="bars", ge=2, le=_MAX_WINDOW)
    bars_per_year: float = param("How many bars make a year.", default=252.0, unit="bars", gt=0, le=40_000_000)

    def warmup(self) -> int:
        return self.bars

    def compute(self, **inputs: FloatColumn) -> FloatColumn:
        return kernels.volatility(inputs["input"], self.bars, self.bars_per_year)

    def steps(self, form: StepForm) -> StepOutputs:
        return form.volatility(form.input("input"), self.bars, self.bars_per_year)


class PriceSpread(SeriesLogic):
    """Measure how far two prices are apart: first - ratio x second, of the prices or of their logarithms.

    With a ratio that changes, such as one of the node hedge_ratio, the spread of each bar has the ratio of that bar.
    Known at the bar's close, no warm-up. NaN where an input is NaN, where a price has no logarithm, and where the
    result is not a finite number.
    """

    name = "spread"
    category = CATEGORY_STATISTICS

    first: SeriesInput = port("Price of the first instrument.")
    second: SeriesInput = port("Price of the second instrument.")
    ratio: SeriesInput = port("How much of the second is held against one of the first; or a number.")
    scale: Literal["price", "log"] = param("Whether prices are compared, or their logarithms.", default="price")

    def compute(self, first: FloatColumn, second: FloatColumn, ratio: FloatColumn) -> FloatColumn:
        if self.scale == "log":
            first, second = kernels.log_of(first), kernels.log_of(second)
        with np.errstate(all="ignore"):
            values = first - ratio * second
        return np.where(np.isfinite(values), values, np.nan)

    def steps(self, form: StepForm) -> StepOutputs:
        first, second = form.input("first"), form.input("second")
        if self.scale == "log":
            first, second = form.log(first), form.log(second)
        return form.finite(first - form.input("ratio") * second)
