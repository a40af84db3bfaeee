"""Converts a strategy's spec to its typed graph. All problems are found in one pass and reported together.

1. Each node's `use` is looked up and its parameters are validated by the component's own schema.
2. Each instrument's and feed's provider is looked up and validated.
3. Each reference is resolved in its scope, and the type of the wire is checked.
4. Cycles are named.
5. Bypassed and muted nodes are removed from the graph.
6. The decision stage is checked: one execution node, signals and money connected, no unconnected protective node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from quantcrafter.engine.api import (
    BAR_COLUMNS,
    Catalog,
    Component,
    ComponentError,
    DataError,
    DataNode,
    DataProvider,
    FeedNode,
    InputPort,
    PathRefusedError,
    PortType,
    Problem,
    Role,
    Severity,
)
from quantcrafter.engine.api.extra_columns import extra_of
from quantcrafter.engine.api.folders import allow_for_now, check_place, expanded
from quantcrafter.engine.api.foreign import calling, is_own, node_label, reason_of, use_of, with_origin
from quantcrafter.engine.api.message import Message, joined, word
from quantcrafter.engine.api.settings import Continuous
from quantcrafter.engine.data.continuous.provider import ContinuousProvider, has_path
from quantcrafter.engine.graph.account_problems import benchmark_problem
from quantcrafter.engine.graph.bound import (
    BASE_CLOCK,
    BoundBenchmark,
    BoundFeed,
    BoundGraph,
    BoundInstrument,
    BoundNode,
    MarketColumn,
    NodeColumn,
    Number,
    Source,
    Wires,
    type_of,
)
from quantcrafter.engine.graph.checks import decision_problems, find_cycles, idle_nodes
from quantcrafter.engine.graph.flags import without_flagged
from quantcrafter.engine.graph.own_parameters import OwnParameters
from quantcrafter.engine.graph.schedule_problems import schedule_problems
from quantcrafter.engine.graph.stored_market import market_problems
from quantcrafter.engine.graph.suggest import owner_problem, parameter_problems
from quantcrafter.engine.graph.terms import Terms, resolve
from quantcrafter.engine.graph.unit_checks import unit_problems
from quantcrafter.engine.graph.universe_checks import universe_problems
from quantcrafter.engine.graph.universes import Universes
from quantcrafter.engine.graph.written_source import written_source
from quantcrafter.engine.spec import (
    Bound,
    Bypassed,
    InstrumentSpec,
    Literal,
    NodeSpec,
    Resolution,
    Resolved,
    StrategySpec,
    Suggester,
    Unresolved,
)
from quantcrafter.engine.spec.model import Located
from quantcrafter.engine.spec.tree import Mapping as MappingNode
from quantcrafter.engine.spec.tree import content


def bind(spec: StrategySpec, catalog: Catalog) -> tuple[BoundGraph, list[Problem]]:
    """Return the usable part of the graph and all problems; the graph can run only without errors."""
    return _Binder(spec, catalog).bind()


@dataclass
class _Binder:
    spec: StrategySpec
    catalog: Catalog
    problems: list[Problem] = field(default_factory=list)
    components: dict[str, Component] = field(default_factory=dict)
    suggest: Suggester = field(default_factory=Suggester)
    refused_files: dict[str, None] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)
    variants: dict[str, dict[str, Component]] = field(default_factory=dict)

    def bind(self) -> tuple[BoundGraph, list[Problem]]:
        self._resolve_terms()
        for node in self.spec.nodes.values():
            component = self._component(node)
            if component is not None:
                self.components[node.id] = component
                if node.per_instrument is not None:
                    own = OwnParameters(node, component, self.spec.instruments, self.suggest)
                    self.variants[node.id] = own.variants(self._values_of(node, type(component)))
                    self.problems += own.problems
        instruments = tuple(filter(None, map(self._instrument, self.spec.instruments)))
        feeds = {name: feed for name in self.components if (feed := self._feed(self.spec.nodes[name])) is not None}
        nodes = {name: self._wire(self.spec.nodes[name], component) for name, component in self.components.items()}
        whole = BoundGraph(self.spec, nodes, instruments, feeds)
        self.problems += find_cycles(whole)
        graph, found = without_flagged(whole)
        self.problems += found
        self.problems += decision_problems(graph)
        self.problems += idle_nodes(whole)
        self.problems += universe_problems(whole)
        self.problems += unit_problems(whole)
        self.problems += schedule_problems(whole)
        benchmark = self._benchmark(graph) if self.spec.run.benchmark else None
        return replace(graph, benchmark=benchmark, refused_files=tuple(self.refused_files)), self.problems

    # ------------------------------------------------------------------ components and providers

    def _component(self, node: NodeSpec) -> Component | None:
        cls = self.catalog.component(node.role, node.use)
        if cls is None:
            self._unknown_use(node)
            return None
        values = self._values_of(node, cls)
        who = node_label(node.id, cls)
        try:
            with calling(who, Message("checking its parameters"), cls, node.id):
                return cls.model_validate(values)
        except ValidationError as error:
            self.problems += parameter_problems(error, cls, node, f"'{node.use}'", self.suggest)
            return None
        except Exception as error:
            if is_own(cls):
                raise
            text = Message(
                "Node '{id}' ({use}) failed while its parameters were checked: {reason}.",
                id=node.id,
                use=use_of(cls),
                reason=reason_of(error),
            )
            raise ComponentError(text, node=node.id) from error

    def _values_of(self, node: NodeSpec, cls: type[Component]) -> dict[str, Any]:
        """Return the fields of a node, with absolute paths."""
        values = dict(node.values)
        for name in cls.path_parameters():
            if isinstance(values.get(name), str):
                values[name] = self._path(values[name], name, node)
        return values

    def _unknown_use(self, node: NodeSpec) -> None:
        message: str
        remedy: str
        elsewhere = [role for role in Role if role != node.role and self.catalog.component(role, node.use) is not None]
        if elsewhere:
            message = Message("'{use}' doesn't belong in the section '{role}'.", use=node.use, role=node.role)
            remedy = Message("Move node '{id}' to '{elsewhere}'.", id=node.id, elsewhere=elsewhere[0])
        elif (absent := self.catalog.why_absent(node.use)) is not None:
            message, remedy = absent
        else:
            names = (*self.catalog.component_names(node.role), *self.spec.block_names)
            message = Message("There is no component '{use}' for the section '{role}'.", use=node.use, role=node.role)
            out = self.catalog.left_out
            missing = (
                Message("These plugins are not in use: {names} ('quantcrafter plugins').", names=", ".join(out))
                if out
                else Message("A plugin that provides it may be missing.")
            )
            remedy = joined([self.suggest(node.use, names), missing])
        self._report(node, "unknown_use", message, remedy, "use")

    def _provider(self, name: str, options: Mapping[str, Any], owner: InstrumentSpec | NodeSpec) -> DataProvider | None:
        cls = self.catalog.provider(name)
        if cls is None:
            place = owner.place("data")
            names = self.catalog.provider_names()
            self.problems.append(
                Problem(
                    code="unknown_provider",
                    message=Message("There is no data provider '{name}'.", name=name),
                    remedy=self.suggest(name, names) or Message("Available: {names}.", names=", ".join(names)),
                    file=place.file,
                    line=place.line,
                    column=place.column,
                    path=f"{owner.path}.data",
                    field="data",
                )
            )
            return None
        who = with_origin(Message("Data provider '{name}'", name=name), cls)
        try:
            with calling(who, Message("checking its options"), cls):
                provider = cls.model_validate(dict(options))
        except ValidationError as error:
            self.problems += parameter_problems(error, cls, owner, _provider_label(name), self.suggest)
            return None
        except Exception as error:
            if is_own(cls):
                raise
            text = Message("{who} failed while its options were checked: {reason}.", who=who, reason=reason_of(error))
            raise DataError(text) from error
        for parameter in cls.path_parameters():
            path = getattr(provider, parameter)
            if isinstance(path, str):
                self._path(path, parameter, owner)
        return provider

    def _path(self, written: str, name: str, owner: InstrumentSpec | NodeSpec) -> str:
        """Return the absolute path, and add a problem if the strategy may not read it."""
        try:
            path = expanded(written, self.spec.base_dir)
            if self._is_given(written, name):
                allow_for_now(path)
            check_place(path, self.spec.base_dir, written)
        except PathRefusedError as error:
            code = "folder" if error.file else "path"
            self.refused_files |= {error.file: None} if error.file else {}
            self.problems.append(owner_problem(owner, code, error.reason, error.remedy, name))
            return written
        return str(path)

    def _is_given(self, written: str, name: str) -> bool:
        """Return whether an override that the user typed says it, which is permission enough."""
        if not self.spec.by_hand:
            return False
        given = (change.partition("=") for change in self.spec.overrides)
        return any(key.rpartition(".")[2].strip() == name and value.strip(" '\"") == written for key, _, value in given)

    def _resolve_terms(self) -> None:
        """Replace universes by their instruments, and fill in the values of the instruments' markets."""
        universes = Universes(self.catalog, self.spec.base_dir)
        instruments = universes.expanded(self.spec.instruments)
        self.problems += universes.problems
        self.refused_files |= dict.fromkeys(universes.refused)
        made = []
        for instrument in instruments:
            spec, self.terms[instrument.symbol], found = resolve(instrument, self.catalog.markets, self.spec.run)
            made.append(spec)
            self.problems += found
        self.spec = replace(self.spec, instruments=tuple(made))

    def _instrument(self, instrument: InstrumentSpec) -> BoundInstrument | None:
        for name, path in instrument.files:
            self._path(path, name, instrument)
        if instrument.continuous is None and _is_mapping(instrument, "continuous"):
            return None  # it is wrong, as was said
        if instrument.continuous is not None:
            provider = self._continuous(instrument, instrument.continuous)
        else:
            provider = self._provider(instrument.data, instrument.options, instrument)
        self.problems += market_problems(instrument, provider, self.terms[instrument.symbol])
        return None if provider is None else BoundInstrument(instrument, provider, self.terms[instrument.symbol])

    def _continuous(self, instrument: InstrumentSpec, series: Continuous) -> DataProvider | None:
        """Return the provider of a continuous series, whose contracts the instrument's provider loads."""
        cls = self.catalog.provider(instrument.data)
        options = dict(instrument.options)
        if cls is not None and has_path(cls):
            if "path" in options:
                text = Message("{symbol} has both 'path' and 'continuous'.", symbol=instrument.symbol)
                remedy = Message("Leave out 'path': 'contracts' names the files.")
                self.problems.append(owner_problem(instrument, "instruments", text, remedy, "path"))
                return None
            options["path"] = self._path(_a_contract(series), "path", instrument)
        sample = self._provider(instrument.data, options, instrument)
        if sample is None or cls is None:
            return None
        market = self.terms[instrument.symbol].market
        contract = None if market is None else market.contract(instrument.symbol)
        return ContinuousProvider.of(cls, dict(instrument.options), series, contract)

    def _feed(self, node: NodeSpec) -> BoundFeed | None:
        component = self.components[node.id]
        if not isinstance(component, FeedNode):
            return None
        provider = self._provider(component.data, component.provider_options(), node)
        if provider is None:
            return None
        own = self.terms.get(component.symbol)
        if own is None or component.market:
            place = InstrumentSpec(component.symbol, component.data, market=component.market)
            _, own, found = resolve(place, self.catalog.markets, self.spec.run)
            errors = [each for each in found if each.severity is Severity.ERROR]
            self.problems += [node.problem(each.code, each.message, each.remedy, field="market") for each in errors]
        return BoundFeed(component, provider, own)

    def _benchmark(self, graph: BoundGraph) -> BoundBenchmark | None:
        written = self.spec.run.benchmark
        for number, instrument in enumerate(graph.instruments):
            if instrument.spec.symbol == written:
                return BoundBenchmark(written, instrument=number)
        if written in graph.feeds:
            return BoundBenchmark(written, feed=written, terms=graph.feeds[written].terms)
        source = written_source(written, self.catalog)
        if source is None:
            self.problems.append(benchmark_problem(graph, self.catalog, self.suggest))
            return None
        place = Located(self.spec.place("benchmark"))
        options = {"path": source.path} if source.path else {}
        owner = InstrumentSpec(source.symbol, source.provider, options=options, path="run.benchmark", located=place)
        provider = self._provider(source.provider, options, owner)
        terms = self.terms.get(source.symbol)
        if terms is None:
            _, terms, _ = resolve(owner, self.catalog.markets, self.spec.run)
        return BoundBenchmark(written, symbol=source.symbol, provider=provider, terms=terms)

    # ------------------------------------------------------------------ wires

    def _wire(self, node: NodeSpec, component: Component) -> BoundNode:
        inputs: dict[str, Wires] = {}
        for port in type(component).inputs():
            value = getattr(component, port.name)
            if value is None:
                continue
            if port.many:
                inputs[port.name] = tuple(
                    source for index, part in enumerate(value) for source in self._sources(node, port, part, index)
                )
                continue
            sources = self._sources(node, port, value, None)
            if len(sources) > 1:
                self._report(
                    node,
                    "one_wire",
                    Message("'{name}' of '{id}' takes one wire, was a list.", name=port.name, id=node.id),
                    "",
                    port.name,
                )
            elif sources:
                inputs[port.name] = sources[0]
        return BoundNode(node, component, inputs, self.variants.get(node.id, {}))

    def _sources(self, node: NodeSpec, port: InputPort, value: object, index: int | None) -> tuple[Source, ...]:
        if not isinstance(value, str):
            return (Number(float(value)),) if isinstance(value, (int, float)) else ()
        parts = self._parts(node, port, self.spec.resolve(node, value), index)
        found = (self._source(node, port, value, part, index) for part in parts)
        return tuple(source for source in found if source is not None)

    def _parts(
        self, node: NodeSpec, port: InputPort, target: Resolution, index: int | None
    ) -> tuple[Resolved | Literal, ...]:
        """Return the single outputs and numbers that a reference stands for."""
        if isinstance(target, Unresolved):
            if not target.reported:
                self._report(node, "dangling", target.message, target.remedy, port.name, index)
            return ()
        if isinstance(target, Bound):
            return tuple(part for item in target.items for part in self._parts(node, port, item, index))
        if isinstance(target, Bypassed):
            return self._around(node, port, target, index)
        return (target,)

    def _around(
        self, node: NodeSpec, port: InputPort, target: Bypassed, index: int | None
    ) -> tuple[Resolved | Literal, ...]:
        """Return what a bypassed block passes on in the place of one of its outputs."""
        kind = self._type_at(target)
        if kind is None:
            return ()  # the problem of what the block's output means has been reported
        found = next((bound for wanted, bound in target.inputs if wanted is kind), None)
        if found is not None:
            return self._parts(node, port, found, index)
        use = self.spec.uses[target.node]
        message = Message(
            "'{id}' is bypassed, but has no {kind} input to pass on to those that read it.", id=use.id, kind=word(kind)
        )
        remedy = Message("Mute it instead, or remove 'bypass'.")
        problem = use.problem("bypass", message, remedy, field="bypass")
        if problem not in self.problems:
            self.problems.append(problem)
        return ()

    def _type_at(self, target: Resolved | Literal | Bypassed) -> PortType | None:
        if isinstance(target, Bypassed):
            return self._type_at(target.output)
        if isinstance(target, Literal):
            return PortType.SERIES
        component = self.components.get(target.node)
        if target.node == BASE_CLOCK or isinstance(component, DataNode):
            return PortType.SERIES if target.output else PortType.BARS
        outputs = component.outputs if component is not None else ()
        return next((out.type for out in outputs if not target.output or out.name == target.output), None)

    def _source(
        self, node: NodeSpec, port: InputPort, written: str, target: Resolved | Literal, index: int | None
    ) -> Source | None:
        if isinstance(target, Literal):
            if port.type is not PortType.SERIES:
                self._mismatch(node, port, written, Message("a number"), index)
                return None
            return Number(target.value)
        source = self._target(node, port, written, target, index)
        if source is None:
            return None
        actual = type_of(source)
        if actual is not port.type:
            self._mismatch(node, port, written, _A_TYPE[actual], index)
            return None
        return source

    def _target(
        self, node: NodeSpec, port: InputPort, written: str, target: Resolved, index: int | None
    ) -> Source | None:
        component = self.components.get(target.node)
        is_bars = target.node == BASE_CLOCK
        if component is None and not is_bars:
            return None  # its own problem has been reported
        if is_bars or isinstance(component, DataNode):
            names: tuple[str, ...] = (*BAR_COLUMNS, *self._further(component))
            if target.output in ("", *names):
                return MarketColumn(target.node, target.output)
        else:
            outputs = {output.name: output for output in component.outputs} if component is not None else {}
            if target.output in outputs:
                return NodeColumn(target.node, target.output, outputs[target.output].type)
            if not target.output and len(outputs) == 1:
                only = next(iter(outputs.values()))
                return NodeColumn(target.node, only.name, only.type)
            names = tuple(outputs)
            if not target.output:
                choice = ", ".join(f"{written}.{name}" for name in names)
                what = (
                    Message("'{written}' has several outputs.", written=written)
                    if names
                    else Message("'{written}' has no output.", written=written)
                )
                self._report(
                    node,
                    "which_output",
                    what,
                    Message("Write one of {choice}.", choice=choice) if names else "",
                    port.name,
                    index,
                )
                return None
        message = Message("'{node}' has no output '{output}'.", node=target.node, output=target.output)
        self._report(
            node,
            "unknown_output",
            message,
            (is_bars and self._lacking(target.output))
            or self.suggest(target.output, names)
            or Message("It has: {names}.", names=", ".join(names)),
            port.name,
            index,
        )
        return None

    def _lacking(self, column: str) -> str:
        """Return what to do where some instruments have a further column, and others don't."""
        lacking = [each.symbol for each in self.spec.instruments if column not in extra_of(each.options)]
        if not lacking:
            return ""  # there is no instrument
        return Message("{symbol} lacks it: name it under 'columns' of every instrument.", symbol=lacking[0])

    def _further(self, component: Component | None) -> tuple[str, ...]:
        """Return the columns beside the prices of a source of bars: of the instruments, those that all of them have."""
        if isinstance(component, FeedNode):
            return extra_of(component.provider_options())
        given = [extra_of(each.options) for each in self.spec.instruments]
        return tuple(name for name in (given[0] if given else ()) if all(name in each for each in given))

    def _mismatch(self, node: NodeSpec, port: InputPort, written: str, actual: str, index: int | None) -> None:
        message = Message(
            "'{name}' of '{id}' takes a {type}, but '{written}' is {actual}.",
            name=port.name,
            id=node.id,
            type=word(port.type),
            written=written,
            actual=actual,
        )
        fits = [
            name if len(component.outputs) == 1 else f"{name}.{output.name}"
            for name, component in self.components.items()
            for output in component.outputs
            if output.type is port.type and "/" not in name and name != node.id
        ]
        if port.type is PortType.SERIES:
            fits += ["bars.close"]
        remedy = Message("Compatible outputs: {fits}.", fits=", ".join(fits[:6])) if fits else ""
        self._report(node, "type_mismatch", message, remedy, port.name, index)

    def _report(
        self, node: NodeSpec, code: str, message: str, remedy: str, name: str, index: int | None = None
    ) -> None:
        self.problems.append(node.problem(code, message, remedy, field=name, index=index))


_A_TYPE = {
    PortType.SERIES: Message("a series"),
    PortType.BARS: Message("a bars"),
    PortType.CONDITION: Message("a condition"),
    PortType.SIGNAL: Message("a signal"),
    PortType.FILTER: Message("a filter"),
    PortType.RISK: Message("a risk"),
    PortType.MONEY: Message("a money"),
}


def _is_mapping(instrument: InstrumentSpec, name: str) -> bool:
    """Return whether the file gives a mapping for a key."""
    entry = instrument.located.entries.get(name)
    return entry is not None and isinstance(content(entry.value), MappingNode)


def _a_contract(series: Continuous) -> str:
    """Return the path of one of a series' contracts, or its pattern: what may be read is told by the folder."""
    if isinstance(series.contracts, str):
        return series.contracts
    first = series.contracts[0]
    return first if isinstance(first, str) else first.path or first.symbol


def _provider_label(name: str) -> Message:
    return Message("data provider '{name}'", name=name)


def has_errors(problems: list[Problem]) -> bool:
    """Return whether any of the problems forbids a run."""
    return any(problem.severity is Severity.ERROR for problem in problems)
