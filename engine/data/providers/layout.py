"""The layout of a text file: its separator, the lines before its data, and headers of one to three lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.limits import MAX_COLUMNS
from quantcrafter.engine.data.providers.column_names import field_of, plain
from quantcrafter.engine.data.providers.column_roles import guess_columns

PREAMBLE_LINES = 30
SEPARATORS = (",", ";", "\t", "|")
PRICE_ROLES = {"open", "high", "low", "close"}
_OWNER_LABELS = {"ticker", "tickers", "symbol", "symbols"}
_SIDES = {"bid", "ask", "mid"}
"""Words before the names of columns that tell quotes of one symbol apart, and are no symbols."""
_NOTHING = {"null", "nan", "na", "none"}
_PAIR = re.compile(r"^\('(?P<one>[^']*)', '(?P<other>[^']*)'\)$")  # as pandas writes a flattened header
_JOINED = re.compile(r"[._ ]")


class Layout(NamedTuple):
    """The layout of a file: the separator, the lines before the data, and the names of the columns.

    In a table that has a column of prices for each of several symbols, `owners` has the symbol of each column, '' for
    those of times; else it is empty.
    """

    separator: str
    data_line: int
    names: list[str]
    has_header: bool
    owners: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    """The first rows of a table without header."""
    padded: bool = False
    """Whether rows end in separators that the header lacks; `names` has an empty one for each."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that the header names."""
        return tuple(dict.fromkeys(owner for owner in self.owners if owner))

    def of(self, symbol: str) -> Layout:
        """Return the layout with the names of other symbols' columns blanked out."""
        if not self.owners:
            return self
        kept = [name if owner in ("", symbol) else "" for name, owner in zip(self.names, self.owners, strict=True)]
        return self._replace(names=kept)


def find_layout(head: str, separator: str, chosen: Mapping[str, str | int], subject: str) -> Layout:
    """Return how the file is laid out, from its first lines; lines before the header are skipped.

    Raises:
        DataError: the file is empty, begins with blank lines only, is not a table, or has too many columns.
    """
    lines = [line.rstrip("\r") for line in head.split("\n", PREAMBLE_LINES)[:PREAMBLE_LINES]]
    if not any(line.strip() for line in lines):
        if not head:
            raise DataError(
                Message("{subject}: the file is empty. Give a file with bars.", subject=subject), field="path"
            )
        raise DataError(
            Message(
                "{subject}: the file has no row of data at its beginning, only blank lines. Give a file with bars.",
                subject=subject,
            ),
            field="path",
        )
    wanted = {name for name in chosen.values() if isinstance(name, str)}
    for separating in SEPARATORS if separator == "auto" else (separator,):
        for number, line in enumerate(lines, 1):
            cells = cells_of(line, separating)
            if len(cells) <= 1:
                continue
            following = [cells_of(text, separating) for text in lines[number : number + 2]]
            wide = _wide(separating, number, [cells, *following])
            if wide is not None:
                return _checked(wide, subject)
            if guess_columns(cells).keys() >= PRICE_ROLES or (wanted and wanted <= set(cells)):
                rows = [cells_of(text, separating) for text in lines[number:]]
                names = _as_wide(cells, rows)
                padded = len(names) > len(cells)
                return _checked(Layout(separating, number + 1, names, has_header=True, padded=padded), subject)
    return _checked(_without_known_header(lines, separator, subject), subject)


def _as_wide(names: list[str], rows: Sequence[list[str]]) -> list[str]:
    """Return names, with empty ones behind them where rows end in separators that the header lacks."""
    width = max((len(row) for row in rows), default=0)
    if width <= len(names) or any(any(row[len(names) :]) for row in rows):
        return names
    return [*names, *([""] * (width - len(names)))]


def _without_known_header(lines: list[str], separator: str, subject: str) -> Layout:
    separating = separator_of(lines) if separator == "auto" else separator
    widths = [len(cells_of(line, separating)) if line.strip() else 0 for line in lines]
    number = next(place for place, width in enumerate(widths, 1) if width and width >= max(widths) - 1)
    rows = [cells_of(line, separating) for line in lines[number - 1 :] if line.strip()]
    cells = rows[0]
    if len(cells) == 1:  # what it says stays unsaid: it may be any text
        raise DataError(
            Message(
                "{subject}: the file is not a table: its lines have no columns separated by comma, semicolon, "
                "tab or bar. Give a CSV file with times and prices.",
                subject=subject,
            ),
            field="path",
        )
    if any(any(sign.isdigit() for sign in cell) and not cell[:1].isalpha() for cell in cells):
        sample = tuple(tuple(row) for row in rows[:-1] or rows if len(row) == len(cells))
        return Layout(separating, number, cells, has_header=False, sample=sample)
    return Layout(separating, number + 1, cells, has_header=True)


def _wide(separator: str, number: int, rows: Sequence[list[str]]) -> Layout | None:
    """Return the layout of a header that names a symbol for each column, in a row of its own or in the names."""
    first = rows[0]
    for fields, owners in ((0, 1), (1, 0)):
        found = _two_rows(separator, number, rows, fields, owners)
        if found is not None:
            return found
    pairs = [_pair(name) for name in first]
    owned = {owner for _name, owner in pairs if owner}
    if not owned or len(owned) > len(first) // 4 or {owner.lower() for owner in owned} <= _SIDES:
        return None
    complete = all({field_of(plain(name)) for name, of in pairs if of == owner} >= PRICE_ROLES for owner in owned)
    names = [name for name, _owner in pairs]
    if not complete:
        return None
    if not any(_is_time(name) for name in names):
        names[0] = "date"
    return Layout(separator, number + 1, names, has_header=True, owners=tuple(owner for _name, owner in pairs))


def _two_rows(separator: str, number: int, rows: Sequence[list[str]], fields: int, owners: int) -> Layout | None:
    """Return the layout where one line has the names of the columns, and the line before or after it their symbols."""
    if len(rows) <= 1 or len(rows[0]) != len(rows[1]):
        return None
    names, symbols = list(rows[fields]), rows[owners]
    roles = [field_of(plain(name)) for name in names]
    priced = [place for place, role in enumerate(roles) if place and role is not None and not _is_time(names[place])]
    if not {roles[place] for place in priced} >= PRICE_ROLES or not all(symbols[place] for place in priced):
        return None
    if not _are_symbols({symbols[place] for place in priced}, labelled=plain(symbols[0]) in _OWNER_LABELS):
        return None
    third = rows[2] if len(rows) > 2 else []  # noqa: PLR2004 - two lines of names and one of the index
    named_index = len(third) == len(names) and third[0] and not any(third[1:]) and not third[0][0].isdigit()
    if named_index or not any(_is_time(name) for name in names):
        names[0] = third[0] if named_index and _is_time(third[0]) else "date"
    of = tuple(symbols[place] if place in priced else "" for place in range(len(names)))
    return Layout(separator, number + (3 if named_index else 2), names, has_header=True, owners=of)


def _are_symbols(texts: set[str], *, labelled: bool) -> bool:
    """Return whether texts below or above the names of columns are symbols, and no prices or names."""
    if labelled:
        return True
    return all(
        any(sign.isalpha() for sign in text) and plain(text) not in _NOTHING and field_of(plain(text)) is None
        for text in texts
    )


def _is_time(name: str) -> bool:
    return field_of(plain(name)) in ("time", "date")


def _pair(name: str) -> tuple[str, str]:
    """Return the field and the symbol of a name such as `('Close', 'AAPL')`, `AAPL.Close` or `Close_AAPL`."""
    pair = _PAIR.match(name)
    if pair is not None:
        return (pair["one"], pair["other"]) if field_of(plain(pair["one"])) else (pair["other"], pair["one"])
    if field_of(plain(name)) is not None:
        return name, ""
    for sign in _JOINED.finditer(name):
        before, after = name[: sign.start()], name[sign.end() :]
        if before and field_of(plain(after)) is not None:
            return after, before
        if after and field_of(plain(before)) is not None:
            return before, after
    return name, ""


def _checked(layout: Layout, subject: str) -> Layout:
    if len(layout.names) > MAX_COLUMNS:
        raise DataError(
            Message(
                "{subject}: a table can have at most {max_columns:,} columns, this one has {count:,} or more. "
                "Keep those of times, prices and volume.",
                subject=subject,
                max_columns=MAX_COLUMNS,
                count=len(layout.names),
            ),
            field="path",
        )
    return layout


def separator_of(lines: Sequence[str]) -> str:
    """Return the separator that cuts lines into the most cells; a comma only if no other one does as much."""
    return max(
        SEPARATORS, key=lambda sign: (max((len(cells_of(line, sign)) for line in lines), default=0), sign != ",")
    )


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of one line."""
    try:
        row = next(csv.reader([line.replace("\r", " ")], delimiter=separator), [])
    except csv.Error:  # a cell of more than 128 KiB
        row = line.split(separator)
    return [cell.strip().strip("<>") for cell in row]
