"""Running means of two periods over one column, computed in one pass.

A running mean adds the newest value to its sum, divides, and subtracts the oldest value: each bar waits for the bar
before. Two sums in one loop take no longer than one.
"""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api.compiled import compiled
from quantcrafter.engine.api.ports import FloatColumn

PART = 512
"""How many sums are made before they are divided: they stay in the fastest cache, and are divided several at a time."""


@compiled
def running_means(values: FloatColumn, short: int, long: int, short_mean: FloatColumn, long_mean: FloatColumn) -> None:
    """Write the means over the last `short` and the last `long` values to two columns, NaN before the first one.

    Sums are made in the order of TA-Lib's TA_SMA, so the means have the same bits.

    Args:
        values: finite numbers, shape (n,), at least `long` of them.
        short: a period, not above `long`.
        long: the other period.
        short_mean: where the means over `short` values go, shape (n,).
        long_mean: the same for `long`.
    """
    quick, slow = 0.0, 0.0
    for row in range(short - 1):
        quick += values[row]
        short_mean[row] = np.nan
    for row in range(long - 1):
        slow += values[row]
        long_mean[row] = np.nan
    for row in range(short - 1, long - 1):
        quick += values[row]
        short_mean[row] = quick / short
        quick -= values[row - short + 1]
    for start in range(long - 1, len(values), PART):
        end = min(start + PART, len(values))
        newest, quick_out, slow_out = values[start:end], short_mean[start:end], long_mean[start:end]
        quick_oldest, slow_oldest = values[start - short + 1 : end], values[start - long + 1 : end]
        for row in range(len(newest)):
            quick += newest[row]
            slow += newest[row]
            quick_out[row] = quick
            slow_out[row] = slow
            quick -= quick_oldest[row]
            slow -= slow_oldest[row]
        for row in range(len(quick_out)):
            quick_out[row] /= short
        for row in range(len(slow_out)):
            slow_out[row] /= long
