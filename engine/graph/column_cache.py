"""Columns that the running strategies of a process share, and columns that grow from bar to bar."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    FloatColumn,
    PortType,
    Signals,
    StepProgram,
)
from quantcrafter.engine.graph.evaluate import Column, StepValues
from quantcrafter.engine.graph.history import Growing

PLAIN = {
    PortType.SERIES: np.dtype(np.float64),
    PortType.CONDITION: np.dtype(np.bool_),
    PortType.FILTER: np.dtype(np.bool_),
}
"""Outputs that are plain arrays."""

LIMIT_BYTES = 256 * 1024 * 1024


class RunningNode(Protocol):
    """A node's step form with its memory."""

    def run(self, columns: Sequence[Column]) -> FloatColumn:
        """Return what comes out at each of the next bars, shape (outputs, bars)."""
        ...


Interpreter = Callable[[StepProgram], RunningNode]
"""Makes a step form ready to be executed; the engine's is `engine.simulation.node_program.NodeProgram`."""


class RunSoFar:
    """The columns that something has given which continues from bar to bar; strategies that share them run it once.

    `work` returns the outputs at the next bars, shape (outputs, bars).
    """

    def __init__(self, work: Callable[..., FloatColumn], kinds: Sequence[PortType]) -> None:
        self._work = work
        self._kinds = kinds
        self._grown = [Growing(np.empty(0, PLAIN.get(kind, np.dtype(np.uint8)))) for kind in kinds]
        self.count = 0

    def take(self, *given_to: Any) -> None:
        """Go on over the next bars."""
        given = self._work(*given_to)
        for grown, values in zip(self._grown, given, strict=True):
            grown.extend(values)
        self.count += given.shape[1]

    def values(self, count: int) -> StepValues:
        """Return the outputs at the first `count` bars."""
        return tuple(typed(kind, grown.view(count)) for kind, grown in zip(self._kinds, self._grown, strict=True))


class Shared:
    """The columns of one component over certain inputs, up to the progress of the strategies."""

    __slots__ = ("__weakref__", "count", "run", "size", "values", "width")

    def __init__(self) -> None:
        self.run: RunSoFar | None = None
        self.count = -1
        self.size = self.width = 0
        self.values: StepValues = ()


class ColumnCache:
    """The columns that strategies of a process share, by component with its parameters, inputs and history.

    Of each column the newest state is kept. Those used least lately go when all take more than `limit` bytes; they are
    computed again when they are needed.
    """

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self._limit = limit
        # Unused entries are removed automatically.
        self._shared: WeakValueDictionary[Hashable, Shared] = WeakValueDictionary()
        self._kept: OrderedDict[Shared, None] = OrderedDict()
        self.bytes = 0
        self.computed = 0

    def shared(self, key: Hashable) -> Shared:
        """Return the place of the columns that `key` tells from all others."""
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = Shared()
        return found

    def get(self, place: Shared, count: int) -> StepValues | None:
        """Return the values of the first `count` bars, if those of as many or more are known."""
        if place.count < count:
            return None
        self._kept.move_to_end(place)
        return place.values if place.count == count else tuple(cut(value, 0, count) for value in place.values)

    def put(self, place: Shared, count: int, values: StepValues) -> None:
        """Keep the values of `count` bars; older ones go."""
        if place.count < 0 or not count:
            place.width = sum(size_of(value) for value in values) // max(1, count)
        size = place.width * count
        self.bytes += size - place.size
        place.count, place.values, place.size = count, values, size
        self._kept[place] = None
        self._kept.move_to_end(place)
        self.computed += 1
        while self.bytes > self._limit and len(self._kept) > 1:
            oldest, _ = self._kept.popitem(last=False)
            self.bytes -= oldest.size
            oldest.count, oldest.values, oldest.size = -1, (), 0


def parts_of(value: Column | Signals) -> list[Column]:
    """Return the arrays that a value is made of."""
    if isinstance(value, Signals):
        return [value.flags] if value.strength is None else [value.flags, value.strength]
    return [value]


def size_of(value: Column | Signals) -> int:
    """Return how many bytes a value takes."""
    return sum(part.nbytes for part in parts_of(value))


def cut(value: Any, begin: int, end: int) -> Any:
    """Return the rows `begin` to `end` (exclusive) of a column, `Signals`, `Bars`, or a tuple of these."""
    if isinstance(value, Bars):
        return value.slice(begin, end)
    if isinstance(value, Signals):
        return Signals(value.flags[begin:end], None if value.strength is None else value.strength[begin:end])
    return tuple(cut(each, begin, end) for each in value) if isinstance(value, tuple) else value[begin:end]


def typed(kind: PortType, column: Column) -> Column | Signals:
    """Return a column as an output of that kind."""
    return Signals(column) if kind is PortType.SIGNAL else column
