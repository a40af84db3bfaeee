"""`csv`: bars from a text file with separated columns."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Literal, NamedTuple

from quantcrafter.engine.api import DataError, param
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.limits import MAX_CELLS, MAX_COLUMNS, MAX_LINE_BYTES
from quantcrafter.engine.data.providers.columns import (
    ColumnRole,
    find_actions,
    find_columns,
    guess_columns,
    positional_columns,
)
from quantcrafter.engine.data.providers.files import FileProvider, Table
from quantcrafter.engine.data.providers.text_file import read_head, read_whole

_HEAD_BYTES = 65_536
_PREAMBLE_LINES = 30
_SEPARATORS = (",", ";", "\t", "|")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PRICE_ROLES = {"open", "high", "low", "close"}


class Layout(NamedTuple):
    """How a file's lines are cut: the separator, the lines before the data, and the names of the columns."""

    separator: str
    data_line: int
    names: list[str]
    has_header: bool


class CsvProvider(FileProvider):
    """Bars from a CSV file; almost any layout is recognised, and every guess can be overridden.

    Columns are told by their names, in any case (time, or date and time; open, high, low, close; volume; symbol), or
    without a header by their order. An adjusted close is left aside. Separators are comma, semicolon, tab or bar.
    Rows in messages are lines of the file; the first line is 1. Files may be compressed by gzip (.gz).
    """

    name = "csv"

    separator: Literal["auto", ",", ";", "\t", "|"] = param("What separates columns.", default="auto")

    def _names_symbols(self, path: Path, subject: str) -> bool:
        layout = find_layout(_head(path, subject), self.separator, self.columns, subject)
        return "symbol" in self._roles(layout, subject)

    def _read(self, path: Path, subject: str) -> Table:
        import polars as pl

        layout = find_layout(_head(path, subject), self.separator, self.columns, subject)
        roles = self._roles(layout, subject)
        if self.action_roles():
            roles |= find_actions(layout.names, self.columns, self.action_roles(), subject)
        data = read_whole(path, subject)
        _check_cells(data, layout, subject)
        try:
            frame = pl.read_csv(
                _from_line(data, layout.data_line - layout.has_header),
                has_header=layout.has_header,
                infer_schema=False,
                separator=layout.separator,
                encoding="utf8-lossy",
            )
        except pl.exceptions.NoDataError:
            frame = pl.DataFrame(schema=dict.fromkeys(layout.names, pl.String))
        except (pl.exceptions.PolarsError, ValueError) as error:
            raise DataError(_ragged(data, layout, subject, error), field="path") from error
        frame.columns = [str(place) for place in range(frame.width)]
        rows = pl.Series("row", range(layout.data_line, layout.data_line + frame.height), dtype=pl.Int64)
        used = frame[[str(place) for place in sorted(set(roles.values()))]]
        filled = used.select(pl.any_horizontal(pl.all().is_not_null() & (pl.all() != ""))).to_series()
        if not filled.all():
            frame, rows = frame.filter(filled), rows.filter(filled)
        return Table(frame, rows, roles)

    def _roles(self, layout: Layout, subject: str) -> dict[ColumnRole, int]:
        if layout.has_header:
            return find_columns(layout.names, self.columns, subject)
        guessed = positional_columns(layout.names)
        if "date" not in guessed and guessed.keys() >= _PRICE_ROLES and not self.columns:
            return guessed
        names = [f"column {place}" for place in range(1, len(layout.names) + 1)]
        given = {**{role: place + 1 for role, place in guessed.items()}, **self.columns}
        return find_columns(names, given, subject)


def find_layout(head: str, separator: str, chosen: dict[ColumnRole, str | int], subject: str) -> Layout:
    """Return how the file is laid out, from its first lines; lines before the header are skipped.

    Raises:
        DataError: the file is empty, begins with blank lines only, is no table, or has too many columns.
    """
    lines = [line.rstrip("\r") for line in head.split("\n", _PREAMBLE_LINES)[:_PREAMBLE_LINES]]
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
    for separating in _SEPARATORS if separator == "auto" else (separator,):
        for number, line in enumerate(lines, 1):
            cells = _cells(line, separating)
            known = guess_columns(cells).keys() >= _PRICE_ROLES or (wanted and wanted <= set(cells))
            if len(cells) > 1 and known:
                return _checked(Layout(separating, number + 1, cells, has_header=True), subject)
    number, line = next((number, line) for number, line in enumerate(lines, 1) if line.strip())
    separating = max(_SEPARATORS, key=lambda sign: len(_cells(line, sign))) if separator == "auto" else separator
    cells = _cells(line, separating)
    if len(cells) == 1:  # what it says stays unsaid: it may be any text
        raise DataError(
            Message(
                "{subject}: the file is no table: its lines have no columns separated by comma, semicolon, tab or bar. "
                "Give a CSV file with times and prices.",
                subject=subject,
            ),
            field="path",
        )
    if any(any(sign.isdigit() for sign in cell) and not cell[:1].isalpha() for cell in cells):
        return _checked(Layout(separating, number, cells, has_header=False), subject)
    return _checked(Layout(separating, number + 1, cells, has_header=True), subject)


def _checked(layout: Layout, subject: str) -> Layout:
    if len(layout.names) > MAX_COLUMNS:
        raise DataError(
            Message(
                "{subject}: a table may have at most {max_columns:,} columns, this one has {count:,} or more. "
                "Keep those of times, prices and volume.",
                subject=subject,
                max_columns=MAX_COLUMNS,
                count=len(layout.names),
            ),
            field="path",
        )
    return layout


def _cells(line: str, separator: str) -> list[str]:
    try:
        row = next(csv.reader([line.replace("\r", " ")], delimiter=separator), [])
    except csv.Error:  # a cell of more than 128 KiB
        row = line.split(separator)
    return [cell.strip().strip("<>") for cell in row]


def _head(path: Path, subject: str) -> str:
    head = read_head(path, subject, _HEAD_BYTES)
    if len(head) == _HEAD_BYTES and b"\n" not in head and b"\r" not in head:  # a header of thousands of columns
        head = read_head(path, subject, MAX_LINE_BYTES)
    if head.startswith(_UTF16) or b"\x00" in head:
        raise DataError(
            Message("{subject}: the file is no text in UTF-8. Save it as CSV in UTF-8.", subject=subject), field="path"
        )
    return head.decode("utf-8-sig", errors="replace")


def _from_line(data: bytes, number: int) -> bytes:
    """Return the file from a line on, counted from 1."""
    start = 0
    for _ in range(number - 1):
        start = data.find(b"\n", start) + 1
    return data[start:] if start else data


def _check_cells(data: bytes, layout: Layout, subject: str) -> None:
    width = len(layout.names)
    cells = width * (data.count(b"\n") or data.count(b"\r"))
    if cells > MAX_CELLS:
        raise DataError(
            Message(
                "{subject}: a file may have at most {max_cells:,} cells, this one has about {cells:,} in {width:,} "
                "columns. Keep the columns of times and prices only.",
                subject=subject,
                max_cells=MAX_CELLS,
                cells=cells,
                width=width,
            ),
            field="path",
        )


def _ragged(data: bytes, layout: Layout, subject: str, error: Exception) -> str:
    """Return what is wrong with a file that cannot be cut into columns: the first line that has too many."""
    width = len(layout.names)
    for number, line in enumerate(io.TextIOWrapper(io.BytesIO(data), "utf-8", errors="replace", newline="\n"), 1):
        found = len(_cells(line, layout.separator)) if number >= layout.data_line else 0
        if found > width:
            return Message(
                "{subject}: rows must have {width} columns, row {number} has {found}. Correct the file.",
                subject=subject,
                width=width,
                number=number,
                found=found,
            )
    del error  # polars quotes what it cannot read
    return Message(
        "{subject}: the file cannot be read as CSV: its rows and quotes do not fit together. Correct the file.",
        subject=subject,
    )
