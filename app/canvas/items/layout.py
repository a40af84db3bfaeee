"""Where everything of a node stands inside it: rows, slots of list ports, labels. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quantcrafter.app.canvas.items.ports import Side
from quantcrafter.app.document.view import NodeView, PortView, WireView
from quantcrafter.engine.api import PortType

WIDTH = 190.0
HEADER = 30.0
SUBTITLE = 20.0
ROW = 20.0
FOOT = 8.0


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for a wire on a node's edge, `y` below the node's top.

    `literal` is the number that stands on the port instead of a wire; `free` is the place for one wire more on a list
    port; `missing` tells that the port must be wired and is not.
    """

    side: Side
    port: str
    index: int | None
    type: PortType | None
    label: str
    y: float
    wired: bool
    literal: str = ""
    free: bool = False
    missing: bool = False
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class NodeLayout:
    """A node's size in scene units and its slots, inputs first."""

    width: float
    height: float
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    has_subtitle: bool


@dataclass(frozen=True, slots=True)
class Wired:
    """Which ports of a node have a wire: (port, index) of inputs, names of outputs."""

    inputs: frozenset[tuple[str, int | None]] = frozenset()
    outputs: frozenset[str] = frozenset()


def wired_ports(wires: Iterable[WireView]) -> dict[str, Wired]:
    """Return the wired ports of each node that has any."""
    inputs: dict[str, set[tuple[str, int | None]]] = {}
    outputs: dict[str, set[str]] = {}
    for wire in wires:
        inputs.setdefault(wire.target, set()).add((wire.port, wire.index))
        outputs.setdefault(wire.source, set()).add(wire.output)
    return {
        node: Wired(frozenset(inputs.get(node, ())), frozenset(outputs.get(node, ())))
        for node in inputs.keys() | outputs
    }


def node_layout(node: NodeView, wired: Wired) -> NodeLayout:
    """Lay a node out: header, subtitle if any, then inputs on the left and outputs on the right, a row each."""
    has_subtitle = bool(node.subtitle) or not node.known
    top = HEADER + (SUBTITLE if has_subtitle else FOOT / 2)
    inputs: list[Slot] = []
    for port in node.inputs:
        inputs.extend(_input_slots(node, port, wired, top + len(inputs) * ROW + ROW / 2))
    outputs = [
        Slot(
            "out",
            port.name,
            None,
            port.type,
            port.name,
            top + number * ROW + ROW / 2,
            port.name in wired.outputs,
            description=port.description,
        )
        for number, port in enumerate(node.outputs)
    ]
    height = top + max(len(inputs), len(outputs)) * ROW + FOOT
    return NodeLayout(WIDTH, height, tuple(inputs), tuple(outputs), has_subtitle)


def _input_slots(node: NodeView, port: PortView, wired: Wired, y: float) -> list[Slot]:
    value = node.values.get(port.name)
    if not port.many:
        has_wire = (port.name, None) in wired.inputs
        literal = "" if has_wire else number_text(value)
        missing = port.required and not has_wire and not literal
        return [
            Slot("in", port.name, None, port.type, port.name, y, has_wire, literal, missing=missing,
                 required=port.required, description=port.description)
        ]  # fmt: skip
    values: Sequence[object] = value if isinstance(value, (list, tuple)) else ()
    indices = [index for name, index in wired.inputs if name == port.name and index is not None]
    count = max([len(values), *(index + 1 for index in indices)])
    slots = []
    for index in range(count):
        label = port.name if count == 1 else f"{port.name} {index + 1}"
        literal = number_text(values[index]) if index < len(values) else ""
        slots.append(
            Slot("in", port.name, index, port.type, label, y + index * ROW, (port.name, index) in wired.inputs, literal,
                 required=port.required, description=port.description)
        )  # fmt: skip
    slots.append(
        Slot("in", port.name, count, port.type, port.name, y + count * ROW, wired=False, free=True,
             missing=port.required and count == 0, required=port.required, description=port.description)
    )  # fmt: skip
    return slots


def number_text(value: object) -> str:
    """Return a number as a port shows it, '' for what is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
