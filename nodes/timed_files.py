"""Text files with times that nodes read: checked, with messages that name the file and the line.

Times are UTC nanoseconds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Literal

import numpy as np

from quantcrafter.engine.api import Bars, DataError, Message, open_regular
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_cell
from quantcrafter.engine.trading_calendar.trading_days import bounds, next_session_day
from quantcrafter.nodes import local_time

MAX_BYTES = 16 * 1024 * 1024
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_MOST_NAMES, _LONGEST_NAME = 20, 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


DateMeaning = Literal["close", "next_day"]
"""When the row of a date without a time is known: at the close of that day's session, or when the next day begins."""


@dataclass(frozen=True, slots=True)
class TimedFile:
    """A file and what messages call it, such as "Event calendar"."""

    path: Path
    subject: str

    def text(self) -> str:
        """Return its text.

        Raises:
            DataError: the file is missing, too large, or no text.
        """
        try:
            if not self.path.exists():  # what is there but no file is refused when it is opened
                raise self.error(
                    0, Message("is not there. Check the node's 'path', which is relative to the strategy file")
                )
            with open_regular(self.path) as file:
                data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise self.error(
                    0,
                    Message(
                        "must not be larger than {max_bytes} MB. Keep the rows that matter", max_bytes=MAX_BYTES >> 20
                    ),
                )
            return data.decode("utf-8-sig")
        except OSError as error:
            cause, remedy = fault(error, "read")
            raise DataError(
                Message(
                    "{subject} {path} can't be read: {cause}. {remedy}",
                    subject=self.subject,
                    path=self.path,
                    cause=cause,
                    remedy=remedy,
                ),
                field="path",
            ) from error
        except UnicodeDecodeError as error:
            raise self.error(
                0, Message("must be UTF-8 text, has another byte at position {start}", start=error.start)
            ) from error

    def rows(self, text: str, wanted: Sequence[str | None]) -> Iterator[tuple[int, dict[str, str | None]]]:
        """Yield line number and cells by column name of each row of a CSV text with the `wanted` columns.

        Raises:
            DataError: a column is missing, or it is not valid CSV.
        """
        reader = csv.DictReader(io.StringIO(text), strict=True)
        try:
            names = reader.fieldnames or ()
            for name in filter(None, wanted):
                if name not in names:
                    raise self.error(1, Message("has no column '{wanted}'; {names}", wanted=name, names=_listed(names)))
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise self.error(reader.line_num, Message("is not valid CSV: {error}", error=error)) from error

    def moment(self, line: int, text: str | None, zone: tzinfo) -> tuple[datetime, bool]:
        """Return the time of a cell, in its own zone or in `zone`, and whether it is a date alone.

        Raises:
            DataError: it is none, or out of range.
        """
        written = (text or "").strip()
        try:
            value = datetime.fromisoformat(written)
        except ValueError:
            shown = "nothing" if not text else shown_cell(text)
            raise self.error(
                line, Message("must have a time such as 2024-01-31 14:00, has {shown}", shown=shown)
            ) from None
        self.check_year(line, value)
        aware = value if value.tzinfo is not None else value.replace(tzinfo=zone)
        return aware, len(written) <= len("2024-01-31")

    def check_year(self, line: int, moment: object) -> None:
        """Refuse years that 64-bit nanoseconds, with room for a margin, cannot hold."""
        if isinstance(moment, date) and not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise self.error(
                line,
                Message(
                    "must have years from {first_year} to {last_year}, has {year}",
                    first_year=_FIRST_YEAR,
                    last_year=_LAST_YEAR,
                    year=moment.year,
                ),
            )

    def error(self, line: int, what: str) -> DataError:
        """Return an error that names the file, and the line unless it is 0."""
        place = Message("{path}, line {line},", path=self.path, line=line) if line else str(self.path)
        return DataError(
            Message("{subject} {place} {what}.", subject=self.subject, place=place, what=what), field="path"
        )


@dataclass(frozen=True, slots=True)
class TimedColumns:
    """Names of the columns of a file of values: time, value, time of publication, symbol."""

    time: str
    value: str
    published: str | None = None
    symbol: str | None = None


def known_values(
    file: TimedFile, columns: TimedColumns, bars: Bars, zone: str, dates: DateMeaning | None
) -> Iterator[tuple[int, int, int, str]]:
    """Yield line, own time, the time from which it is known, and value of each row for the instrument of `bars`.

    A row is known from its time on, or from that of its publication where one is given and is later.

    Raises:
        DataError: the file can't be read, or a row is wrong; the message names the line.
    """
    there = local_time.zone(zone)
    names = (columns.time, columns.value, columns.published, columns.symbol)
    for line, row in file.rows(file.text(), names):
        if columns.symbol is not None and not _is_for(file, line, (row[columns.symbol] or "").strip(), bars.symbol):
            continue
        own = known = _known_ns(file, line, file.moment(line, row[columns.time], there), bars, dates)
        if columns.published is not None and (row[columns.published] or "").strip():
            published = file.moment(line, row[columns.published], there)
            known = max(own, _known_ns(file, line, published, bars, dates))
        yield line, own, known, (row[columns.value] or "").strip()


def _is_for(file: TimedFile, line: int, written: str, symbol: str) -> bool:
    """Return whether a row is for an instrument.

    Raises:
        DataError: it has no symbol, or one that differs from the instrument's only in its case.
    """
    if not written:
        raise file.error(line, Message("must have a symbol, has nothing"))
    if written != symbol and written.casefold() == symbol.casefold():
        raise file.error(
            line,
            Message("has the symbol {shown}. Write {symbol}", shown=shown_cell(written), symbol=shown_cell(symbol)),
        )
    return written == symbol


def _known_ns(file: TimedFile, line: int, moment: tuple[datetime, bool], bars: Bars, dates: DateMeaning | None) -> int:
    when, is_date = moment
    if not is_date:
        return utc_ns(when)
    if dates is None:
        raise file.error(
            line,
            Message(
                "has a date without a time. Set 'dates' to 'close' if its row is known at the close of that day's "
                "session, or to 'next_day' if it is known when the next day begins"
            ),
        )
    day = np.array([when.date().toordinal() - _EPOCH.toordinal()], np.int64)
    if dates == "close":
        return int(bounds(next_session_day(day, bars.session), bars.session)[1][0])
    following = datetime.combine(when.date() + timedelta(days=1), time(), when.tzinfo)
    return utc_ns(following)


def utc_ns(moment: datetime) -> int:
    """Return an aware time as UTC nanoseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


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
