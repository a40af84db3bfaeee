"""The sessions of a schedule around a moment: of exchanges, of currencies, and of a week of one's own.

Sessions that overlap or follow without a gap are one: that of currencies lasts from Sunday to Friday, and round the
clock has no end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from quantcrafter.engine.api import Session
from quantcrafter.engine.api.ports import TimeColumn
from quantcrafter.engine.api.schedule import WeeklySession
from quantcrafter.engine.trading_calendar.exchange_calendar import NO_BREAK, CalendarTable, calendar
from quantcrafter.engine.trading_calendar.trading_days import bounds, is_session_day, weekdays
from quantcrafter.engine.trading_calendar.zones import DAY_NS, MINUTE_NS, to_local, to_utc

DAYS_BEFORE, DAYS_AFTER = 15, 45
"""How many days around a moment are looked at: more than any exchange has ever been closed for a holiday."""

Tables = Callable[[str], CalendarTable]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """A session: the spans of UTC nanoseconds in which it is open, in order; between them it has breaks."""

    spans: tuple[Span, ...]

    @property
    def begin_ns(self) -> int:
        """When it opens."""
        return self.spans[0][0]

    @property
    def end_ns(self) -> int:
        """When it closes."""
        return self.spans[-1][1]


class TradingHours(ABC):
    """Where sessions come from."""

    @abstractmethod
    def around(self, now_ns: int, tables: Tables = calendar) -> list[OpenSpan]:
        """Return the sessions of the days around a moment, in order; `tables` gives calendars by name."""

    def calendars(self) -> tuple[str, ...]:
        """Return the names of the calendars that it reads."""
        return ()


@dataclass(frozen=True, slots=True)
class MarketHours(TradingHours):
    """The sessions of an exchange, by its calendar, or of a market without one."""

    session: Session

    def around(self, now_ns: int, tables: Tables = calendar) -> list[OpenSpan]:
        session = self.session
        days = _days(now_ns, session.timezone)
        if not session.calendar:
            days = days[is_session_day(days, session)]
            opens, closes = bounds(days, session)
            return [OpenSpan(((begin, end),)) for begin, end in zip(opens.tolist(), closes.tolist(), strict=True)]
        table = tables(session.calendar)
        days = days[table.is_open[table.rows(days)]]
        rows = table.rows(days)
        moments = (
            to_utc(days * DAY_NS + minutes[rows] * MINUTE_NS, table.timezone).tolist()
            for minutes in (table.opens, table.breaks, table.resumes, table.closes)
        )
        has_break = (table.breaks[rows] != NO_BREAK).tolist()
        return [
            OpenSpan(((opens, pauses), (resumes, closes)) if pausing else ((opens, closes),))
            for pausing, opens, pauses, resumes, closes in zip(has_break, *moments, strict=True)
        ]

    def calendars(self) -> tuple[str, ...]:
        return (self.session.calendar,) if self.session.calendar else ()


@dataclass(frozen=True, slots=True)
class WeeklyHours(TradingHours):
    """Sessions of one's own, every week."""

    sessions: tuple[WeeklySession, ...]
    timezone: str = "UTC"

    def around(self, now_ns: int, tables: Tables = calendar) -> list[OpenSpan]:  # noqa: ARG002 - has no calendar
        days = _days(now_ns, self.timezone)
        found: list[OpenSpan] = []
        for each in self.sessions:
            begins = days[np.isin(weekdays(days), each.weekdays)] * DAY_NS
            edges = [
                to_utc(begins + minute * MINUTE_NS, self.timezone).tolist() for span in each.spans for minute in span
            ]
            for moments in zip(*edges, strict=True):
                # Where the clocks are set forward, what lies in the hour that is skipped has no length.
                pairs = zip(moments[::2], moments[1::2], strict=True)
                spans = tuple((begin, end) for begin, end in pairs if end > begin)
                if spans:
                    found.append(OpenSpan(spans))
        return _merged(found)


@dataclass(frozen=True, slots=True)
class SeveralHours(TradingHours):
    """Open while any of several is, as for instruments of several exchanges."""

    parts: tuple[TradingHours, ...]

    def around(self, now_ns: int, tables: Tables = calendar) -> list[OpenSpan]:
        return _merged([each for part in self.parts for each in part.around(now_ns, tables)])

    def calendars(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for part in self.parts for name in part.calendars()))


def sessions_around(hours: TradingHours, now_ns: int, tables: Tables = calendar) -> list[OpenSpan]:
    """Return the sessions around a moment, those that follow without a gap made one."""
    return _merged(hours.around(now_ns, tables))


def _days(now_ns: int, zone: str) -> TimeColumn:
    today = int(to_local(np.array([now_ns], np.int64), zone)[0] // DAY_NS)
    return np.arange(today - DAYS_BEFORE, today + DAYS_AFTER + 1, dtype=np.int64)


def _merged(sessions: Iterable[OpenSpan]) -> list[OpenSpan]:
    made: list[OpenSpan] = []
    for each in sorted(sessions, key=lambda session: session.begin_ns):
        if made and each.begin_ns <= made[-1].end_ns:
            made[-1] = OpenSpan(_joined([*made[-1].spans, *each.spans]))
        else:
            made.append(each)
    return made


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return spans in order, those that overlap or touch made one."""
    made: list[Span] = []
    for begin, end in sorted(spans):
        if made and begin <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((begin, end))
    return tuple(made)
