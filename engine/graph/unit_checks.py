"""Warnings of series of different units that are added or compared, such as a price and a volume."""

from __future__ import annotations

from collections.abc import Iterator

from quantcrafter.engine.api import Component, Problem, Severity
from quantcrafter.engine.api.foreign import calling, node_label
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.units import PRICE, VOLUME, SeriesUnit
from quantcrafter.engine.graph.bound import BoundGraph, BoundNode, MarketColumn, NodeColumn, Wires

_OF_BARS = {**dict.fromkeys(("open", "high", "low", "close"), PRICE), "volume": VOLUME}


class _GraphUnits:
    """The unit of each node's output, as far as it is known; each is found once."""

    def __init__(self, graph: BoundGraph) -> None:
        self._graph = graph
        self._found: dict[str, SeriesUnit | None] = {}

    def of_inputs(self, node: BoundNode) -> dict[str, SeriesUnit | None]:
        """Return the unit of each input that is one series."""
        return {port: self._of(wires) for port, wires in node.inputs.items()}

    def _of(self, wires: Wires) -> SeriesUnit | None:
        if isinstance(wires, MarketColumn):
            return _OF_BARS.get(wires.column)
        if isinstance(wires, NodeColumn) and wires.node in self._graph.nodes:
            return self._of_node(wires.node)
        return None

    def _of_node(self, name: str) -> SeriesUnit | None:
        if name not in self._found:
            self._found[name] = None  # a node of a circle has none
            node = self._graph.nodes[name]
            component = node.component
            if component.overrides("output_unit"):
                try:
                    with calling(node_label(name, component), Message("telling its unit"), component, name):
                        self._found[name] = component.output_unit(self.of_inputs(node))
                except Exception:  # noqa: BLE001 - a unit that can't be told is not known
                    self._found[name] = None
        return self._found[name]


def unit_problems(graph: BoundGraph) -> Iterator[Problem]:
    """Yield a warning for each node that adds or compares series of different units."""
    units = _GraphUnits(graph)
    for node in graph.nodes.values():
        component: Component = node.component
        if not component.overrides("mixed_units"):
            continue
        for left, right in component.mixed_units(units.of_inputs(node)):
            text = Message(
                "Node '{node}' adds or compares {left} and {right}.",
                node=node.spec.id,
                left=str(left),
                right=str(right),
            )
            remedy = Message("Check the formula. A quotient of two prices, or of two volumes, is a plain number.")
            yield node.spec.problem("mixed_units", text, remedy, severity=Severity.WARNING)
