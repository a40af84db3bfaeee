"""RunResult: a finished run in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from quantcrafter.engine.api import InstrumentJob, Ledger, Problem, RunSettings
from quantcrafter.engine.runtime.results.run_tables import RunTables, data_hash
from quantcrafter.engine.runtime.results.run_view import Column, RunDecision, RunNode, RunOrigin
from quantcrafter.engine.stats.benchmark import Benchmark
from quantcrafter.engine.stats.metrics import Value

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.results.trace import Trace

__all__ = ["RunOrigin", "RunResult"]


@dataclass(frozen=True)
class RunResult(RunTables):
    """The outcome of a run: a `RunView` in memory.

    `bars` counts the steps (close times at which any instrument had a bar), `warmup` the leading bars without a
    decision. `warnings` tells what is doubtful in the file, `findings` what is in the data, `notes` what was guessed of
    it. `rule_nodes` names the node of each rule, protective ones first, then guards, `timing` holds seconds by stage,
    and `trace` every column of every node; `column()` reads from it.

    `fills`, `trades`, `orders`, `blocked`, `interventions`, `cashflows` and `equity` are tables: `trades["pnl"]` is a
    numpy column, `trades[0]` a row as a dict. They are built from `ledger` when first asked for.
    """

    strategy: str
    engine: str
    mode: str
    bars: int
    warmup: int
    ledger: Ledger
    instruments: tuple[InstrumentJob, ...]
    settings: RunSettings
    rule_nodes: tuple[str, ...]
    metrics: Mapping[str, Value]
    timing: Mapping[str, float]
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    synthetic: bool = False
    origin: RunOrigin = field(default_factory=RunOrigin)
    warnings: tuple[Problem, ...] = ()
    started: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
    trace: Trace | None = field(default=None, repr=False, compare=False)
    benchmark: Benchmark | None = field(default=None, repr=False, compare=False)

    @property
    def id(self) -> str:
        """None: it exists only in memory."""
        return ""

    @property
    def revision(self) -> int:
        """It is complete from the start."""
        return 1

    @property
    def is_finished(self) -> bool:
        """It is complete from the start."""
        return True

    @cached_property
    def data_hash(self) -> str:
        """A hash of all bars of the run."""
        return data_hash(self.instruments)

    @property
    def nodes(self) -> Mapping[str, RunNode]:
        """The nodes by id; none where the run was one of a strategy class."""
        return {} if self.trace is None else self.trace.nodes

    @property
    def decisions(self) -> tuple[RunDecision, ...]:
        """What each execution node was wired to, by its number."""
        return () if self.trace is None else self.trace.decisions

    @property
    def feeds(self) -> tuple[tuple[str, str], ...]:
        """The columns of feeds that nodes read, as pairs of feed and column."""
        return () if self.trace is None else self.trace.feeds

    def column(self, node: str, output: str = "", instrument: int = 0) -> Column:
        """Return an output column aligned to the instrument's own bars, shape (n,); flags for a signal.

        Raises:
            KeyError: there is no such node or output.
        """
        return self._trace_with(node).column(node, output, instrument)

    def strength(self, node: str, output: str = "", instrument: int = 0) -> Column | None:
        """Return the strength of a signal output, or None where it has none."""
        return self._trace_with(node).strength(node, output, instrument)

    def feed_column(self, feed: str, column: str, instrument: int = 0) -> Column:
        """Return a column of a feed's bars that some node read, aligned to the instrument's own bars.

        Raises:
            KeyError: no node read it.
        """
        if (feed, column) not in self.feeds:
            raise KeyError(f"{feed}.{column}")
        return self._trace_with(feed).feed_column(feed, column, instrument)

    def _trace_with(self, name: str) -> Trace:
        if self.trace is None:
            raise KeyError(name)
        return self.trace
