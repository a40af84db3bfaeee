"""Writing of tables as CSV: texts that a spreadsheet could interpret as formulas are marked as text.

A symbol such as `=cmd|'/c calc'!A1` comes from data, and a spreadsheet that opens the table would execute it. As OWASP
advises ("CSV Injection"), a single quote is inserted before it. Numbers are not changed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable

_END = "\r\n"
_STARTS = (
    "'",
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # the last four: full width

MARKED = r"^'(['=+\-@\t\r\n\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}])"
"""A pattern for texts that were marked in this way. To read the original text, replace the match by its first group
(Rust's syntax).
"""


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]], separator: str = ",") -> str:
    """Return a table as separated values, its lines ended by a line feed."""
    out = _Lines()
    writer = csv.writer(out, delimiter=separator, lineterminator=_END)
    writer.writerow([safe_cell(name) for name in header])
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return "".join(out.lines)


class _Lines:
    """Gathers lines. The writer puts a cell with a carriage return in quotes only where that ends lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        """Take one line."""
        self.lines.append(f"{line.removesuffix(_END)}\n")


def safe_cell(value: object) -> object:
    """Return a cell's value in a form that no spreadsheet interprets as a formula."""
    return safe_text(value) if isinstance(value, str) else value


def safe_text(text: str) -> str:
    """Return a text in a form that no spreadsheet interprets as a formula."""
    return f"'{text}" if text.startswith(_STARTS) else text
