"""Candles at several levels of detail, and Heikin-Ashi bars. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantcrafter.app.charts.model.detail_levels import (
    RangeLevels,
    SumLevels,
    bucket_centres,
    bucket_range,
    bucket_step,
)
from quantcrafter.engine.api import Bars, FloatColumn


@dataclass(frozen=True)
class Candles:
    """The visible candles, each of `step` bars: the first open, the extremes, the last close, the volume together."""

    step: int
    first: int
    open: FloatColumn
    high: FloatColumn
    low: FloatColumn
    close: FloatColumn
    volume: FloatColumn

    @property
    def centres(self) -> FloatColumn:
        """Where the middle of each candle lies, in bars."""
        return bucket_centres(self.first, len(self.close), self.step)

    @property
    def rising(self) -> np.ndarray:
        """Whether each closes at or above its open."""
        return np.asarray(self.close >= self.open)


class CandleLevels:
    """Open, high, low and close columns of n bars, ready to be drawn at any zoom."""

    def __init__(
        self, opens: FloatColumn, high: FloatColumn, low: FloatColumn, close: FloatColumn, volume: SumLevels
    ) -> None:
        self._open, self._close = opens, close
        self._range = RangeLevels(low, high)
        self._volume = volume

    @classmethod
    def of(cls, bars: Bars) -> CandleLevels:
        """Return the candles of bars."""
        return cls(bars.open, bars.high, bars.low, bars.close, SumLevels(bars.volume))

    def __len__(self) -> int:
        return len(self._close)

    def span(self, left: float, right: float, most: int) -> Candles:
        """Return the candles of bars `left` to `right`: at most `most`, of one or several bars each."""
        step = bucket_step(right - left, most)
        first, end = bucket_range(left, right, step, len(self))
        reach = self._range.span(left, right, most)
        lasts = np.minimum(np.arange(first + 1, end + 1) * step, len(self)) - 1
        return Candles(
            step,
            first,
            self._open[first * step : end * step : step],
            reach.high,
            reach.low,
            self._close[lasts],
            self._volume.sums(step, first, end),
        )

    def extremes(self, left: float, right: float) -> tuple[float, float] | None:
        """Return the lowest low and the highest high between two bars."""
        return self._range.extremes(left, right)

    def heikin_ashi(self) -> CandleLevels:
        """Return the Heikin-Ashi candles of these (Valcu, Stocks & Commodities 22:2, 2004)."""
        opened, high, low, close = heikin_ashi(self._open, self._range.top, self._range.column, self._close)
        return CandleLevels(opened, high, low, close, self._volume)


def heikin_ashi(
    opened: FloatColumn, high: FloatColumn, low: FloatColumn, close: FloatColumn
) -> tuple[FloatColumn, FloatColumn, FloatColumn, FloatColumn]:
    """Return open, high, low and close of Heikin-Ashi bars; each knows the bars up to it only.

    The close is the mean of the bar's four prices, the open the middle of the Heikin-Ashi bar before:
    `o[t] = (o[t-1] + c[t-1]) / 2`. That is a sum of earlier closes with weights 1/2, 1/4, ..., which is
    doubled up here: after 64 terms what is left out is smaller than the last digit.
    """
    ha_close = (opened + high + low + close) / 4.0
    total = np.empty_like(ha_close)
    if len(total):
        # The first open as the term that stands for all before it: o[0] = 2 * o[0] / 2.
        total[0] = (opened[0] + close[0]) / 2.0
        total[1:] = ha_close[:-1] / 2.0
    reach = 1
    while reach < min(64, len(total)):
        shifted = total[:-reach] * 0.5**reach
        total[reach:] += shifted
        reach *= 2
    return total, np.maximum(high, np.maximum(total, ha_close)), np.minimum(low, np.minimum(total, ha_close)), ha_close
