"""Alignment of one feed's columns to another feed: a bar counts only once it has closed."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from quantcrafter.engine.api import BoolColumn, FlagColumn, FloatColumn, TimeColumn

Column = TypeVar("Column", FloatColumn, BoolColumn, FlagColumn)


def as_of(source_close_ns: TimeColumn, target_close_ns: TimeColumn) -> TimeColumn:
    """Return for each target bar the index of the last source bar that has closed by then, or -1 if none has.

    Both columns are closing times in UTC ns, rising; a source bar that closes at the same time as the target bar counts
    as closed. The result has the target's shape.
    """
    return np.searchsorted(source_close_ns, target_close_ns, side="right").astype(np.int64) - 1


def align(column: Column, index: TimeColumn, fill: float | None = None) -> Column:
    """Return `column` picked by an index of `as_of`, with `fill` where the index is -1.

    `fill` defaults to NaN for float columns, False for conditions and 0 for flags: before the first bar has closed
    there is no value and no signal.
    """
    if fill is None:
        fill = np.nan if column.dtype.kind == "f" else 0
    if not len(column):
        return np.full(len(index), fill, dtype=column.dtype)
    picked = column[index]  # -1 picks the last one, which is overwritten
    picked[index < 0] = fill
    return picked
