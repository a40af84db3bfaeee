"""Sessions and the calendar as series: session, opening_range, calendar."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    BarsInput,
    BoolColumn,
    FloatColumn,
    Message,
    Output,
    PortType,
    Question,
    Reason,
    Said,
    TimeColumn,
    param,
    port,
)
from quantcrafter.engine.trading_calendar.trading_days import (
    bounds,
    is_session_day,
    last_session_day,
    next_session_day,
    session_days_between,
    trading_days_in_order,
    weekdays,
)
from quantcrafter.nodes import kernels, local_time
from quantcrafter.nodes.logic.base import CATEGORY_TIME, WindowedLogic

_NO_DAY = -(1 << 40)


def _series(name: str, description: str) -> Output:
    return Output(name, PortType.SERIES, description)


def _condition(name: str, description: str) -> Output:
    return Output(name, PortType.CONDITION, description)


class _Hours(NamedTuple):
    """Of each bar: its trading day, when that day's session opens and closes (UTC ns), and whether it lies within."""

    day: TimeColumn
    opens: TimeColumn
    closes: TimeColumn
    within: BoolColumn


def _hours(bars: Bars) -> _Hours:
    day = trading_days_in_order(bars.close_ns - 1, bars.session)
    opens, closes = bounds(day, bars.session)
    return _Hours(day, opens, closes, (bars.close_ns > opens) & (bars.open_ns < closes))


def _starts(values: TimeColumn) -> BoolColumn:
    """Return where a value differs from the one before; the first one does."""
    starts: BoolColumn = np.diff(values, prepend=_NO_DAY) != 0
    return starts


def _latest(question: Question) -> Bars:
    """Return the bar that is asked about and the one before, as bars of their own."""
    bars = question.bars("bars")
    return bars.slice(max(0, len(bars) - 2), len(bars))


_FIRST = {
    "new_day": Message("the first bar of a trading day"),
    "new_week": Message("the first bar of a week"),
    "new_month": Message("the first bar of a month"),
    "before_holiday": Message("a holiday before the next session"),
    "after_holiday": Message("a holiday before this session"),
}
"""What each condition waits for, in words."""


class SessionValues(WindowedLogic):
    """Give prices and times of the trading session so far.

    A bar counts if it overlaps the regular hours of its trading day, half days and holidays included where the
    instrument's calendar is known. Before the first such bar of a day, prices, `bar` and `vwap` have no value (NaN);
    after the session's end they keep their last value. An overnight session belongs to the day on which it closes.
    With bars of a day or longer, each bar is a session. `vwap` is the sum of (high + low + close) / 3 x volume divided
    by the volume, both since the session's first bar; NaN without volume. Known at the bar's close. Depends on the
    whole history of a session.
    """

    name = "session"
    loops = True
    category = CATEGORY_TIME
    outputs = (
        _series("open", "Open of the session's first bar."),
        _series("high", "Highest price since the session began."),
        _series("low", "Lowest price since the session began."),
        _series("volume", "Volume since the session began."),
        _series("vwap", "Average price since the session began, weighted by volume."),
        _series("bar", "Number of the bar in its session: 1 for the first."),
        _series("minutes_since_open", "Minutes from the session's open to the bar's close; below 0 before it."),
        _series("minutes_to_close", "Minutes from the bar's close to the session's end; below 0 after it."),
        _condition("new_day", "Whether the bar is the first of its trading day."),
    )

    bars: BarsInput = port("The bars.", default="bars")

    def lookback(self) -> None:
        return None

    def explain(self, question: Question) -> Reason | None:
        if question.output != "new_day":
            return None
        day = trading_days_in_order(_latest(question).close_ns - 1, question.bars("bars").session)
        return Said(bool(_starts(day)[-1]), str(day[-1:].astype("datetime64[D]")[0]), _FIRST["new_day"], "bars")

    def compute(self, bars: Bars) -> tuple[FloatColumn | BoolColumn, ...]:
        hours = _hours(bars)
        values = kernels.session_values(
            hours.day, hours.within, bars.open, bars.high, bars.low, bars.close, bars.volume
        )
        since = (bars.close_ns - hours.opens) / local_time.MINUTE_NS
        left = (hours.closes - bars.close_ns) / local_time.MINUTE_NS
        return (*values, since, left, _starts(hours.day))


class OpeningRange(WindowedLogic):
    """Give the highest and lowest price of the first minutes of each session.

    The range consists of the bars that begin at or after the session's open and close at most `minutes` later. It is
    known, and `complete` is true, from the first bar on that closes at or after that moment; before it, and on a day
    without such bars, `high` and `low` have no value (NaN). Known at the bar's close. Depends on the whole history of a
    session.
    """

    name = "opening_range"
    loops = True
    category = CATEGORY_TIME
    outputs = (
        _series("high", "Highest price of the opening range."),
        _series("low", "Lowest price of the opening range."),
        _condition("complete", "Whether the opening range of this trading day is known."),
    )

    bars: BarsInput = port("The bars.", default="bars")
    minutes: int = param("Length of the range.", default=30, unit="minutes", ge=1, le=1440)

    def lookback(self) -> None:
        return None

    def explain(self, question: Question) -> Reason | None:
        if question.output != "complete":
            return None
        held = bool(self.compute(question.bars("bars"))[2][-1])
        wanted = Message("the first {minutes} minutes of the session are over", minutes=self.minutes)
        return Said(held, "", wanted, "bars")

    def compute(self, bars: Bars) -> tuple[FloatColumn | BoolColumn, ...]:
        hours = _hours(bars)
        ends = hours.opens + self.minutes * local_time.MINUTE_NS
        part = (bars.open_ns >= hours.opens) & (bars.close_ns <= ends)
        high, low = kernels.opening_range(hours.day, part, bars.close_ns >= ends, bars.high, bars.low)
        return high, low, ~np.isnan(high)


class CalendarDay(WindowedLogic):
    """Give the place of the bar's trading day in month and week, and its distance to the next session.

    The trading day is that of the instrument's session, in its time zone; an overnight session belongs to the day on
    which it closes. Sessions are counted by the calendar of the exchange where the instrument's market is known, else
    by its weekdays, without holidays. The calendar is known in advance: `trading_days_left` and `days_to_next` need no
    later bar. Known at the bar's close, no warm-up: `new_week` and `new_month` look back one bar, and are true at the
    first bar of all.
    """

    name = "calendar"
    category = CATEGORY_TIME
    outputs = (
        _series("month", "Month: 1 to 12."),
        _series("day", "Day of the month: 1 to 31."),
        _series("weekday", "Weekday of the trading day: 0 for Monday to 6 for Sunday."),
        _series("week_of_month", "Which one of its weekday in the month it is: 3 on the third Friday."),
        _series("trading_day", "Number of the session in the month: 1 on the first."),
        _series("trading_days_left", "Sessions of the month that follow: 0 on the last."),
        _series("days_to_next", "Calendar days to the next session: 1 if it is tomorrow."),
        _series("days_since_last", "Calendar days since the session before."),
        _condition("new_week", "Whether the bar is the first of its week, which begins on Monday."),
        _condition("new_month", "Whether the bar is the first of its month."),
        _condition("before_holiday", "Whether a weekday without a session comes before the next session."),
        _condition("after_holiday", "Whether a weekday without a session came after the session before."),
    )

    bars: BarsInput = port("The bars.", default="bars")

    def lookback(self) -> int:
        return 1

    def explain(self, question: Question) -> Reason | None:
        if question.output not in _FIRST:
            return None
        bars = _latest(question)
        place = [output.name for output in self.outputs].index(question.output)
        day = trading_days_in_order(bars.close_ns[-1:] - 1, bars.session).astype("datetime64[D]")[0]
        return Said(bool(self.compute(bars)[place][-1]), str(day), _FIRST[question.output], "bars")

    def compute(self, bars: Bars) -> tuple[FloatColumn | BoolColumn, ...]:
        session = bars.session
        every = trading_days_in_order(bars.close_ns - 1, session)
        days, where = np.unique(every, return_inverse=True)
        dates = days.astype("datetime64[D]")
        months = dates.astype("datetime64[M]")
        first = months.astype("datetime64[D]").astype(np.int64)
        following = (months + 1).astype("datetime64[D]").astype(np.int64)
        in_month = days - first
        opens = is_session_day(days, session)
        number = session_days_between(first - 1, days, session) + opens
        left = session_days_between(days, following, session)
        ahead, back = next_session_day(days + 1, session), last_session_day(days - 1, session)
        weekday = weekdays(days)
        open_weekdays = np.isin(np.arange(7), session.weekdays or tuple(range(7)))
        columns = (
            months.astype(np.int64) % 12 + 1,
            in_month + 1,
            weekday,
            in_month // 7 + 1,
            number,
            left,
            ahead - days,
            days - back,
        )
        series = tuple(column.astype(np.float64)[where] for column in columns)
        return (
            *series,
            _starts((every + 3) // 7),
            _starts(months.astype(np.int64)[where]),
            _weekday_between(days, ahead, open_weekdays)[where],
            _weekday_between(back, days, open_weekdays)[where],
        )


def _weekday_between(first: TimeColumn, last: TimeColumn, open_weekdays: BoolColumn) -> BoolColumn:
    """Return whether a weekday that usually has a session lies strictly between two days."""
    found = np.zeros(len(first), np.bool_)
    for step in range(1, 8):
        day = first + step
        found |= (day < last) & open_weekdays[weekdays(day)]
    return found
