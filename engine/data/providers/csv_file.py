"""`csv`: bars from a text file with separated columns."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from quantcrafter.engine.api import DataError, param
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.limits import MAX_CELLS, MAX_LINE_BYTES
from quantcrafter.engine.data.providers.archives import names_of_table
from quantcrafter.engine.data.providers.column_names import dress_of
from quantcrafter.engine.data.providers.column_roles import (
    ColumnRole,
    find_actions,
    find_columns,
    guess_columns,
    volume_choices,
)
from quantcrafter.engine.data.providers.encodings import HEAD_BYTES, Encoding
from quantcrafter.engine.data.providers.files import FileProvider, find_file
from quantcrafter.engine.data.providers.glance import GLANCE_LINES, Glance, glance_at, with_chosen
from quantcrafter.engine.data.providers.layout import PRICE_ROLES, Layout, cells_of, find_layout, separator_of
from quantcrafter.engine.data.providers.numbers import Style
from quantcrafter.engine.data.providers.positions import positional_columns
from quantcrafter.engine.data.providers.table import FileTable, no_such_symbol, taken_as, without_remarks
from quantcrafter.engine.data.providers.text_file import Wrapping, open_data, read_head, read_whole


class CsvProvider(FileProvider):
    """Bars from a CSV file; almost any layout is recognised, and every guess can be overridden.

    Columns are recognized by name, in any case (time, or date and time; open, high, low, close; volume; symbol), or
    without a header by their order. An adjusted close is ignored. Separators are comma, semicolon, tab or bar. Rows in
    messages are lines of the file; the first line is 1. Files may be compressed by gzip (.gz).
    """

    name = "csv"

    separator: Literal["auto", ",", ";", "\t", "|"] = param("What separates columns.", default="auto")
    decimal: Literal["auto", ".", ","] = param(
        "The decimal sign of numbers; the other one of both may then separate thousands.", default="auto"
    )
    encoding: Encoding = param("How the text is encoded, where its bytes don't show it.", default="auto")
    member: str | None = param("Which file of a .zip archive to read, where it has several.", default=None)

    def _names_symbols(self, path: Path, subject: str) -> bool:
        layout = self._layout(path, subject)
        return bool(layout.owners) or "symbol" in self._roles(layout, subject)

    def _depends_on_symbol(self, path: Path, subject: str) -> bool:
        return bool(self._layout(path, subject).owners)

    def known_symbols(self, base_dir: str = "") -> tuple[str, ...]:
        layout = self._layout(find_file(self.path, base_dir), shown_path(self.path))
        return tuple(sorted(layout.symbols)) if layout.owners else super().known_symbols(base_dir)

    def names_of_bars(self, base_dir: str = "") -> tuple[str, ...]:
        path, subject = find_file(self.path, base_dir), shown_path(self.path)
        if not path.name.lower().endswith(".zip"):
            return (self.path,)
        with open_data(path, subject) as file:
            table, alone = names_of_table(file, subject, self.member)
        return (table, self.path) if alone else (table,)

    def glance(self, base_dir: str = "") -> Glance:
        subject = shown_path(self.path)
        head = _head(find_file(self.path, base_dir), subject, self._wrapping)
        lines = [line.rstrip("\r") for line in head.split("\n", GLANCE_LINES)[:GLANCE_LINES]]
        roles: dict[ColumnRole, int] = {}
        names: Sequence[str] = ()
        try:
            layout = find_layout(head, self.separator, self.columns, subject)
            separator, names = layout.separator, layout.names if layout.has_header else ()
            roles = guess_columns(names) if layout.has_header else positional_columns(layout.sample).roles
        except DataError:
            separator = separator_of(lines) if self.separator == "auto" else self.separator
        shown = [cells_of(line, separator) for line in lines]
        return glance_at(shown, with_chosen(roles, names, self.columns), names)

    def _layout(self, path: Path, subject: str) -> Layout:
        return find_layout(self._head(path, subject), self.separator, self.columns, subject)

    def _head(self, path: Path, subject: str) -> str:
        """Return the beginning of the file."""
        return _head(path, subject, self._wrapping)

    def _content(self, path: Path, subject: str) -> bytes:
        """Return all of the file, in UTF-8."""
        return read_whole(path, subject, self._wrapping)

    @property
    def _wrapping(self) -> Wrapping:
        return Wrapping(self.encoding, self.member)

    def _read(self, path: Path, subject: str, symbol: str = "", spread: str = "") -> FileTable:  # noqa: ARG002 - all are read
        import polars as pl

        layout = self._layout(path, subject)
        layout, notes = _of_symbol(layout, symbol, subject)
        if not layout.has_header and not self.columns and (told := positional_columns(layout.sample).note):
            notes = (*notes, told)
        roles = self._roles(layout, subject)
        if self.action_roles():
            roles |= find_actions(layout.names, self.columns, self.action_roles(), subject)
        data = self._content(path, subject)
        _check_cells(data, layout, subject)
        try:
            frame = pl.read_csv(
                _rows_of(data, layout),
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
        volumes = () if "volume" in self.columns else tuple(volume_choices(layout.names)) if layout.has_header else ()
        style = Style(layout.separator, dress_of(layout.names) if layout.has_header else None, self.decimal)
        table = FileTable(
            frame,
            rows,
            roles,
            names=tuple(layout.names) if layout.has_header else (),
            volumes=volumes,
            style=style,
            notes=notes,
        )
        return without_remarks(table)

    def _roles(self, layout: Layout, subject: str) -> dict[ColumnRole, int]:
        if layout.has_header:
            return find_columns(layout.names, self.columns, subject)
        guessed = positional_columns(layout.sample).roles
        if "date" not in guessed and guessed.keys() >= PRICE_ROLES and not self.columns:
            return guessed
        names = [f"column {place}" for place in range(1, len(layout.names) + 1)]
        given: dict[str, str | int] = {**{role: place + 1 for role, place in guessed.items()}, **self.columns}
        return find_columns(names, given, subject)


def _of_symbol(layout: Layout, symbol: str, subject: str) -> tuple[Layout, tuple[str, ...]]:
    """Return the layout with the columns of one symbol, where each column has its own."""
    there = layout.symbols
    if not there:
        return layout, ()
    mine = next((name for name in there if name == symbol), None)
    mine = mine or next((name for name in there if name.lower() == symbol.lower()), None)
    if mine is not None:
        return layout.of(mine), ()
    if len(there) > 1:
        raise no_such_symbol(symbol, there, subject)
    return layout.of(there[0]), taken_as(there[0], symbol)


def _head(path: Path, subject: str, wrapping: Wrapping) -> str:
    head = read_head(path, subject, HEAD_BYTES, wrapping)
    if len(head) == HEAD_BYTES and b"\n" not in head:  # a header of thousands of columns
        head = read_head(path, subject, MAX_LINE_BYTES, wrapping)
    if b"\x00" in head:
        raise DataError(
            Message(
                "{subject}: the file is not UTF-8 text: it has zero bytes. Save it as CSV in UTF-8, or set 'encoding'.",
                subject=subject,
            ),
            field="path",
        )
    return head.decode("utf-8-sig", errors="replace")


def _rows_of(data: bytes, layout: Layout) -> bytes:
    """Return the file from its header on; a header that rows are wider than is replaced by one of their width."""
    if not layout.padded:
        return _from_line(data, layout.data_line - layout.has_header)
    header = layout.separator.join(str(place) for place in range(len(layout.names)))
    return header.encode() + b"\n" + _from_line(data, layout.data_line)


def _from_line(data: bytes, number: int) -> bytes:
    """Return the file from a line on, counted from 1."""
    start = 0
    for _ in range(number - 1):
        start = data.find(b"\n", start) + 1
    return data[start:] if start else data


def _check_cells(data: bytes, layout: Layout, subject: str) -> None:
    width = len(layout.names)
    cells = width * data.count(b"\n")
    if cells > MAX_CELLS:
        raise DataError(
            Message(
                "{subject}: a file can have at most {max_cells:,} cells, this one has about {cells:,} in "
                "{width:,} columns. Keep the columns of times and prices only.",
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
        found = len(cells_of(line, layout.separator)) if number >= layout.data_line else 0
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
        "{subject}: the file can't be read as CSV: its rows and quotes don't fit together. Correct the file.",
        subject=subject,
    )
