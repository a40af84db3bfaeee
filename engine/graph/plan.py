"""From the typed graph to a plan: steps in topological order, equal sub-expressions computed once.

Every step runs on one clock: that of the feed whose bars all its inputs come from, or else the instrument's own. A
column of another clock is aligned before it is used: at each bar the value of the last bar of the other feed that has
closed by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.api import (
    EXECUTION_COLUMNS,
    Component,
    DataNode,
    ExecutionLogic,
    ExecutionRule,
    Filter,
    GuardRule,
    MoneyManager,
    PortType,
    ProtectiveRule,
    RiskManager,
    RunError,
    SizeKind,
    SizeRule,
)
from engine.graph.bound import BASE_CLOCK, BoundGraph, BoundNode, MarketColumn, NodeColumn, Number, Source

ANY_CLOCK = ""
_DECIDING = (PortType.SIGNAL, PortType.FILTER, PortType.RISK, PortType.MONEY)


@dataclass(frozen=True, slots=True)
class StepColumn:
    """One output column of a step."""

    step: int
    output: int


PlanSource = Number | MarketColumn | StepColumn
PlanWires = PlanSource | tuple[PlanSource, ...]


@dataclass(frozen=True)
class Step:
    """One column component to be computed; `nodes` are the ids that share it."""

    component: Component
    clock: str
    inputs: Mapping[str, PlanWires]
    nodes: tuple[str, ...]
    warmup: int

    @property
    def label(self) -> str:
        """How messages call the step."""
        return f"Node '{self.nodes[0]}' ({self.component.name})"


@dataclass(frozen=True)
class PlannedFilter:
    """A filter of the execution node: `blocks` tells that True keeps entries out."""

    node: str
    column: StepColumn
    blocks: bool


@dataclass(frozen=True)
class PlannedProtection:
    """A risk manager of the execution node, and the column its rule reads."""

    node: str
    rule: ProtectiveRule
    column: PlanSource | None


@dataclass(frozen=True)
class PlannedGuard:
    """A risk manager of the execution node that watches positions or the account."""

    node: str
    rule: GuardRule


@dataclass(frozen=True)
class Decision:
    """The decision stage: what the execution node was wired to.

    `columns` are those that the execution rule uses, by port; `size_column` is what the size rule reads.
    """

    node: str
    rule: ExecutionRule
    signals: tuple[StepColumn, ...]
    filters: tuple[PlannedFilter, ...]
    protection: tuple[PlannedProtection, ...]
    size: SizeRule
    columns: Mapping[str, PlanSource] = field(default_factory=dict)
    guards: tuple[PlannedGuard, ...] = ()
    size_column: PlanSource | None = None

    @property
    def rule_nodes(self) -> tuple[str, ...]:
        """The node of each rule, as the ledger counts them: protective rules first, then guards."""
        return (*(each.node for each in self.protection), *(each.node for each in self.guards))


@dataclass(frozen=True)
class Plan:
    """The columns to compute, in order, and the decision stage. `step_of` maps node ids to steps."""

    steps: tuple[Step, ...]
    step_of: Mapping[str, int]
    feeds: tuple[str, ...]
    decision: Decision | None


def make_plan(graph: BoundGraph) -> Plan:
    """Return the plan of a graph that has no errors."""
    return _Planner(graph).plan()


@dataclass
class _Planner:
    graph: BoundGraph
    steps: list[Step] = field(default_factory=list)
    step_of: dict[str, int] = field(default_factory=dict)
    by_key: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def plan(self) -> Plan:
        for name in self._order():
            node = self.graph.nodes[name]
            if not isinstance(node.component, (DataNode, RiskManager, MoneyManager, ExecutionLogic)):
                self._add(node)
        feeds = tuple(name for name, node in self.graph.nodes.items() if isinstance(node.component, DataNode))
        return Plan(tuple(self.steps), self.step_of, feeds, self._decision())

    def _order(self) -> Iterator[str]:
        """Yield node ids so that every node comes after those it reads, otherwise in file order."""
        done: set[str] = set()
        for start in self.graph.nodes:
            pending = [start]
            while pending:
                name = pending[-1]
                missing = [up for up in self._upstream(name) if up not in done]
                if name in done or not missing:
                    pending.pop()
                    if name not in done:
                        done.add(name)
                        yield name
                else:
                    pending.append(missing[0])

    def _upstream(self, name: str) -> list[str]:
        return [source.node for source in self.graph.nodes[name].sources() if isinstance(source, NodeColumn)]

    def _add(self, node: BoundNode) -> None:
        cls = type(node.component)
        inputs: dict[str, PlanWires] = {
            port: tuple(map(self._source, wires)) if isinstance(wires, tuple) else self._source(wires)
            for port, wires in node.inputs.items()
        }
        parameters = node.component.model_dump(mode="json", include=set(cls.parameters()))
        key = (cls, repr(sorted(parameters.items())), tuple(sorted(inputs.items())))
        index = self.by_key.get(key)
        if index is None:
            index = self.by_key[key] = len(self.steps)
            warmup = _warmup(node)
            self.steps.append(Step(node.component, self._clock(inputs), inputs, (node.spec.id,), warmup))
        else:
            step = self.steps[index]
            nodes = (*step.nodes, node.spec.id)
            self.steps[index] = Step(step.component, step.clock, step.inputs, nodes, step.warmup)
        self.step_of[node.spec.id] = index

    def _source(self, source: Source) -> PlanSource:
        if not isinstance(source, NodeColumn):
            return source
        names = [output.name for output in self.graph.nodes[source.node].component.outputs]
        return StepColumn(self.step_of[source.node], names.index(source.output))

    def _clock(self, inputs: Mapping[str, PlanWires]) -> str:
        clocks = set()
        for wires in inputs.values():
            for source in wires if isinstance(wires, tuple) else (wires,):
                if isinstance(source, MarketColumn):
                    clocks.add(source.feed)
                elif isinstance(source, StepColumn):
                    clocks.add(self.steps[source.step].clock)
        clocks.discard(ANY_CLOCK)
        if not clocks:
            return ANY_CLOCK
        return clocks.pop() if len(clocks) == 1 else BASE_CLOCK

    # ------------------------------------------------------------------ the decision stage

    def _decision(self) -> Decision | None:
        for node in self.graph.nodes.values():
            component = node.component
            if isinstance(component, ExecutionLogic) and (rule := component.rule()) is not None:
                return self._decide(node, rule)
        return None

    def _decide(self, node: BoundNode, rule: ExecutionRule) -> Decision:
        filters, protection, guards, signals = [], [], [], []
        size = None
        size_column: PlanSource | None = None
        for source in node.sources():
            if not isinstance(source, NodeColumn) or source.type not in _DECIDING:
                continue
            part = self.graph.nodes[source.node]
            component = part.component
            if isinstance(component, RiskManager):
                planned = self._protection(part, component)
                if isinstance(planned, PlannedGuard):
                    guards.append(planned)
                else:
                    protection.append(planned)
            elif isinstance(component, MoneyManager):
                size = component.rule()
                size_column = None if size is None else self._rule_column(part, size.column)
            elif isinstance(component, Filter):
                filters.append(PlannedFilter(source.node, self._step(source), component.group == "block"))
            else:
                signals.append(self._step(source))
        if size is None and rule.rebalance is not None:
            size = SizeRule(SizeKind.QUANTITY, 0.0)  # weights say how much
        if size is None:
            raise RunError(f"Execution node '{node.spec.id}' has no money manager.", node=node.spec.id, field="money")
        wired = {name: node.inputs[name] for name in EXECUTION_COLUMNS if name in node.inputs}
        columns = {name: self._source(wire) for name, wire in wired.items() if not isinstance(wire, tuple)}
        stages = (tuple(signals), tuple(filters), tuple(protection))
        return Decision(node.spec.id, rule, *stages, size, columns, tuple(guards), size_column)

    def _step(self, source: NodeColumn) -> StepColumn:
        column = self._source(source)
        if not isinstance(column, StepColumn):  # pragma: no cover - _source keeps node columns node columns
            raise TypeError(column)
        return column

    def _protection(self, part: BoundNode, component: RiskManager) -> PlannedProtection | PlannedGuard:
        rule = component.rule()
        if rule is None:
            raise RunError(f"Risk manager '{part.spec.id}' has no rule for the native engine.", node=part.spec.id)
        if isinstance(rule, GuardRule):
            return PlannedGuard(part.spec.id, rule)
        return PlannedProtection(part.spec.id, rule, self._rule_column(part, rule.column))

    def _rule_column(self, part: BoundNode, port: str | None) -> PlanSource | None:
        """Return where the column comes from that a rule names by a port of its node."""
        wires = part.inputs.get(port) if port else None
        return None if wires is None or isinstance(wires, tuple) else self._source(wires)


def _warmup(node: BoundNode) -> int:
    try:
        return max(0, int(node.component.warmup()))
    except Exception as error:
        what = f"Node '{node.spec.id}' ({node.spec.use}) could not tell its warm-up: {type(error).__name__}: {error}."
        raise RunError(what, node=node.spec.id) from error
