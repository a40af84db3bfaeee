"""Lines for many readers: read once from their source, kept in a ring, and sent at the pace of each reader.

1. A thread looks at the sources that have readers, every 50 ms, and puts new lines into their rings.
2. Each reader has a place in the ring. One that is too slow finds its lines gone: it is told how many, and goes on with
   the oldest that there are. Nobody waits for a reader, neither the workers nor the others.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

log = logging.getLogger("quantcrafter.api")

TAIL = 100
"""How many lines of the past a reader gets."""
_LOOK_S = 0.05
_MOST_LINES = 8_000
_MOST_CHARACTERS = 4_000_000
_AT_ONCE = 500


class LineSource(Protocol):
    """Where lines come from; the first call of `lines` gives those of the past."""

    def lines(self) -> list[str]:
        """Return the lines that are new, without waiting."""
        ...

    def close(self) -> None:
        """Close what it has open."""
        ...


class LineRing:
    """The last lines of a source, numbered from 0. Every method can be called in any thread.

    Args:
        most_lines: how many lines it has at most.
        most_characters: how many characters they have together at most.
    """

    def __init__(self, *, most_lines: int = _MOST_LINES, most_characters: int = _MOST_CHARACTERS) -> None:
        self._lines: deque[str] = deque()
        self._first, self._size = 0, 0
        self._most_lines, self._most_characters = most_lines, most_characters
        self._lock = threading.Lock()

    @property
    def next(self) -> int:
        """The number of the line that comes next."""
        with self._lock:
            return self._first + len(self._lines)

    def add(self, lines: list[str]) -> None:
        """Add lines; the oldest make room."""
        with self._lock:
            self._lines.extend(lines)
            self._size += sum(map(len, lines))
            while len(self._lines) > self._most_lines or (self._size > self._most_characters and len(self._lines) > 1):
                self._size -= len(self._lines.popleft())
                self._first += 1

    def read(self, place: int) -> tuple[int, list[str]]:
        """Return how many lines after a place are gone, and some that follow."""
        with self._lock:
            start = max(0, place - self._first)
            return max(0, self._first - place), list(itertools.islice(self._lines, start, start + _AT_ONCE))


@dataclass(eq=False)
class _Channel:
    source: LineSource
    ring: LineRing = field(default_factory=LineRing)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    readers: int = 0
    is_ready: bool = False

    def wake(self) -> None:
        self.is_ready = True
        self.woken.set()
        self.woken = asyncio.Event()


class LineHub:
    """Gives lines of sources to readers; all but the thread that reads them is called in one event loop.

    Args:
        open_source: opens the source of a key.
        ring: makes the ring of a source.
    """

    def __init__(
        self, open_source: Callable[[Hashable], LineSource], *, ring: Callable[[], LineRing] = LineRing
    ) -> None:
        self._open, self._ring = open_source, ring
        self._channels: dict[Hashable, _Channel] = {}
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    async def follow(self, key: Hashable, *, tail: int = TAIL) -> AsyncGenerator[tuple[int, list[str]]]:
        """Yield the last lines of a source, then new ones, each time with how many were skipped before them."""
        with self._reader(key) as channel:
            while not channel.is_ready:
                await channel.woken.wait()
            place = max(0, channel.ring.next - tail)
            place += channel.ring.read(place)[0]
            while True:
                woken = channel.woken
                skipped, lines = channel.ring.read(place)
                if lines:
                    place += skipped + len(lines)
                    yield skipped, lines
                else:
                    await woken.wait()

    def close(self) -> None:
        """End the thread, and close the sources."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join()
        for each in self._channels.values():
            each.source.close()
        self._channels.clear()

    @contextmanager
    def _reader(self, key: Hashable) -> Iterator[_Channel]:
        channel = self._channels.get(key)
        if channel is None:
            channel = _Channel(self._open(key), self._ring())
            with self._lock:
                self._channels[key] = channel
        channel.readers += 1
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._look, args=(loop,), name="line-hub", daemon=True)
            self._thread.start()
        try:
            yield channel
        finally:
            channel.readers -= 1
            if not channel.readers and self._channels.get(key) is channel:
                with self._lock:
                    del self._channels[key]
                    channel.source.close()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._ends.is_set():
            begin_s = time.monotonic()
            with self._lock:
                channels = list(self._channels.values())
            for each in channels:
                self._take(each, loop)
            self._ends.wait(max(0.005, _LOOK_S - (time.monotonic() - begin_s)))

    def _take(self, channel: _Channel, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if channel not in self._channels.values():
                return  # its last reader has gone
            try:
                lines = channel.source.lines()
            except Exception:
                log.exception("The lines of a stream can't be read.")
                lines = []
        if lines:
            channel.ring.add(lines)
        if lines or not channel.is_ready:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(channel.wake)
