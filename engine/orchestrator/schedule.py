"""What should run now, as a pure function of the schedule and the time.

1. A schedule names trading hours: 24/7, the markets of a strategy's instruments, an exchange, currencies, or a week of
   one's own.
2. The sessions around the moment are looked up; what is not open is a lead before a session, a rest after it, a break
   in it, or closed.
3. The answer says what holds now, since when and until when. It depends on nothing else: not on what ran before, nor
   on how often it is asked. A late start, a sleep of the machine and a clock that was set end in the right state.

Beyond the last day of which an exchange's holidays are known, days are taken as regular ones, and a notice says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from quantcrafter.engine.api import Session
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.schedule import FOREX, MARKET, Schedule
from quantcrafter.engine.data.markets import NEW_YORK_DAY
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.orchestrator.trading_hours import (
    DAYS_AFTER,
    DAYS_BEFORE,
    MarketHours,
    OpenSpan,
    SeveralHours,
    Tables,
    TradingHours,
    WeeklyHours,
    sessions_around,
)
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar
from quantcrafter.engine.trading_calendar.zones import DAY_NS, MINUTE_NS

WARN_DAYS = 14
"""How many days before the end of a calendar a notice says so."""
_EPOCH = date(1970, 1, 1)


class SchedulePhase(StrEnum):
    """Where in its sessions a schedule is."""

    CLOSED = "closed"
    LEAD = "lead"
    OPEN = "open"
    BREAK = "break"
    FLAT = "flat"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """What holds at a moment.

    `since_ns` and `until_ns` (UTC nanoseconds) are when the phase began and when the next one begins, None if it never
    does. `runs` says whether the strategy should run, `flat` whether its positions should be closed and it may not
    enter; `flat_ns` is since when. `closed_ns` is since when no session is open for entries, None while one is.
    `opens_ns` is the next opening of a session, None if there is none or it never closes. `notice` says what
    the user should know of it, '' if nothing.
    """

    phase: SchedulePhase
    runs: bool
    flat: bool = False
    since_ns: int | None = None
    until_ns: int | None = None
    opens_ns: int | None = None
    notice: str = ""
    flat_ns: int | None = None
    closed_ns: int | None = None

    @property
    def is_trading_time(self) -> bool:
        """Whether a session is open, breaks not counted."""
        return self.phase in (SchedulePhase.OPEN, SchedulePhase.FLAT)


@dataclass(frozen=True, slots=True)
class TradingSchedule:
    """A schedule with its hours. Without `hours` it is 24/7. Times are nanoseconds."""

    hours: TradingHours | None = None
    lead_ns: int = 0
    after_ns: int = 0
    flat_ns: int = 0
    stops_in_breaks: bool = False

    def at(self, now_ns: int, tables: Tables = calendar) -> ScheduleState:
        """Return what holds at a moment (UTC nanoseconds); `tables` gives the calendars of exchanges by name."""
        if self.hours is None:
            return ScheduleState(SchedulePhase.OPEN, runs=True)
        sessions = sessions_around(self.hours, now_ns, tables)
        phases = list(self._phases(sessions))
        begins = [begin for begin, _ in phases]
        place = max((n for n, begin in enumerate(begins) if begin <= now_ns), default=-1)
        phase = phases[place][1] if place >= 0 else SchedulePhase.CLOSED
        first, last = place, place + 1
        while first > 0 and phases[first - 1][1] is phase:
            first -= 1
        while last < len(phases) and phases[last][1] is phase:
            last += 1
        flat_ns = None if phase is SchedulePhase.LEAD else self._flat_since(sessions, now_ns)
        return ScheduleState(
            phase,
            runs=phase is not SchedulePhase.CLOSED and not (phase is SchedulePhase.BREAK and self.stops_in_breaks),
            flat=flat_ns is not None,
            since_ns=_near(begins[first], now_ns) if first >= 0 else None,
            until_ns=_near(begins[last], now_ns) if last < len(phases) else None,
            opens_ns=_near(next((each.begin_ns for each in sessions if each.begin_ns > now_ns), None), now_ns),
            notice=_notice(self.hours.calendars(), now_ns, tables),
            flat_ns=flat_ns,
            closed_ns=_near(_closed_since(phases[: place + 1]), now_ns),
        )

    def _phases(self, sessions: Sequence[OpenSpan]) -> Iterator[tuple[int, SchedulePhase]]:
        """Yield when which phase begins, in order."""
        parts = [
            (begin, end, each.end_ns - self.flat_ns if self.flat_ns else None, begin == each.begin_ns)
            for each in sessions
            for begin, end in each.spans
        ]
        for n, (begin, end, flat_from, is_first) in enumerate(parts):
            outside = is_first or self.stops_in_breaks
            before = parts[n - 1][1] if n else None
            if outside and self.lead_ns:
                yield (
                    (begin - self.lead_ns if before is None else max(begin - self.lead_ns, before)),
                    SchedulePhase.LEAD,
                )
            if flat_from is None or flat_from >= end:
                yield begin, SchedulePhase.OPEN
            elif flat_from <= begin:
                yield begin, SchedulePhase.FLAT
            else:
                yield begin, SchedulePhase.OPEN
                yield flat_from, SchedulePhase.FLAT
            after = parts[n + 1] if n + 1 < len(parts) else None
            in_break = after is not None and not after[3]
            if in_break and not self.stops_in_breaks:
                yield end, SchedulePhase.BREAK
                continue
            next_begin = None if after is None else after[0] - self.lead_ns
            if self.after_ns and (next_begin is None or next_begin > end):
                yield end, SchedulePhase.AFTER
            closes = end + self.after_ns
            if next_begin is None or next_begin > closes:
                yield closes, SchedulePhase.BREAK if in_break else SchedulePhase.CLOSED

    def _flat_since(self, sessions: Sequence[OpenSpan], now_ns: int) -> int | None:
        """Return since when positions should be closed: from so long before a session's end until the next one.

        None if they needn't be.
        """
        last = next((each for each in reversed(sessions) if each.begin_ns <= now_ns), None)
        if not self.flat_ns or last is None or now_ns < last.end_ns - self.flat_ns:
            return None
        return max(last.end_ns - self.flat_ns, last.begin_ns)


def schedule_of(graph: BoundGraph) -> TradingSchedule:
    """Return the schedule of a strategy: that of its file, and for `hours: market` the sessions of its instruments.

    An instrument of no market trades round the clock.
    """
    sessions = [each.terms.session or Session() for each in graph.instruments]
    return trading_schedule(graph.spec.run.schedule, sessions)


def trading_schedule(settings: Schedule, sessions: Sequence[Session] = ()) -> TradingSchedule:
    """Return the schedule that settings describe; `sessions` are those of the instruments, for `hours: market`.

    Raises:
        KeyError: `hours` is the code of no exchange.
    """
    if settings.is_endless:
        return TradingSchedule()
    return TradingSchedule(
        _hours_of(settings, sessions),
        lead_ns=_ns(settings.lead_minutes),
        after_ns=_ns(settings.after_minutes),
        flat_ns=_ns(settings.flat_minutes),
        stops_in_breaks=settings.breaks == "stop",
    )


def _hours_of(settings: Schedule, sessions: Sequence[Session]) -> TradingHours:
    if settings.weekly:
        return WeeklyHours(settings.sessions, settings.timezone)
    if settings.hours == FOREX:
        return MarketHours(NEW_YORK_DAY)
    if settings.hours != MARKET:
        return MarketHours(calendar(settings.hours).session)
    parts = tuple(MarketHours(each) for each in dict.fromkeys(sessions))
    return parts[0] if len(parts) == 1 else SeveralHours(parts)


def _closed_since(phases: Sequence[tuple[int, SchedulePhase]]) -> int | None:
    """Return when the last open phase of those up to now ended; None if it goes on, or there was none."""
    since = None
    for begin_ns, phase in reversed(phases):
        if phase is SchedulePhase.OPEN:
            return since
        since = begin_ns
    return None


def _near(moment_ns: int | None, now_ns: int) -> int | None:
    """Return a moment, or None if it lies where the days end that were looked at."""
    if moment_ns is None:
        return None
    first, last = now_ns - (DAYS_BEFORE - 3) * DAY_NS, now_ns + (DAYS_AFTER - 3) * DAY_NS
    return moment_ns if first < moment_ns < last else None


def _ns(minutes: float) -> int:
    return round(minutes * MINUTE_NS)


def _notice(names: Sequence[str], now_ns: int, tables: Tables) -> str:
    """Return a notice if the holidays of an exchange are not known for the next two weeks."""
    today = now_ns // DAY_NS
    for name in names:
        last = tables(name).known[1]
        if today + WARN_DAYS > last:
            return Message(
                "The holidays of {name} are known up to {day}. Later days are taken as regular trading days. Update "
                "QuantCrafter, or exchange_calendars if it is installed.",
                name=name,
                day=_EPOCH + timedelta(days=last),
            )
    return ""
