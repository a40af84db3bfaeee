"""Columns on a clock of a running strategy: numbers, prices, and columns of another clock, as far as it has come."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from quantcrafter.engine.api import (
    BAR_COLUMNS,
    Bars,
    Signals,
    TimeColumn,
)
from quantcrafter.engine.data.align import align, as_of
from quantcrafter.engine.graph.column_cache import parts_of
from quantcrafter.engine.graph.evaluate import Column
from quantcrafter.engine.graph.history import BarHistory, Growing


class Clock:
    """A history as far as one strategy has come in it."""

    def __init__(self, history: BarHistory, count: int) -> None:
        self.history = history
        self.count = count
        self.bars = history.bars(count)

    def move(self, count: int) -> None:
        """Go on to so many bars."""
        if count != self.count:
            self.count = count
            self.bars = self.history.bars(count)


class Feeder(Protocol):
    """Brings a source's column on one clock, as far as that has come."""

    def column(self) -> Any:
        """Return the column: an array, `Signals` or `Bars`."""
        ...

    def ready(self) -> int:
        """Return the first bar at which it is complete; past the newest one if it isn't yet."""
        ...

    @property
    def key(self) -> Hashable:
        """What tells the column from all others of this process."""
        ...


def key_of(wires: Feeder | tuple[Feeder, ...]) -> Hashable:
    """Return what tells the columns of a port from all others."""
    return tuple(each.key for each in wires) if isinstance(wires, tuple) else wires.key


class ConstantColumn:
    """A number in place of a wire, as a column."""

    def __init__(self, value: float, clock: Clock) -> None:
        self.key: Hashable = value
        self._value, self._clock = value, clock
        self._grown = Growing(np.full(clock.count, value, np.float64))

    def column(self) -> Column:
        while len(self._grown) < self._clock.count:
            self._grown.append(self._value)
        return self._grown.view(self._clock.count)

    def ready(self) -> int:
        return 0


class MarketFeeder:
    """A column of bars, or the bars."""

    def __init__(self, clock: Clock, column: str) -> None:
        self.key: Hashable = (clock.history, column)
        self._clock, self._name = clock, column

    def column(self) -> Any:
        return self._clock.bars.column(self._name) if self._name else self._clock.bars

    def ready(self) -> int:
        return 0


class AlignedColumn:
    """A column of another clock: at each bar the value of that clock's last bar that had closed by then."""

    def __init__(self, source: Feeder, own: Clock, to: Clock) -> None:
        self.key: Hashable = (source.key, to.history)
        self._source, self._own, self._to = source, own, to
        self._index = Growing(np.empty(0, np.int64))
        self._parts: list[Growing] = []
        self._whole: Any = None
        self._ready: int | None = None

    def column(self) -> Any:
        count, done = self._to.count, len(self._index)
        if count > done:
            self._extend(done, count)
        elif self._whole is not None and len(self._parts[0]) == count:
            return self._whole
        self._whole = _put_together(self._source.column(), [part.view(count) for part in self._parts])
        return self._whole

    def _extend(self, done: int, count: int) -> None:
        index = as_of(self._own.bars.close_ns, self._to.bars.close_ns[done:count])
        self._index.extend(index)
        parts = _aligned_parts(self._source.column(), index)
        if not self._parts:
            self._parts = [Growing(part) for part in parts]
        else:
            for grown, part in zip(self._parts, parts, strict=True):
                grown.extend(part)

    def ready(self) -> int:
        if self._ready is None:
            self.column()
            complete = np.flatnonzero(self._index.view(self._to.count) >= self._source.ready())
            if not len(complete):
                return self._to.count
            self._ready = int(complete[0])
        return self._ready


def _aligned_parts(column: Any, index: TimeColumn) -> list[Column]:
    if not isinstance(column, Bars):
        return [align(part, index) for part in parts_of(column)]
    if not len(column):
        times = [np.zeros(len(index), np.int64)] * 2
    else:
        known = np.maximum(index, 0)
        times = [column.open_ns[known], column.close_ns[known]]
    return [*times, *(align(column.column(name), index) for name in (*BAR_COLUMNS, *column.extra))]


def _put_together(like: Any, parts: list[Column]) -> Any:
    if isinstance(like, Signals):
        return Signals(parts[0], parts[1] if len(parts) > 1 else None)
    if isinstance(like, Bars):
        names = ("open_ns", "close_ns", *BAR_COLUMNS)
        columns: dict[str, Any] = dict(zip(names, parts[: len(names)], strict=True))
        columns["extra"] = dict(zip(like.extra, parts[len(names) :], strict=True))
        return replace(like, traded=None, actions=None, **columns)
    return parts[0]
