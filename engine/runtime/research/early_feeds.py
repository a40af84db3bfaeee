"""Finds bars of a feed that close before their trades have happened, using finer bars of the same instrument."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import Bars

_SAME = 1e-9


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
    return None


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
