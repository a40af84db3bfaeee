"""From the stamps of a source to when each bar opens and closes."""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api import Session, TimeColumn, Timeframe
from quantcrafter.engine.data.resample_slots import day_span, slots
from quantcrafter.engine.trading_calendar.trading_days import (
    bounds,
    day_edges,
    is_round_the_clock,
    is_session_day,
    trading_days,
)
from quantcrafter.engine.trading_calendar.zones import DAY_NS


def bar_times(time_ns: TimeColumn, stamp: str, timeframe: Timeframe, session: Session) -> tuple[TimeColumn, TimeColumn]:
    """Return opening and closing times (UTC ns) of bars stamped by `open`, `close` or `date`, oldest first.

    Intraday bars are as long as the timeframe, and cut at the session's close. Daily bars open and close with the
    session; on a day without one in its calendar, which may have a special session, they close at the end of the day.
    Longer bars end with the last session before the next one would begin. No bar closes after the next one
    opens.
    """
    if stamp == "close":
        return _from_closes(time_ns, timeframe, session)
    if timeframe.is_intraday:
        opens = bounds(time_ns // DAY_NS, session)[0] if stamp == "date" else time_ns
        closes = _intraday_closes(opens, timeframe, session)
    elif stamp == "date" and timeframe.nominal_ns == DAY_NS:
        opens, closes = _dated(time_ns // DAY_NS, session)
    elif stamp == "date":
        opens, closes = day_span(time_ns // DAY_NS, timeframe, session)
    else:
        opens = time_ns
        closes = _day_closes(opens, timeframe, session)
    closes = closes.copy()
    np.minimum(closes[:-1], opens[1:], out=closes[:-1])
    return opens, closes


def _dated(days: TimeColumn, session: Session) -> tuple[TimeColumn, TimeColumn]:
    opens, closes = bounds(days, session)
    if session.calendar:
        special = ~is_session_day(days, session)
        closes = np.where(special, day_edges(days, session)[1], closes)
    return opens, closes


def _intraday_closes(opens: TimeColumn, timeframe: Timeframe, session: Session) -> TimeColumn:
    closes = opens + timeframe.nominal_ns
    if is_round_the_clock(session) and not session.calendar:
        return closes
    slot = slots(opens, Timeframe(24, "h"), session)  # inside the session: one slot, which ends with it
    return np.where(slot.inside, np.minimum(closes, slot.end_ns), closes)


def _day_closes(opens: TimeColumn, timeframe: Timeframe, session: Session) -> TimeColumn:
    if is_round_the_clock(session) and timeframe.unit != "mo" and not session.calendar:
        return opens + timeframe.nominal_ns
    _, closes = day_span(trading_days(opens, session), timeframe, session)
    return np.where(closes > opens, closes, opens + timeframe.nominal_ns)


def _from_closes(closes: TimeColumn, timeframe: Timeframe, session: Session) -> tuple[TimeColumn, TimeColumn]:
    opens = closes - timeframe.nominal_ns
    if not is_round_the_clock(session) and (timeframe.is_intraday or timeframe.nominal_ns == DAY_NS):
        session_open, _ = bounds(trading_days(closes - 1, session), session)
        starts = session_open if not timeframe.is_intraday else np.maximum(opens, session_open)
        opens = np.where(session_open < closes, starts, opens)
    opens = opens.copy()
    np.maximum(opens[1:], closes[:-1], out=opens[1:])
    return opens, closes
