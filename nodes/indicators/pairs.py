"""Relations of two prices, for pairs: hedge_ratio, mean_reversion."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from quantcrafter.engine.api import FloatColumn, Indicator, Output, PortType, SeriesInput, param, port
from quantcrafter.nodes.indicators.regressions import regression, reversion
from quantcrafter.nodes.kernels import log_of

_MAX_WINDOW = 10_000


class HedgeRatio(Indicator):
    """Estimate how much of a second instrument moves as one of the first does: the slope of a rolling regression.

    Least squares over the last `bars` closes, this one included: first = intercept + ratio x second. `residual` is how
    far the first price lies above that line now; it has a mean of zero over the window. With `scale: price` the ratio
    is one of units, with `scale: log` (of the logarithms of prices) one of values, as `ratio_of` of the node pair says.
    Known at the bar's close. The first bars - 1 bars have no value, nor does a window with a NaN, without movement, or
    with a price that has no logarithm.
    """

    name = "hedge_ratio"
    category = "Pairs"
    formula_source = "Ordinary least squares; Vidyamurthy, Pairs Trading (2004)"
    outputs = (
        Output("ratio", PortType.SERIES, "Units of the second for one of the first; of log prices, values."),
        Output("intercept", PortType.SERIES, "Where the line lies when the second price is 0."),
        Output("residual", PortType.SERIES, "How far the first price lies above the line."),
    )

    first: SeriesInput = port("Price of the first instrument.")
    second: SeriesInput = port("Price of the second instrument.")
    bars: int = param("Over how many bars, this one included.", default=60, unit="bars", ge=3, le=_MAX_WINDOW)
    scale: Literal["price", "log"] = param("Whether prices are compared, or their logarithms.", default="price")
    intercept: bool = param("Whether the line has an intercept, or goes through zero.", default=True)

    def warmup(self) -> int:
        return self.bars - 1

    def lookback(self) -> int:
        return self.bars - 1

    def compute(self, first: FloatColumn, second: FloatColumn) -> tuple[FloatColumn, ...]:
        if self.scale == "log":
            first, second = log_of(first), log_of(second)
        with np.errstate(all="ignore"):
            return regression(first, second, self.bars, intercept=self.intercept)


class MeanReversion(Indicator):
    """Measure whether and how fast a spread returns to its mean, by a regression of its changes on its level.

    Least squares over the last `bars` changes: change = a + b x value before. `half_life` is the number of bars in
    which half of a deviation has gone, -ln 2 / ln(1 + b); it has no value unless -1 < b < 0. `t_value` is that of b,
    the statistic of Dickey and Fuller without lagged changes: the further below zero, the less is the spread like a
    random walk. For a spread with a given ratio, about -2.9 is significant at 5 %; for the residual of a regression
    (the test of Engle and Granger for cointegration), about -3.4. Known at the bar's close. The first `bars` bars have
    no value, nor does a window with a NaN or without movement.
    """

    name = "mean_reversion"
    category = "Pairs"
    formula_source = (
        "Dickey and Fuller (1979); Engle and Granger (1987); half-life after Chan, Algorithmic Trading (2013)"
    )
    outputs = (
        Output("half_life", PortType.SERIES, "Bars in which half of a deviation has gone."),
        Output("t_value", PortType.SERIES, "Statistic of Dickey and Fuller."),
    )

    input: SeriesInput = port("The spread.")
    bars: int = param("Over how many changes.", default=60, unit="bars", ge=4, le=_MAX_WINDOW)

    def warmup(self) -> int:
        return self.bars

    def lookback(self) -> int:
        return self.bars

    def compute(self, **inputs: FloatColumn) -> tuple[FloatColumn, ...]:
        with np.errstate(all="ignore"):
            slopes, t_values = reversion(inputs["input"], self.bars)
        returning = (slopes > -1.0) & (slopes < 0.0)
        half_life = np.full(len(slopes), np.nan)
        half_life[returning] = -math.log(2.0) / np.log1p(slopes[returning])
        return half_life, t_values
