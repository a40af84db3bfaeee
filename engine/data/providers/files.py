"""Shared parts of `csv` and `parquet`: their parameters, and the conversion of a table to raw bars.

1. The file is found, and read into a table (by the subclass).
2. Columns are detected by name; rows of other symbols are ignored.
3. Times are parsed, and get a zone, a session and a stamp.
4. Prices are converted to numbers; invalid values are reported with their rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import field_validator, model_validator

from quantcrafter.engine.api import (
    CorporateActions,
    DataError,
    DataProvider,
    DataRequest,
    FloatColumn,
    PathParam,
    PathRefusedError,
    RawBars,
    TimeColumn,
    Timeframe,
    param,
)
from quantcrafter.engine.api.extra_columns import extra_names
from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.api.opening import find_named
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.corporate_actions import LEAST_CHECKED
from quantcrafter.engine.data.providers.column_names import field_of, plain
from quantcrafter.engine.data.providers.column_roles import ColumnRole, checked_names, find_kept, find_more
from quantcrafter.engine.data.providers.glance import Glance
from quantcrafter.engine.data.providers.origins import origin_of
from quantcrafter.engine.data.providers.session_guess import check_zone, parse_session
from quantcrafter.engine.data.providers.table import (
    PRICES,
    Figures,
    FileTable,
    currency_in,
    figures,
    has_splits,
    only,
    splits_in,
    symbols_of,
)

_TABLES: ContextVar[dict[object, FileTable] | None] = ContextVar("tables", default=None)


@contextmanager
def reading_once() -> Iterator[None]:
    """Keep the table of the last file, for loading one symbol of it after another."""
    before = _TABLES.set({} if (kept := _TABLES.get()) is None else kept)
    try:
        yield
    finally:
        _TABLES.reset(before)


class FileProvider(DataProvider):
    """Base of the providers that read a table from a file."""

    path: PathParam = param("The file; a relative path starts at the strategy file's folder.", min_length=1)
    columns: dict[str, str | int] = param(
        "Names of columns, or their places from 1, where they are not recognized automatically: time, date, "
        "open, high, low, close, volume, symbol, split, dividend, adjusted_close, open_interest. Any other key, such "
        "as score, is a further column of numbers, which nodes read as bars.score.",
        default={},
    )
    time_format: str | None = param(
        "How times are written, such as '%d.%m.%Y %H:%M'; or s, ms, us, ns for numbers since 1970.", default=None
    )
    timezone: str = param("Time zone of times that have none, such as Europe/Berlin; auto to guess.", default="auto")
    stamp: Literal["auto", "open", "close"] = param(
        "Whether times mark the open or the close of a bar.", default="auto"
    )
    session: str = param(
        "Trading hours: auto, 24x7, us_stocks, or hours such as '09:00-17:30 Europe/Berlin'.", default="auto"
    )
    corporate_actions: Literal["none", "columns", "adjusted_close"] = param(
        "Splits and dividends of prices as traded: from columns of their own, or from an adjusted close.",
        default="none",
    )
    source_timeframe: Timeframe | None = param(
        "Length of the file's bars, if their spacing doesn't show it.", default=None, advanced=True
    )

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return value if value == "auto" else check_zone(value)

    @field_validator("columns")
    @classmethod
    def _names_are_usable(cls, value: dict[str, str | int]) -> dict[str, str | int]:
        return checked_names(value)

    @model_validator(mode="after")
    def _session_is_known(self) -> FileProvider:
        parse_session(self.session, "UTC")
        return self

    @abstractmethod
    def _read(self, path: Path, subject: str, symbol: str = "", spread: str = "") -> FileTable:
        """Return the file's rows, without empty ones; of a table with columns for each symbol, those of one.

        `spread` is the name of the column of spreads that is wanted, if any is.
        """

    def _depends_on_symbol(self, path: Path, subject: str) -> bool:
        """Return whether what `_read` returns differs by symbol, as for a table with columns for each of several."""
        del path, subject
        return False

    def _read_once(self, path: Path, subject: str, symbol: str = "", spread: str = "") -> FileTable:
        """Return what `_read` returns; within `reading_once` a file of many symbols is read for the first alone."""
        kept = _TABLES.get()
        if kept is None:
            return self._read(path, subject, symbol, spread)
        status = path.stat()
        of = symbol if self._depends_on_symbol(path, subject) else ""
        key = (type(self), self.model_dump_json(), str(path), status.st_size, status.st_mtime_ns, of, spread)
        if key not in kept:
            kept.clear()  # one table at a time, as without this
            kept[key] = self._read(path, subject, symbol, spread)
        return kept[key]

    def _names_symbols(self, path: Path, subject: str) -> bool:
        """Return whether the file may have a column of symbols, at a glance: most have none, and may be large."""
        del path, subject
        return True

    def known_symbols(self, base_dir: str = "") -> tuple[str, ...]:
        """Return the symbols that the file's own column names, nothing where it has none."""
        import polars as pl

        subject = shown_path(self.path)
        file = find_file(self.path, base_dir)
        if not self._names_symbols(file, subject):
            return ()
        column = self._read_once(file, subject).column("symbol")
        if column is None or column.dtype == pl.Null:
            return ()
        return tuple(sorted(symbols_of(column).drop_nulls().unique().to_list()))

    def names_of_bars(self, base_dir: str = "") -> tuple[str, ...]:
        """Return the file names that may contain the symbol of the bars, the closest to the bars first.

        Raises:
            DataError: the file cannot be opened.
        """
        del base_dir
        return (self.path,)

    def load(self, request: DataRequest) -> RawBars:
        from quantcrafter.engine.data.providers.table_times import read_times
        from quantcrafter.engine.data.providers.thirty_seconds import in_points

        subject = Message("{symbol} from {source}", symbol=request.symbol, source=shown_path(self.path))
        file = find_file(self.path, request.base_dir, request.symbol)
        table = self._read_once(file, subject, request.symbol, request.spread_column)
        as_written = only(table, request.symbol, subject)
        table = in_points(as_written, request.symbol, subject)
        counts_decimals = table is as_written and (bool(request.spread_column) or request.keeps_columns)
        origin = origin_of(file.name, table.names)
        dress = table.style.dress
        day_first = origin.day_first or (dress is not None and dress.day_first)
        times = read_times(origin.applied(self), table, subject, request, day_first=day_first)
        further = extra_names(self.columns)
        more = find_more(table.names, self.columns, request.spread_column, subject, open_interest=request.open_interest)
        table = table._replace(columns={**table.columns, **more})
        found = _figures(
            table,
            (*self.action_roles(), *more),
            subject,
            further,
            self._kept(table, request),
            counts_decimals=counts_decimals,
        )
        extra = dict(found.values)
        values = {role: extra.pop(role) for role in PRICES}
        volume = extra.pop("volume")
        columns = found.further
        rows = table.rows.to_numpy().astype(np.int64)
        time_ns = times.time_ns
        if len(time_ns) > 1 and (np.diff(time_ns) < 0).all():
            time_ns, rows, volume = time_ns[::-1], rows[::-1], volume[::-1]
            values = {role: column[::-1] for role, column in values.items()}
            extra = {role: column[::-1] for role, column in extra.items()}
            columns = {name: column[::-1] for name, column in columns.items()}
        fallen = self._unbooked_splits(table, values, rows)
        spread, interest = extra.pop("spread", None), extra.pop("open_interest", None)
        return RawBars(
            time_ns=time_ns,
            open=values["open"],
            high=values["high"],
            low=values["low"],
            close=values["close"],
            volume=volume,
            rows=rows,
            stamp=times.stamp,
            session=times.session,
            session_source="guess" if times.guessed else "" if self.session == "auto" else "file",
            source=self.path,
            timeframe=self.source_timeframe,
            notes=(
                *table.notes,
                *origin.notes(self),
                *found.notes,
                *_spread_notes(table, request, found),
                *(() if fallen else self._unused_splits(table)),
                *times.notes,
            ),
            warnings=fallen,
            actions=_actions(extra, rows, subject) if self.corporate_actions == "columns" else None,
            adjusted_close=extra.get("adjusted_close"),
            extra=columns,
            currency=currency_in(table),
            spread=spread,
            open_interest=interest,
            decimals=found.decimals,
        )

    def _kept(self, table: FileTable, request: DataRequest) -> dict[str, int]:
        """Return the places of the columns that an import keeps without being told to."""
        return find_kept(table.names, self.columns) if request.keeps_columns else {}

    def glance(self, base_dir: str = "") -> Glance:
        """Return the file's first lines as they are there, whether or not its bars can be read.

        Raises:
            DataError: the file cannot be opened or unpacked.
        """
        del base_dir
        return Glance()

    def _unused_splits(self, table: FileTable) -> tuple[str, ...]:
        """Return what is to be said of a column of splits that has some and is not read."""
        if self.corporate_actions != "none":
            return ()
        places = (place for place, name in enumerate(table.names) if field_of(plain(name)) == "split")
        place = next(places, None)
        if place is None or not has_splits(table.frame.to_series(place)):
            return ()
        return (
            Message(
                "The file's column '{name}' is not used: prices count as adjusted for splits. If they are as traded, "
                "set 'corporate_actions: columns'.",
                name=shown_path(table.names[place]),
            ),
        )

    def _unbooked_splits(
        self, table: FileTable, prices: Mapping[ColumnRole, FloatColumn], rows: TimeColumn
    ) -> tuple[str, ...]:
        """Return a warning if prices fall with the splits of a column that is not read: as traded, not adjusted."""
        if self.corporate_actions != "none" or not self._unused_splits(table):
            return ()
        place = next(place for place, name in enumerate(table.names) if field_of(plain(name)) == "split")
        splits = splits_in(table.frame.to_series(place))
        if len(rows) > 1 and rows[0] > rows[-1]:
            splits = splits[::-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            told = np.log(splits)
            fell = np.log(np.append(np.nan, prices["close"][:-1]) / prices["open"])
            found = np.flatnonzero((np.abs(told) > LEAST_CHECKED) & (np.abs(fell - told) < np.abs(fell)))
        if not len(found):
            return ()
        row = int(found[0])
        return (
            Message(
                "Prices fall with the split of {split:g} in row {row} (close {close:g}, then open {open:g}; splits "
                "like it: {count:,}), so they are as traded, and each split counts as a gain or loss. Set "
                "'corporate_actions: columns'.",
                split=splits[row],
                row=rows[row],
                close=prices["close"][row - 1],
                open=prices["open"][row],
                count=len(found),
            ),
        )

    def action_roles(self) -> tuple[ColumnRole, ...]:
        """Return which columns tell of corporate actions, as the parameter says."""
        if self.corporate_actions == "columns":
            return ("split", "dividend")
        return ("adjusted_close",) if self.corporate_actions == "adjusted_close" else ()

    def data_version(self, request: DataRequest) -> str | None:
        try:
            file = find_file(self.path, request.base_dir, request.symbol)
            status = file.stat()
        except (DataError, OSError):
            return None
        return f"{file.absolute()}|{status.st_ino}|{status.st_size}|{status.st_mtime_ns}"


def _figures(
    table: FileTable,
    roles: Sequence[ColumnRole],
    subject: str,
    further: Sequence[str],
    kept: Mapping[str, int],
    *,
    counts_decimals: bool,
) -> Figures:
    """Return a table's numbers, with the columns that an import keeps where they are numbers.

    Raises:
        DataError: a cell of another column is not a number, or numbers could be read in two ways.
    """
    if not kept:
        return figures(table, roles, subject, further, counts_decimals=counts_decimals)
    more: dict[Any, int] = {**table.columns, **kept}
    try:
        columns = (*further, *kept)
        return figures(table._replace(columns=more), roles, subject, columns, counts_decimals=counts_decimals)
    except DataError as error:
        found = figures(table, roles, subject, further, counts_decimals=counts_decimals)
        names = ", ".join(shown_path(table.names[place]) for place in kept.values())
        note = Message("Not kept: {names}. {error}", names=names, error=str(error))
        return found._replace(notes=(*found.notes, note))


def _spread_notes(table: FileTable, request: DataRequest, found: Figures) -> tuple[str, ...]:
    """Return what is to be said of a column of spreads, as MetaTrader 5 exports it."""
    if request.spread_column:
        return ()
    name = next((name for name in table.names if plain(name) == "spread"), None)
    if name is None:
        return ()
    if request.keeps_columns:
        kept = Message(
            "The file's column '{name}' is kept. To trade at its spread, set 'spread: {{column: spread, unit: "
            "points}}' of the instrument.",
            name=shown_path(name),
        )
        return (kept,) if "spread" in found.further else ()
    return (
        Message(
            "The file's column '{name}' is not used. To trade at its spread, set 'spread: {{column: {name}, unit: "
            "points}}' of the instrument.",
            name=shown_path(name),
        ),
    )


def _actions(columns: dict[ColumnRole, FloatColumn], rows: TimeColumn, subject: str) -> CorporateActions:
    """Return splits and dividends from columns; empty cells and zeros mean that there was none."""
    given = {role: np.where(np.isnan(column), 0.0, column) for role, column in columns.items()}
    none = np.zeros(len(rows))
    split, dividend = given.get("split", none), given.get("dividend", none)
    for role, column in (("split", split), ("dividend", dividend)):
        bad = np.flatnonzero((column < 0.0) | ~np.isfinite(column))
        if len(bad):
            raise DataError(
                Message(
                    "{subject}: a {role} must not be negative, row {row} has {value:g}. Correct the file.",
                    subject=subject,
                    role=word(role),
                    row=rows[bad[0]],
                    value=column[bad[0]],
                ),
                field="columns",
            )
    return CorporateActions(np.where(split == 0.0, 1.0, split), dividend)


def find_file(path: str, base_dir: str, symbol: str = "") -> Path:
    """Return the file of that path, with every link followed.

    Raises:
        PathRefusedError: there is no such file, or it must not be read; the message begins with the symbol.
    """
    try:
        return find_named(path, base_dir)
    except PathRefusedError as error:
        raise error.of(symbol) from error
