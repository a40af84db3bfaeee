"""Pages of rows that a simulation has written: they are contiguous, so that all of them are one array."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from quantcrafter.engine.simulation.buffers import COLUMNS
from quantcrafter.engine.simulation.records import Table


class Room:
    """Memory for the pages of one table. Its contents are never changed.

    It starts with `rows` and doubles when it is full; unused parts take no memory.
    """

    def __init__(self, dtype: np.dtype[Any], rows: int) -> None:
        self._rows: Table = np.empty(0, dtype)
        self._used, self._most = 0, rows

    def put(self, rows: Table) -> Table:
        """Return a copy of rows, directly after the last one if there is room."""
        if not len(rows):
            return self._rows[:0]
        if self._used + len(rows) > len(self._rows):
            self._rows = COLUMNS.take(max(len(rows), self._most), rows.dtype)
            self._used = 0
        page = self._rows[self._used : self._used + len(rows)]
        page[:] = rows
        self._used += len(rows)
        self._most = max(self._most, 2 * self._used)
        return page


def joined_pages(pages: list[Table], dtype: np.dtype[Any]) -> Table:
    """Return the rows of all pages in order: not copied if the pages are contiguous."""
    pages = [page for page in pages if len(page)]
    if not pages:
        return np.empty(0, dtype)
    if len(pages) == 1:
        return pages[0].view(dtype)
    parts, first, end = [], 0, None
    for k, page in enumerate(pages):
        if k and (page.base is None or page.base is not pages[first].base or _start(page) != end):
            parts.append(_stretch(pages[first:k]))
            first = k
        end = _start(page) + page.nbytes
    parts.append(_stretch(pages[first:]))
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)).view(dtype)


def _start(page: Table) -> int:
    return int(page.__array_interface__["data"][0])


def _stretch(pages: list[Table]) -> Table:
    """Return contiguous pages as one array."""
    room = pages[0].base
    if room is None or len(pages) == 1:
        return pages[0]
    start = (_start(pages[0]) - _start(room)) // pages[0].itemsize
    return room[start : start + sum(map(len, pages))]


def whole_rows(table: Table) -> Table:
    """Return a view of rows as plain bytes: numpy copies those at once, and records field by field, without gaps."""
    return table.view(_plain(table.dtype.itemsize))


@cache
def _plain(size: int) -> np.dtype[np.void]:
    return np.dtype((np.void, size))
