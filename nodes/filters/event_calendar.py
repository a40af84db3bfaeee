"""The filter over a calendar of events: event_calendar."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quantcrafter.engine.api import (
    FILTER_GROUP,
    Bars,
    BarsInput,
    BoolColumn,
    Duration,
    FilterGroup,
    PathParam,
    duration_ns,
    param,
    port,
)
from quantcrafter.nodes import local_time
from quantcrafter.nodes.filters.base import WindowedFilter
from quantcrafter.nodes.filters.event_files import read_events
from quantcrafter.nodes.local_time import ZoneName


class EventCalendar(WindowedFilter):
    """Hold around the events of a calendar file, such as rate decisions; by default it blocks entries then.

    A bar is held when any moment from its open to its close, both included, lies between `before` an event's start and
    `after` its end, both included. The file is CSV with a header line, or iCalendar (.ics); a path is relative to the
    strategy file's folder. A CSV row has its time in `time_column` as 2024-01-31 14:00 (with or without an offset such
    as +00:00) and, if `end_column` is given, its end there. A date alone means the whole day. Times without an offset
    are in `timezone`, or in that of the session. Repeating iCalendar events are rejected. No warm-up.

    Only use events whose date was known beforehand: the file is not checked for that.
    """

    name = "event_calendar"
    category = "Time"
    by_bar = True

    group: FilterGroup = param(FILTER_GROUP, default="block")
    bars: BarsInput = port("The bars.", default="bars")
    path: PathParam = param("The calendar: a .csv or .ics file.", min_length=1)
    before: Duration = param("How long before an event it begins to hold.", default="0m")
    after: Duration = param("How long after an event it goes on holding.", default="0m")
    time_column: str = param("CSV column with the start of the event.", default="time", min_length=1)
    end_column: str | None = param("CSV column with its end; none if left out.", default=None, advanced=True)
    timezone: ZoneName | None = param(
        "Time zone of times that have none; that of the instrument's session if left out.", default=None
    )

    def compute(self, bars: Bars) -> BoolColumn:
        """Compare bars and events.

        Raises:
            DataError: the file is missing, empty or wrong; the message names path and line.
        """
        zone = local_time.zone(self.timezone or bars.session.timezone)
        events = sorted(read_events(Path(self.path), zone, self.time_column, self.end_column))
        starts = np.array([start for start, _ in events], np.int64) - _margin_ns(self.before)
        ends = np.maximum.accumulate(np.array([end for _, end in events], np.int64)) + _margin_ns(self.after)
        latest = np.searchsorted(starts, bars.close_ns, side="right") - 1
        return (latest >= 0) & (ends[latest] >= bars.open_ns)


def _margin_ns(text: str) -> int:
    """Return the nanoseconds of a duration, at most fifty years: no event lies further away, and none overflows."""
    return min(duration_ns(text), 50 * 365 * local_time.DAY_NS)
