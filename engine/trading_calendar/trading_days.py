"""Trading days of a session for whole columns: which day a moment belongs to, when it opens and closes.

A trading day is counted in days since 1970-01-01. A session that runs overnight belongs to the day on which it
closes, as futures exchanges count it: Sunday evening is Monday's session.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import BoolColumn, Session, TimeColumn
from quantcrafter.engine.trading_calendar.exchange_calendar import DAY_MINUTES, NO_BREAK, calendar
from quantcrafter.engine.trading_calendar.zones import DAY_NS, MINUTE_NS, to_local, to_utc

WEEK_DAYS = 7
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


class Hours(NamedTuple):
    """Opening and closing minutes after midnight of the day the session opens on, and the days until it closes."""

    open_minute: int
    close_minute: int
    day_shift: int


def hours(session: Session) -> Hours:
    """Return the session's hours with the close after the open."""
    close = session.close_minute
    if close <= session.open_minute:
        close += DAY_MINUTES
    return Hours(session.open_minute, close, int(close > DAY_MINUTES))


def is_round_the_clock(session: Session) -> bool:
    """Return whether one session's close is the next one's open."""
    opening, closing, _ = hours(session)
    return closing - opening == DAY_MINUTES


def trading_days(time_ns: TimeColumn, session: Session) -> TimeColumn:
    """Return the trading day of each moment."""
    opening, _, shift = hours(session)
    local = to_local(time_ns, session.timezone)
    if not shift:
        return local // DAY_NS
    return (local - opening * MINUTE_NS) // DAY_NS + shift


def trading_days_in_order(time_ns: TimeColumn, session: Session) -> TimeColumn:
    """Return `trading_days` of moments that are in order, looking at each day once."""
    if not len(time_ns):
        return np.empty(0, np.int64)
    first, last = trading_days(time_ns[[0, -1]], session).tolist()
    days = np.arange(first, last + 1)
    edges = np.append(np.searchsorted(time_ns, day_edges(days, session)[0]), len(time_ns))
    edges[0] = 0
    counts = np.diff(edges)
    some = counts > 0
    ends = np.stack([time_ns[edges[:-1][some]], time_ns[edges[1:][some] - 1]])
    if (counts < 0).any() or (trading_days(ends.ravel(), session).reshape(2, -1) != days[some]).any():
        # Where clocks are set back at midnight a day begins twice.
        return trading_days(time_ns, session)
    return np.repeat(days, counts)


def bounds(days: TimeColumn, session: Session) -> tuple[TimeColumn, TimeColumn]:
    """Return when each trading day's session opens and closes, in UTC ns."""
    opening, closing, shift = hours(session)
    if not session.calendar:
        midnight = (days - shift) * DAY_NS
        opens = to_utc(midnight + opening * MINUTE_NS, session.timezone)
        return opens, to_utc(midnight + closing * MINUTE_NS, session.timezone)
    opening, closing = opening - shift * DAY_MINUTES, closing - shift * DAY_MINUTES
    table = calendar(session.calendar)
    rows = table.rows(days)
    opens_at, closes_at = table.opens[rows], table.closes[rows]
    if (opening, closing) != table.regular:
        opens_at, closes_at = _own_hours(opening, closing, table.regular, opens_at, closes_at)
    opens = to_utc(days * DAY_NS + opens_at * MINUTE_NS, session.timezone)
    return opens, to_utc(days * DAY_NS + closes_at * MINUTE_NS, session.timezone)


def _own_hours(
    opening: int, closing: int, regular: tuple[int, int], opens: TimeColumn, closes: TimeColumn
) -> tuple[TimeColumn, TimeColumn]:
    """Return the hours of sessions whose regular ones are not those of their exchange, such as extended hours.

    On a day on which the exchange closes early, extended hours end earlier by as much.
    """
    usual_open, usual_close = regular
    early = np.maximum(usual_close - closes, 0)
    own_close = closing - early if closing >= usual_close else np.where(early > 0, np.minimum(closing, closes), closing)
    late = np.maximum(opens - usual_open, 0)
    own_open = opening + late if opening <= usual_open else np.where(late > 0, np.maximum(opening, opens), opening)
    return own_open, np.maximum(own_close, own_open + 1)


def breaks(days: TimeColumn, session: Session) -> tuple[TimeColumn, TimeColumn, BoolColumn]:
    """Return when each trading day's break begins and ends, in UTC ns, and whether there is one."""
    if not session.calendar:
        nothing = np.zeros(len(days), np.int64)
        return nothing, nothing, np.zeros(len(days), np.bool_)
    table = calendar(session.calendar)
    rows = table.rows(days)
    pauses, resumes = table.breaks[rows], table.resumes[rows]
    start = to_utc(days * DAY_NS + pauses * MINUTE_NS, session.timezone)
    return start, to_utc(days * DAY_NS + resumes * MINUTE_NS, session.timezone), pauses != NO_BREAK


def day_edges(days: TimeColumn, session: Session) -> tuple[TimeColumn, TimeColumn]:
    """Return the first moment of each trading day and of the day after it, hours outside the session included."""
    opening, _, shift = hours(session)
    first = (days - shift) * DAY_NS + (opening * MINUTE_NS if shift else 0)
    return to_utc(first, session.timezone), to_utc(first + DAY_NS, session.timezone)


def weekdays(days: TimeColumn) -> TimeColumn:
    """Return the weekday of each trading day, Monday as 0."""
    return (days + EPOCH_WEEKDAY) % WEEK_DAYS


def is_session_day(days: TimeColumn, session: Session) -> BoolColumn:
    """Return whether each day has a session: by the calendar, without one by its weekday."""
    if session.calendar:
        known = calendar(session.calendar)
        return known.is_open[known.rows(days)]
    table = np.zeros(WEEK_DAYS, dtype=np.bool_)
    table[list(session.weekdays)] = True
    return table[weekdays(days)]


def is_special_day(days: TimeColumn, session: Session) -> BoolColumn:
    """Return whether each day has no session by the calendar of an exchange, so that its bars are of a special one."""
    if not session.calendar:
        return np.zeros(len(days), np.bool_)
    special: BoolColumn = ~is_session_day(days, session)
    return special


def next_session_day(days: TimeColumn, session: Session) -> TimeColumn:
    """Return each day itself if it has a session, else the first one after it that has."""
    if session.calendar:
        known = calendar(session.calendar)
        return known.coming[known.rows(days)]
    later: TimeColumn = days + _steps(session, 1)[weekdays(days)]
    return later


def last_session_day(days: TimeColumn, session: Session) -> TimeColumn:
    """Return each day itself if it has a session, else the last one before it that has."""
    if session.calendar:
        known = calendar(session.calendar)
        return known.nearest[known.rows(days)]
    earlier: TimeColumn = days - _steps(session, -1)[weekdays(days)]
    return earlier


def _steps(session: Session, direction: int) -> TimeColumn:
    open_days = set(session.weekdays) or set(range(WEEK_DAYS))
    steps: list[int] = [
        next(n for n in range(WEEK_DAYS) if (day + direction * n) % WEEK_DAYS in open_days) for day in range(7)
    ]
    return np.array(steps, dtype=np.int64)


def session_days_between(first: TimeColumn, last: TimeColumn, session: Session) -> TimeColumn:
    """Return how many session days lie strictly between two days, for columns of days."""
    if session.calendar:
        known = calendar(session.calendar)
        between: TimeColumn = known.count[known.rows(last)] - known.count[known.rows(first) + 1]
        return np.maximum(between, 0).astype(np.int64)
    counts: TimeColumn = np.zeros(WEEK_DAYS, dtype=np.int64)
    counts[list(session.weekdays)] = 1
    # Days counted from a Monday, so that whole weeks and the rest add up.
    cumulative: TimeColumn = np.append(0, np.cumsum(counts)).astype(np.int64)

    def until(day: TimeColumn) -> TimeColumn:
        monday_based = day + EPOCH_WEEKDAY
        whole: TimeColumn = monday_based // WEEK_DAYS * cumulative[-1]
        part: TimeColumn = cumulative[monday_based % WEEK_DAYS]
        return whole + part

    whole_between: TimeColumn = np.maximum(until(last) - until(first + 1), 0)
    return whole_between
