"""The typed graph: components built from the file, with each input resolved to the source of its column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from quantcrafter.engine.api import (
    Component,
    ComponentError,
    DataProvider,
    FeedNode,
    PortType,
    Problem,
    QuantCrafterError,
)
from quantcrafter.engine.api.foreign import calling, is_plain, node_label, reason_of, use_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph.terms import Terms
from quantcrafter.engine.spec import InstrumentSpec, NodeSpec, StrategySpec

BASE_CLOCK = "bars"


@dataclass(frozen=True, slots=True)
class Number:
    """A literal instead of a wire; every consumer gets it as a full column."""

    value: float


@dataclass(frozen=True, slots=True)
class MarketColumn:
    """A column of a feed's bars, or the whole bars when `column` is empty; the feed `bars` is the instrument's own."""

    feed: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class NodeColumn:
    """One output column of a node."""

    node: str
    output: str
    type: PortType


Source = Number | MarketColumn | NodeColumn
Wires = Source | tuple[Source, ...]


def type_of(source: Source) -> PortType:
    """Return the value type of a source."""
    if isinstance(source, NodeColumn):
        return source.type
    if isinstance(source, MarketColumn):
        return PortType.SERIES if source.column else PortType.BARS
    return PortType.SERIES


@dataclass(frozen=True)
class BoundNode:
    """A node with an existing component that accepted its parameters; `inputs` maps port names to sources.

    `variants` are the components of instruments that have parameters of their own, by symbol.
    """

    spec: NodeSpec
    component: Component
    inputs: Mapping[str, Wires]
    variants: Mapping[str, Component] = field(default_factory=dict)

    def sources(self) -> Iterator[Source]:
        """Yield every source of every input."""
        for wires in self.inputs.values():
            yield from wires if isinstance(wires, tuple) else (wires,)


def rule_of(node: BoundNode) -> Any:
    """Return the rule of a node's component, which is one that has rules; None if it decides bar by bar.

    Raises:
        ComponentError: it failed.
    """
    component: Any = node.component
    who = node_label(node.spec.id, component)
    try:
        with calling(who, Message("providing its rule"), component, node.spec.id):
            return component.rule()
    except Exception as error:
        if isinstance(error, QuantCrafterError) and is_plain(error):
            error.node = error.node or node.spec.id
            raise
        text = Message(
            "Node '{id}' ({use}) failed in rule: {reason}.",
            id=node.spec.id,
            use=use_of(component),
            reason=reason_of(error),
        )
        raise ComponentError(text, node=node.spec.id) from error


@dataclass(frozen=True)
class BoundInstrument:
    """An instrument, the provider of its bars, and the terms that are known without bars."""

    spec: InstrumentSpec
    provider: DataProvider
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True)
class BoundFeed:
    """A feed node, the provider of its bars, and the terms of the market that its symbol names."""

    component: FeedNode
    provider: DataProvider
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True)
class BoundBenchmark:
    """What a run is compared with: an instrument by its number, a feed by its name, or bars of its own.

    Of its own bars `symbol` and `provider` say where they are, and `terms` what the symbol's market says.
    """

    name: str
    instrument: int | None = None
    feed: str = ""
    symbol: str = ""
    provider: DataProvider | None = None
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True)
class BoundGraph:
    """The usable parts of a strategy, in file order, without bypassed and muted nodes.

    Errors are reported apart; `warnings` are the findings that do not keep it from running. `refused_files` are
    those that the strategy names, and may not read.
    """

    spec: StrategySpec
    nodes: Mapping[str, BoundNode]
    instruments: tuple[BoundInstrument, ...]
    feeds: Mapping[str, BoundFeed] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    refused_files: tuple[str, ...] = ()
    benchmark: BoundBenchmark | None = None
