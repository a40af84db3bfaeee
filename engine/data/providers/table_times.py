"""A table's times: from text, numbers, dates or timestamps to UTC nanoseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from quantcrafter.engine.api import DataError, Session, TimeColumn
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_cell
from quantcrafter.engine.data.providers.session_guess import Market, market_of_dates, market_of_times
from quantcrafter.engine.data.providers.time_text import EPOCH_UNITS, ZONE_SUFFIX, TimeFormat, recognise
from quantcrafter.engine.data.sessions import bounds
from quantcrafter.engine.data.zones import DAY_NS, FIRST_YEAR, LAST_YEAR, localize

if TYPE_CHECKING:
    from quantcrafter.engine.data.providers.files import FileProvider, Table


class Times(NamedTuple):
    """Times as raw bars have them, and what was guessed on the way."""

    time_ns: TimeColumn
    stamp: str
    session: Session
    notes: tuple[str, ...]


class _Parsed(NamedTuple):
    """Microseconds since 1970: on the wall as written (`wall`), and in UTC (`utc`, None for times without a zone)."""

    wall: pl.Series
    utc: pl.Series | None


def read_times(options: FileProvider, table: Table, subject: str) -> Times:
    """Return the time of each row of `table`.

    Raises:
        DataError: a time cannot be read, can be read in two ways, or lies in an hour that the clocks skipped.
    """
    column = _time_column(table)
    parsed = _parse(column, options.time_format, subject)
    _check(parsed.wall if parsed.utc is None else parsed.utc, column, table, options.time_format, subject)
    wall = _nanoseconds(parsed.wall)
    if not (wall % DAY_NS).any():
        market = market_of_dates(wall, options.session, options.timezone, options.stamp)
        if market.stamp == "date":
            return Times(wall, "date", market.session, market.notes)
        opens, closes = bounds(wall // DAY_NS, market.session)
        return Times(closes if market.stamp == "close" else opens, market.stamp, market.session, market.notes)
    times = wall if parsed.utc is None else _nanoseconds(parsed.utc)
    market = market_of_times(
        times, naive=parsed.utc is None, session=options.session, timezone=options.timezone, stamp=options.stamp
    )
    utc = times if parsed.utc is not None else _localized(times, market, column, table, subject)
    return Times(utc, market.stamp, market.session, market.notes)


def _time_column(table: Table) -> pl.Series:
    """Return the column of times; a date and a time of day become one text."""
    date, time = table.column("date"), table.column("time")
    if date is None or time is None:
        only = time if date is None else date
        if only is None:
            raise DataError(Message("A table must have a column of times."), field="columns")
        return only.str.strip_chars() if only.dtype == pl.String else only
    if date.dtype.is_temporal() and time.dtype == pl.Time:
        return date.cast(pl.Datetime("us")) + time.cast(pl.Duration("us"))
    day, clock = date.cast(pl.String).str.strip_chars(), time.cast(pl.String).str.strip_chars()
    if clock.str.contains(r"^\d{10,}$|[-/]").all() and clock.n_unique() >= day.n_unique():
        return clock  # the second column has the whole time already
    if clock.str.contains(r"^\d{1,6}$").all():
        longest = clock.str.len_chars().max()
        clock = clock.str.zfill(6 if isinstance(longest, int) and longest > len("0930") else 4)
        clock = clock.str.replace(r"^(\d{2})(\d{2})(\d{2})?$", "$1:$2:$3").str.strip_chars_end(":")
    return day + " " + clock


def _parse(column: pl.Series, time_format: str | None, subject: str) -> _Parsed:
    dtype = column.dtype
    if dtype == pl.Date:
        return _Parsed(column.cast(pl.Datetime("us")).to_physical(), None)
    if isinstance(dtype, pl.Datetime):
        micro = column.dt.cast_time_unit("us")
        if dtype.time_zone is None:
            return _Parsed(micro.to_physical(), None)
        return _Parsed(micro.dt.replace_time_zone(None).to_physical(), micro.to_physical())
    if dtype.is_float():
        return _numbers(column, time_format, subject)
    text = column.cast(pl.String)
    form = _given(time_format) or recognise(text.drop_nulls(), subject)
    if form.is_epoch:
        return _numbers(column, form.pattern, subject)
    return _text(text, form)


def _given(time_format: str | None) -> TimeFormat | None:
    if time_format is None:
        return None
    return TimeFormat(time_format, has_zone=time_format in EPOCH_UNITS or "%z" in time_format or "%#z" in time_format)


def _numbers(column: pl.Series, unit: str | None, subject: str) -> _Parsed:
    if unit is None:
        unit = recognise(column.drop_nulls().cast(pl.Int64, strict=False).cast(pl.String), subject).pattern
    whole = column.cast(pl.Int64, strict=False) if not column.dtype.is_float() else column
    if whole.null_count() > column.null_count():
        whole = column.cast(pl.Float64, strict=False)
    factor = EPOCH_UNITS[unit]
    micro = whole // 1000 if unit == "ns" else whole * factor
    micro = micro.round().cast(pl.Int64, strict=False) if micro.dtype.is_float() else micro
    return _Parsed(micro, micro)


def _text(text: pl.Series, form: TimeFormat) -> _Parsed:
    if not form.has_zone:
        return _Parsed(text.str.to_datetime(form.pattern, strict=False, time_unit="us").to_physical(), None)
    pattern = form.pattern.replace("%#z", "%z").replace("%z", "%#z")
    zoned = text.str.replace(r"(UTC|GMT)$", "Z")
    utc = zoned.str.to_datetime(pattern, strict=False, time_unit="us", time_zone="UTC").to_physical()
    bare = text.str.replace(ZONE_SUFFIX, "")
    wall = bare.str.to_datetime(pattern.replace("%#z", "").strip(), strict=False, time_unit="us").to_physical()
    return _Parsed(wall, utc)


def _check(micro: pl.Series, column: pl.Series, table: Table, time_format: str | None, subject: str) -> None:
    first, last = ((year - 1970) * 31_556_952_000_000 for year in (FIRST_YEAR, LAST_YEAR))
    bad = (micro.is_null() | ~micro.is_between(first, last)).arg_true()
    if not len(bad):
        return
    text = column if column.dtype == pl.String else column.to_physical().cast(pl.String)
    value = text[bad[0]]
    found = "no time" if value is None else shown_cell(value)
    how = f" as {time_format!r}" if time_format else " like those before, between 1900 and 2200"
    raise DataError(
        Message(
            "{subject}: times must be written{how}, row {rows} has {found} "
            "(rows like it: {count:,}). Correct the file, or 'time_format'.",
            subject=subject,
            how=how,
            rows=table.rows[bad[0]],
            found=found,
            count=len(bad),
        ),
        field="time_format",
    )


def _localized(wall: TimeColumn, market: Market, column: pl.Series, table: Table, subject: str) -> TimeColumn:
    newest_first = len(wall) > 1 and wall[0] > wall[-1]
    utc, missing = localize(wall[::-1] if newest_first else wall, market.zone)
    if newest_first:
        utc, missing = utc[::-1], missing[::-1]
    where = np.flatnonzero(missing)
    if len(where):
        first = int(where[0])
        raise DataError(
            Message(
                "{subject}: row {rows} has {column}, an hour that the clocks of "
                "{zone} skipped. Set 'timezone' to the zone of the file's times, perhaps UTC.",
                subject=subject,
                rows=table.rows[first],
                column=shown_cell(column[first]),
                zone=market.zone,
            ),
            field="timezone",
        )
    return utc


def _nanoseconds(micro: pl.Series) -> TimeColumn:
    return micro.cast(pl.Int64).to_numpy() * 1000
