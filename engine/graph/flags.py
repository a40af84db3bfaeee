"""Applies `bypass` and `mute`: removes the flagged nodes from a typed graph.

1. Readers of a bypassed node get the source of that node's first input of the same type.
2. The output of a muted node is removed from lists and optional inputs; a node that requires it, or whose component
   rejects the rest, is muted too, and so on.
3. Bypassed and muted nodes leave the graph. An execution node without signals is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from quantcrafter.engine.api import Component, ExecutionLogic, InputPort, PortType, Problem
from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.graph.bound import (
    BoundGraph,
    BoundNode,
    MarketColumn,
    NodeColumn,
    Number,
    Source,
    Wires,
    type_of,
)


def without_flagged(graph: BoundGraph) -> tuple[BoundGraph, list[Problem]]:
    """Return the graph that is left, and what is wrong with the flags."""
    if not any(node.spec.bypass or node.spec.mute for node in graph.nodes.values()):
        return graph, []
    return _Flags(graph).apply()


@dataclass
class _Flags:
    graph: BoundGraph
    nodes: dict[str, BoundNode] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    muted: dict[str, str] = field(default_factory=dict)

    def apply(self) -> tuple[BoundGraph, list[Problem]]:
        self.nodes = {name: self._rewired(node) for name, node in self.graph.nodes.items()}
        self.muted = {name: "" for name, node in self.nodes.items() if node.spec.mute}
        pending = True
        while pending:
            pending = any(self._spread(name) for name in self.nodes if name not in self.muted)
        left = {
            name: self._reduced(node)
            for name, node in self.nodes.items()
            if name not in self.muted and not self._is_bypassed(name)
        }
        self._report_executions()
        feeds = {name: feed for name, feed in self.graph.feeds.items() if name in left}
        return replace(self.graph, nodes=left, feeds=feeds), self.problems

    # ------------------------------------------------------------------ bypass

    def _is_bypassed(self, name: str) -> bool:
        node = self.graph.nodes.get(name)
        return node is not None and node.spec.bypass and not node.spec.mute

    def _rewired(self, node: BoundNode) -> BoundNode:
        inputs: dict[str, Wires] = {}
        for port, wires in node.inputs.items():
            if isinstance(wires, tuple):
                inputs[port] = tuple(found for source in wires if (found := self._passed(source)) is not None)
            elif (found := self._passed(wires)) is not None:
                inputs[port] = found
        return replace(node, inputs=inputs)

    def _passed(self, source: Source) -> Source | None:
        """Return what is read in the place of a source when bypassed nodes pass on what they read."""
        seen: set[str] = set()
        found: Source | None = source
        while found is not None and (name := _owner(found)) is not None and self._is_bypassed(name):
            if name in seen:
                return None
            seen.add(name)
            found = self._first_input(self.graph.nodes[name], found)
        return found

    def _first_input(self, node: BoundNode, wanted: Source) -> Source | None:
        column = wanted.column if isinstance(wanted, MarketColumn) else ""
        kind = PortType.BARS if column else type_of(wanted)
        for port in type(node.component).inputs():
            wires = node.inputs.get(port.name)
            first = (wires[0] if wires else None) if isinstance(wires, tuple) else wires
            if port.type is kind and first is not None:
                return MarketColumn(first.feed, column) if column and isinstance(first, MarketColumn) else first
        message = Message(
            "'{id}' is bypassed, but has no {kind} input to pass on to those that read it.",
            id=node.spec.id,
            kind=word(kind),
        )
        self._report(node, "bypass", message, Message("Mute it instead, or remove 'bypass'."), "bypass")
        return None

    # ------------------------------------------------------------------ mute

    def _spread(self, name: str) -> bool:
        """Mute a node that lost an input which it cannot do without; return whether that happened."""
        node = self.nodes[name]
        for port in type(node.component).inputs():
            wires = node.inputs.get(port.name)
            if wires is None or self._left(wires) or (isinstance(wires, tuple) and not wires):
                continue
            if _is_needed(node, port):
                self.muted[name] = port.name
                return True
        _, changed = self._without_muted(node)
        if changed and not _is_accepted(node.component, changed):
            self.muted[name] = next(iter(changed))
            return True
        return False

    def _left(self, wires: Wires) -> tuple[Source, ...]:
        each = wires if isinstance(wires, tuple) else (wires,)
        return tuple(source for source in each if _owner(source) not in self.muted)

    def _reduced(self, node: BoundNode) -> BoundNode:
        """Return a node without what muted nodes gave it; its component knows as little of them."""
        inputs, changed = self._without_muted(node)
        component = node.component.model_copy(update=changed) if changed else node.component
        variants = {symbol: each.model_copy(update=changed) for symbol, each in node.variants.items()}
        return replace(node, component=component, inputs=inputs, variants=variants)

    def _without_muted(self, node: BoundNode) -> tuple[dict[str, Wires], dict[str, Any]]:
        """Return the wires that are left, and the component's fields that differ for it."""
        inputs: dict[str, Wires] = {}
        changed: dict[str, Any] = {}
        for port, wires in node.inputs.items():
            left = self._left(wires)
            if isinstance(wires, tuple):
                inputs[port] = left
                if len(left) < len(wires):
                    written = getattr(node.component, port)
                    kept = [text for text, source in zip(written, wires, strict=False) if source in left]
                    changed[port] = tuple(kept)
            elif left:
                inputs[port] = wires
            else:
                changed[port] = None
        return inputs, changed

    # ------------------------------------------------------------------ words

    def _report_executions(self) -> None:
        for name, node in self.nodes.items():
            if not isinstance(node.component, ExecutionLogic):
                continue
            if self._is_bypassed(name):
                text = Message("'{name}' has no output to pass on, so it can't be bypassed.", name=name)
                self._report(node, "bypass", text, Message("Remove 'bypass'."), "bypass")
            elif name in self.muted:
                self._report(node, "muted", *_reason(node, self.muted[name]))

    def _report(self, node: BoundNode, code: str, message: str, remedy: str, name: str) -> None:
        problem = node.spec.problem(code, message, remedy, field=name)
        if problem not in self.problems:
            self.problems.append(problem)


def _reason(node: BoundNode, port: str) -> tuple[str, str, str]:
    name = node.spec.id
    if not port:
        return Message("'{name}' is muted, so the strategy never trades.", name=name), Message("Unmute it."), "mute"
    kind = next(each.type for each in type(node.component).inputs() if each.name == port)
    if kind is PortType.MONEY:
        return (
            Message("What sizes the orders of '{name}' is muted, so it can't trade.", name=name),
            Message("Unmute it or wire another."),
            port,
        )
    if kind is not PortType.SIGNAL:
        text = Message(
            "What '{port}' of '{name}' reads is muted, and '{name}' can't do without it.", port=port, name=name
        )
        return text, Message("Unmute it or wire another."), port
    return (
        Message(
            "Everything that '{port}' of '{name}' reads is muted: nothing is left to trade on.", port=port, name=name
        ),
        Message("Unmute one."),
        port,
    )


def _owner(source: Source) -> str | None:
    """Return the node that a source belongs to; a number has none."""
    if isinstance(source, Number):
        return None
    return source.node if isinstance(source, NodeColumn) else source.feed


def _is_accepted(component: Component, changed: Mapping[str, Any]) -> bool:
    """Return whether a component can do with so little, such as a rule with the conditions that are left."""
    values = {name: getattr(component, name) for name in component.model_fields_set}
    try:
        type(component).model_validate({**values, **changed})
    except ValidationError:
        return False
    return True


def _is_needed(node: BoundNode, port: InputPort) -> bool:
    """Return whether a node cannot do without what it read on a port."""
    field_info = type(node.component).model_fields[port.name]
    if port.many:
        return port.required or any(getattr(meta, "min_length", 0) for meta in field_info.metadata)
    return port.required or field_info.default is not None
