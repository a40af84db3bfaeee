"""Converts the typed graph to a plan: steps in topological order, equal sub-expressions computed once.

Every step runs on one clock: that of the feed whose bars all its inputs come from, or else the instrument's own. A
column of another clock is aligned before it is used: at each bar the value of the last bar of the other feed that has
closed by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from quantcrafter.engine.api import (
    EXECUTION_COLUMNS,
    Component,
    DataNode,
    ExecutionLogic,
    ExecutionRule,
    Filter,
    GuardRule,
    MoneyManager,
    PortType,
    PositionNode,
    ProtectiveKind,
    ProtectiveRule,
    RiskManager,
    RunError,
    SizeKind,
    SizeRule,
)
from quantcrafter.engine.api.foreign import calling, node_label, reason_of, use_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.rules import STREAK_SIZES
from quantcrafter.engine.api.universe import UniverseNode
from quantcrafter.engine.graph.across import Members
from quantcrafter.engine.graph.bound import (
    BASE_CLOCK,
    BoundGraph,
    BoundNode,
    MarketColumn,
    NodeColumn,
    Number,
    Source,
    rule_of,
    type_of,
)
from quantcrafter.engine.graph.loop import Loop, program_of
from quantcrafter.engine.graph.windows import Window, lengthened, longest

ANY_CLOCK = ""
_STAGES = (PortType.FILTER, PortType.RISK, PortType.MONEY)
_DECIDING = (PortType.SIGNAL, *_STAGES)


@dataclass(frozen=True, slots=True)
class StepColumn:
    """One output column of a step."""

    step: int
    output: int


PlanSource = Number | MarketColumn | StepColumn
PlanWires = PlanSource | tuple[PlanSource, ...]


@dataclass(frozen=True)
class PlanStep:
    """One column component to be computed; `nodes` are the ids that share it.

    `lookback` is that of the component itself, in bars of the step's clock; `window` that of the whole path up to it. A
    component that depends on the position runs `in_loop`: bar by bar, with its memory in the simulation's state. One
    that `sees_universe` is computed for all instruments at once.
    """

    component: Component
    clock: str
    inputs: Mapping[str, PlanWires]
    nodes: tuple[str, ...]
    warmup: int
    lookback: int | None = None
    window: Window = field(default_factory=dict)
    in_loop: bool = False

    @property
    def sees_universe(self) -> bool:
        """Whether its values depend on all instruments."""
        return isinstance(self.component, UniverseNode)

    @property
    def label(self) -> str:
        """How messages call the step."""
        return node_label(self.nodes[0], self.component)


@dataclass(frozen=True)
class PlannedFilter:
    """A filter of the execution node: with `blocks`, True blocks entries."""

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
class PlannedComponent:
    """A decision component with an `on_bar` of its own, and where its columns come from.

    `rule` is a risk manager's place among the protective rules, or -1; `execution` the number of the execution whose
    entries a money manager sizes.
    """

    node: str
    component: Component
    inputs: Mapping[str, PlanWires]
    rule: int = -1
    execution: int = 0
    lookback: int | None = None

    def sources(self) -> Iterator[PlanSource]:
        """Yield every source of every input."""
        for wires in self.inputs.values():
            yield from each_wire(wires)


@dataclass(frozen=True)
class Decision:
    """The decision stage of one execution node: its inputs.

    `columns` are those that the execution rule uses, by port; `size_column` is what the size rule reads; `components`
    decide in Python; `position` is the first node that reads the position or the account, '' if none does.
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
    components: tuple[PlannedComponent, ...] = ()
    position: str = ""

    def sources(self) -> Iterator[PlanSource]:
        """Yield every source that the rules and filters of the stage read; not those of its `components`."""
        yield from self.signals
        yield from (each.column for each in self.filters)
        yield from (each.column for each in self.protection if each.column is not None)
        yield from self.columns.values()
        if self.size_column is not None:
            yield self.size_column


@dataclass(frozen=True)
class Plan:
    """The columns to compute, in order, and the decision stage. `step_of` maps node ids to steps.

    `decisions` has one for each execution node, in the order of the file: where several could enter an instrument at
    the same close, the first one does. `loop` is the program of the steps that run in the bar loop, None where nothing
    depends on the position. `members` are the instruments, `own`
    the plan of each of them if some have parameters of their own.
    """

    steps: tuple[PlanStep, ...]
    step_of: Mapping[str, int]
    feeds: tuple[str, ...]
    decisions: tuple[Decision, ...]
    loop: Loop | None = None
    members: Members = field(default_factory=Members)
    own: tuple[Plan, ...] = ()

    def of(self, number: int) -> Plan:
        """Return the plan of an instrument: with the same steps, and its own parameters."""
        return self.own[number] if self.own else self

    @cached_property
    def sees_universe(self) -> bool:
        """Whether any step depends on all instruments."""
        return any(step.sees_universe for step in self.steps)

    @property
    def protection(self) -> tuple[PlannedProtection, ...]:
        """The protective rules of all executions, each node once."""
        return tuple({each.node: each for decision in self.decisions for each in decision.protection}.values())

    @property
    def guards(self) -> tuple[PlannedGuard, ...]:
        """The guards of all executions, each node once."""
        return tuple({each.node: each for decision in self.decisions for each in decision.guards}.values())

    @property
    def components(self) -> tuple[PlannedComponent, ...]:
        """The components that decide in Python: each risk manager once, others once for each execution.

        `rule` is a risk manager's place among all protective rules.
        """
        places = {each.node: place for place, each in enumerate(self.protection)}
        found: dict[tuple[str, int], PlannedComponent] = {}
        for number, decision in enumerate(self.decisions):
            for each in decision.components:
                is_risk = each.node in places
                key = each.node, 0 if is_risk else number
                found.setdefault(key, replace(each, rule=places.get(each.node, -1), execution=key[1]))
        return tuple(found.values())

    @property
    def rule_nodes(self) -> tuple[str, ...]:
        """The node of each rule, as the ledger counts them: protective rules first, then guards."""
        return (*(each.node for each in self.protection), *(each.node for each in self.guards))

    def sources(self) -> Iterator[PlanSource]:
        """Yield every source that the rules and filters of the executions read; not those of the `components`."""
        for decision in self.decisions:
            yield from decision.sources()

    def window_of(self, source: PlanSource) -> Window:
        """Return the window of the path to a source."""
        return _window_of(source, self.steps)

    @property
    def window(self) -> Window:
        """What the decisions remember, over all paths; the position, orders and `ctx.state` come on top."""
        if not self.decisions:
            return {}
        windows = [self.window_of(source) for source in self.sources()]
        for part in self.components:
            read = [self.window_of(source) for source in part.sources()]
            windows.append(lengthened(longest(read), BASE_CLOCK, part.lookback))
        return longest([{BASE_CLOCK: 0}, *windows])


def _window_of(source: PlanSource, steps: Sequence[PlanStep]) -> Window:
    if isinstance(source, MarketColumn):
        return {source.feed: 0}
    return steps[source.step].window if isinstance(source, StepColumn) else {}


def declared_lookback(plan: Plan) -> dict[str, Any]:
    """Return how many bars each node and the decisions look back, as plain data; None for the whole history.

    `lookback` is the node's own, `path` that of all it reads with it, by clock.
    """
    nodes = {
        name: {"lookback": plan.steps[step].lookback, "path": dict(plan.steps[step].window)}
        for name, step in plan.step_of.items()
    }
    return {"decisions": dict(plan.window), "nodes": nodes}


def make_plan(graph: BoundGraph) -> Plan:
    """Return the plan of a graph that has no errors."""
    plan = _Planner(graph).plan()
    different = {symbol for node in graph.nodes.values() for symbol in node.variants}
    if not different:
        return plan
    made = {symbol: _Planner(graph, symbol).plan() for symbol in plan.members.symbols if symbol in different}
    return replace(plan, own=tuple(made.get(symbol, plan) for symbol in plan.members.symbols))


def members_of(graph: BoundGraph) -> Members:
    """Return the instruments of a graph as nodes that see the universe know them."""
    specs = [each.spec for each in graph.instruments]
    names = dict.fromkeys(name for spec in specs for name in spec.values)
    return Members(
        tuple(spec.symbol for spec in specs),
        {name: tuple(str(spec.values.get(name, "")) for spec in specs) for name in names},
    )


@dataclass
class _Planner:
    graph: BoundGraph
    symbol: str = ""
    steps: list[PlanStep] = field(default_factory=list)
    step_of: dict[str, int] = field(default_factory=dict)
    by_key: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def plan(self) -> Plan:
        for name in self._order():
            node = self.graph.nodes[name]
            if not isinstance(node.component, (DataNode, RiskManager, MoneyManager, ExecutionLogic)):
                self._add(node)
        feeds = tuple(name for name, node in self.graph.nodes.items() if isinstance(node.component, DataNode))
        decisions, reading = tuple(self._decisions()), [step.nodes[0] for step in self.steps if step.in_loop]
        if reading:
            decisions = tuple(replace(each, position=reading[0]) for each in decisions)
        loop = program_of(self.steps, decisions, StepColumn)
        return Plan(tuple(self.steps), self.step_of, feeds, decisions, loop, members_of(self.graph))

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
        others = {
            symbol: sorted(each.model_dump(mode="json", include=set(cls.parameters())).items())
            for symbol, each in node.variants.items()
        }
        key = (cls, repr(sorted(parameters.items())), repr(sorted(others.items())), tuple(sorted(inputs.items())))
        index = self.by_key.get(key)
        if index is None:
            index = self.by_key[key] = len(self.steps)
            self.steps.append(self._new_step(node, inputs))
        else:
            step = self.steps[index]
            self.steps[index] = replace(step, nodes=(*step.nodes, node.spec.id))
        self.step_of[node.spec.id] = index

    def _new_step(self, node: BoundNode, inputs: Mapping[str, PlanWires]) -> PlanStep:
        node = replace(node, component=node.variants.get(self.symbol, node.component))
        sources = [each for wires in inputs.values() for each in each_wire(wires)]
        in_loop = isinstance(node.component, PositionNode) or any(
            isinstance(each, StepColumn) and self.steps[each.step].in_loop for each in sources
        )
        clock, lookback = (BASE_CLOCK, 0) if in_loop else (self._clock(inputs), _lookback(node))
        clock = BASE_CLOCK if isinstance(node.component, UniverseNode) else clock
        window = lengthened(longest(_window_of(each, self.steps) for each in sources), clock or BASE_CLOCK, lookback)
        return PlanStep(node.component, clock, inputs, (node.spec.id,), _warmup(node), lookback, window, in_loop)

    def _source(self, source: Source) -> PlanSource:
        if not isinstance(source, NodeColumn):
            return source
        names = [output.name for output in self.graph.nodes[source.node].component.outputs]
        return StepColumn(self.step_of[source.node], names.index(source.output))

    def _clock(self, inputs: Mapping[str, PlanWires]) -> str:
        clocks = set()
        for wires in inputs.values():
            for source in each_wire(wires):
                if isinstance(source, MarketColumn):
                    clocks.add(source.feed)
                elif isinstance(source, StepColumn):
                    clocks.add(self.steps[source.step].clock)
        clocks.discard(ANY_CLOCK)
        if not clocks:
            return ANY_CLOCK
        return clocks.pop() if len(clocks) == 1 else BASE_CLOCK

    # ------------------------------------------------------------------ the decision stage

    def _decisions(self) -> Iterator[Decision]:
        for node in self.graph.nodes.values():
            component = node.component
            if isinstance(component, ExecutionLogic):
                rule = rule_of(node)
                if rule is not None or component.overrides("on_bar"):
                    yield self._decide(node, rule)

    def _decide(self, node: BoundNode, rule: ExecutionRule | None) -> Decision:
        filters: list[PlannedFilter] = []
        signals: list[StepColumn] = []
        risk: list[BoundNode] = []
        money: BoundNode | None = None
        reset: tuple[StepColumn, bool] | None = None
        for source in node.sources():
            if not isinstance(source, NodeColumn) or source.type not in _DECIDING:
                continue
            part = self.graph.nodes[source.node]
            if isinstance(part.component, RiskManager):
                risk.append(part)
            elif isinstance(part.component, MoneyManager):
                money = part
            elif isinstance(part.component, Filter):
                if part.component.group == "reset_volume":
                    reset = (self._step(source), part.component.invert)
                    continue
                blocks = (part.component.group == "block") != part.component.invert
                filters.append(PlannedFilter(source.node, self._step(source), blocks))
            else:
                signals.append(self._step(source))
        planned = [self._protection(part) for part in risk]
        protection = tuple(each for each in planned if isinstance(each, PlannedProtection))
        size, size_column = self._size(node, rule, money)
        if reset is not None and size.kind in STREAK_SIZES:
            size, size_column = replace(size, start=-1.0 if reset[1] else 1.0), reset[0]
        wired = {name: node.inputs[name] for name in EXECUTION_COLUMNS if name in node.inputs}
        return Decision(
            node.spec.id,
            rule or ExecutionRule(),
            tuple(signals),
            tuple(filters),
            protection,
            size,
            columns={name: self._source(wire) for name, wire in wired.items() if not isinstance(wire, tuple)},
            guards=tuple(each for each in planned if isinstance(each, PlannedGuard)),
            size_column=size_column,
            components=self._components(node, money, protection),
        )

    def _size(
        self, node: BoundNode, rule: ExecutionRule | None, money: BoundNode | None
    ) -> tuple[SizeRule, PlanSource | None]:
        """Return the size rule and its column; a quantity of nothing where weights or a component say how much."""
        nothing = SizeRule(SizeKind.QUANTITY, 0.0)
        if money is None:
            if rule is None or rule.rebalance is not None:
                return nothing, None
            text = Message("Execution node '{id}' has no money manager.", id=node.spec.id)
            raise RunError(text, node=node.spec.id, field="money")
        size = rule_of(money) if isinstance(money.component, MoneyManager) else None
        return size or nothing, self._rule_column(money, size.column if size is not None else None)

    def _components(
        self, execution: BoundNode, money: BoundNode | None, protection: tuple[PlannedProtection, ...]
    ) -> tuple[PlannedComponent, ...]:
        """Return the parts of the decision stage that decide in Python, because they have no rule."""
        numbered = [(execution, -1)]
        numbered += [(self.graph.nodes[each.node], number) for number, each in enumerate(protection)]
        numbered += [(money, -1)] if money is not None else []
        return tuple(self._component(part, number) for part, number in numbered if _has_no_rule(part))

    def _component(self, part: BoundNode, rule: int = -1) -> PlannedComponent:
        """Return a component that decides in Python, with those of its wires that carry columns."""
        if not part.component.overrides("on_bar"):
            text = Message(
                "Node '{id}' ({use}) has neither a rule nor 'on_bar', so it can't decide.",
                id=part.spec.id,
                use=part.spec.use,
            )
            raise RunError(text, node=part.spec.id)
        inputs: dict[str, PlanWires] = {}
        for port, wires in part.inputs.items():
            listed = wires if isinstance(wires, tuple) else (wires,)
            if any(type_of(source) in _STAGES for source in listed):
                continue
            columns = tuple(map(self._source, listed))
            inputs[port] = columns if isinstance(wires, tuple) else columns[0]
        return PlannedComponent(part.spec.id, part.component, inputs, rule, lookback=_lookback(part))

    def _step(self, source: NodeColumn) -> StepColumn:
        column = self._source(source)
        if not isinstance(column, StepColumn):  # pragma: no cover - _source keeps node columns node columns
            raise TypeError(column)
        return column

    def _protection(self, part: BoundNode) -> PlannedProtection | PlannedGuard:
        rule = rule_of(part) if isinstance(part.component, RiskManager) else None
        if rule is None:
            # Its orders bear the number of this rule, which has no distance of its own.
            rule = ProtectiveRule(ProtectiveKind.COMPONENT)
        if isinstance(rule, GuardRule):
            return PlannedGuard(part.spec.id, rule)
        return PlannedProtection(part.spec.id, rule, self._rule_column(part, rule.column))

    def _rule_column(self, part: BoundNode, port: str | None) -> PlanSource | None:
        """Return where the column comes from that a rule names by a port of its node."""
        wires = part.inputs.get(port) if port else None
        return None if wires is None or isinstance(wires, tuple) else self._source(wires)


def _has_no_rule(part: BoundNode) -> bool:
    return isinstance(part.component, (ExecutionLogic, RiskManager, MoneyManager)) and rule_of(part) is None


def each_wire(wires: PlanWires) -> tuple[PlanSource, ...]:
    """Return the sources of a port, one or several."""
    return wires if isinstance(wires, tuple) else (wires,)


def _warmup(node: BoundNode) -> int:
    return max(0, int(_told(node, "warm-up", node.component.warmup)))


def _lookback(node: BoundNode) -> int | None:
    bars = _told(node, "lookback", node.component.lookback)
    return None if bars is None else max(0, int(bars))


def _told(node: BoundNode, what: str, tell: Callable[[], int | None]) -> Any:
    """Return a number of bars that a component tells of itself.

    Raises:
        RunError: it failed, or told something else.
    """
    who = node_label(node.spec.id, node.component)
    try:
        with calling(
            who,
            Message("determining its warm-up") if what == "warm-up" else Message("determining its lookback"),
            node.component,
            node.spec.id,
        ):
            bars = tell()
            return bars if bars is None and what == "lookback" else int(bars)  # type: ignore[arg-type]
    except Exception as error:
        name, use, reason = node.spec.id, use_of(node.component), reason_of(error)
        text = (
            Message(
                "Node '{name}' ({use}) could not determine its warm-up: {reason}.", name=name, use=use, reason=reason
            )
            if what == "warm-up"
            else Message(
                "Node '{name}' ({use}) could not determine its lookback: {reason}.", name=name, use=use, reason=reason
            )
        )
        raise RunError(text, node=name) from error
