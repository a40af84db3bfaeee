"""Filters over time: time_window, weekdays."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import StringConstraints, model_validator

from quantcrafter.engine.api import Bars, BarsInput, BoolColumn, Message, Question, Reason, Said, param, port
from quantcrafter.nodes import local_time
from quantcrafter.nodes.filters.base import WindowedFilter
from quantcrafter.nodes.local_time import ZoneName

_CLOCK = r"^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00)$"
ClockTime = Annotated[str, StringConstraints(pattern=_CLOCK)]
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ZONE_HELP = Message("Time zone such as America/New_York; that of the instrument's session if left out.")


class TimeWindow(WindowedFilter):
    """Hold while the bar closes within a time of day, both ends included.

    A bar that closes exactly at `start` or exactly at `end` is inside. The close counts, since decisions are taken then
    and filled at the next bar's open. If `end` is before `start`, the window includes midnight: 22:00 to 02:00 holds
    from 22:00 on and until 02:00; 24:00 is midnight. Times are local to the session, or to `timezone`, and follow
    daylight saving. Daily bars close at the session's end. No warm-up.
    """

    name = "time_window"
    category = "Time"
    by_bar = True

    bars: BarsInput = port("The bars.", default="bars")
    start: ClockTime = param('First time, such as "09:45".')
    end: ClockTime = param('Last time, such as "15:30".')
    timezone: ZoneName | None = param(_ZONE_HELP, default=None)

    @model_validator(mode="after")
    def _ends_differ(self) -> Self:
        if _clock_ns(self.start) == _clock_ns(self.end):
            raise ValueError(Message("start and end must differ, both were {start}", start=self.start))
        return self

    def compute(self, bars: Bars) -> BoolColumn:
        now = local_time.time_of_day_ns(bars.close_ns, self.timezone or bars.session.timezone)
        start, end = _clock_ns(self.start), _clock_ns(self.end)
        after, before = now >= start, now <= end
        return after & before if start < end else after | before

    def explain(self, question: Question) -> Reason:
        last = _last(question)
        now = int(local_time.time_of_day_ns(last.close_ns, self.timezone or last.session.timezone)[0])
        minutes, seconds = divmod(now // local_time.SECOND_NS, 60)
        shown = f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
        return Said(bool(self.compute(last)[0]), shown, f"{self.start} - {self.end}", "bars")


class Weekdays(WindowedFilter):
    """Hold while the bar closes on one of the given days.

    Days are local to the session, or to `timezone`; a bar that closes at midnight belongs to the day that begins, the
    one on which its orders would be filled. Known at the bar's close, no warm-up.
    """

    name = "weekdays"
    category = "Time"
    by_bar = True

    bars: BarsInput = port("The bars.", default="bars")
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = param(
        "The days: mon, tue, wed, thu, fri, sat, sun.", min_length=1
    )
    timezone: ZoneName | None = param(_ZONE_HELP, default=None)

    def compute(self, bars: Bars) -> BoolColumn:
        day = local_time.weekday(bars.close_ns, self.timezone or bars.session.timezone)
        return np.isin(day, [_DAYS.index(name) for name in self.days])

    def explain(self, question: Question) -> Reason:
        last = _last(question)
        day = _DAYS[int(local_time.weekday(last.close_ns, self.timezone or last.session.timezone)[0])]
        return Said(day in self.days, day, ", ".join(self.days), "bars")


def _last(question: Question) -> Bars:
    """Return the bar that is asked about, as bars of its own."""
    bars = question.bars("bars")
    return bars.slice(len(bars) - 1, len(bars))


def _clock_ns(text: str) -> int:
    """Return nanoseconds after midnight of a time such as 09:45 or 09:45:30; 24:00 is the midnight it names."""
    hours, minutes, seconds = (int(part) for part in (f"{text}:00" if text.count(":") == 1 else text).split(":"))
    return (hours * 3600 + minutes * 60 + seconds) * local_time.SECOND_NS % local_time.DAY_NS
