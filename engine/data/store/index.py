"""The index of the store: one row per series in an SQLite file, which determines the valid files.

A writer makes new files under a name of their own and then swaps the row in one transaction, if nobody else did in
the meantime. A process that dies before the swap leaves files that no row names; they are swept up an hour later.

SQLite's own journal is used rather than a write-ahead log: transactions are short, and reading must leave the folder
alone, which the desktop watches.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from quantcrafter.engine.api import DataError, Session, Timeframe
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.transaction import transaction
from quantcrafter.engine.data.store.origin import Origin
from quantcrafter.engine.storage import Database, Schema

if TYPE_CHECKING:
    import sqlite_utils


@dataclass(frozen=True, slots=True)
class Series:
    """One series of the store.

    `first_ns` and `last_ns` are the opening times of the first and the last bar, `end_ns` when the last one closes
    (UTC ns). `gaps` is how many gaps there are, `missing` how many bars are missing in them. `sources` says where
    the bars came from, the latest last; `updated` is an ISO time in UTC; `size` is in bytes. `file` and `version` are
    the store's own. `market` is the market that was named when they were imported, or that their provider states, '' if
    none was. `origin` is where the series is updated from, None for one that wasn't downloaded. `columns` are the names
    of further columns beside prices and volume, `currency` is that of the prices where the source names it.
    `assumed_zone` is the zone in which times without one were read if nothing says that they are of it, else ''.
    `decimals` is the number of decimals with which all sources write each price, None if one of them doesn't show it.
    """

    symbol: str
    timeframe: Timeframe
    count: int
    first_ns: int
    last_ns: int
    end_ns: int
    gaps: int
    missing: int
    size: int
    session: Session
    sources: tuple[str, ...]
    synthetic: bool
    updated: str
    file: str
    version: int
    market: str = ""
    origin: Origin | None = None
    columns: tuple[str, ...] = ()
    currency: str = ""
    assumed_zone: str = ""
    decimals: int | None = None

    @property
    def known_currency(self) -> str:
        """The currency of the prices, that of the download where the bars were stored without it; '' if unknown."""
        return self.currency or ("" if self.origin is None else self.origin.currency)

    @property
    def source(self) -> str:
        """Where the bars came from, the latest first."""
        return ", ".join(reversed(self.sources))


_NAMES = tuple(field.name for field in fields(Series))
_TEXTS = {
    *("symbol", "timeframe", "session", "sources", "updated", "file", "market", "origin", "columns", "currency"),
    "assumed_zone",
}
_UNKNOWN = -1
_DECLARED = ", ".join(f"{name} {'TEXT' if name in _TEXTS else 'INTEGER'} NOT NULL" for name in _NAMES)


def _note_the_market(database: sqlite_utils.Database) -> None:
    """Bring format 1 to 2: a series says of which market it is."""
    database.table("series").add_column("market", str, not_null_default="")


def _note_the_origin(database: sqlite_utils.Database) -> None:
    """Bring format 2 to 3: a series says where it was downloaded from."""
    database.table("series").add_column("origin", str, not_null_default="")


def _note_further_columns(database: sqlite_utils.Database) -> None:
    """Bring format 3 to 4: a series may have further columns, and says in which currency its prices are."""
    table = database.table("series")
    table.add_column("columns", str, not_null_default="[]")
    table.add_column("currency", str, not_null_default="")


def _note_the_zone(database: sqlite_utils.Database) -> None:
    """Bring format 4 to 5: a series says in which zone times without one were taken."""
    database.table("series").add_column("assumed_zone", str, not_null_default="")


def _note_the_decimals(database: sqlite_utils.Database) -> None:
    """Bring format 5 to 6: a series says with how many decimals its prices are written, -1 if that isn't known."""
    database.table("series").add_column("decimals", int, not_null_default=_UNKNOWN)


SCHEMA = Schema(
    version=6,
    tables={"series": f"CREATE TABLE series ({_DECLARED}, PRIMARY KEY (symbol, timeframe))"},
    steps={
        1: _note_the_market,
        2: _note_the_origin,
        3: _note_further_columns,
        4: _note_the_zone,
        5: _note_the_decimals,
    },
)


class Index:
    """The rows of a store.

    A file that is locked, read-only or damaged raises a DataError that names it, the reason and a remedy.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        self.path = path
        self._database = Database(
            path=path,
            schema=SCHEMA,
            name=Message("bar store"),
            place=path.parent,
            error=DataError,
            if_damaged=Message("Move the folder away and import your bars again."),
            timeout_s=timeout_s,
        )

    def rows(self, symbol: str | None = None) -> list[Series]:
        """Return all series, or those of one symbol, by symbol and length of their bars."""
        if not self.path.exists():
            return []
        condition, values = ("", ()) if symbol is None else (" WHERE symbol = ?", (symbol,))
        with self._open() as connection:
            found = connection.execute(f"SELECT {', '.join(_NAMES)} FROM series{condition}", values)  # noqa: S608
            made = [_series(row) for row in found]
        return sorted(made, key=lambda series: (series.symbol, series.timeframe.nominal_ns, str(series.timeframe)))

    def row(self, symbol: str, timeframe: Timeframe) -> Series | None:
        """Return one series, None if there is none."""
        return next((series for series in self.rows(symbol) if series.timeframe == timeframe), None)

    def swap(self, before: Series | None, after: Series | None) -> bool:
        """Put a row in the place of the one that was read before; None stands for no row.

        Return False, having changed nothing, if the row is not as it was.
        """
        key = before or after
        if key is None:
            return True
        where = (key.symbol, str(key.timeframe))
        with self._open() as connection, transaction(connection):
            query = "SELECT version, file FROM series WHERE symbol = ? AND timeframe = ?"
            found = connection.execute(query, where).fetchone()
            if found != (None if before is None else (before.version, before.file)):
                return False
            connection.execute("DELETE FROM series WHERE symbol = ? AND timeframe = ?", where)
            if after is not None:
                marks = ", ".join("?" * len(_NAMES))
                connection.execute(f"INSERT INTO series ({', '.join(_NAMES)}) VALUES ({marks})", _row(after))  # noqa: S608
        return True

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in autocommit mode to an index that exists and has its table."""
        with self._database.open() as connection:
            try:
                yield connection
            except (ValueError, KeyError, TypeError) as error:  # a row that makes no sense
                raise self._database.failure(error) from error


def _row(series: Series) -> tuple[str | int, ...]:
    values = dict(zip(_NAMES, astuple(replace(series, origin=None)), strict=True))
    values["timeframe"] = str(series.timeframe)
    values["session"] = json.dumps(astuple(series.session))
    values["sources"] = json.dumps(series.sources)
    values["columns"] = json.dumps(series.columns)
    values["synthetic"] = int(series.synthetic)
    values["decimals"] = _UNKNOWN if series.decimals is None else series.decimals
    values["origin"] = "" if series.origin is None else series.origin.to_json()
    return tuple(values.values())


def _series(row: tuple[str | int, ...]) -> Series:
    values: dict[str, object] = dict(zip(_NAMES, row, strict=True))
    zone, opening, closing, weekdays, *calendar = json.loads(str(values["session"]))
    values["timeframe"] = Timeframe.parse(values["timeframe"])
    values["session"] = Session(zone, opening, closing, tuple(weekdays), *calendar)
    values["sources"] = tuple(json.loads(str(values["sources"])))
    values["columns"] = tuple(json.loads(str(values["columns"])))
    values["synthetic"] = bool(values["synthetic"])
    values["decimals"] = None if values["decimals"] == _UNKNOWN else values["decimals"]
    values["origin"] = Origin.from_json(str(values["origin"])) if values["origin"] else None
    return Series(**values)  # type: ignore[arg-type] # the table has the fields' types
