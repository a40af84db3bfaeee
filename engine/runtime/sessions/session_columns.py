"""What a session knows at its new bars: columns as it computed them, and what nodes gave that read the position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quantcrafter.engine.api import BoolColumn, FlagColumn, FloatColumn
from quantcrafter.engine.graph import BASE_CLOCK, PlanSource, StepColumn
from quantcrafter.engine.graph.column_cache import cut
from quantcrafter.engine.graph.evaluate import recorded
from quantcrafter.engine.graph.live import BlankRow, LiveColumns
from quantcrafter.engine.simulation.records import Record
from quantcrafter.engine.simulation.steps import Steps

Given = tuple[FloatColumn, FlagColumn, BoolColumn]
"""Recorded values of shape (k, n), combined signal flags and filter mask of n bars, those of the only execution."""


class GivenRows:
    """What steps in the bar loop gave at the bars of one instrument, from when it was last taken on."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[tuple[FloatColumn, int, bool]] = []

    def note(self, steps: Steps, book: Record) -> None:
        """Note what was given at the newest bar, of which the bar loop forgets older ones."""
        row = int(book["start"]) + int(book["bars"]) - 1
        self._rows.append((steps.outputs[:, row].copy(), int(steps.signals[0, row]), bool(steps.allowed[0, row])))

    def take(self) -> Given:
        """Return it, and forget it."""
        rows, self._rows = self._rows, []
        values = np.array([each[0] for each in rows], np.float64).reshape(len(rows), self._width)
        flags, allowed = ([each[place] for each in rows] for place in (1, 2))
        return np.ascontiguousarray(values.T), np.array(flags, np.uint8), np.array(allowed, np.bool_)


class NewRows:
    """The columns of an instrument from bar `begin` on, as an evaluation; bars before it count below 0.

    `given` has the columns of steps in the bar loop, from that bar on.
    """

    def __init__(self, columns: LiveColumns, begin: int, given: Mapping[StepColumn, FloatColumn]) -> None:
        clock = columns.clocks[BASE_CLOCK]
        self._columns, self._begin, self._end, self._given = columns, begin, clock.count, given
        self._blank = None if clock.count else BlankRow(columns)
        self.bars = clock.history.rows(begin, clock.count)
        self.feeds = columns.feeds

    def column(self, source: PlanSource) -> Any:
        """Return a column's values at these bars."""
        if self._blank is not None:
            return self._blank.column(source)
        if isinstance(source, StepColumn) and source in self._given:
            output = self._columns.plan.steps[source.step].component.outputs[source.output]
            return recorded(self._given[source], output.type)
        return cut(self._columns.column(source), self._begin, self._end)

    def ready_at(self, source: PlanSource) -> int:
        """Return the row at which a column is complete: 0 or less if it is from the first one on."""
        return 0 if self._blank is not None else self._columns.ready_at(source) - self._begin
