"""Least squares over windows, each of which is summed afresh, oldest value first: no rounding is carried along."""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api import FloatColumn

_STILL = 1e-24
"""Squared deviations below this part of the squared mean are rounding: the values don't move."""


def regression(
    left: FloatColumn, right: FloatColumn, bars: int, *, intercept: bool
) -> tuple[FloatColumn, FloatColumn, FloatColumn]:
    """Return slope, intercept and newest residual of the line left = intercept + slope x right, shape (n,) each.

    Of the last `bars` values; NaN unless all are finite and those on the right move. Without an intercept, the line
    goes through zero.
    """
    count = max(len(left) - bars + 1, 0)
    zero = np.zeros(count)
    mean_left, mean_right = zero, zero
    if intercept:
        mean_left, mean_right = _mean(left, bars, count), _mean(right, bars, count)
    squares, products = zero.copy(), zero.copy()
    for j in range(bars):
        deviation = right[j : j + count] - mean_right
        squares += deviation * deviation
        products += deviation * (left[j : j + count] - mean_left)
    slope = np.where(squares > _STILL * (mean_right * mean_right) * bars, products / squares, np.nan)
    level = mean_left - slope * mean_right
    newest = slice(bars - 1, bars - 1 + count)
    residual = left[newest] - level - slope * right[newest]
    return _after(slope, len(left)), _after(level, len(left)), _after(residual, len(left))


def reversion(values: FloatColumn, bars: int) -> tuple[FloatColumn, FloatColumn]:
    """Return slope and t-value of the regression of each change on the value before it, shape (n,) each.

    Over the last `bars` changes, with an intercept. NaN unless all values are finite and move; without residuals there
    is no t-value.
    """
    count = max(len(values) - bars, 0)
    mean, drift = _mean(values[:-1], bars, count), (values[bars:] - values[:count]) / bars
    squares, products, rest = np.zeros(count), np.zeros(count), np.zeros(count)
    for j in range(bars):
        deviation = values[j : j + count] - mean
        squares += deviation * deviation
        products += deviation * (values[j + 1 : j + 1 + count] - values[j : j + count] - drift)
    slope = np.where(squares > _STILL * (mean * mean) * bars, products / squares, np.nan)
    for j in range(bars):
        change = values[j + 1 : j + 1 + count] - values[j : j + count]
        error = change - drift - slope * (values[j : j + count] - mean)
        rest += error * error
    t_value = np.where(rest > 0.0, slope / np.sqrt(rest / (bars - 2) / squares), np.nan)
    return _after(slope, len(values)), _after(t_value, len(values))


def _mean(values: FloatColumn, bars: int, count: int) -> FloatColumn:
    total = np.zeros(count)
    for j in range(bars):
        total += values[j : j + count] / bars
    return total


def _after(values: FloatColumn, length: int) -> FloatColumn:
    """Return values as a column that begins with NaN, NaN where a value is not finite."""
    column = np.full(length, np.nan)
    column[length - len(values) :] = np.where(np.isfinite(values), values, np.nan)
    return column
