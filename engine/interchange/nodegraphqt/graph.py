"""A strategy as a node editor sees it: its own nodes with their ports, what feeds each port, and the parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import to_jsonable_python

from quantcrafter.engine.api import BAR_COLUMNS, Catalog, Component, DataNode, PortType, Role
from quantcrafter.engine.spec import BARS, SECTIONS, StrategySpec
from quantcrafter.engine.spec.references import REFERENCE, BlockUse

VALUE = "value"
"""The name of the output of a node whose outputs aren't known, where a reference names none."""

KEPT = ("use", "bypass", "mute")
"""The keys of a node that are no fields of its component."""


@dataclass(frozen=True, slots=True)
class GraphWire:
    """An output that feeds a port: the id of a node, or `bars`, and the name of its output."""

    node: str
    output: str


@dataclass(frozen=True, slots=True)
class GraphInput:
    """An input port: `default` is what it reads where the file says nothing."""

    name: str
    type: PortType | None
    many: bool
    default: Any = None


@dataclass(frozen=True, slots=True)
class OutputPort:
    """An output port; the type is None where it isn't known."""

    name: str
    type: PortType | None


BAR_OUTPUTS = (OutputPort(BARS, PortType.BARS), *(OutputPort(name, PortType.SERIES) for name in BAR_COLUMNS))


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node or the use of a block. `fields` are its values as the file has them, in that order.

    `parameters` maps the parameters of an installed component to their defaults (None for one that must be given). It
    is None where ports and parameters are known from the file alone.
    """

    id: str
    section: str
    use: str
    fields: Mapping[str, Any]
    inputs: tuple[GraphInput, ...] = ()
    outputs: tuple[OutputPort, ...] = ()
    parameters: Mapping[str, Any] | None = None
    bypass: bool = False
    mute: bool = False

    def input(self, name: str) -> GraphInput | None:
        """Return the input port of that name."""
        return next((port for port in self.inputs if port.name == name), None)


@dataclass(frozen=True, slots=True)
class StrategyGraph:
    """The nodes at a strategy's top level by id, with `bars`."""

    nodes: Mapping[str, GraphNode]

    def wires(self, node: GraphNode, port: GraphInput) -> tuple[GraphWire, ...]:
        """Return what feeds a port, in the order of the file; what it reads by default where the file says nothing."""
        value = node.fields.get(port.name, port.default)
        found = (self.wire(each) for each in references_in(value))
        return tuple(each for each in found if each is not None)

    def wire(self, reference: str) -> GraphWire | None:
        """Return the output that a reference means, None where it leads nowhere."""
        if REFERENCE.fullmatch(reference) is None:
            return None
        head, _, output = reference.partition(".")
        node = self.nodes.get(head)
        if node is None:
            return None
        output = output or whole_output(node)
        return GraphWire(head, output) if any(port.name == output for port in node.outputs) else None

    def reference(self, wire: GraphWire) -> str:
        """Return what a file says for an output: `fast`, `macd.signal`, `bars.close`, `bars`."""
        node = self.nodes.get(wire.node)
        return wire.node if node is None or wire.output == whole_output(node) else f"{wire.node}.{wire.output}"


def whole_output(node: GraphNode) -> str:
    """Return the output that is meant where a reference names the node alone; "" where it must name one."""
    if not node.outputs:
        return VALUE
    first = node.outputs[0].name
    return first if len(node.outputs) == 1 or first == BARS else VALUE if node.parameters is None else ""


def references_in(value: Any) -> Iterator[str]:
    """Yield the texts of a port's value, or of a list of such."""
    for each in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(each, str):
            yield each


def read_graph(values: Mapping[str, Any], spec: StrategySpec, catalog: Catalog) -> StrategyGraph:
    """Return the graph of a strategy.

    Args:
        values: the strategy's content as plain values.
        spec: the same strategy as it was parsed, for the ports of the blocks that it uses.
        catalog: the components that are installed. What isn't gets its ports from its wires.
    """
    nodes = {BARS: GraphNode(BARS, "", BARS, {}, outputs=BAR_OUTPUTS)}
    for section in SECTIONS:
        for name, body in (values.get(section) or {}).items():
            if isinstance(body, dict) and isinstance(body.get("use"), str):
                nodes[name] = _node(name, section, body, _block_of(spec, name), catalog)
    guessed = {name: _with_guessed_inputs(node, nodes) for name, node in nodes.items()}
    return StrategyGraph({name: _with_guessed_outputs(node, guessed) for name, node in guessed.items()})


def component_node(name: str, section: str, component: type[Component], fields: Mapping[str, Any]) -> GraphNode:
    """Return a node of an installed component."""
    inputs = []
    for port in component.inputs():
        default = None if port.required else to_jsonable_python(component.model_fields[port.name].default)
        inputs.append(GraphInput(port.name, port.type, port.many, default))
    outputs = tuple(OutputPort(port.name, port.type) for port in component.outputs)
    if issubclass(component, DataNode):
        outputs = BAR_OUTPUTS
    parameters = {each: _default(component, each) for each in component.parameters()}
    return GraphNode(name, section, component.name, fields, tuple(inputs), outputs, parameters)


def _default(component: type[Component], name: str) -> Any:
    info = component.model_fields[name]
    return None if info.is_required() else to_jsonable_python(info.get_default(call_default_factory=True))


def _block_of(spec: StrategySpec, name: str) -> BlockUse | None:
    use = spec.uses.get(name)
    return None if use is None else use.scope.blocks.get(name)


def _node(name: str, section: str, body: Mapping[str, Any], block: BlockUse | None, catalog: Catalog) -> GraphNode:
    use, fields = str(body["use"]), {key: value for key, value in body.items() if key not in KEPT}
    component = catalog.component(Role(section), use)
    if block is not None:
        inputs = tuple(
            GraphInput(port.name, port.type, isinstance(fields.get(port.name), list), port.default)
            for port in block.scope.inputs.values()
        )
        made = GraphNode(name, section, use, fields, inputs, tuple(OutputPort(out, None) for out in block.outputs))
    elif component is not None:
        made = component_node(name, section, component, fields)
    else:
        made = GraphNode(name, section, use, fields)
    return replace(made, bypass=body.get("bypass") is True, mute=body.get("mute") is True)


def _is_open(node: GraphNode) -> bool:
    """Return whether nothing says what ports a node has."""
    return node.parameters is None and not node.outputs


def _with_guessed_inputs(node: GraphNode, nodes: Mapping[str, GraphNode]) -> GraphNode:
    """Return a node that isn't installed with a port for each field that names other nodes."""
    if not _is_open(node):
        return node
    found = []
    for name, value in node.fields.items():
        heads = [each.partition(".")[0] for each in references_in(value) if REFERENCE.fullmatch(each)]
        if any(head in nodes for head in heads):
            found.append(GraphInput(name, None, isinstance(value, list)))
    return replace(node, inputs=tuple(found))


def _with_guessed_outputs(node: GraphNode, nodes: Mapping[str, GraphNode]) -> GraphNode:
    """Return a node that isn't installed with the outputs that others read."""
    if not _is_open(node):
        return node
    names: dict[str, None] = {}
    for other in nodes.values():
        for port in other.inputs:
            for text in references_in(other.fields.get(port.name)):
                head, _, output = text.partition(".")
                if head == node.id and REFERENCE.fullmatch(text):
                    names[output or VALUE] = None
    return replace(node, outputs=tuple(OutputPort(name, None) for name in names))


def literal_of(graph: StrategyGraph, node: GraphNode, name: str) -> Any:
    """Return a field's value where it isn't a matter of wires, None otherwise."""
    port, value = node.input(name), node.fields.get(name)
    return None if port is not None and graph.wires(node, port) else value
