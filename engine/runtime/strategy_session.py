"""A strategy that is given its bars as they close: histories, columns and the simulation, as one session.

1. The histories are there up to the step before the first one (`known`), from a fixed anchor on.
2. `append` takes what closed at one moment: columns are brought up to it, and the simulation runs the step.
3. `state` is all that has to be kept to go on later, in another process, from the same bars.

Its books are those of a run over the same bars, to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.api import Bar, Bars, Ledger, RunError, RunSettings
from engine.graph import BASE_CLOCK, BoundGraph, Plan, make_plan
from engine.graph.history import HistoryBook
from engine.graph.live import BlankRow, ColumnBook, LiveColumns, NewestRow
from engine.runtime.prepare import instrument_job, job_of
from engine.runtime.session_data import SessionData
from engine.simulation.closed_bar import ClosedBar, row_of
from engine.simulation.session import Session


class Host:
    """What the strategies of a process share: histories, and columns that are computed once for all of them."""

    def __init__(self) -> None:
        self.histories = HistoryBook()
        self.columns = ColumnBook()


class StrategySession:
    """A strategy that goes on bar by bar.

    Bars are named by the instrument's symbol or the feed's id (`names`).

    Args:
        graph: the strategy.
        known: the bars before the first step, of each instrument and feed; they may be none. Their first ones are the
            anchors, which the session keeps for good: no order is made on them, but columns reach back to them.
        host: what it shares with other strategies.

    Raises:
        DataError: bars are missing or belong to nothing.
        ComponentError: a component failed.
        RunError: there is nothing to run.
    """

    def __init__(self, graph: BoundGraph, known: Mapping[str, Bars], host: Host | None = None) -> None:
        host = host or Host()
        self.graph = graph
        self.plan: Plan = make_plan(graph)
        self.data = SessionData(graph, known, host.histories)
        self._columns = [LiveColumns(self.plan, clocks, host.columns) for clocks in self.data.clocks]
        self._symbols = [each.spec.symbol for each in graph.instruments]
        blank = tuple(BlankRow(each) for each in self._columns)
        self._job = job_of(graph, _settings(graph), self.plan, blank)
        self._session = Session.open(self._job)

    @property
    def names(self) -> tuple[str, ...]:
        """The instruments and feeds of which bars are brought."""
        return self.data.names

    def append(self, bars: Mapping[str, Bar]) -> None:
        """Take what closed at one moment and run the step; bars of feeds alone make none.

        Raises:
            DataError: a bar can't be the next one. Nothing is changed.
            ComponentError: a component failed.
        """
        if not self.data.take(bars):
            return
        step: dict[str, ClosedBar] = {}
        for i, (symbol, columns) in enumerate(zip(self._symbols, self._columns, strict=True)):
            if symbol in bars:
                columns.advance()
                step[symbol] = self._closed(i, columns)
        self._session.append(step)
        self._session.step()

    def end_data(self, *symbols: str) -> None:
        """Say that no bar will follow those appended so far: of these instruments, or of all.

        Raises:
            RunError: a symbol is not there.
        """
        self._session.end_data(*symbols)

    def ledger(self) -> Ledger:
        """Return the books since the session was opened."""
        return self._session.ledger()

    def _closed(self, i: int, columns: LiveColumns) -> ClosedBar:
        decision = self.plan.decision
        if decision is None:  # pragma: no cover - job_of refuses a plan without one
            raise RunError("The strategy has no execution node.")
        instrument = instrument_job(self.graph, i, decision, NewestRow(columns))
        inputs = {
            part.node: {
                port: tuple(map(columns.column, wires)) if isinstance(wires, tuple) else columns.column(wires)
                for port, wires in part.inputs.items()
            }
            for part in decision.components
        }
        bars = columns.clocks[BASE_CLOCK].bars
        return row_of(instrument, 0, inputs, (bars.traded or bars) if inputs else None)


def _settings(graph: BoundGraph) -> RunSettings:
    return graph.spec.run
