"""Columns at several levels of detail, so that a million bars are drawn from a few thousand numbers. No Qt.

A level holds one value for every `FACTOR` of the level below. A bucket is `step` bars long, a power of two, and begins
at a multiple of it, so that buckets stay where they are while the view moves. What no level has is reduced
from the next finer one for the visible part alone. The last bucket may be short; nothing is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import BoolColumn, FlagColumn, FloatColumn

FACTOR = 16
_SMALLEST = 64
"""A level shorter than this gets no coarser one."""


@dataclass(frozen=True)
class BucketSpan:
    """The buckets of a visible part: bucket `i` covers bars `(first + i) * step` to `(first + i + 1) * step - 1`."""

    step: int
    first: int
    low: FloatColumn
    high: FloatColumn

    @property
    def centres(self) -> FloatColumn:
        """Where the middle of each bucket lies, in bars."""
        return bucket_centres(self.first, len(self.low), self.step)


def bucket_centres(first: int, count: int, step: int) -> FloatColumn:
    """Return the middle of each bucket in bars; bar `i` itself is at `i`."""
    return np.asarray((np.arange(first, first + count, dtype=np.float64) + 0.5) * step - 0.5)


def bucket_step(bars: float, most: float) -> int:
    """Return the smallest power of two that cuts `bars` into at most `most` buckets."""
    step = 1
    while bars > most * step:
        step *= 2
    return step


def bucket_range(left: float, right: float, step: int, length: int) -> tuple[int, int]:
    """Return the first bucket and the one after the last that cover bars `left` to `right`, within `length` bars."""
    last_bucket = -(-length // step)
    first = min(max(int(np.floor((left + 0.5) / step)), 0), last_bucket)
    return first, min(max(int(np.floor((right + 0.5) / step)) + 1, first), last_bucket)


class RangeLevels:
    """The least and greatest values of a column at every level; what is not a finite number is left out.

    Args:
        column: the values, shape (n,); it is kept, and read where the view is.
        top: a second column that holds the greatest values (the highs of bars); `column` itself if left out.
    """

    def __init__(self, column: FloatColumn, top: FloatColumn | None = None) -> None:
        self.column = column
        self.top = column if top is None else top
        self._levels: list[tuple[FloatColumn, FloatColumn]] = []
        low, high = column, self.top
        while len(low) > _SMALLEST:
            low = _reduce(np.fmin, _finite(low), FACTOR)
            high = _reduce(np.fmax, _finite(high), FACTOR)
            self._levels.append((low, high))

    def __len__(self) -> int:
        return len(self.column)

    def span(self, left: float, right: float, most: int) -> BucketSpan:
        """Return what bars `left` to `right` show, in about `most` buckets or fewer."""
        step = bucket_step(right - left, most)
        first, end = bucket_range(left, right, step, len(self))
        low, high = self._at(step, first, end)
        return BucketSpan(step, first, low, high)

    def extremes(self, left: float, right: float) -> tuple[float, float] | None:
        """Return the least and the greatest value between two bars, None where there is no number.

        Values of up to one bucket beside the part may count in where it is long.
        """
        span = self.span(left, right, 2048)
        if not np.isfinite(span.low).any():
            return None
        return float(np.nanmin(span.low)), float(np.nanmax(span.high))

    def _at(self, step: int, first: int, end: int) -> tuple[FloatColumn, FloatColumn]:
        have, level = 1, -1
        while level + 1 < len(self._levels) and have * FACTOR <= step:
            have, level = have * FACTOR, level + 1
        low, high = (self.column, self.top) if level < 0 else self._levels[level]
        ratio = step // have
        part = slice(first * ratio, end * ratio)
        return _reduce(np.fmin, _finite(low[part]), ratio), _reduce(np.fmax, _finite(high[part]), ratio)


class SumLevels:
    """The sums of a column at every level, such as of volume; what is not a finite number counts as nothing."""

    def __init__(self, column: FloatColumn) -> None:
        self.column = column
        self._levels: list[FloatColumn] = []
        level = np.nan_to_num(column, nan=0.0, posinf=0.0, neginf=0.0)
        while len(level) > _SMALLEST:
            level = _reduce(np.add, level, FACTOR, fill=0.0)
            self._levels.append(level)

    def __len__(self) -> int:
        return len(self.column)

    def sums(self, step: int, first: int, end: int) -> FloatColumn:
        """Return the sums of the buckets `first` to `end` (exclusive)."""
        have, level = 1, -1
        while level + 1 < len(self._levels) and have * FACTOR <= step:
            have, level = have * FACTOR, level + 1
        column = self.column if level < 0 else self._levels[level]
        ratio = step // have
        part = np.nan_to_num(column[first * ratio : end * ratio], nan=0.0, posinf=0.0, neginf=0.0)
        return _reduce(np.add, part, ratio, fill=0.0)


class FlagLevels:
    """Which flags are set anywhere in a bucket, at every level; a condition is one flag."""

    def __init__(self, column: FlagColumn | BoolColumn) -> None:
        self.column: FlagColumn = column.view(np.uint8)
        self._levels: list[FlagColumn] = []
        level: FlagColumn = self.column
        while len(level) > _SMALLEST:
            level = _reduce(np.bitwise_or, level, FACTOR, fill=0)
            self._levels.append(level)

    def __len__(self) -> int:
        return len(self.column)

    def flags(self, step: int, first: int, end: int) -> FlagColumn:
        """Return the flags that are set in the buckets `first` to `end` (exclusive)."""
        have, level = 1, -1
        while level + 1 < len(self._levels) and have * FACTOR <= step:
            have, level = have * FACTOR, level + 1
        column = self.column if level < 0 else self._levels[level]
        ratio = step // have
        return _reduce(np.bitwise_or, column[first * ratio : end * ratio], ratio, fill=0)


def _finite(values: FloatColumn) -> FloatColumn:
    """Return the values with NaN for what is infinite."""
    if np.isfinite(values).all():
        return values
    return np.where(np.isfinite(values), values, np.nan)


def _reduce(function: np.ufunc, values: npt.NDArray[np.generic], ratio: int, *, fill: float = np.nan) -> np.ndarray:
    """Return the values reduced `ratio` to one; the last, short group is filled up."""
    if ratio == 1:
        return values
    whole = len(values) // ratio
    groups = values[: whole * ratio].reshape(whole, ratio)
    reduced = groups[:, 0].copy()
    for place in range(1, ratio):  # a column at a time: much faster than reducing short rows
        function(reduced, groups[:, place], out=reduced)
    if whole * ratio == len(values):
        return reduced
    rest = values[whole * ratio :]
    padded = np.full(ratio, fill, dtype=values.dtype)
    padded[: len(rest)] = rest
    return np.append(reduced, function.reduce(padded))
