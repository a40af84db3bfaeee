"""Facts: the data of one instrument of a run for explanations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, Bars, Catalog, Component, PortType
from quantcrafter.engine.api.universe import UniverseNode
from quantcrafter.engine.graph.across import moments_of, place_of
from quantcrafter.engine.runtime.explain.findings import Side
from quantcrafter.engine.runtime.explain.held_positions import PositionHistory
from quantcrafter.engine.runtime.explain.path import Wire
from quantcrafter.engine.runtime.results.run_view import RunDecision, RunSource, RunView

BOOLEAN = (PortType.CONDITION, PortType.FILTER, PortType.SIGNAL)
BARS = "bars"


@dataclass(frozen=True, slots=True)
class Ref:
    """A condition or filter output, or one flag of a signal output."""

    node: str
    output: str
    flag: int = 0


@dataclass
class Facts:
    """One instrument of a run, with the installed components, which explain their outputs.

    A component that is not installed, or has other parameters now, is not called.
    """

    run: RunView
    catalog: Catalog
    instrument: int = 0
    _components: dict[str, Component | None] = field(default_factory=dict)
    _tables: dict[tuple[str, str], npt.NDArray[Any]] = field(default_factory=dict)
    _others: dict[int, Facts] = field(default_factory=dict, repr=False)

    @cached_property
    def bars(self) -> Bars:
        """The instrument's bars."""
        return self.run.instruments[self.instrument].bars

    @cached_property
    def entries_given(self) -> int:
        """The entry flags that the run's signals gave at any bar of any instrument."""
        given = 0
        for job in self.run.instruments:
            for each in job.executions:
                given |= int(np.bitwise_or.reduce(each.flags)) if len(each.flags) else 0
        return given & (ENTER_LONG | ENTER_SHORT)

    def first_bar(self, decision: RunDecision) -> int:
        """Return the first bar at which an execution decides: of several, each waits for its own inputs."""
        first = self.run.instruments[self.instrument].first_bar
        if len(self.run.decisions) == 1:
            return first
        pending, seen = [decision.node, *decision.filters, *decision.protection], set[str]()
        while pending:
            node = self.run.nodes.get(pending.pop())
            if node is None or node.id in seen:
                continue
            seen.add(node.id)
            first = max(first, node.ready[self.instrument] if node.ready else 0)
            pending += [each.node for sources in node.inputs.values() for each in sources if each.kind == "node"]
        return first

    @cached_property
    def positions(self) -> PositionHistory:
        """The position, by bar."""
        return PositionHistory.of(self.run.ledger, self.instrument)

    def component(self, node: str) -> Component | None:
        """Return a node's component with the run's parameters, or None if not available; its ports are not set."""
        if node not in self._components:
            known = self.run.nodes[node]
            own = known.per_instrument.get(self.run.instruments[self.instrument].symbol, {})
            cls = self.catalog.component(known.role, known.use)
            names = set(cls.parameters()) if cls is not None else set()
            fits = cls is not None and set(known.parameters) <= names
            self._components[node] = (
                cls.model_construct(**{**known.parameters, **own}) if cls is not None and fits else None
            )
        return self._components[node]

    def type_of(self, node: str, output: str) -> PortType | None:
        """Return the type of a node's output; None if it has no such output."""
        known = self.run.nodes.get(node)
        return next((each.type for each in known.outputs if each.name == output), None) if known else None

    def column(self, node: str, output: str) -> npt.NDArray[Any]:
        """Return an output's column on the instrument's bars.

        Raises:
            KeyError: the run has none.
        """
        key = (node, output)
        if key not in self._tables:
            self._tables[key] = self.run.column(node, output, self.instrument)
        return self._tables[key]

    def truth(self, ref: Ref, bar: int) -> bool:
        """Return whether a condition, filter or flag held at a bar."""
        value = self.column(ref.node, ref.output)[bar]
        return bool(int(value) & ref.flag) if ref.flag else bool(value)

    def sources(self, node: str, port: str) -> tuple[RunSource, ...]:
        """Return the sources of a port, one for each wire."""
        return self.run.nodes[node].inputs.get(port, ())

    def source(self, node: str, port: str, index: int | None) -> RunSource:
        """Return the source of a port at a position.

        Raises:
            LookupError: it is not connected there.
        """
        return self.sources(node, port)[index or 0]

    def values(self, source: RunSource, stop: int) -> npt.NDArray[Any]:
        """Return the values of a source before bar `stop`.

        Raises:
            KeyError: the run doesn't contain it.
        """
        if source.kind == "number":
            return np.full(stop, source.value)
        if source.kind == "node":
            return self.column(source.node, source.output)[:stop]
        if source.node == BARS:
            return self.bars.column(source.output)[:stop]
        return self.run.feed_column(source.node, source.output, self.instrument)[:stop]

    def universe(self, component: UniverseNode, source: RunSource, bar: int) -> dict[str, float]:
        """Return the finite values of a source that count at a bar for a component, by symbol in file order.

        Raises:
            KeyError: the run doesn't contain it.
        """
        jobs = self.run.instruments
        moment = moments_of(self.bars.close_ns[: bar + 1], bar)
        within = getattr(component, "within", "")
        group = jobs[self.instrument].values.get(within)
        found = {}
        for number, job in enumerate(jobs):
            place = int(place_of(job.bars.close_ns, moment, getattr(component, "max_age_days", 0.0))[0])
            if place >= 0 and (not within or job.values.get(within) == group):
                value = float(self._of(number).values(source, place + 1)[place])
                if math.isfinite(value):
                    found[job.symbol] = value
        return found

    def _of(self, instrument: int) -> Facts:
        """Return the facts of another instrument of the run."""
        if instrument not in self._others:
            self._others[instrument] = (
                self if instrument == self.instrument else Facts(self.run, self.catalog, instrument)
            )
        return self._others[instrument]

    def side(self, source: RunSource, bar: int) -> Side:
        """Return the value of a source at a bar, with its origin."""
        if source.kind == "number":
            return Side(source.value)
        return Side(float(self.values(source, bar + 1)[bar]), source.node, source.output)

    def wire(self, node: str, port: str, index: int | None) -> Wire | None:
        """Return the wire at a position of a port; None for a number and for an unconnected port."""
        sources = self.sources(node, port)
        place = index or 0
        if place >= len(sources) or sources[place].kind == "number":
            return None
        return Wire(sources[place].node, sources[place].output or BARS, node, port, index)

    def wires(self, node: str) -> tuple[Wire, ...]:
        """Return every wire that a node reads; none for the bars."""
        if node not in self.run.nodes:
            return ()
        many = self._list_ports(node)
        found = []
        for port, sources in self.run.nodes[node].inputs.items():
            for place in range(len(sources)):
                index = place if port in many or len(sources) > 1 else None
                wire = self.wire(node, port, index)
                if wire is not None:
                    found.append(wire)
        return tuple(found)

    def _list_ports(self, node: str) -> frozenset[str]:
        known = self.run.nodes[node]
        cls = self.catalog.component(known.role, known.use)
        return frozenset(port.name for port in cls.inputs() if port.many) if cls is not None else frozenset()

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """The nodes that read each node."""
        found: dict[str, dict[str, None]] = {}
        for node in self.run.nodes:
            for wire in self.wires(node):
                found.setdefault(wire.source, {})[node] = None
        return {source: tuple(nodes) for source, nodes in found.items()}
