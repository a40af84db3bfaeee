"""Shared parts of `csv` and `parquet`: their parameters, and the conversion of a table to raw bars.

1. The file is found, and read into a table (by the subclass).
2. Columns are detected by name; rows of other symbols are ignored.
3. Times are parsed, and get a zone, a session and a stamp.
4. Prices are converted to numbers; invalid values are reported with their rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

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
from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.api.opening import find_named
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.providers.column_names import plain
from quantcrafter.engine.data.providers.column_roles import ColumnRole
from quantcrafter.engine.data.providers.glance import Glance
from quantcrafter.engine.data.providers.origins import origin_of
from quantcrafter.engine.data.providers.session_guess import check_zone, parse_session
from quantcrafter.engine.data.providers.table import PRICES, FileTable, figures, only, symbols_of

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
    columns: dict[ColumnRole, str | int] = param(
        "Names of columns, or their places from 1, where they are not recognized automatically: time, date, "
        "open, high, low, close, volume, symbol, split, dividend, adjusted_close.",
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

    @model_validator(mode="after")
    def _session_is_known(self) -> FileProvider:
        parse_session(self.session, "UTC")
        return self

    @abstractmethod
    def _read(self, path: Path, subject: str, symbol: str = "") -> FileTable:
        """Return the file's rows, without empty ones; of a table with columns for each symbol, those of one."""

    def _depends_on_symbol(self, path: Path, subject: str) -> bool:
        """Return whether what `_read` returns differs by symbol, as for a table with columns for each of several."""
        del path, subject
        return False

    def _read_once(self, path: Path, subject: str, symbol: str = "") -> FileTable:
        """Return what `_read` returns; within `reading_once` a file of many symbols is read for the first alone."""
        kept = _TABLES.get()
        if kept is None:
            return self._read(path, subject, symbol)
        status = path.stat()
        of = symbol if self._depends_on_symbol(path, subject) else ""
        key = (type(self), self.model_dump_json(), str(path), status.st_size, status.st_mtime_ns, of)
        if key not in kept:
            kept.clear()  # one table at a time, as without this
            kept[key] = self._read(path, subject, symbol)
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

        subject = Message("{symbol} from {source}", symbol=request.symbol, source=shown_path(self.path))
        file = find_file(self.path, request.base_dir, request.symbol)
        table = only(self._read_once(file, subject, request.symbol), request.symbol, subject)
        origin = origin_of(file.name, table.names)
        dress = table.style.dress
        day_first = origin.day_first or (dress is not None and dress.day_first)
        times = read_times(origin.applied(self), table, subject, request, day_first=day_first)
        found = figures(table, self.action_roles(), subject)
        extra = dict(found.values)
        values = {role: extra.pop(role) for role in PRICES}
        volume = extra.pop("volume")
        rows = table.rows.to_numpy().astype(np.int64)
        time_ns = times.time_ns
        if len(time_ns) > 1 and (np.diff(time_ns) < 0).all():
            time_ns, rows, volume = time_ns[::-1], rows[::-1], volume[::-1]
            values = {role: column[::-1] for role, column in values.items()}
            extra = {role: column[::-1] for role, column in extra.items()}
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
            notes=(*table.notes, *origin.notes(self), *found.notes, *_unused_spread(table), *times.notes),
            actions=_actions(extra, rows, subject) if self.corporate_actions == "columns" else None,
            adjusted_close=extra.get("adjusted_close"),
        )

    def glance(self, base_dir: str = "") -> Glance:
        """Return the file's first lines as they are there, whether or not its bars can be read.

        Raises:
            DataError: the file cannot be opened or unpacked.
        """
        del base_dir
        return Glance()

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


def _unused_spread(table: FileTable) -> tuple[str, ...]:
    """Return what is to be said of a column of spreads, as MetaTrader 5 exports it."""
    name = next((name for name in table.names if plain(name) == "spread"), None)
    if name is None:
        return ()
    return (
        Message(
            "The file's column '{name}' is not used. To trade at a spread, set 'spread' of the instrument.",
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
