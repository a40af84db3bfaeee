"""Memory of finished runs, kept for the next ones.

Memory that is fresh from the operating system is cleared page by page when it is first written to. For a run over many
bars that took a third of the time. Here an array goes back by itself when nothing refers to it any more, and the next
run gets it as it was left.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.uint8]

LEAST_BYTES = 1 << 16
"""Smaller arrays are not kept: the C library does that itself."""


LARGEST_BYTES = 30 << 20
"""What the C library should keep without giving it back to the operating system at once."""


class BufferPool:
    """Arrays that are used again, of any types, for all threads of a process.

    Args:
        limit: how many bytes at most are kept for later. The array unused for longest goes first.
        make: makes a new array of a length and a type: `np.empty`, or `np.zeros` where bytes that nobody writes are
            compared.
    """

    def __init__(self, limit: int, make: Callable[..., npt.NDArray[Any]] = np.empty) -> None:
        self._limit = limit
        self._make = make
        self._lock = Lock()
        self._idle: list[Block] = []
        # What is given back, in the middle of anything: a garbage collection may do so within `take`.
        self._returned: deque[Block] = deque()

    @property
    def idle_bytes(self) -> int:
        """How much memory waits to be used again."""
        return sum(block.nbytes for block in (*self._idle, *self._returned))

    def take(self, count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array of shape (count,) with any content. Its memory is free once it and its views are gone."""
        kind = np.dtype(dtype)
        size = rounded_size(count * kind.itemsize)
        if size < LEAST_BYTES:
            return self._make(count, kind)
        with self._lock:
            self._take_back()
            place = next((k for k in reversed(range(len(self._idle))) if self._idle[k].nbytes == size), None)
            block = self._fresh(size) if place is None else self._idle.pop(place)
        # Views of an array that owns its memory refer to that one: behind a memoryview, they refer to this array.
        array: npt.NDArray[Any] = np.frombuffer(block.data, kind, count)
        weakref.finalize(array, self._give, block).atexit = False
        return array

    def _fresh(self, size: int) -> Block:
        keep_freed_memory()
        block: Block = self._make(size, np.uint8)
        return block

    def _give(self, block: Block) -> None:
        if block.nbytes > self._limit:
            return
        self._returned.append(block)
        if self._lock.acquire(blocking=False):
            try:
                self._take_back()
            finally:
                self._lock.release()

    def _take_back(self) -> None:
        while self._returned:
            self._idle.append(self._returned.popleft())
        while sum(block.nbytes for block in self._idle) > self._limit:
            self._idle.pop(0)


@cache
def keep_freed_memory() -> None:
    """Have the C library keep what is freed, too: columns that others make are not made here.

    glibc gives freed memory of more than twice the size of the largest array that was freed so far, of up to 32 MB,
    back to the operating system. Elsewhere this does nothing.
    """
    np.empty(LARGEST_BYTES, np.uint8)


def rounded_size(size: int) -> int:
    """Return a number of bytes that is at most a quarter larger, so that runs of similar length use the same memory."""
    step = 1 << max(size.bit_length() - 3, 0)
    return -(-size // step) * step


COLUMNS = BufferPool(256 << 20)
"""What a run reads and writes: joined columns, equity, rows of the books. Most runs touch a part of it only."""

PORTFOLIOS = BufferPool(256 << 20, np.zeros)
"""Portfolios with their tables; what of a row is padding remains zero."""
