"""Steps of a running strategy that see the universe: asked once for each moment, for all instruments."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from quantcrafter.engine.api import Bars
from quantcrafter.engine.graph.across import Members, Moments, Table, across, moments_of, seeing
from quantcrafter.engine.graph.column_cache import PLAIN, Shared, typed
from quantcrafter.engine.graph.history import Growing
from quantcrafter.engine.graph.live_steps import LiveStep
from quantcrafter.engine.graph.plan import PlanStep


class MemberColumns(Protocol):
    """The columns of one instrument of a running strategy."""

    @property
    def bars(self) -> Bars:
        """Its bars."""
        ...

    def inputs_of(self, step: PlanStep) -> dict[str, Any]:
        """Return the columns that a step reads, by port, up to the newest bar."""
        ...


class LiveUniverse:
    """The instruments of a running strategy, for the steps that see all of them."""

    def __init__(self, members: Members) -> None:
        self.members = members
        self._columns: list[MemberColumns] = []
        self._newest: dict[int, tuple[tuple[int, int], tuple[Table, ...]]] = {}

    def add(self, columns: MemberColumns) -> int:
        """Add the next instrument, and return its place."""
        self._columns.append(columns)
        return len(self._columns) - 1

    def ask(self, step: PlanStep, moments: Moments) -> tuple[Table, ...]:
        """Return a step's outputs at moments, shape (k, m).

        Raises:
            ComponentError: the component failed.
        """
        closes = [each.bars.close_ns for each in self._columns]
        inputs = [each.inputs_of(step) for each in self._columns]
        return across(seeing(step.component), step.nodes[0], self.members, moments, closes, inputs)

    def ask_newest(self, step: PlanStep, moments: Moments) -> tuple[Table, ...]:
        """Do what `ask` does for one moment, which instruments that close together share."""
        asked = int(moments.close_ns[0]), int(moments.after_ns[0])
        known = self._newest.get(id(step))
        if known is None or known[0] != asked:
            known = self._newest[id(step)] = asked, self.ask(step, moments)
        return known[1]


class UniverseStep(LiveStep):
    """A step whose values at a bar depend on all instruments."""

    def __init__(self, *args: Any, universe: LiveUniverse, place: int) -> None:
        super().__init__(*args)
        self.key = Shared()  # no other strategy has the same instruments
        self._universe, self._place = universe, place
        self._kinds = [output.type for output in self.step.component.outputs]
        self._grown = [Growing(np.empty(0, PLAIN.get(kind, np.dtype(np.uint8)))) for kind in self._kinds]

    def _advance(self, count: int) -> None:
        begin = max(0, self.done)
        moments = moments_of(self.clock.bars.close_ns, begin)
        ask = self._universe.ask_newest if count - begin == 1 else self._universe.ask
        tables = ask(self.step, moments)
        for grown, table in zip(self._grown, tables, strict=True):
            grown.extend(table[:, self._place])
        views = [grown.view(count) for grown in self._grown]
        self.values = tuple(typed(kind, view) for kind, view in zip(self._kinds, views, strict=True))
