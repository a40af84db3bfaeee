"""What nodes such as `notify` and `assert` note in a session."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from quantcrafter.engine.graph import Plan
from quantcrafter.engine.graph.live import LiveColumns
from quantcrafter.engine.runtime.results.notices import Notice, notice_steps
from quantcrafter.engine.simulation.state import SimulationState


class SessionNotices:
    """The notices of a session, and which nodes behind the position held at the latest bar.

    Args:
        plan: the strategy's plan.
        symbols: its instruments.
        columns: their columns.
    """

    def __init__(self, plan: Plan, symbols: Sequence[str], columns: Sequence[LiveColumns]) -> None:
        self._loop, self._symbols, self._columns = plan.loop, tuple(symbols), tuple(columns)
        self._noting = tuple(notice_steps(plan))
        self._notices: list[Notice] = []
        self._held_before: set[tuple[int, str]] = set()

    def take(self) -> tuple[Notice, ...]:
        """Return what was noted since the last call, in the order of time."""
        notices, self._notices = tuple(self._notices), []
        return notices

    def note(self, symbols: Collection[str], memory: SimulationState) -> None:
        """Note what nodes say at the bars that closed. Of those behind the position only what begins is known."""
        loop = self._loop
        for i in (self._symbols.index(symbol) for symbol in symbols):
            columns = self._columns[i]
            for node, source, component in self._noting:
                if loop is not None and source in loop.recorded:
                    row = int(memory.holdings[i]["start"]) + int(memory.holdings[i]["bars"]) - 1
                    holds = bool(memory.steps.outputs[loop.recorded.index(source), row])
                    before = (i, node) in self._held_before
                    self._held_before -= {(i, node)}
                    self._held_before |= {(i, node)} if holds else set()
                else:
                    column = columns.column(source)
                    holds = bool(column[-1]) and columns.ready_at(source) < len(column)
                    before = len(column) - 1 > columns.ready_at(source) and bool(column[-2])
                if holds and (component.every == "bar" or not before):
                    close_ns = int(columns.bars.close_ns[-1])
                    self._notices.append(Notice(node, component.kind, self._symbols[i], close_ns, component.text))

    def kept(self) -> dict[str, list[str]]:
        """Return which nodes behind the position hold, by symbol, for a state; empty if none do."""
        if not self._held_before:
            return {}
        return {
            symbol: sorted(node for number, node in self._held_before if number == i)
            for i, symbol in enumerate(self._symbols)
        }

    def remember(self, kept: Mapping[str, Collection[str]]) -> None:
        """Remember which held at a state's last bar: what goes on isn't noted again."""
        self._held_before = {(i, node) for i, symbol in enumerate(self._symbols) for node in kept.get(symbol, ())}
