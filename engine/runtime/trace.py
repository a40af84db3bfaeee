"""Trace: every output column of every node of a run, kept for charts, explanations and comparisons."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.api import Bars, PortType, Role, RunError, Signals
from engine.api.os_errors import fault
from engine.api.wording import shown_path
from engine.graph import BoundGraph, Evaluation, MarketColumn, NodeColumn, Number, Plan, StepColumn
from engine.graph.bound import Source
from engine.runtime.saved import SavedDecision, SavedSource

IN_MEMORY_BYTES = 512 * 1024 * 1024
LEAST_FILE_BYTES = 64 * 1024 * 1024
ALIGNED = 64
"""Bytes at a multiple of which a column begins in its file."""


@dataclass
class ColumnStore:
    """Holds finished columns in memory up to `limit` bytes, and those beyond in memory-mapped files.

    A file holds many columns, since every mapping keeps a file open. The files lie in a temporary folder that goes when
    the store does.
    """

    limit: int = IN_MEMORY_BYTES
    _used: int = 0
    _count: int = 0
    _folder: Path | None = None
    _room: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))

    def keep(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an array with the column's content that is cheap to hold on to.

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
                f"The columns of the run cannot be kept in '{shown_path(tempfile.gettempdir())}': {cause}. "
                "Free some space, set TMPDIR to another folder, or take fewer nodes, instruments or bars."
            ) from error


@dataclass(frozen=True)
class Trace:
    """The columns of a run, by instrument (index in file order), node id and output name."""

    plan: Plan
    evaluations: tuple[Evaluation, ...]
    store: ColumnStore = field(default_factory=ColumnStore)
    graph: BoundGraph | None = None

    @property
    def decision(self) -> SavedDecision | None:
        """What the execution node was wired to; None without one, or where the graph is not kept."""
        decision = self.plan.decision
        if self.graph is None or decision is None:
            return None
        wired = [each for each in self.graph.nodes[decision.node].sources() if isinstance(each, NodeColumn)]
        return SavedDecision(
            node=decision.node,
            combine=decision.rule.combine,
            signals=tuple(saved_source(each) for each in wired if each.type is PortType.SIGNAL),
            filters={each.node: each.blocks for each in decision.filters},
            protection=tuple(each.node for each in decision.protection),
        )

    def columns(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each node id that has columns, with its output names."""
        for node, step in self.plan.step_of.items():
            yield node, tuple(output.name for output in self.plan.steps[step].component.outputs)

    def role(self, node: str) -> Role:
        """Return the role of a node that has columns."""
        return self.plan.steps[self.plan.step_of[node]].component.role

    def column(self, node: str, output: str = "", instrument: int = 0) -> npt.NDArray[Any]:
        """Return an output column aligned to the instrument's own bars, shape (n,); flags for a signal.

        Raises:
            KeyError: there is no such node or output.
        """
        step = self.plan.step_of[node]
        names = [each.name for each in self.plan.steps[step].component.outputs]
        if output and output not in names:
            raise KeyError(f"{node}.{output}")
        value = self.evaluations[instrument].column(StepColumn(step, names.index(output) if output else 0))
        column: npt.NDArray[Any] = value.flags if isinstance(value, Signals) else value
        return column

    def clock_bars(self, node: str, instrument: int = 0) -> Bars:
        """Return the bars by which the node's own column ticks."""
        return self.evaluations[instrument].clock_bars(self.plan.steps[self.plan.step_of[node]].clock)


def saved_source(source: Source) -> SavedSource:
    """Return what an input port reads as saved runs keep it."""
    if isinstance(source, Number):
        return SavedSource("number", value=source.value)
    if isinstance(source, MarketColumn):
        return SavedSource("market", source.feed, source.column)
    return SavedSource("node", source.node, source.output)
