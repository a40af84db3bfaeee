"""RunLog: the latest lines of a strategy's runs, in a ring of bounded size. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from quantcrafter.engine.runtime.compute_process.jobs import LogLine

CAPACITY = 100_000


class LogEntry(NamedTuple):
    """A line, and the number of the run that it belongs to."""

    run: int
    line: LogLine


class RunLog:
    """Holds lines in order; each has a number that never changes, from `first` to just below `end`.

    Args:
        capacity: how many lines to hold; the oldest go first.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.titles: dict[int, str] = {}
        """What runs are called, by their numbers."""
        self._capacity = capacity
        self._entries: list[LogEntry] = []
        self._dropped = 0
        self._skip = 0
        self._listeners: list[Callable[[], None]] = []

    @property
    def first(self) -> int:
        """The number of the oldest line that is held."""
        return self._dropped + self._skip

    @property
    def end(self) -> int:
        """The number that the next line gets."""
        return self._dropped + len(self._entries)

    def __len__(self) -> int:
        return len(self._entries) - self._skip

    def __getitem__(self, number: int) -> LogEntry:
        return self._entries[number - self._dropped]

    def begin(self, run: int, title: str) -> None:
        """Note what a run is called."""
        self.titles[run] = title
        self._notify()

    def add(self, run: int, lines: Iterable[LogLine]) -> None:
        """Add lines of a run."""
        self._entries.extend(LogEntry(run, line) for line in lines)
        self._skip = max(self._skip, len(self._entries) - self._capacity)
        if self._skip > self._capacity:  # rarely, so that adding stays cheap
            del self._entries[: self._skip]
            self._dropped += self._skip
            self._skip = 0
        self._notify()

    def clear(self) -> None:
        """Forget every line."""
        self._dropped += len(self._entries)
        self._entries.clear()
        self._skip = 0
        self.titles.clear()
        self._notify()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change; return the function that ends that."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def _notify(self) -> None:
        for listener in tuple(self._listeners):
            listener()
