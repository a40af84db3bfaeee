"""Trace: every output column of every node of a run, kept for charts, explanations and comparisons."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import PortType, RunError, Signals
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.graph import BoundGraph, Decision, MarketColumn, NodeColumn, Number, Plan, StepColumn
from quantcrafter.engine.graph.bound import BASE_CLOCK, Source
from quantcrafter.engine.graph.evaluate import Evaluated
from quantcrafter.engine.runtime.results.run_tables import output_place
from quantcrafter.engine.runtime.results.run_view import RunDecision, RunNode, RunOutput, RunSource
from quantcrafter.engine.simulation.execution_terms import legs_of

IN_MEMORY_BYTES = 512 * 1024 * 1024
LEAST_FILE_BYTES = 64 * 1024 * 1024
ALIGNED = 64
"""Bytes at a multiple of which a column begins in its file."""


@dataclass
class ColumnStore:
    """Holds finished columns in memory up to `limit` bytes, and those beyond in memory-mapped files.

    A file holds many columns, since every mapping keeps a file open. The files are in a temporary folder that goes when
    the store does.
    """

    limit: int = IN_MEMORY_BYTES
    _used: int = 0
    _count: int = 0
    _folder: Path | None = None
    _room: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))

    def keep(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an array with the column's content that needs little memory.

        Raises:
            RunError: there is no room for it on the disk.
        """
        self._used += column.nbytes
        if self._used <= self.limit:
            return column
        if len(self._room) < column.nbytes:
            self._room = self._new_file(max(column.nbytes, self._used // 8, LEAST_FILE_BYTES))
        kept = self._room[: column.nbytes].view(column.dtype).reshape(column.shape)
        kept[...] = column
        kept.flags.writeable = False
        self._room = self._room[-(-column.nbytes // ALIGNED) * ALIGNED :]
        return kept

    def _new_file(self, size: int) -> npt.NDArray[np.uint8]:
        """Return the content of a new file; it is written first, since a mapping of a full disk ends the process."""
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="quantcrafter-trace-"))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            self._count += 1
            path = self._folder / f"{self._count}.columns"
            empty = memoryview(bytes(min(size, LEAST_FILE_BYTES)))
            with path.open("xb") as file:
                for start in range(0, size, len(empty)):
                    file.write(empty[: size - start])
            return np.memmap(path, np.uint8, "r+").view(np.ndarray)
        except OSError as error:
            cause, _ = fault(error)
            raise RunError(
                Message(
                    "The columns of the run can't be saved in '{gettempdir}': {cause}. Free some space, set "
                    "TMPDIR to another folder, or use fewer nodes, instruments or bars.",
                    gettempdir=shown_path(tempfile.gettempdir()),
                    cause=cause,
                )
            ) from error


@dataclass(frozen=True)
class Trace:
    """The columns of a run, by instrument (index in file order), node id and output name."""

    plan: Plan
    evaluations: tuple[Evaluated, ...]
    graph: BoundGraph
    store: ColumnStore = field(default_factory=ColumnStore)

    @cached_property
    def nodes(self) -> Mapping[str, RunNode]:
        """The nodes of the graph by id, as they ran."""
        found = nodes_of(self.graph, self.plan)
        return {
            name: node if node.step < 0 else replace(node, ready=self._ready(node.step)) for name, node in found.items()
        }

    @property
    def decisions(self) -> tuple[RunDecision, ...]:
        """What each execution node was wired to, by its number."""
        return decisions_of(self.graph, self.plan)

    @property
    def feeds(self) -> tuple[tuple[str, str], ...]:
        """The columns of feeds other than the instrument's own that nodes read, as pairs of feed and column."""
        return feeds_of(self.graph)

    def column(self, node: str, output: str = "", instrument: int = 0) -> npt.NDArray[Any]:
        """Return an output column aligned to the instrument's own bars, shape (n,); flags for a signal.

        Raises:
            KeyError: there is no such node or output.
        """
        value = self._value(node, output, instrument)
        column: npt.NDArray[Any] = value.flags if isinstance(value, Signals) else value
        return column

    def strength(self, node: str, output: str = "", instrument: int = 0) -> npt.NDArray[Any] | None:
        """Return the strength of a signal output, or None where it has none on some instrument."""
        values = [self._value(node, output, number) for number in range(len(self.evaluations))]
        if not all(isinstance(each, Signals) and each.strength is not None for each in values):
            return None
        strength: npt.NDArray[Any] = values[instrument].strength
        return strength

    def feed_column(self, feed: str, column: str, instrument: int = 0) -> npt.NDArray[Any]:
        """Return a column of a feed's bars, aligned to the instrument's own bars."""
        found: npt.NDArray[Any] = self.evaluations[instrument].column(MarketColumn(feed, column))
        return found

    def _value(self, node: str, output: str, instrument: int) -> Any:
        return self.evaluations[instrument].column(StepColumn(*output_place(self.nodes, node, output)))

    def _ready(self, step: int) -> tuple[int, ...]:
        return tuple(each.ready_at(StepColumn(step, 0)) for each in self.evaluations)


def nodes_of(graph: BoundGraph, plan: Plan) -> dict[str, RunNode]:
    """Return the nodes of a graph by id; from which bar on their columns are complete is not known yet."""
    found = {}
    for name, node in graph.nodes.items():
        component = node.component
        found[name] = RunNode(
            id=name,
            role=component.role,
            use=node.spec.use,
            parameters=component.model_dump(mode="json", include=set(type(component).parameters())),
            inputs={
                port: tuple(run_source(each) for each in (wires if isinstance(wires, tuple) else (wires,)))
                for port, wires in node.inputs.items()
            },
            outputs=tuple(RunOutput(each.name, each.type) for each in component.outputs),
            step=plan.step_of.get(name, -1),
            per_instrument={
                symbol: each.model_dump(mode="json", include=set(type(each).parameters()))
                for symbol, each in node.variants.items()
            },
        )
    return found


def decisions_of(graph: BoundGraph, plan: Plan) -> tuple[RunDecision, ...]:
    """Return what each execution node is wired to, by its number."""
    return tuple(_decision_of(graph, each) for each in plan.decisions)


def _decision_of(graph: BoundGraph, decision: Decision) -> RunDecision:
    wired = [each for each in graph.nodes[decision.node].sources() if isinstance(each, NodeColumn)]
    return RunDecision(
        node=decision.node,
        combine=decision.rule.combine,
        signals=tuple(run_source(each) for each in wired if each.type is PortType.SIGNAL),
        filters={each.node: each.blocks for each in decision.filters},
        protection=tuple(each.node for each in decision.protection),
        legs=_legs_of(graph, decision),
    )


def _legs_of(graph: BoundGraph, decision: Decision) -> tuple[int, ...]:
    """Return the numbers of the instruments of a pair; nothing for other executions."""
    pair = decision.rule.pair
    if pair is None:
        return ()
    legs = legs_of(pair, [instrument.symbol for instrument in graph.spec.instruments])
    return tuple(leg for leg in legs if leg is not None)


def feeds_of(graph: BoundGraph) -> tuple[tuple[str, str], ...]:
    """Return the columns of feeds other than the instrument's own that nodes read, as pairs of feed and column."""
    read = (source for node in graph.nodes.values() for source in node.sources())
    found = ((each.feed, each.column) for each in read if isinstance(each, MarketColumn) and each.column)
    return tuple(dict.fromkeys(pair for pair in found if pair[0] != BASE_CLOCK))


def run_source(source: Source) -> RunSource:
    """Return what an input port reads."""
    if isinstance(source, Number):
        return RunSource("number", value=source.value)
    if isinstance(source, MarketColumn):
        return RunSource("market", source.feed, source.column)
    return RunSource("node", source.node, source.output)
