"""Loops with a memory, compiled on first use. Each makes one pass over its columns and looks at no later bar."""

from __future__ import annotations

import math

import numpy as np

from quantcrafter.engine.api import BoolColumn, FlagColumn, FloatColumn, TimeColumn, compiled

SIDE_MEMORY = 1000
"""Bars after which a crossing forgets on which side a line was, when it stays level or without value for so long."""

EXP_MOST, EXP_LEAST = 709.0, -745.0
"""Above the one, e to the power of a number is taken as infinite, below the other as 0."""


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


@compiled
def value_when(values: FloatColumn, condition: BoolColumn, occurrence: int) -> FloatColumn:
    """Return the value at the bar at which the condition held `occurrence` times before the last; NaN before."""
    out = np.full(len(values), np.nan)
    ring = np.full(occurrence + 1, np.nan)
    place = 0
    for i in range(len(values)):
        if condition[i]:
            ring[place] = values[i]
            place = (place + 1) % (occurrence + 1)
        out[i] = ring[place]
    return out


@compiled
def latched(on: BoolColumn, off: BoolColumn, on_first: bool) -> BoolColumn:  # noqa: FBT001 - compiled
    """Return whether `on` held since `off` last did."""
    out = np.zeros(len(on), np.bool_)
    held = False
    for i in range(len(on)):
        if on[i] and (on_first or not off[i]):
            held = True
        elif off[i]:
            held = False
        out[i] = held
    return out


@compiled
def tally(condition: BoolColumn, restart: BoolColumn) -> FloatColumn:
    """Return at how many bars the condition held since `restart` last did, that bar included."""
    out = np.empty(len(condition))
    count = 0.0
    for i in range(len(condition)):
        count = (0.0 if restart[i] else count) + (1.0 if condition[i] else 0.0)
        out[i] = count
    return out


@compiled
def advanced(bits: TimeColumn, restart: BoolColumn, size: int) -> FloatColumn:
    """Return how many of `size` conditions, the bits of each bar, have held one after the other."""
    out = np.empty(len(bits))
    done = 0
    for i in range(len(bits)):
        if restart[i] or done >= size:
            done = 0
        if (bits[i] >> done) & 1:
            done += 1
        out[i] = done
    return out


@compiled
def session_values(
    day: TimeColumn,
    within: BoolColumn,
    opens: FloatColumn,
    highs: FloatColumn,
    lows: FloatColumn,
    closes: FloatColumn,
    volumes: FloatColumn,
) -> tuple[FloatColumn, FloatColumn, FloatColumn, FloatColumn, FloatColumn, FloatColumn]:
    """Return open, high, low, volume, volume-weighted price and number of bars since each day's first bar within."""
    n = len(day)
    first, high, low = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    volume, price, number = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    count, value, total = 0, 0.0, 0.0
    begin, top, bottom = np.nan, np.nan, np.nan
    for i in range(n):
        if i == 0 or day[i] != day[i - 1]:
            count, value, total = 0, 0.0, 0.0
        if within[i]:
            if count == 0:
                begin, top, bottom = opens[i], highs[i], lows[i]
            top, bottom = max(top, highs[i]), min(bottom, lows[i])
            count += 1
            total += volumes[i]
            value += (highs[i] + lows[i] + closes[i]) / 3.0 * volumes[i]
        if count > 0:
            first[i], high[i], low[i], volume[i], number[i] = begin, top, bottom, total, count
            if total > 0.0:
                price[i] = value / total
    return first, high, low, volume, price, number


@compiled
def opening_range(
    day: TimeColumn, part: BoolColumn, past: BoolColumn, highs: FloatColumn, lows: FloatColumn
) -> tuple[FloatColumn, FloatColumn]:
    """Return the highest and lowest price of each day's bars that are `part` of the range, from when it is past."""
    n = len(day)
    high, low = np.full(n, np.nan), np.full(n, np.nan)
    top, bottom, begun = np.nan, np.nan, False
    for i in range(n):
        if i == 0 or day[i] != day[i - 1]:
            top, bottom, begun = np.nan, np.nan, False
        if part[i]:
            top, bottom = (max(top, highs[i]), min(bottom, lows[i])) if begun else (highs[i], lows[i])
            begun = True
        if past[i]:
            high[i], low[i] = top, bottom
    return high, low


@compiled
def log_of(values: FloatColumn) -> FloatColumn:
    """Return the natural logarithm; NaN unless a value is above 0 and finite."""
    out = np.full(len(values), np.nan)
    for i in range(len(values)):
        if values[i] > 0.0 and values[i] < np.inf:
            out[i] = math.log(values[i])
    return out


@compiled
def exp_of(values: FloatColumn) -> FloatColumn:
    """Return e to the power of each value; infinite above 709, 0 below -745."""
    out = np.full(len(values), np.nan)
    for i in range(len(values)):
        if values[i] > EXP_MOST:
            out[i] = np.inf
        elif values[i] >= EXP_LEAST:
            out[i] = math.exp(values[i])
        elif values[i] < EXP_LEAST:
            out[i] = 0.0
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


@compiled
def higher_of(a: float, b: float) -> float:
    """Return the higher of two prices, or the one that there is."""
    return a if a >= b or math.isnan(b) else b


@compiled
def lower_of(a: float, b: float) -> float:
    """Return the lower of two prices, or the one that there is."""
    return a if a <= b or math.isnan(b) else b


@compiled
def gain_of(points: float, price: float) -> float:
    """Return a gain in percent of a price, NaN where there is none."""
    if price == 0.0:
        return math.nan
    part = points / abs(price)
    return part * 100.0 if abs(part) < math.inf else math.nan


@compiled
def breakout_outcomes(  # noqa: PLR0913, PLR0917, C901 - one pass over the bars
    open_: FloatColumn,
    high: FloatColumn,
    low: FloatColumn,
    close: FloatColumn,
    upper: FloatColumn,
    lower: FloatColumn,
    exit_long: FloatColumn,
    exit_short: FloatColumn,
    distance: FloatColumn,
) -> tuple[FloatColumn, FloatColumn]:
    """Return the side of the trade that is followed, and the result of the last one; see `breakout_outcome`."""
    n = len(open_)
    sides, results = np.zeros(n), np.full(n, np.nan)
    side, entry, stop, last = 0, np.nan, np.nan, np.nan
    for i in range(1, n):
        long_line, short_line = exit_long[i - 1], exit_short[i - 1]
        if side > 0:
            level = higher_of(stop, long_line)
            if low[i] <= level:
                side, last = 0, gain_of(min(open_[i], level) - entry, entry)
        elif side < 0:
            level = lower_of(stop, short_line)
            if high[i] >= level:
                side, last = 0, gain_of(entry - max(open_[i], level), entry)
        else:
            top, bottom = upper[i - 1], lower[i - 1]
            buys, sells = high[i] >= top, low[i] <= bottom
            if buys and sells:
                buys = open_[i] >= top or (not open_[i] <= bottom and top - open_[i] <= open_[i] - bottom)
            if buys:
                side, entry = 1, max(open_[i], top)
                stop = entry - distance[i - 1]
                level = higher_of(stop, long_line)
                if close[i] <= level:
                    side, last = 0, gain_of(level - entry, entry)
            elif sells:
                side, entry = -1, min(open_[i], bottom)
                stop = entry + distance[i - 1]
                level = lower_of(stop, short_line)
                if close[i] >= level:
                    side, last = 0, gain_of(entry - level, entry)
        sides[i], results[i] = side, last
    return sides, results
