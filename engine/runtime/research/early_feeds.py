"""Finds bars of a feed that close before their trades have happened, using finer bars of the same instrument."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Bars, FloatColumn

_SAME = 1e-9
_NEARLY_ALL, _LEAST_ROWS, _LEAST_UNSEEN = 0.9, 5, 2
"""The share of bars, and the number of different closes, from which a feed counts as shifted."""


class Early(NamedTuple):
    """A bar of a feed that closes too early: its `column`, the `value`, the value `seen` by its close, and its time."""

    bar: int
    column: str
    value: float
    seen: float
    ts_ns: int


def too_early(feed: Bars, bars: Bars) -> Early | None:
    """Return the first bar of `feed` with a high, low or close that `bars` reach only after it has closed.

    Both are of one instrument. A bar of the feed is compared with the bars from its open to the next one's open.
    """
    if feed.timeframe.nominal_ns <= bars.timeframe.nominal_ns or not len(bars):
        return None
    starts = np.searchsorted(bars.open_ns, feed.open_ns)
    known = np.searchsorted(bars.close_ns, feed.close_ns, side="right")
    for row in range(len(feed) - 1):
        first, cut, end = int(starts[row]), int(known[row]), int(starts[row + 1])
        if not first < cut < end:
            continue
        for column in ("high", "low", "close"):
            early = _compared(feed, bars, row, column, (first, cut, end))
            if early is not None:
                return early
    return _unseen(feed, bars, starts, known) or _shifted(feed, bars, known)


def _unseen(feed: Bars, bars: Bars, starts: npt.NDArray[np.int64], known: npt.NDArray[np.int64]) -> Early | None:
    """Return the first bar of a feed that closes before the trades that it is made of, all of which come later.

    So it is where the feed's session ends before the exchange opens. High, low and close of nearly all such bars have
    to be those of the bars that follow, up to the feed's next open.
    """
    ends = np.append(starts[1:], len(bars))
    rows = np.flatnonzero((known <= starts) & (starts < ends))
    alike = [row for row in rows.tolist() if _is_made_of(feed, bars, row, slice(starts[row], ends[row]))]
    if len(np.unique(feed.close[alike])) < _LEAST_UNSEEN or len(alike) < _NEARLY_ALL * len(rows):
        return None
    row = next((row for row in alike if known[row] > 0), alike[0])
    seen = float(bars.close[known[row] - 1]) if known[row] > 0 else float("nan")
    return Early(row, "close", float(feed.close[row]), seen, int(bars.close_ns[ends[row] - 1]))


def _is_made_of(feed: Bars, bars: Bars, row: int, part: slice) -> bool:
    made = float(bars.high[part].max()), float(bars.low[part].min()), float(bars.close[part][-1])
    own = float(feed.high[row]), float(feed.low[row]), float(feed.close[row])
    return all(map(_same, own, made))


def _shifted(feed: Bars, bars: Bars, known: npt.NDArray[np.int64]) -> Early | None:
    """Return the first bar of a feed whose closes are all reached the same number of bars after it has closed.

    So it is with times that mark the open of a bar and were read as its close: then each bar lies in the next one's
    place. Bars of another source may agree now and then by chance, therefore nearly all have to.
    """
    most = int(np.diff(np.searchsorted(bars.open_ns, feed.open_ns)).max(initial=0))
    rows = np.flatnonzero((known > 0) & (known + most < len(bars)))
    closes = feed.close[rows]
    if len(np.unique(closes)) < _LEAST_ROWS or _share_of_same(closes, bars.close[known[rows] - 1]) > 1.0 - _NEARLY_ALL:
        return None
    for later in range(most):
        if _share_of_same(closes, bars.close[known[rows] + later]) >= _NEARLY_ALL:
            row = int(rows[0])
            place = int(known[row]) + later
            seen = float(bars.close[known[row] - 1])
            return Early(row, "close", float(closes[0]), seen, int(bars.close_ns[place]))
    return None


def _share_of_same(ones: FloatColumn, others: FloatColumn) -> float:
    return float(np.mean(np.abs(ones - others) <= _SAME * np.maximum(np.abs(ones), np.abs(others))))


def _compared(feed: Bars, bars: Bars, row: int, column: str, rows: tuple[int, int, int]) -> Early | None:
    first, cut, end = rows
    value, column_of_bars = float(feed.column(column)[row]), bars.column(column)
    before, after = column_of_bars[first:cut], column_of_bars[cut:end]
    if column == "close":
        seen, place = float(before[-1]), len(after) - 1
    else:
        pick = np.argmax if column == "high" else np.argmin
        seen, place = float(before[pick(before)]), int(pick(after))
        if (after[place] <= seen) == (column == "high"):
            return None
    later = float(after[place])
    if not _same(value, later) or _same(value, seen):
        return None
    return Early(row, column, value, seen, int(bars.close_ns[cut + place]))


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= _SAME * max(abs(one), abs(other))
