"""Where bars of a timeframe begin and end within a session: nominal times, known without looking at the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import BoolColumn, DataError, Session, TimeColumn, Timeframe
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.trading_calendar.trading_days import (
    EPOCH_WEEKDAY,
    WEEK_DAYS,
    bounds,
    breaks,
    day_edges,
    is_session_day,
    last_session_day,
    next_session_day,
    trading_days,
)
from quantcrafter.engine.trading_calendar.zones import DAY_NS


class Slots(NamedTuple):
    """For each moment the bar of a timeframe it belongs to; all columns have shape (n,).

    `start_ns` tells slots apart and rises with time. `inside` is False for moments outside the session's hours.
    """

    start_ns: TimeColumn
    end_ns: TimeColumn
    inside: BoolColumn


def slots(time_ns: TimeColumn, timeframe: Timeframe, session: Session) -> Slots:
    """Return the slot that each moment is in.

    Intraday slots are counted from the session's open and cut at its close; before the open and after the close they
    are counted from there. Those after a break are counted from its end, and those before it are cut at its beginning.
    Slots of days, weeks and months begin with the first session's open and end with the last session's close, by the
    calendar of the session's time zone.
    """
    days = trading_days(time_ns, session)
    # One conversion a day: a column of minutes has far fewer days than rows, and days rise with time mostly.
    unique, place = _runs(days)
    opens, closes = bounds(unique, session)
    inside = (time_ns >= opens[place]) & (time_ns < closes[place]) & is_session_day(unique, session)[place]
    if timeframe.is_intraday:
        if timeframe.nominal_ns > DAY_NS:
            raise DataError(
                Message(
                    "Timeframe {timeframe} is longer than a day. Write it in days, such as 1d or 2d.",
                    timeframe=timeframe,
                )
            )
        after = time_ns >= closes[place]
        anchor = np.where(after, closes[place], opens[place])
        day_start, day_end = day_edges(unique, session)
        limit = np.where(after, day_end[place], closes[place])
        if session.calendar:
            anchor, limit = _around_breaks(time_ns, anchor, limit, [each[place] for each in breaks(unique, session)])
        start = anchor + (time_ns - anchor) // timeframe.nominal_ns * timeframe.nominal_ns
        end = start + timeframe.nominal_ns
        return Slots(np.maximum(start, day_start[place]), np.minimum(end, limit), inside)
    first, last = _calendar_span(unique, timeframe)
    start, _ = bounds(next_session_day(first, session), session)
    _, end = bounds(last_session_day(last, session), session)
    return Slots(start[place], end[place], inside)


def _around_breaks(
    time_ns: TimeColumn, anchor: TimeColumn, limit: TimeColumn, pauses: Sequence[TimeColumn | BoolColumn]
) -> tuple[TimeColumn, TimeColumn]:
    """Return from where slots are counted and where they end, with the break of each moment's day."""
    begins, ends, there = pauses
    inside = there & (anchor < begins) & (ends < limit)
    within, later = inside & (time_ns >= begins) & (time_ns < ends), inside & (time_ns >= ends)
    anchor = np.where(within, begins, np.where(later, ends, anchor))
    return anchor, np.where(within, ends, np.where(inside & (time_ns < begins), begins, limit))


def day_span(days: TimeColumn, timeframe: Timeframe, session: Session) -> tuple[TimeColumn, TimeColumn]:
    """Return open and close of bars of a day or longer whose first trading day is given, in UTC ns."""
    first = next_session_day(days, session)
    if timeframe.unit == "mo":
        months = days.astype("datetime64[D]").astype("datetime64[M]")
        within = days - months.astype("datetime64[D]").astype(np.int64)
        after = (months + timeframe.count).astype("datetime64[D]").astype(np.int64) + within
    else:
        after = days + timeframe.count * (WEEK_DAYS if timeframe.unit == "w" else 1)
    last = np.maximum(last_session_day(after - 1, session), first)
    return bounds(first, session)[0], bounds(last, session)[1]


def _calendar_span(days: TimeColumn, timeframe: Timeframe) -> tuple[TimeColumn, TimeColumn]:
    """Return the first and last calendar day of the span that each day is in."""
    count = timeframe.count
    if timeframe.unit == "mo":
        month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // count * count
        first = month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        after = (month + count).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        return first, after - 1
    if timeframe.unit == "w":
        length = WEEK_DAYS * count
        first = (days + EPOCH_WEEKDAY) // length * length - EPOCH_WEEKDAY
    else:
        length = count
        first = days // length * length
    return first, first + length - 1


def _runs(days: TimeColumn) -> tuple[TimeColumn, TimeColumn]:
    """Return the day of each run of equal days, and for each row the run it is in."""
    changed = np.empty(len(days), dtype=np.bool_)
    changed[:1] = True
    np.not_equal(days[1:], days[:-1], out=changed[1:])
    return days[changed], np.cumsum(changed) - 1
