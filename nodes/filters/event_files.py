"""Read event calendars: CSV and iCalendar (ICS) files.

An event is a pair of UTC nanoseconds, start and end; a date without a time of day lasts the whole local day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import Message
from quantcrafter.nodes.local_time import SECOND_NS
from quantcrafter.nodes.timed_files import TimedFile, utc_ns

Event = tuple[int, int]

_LONGEST = timedelta(days=365 * 50)


def read_events(path: Path, zone: tzinfo, time_column: str, end_column: str | None) -> list[Event]:
    """Return the events of a file, in its order.

    Args:
        path: a `.csv` or `.ics` file.
        zone: the time zone of times that name none.
        time_column: the CSV column that holds the start.
        end_column: the CSV column that holds the end, if there is one.

    Raises:
        DataError: the file is missing, too large, no text, empty, or has a wrong line; the message names both.
    """
    file = TimedFile(path, Message("Event calendar"))
    text = file.text()
    if path.suffix.lower() in {".ics", ".ical"}:
        events = list(_ics_events(file, text, zone))
    elif path.suffix.lower() in {".csv", ".txt"}:
        events = list(_csv_events(file, text, zone, time_column, end_column))
    else:
        raise file.error(0, Message("must end in .csv or .ics, was '{suffix}'", suffix=path.suffix))
    if not events:
        raise file.error(0, Message("has no events. Add one, or remove the filter"))
    return events


def _csv_events(file: TimedFile, text: str, zone: tzinfo, time_column: str, end_column: str | None) -> Iterator[Event]:
    for line, row in file.rows(text, (time_column, end_column)):
        start, end = _span(file, line, row[time_column], zone)
        if end_column is not None and row[end_column]:
            end = _span(file, line, row[end_column], zone)[1]
        yield _ordered(file, line, start, end)


def _span(file: TimedFile, line: int, text: str | None, zone: tzinfo) -> Event:
    moment, is_date = file.moment(line, text, zone)
    return _day(moment.date(), moment.date(), zone) if is_date else (utc_ns(moment),) * 2


def _ics_events(file: TimedFile, text: str, zone: tzinfo) -> Iterator[Event]:
    from icalendar import Calendar

    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    try:
        calendar = Calendar.from_ical(text)
        components = calendar.walk("VEVENT")
    except Exception as error:  # on a broken file icalendar fails in whatever way comes
        raise file.error(1, Message("is not a valid iCalendar file")) from error
    for line, component in zip(lines, components, strict=False):
        yield _ics_event(file, line, component, zone)


def _ics_event(file: TimedFile, line: int, component: Any, zone: tzinfo) -> Event:
    if component.get("RRULE") or component.get("RDATE"):
        raise file.error(
            line, Message("has a repeating event, which is not supported. Write its dates as single events")
        )
    try:
        start = component.decoded("DTSTART")
        end = component.decoded("DTEND", None)
        duration = component.decoded("DURATION", None)
    except Exception:  # noqa: BLE001 - on a broken event icalendar fails in whatever way comes
        start = end = duration = None
    # What icalendar cannot read it hands on as text.
    proper = isinstance(start, date) and isinstance(end, date | None) and isinstance(duration, timedelta | None)
    if not proper or (end is not None and isinstance(start, datetime) != isinstance(end, datetime)):
        raise file.error(line, Message("has an event without a proper DTSTART, DTEND or DURATION"))
    for moment in (start, end):
        file.check_year(line, moment)
    if isinstance(start, datetime):
        first = last = _ns(start, zone)
        if end is not None:
            last = _ns(end, zone)
        elif duration is not None:
            last = first + round(min(duration, _LONGEST).total_seconds()) * SECOND_NS
        return _ordered(file, line, first, last)
    # An all-day event's DTEND is the first day after it.
    last_day = end - timedelta(days=1) if end is not None and end > start else start
    return _day(start, last_day, zone)


def _day(first: date, last: date, zone: tzinfo) -> Event:
    start = datetime.combine(first, time(), zone)
    return _ns(start, zone), _ns(datetime.combine(last + timedelta(days=1), time(), zone), zone) - 1


def _ns(moment: datetime, zone: tzinfo) -> int:
    return utc_ns(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def _ordered(file: TimedFile, line: int, start: int, end: int) -> Event:
    if end < start:
        raise file.error(line, Message("has an event that ends before it starts"))
    return start, end
