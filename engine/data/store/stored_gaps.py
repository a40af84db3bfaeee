"""Gaps in stored bars, by the same rules as for any source."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import Bars, RawBars
from quantcrafter.engine.data.gaps import missing_bars


class Gap(NamedTuple):
    """A place where bars are missing: when the bar before closes and the next one opens (UTC ns), and how many."""

    after_ns: int
    until_ns: int
    missing: int


def gaps_of(bars: Bars) -> tuple[Gap, ...]:
    """Return the gaps within sessions, oldest first."""
    raw = RawBars(
        time_ns=bars.open_ns,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        volume=bars.volume,
        rows=bars.open_ns,
        session=bars.session,
        close_ns=bars.close_ns,
    )
    missing = missing_bars(raw, bars.timeframe)
    where = np.flatnonzero(missing)
    places = (bars.close_ns[where].tolist(), bars.open_ns[where + 1].tolist(), missing[where].tolist())
    return tuple(Gap(*gap) for gap in zip(*places, strict=True))
