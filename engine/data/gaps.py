"""Distances between bars: overlapping bars, missing bars, and bars outside the session."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quantcrafter.engine.api import BoolColumn, RawBars, Session, Severity, TimeColumn, Timeframe
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.findings import Finding, finding
from quantcrafter.engine.trading_calendar.trading_days import (
    bounds,
    breaks,
    hours,
    is_round_the_clock,
    is_session_day,
    session_days_between,
    trading_days,
    weekdays,
)
from quantcrafter.engine.trading_calendar.zones import DAY_NS, MINUTE_NS, to_local

# Up to four sessions in a row may be a holiday: the longest closure of New York since 1933 was in September 2001.
_HOLIDAYS = 4
_SATURDAY, _SUNDAY = 5, 6
_DAY_MINUTES, _WEEK_DAYS = 1440, 7
_MONDAY = 3
"""Days since 1970 count from a Thursday: so many later a week begins on Monday."""
ONE_WEEK = Timeframe(1, "w")
_COLUMNS = ("time_ns", "open", "high", "low", "close", "volume", "rows")


def take(raw: RawBars, rows: TimeColumn) -> RawBars:
    """Return the bars at these positions."""
    close_ns = None if raw.close_ns is None else raw.close_ns[rows]
    actions = None if raw.actions is None else raw.actions.take(rows)
    adjusted_close = None if raw.adjusted_close is None else raw.adjusted_close[rows]
    columns = {name: getattr(raw, name)[rows] for name in _COLUMNS}
    extra = {name: column[rows] for name, column in raw.extra.items()}
    spread = None if raw.spread is None else raw.spread[rows]
    interest = None if raw.open_interest is None else raw.open_interest[rows]
    raw = replace(raw, spread=spread, open_interest=interest)
    return replace(raw, close_ns=close_ns, actions=actions, adjusted_close=adjusted_close, extra=extra, **columns)


def find_overlaps(raw: RawBars, timeframe: Timeframe) -> TimeColumn:
    """Return the positions of bars that begin before the one before has ended; times rise strictly.

    A first bar of a session that ends on the full hour is shorter, and so is the last one: no overlap. Weeks dated by
    their last session are apart by less where holidays end one: two bars overlap if they are of one week.
    """
    if raw.close_ns is not None:
        return np.flatnonzero(raw.time_ns[1:] < raw.close_ns[:-1]) + 1
    where = np.flatnonzero(np.diff(raw.time_ns) < _least_distance(timeframe)) + 1
    if len(where) and timeframe == ONE_WEEK:
        weeks = (_days(raw) + _MONDAY) // _WEEK_DAYS
        of_one_week: TimeColumn = where[weeks[where] == weeks[where - 1]]
        return of_one_week
    if not len(where) or not timeframe.is_intraday:
        return where
    local = to_local(raw.time_ns[where], raw.session.timezone) % DAY_NS
    opening, closing, _ = hours(raw.session)
    edges = np.array([opening * MINUTE_NS, closing * MINUTE_NS % DAY_NS])
    regular = (local % timeframe.nominal_ns == 0) | np.isin(local, edges)
    overlaps: TimeColumn = where[~regular]
    return overlaps


def without_overlaps(raw: RawBars, where: TimeColumn, timeframe: Timeframe) -> RawBars:
    """Return the bars without those at `where` that begin before the last one kept has ended."""
    ends = raw.close_ns if raw.close_ns is not None else raw.time_ns + int(_least_distance(timeframe))
    keep = np.ones(len(raw.time_ns), dtype=np.bool_)
    kept = -1
    for row in where.tolist():
        if keep[row - 1]:
            kept = row - 1
        keep[row] = raw.time_ns[row] >= ends[kept]
    return take(raw, np.flatnonzero(keep))


def _least_distance(timeframe: Timeframe) -> float:
    # Days may have 23 hours, months 28 days, and a week may begin after a holiday.
    return timeframe.nominal_ns * (1.0 if timeframe.is_intraday else 0.6)


def find_outside(raw: RawBars, timeframe: Timeframe) -> Finding | None:
    """Return a warning about bars outside the session's hours or weekdays, or None."""
    session = raw.session
    some_days = session.calendar or len(set(session.weekdays)) < _WEEK_DAYS
    if timeframe.is_intraday and not is_round_the_clock(session):
        outside = _outside_hours(raw, session)
    elif (timeframe.is_intraday or timeframe.nominal_ns == DAY_NS) and some_days:
        outside = ~is_session_day(_days(raw), session)
    else:
        return None
    where = np.flatnonzero(outside)
    if not len(where):
        return None
    subject = Message("outside the session ({hours}), not included in longer bars", hours=describe(session))
    return finding("outside_session", subject, where, raw.rows, raw.time_ns, severity=Severity.WARNING)


def _outside_hours(raw: RawBars, session: Session) -> BoolColumn:
    opening, closing, _ = hours(session)
    time_ns = raw.time_ns - 1 if raw.stamp == "close" else raw.time_ns
    if session.calendar:
        days = trading_days(time_ns, session)
        opens, closes = bounds(days, session)
        return (time_ns < opens) | (time_ns >= closes) | ~is_session_day(days, session)
    since_open = (to_local(time_ns, session.timezone) - opening * MINUTE_NS) % DAY_NS
    late: BoolColumn = since_open >= (closing - opening) * MINUTE_NS
    return late if len(set(session.weekdays)) == 7 else late | ~is_session_day(_days(raw), session)  # noqa: PLR2004 - week


def find_gaps(raw: RawBars, timeframe: Timeframe) -> Finding | None:
    """Return a warning about missing bars within sessions, or None; see `missing_bars`."""
    missing = missing_bars(raw, timeframe)
    after = np.flatnonzero(missing) + 1
    if not len(after):
        return None
    total = int(missing.sum())
    detail = Message("{count:,} missing", count=missing[after[0] - 1])
    subject = (
        Message("after a gap, 1 bar of {timeframe} missing in all", timeframe=timeframe)
        if total == 1
        else Message("after a gap, {count:,} bars of {timeframe} missing in all", count=total, timeframe=timeframe)
    )
    return finding("gap", subject, after, raw.rows, raw.time_ns, severity=Severity.WARNING, detail=detail)


def missing_bars(raw: RawBars, timeframe: Timeframe) -> TimeColumn:
    """Return how many bars are missing between each bar and the next, shape (n - 1,); times rise strictly.

    Nights, weekends, and breaks at the same hour of most days are not gaps. With a calendar each missing session is
    one; without it up to four in a row may be holidays.
    """
    if len(raw.time_ns) < 2:  # noqa: PLR2004 - a distance takes two
        return np.zeros(0, dtype=np.int64)
    if timeframe.is_intraday:
        return _intraday_missing(raw, timeframe)
    if timeframe.nominal_ns == DAY_NS:
        return _days_missing(_days(raw), raw.session)
    return np.maximum(np.rint(np.diff(raw.time_ns) / timeframe.nominal_ns).astype(np.int64) - 1, 0)


def _days_missing(days: TimeColumn, session: Session) -> TimeColumn:
    between = session_days_between(days[:-1], days[1:], _active(days, session))
    return np.where(between > _tolerated(days, session), between, 0)


def _intraday_missing(raw: RawBars, timeframe: Timeframe) -> TimeColumn:
    session, length = raw.session, timeframe.nominal_ns
    deltas = np.diff(raw.time_ns)
    where = np.flatnonzero(deltas > length)
    missing = np.zeros(len(deltas), dtype=np.int64)
    if not len(where):
        return missing
    days = _days(raw)
    before, after = days[where], days[where + 1]
    lost = (deltas[where] + length - 1) // length - 1
    if is_round_the_clock(session):
        over_weekend = (before + (_SATURDAY - weekdays(before)) % 7 <= after) & (deltas[where] <= 4 * DAY_NS)
        gap = ~over_weekend if _tolerated(days, session) else np.ones(len(where), dtype=np.bool_)
    else:
        between = session_days_between(before, after, session)
        gap = (before == after) | (between > (0 if session.calendar else _HOLIDAYS))
        if session.calendar:
            lost = _lost_in_sessions(raw, timeframe, where, between)
            gap &= lost > 0
    missing[where[gap]] = lost[gap]
    return _without_breaks(missing, raw, int(days[-1] != days[0]) + int(np.count_nonzero(np.diff(days))))


def _lost_in_sessions(raw: RawBars, timeframe: Timeframe, where: TimeColumn, between: TimeColumn) -> TimeColumn:
    """Return how many bars are missing after each of these, without breaks; a session counts as a regular one."""
    length = timeframe.nominal_ns
    before_ns, after_ns = raw.time_ns[where], raw.time_ns[where + 1]
    begins, ends, there = breaks(trading_days(before_ns, raw.session), raw.session)
    paused = np.where(there & (before_ns < begins) & (after_ns >= ends), ends - begins, 0)
    within = (after_ns - before_ns - paused + length - 1) // length - 1
    opening, closing, _ = hours(raw.session)
    a_session = max((closing - opening) * MINUTE_NS // length, 1)
    return np.where(between > 0, between * a_session, within)


def _without_breaks(missing: TimeColumn, raw: RawBars, days: int) -> TimeColumn:
    """Remove gaps after the same time of day on most days: these are breaks of the venue."""
    where = np.flatnonzero(missing)
    if not len(where) or days < 4:  # noqa: PLR2004 - fewer days make no habit
        return missing
    of_day = to_local(raw.time_ns[where], raw.session.timezone) % DAY_NS
    _, kind, counts = np.unique(of_day, return_inverse=True, return_counts=True)
    missing[where[counts[kind] * 2 > days]] = 0
    return missing


def _days(raw: RawBars) -> TimeColumn:
    if raw.stamp == "date":
        return raw.time_ns // DAY_NS
    return trading_days(raw.time_ns - (raw.stamp == "close"), raw.session)


def _active(days: TimeColumn, session: Session) -> Session:
    """Return the session without a weekend on which the data never have a bar (currencies may, on Sunday)."""
    traded = set(np.flatnonzero(np.bincount(weekdays(days))).tolist())  # np.unique imports numpy.ma
    absent = set() if _SATURDAY in traded else {_SATURDAY, _SUNDAY} - traded
    return replace(session, weekdays=tuple(day for day in session.weekdays if day not in absent))


def _tolerated(days: TimeColumn, session: Session) -> int:
    """Return how many missing sessions in a row may be a holiday: none where trading never stops, or all are known."""
    if session.calendar:
        return 0
    return 0 if _SATURDAY in _active(days, session).weekdays else _HOLIDAYS


def describe(session: Session) -> str:
    """Return the session's hours and zone as a person writes them: those of every day, or of Monday to Friday."""
    opening, closing, _ = hours(session)
    if is_round_the_clock(session) and opening == 0 and len(session.weekdays) == _WEEK_DAYS:
        return f"24x7 {session.timezone}"
    closing = closing if closing == _DAY_MINUTES else closing % _DAY_MINUTES
    times = "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in (opening, closing))
    return f"{times} {session.timezone}"
