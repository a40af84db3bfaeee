"""A file's rows between reading and interpreting: its bars, those of a symbol, and their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.csv_text import MARKED
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean, first_of, shown_cell, shown_path
from quantcrafter.engine.data.providers.column_names import CURRENCY_NAMES, EXCHANGE_NAMES, plain
from quantcrafter.engine.data.providers.column_roles import ColumnRole
from quantcrafter.engine.data.providers.numbers import Cells, Decided, Style, decide, decimals_in, values
from quantcrafter.engine.data.providers.time_text import is_time

if TYPE_CHECKING:
    import polars as pl

PRICES: tuple[ColumnRole, ...] = ("open", "high", "low", "close")
_LAST_ROWS = 10
_NAMED = 10
_CURRENCY = re.compile(r"[A-Z]{3}|GBp|ZAc")
_UNIT = re.compile(r"[(\[]\s*([A-Z]{3}|GBp|ZAc|pence)\s*[)\]]\s*$")
_ACTION_WORDS = r"(?i)\b(?:dividend|stock splits?|split)\b"
_QUANTITY = re.compile(r"vol|qty|quant|shares|lots|traded|contracts|st[uü]|umsatz|turnover|量")
_END_OF_FILE = "\x1a\x00 "
_DATABENTO = {"ts_event", "rtype"}
_DATABENTO_SCALE = 1e-9
_DATABENTO_NONE = 9.0e9

Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]


class FileTable(NamedTuple):
    """A file's rows: typed or text columns, the number of each row, and the place of each role's column.

    `names` are the header's, `volumes` the columns that may hold the volume, likeliest first (those of one choice are
    summed), `style` how numbers are written, `notes` what was guessed so far.
    """

    frame: pl.DataFrame
    rows: pl.Series
    columns: dict[ColumnRole, int]
    names: tuple[str, ...] = ()
    volumes: tuple[tuple[int, ...], ...] = ()
    style: Style = Style("")
    notes: tuple[str, ...] = ()

    def column(self, role: ColumnRole) -> pl.Series | None:
        """Return the column of a role, None if there is none."""
        return self.frame.to_series(self.columns[role]) if role in self.columns else None

    def where(self, mask: pl.Series) -> FileTable:
        """Return the rows for which the mask is true."""
        return self if mask.all() else self._replace(frame=self.frame.filter(mask), rows=self.rows.filter(mask))

    def noting(self, *notes: str) -> FileTable:
        """Return the table with more notes."""
        return self._replace(notes=(*self.notes, *notes))


def without_remarks(table: FileTable) -> FileTable:
    """Return a text table without empty rows, lines of text at its end, and lines that name a dividend or a split."""
    import polars as pl

    names = table.frame.columns
    used = table.frame[[names[place] for place in sorted(set(table.columns.values()))]]
    table = table.where(used.select(pl.any_horizontal(pl.all().is_not_null() & (pl.all() != ""))).to_series())
    table = _without_headers(table)
    table = _without_nulls(table)
    footer = _footer(table)
    if footer:
        rows = ", ".join(str(row) for row in table.rows[-footer:].to_list())
        table = table._replace(frame=table.frame[:-footer], rows=table.rows[:-footer])
        table = table.noting(Message("Ignored at the end of the file, as text without prices: row {rows}.", rows=rows))
    opens = table.column("open")
    if opens is not None and len(opens):
        actions = opens.str.contains(_ACTION_WORDS).fill_null(value=False)
        if actions.any():
            count = int(actions.sum())
            table = table.where(~actions)
            table = table.noting(
                Message("Ignored, as they name a dividend or a split and no prices: {count:,} rows.", count=count)
            )
    return table


def _without_headers(table: FileTable) -> FileTable:
    """Return a table without rows that repeat the header, as joined files have them."""
    if not table.names:
        return table
    opens, closes = (table.column(role) for role in ("open", "close"))
    if opens is None or closes is None:
        return table
    names = [table.names[table.columns[role]] for role in ("open", "close")]
    same = ((opens.str.strip_chars("<> ") == names[0]) & (closes.str.strip_chars("<> ") == names[1])).fill_null(
        value=False
    )
    if not same.any():
        return table
    return table.where(~same).noting(
        Message("Ignored, as they repeat the header: {count:,} rows.", count=int(same.sum()))
    )


def _without_nulls(table: FileTable) -> FileTable:
    """Return a table without rows whose prices all say `null`, as Yahoo's site writes days without trading."""
    if not all(role in table.columns for role in PRICES):
        return table
    columns = [table.frame.to_series(table.columns[role]) for role in PRICES]
    empty = columns[0] == "null"
    for column in columns[1:]:
        empty &= column == "null"
    empty = empty.fill_null(value=False)
    if not empty.any() or empty.all():
        return table
    first = int(table.rows[int(empty.arg_true()[0])])
    note = Message(
        "Ignored, as their prices are 'null': {count:,} rows, first row {row}.", count=int(empty.sum()), row=first
    )
    return table.where(~empty).noting(note)


def _footer(table: FileTable) -> int:
    """Return how many of the last rows are text and no bars."""
    height = table.frame.height
    for count in range(min(_LAST_ROWS, height)):
        row = table.frame.row(height - 1 - count)
        prices = [row[table.columns[role]] for role in PRICES]
        times = [row[table.columns[role]] for role in ("date", "time") if role in table.columns]
        times = [text for text in times if text and text.strip(_END_OF_FILE)]
        if not any(prices) and times == [str(height - 1 - count)]:
            continue  # the number of bars, as EOD Historical Data writes it
        if any(price and any(sign.isdigit() for sign in price) for price in prices) or any(map(is_time, times)):
            return count
        if any(not any(sign.isalpha() for sign in text) for text in times):
            return count
    return min(_LAST_ROWS, height) if height > _LAST_ROWS else 0


def symbols_of(column: pl.Series) -> pl.Series:
    """Return a column of symbols as they were before a table marked them as text."""
    import polars as pl

    texts = column.cast(pl.String).str.strip_chars(" ")
    return texts.str.replace(MARKED, "${1}").zip_with(texts.str.contains(MARKED), texts.str.strip_chars(" '"))


def only(table: FileTable, symbol: str, subject: str) -> FileTable:
    """Return the rows of one symbol, where a column says which is whose.

    Raises:
        DataError: the table has no rows, or those of several other symbols.
    """
    import polars as pl

    if not len(table.rows):
        raise DataError(
            Message("{subject}: the file has no rows. Give a file with bars.", subject=subject), field="path"
        )
    column = table.column("symbol")
    if column is None or column.dtype == pl.Null:
        return _of_one_exchange(table, subject)
    column = symbols_of(column)
    mine = (column == symbol).fill_null(value=False)
    if not mine.any():
        mine = (column.str.to_lowercase() == symbol.lower()).fill_null(value=False)
    if mine.any():
        return _of_one_exchange(table.where(mine), subject)
    there = sorted(column.drop_nulls().unique().to_list())
    if len(there) == 1:
        return _of_one_exchange(table.noting(*taken_as(there[0], symbol)), subject)
    raise no_such_symbol(symbol, there, subject)


def _of_one_exchange(table: FileTable, subject: str) -> FileTable:
    """Return the table, whose rows have to be of one exchange at a time where a column says of which.

    Raises:
        DataError: they are of several: prices of two exchanges are never one series.
    """
    for place, name in enumerate(table.names):
        if plain(name) not in EXCHANGE_NAMES or place in table.columns.values() or place >= table.frame.width:
            continue
        column = table.frame.to_series(place)
        there = sorted({str(each) for each in column.drop_nulls().unique().to_list()} - {""})
        if len(there) > 1 and _are_mixed(table, column):
            raise DataError(
                Message(
                    "{subject}: the rows are of several exchanges, as the column '{name}' says: {there}. Keep the rows "
                    "of one, or give each a file and a symbol of its own.",
                    subject=subject,
                    name=shown_path(name),
                    there=first_of([shown_path(each) for each in there], 5),
                ),
                field="path",
            )
    return table


def currency_in(table: FileTable) -> str:
    """Return the currency of the prices where a column or the unit in a price's name says it: `Close (GBX)`."""
    for place, name in enumerate(table.names[: table.frame.width]):
        if plain(name) in CURRENCY_NAMES and place not in table.columns.values():
            there = table.frame.to_series(place).drop_nulls().unique().to_list()
            if len(there) == 1 and _CURRENCY.fullmatch(str(there[0]).strip()):
                return str(there[0]).strip()
    close = table.columns.get("close", len(table.names))
    unit = _UNIT.search(table.names[close]) if close < len(table.names) else None
    return unit[1] if unit is not None else ""


def has_splits(column: pl.Series) -> bool:
    """Return whether a column of splits has one: a cell that is neither empty nor the number 0 or 1."""
    import polars as pl

    numbers = column.cast(pl.Float64, strict=False)
    written = column.cast(pl.String).str.strip_chars().fill_null("")
    ratios = written.str.contains(r"^\d+(?:\.\d+)?\s?[:/]\s?\d")
    return bool((ratios | (numbers.is_finite() & ~numbers.is_in([0.0, 1.0])).fill_null(value=False)).any())


def splits_in(column: pl.Series) -> Numbers:
    """Return a column of splits as numbers: `4`, `4:1` or `4/1`; 1 for cells that are none."""
    import polars as pl

    texts = column.cast(pl.String).str.strip_chars()
    parts = texts.str.extract_groups(r"^(\d+(?:\.\d+)?)\s?[:/]\s?(\d+(?:\.\d+)?)$").struct.unnest()
    new, old = (parts.to_series(number).cast(pl.Float64, strict=False) for number in (0, 1))
    numbers = column.cast(pl.Float64, strict=False).zip_with(new.is_null(), new / old).fill_null(1.0).fill_nan(1.0)
    found = numbers.to_numpy()
    return np.where(np.isfinite(found) & (found > 0.0), found, 1.0)


def _are_mixed(table: FileTable, exchanges: pl.Series) -> bool:
    """Return whether exchanges take turns or have rows of the same time; a share that moved to another has neither."""
    if int((exchanges != exchanges.shift()).sum()) >= exchanges.n_unique():
        return True
    keys = [table.frame.columns[table.columns[role]] for role in ("date", "time") if role in table.columns]
    return table.frame.select(*keys, exchanges).n_unique() > table.frame.select(keys).n_unique()


def taken_as(name: str, symbol: str) -> tuple[str, ...]:
    """Return what is to be said where a file's only symbol is not the one asked for."""
    return (
        Message(
            "The file names its symbol {symbols}: taken as {symbol}.",
            symbols=shown_cell(shown_path(name)),
            symbol=symbol,
        ),
    )


def no_such_symbol(symbol: str, there: Sequence[str], subject: str) -> DataError:
    """Return the error for a file of several symbols that lacks the one asked for."""
    symbols = sorted(shown_path(name) for name in there)
    hint = did_you_mean(symbol, symbols) or Message("Correct 'symbol', or name the right column with 'columns'.")
    return DataError(
        Message(
            "{subject}: the file has {listed}, but no '{symbol}'. {hint}",
            subject=subject,
            listed=first_of(symbols, _NAMED),
            symbol=symbol,
            hint=hint,
        ),
        field="symbol",
    )


class Figures(NamedTuple):
    """A table's numbers by role, and what was decided on the way; `decimals` as those of `RawBars`."""

    values: dict[ColumnRole, Numbers]
    notes: tuple[str, ...]
    further: dict[str, Numbers]
    decimals: int | None = None


def figures(
    table: FileTable,
    extra: Sequence[ColumnRole],
    subject: str,
    further: Sequence[str] = (),
    *,
    counts_decimals: bool = False,
) -> Figures:
    """Return prices, volume, the extra roles and further columns as float64; a volume that nothing tells is 0.

    An empty cell of a further column is a missing value (NaN). Decimals are counted if that is asked for.

    Raises:
        DataError: a cell is not a number, or numbers could be read in two ways.
    """
    roles = [*PRICES, *(role for role in extra if role in table.columns)]
    choices = table.volumes or (((table.columns["volume"],),) if "volume" in table.columns else ())
    decided = _decided(table, choices, subject)
    columns = {
        role: values(table.frame.to_series(table.columns[role]), table.rows, role, decided.decimal, subject)
        for role in roles
    }
    columns["volume"], notes = _volume(table, choices, decided, subject)
    is_scaled = set(table.names) >= _DATABENTO and _are_billionths(table)
    if is_scaled:
        for role in PRICES:
            scaled = columns[role] * _DATABENTO_SCALE
            columns[role] = np.where(scaled > _DATABENTO_NONE, np.nan, scaled)
        notes = (*notes, Message("Prices of Databento as whole numbers: taken as billionths."))
    others = {name: _further(table, name, decided, subject) for name in further}
    prices = [table.frame.to_series(table.columns[role]) for role in PRICES]
    decimals = decimals_in(prices, decided.decimal) if counts_decimals and not is_scaled else None
    return Figures(columns, (*decided.notes, *notes), others, decimals)


def _further(table: FileTable, name: str, decided: Decided, subject: str) -> Numbers:
    """Return a further column.

    Raises:
        DataError: a cell is no number.
    """
    place = table.columns[name]  # type: ignore[index]  # the name of a further column
    column = values(table.frame.to_series(place), table.rows, name, decided.decimal, subject)
    endless = np.flatnonzero(np.isinf(column))
    if len(endless):
        raise DataError(
            Message(
                "{subject}: column '{name}' must have numbers, row {row} is infinite. Correct the file, or leave the "
                "cell empty.",
                subject=subject,
                name=name,
                row=table.rows[int(endless[0])],
            ),
            field="columns",
        )
    return column


def _decided(table: FileTable, choices: Sequence[tuple[int, ...]], subject: str) -> Decided:
    import polars as pl

    def texts(places: Sequence[int]) -> list[pl.Series]:
        found = [table.frame.to_series(place) for place in places]
        return [column for column in found if column.dtype == pl.String]

    prices = texts([table.columns[role] for role in PRICES])
    others = texts([place for choice in choices for place in choice])
    times = table.column("date")
    times = table.column("time") if times is None else times
    first = None if times is None or times.dtype != pl.String or not len(times) else times[0]
    return decide(Cells(prices, others, table.rows), table.style._replace(dates=first), subject)


def _volume(
    table: FileTable, choices: Sequence[tuple[int, ...]], decided: Decided, subject: str
) -> tuple[Numbers, tuple[str, ...]]:
    """Return the first choice of columns that is not 0 or empty everywhere."""
    first: Numbers | None = None
    for number, choice in enumerate(choices):
        parts = [
            values(table.frame.to_series(place), table.rows, "volume", decided.decimal, subject) for place in choice
        ]
        volume = parts[0] if len(parts) == 1 else np.sum([np.nan_to_num(part) for part in parts], axis=0)
        first = volume if first is None else first
        if not np.nan_to_num(volume).any():
            continue
        if number == 0 and len(choice) == 1:
            return volume, ()
        names = " + ".join(shown_cell(table.names[place]) for place in choice)
        empty = [shown_cell(table.names[place]) for skipped in choices[:number] for place in skipped]
        if empty:
            return volume, (
                Message(
                    "The volume is that of {names}, as {empty} has none. Name another column with 'columns'.",
                    names=names,
                    empty=", ".join(empty),
                ),
            )
        return volume, (Message("The volume is that of {names}. Name another column with 'columns'.", names=names),)
    if first is None or np.isnan(first).all():
        return np.zeros(len(table.rows)), _no_volume(table) if first is None else ()
    return first, ()


def _no_volume(table: FileTable) -> tuple[str, ...]:
    """Return what is to be said of a table whose columns of other names might hold the volume."""
    known = set(table.columns.values())
    others = [
        name for place, name in enumerate(table.names) if place not in known and _QUANTITY.search(name.casefold())
    ]
    if not others:
        return ()
    return (
        Message(
            "No column is known to be the volume: it is 0 in every bar. If one of {others} is, name it with 'columns', "
            "such as 'volume: NAME'.",
            others=first_of([shown_cell(name) for name in others], _NAMED),
        ),
    )


def _are_billionths(table: FileTable) -> bool:
    """Return whether every price is written as a whole number, as Databento writes billionths; `38000.0` is a price."""
    import polars as pl

    prices = [table.frame.to_series(table.columns[role]) for role in PRICES]
    return all(
        column.dtype.is_integer() or (column.dtype == pl.String and bool(column.str.contains(r"^-?\d+$").all()))
        for column in prices
    )
