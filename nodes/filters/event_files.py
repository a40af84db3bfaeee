"""Read event calendars: CSV and iCalendar (ICS) files.

An event is a pair of UTC nanoseconds, start and end; a date without a time of day lasts the whole local day.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import DataError, Message, open_regular
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_cell
from quantcrafter.nodes.local_time import SECOND_NS

Event = tuple[int, int]

MAX_BYTES = 16 * 1024 * 1024
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_MOST_NAMES, _LONGEST_NAME = 20, 40
_LONGEST = timedelta(days=365 * 50)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    text = _text(path)
    if path.suffix.lower() in {".ics", ".ical"}:
        events = list(_ics_events(path, text, zone))
    elif path.suffix.lower() in {".csv", ".txt"}:
        events = list(_csv_events(path, text, zone, time_column, end_column))
    else:
        raise _error(path, 0, Message("must end in .csv or .ics, was '{suffix}'", suffix=path.suffix))
    if not events:
        raise _error(path, 0, Message("has no events. Add one, or remove the filter"))
    return events


def _text(path: Path) -> str:
    try:
        if not path.exists():  # what is there but no file is refused when it is opened
            raise _error(
                path, 0, Message("is not there. Check the filter's 'path', which is relative to the strategy file")
            )
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise _error(
                path,
                0,
                Message(
                    "must not be larger than {max_bytes} MB. Keep the events that matter", max_bytes=MAX_BYTES >> 20
                ),
            )
        return data.decode("utf-8-sig")
    except OSError as error:
        cause, remedy = fault(error, "read")
        raise DataError(
            Message("Event calendar {path} can't be read: {cause}. {remedy}", path=path, cause=cause, remedy=remedy),
            field="path",
        ) from error
    except UnicodeDecodeError as error:
        raise _error(
            path, 0, Message("must be UTF-8 text, has another byte at position {start}", start=error.start)
        ) from error


def _csv_events(path: Path, text: str, zone: tzinfo, time_column: str, end_column: str | None) -> Iterator[Event]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        names = reader.fieldnames or ()
        for wanted in filter(None, (time_column, end_column)):
            if wanted not in names:
                raise _error(path, 1, Message("has no column '{wanted}'; {names}", wanted=wanted, names=_listed(names)))
        for row in reader:
            start, end = _span(path, reader.line_num, row[time_column], zone)
            if end_column is not None and row[end_column]:
                end = _span(path, reader.line_num, row[end_column], zone)[1]
            yield _ordered(path, reader.line_num, start, end)
    except csv.Error as error:
        raise _error(path, reader.line_num, Message("is not valid CSV: {error}", error=error)) from error


def _listed(names: Sequence[str]) -> str:
    """Return the columns for a message; only their number where the line may be any text, and no header."""
    if len(names) < 2 or any(len(name) > _LONGEST_NAME or not name.isprintable() for name in names):  # noqa: PLR2004
        columns = "1 column" if len(names) == 1 else f"{len(names):,} columns"
        return (
            Message("its first line has {columns} of another name", columns=columns)
            if names
            else Message("its first line has no column names")
        )
    shown: str = ", ".join(names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        shown = Message("{names} and {count:,} more", names=shown, count=len(names) - _MOST_NAMES)
    return Message("there are: {names}", names=shown)


def _span(path: Path, line: int, text: str | None, zone: tzinfo) -> Event:
    try:
        value = datetime.fromisoformat((text or "").strip())
    except ValueError:
        shown = "nothing" if not text else shown_cell(text)
        raise _error(
            path, line, Message("must have a time such as 2024-01-31 14:00, has {shown}", shown=shown)
        ) from None
    _check_year(path, line, value)
    whole_day = len((text or "").strip()) <= len("2024-01-31")
    return _day(value.date(), value.date(), zone) if whole_day else (_ns(value, zone),) * 2


def _ics_events(path: Path, text: str, zone: tzinfo) -> Iterator[Event]:
    from icalendar import Calendar

    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    try:
        calendar = Calendar.from_ical(text)
        components = calendar.walk("VEVENT")
    except Exception as error:  # on a broken file icalendar fails in whatever way comes
        raise _error(path, 1, Message("is not a valid iCalendar file")) from error
    for line, component in zip(lines, components, strict=False):
        yield _ics_event(path, line, component, zone)


def _ics_event(path: Path, line: int, component: Any, zone: tzinfo) -> Event:
    if component.get("RRULE") or component.get("RDATE"):
        raise _error(
            path, line, Message("has a repeating event, which is not supported. Write its dates as single events")
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
        raise _error(path, line, Message("has an event without a proper DTSTART, DTEND or DURATION"))
    for moment in (start, end):
        _check_year(path, line, moment)
    if isinstance(start, datetime):
        first = last = _ns(start, zone)
        if end is not None:
            last = _ns(end, zone)
        elif duration is not None:
            last = first + round(min(duration, _LONGEST).total_seconds()) * SECOND_NS
        return _ordered(path, line, first, last)
    # An all-day event's DTEND is the first day after it.
    last_day = end - timedelta(days=1) if end is not None and end > start else start
    return _day(start, last_day, zone)


def _day(first: date, last: date, zone: tzinfo) -> Event:
    start = datetime.combine(first, time(), zone)
    return _ns(start, zone), _ns(datetime.combine(last + timedelta(days=1), time(), zone), zone) - 1


def _ns(moment: datetime, zone: tzinfo) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1000


def _check_year(path: Path, line: int, moment: object) -> None:
    """Refuse years that 64-bit nanoseconds, with room for a margin, cannot hold."""
    if isinstance(moment, date) and not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise _error(
            path,
            line,
            Message(
                "must have years from {first_year} to {last_year}, has {year}",
                first_year=_FIRST_YEAR,
                last_year=_LAST_YEAR,
                year=moment.year,
            ),
        )


def _ordered(path: Path, line: int, start: int, end: int) -> Event:
    if end < start:
        raise _error(path, line, Message("has an event that ends before it starts"))
    return start, end


def _error(path: Path, line: int, what: str) -> DataError:
    place = Message("{path}, line {line},", path=path, line=line) if line else str(path)
    return DataError(Message("Event calendar {place} {what}.", place=place, what=what), field="path")
