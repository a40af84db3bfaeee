"""The length of a source's bars, derived from the distances between them."""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api import RawBars, TimeColumn, Timeframe
from quantcrafter.engine.trading_calendar.trading_days import session_days_between, trading_days
from quantcrafter.engine.trading_calendar.zones import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

_SAMPLE = 20_000
_SHARE = 0.2
_SHORTEST_WEEK_NS = 5 * DAY_NS
_LONGEST_INTRADAY_NS = 20 * HOUR_NS  # a day of 24x7 bars has 23 hours when the clocks go forward
_CALENDAR = ((5, 10, Timeframe(1, "w")), (26, 32, Timeframe(1, "mo")), (85, 95, Timeframe(3, "mo")))
_YEAR = (360, 370, Timeframe(12, "mo"))


def usual_spacing_ns(raw: RawBars) -> int | None:
    """Return the usual distance between bars, or None for fewer than two different times.

    Distances of days are counted in sessions: few daily bars may all stand beside a weekend.
    """
    spacing = spacing_ns(raw.time_ns)
    if spacing is None or not DAY_NS < spacing < _SHORTEST_WEEK_NS:
        return spacing
    days = np.unique(raw.time_ns // DAY_NS if raw.stamp == "date" else trading_days(raw.time_ns, raw.session))
    steps = 1 + session_days_between(days[:-1], days[1:], raw.session)
    return int(np.sort(steps)[(len(steps) - 1) // 2]) * DAY_NS if len(steps) else spacing


def spacing_ns(time_ns: TimeColumn) -> int | None:
    """Return the usual distance between bars, or None for fewer than two different times.

    It is the median, or a shorter distance that makes up a fifth of all: in thinly traded hours most minutes have no
    bar, yet the bars are minutes.
    """
    ordered = bool((time_ns[1:] >= time_ns[:-1]).all())
    deltas = np.diff(_sample(time_ns if ordered else np.sort(time_ns)))
    deltas = deltas[deltas > 0]
    if not len(deltas):
        return None
    values, counts = np.unique(deltas, return_counts=True)
    median = np.sort(deltas)[(len(deltas) - 1) // 2]
    frequent = values[counts >= _SHARE * len(deltas)]
    return int(min(median, frequent[0])) if len(frequent) else int(median)


def timeframe_of(spacing: int) -> Timeframe | None:
    """Return the timeframe of bars at that distance, or None for what is not a bar: less than a second, or uneven."""
    if spacing >= _LONGEST_INTRADAY_NS:
        days = max(round(spacing / DAY_NS), 1)
        for low, high, timeframe in (*_CALENDAR, _YEAR):
            if low <= days <= high:
                return timeframe
        return Timeframe(days, "d")
    for unit, length in (("h", HOUR_NS), ("m", MINUTE_NS), ("s", SECOND_NS)):
        if spacing % length == 0 and spacing:
            return Timeframe(spacing // length, unit)
    return None


def _sample(time_ns: TimeColumn) -> TimeColumn:
    """Return the times, or of a long column three stretches of it, oldest first."""
    if len(time_ns) <= 3 * _SAMPLE:
        return time_ns
    middle = len(time_ns) // 2
    return np.concatenate((time_ns[:_SAMPLE], time_ns[middle : middle + _SAMPLE], time_ns[-_SAMPLE:]))
