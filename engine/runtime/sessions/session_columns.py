"""What a session knows at its new bars: columns as it computed them, and what nodes gave that read the position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quantcrafter.engine.api import Bars, BoolColumn, FlagColumn, FloatColumn
from quantcrafter.engine.graph import BASE_CLOCK, PlanSource, StepColumn
from quantcrafter.engine.graph.column_cache import cut
from quantcrafter.engine.graph.evaluate import recorded
from quantcrafter.engine.graph.live import BlankRow, LiveColumns
from quantcrafter.engine.graph.terms import Terms
from quantcrafter.engine.runtime.running.job import nightly_amounts
from quantcrafter.engine.simulation.financing_columns import Due
from quantcrafter.engine.simulation.records import Record
from quantcrafter.engine.simulation.steps import Steps
from quantcrafter.engine.spec import InstrumentSpec

NOTHING_DUE = Due()

Given = tuple[FloatColumn, FlagColumn, BoolColumn]
"""Recorded values of shape (k, n); combined signal flags and filter masks of each execution, shape (executions, n)."""


class GivenRows:
    """What steps in the bar loop gave at the bars of one instrument, from when it was last taken on."""

    def __init__(self, width: int, executions: int) -> None:
        self._width, self._executions = width, executions
        self._rows: list[tuple[FloatColumn, FlagColumn, BoolColumn]] = []

    def note(self, steps: Steps, book: Record) -> None:
        """Note what was given at the newest bar, of which the bar loop forgets older ones."""
        row = int(book["start"]) + int(book["bars"]) - 1
        self._rows.append((steps.outputs[:, row].copy(), steps.signals[:, row].copy(), steps.allowed[:, row].copy()))

    def take(self) -> Given:
        """Return it, and forget it."""
        rows, self._rows = self._rows, []
        values = np.array([each[0] for each in rows], np.float64).reshape(len(rows), self._width)
        flags = np.array([each[1] for each in rows], np.uint8).reshape(len(rows), self._executions)
        allowed = np.array([each[2] for each in rows], np.bool_).reshape(len(rows), self._executions)
        return np.ascontiguousarray(values.T), np.ascontiguousarray(flags.T), np.ascontiguousarray(allowed.T)


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


def due_at_newest(spec: InstrumentSpec, terms: Terms, bars: Bars) -> Due:
    """Return what is due at the newest bar of an instrument, from the close of the one before up to its own."""
    if bars.funding is None and bars.swap is None:
        return NOTHING_DUE
    number = len(bars) - 1
    begin_ns, end_ns = int(bars.close_ns[number - 1] if number else bars.open_ns[0]), int(bars.close_ns[number])
    swap = None
    if bars.swap is not None and spec.swap is not None:
        swap = nightly_amounts(spec, terms, spec.swap, bars.swap, (begin_ns, end_ns - 1))
    return Due(None if bars.funding is None else bars.funding.within(begin_ns, end_ns), swap)
