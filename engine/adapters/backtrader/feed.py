"""Our bars as a backtrader data feed."""

from __future__ import annotations

from typing import Any

import backtrader as bt
import numpy as np

from quantcrafter.engine.api.bars import BAR_COLUMNS, Bars
from quantcrafter.engine.api.ports import TimeColumn
from quantcrafter.engine.api.timeframe import Timeframe

_DAY_NS = 86_400_000_000_000
_FIRST_DAY = 719_163
"""The proleptic day number of 1970-01-01, from which backtrader counts."""

FRAMES = {
    "s": (bt.TimeFrame.Seconds, 1),
    "m": (bt.TimeFrame.Minutes, 1),
    "h": (bt.TimeFrame.Minutes, 60),
    "d": (bt.TimeFrame.Days, 1),
    "w": (bt.TimeFrame.Weeks, 1),
    "mo": (bt.TimeFrame.Months, 1),
}


class BarFeed(bt.feed.DataBase):  # type: ignore[misc]
    """A feed over numpy columns: times as backtrader's day numbers, then open, high, low, close, volume."""

    params = (("columns", ()),)

    def start(self) -> None:
        super().start()
        self._rows = zip(*(column.tolist() for column in self.p.columns), strict=True)

    def _load(self) -> bool:
        row = next(self._rows, None)
        if row is None:
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        return True


def bar_feed(bars: Bars, stamps_ns: TimeColumn) -> BarFeed:
    """Return a feed of the bars, at these times (nanoseconds since 1970, strictly rising)."""
    frame, unit = FRAMES[bars.timeframe.unit]
    columns = (day_numbers(stamps_ns), *(bars.column(name) for name in BAR_COLUMNS))
    return BarFeed(columns=columns, timeframe=frame, compression=compression(bars.timeframe, unit), name=bars.symbol)


def compression(timeframe: Timeframe, unit: int) -> int:
    """Return how many of backtrader's units a bar has."""
    return timeframe.count * unit


def day_numbers(stamps_ns: TimeColumn) -> Any:
    """Return times as backtrader counts them: days, with the time of day as their fraction."""
    days, rest = np.divmod(stamps_ns, _DAY_NS)
    return (days + _FIRST_DAY) + rest / _DAY_NS
