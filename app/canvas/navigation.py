"""Navigation in a graph: upstream and downstream nodes, arrow keys, possible targets of a wire. No Qt."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Literal

from quantcrafter.app.canvas.candidates import fits
from quantcrafter.app.document.view import GraphView, PortView, WireView
from quantcrafter.engine.api import PortType

Way = Literal["left", "right", "up", "down"]


def neighbours(graph: GraphView, *, forward: bool) -> dict[str, list[str]]:
    """Return the nodes that read each node (or, backward, that it reads), each once, in the order of the wires."""
    found: dict[str, dict[str, None]] = {node: {} for node in graph.nodes}
    for wire in graph.wires:
        start, end = (wire.source, wire.target) if forward else (wire.target, wire.source)
        found.setdefault(start, {})[end] = None
    return {node: list(others) for node, others in found.items()}


def reach(graph: GraphView, ids: Iterable[str], *, forward: bool) -> set[str]:
    """Return the nodes and all that is downstream (or upstream) of them; each node is visited once."""
    following = neighbours(graph, forward=forward)
    seen = {node for node in ids if node in graph.nodes}
    queue = deque(seen)
    while queue:
        for other in following.get(queue.popleft(), ()):
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return seen


def step(graph: GraphView, node: str, direction: Way, places: Mapping[str, tuple[float, float]]) -> str | None:
    """Return where an arrow key leads from a node: left and right along wires, up and down among those next to it.

    Of several the nearest in height is taken. `places` are the centres of the nodes.
    """
    here = places.get(node, (0.0, 0.0))
    if direction in {"left", "right"}:
        others = neighbours(graph, forward=direction == "right").get(node, [])
        return min(others, key=lambda other: abs(places.get(other, here)[1] - here[1]), default=None)
    beside = _beside(graph, node) or {other for other in graph.nodes if other != node}
    sign = 1 if direction == "down" else -1
    ahead = [other for other in beside if sign * (places.get(other, here)[1] - here[1]) > 0]
    return min(ahead, key=lambda other: abs(places[other][1] - here[1]) + abs(places[other][0] - here[0]), default=None)


def _beside(graph: GraphView, node: str) -> set[str]:
    """Return the nodes that read what this one reads, or are read by what reads it."""
    back, forth = neighbours(graph, forward=False), neighbours(graph, forward=True)
    found = {other for source in back.get(node, ()) for other in forth.get(source, ())}
    found |= {other for target in forth.get(node, ()) for other in back.get(target, ())}
    return found - {node}


def fitting_inputs(graph: GraphView, source: str, output: str) -> set[tuple[str, str]]:
    """Return (node, port) of every input that an output can be wired to: equal type, and no cycle."""
    node = graph.nodes[source]
    kind = next((port.type for port in node.outputs if port.name == output), None)
    upstream = reach(graph, [source], forward=False)
    return {
        (target.id, port.name)
        for target in graph.nodes.values()
        if target.id not in upstream
        for port in target.inputs
        if fits(port.type, kind)
    }


def fitting_outputs(graph: GraphView, target: str, port: str) -> set[tuple[str, str]]:
    """Return (node, output) of every output that an input can read: equal type, and no cycle."""
    kind = input_type(graph, target, port)
    downstream = reach(graph, [target], forward=True)
    return {
        (source.id, output.name)
        for source in graph.nodes.values()
        if source.id not in downstream
        for output in source.outputs
        if fits(output.type, kind)
    }


def input_type(graph: GraphView, node: str, port: str) -> PortType | None:
    """Return the type of an input; None where it is not known."""
    found = graph.nodes.get(node)
    return next((known.type for known in found.inputs if known.name == port), None) if found else None


def splice_fits(graph: GraphView, node: str, wire: WireView) -> bool:
    """Return whether an unconnected node can stand in a wire: it reads the wire's type, and gives what is read."""
    inserted = graph.nodes.get(node)
    if inserted is None or node in {wire.source, wire.target}:
        return False
    kind = input_type(graph, wire.target, wire.port)
    wired = any(node in {other.source, other.target} for other in graph.wires)
    return not wired and can_splice(inserted.inputs, inserted.outputs, kind)


def can_splice(inputs: Iterable[PortView], outputs: Iterable[PortView], kind: PortType | None) -> bool:
    """Return whether ports of this kind are among the inputs and the outputs."""
    return any(fits(port.type, kind) for port in inputs) and any(fits(port.type, kind) for port in outputs)
