"""Loops with a memory, compiled on first use. Each makes one pass over its columns and looks at no later bar."""

from __future__ import annotations

import math

import numpy as np

from quantcrafter.engine.api import BoolColumn, FlagColumn, FloatColumn, compiled

SIDE_MEMORY = 1000
"""Bars after which a crossing forgets on which side a line was, when it stays level or without value for so long."""


@compiled
def crosses(left: FloatColumn, right: FloatColumn, at_above: int, at_below: int, memory: int) -> FlagColumn:
    """Return `at_above` where left crosses above right, `at_below` where it crosses below, else 0.

    A bar crosses when the lines differ at it, and at the last bar before at which they differed they stood the other
    way round. Bars at which they are equal, or one is NaN, have no side.
    """
    n = len(left)
    flags = np.zeros(n, np.uint8)
    side, seen = 0, -memory - 1
    for i in range(n):
        a, b = left[i], right[i]
        if a > b:
            if side < 0 and i - seen <= memory:
                flags[i] = at_above
            side, seen = 1, i
        elif a < b:
            if side > 0 and i - seen <= memory:
                flags[i] = at_below
            side, seen = -1, i
    return flags


@compiled
def bars_since(condition: BoolColumn) -> FloatColumn:
    """Return the count of bars since the condition was last true, NaN before the first time."""
    out = np.empty(len(condition))
    count = np.nan
    for i in range(len(condition)):
        count = 0.0 if condition[i] else count + 1.0
        out[i] = count
    return out


@compiled
def highest_since(values: FloatColumn, condition: BoolColumn) -> FloatColumn:
    """Return the highest value since the condition was last true, that bar included; NaN before the first time."""
    out = np.empty(len(values))
    started = False
    best = np.nan
    for i in range(len(values)):
        if condition[i]:
            started = True
            best = values[i]
        elif started and not values[i] <= best and not np.isnan(values[i]):
            best = values[i]
        out[i] = best
    return out


@compiled(window="bars")
def percent_rank(values: FloatColumn, bars: int) -> FloatColumn:
    """Return the percentage of the `bars` - 1 values before that lie below the newest; equal ones count half."""
    n = len(values)
    out = np.full(n, np.nan)
    blank = -1
    for i in range(n):
        if np.isnan(values[i]):
            blank = i
        if i - blank < bars:
            continue
        newest = values[i]
        twice = 0
        for j in range(i - bars + 1, i):
            twice += int(values[j] < newest) + int(values[j] <= newest)
        out[i] = 50.0 * twice / (bars - 1)
    return out


@compiled(window="bars")
def zscore(values: FloatColumn, bars: int) -> FloatColumn:
    """Return how many standard deviations (population) the newest value lies above the mean of the last `bars`.

    Each window is summed afresh, mean first, so that no rounding is carried along; deviations are scaled by the
    largest, so that none overflows. A window without movement has no standard deviation: NaN.
    """
    n = len(values)
    out = np.full(n, np.nan)
    blank = -1
    for i in range(n):
        if not np.isfinite(values[i]):
            blank = i
        if i - blank < bars:
            continue
        first = values[i - bars + 1]
        total, low, high = 0.0, first, first
        for j in range(i - bars + 1, i + 1):
            total += values[j] / bars
            low, high = min(low, values[j]), max(high, values[j])
        scale = max(high - total, total - low)
        if low == high or not np.isfinite(scale) or scale <= 0.0:
            continue
        squares = 0.0
        for j in range(i - bars + 1, i + 1):
            deviation = (values[j] - total) / scale
            squares += deviation * deviation
        if squares > 0.0:
            out[i] = (values[i] - total) / scale / np.sqrt(squares / bars)
    return out


@compiled(window="bars")
def volatility(prices: FloatColumn, bars: int, bars_per_year: float) -> FloatColumn:
    """Return the annual standard deviation (of a sample) of the last `bars` log returns, in percent.

    Each window is summed afresh, mean first, so that no rounding is carried along.
    """
    n = len(prices)
    out = np.full(n, np.nan)
    returns = np.empty(n)
    blank = 0
    for i in range(n):
        if i == 0 or not (prices[i] > 0.0 and prices[i] < np.inf and prices[i - 1] > 0.0 and prices[i - 1] < np.inf):
            blank = i
            continue
        growth = prices[i] / prices[i - 1]
        if not (growth > 0.0 and growth < np.inf):  # beyond what a number can hold
            blank = i
            continue
        returns[i] = math.log(growth)
        if i - blank < bars:
            continue
        mean = 0.0
        for j in range(i - bars + 1, i + 1):
            mean += returns[j] / bars
        squares = 0.0
        for j in range(i - bars + 1, i + 1):
            squares += (returns[j] - mean) * (returns[j] - mean)
        out[i] = 100.0 * np.sqrt(squares / (bars - 1) * bars_per_year)
    return out
