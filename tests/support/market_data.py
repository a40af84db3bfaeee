"""Builders of raw bars, bars and files of bars."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from quantcrafter.engine.api import (
    NEW_YORK_STOCKS,
    ROUND_THE_CLOCK,
    Bars,
    DataProvider,
    DataRequest,
    RawBars,
    Session,
    TimeColumn,
    Timeframe,
)
from quantcrafter.engine.data.load import load_bars

MINUTE = Timeframe(1, "m")
DAY = Timeframe(1, "d")


def moments(*texts: str) -> TimeColumn:
    """Return ISO texts as UTC nanoseconds."""
    return np.array(texts, dtype="datetime64[ns]").astype(np.int64)


def texts(times_ns: TimeColumn) -> list[str]:
    """Return UTC nanoseconds as ISO texts to the minute."""
    return [str(moment) for moment in times_ns.astype("datetime64[ns]").astype("datetime64[m]")]


def walk(count: int, seed: int = 1) -> dict[str, Any]:
    """Return columns of possible bars."""
    rng = np.random.default_rng(seed)
    closes = 100 + np.cumsum(rng.normal(0, 0.2, count)) * 0.1
    opens = np.append(100.0, closes[:-1])[:count]
    return {
        "open": opens,
        "high": np.maximum(opens, closes) + rng.random(count),
        "low": np.minimum(opens, closes) - rng.random(count),
        "close": closes,
        "volume": rng.integers(0, 1000, count).astype(np.float64),
    }


def raw_bars(time_ns: TimeColumn, seed: int = 1, **changes: Any) -> RawBars:
    """Return sound raw bars at these times."""
    raw = RawBars(time_ns=time_ns, rows=np.arange(2, len(time_ns) + 2), source="test.csv", **walk(len(time_ns), seed))
    return replace(raw, **changes)


class FixedProvider(DataProvider):
    """Gives out raw bars that the test made."""

    name = "fixed"
    raw: Any

    def load(self, request: DataRequest) -> RawBars:  # noqa: ARG002 - the contract
        bars: RawBars = self.raw
        return bars


def bars_at(
    time_ns: TimeColumn, timeframe: Timeframe = MINUTE, session: Session = ROUND_THE_CLOCK, seed: int = 1
) -> Bars:
    """Return bars that open at these times."""
    raw = raw_bars(time_ns, seed, session=session, timeframe=timeframe)
    return load_bars(FixedProvider(raw=raw), DataRequest("X", timeframe)).bars


def minutes(start: str, count: int) -> TimeColumn:
    """Return `count` minutes from `start` (UTC) on."""
    times: TimeColumn = moments(start)[0] + np.arange(count, dtype=np.int64) * 60_000_000_000
    return times


def new_york_minutes(first_day: str, sessions: int) -> TimeColumn:
    """Return every minute of so many sessions of New York stocks."""
    from quantcrafter.engine.trading_calendar.trading_days import bounds

    first = int(np.datetime64(first_day).astype(np.int64))
    days = np.array([day for day in range(first, first + sessions * 2 + 7) if (day + 3) % 7 < 5][:sessions])
    opens, _ = bounds(days, NEW_YORK_STOCKS)
    return (opens[:, np.newaxis] + np.arange(390, dtype=np.int64) * 60_000_000_000).reshape(-1)
