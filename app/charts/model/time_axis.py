"""The time axis: bars are evenly spaced, nights and weekends leave no gap, and times are found by bar. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from quantcrafter.engine.api import Bars, TimeColumn
from quantcrafter.engine.data.labels import bar_label, local_time, moment_text, zone_name

_SECOND_NS = 1_000_000_000
_MOST_STARTS = 400
_DAYS_A_MONTH, _DAYS_A_YEAR = 30.4, 365.25
_KINDS = ("year", "month", "day", "minute", "second")
_CLOSEST = 0.7
"""How close two ticks may come, as a part of the distance at which `most` of them would stand."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A step of the time axis: `count` years, months, days, minutes or seconds."""

    kind: str
    count: int
    days: float


UNITS = (
    *(Unit("year", count, count * _DAYS_A_YEAR) for count in (10, 5, 2, 1)),
    *(Unit("month", count, count * _DAYS_A_MONTH) for count in (6, 3, 1)),
    *(Unit("day", count, count) for count in (14, 7, 2, 1)),
    *(Unit("minute", count, count / 1440) for count in (720, 360, 180, 60, 30, 15, 5, 1)),
    *(Unit("second", count, count / 86400) for count in (30, 10, 1)),
)
"""From coarse to fine."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the time axis: the bar with which a period begins, the local time, and what changes there.

    `kind` is `year`, `month`, `day`, `minute` or `second`: the largest part of the date that is new.
    """

    bar: int
    time: datetime
    kind: str


class BarClock:
    """The times of an instrument's bars in its exchange's zone.

    Args:
        bars: the bars; their open times count, as charts do.
    """

    def __init__(self, bars: Bars) -> None:
        self._open_ns: TimeColumn = bars.open_ns
        self.zone_name = zone_name(bars.session.timezone)
        self._zone, self._session, self._timeframe = bars.session.timezone, bars.session, bars.timeframe
        self.intraday = bars.timeframe.is_intraday
        self.seconds = bars.timeframe.unit == "s"

    def __len__(self) -> int:
        return len(self._open_ns)

    def time(self, bar: int) -> datetime:
        """Return the local time at which a bar opens."""
        return local_time(int(self._open_ns[bar]), self._zone)

    def text(self, bar: int) -> str:
        """Return a bar's time as text: its trading day, or within the day the time as well."""
        if self.seconds:
            return moment_text(int(self._open_ns[bar]), self._zone, seconds=True)
        return bar_label(int(self._open_ns[bar]), self._timeframe, self._session)

    def named(self, bar: int) -> str:
        """Return a bar's time as text, with the zone where it has one."""
        return f"{self.text(bar)} {self.zone_name}" if self.intraday else self.text(bar)

    def bar_at(self, time: datetime) -> int:
        """Return the first bar that opens at a local time or later; the last one if none does."""
        moment = time if time.tzinfo is not None else time.replace(tzinfo=self.time(0).tzinfo)
        return min(int(np.searchsorted(self._open_ns, _ns(moment))), len(self) - 1)

    def ticks(self, left: float, right: float, most: int) -> list[Tick]:
        """Return at most `most` marks for bars `left` to `right`, in order: the periods of the finest unit that fits.

        Where two would stand closer than there is room, the one that begins a longer period stays.
        """
        first, last = max(int(np.ceil(left)), 0), min(int(np.floor(right)), len(self) - 1)
        if last < first or most < 1:
            return []
        chosen: list[Tick] = []
        for unit in UNITS:
            starts = self._starts(unit, first, last)
            if starts is None or (chosen and len(starts) > most):
                break
            chosen = starts
        return _apart(chosen, (right - left) / most * _CLOSEST)

    def _starts(self, unit: Unit, first: int, last: int) -> list[Tick] | None:
        """Return the bars with which a period of this unit begins; None when they are too many to be of use."""
        begin_ns, end_ns = int(self._open_ns[first]), int(self._open_ns[last])
        if (end_ns - begin_ns) / (86_400 * _SECOND_NS) / unit.days > _MOST_STARTS * 2:
            return None
        times = list(_period_starts(unit, local_time(begin_ns, self._zone), local_time(end_ns, self._zone)))
        bars = np.searchsorted(self._open_ns, np.array([_ns(time) for time in times], dtype=np.int64))
        marked = np.unique(bars[(bars >= first) & (bars <= last)]).tolist()
        return [self._tick(bar) for bar in marked] if len(marked) <= _MOST_STARTS else None

    def _tick(self, bar: int) -> Tick:
        time = self.time(bar)
        before = self.time(bar - 1) if bar else None
        if before is None or before.year != time.year:
            return Tick(bar, time, "year")
        if before.month != time.month:
            return Tick(bar, time, "month")
        if before.day != time.day:
            return Tick(bar, time, "day")
        return Tick(bar, time, "second" if time.second else "minute")


def _apart(ticks: list[Tick], room: float) -> list[Tick]:
    """Return the ticks without those that lie closer than `room` to a more important one."""
    kept: dict[int, Tick] = {}
    for kind in _KINDS:
        for tick in ticks:
            if tick.kind == kind and all(abs(tick.bar - bar) >= room for bar in kept):
                kept[tick.bar] = tick
    return [kept[bar] for bar in sorted(kept)]


def _period_starts(unit: Unit, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the local times at which the unit's periods begin, from the one before `begin` to `end`."""
    count = unit.count
    if unit.kind == "year":
        for year in range(max(begin.year // count * count, 1), end.year + 1, count):
            yield datetime(year, 1, 1, tzinfo=begin.tzinfo)
        return
    if unit.kind == "month":
        month = (begin.year * 12 + begin.month - 1) // count * count
        while month <= end.year * 12 + end.month - 1:
            yield datetime(month // 12, month % 12 + 1, 1, tzinfo=begin.tzinfo)
            month += count
        return
    if unit.kind == "day":
        yield from _days(count, begin, end)
        return
    step = timedelta(minutes=count) if unit.kind == "minute" else timedelta(seconds=count)
    time = begin.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    skipped = (begin.replace(tzinfo=None) - time.replace(tzinfo=None)) // step
    time += step * skipped
    while time <= end:
        yield time
        time += step


def _days(count: int, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield every day, or days of the month at even distances: 1, 15 or 1, 8, 15, 22 or 1, 3, 5..."""
    day = datetime(begin.year, begin.month, begin.day, tzinfo=begin.tzinfo)
    while day <= end:
        place = (day.day - 1) % count == 0
        if place and (count == 1 or day.day + count // 2 <= 31):  # noqa: PLR2004 - days of a month
            yield day
        day += timedelta(days=1)


def _ns(time: datetime) -> int:
    return int(time.timestamp()) * _SECOND_NS
