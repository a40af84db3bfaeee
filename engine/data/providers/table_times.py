"""A table's times: from text, numbers, dates or timestamps to UTC nanoseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from quantcrafter.engine.api import DataError, DataRequest, Session, TimeColumn
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.wording import shown_cell
from quantcrafter.engine.data.providers.session_guess import are_evenings, market_of_dates, market_of_times
from quantcrafter.engine.data.providers.time_text import (
    EPOCH_LIMITS,
    EPOCH_UNITS,
    FIRST_EPOCH,
    ZONE_SUFFIX,
    TimeFormat,
    recognise,
)
from quantcrafter.engine.data.providers.time_zones import CHANGING, Zoned, alike, without_zones
from quantcrafter.engine.trading_calendar.trading_days import bounds
from quantcrafter.engine.trading_calendar.zones import DAY_NS, FIRST_YEAR, LAST_YEAR, localize

if TYPE_CHECKING:
    from quantcrafter.engine.data.providers.files import FileProvider
    from quantcrafter.engine.data.providers.table import FileTable


_SERIAL_1970 = 25_569
_DAY_SECONDS = 86_400


class Times(NamedTuple):
    """Times as raw bars have them, and what was guessed on the way."""

    time_ns: TimeColumn
    stamp: str
    session: Session
    notes: tuple[str, ...]
    guessed: bool = False


class _Parsed(NamedTuple):
    """Microseconds since 1970: on the wall as written (`wall`), and in UTC (`utc`, None for times without a zone)."""

    wall: pl.Series
    utc: pl.Series | None
    notes: tuple[str, ...] = ()


def read_times(
    options: FileProvider, table: FileTable, subject: str, request: DataRequest, *, day_first: bool = False
) -> Times:
    """Return the time of each row of `table`; `day_first` where dates could be read in two ways.

    The session of the request's market counts where no other is given.

    Raises:
        DataError: a time cannot be read, can be read in two ways, or is in an hour that the clocks skipped.
    """
    column = _time_column(table)
    parsed = _parse(column, table.rows, options.time_format, subject, day_first=day_first)
    _check(parsed.wall if parsed.utc is None else parsed.utc, column, table, options.time_format, subject)
    wall = _nanoseconds(parsed.wall)
    unknown = options.timezone == options.session == "auto" and request.session is None
    if parsed.utc is None and unknown and are_evenings(wall):
        wall -= wall % DAY_NS  # when they end isn't known in any zone: the dates say it, late
    if not (wall % DAY_NS).any():
        market = market_of_dates(wall, options.session, options.timezone, options.stamp, request.session)
        wall += market.days_later * DAY_NS
        if market.stamp == "date":
            return Times(wall, "date", market.session, (*parsed.notes, *market.notes), market.guessed)
        opens, closes = bounds(wall // DAY_NS, market.session)
        stamps = closes if market.stamp == "close" else opens
        return Times(stamps, market.stamp, market.session, (*parsed.notes, *market.notes), market.guessed)
    times = wall if parsed.utc is None else _nanoseconds(parsed.utc)
    market = market_of_times(
        times,
        naive=parsed.utc is None,
        session=options.session,
        timezone=options.timezone,
        stamp=options.stamp,
        known=request.session,
        known_zone=request.timezone,
    )
    if parsed.utc is None and options.timezone == "auto":
        _check_passages(times, column, table, subject)
    utc = times if parsed.utc is not None else _localized(times, market.zone, column, table.rows, subject)
    return Times(utc, market.stamp, market.session, (*parsed.notes, *market.notes), market.guessed)


def _time_column(table: FileTable) -> pl.Series:
    """Return the column of times; a date and a time of day become one text."""
    date, time = table.column("date"), table.column("time")
    if date is None or time is None:
        only = time if date is None else date
        if only is None:
            raise DataError(Message("A table must have a column of times."), field="columns")
        return alike(only.str.strip_chars()) if only.dtype == pl.String else only
    if date.dtype.is_temporal() and time.dtype == pl.Time:
        return date.cast(pl.Datetime("us")) + time.cast(pl.Duration("us"))
    day, clock = (alike(part.cast(pl.String).str.strip_chars()) for part in (date, time))
    if clock.str.contains(r"^\d{10,}$|[-/]").all() and clock.n_unique() >= day.n_unique():
        return clock  # the second column has the whole time already
    if clock.str.contains(r"^\d{1,6}$").all():
        longest = clock.str.len_chars().max()
        clock = clock.str.zfill(6 if isinstance(longest, int) and longest > len("0930") else 4)
        clock = clock.str.replace(r"^(\d{2})(\d{2})(\d{2})?$", "$1:$2:$3").str.strip_chars_end(":")
    return day + " " + clock


def _parse(column: pl.Series, rows: pl.Series, time_format: str | None, subject: str, *, day_first: bool) -> _Parsed:
    dtype = column.dtype
    if dtype == pl.Date:
        return _Parsed(column.cast(pl.Datetime("us")).to_physical(), None)
    if isinstance(dtype, pl.Datetime):
        micro = column.dt.cast_time_unit("us")
        if dtype.time_zone is None:
            return _Parsed(micro.to_physical(), None)
        return _Parsed(micro.dt.replace_time_zone(None).to_physical(), micro.to_physical())
    if dtype.is_float():
        return _numbers(column, rows, time_format, subject)
    text = column.cast(pl.String)
    zoned = Zoned(text, None) if time_format is not None else without_zones(text, rows, subject)
    form = _given(time_format) or recognise(zoned.text.drop_nulls(), subject, day_first=day_first)
    if form.is_epoch or form.is_serial:
        return _numbers(column, rows, time_format, subject)
    _refuse_leap_seconds(zoned.text, form, rows, subject)
    parsed = _text(zoned.text, form)
    return parsed if zoned.zones is None else _in_zones(parsed, zoned.zones, column, rows, subject)


def _in_zones(parsed: _Parsed, zones: pl.Series, column: pl.Series, rows: pl.Series, subject: str) -> _Parsed:
    """Return wall times of zones that the file names, row by row, with their moments."""
    wall = parsed.wall
    if wall.null_count():
        return parsed  # the row is named by the check
    utc = _nanoseconds(wall).copy()
    for zone in zones.unique().to_list():
        mine = (zones == zone).arg_true().to_numpy()
        utc[mine] = _localized(utc[mine], zone, column.gather(mine), rows.gather(mine), subject)
    return _Parsed(wall, pl.Series(utc // 1000))


def _refuse_leap_seconds(text: pl.Series, form: TimeFormat, rows: pl.Series, subject: str) -> None:
    if "%S" not in form.pattern:
        return
    where = text.str.contains(r":60(?:\D|$)").arg_true()
    if len(where):
        raise DataError(
            Message(
                "{subject}: row {rows} has {text}, a leap second, which has no time of its own here. Remove the row, "
                "or add it to the second before.",
                subject=subject,
                rows=rows[where[0]],
                text=shown_cell(text[where[0]]),
            ),
            field="time_format",
        )


def _given(time_format: str | None) -> TimeFormat | None:
    if time_format is None:
        return None
    return TimeFormat(time_format, has_zone=time_format in EPOCH_UNITS or "%z" in time_format or "%#z" in time_format)


def _numbers(column: pl.Series, rows: pl.Series, unit: str | None, subject: str) -> _Parsed:
    """Return numbers since 1970 in the unit given; else each in the unit that its size shows."""
    whole = column.cast(pl.Int64, strict=False) if not column.dtype.is_float() else column
    if whole.null_count() > column.null_count():
        whole = column.cast(pl.Float64, strict=False)
    notes: tuple[str, ...] = ()
    sizes = whole.drop_nulls().cast(pl.Float64).round().cast(pl.Int64, strict=False).cast(pl.String)
    form = _given(unit) or recognise(sizes, subject)  # refuses small numbers
    if form.is_serial:
        return _serials(whole)
    if unit is None:
        micro, notes = _by_size(whole, rows)
        return _Parsed(micro, micro, notes)
    micro = _in_unit(whole, unit)
    return _Parsed(micro, micro)


def _serials(days: pl.Series) -> _Parsed:
    """Return the days of a spreadsheet, to the second, as wall times."""
    seconds = ((days.cast(pl.Float64) - _SERIAL_1970) * _DAY_SECONDS).round()
    note = Message("Times are numbers of a spreadsheet: taken as days since 1899-12-30.")
    return _Parsed((seconds * 1e6).cast(pl.Int64, strict=False), None, (note,))


def _in_unit(whole: pl.Series, unit: str) -> pl.Series:
    micro = whole // 1000 if unit == "ns" else whole * EPOCH_UNITS[unit]
    return micro.round().cast(pl.Int64, strict=False) if micro.dtype.is_float() else micro


def _by_size(whole: pl.Series, rows: pl.Series) -> tuple[pl.Series, tuple[str, ...]]:
    """Return microseconds, each row in the unit of its size, and what is to be said where there are several."""
    size = whole.abs()
    micro = pl.repeat(None, len(whole), dtype=pl.Int64, eager=True)
    first: list[tuple[int, str]] = []
    least = FIRST_EPOCH
    for limit, unit in EPOCH_LIMITS:
        mine = ((size >= least) & (size < limit)).fill_null(value=False)
        least = limit
        if mine.all():
            return _in_unit(whole, unit), ()
        if mine.any():
            micro = _in_unit(whole, unit).zip_with(mine, micro)
            first.append((int(rows[int(mine.arg_true()[0])]), unit))
    if len(first) < 2:  # noqa: PLR2004 - one unit needs no words
        return micro, ()
    told = joined((Message("{unit} first in row {row}", unit=unit, row=row) for row, unit in sorted(first)), ", ")
    return micro, (Message("Times are in several units, recognized for each row by magnitude: {told}.", told=told),)


def _text(text: pl.Series, form: TimeFormat) -> _Parsed:
    if not form.has_zone:
        return _Parsed(text.str.to_datetime(form.pattern, strict=False, time_unit="us").to_physical(), None)
    pattern = form.pattern.replace("%#z", "%z").replace("%z", "%#z")
    zoned = text.str.replace(r"(UTC|GMT)$", "Z")
    utc = zoned.str.to_datetime(pattern, strict=False, time_unit="us", time_zone="UTC").to_physical()
    bare = text.str.replace(ZONE_SUFFIX, "")
    wall = bare.str.to_datetime(pattern.replace("%#z", "").strip(), strict=False, time_unit="us").to_physical()
    return _Parsed(wall, utc)


def _check(micro: pl.Series, column: pl.Series, table: FileTable, time_format: str | None, subject: str) -> None:
    first, last = ((year - 1970) * 31_556_952_000_000 for year in (FIRST_YEAR, LAST_YEAR))
    bad = (micro.is_null() | ~micro.is_between(first, last)).arg_true()
    if not len(bad):
        return
    text = column if column.dtype == pl.String else column.to_physical().cast(pl.String)
    value = text[bad[0]]
    found = Message("no time") if value is None else shown_cell(value)
    how = (
        Message("as {time_format}", time_format=repr(time_format))
        if time_format
        else Message("like those before, between 1900 and 2200")
    )
    raise DataError(
        Message(
            "{subject}: times must be written {how}, row {row} has {found} "
            "(rows like it: {count:,}). Correct the file, or 'time_format'.",
            subject=subject,
            how=how,
            row=table.rows[bad[0]],
            found=found,
            count=len(bad),
        ),
        field="time_format",
    )


def _check_passages(wall: TimeColumn, column: pl.Series, table: FileTable, subject: str) -> None:
    """Refuse times without a zone that tell an hour twice, as clocks do that are set back."""
    ordered = wall[::-1] if len(wall) > 1 and wall[0] > wall[-1] else wall
    back = np.flatnonzero(np.diff(ordered) <= 0)
    if not len(back):
        return
    fitting = [zone for zone in CHANGING if _runs_forward(ordered, zone)]
    if fitting:
        row = int(back[0]) + 1 if ordered is wall else len(wall) - 2 - int(back[0])
        raise DataError(
            Message(
                "{subject}: row {rows} has {column} in an hour that occurs twice because clocks are set back. "
                "Set 'timezone' to the zone of the file's times; {fitting} would fit.",
                subject=subject,
                rows=table.rows[row],
                column=shown_cell(column[row]),
                fitting=", ".join(fitting),
            ),
            field="timezone",
        )


def _runs_forward(wall: TimeColumn, zone: str) -> bool:
    utc, missing = localize(wall, zone)
    return not missing.any() and bool((np.diff(utc) > 0).all())


def _localized(wall: TimeColumn, zone: str, column: pl.Series, rows: pl.Series, subject: str) -> TimeColumn:
    newest_first = len(wall) > 1 and wall[0] > wall[-1]
    utc, missing = localize(wall[::-1] if newest_first else wall, zone)
    if newest_first:
        utc, missing = utc[::-1], missing[::-1]
    where = np.flatnonzero(missing)
    if len(where):
        first = int(where[0])
        raise DataError(
            Message(
                "{subject}: row {rows} has {column}, an hour that the clocks of {zone} skipped. Set 'timezone' to "
                "the zone of the file's times, perhaps UTC.",
                subject=subject,
                rows=rows[first],
                column=shown_cell(column[first]),
                zone=zone,
            ),
            field="timezone",
        )
    return utc


def _nanoseconds(micro: pl.Series) -> TimeColumn:
    return micro.cast(pl.Int64).to_numpy() * 1000
