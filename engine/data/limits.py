"""Limits that protect against malicious data files; docs/data.md lists them for users.

Ten million one-minute bars fit: some 600 MB as CSV. Who has more can raise the size and the rows together by the
environment variable QUANTCRAFTER_DATA_LIMIT, a factor such as 4.
"""

from __future__ import annotations

import os

from quantcrafter.engine.api.message import Message

VARIABLE = "QUANTCRAFTER_DATA_LIMIT"

_FILE_BYTES = 1 << 30
_ROWS = 12_000_000
_HIGHEST_FACTOR = 1000.0

MAX_COLUMNS = 10_000
"""Columns of a table."""

MAX_LINE_BYTES = 1 << 20
"""Length of a line of text, and of a quoted cell that has several."""

MAX_CELL_BYTES = 4_096
"""Length of a cell that is read: a time, a symbol or a number."""

MAX_RATIO = 200
"""How many times its size a packed file may unpack to, once that is more than RATIO_FREE_BYTES."""

RATIO_FREE_BYTES = 64 << 20

MAX_MEMBERS = 100_000
"""Parts that a .gz file may be put together of."""

MAX_EQUAL_LINES = 100_000
"""The same line, that many times in a row, is not a table of bars."""

MAX_BLANK_LINES = 2_000_000
"""Lines of nothing but separators in a row: a spreadsheet writes a million of them behind its table."""

MAX_BLANK_BYTES = 32 << 20
"""And all of them together."""

MAX_CELLS = 100_000_000
"""Rows times columns of a text file."""

MAX_FOOTER_BYTES = 16 << 20
"""Size of a Parquet file's description of itself."""


def max_file_bytes() -> int:
    """Return how large a data file may be, unpacked where it is packed."""
    return round(_FILE_BYTES * _factor())


def max_rows() -> int:
    """Return how many rows a data file may have."""
    return round(_ROWS * _factor())


def raise_it() -> str:
    """Return the remedy for a file of the user's own that is too large."""
    return Message(
        "Split it into several files, or, if you trust it and have enough memory, set {variable}={factor:g}.",
        variable=VARIABLE,
        factor=_factor() * 4,
    )


def _factor() -> float:
    """Return by what the limits are raised; 1 where the variable says nothing that makes sense."""
    try:
        factor = float(os.environ.get(VARIABLE, "1"))
    except ValueError:
        return 1.0
    return min(factor, _HIGHEST_FACTOR) if factor > 0.0 else 1.0
