"""The bars in the store's files, and the merging of two sets of bars.

A series is two .npy files: `times` (2 rows: open and close, int64 UTC ns) and `values` (float64: open, high, low,
close, volume, and further columns, whose names the index has). Each row is one column of bars, so that a column is one
stretch of the file.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from quantcrafter.engine.api import BAR_COLUMNS, Bars, BoolColumn, DataError, FloatColumn
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.npy import map_npy
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path

_PARTS = ("times", "values")

Block = np.ndarray[tuple[int, int], np.dtype[Any]]


class Overlap(StrEnum):
    """Which bar is kept if a new one and a stored one overlap in time."""

    REPLACE = "replace"
    KEEP = "keep"


class BarColumns(NamedTuple):
    """Times, shape (2, n), and values, shape (5 + k, n), of bars that rise in time and never overlap.

    The first five values are prices and volume, the other k the further columns of these names; NaN is a missing value.
    """

    times: Block
    values: Block
    names: tuple[str, ...] = ()

    @property
    def bars(self) -> int:
        """How many bars there are."""
        return int(self.times.shape[1])

    def take(self, where: Any) -> BarColumns:
        """Return the bars at these positions (an index, a mask or a slice)."""
        return BarColumns(self.times[:, where], self.values[:, where], self.names)

    @property
    def further(self) -> dict[str, FloatColumn]:
        """The further columns by name."""
        return dict(zip(self.names, self.values[len(BAR_COLUMNS) :], strict=True))


def columns_of(bars: Bars) -> BarColumns:
    """Return bars as the files hold them."""
    times = np.stack((bars.open_ns, bars.close_ns))
    names = tuple(bars.extra)
    return BarColumns(times, np.stack([bars.column(name) for name in (*BAR_COLUMNS, *names)]), names)


def with_columns_of(bars: Bars, others: Bars) -> Bars:
    """Return bars with the further columns of others as well, for bars of the same times; NaN elsewhere."""
    wide = _widened(columns_of(bars), tuple(dict.fromkeys((*bars.extra, *others.extra))), columns_of(others))
    return replace(bars, extra=wide.further)


def merge(stored: BarColumns, new: BarColumns, overlap: Overlap) -> tuple[BarColumns, int, int]:
    """Return stored and new bars as one, how many new ones came in, and how many stored ones they took the place of.

    Bars overlap when one opens before the other has closed. Of such bars the new one stays, or with `Overlap.KEEP` the
    stored one; all others stay. So the result never overlaps either. It has the further columns of both: a column that
    one of them lacks has the other's values in bars of the same times, NaN elsewhere.
    """
    names = tuple(dict.fromkeys((*stored.names, *new.names)))
    stored, new = _widened(stored, names, new), _widened(new, names, stored)
    kept = stored
    if overlap is Overlap.KEEP:
        new = new.take(~_touched(new, stored))
    else:
        kept = stored.take(~_touched(stored, new))
    replaced = stored.bars - kept.bars
    times = np.concatenate((kept.times, new.times), axis=1)
    values = np.concatenate((kept.values, new.values), axis=1)
    made = BarColumns(times, values, names)
    if kept.bars and new.bars and new.times[0, 0] < kept.times[0, -1]:
        made = made.take(np.argsort(times[0], kind="stable"))
    return made, new.bars, replaced


def _widened(columns: BarColumns, names: tuple[str, ...], others: BarColumns) -> BarColumns:
    """Return bars with all these further columns; one that they lack is that of other bars of the same times."""
    if columns.names == names:
        return columns
    place = np.minimum(np.searchsorted(others.times[0], columns.times[0]), max(others.bars - 1, 0))
    same = (others.times[:, place] == columns.times).all(axis=0) if others.bars else np.zeros(columns.bars, np.bool_)
    own, there = columns.further, others.further
    missing = np.full(columns.bars, np.nan)
    rows = [
        own[name] if name in own else np.where(same, there[name][place], np.nan) if others.bars else missing
        for name in names
    ]
    return BarColumns(columns.times, np.concatenate((columns.values[: len(BAR_COLUMNS)], np.stack(rows))), names)


def _touched(bars: BarColumns, others: BarColumns) -> BoolColumn:
    """Return which bars overlap one of the others."""
    if not others.bars:
        return np.zeros(bars.bars, dtype=np.bool_)
    first = np.searchsorted(others.times[1], bars.times[0], side="right")  # the first that closes after the bar opens
    inside = np.minimum(first, others.bars - 1)
    touched: BoolColumn = (first < others.bars) & (others.times[0][inside] < bars.times[1])
    return touched


def paths_of(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the two files of a series."""
    return folder / f"{name}.times.npy", folder / f"{name}.values.npy"


def write(folder: Path, name: str, columns: BarColumns) -> int:
    """Write a series to two new files, safe on the disk when this returns; return their size in bytes.

    Raises:
        FileExistsError: the name is taken.
        OSError: they cannot be written; nothing is left then.
    """
    paths = paths_of(folder, name)
    try:
        for path, block in zip(paths, (columns.times, columns.values), strict=True):
            with path.open("xb") as file:
                np.save(file, np.ascontiguousarray(block), allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
        _sync_folder(folder)
    except FileExistsError:
        raise
    except BaseException:
        remove(folder, name)
        raise
    return sum(path.stat().st_size for path in paths)


def read(folder: Path, name: str, count: int, names: tuple[str, ...]) -> BarColumns:
    """Return the series of two files, mapped into memory: nothing is read before it is used.

    `names` are those of its further columns.

    The mapping is copy-on-write, so that compiled code sees the same kind of array as elsewhere.

    Raises:
        FileNotFoundError: they are gone.
        DataError: they are damaged.
    """
    blocks = []
    heights = (2, len(BAR_COLUMNS) + len(names))
    for path, rows, dtype in zip(paths_of(folder, name), heights, (np.int64, np.float64), strict=True):
        try:
            block = map_npy(path, "c")
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            cause = fault(error, "read").cause
            text = Message(
                "The bars in '{path}' can't be read: {cause}. Delete the series and import it again.",
                path=shown_path(path),
                cause=cause,
            )
            raise DataError(text) from error
        if block.shape != (rows, count) or block.dtype != dtype:
            raise DataError(
                Message(
                    "'{path}' must hold {rows} columns of {count:,} bars, it has {dtype} of shape {shape}. "
                    "Delete the series and import it again.",
                    path=path,
                    rows=rows,
                    count=count,
                    dtype=block.dtype,
                    shape=block.shape,
                )
            )
        blocks.append(block)
    times, values = blocks
    return BarColumns(times, values, names)


def remove(folder: Path, name: str) -> None:
    """Remove the files of a series; on Windows, files that another process is reading stay until the next cleanup."""
    for path in paths_of(folder, name):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def names_in(folder: Path) -> dict[str, float]:
    """Return the names of all series that have files, with the time of their last change."""
    found: dict[str, float] = {}
    with suppress(OSError):
        for entry in os.scandir(folder):
            name, _, part = entry.name.removesuffix(".npy").rpartition(".")
            if part in _PARTS and entry.name.endswith(".npy"):
                with suppress(OSError):
                    found[name] = max(found.get(name, 0.0), entry.stat().st_mtime)
    return found


def _sync_folder(folder: Path) -> None:
    """Make the names of new files as safe as their content, where the system has a way to."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
