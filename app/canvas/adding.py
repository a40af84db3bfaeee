"""Add nodes: from quick-add, at the end of a dropped wire, or dropped from the palette, also into a wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QObject, QPointF, QRectF

from quantcrafter.app.canvas.candidates import Offer, OfferPort, component_id
from quantcrafter.app.canvas.edit_context import EditContext, LooseEnd, Selection
from quantcrafter.app.canvas.editing.wiring import connect_edits
from quantcrafter.app.canvas.gestures.splice import SpliceHint
from quantcrafter.app.canvas.items.layout import Wired, node_layout
from quantcrafter.app.canvas.items.ports import PortRef
from quantcrafter.app.document.edits import AddNode, Connect, Edit, InsertIntoWire
from quantcrafter.app.document.ports import Ports, component_ports, input_type, output_of, reference_to, split_reference
from quantcrafter.app.document.view import NodeView, PortView, WireView
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import PortType, Role

SECTION_OF = {
    PortType.BARS: Role.DATA,
    PortType.SERIES: Role.INDICATOR,
    PortType.CONDITION: Role.LOGIC,
    PortType.SIGNAL: Role.ADVISOR,
    PortType.FILTER: Role.FILTER,
    PortType.RISK: Role.RISK,
    PortType.MONEY: Role.MONEY,
}
"""The section for the use of a block: that of its first output."""


class Adding(QObject):
    """Adds nodes to the level, each time in one undo step, at a free place."""

    def __init__(self, context: EditContext) -> None:
        super().__init__(context)
        self._context = context
        self._splice = SpliceHint(context)

    def take(self, offer: Offer, pos: QPointF, loose: LooseEnd | None = None) -> bool:
        """Add the component selected in quick-add, and connect it to a loose end; return whether it was possible."""
        if offer.role is not None:
            return self._add(offer.role, offer.use, pos, offer, loose)
        if loose is None:
            return False
        source = (split_reference(offer.use) or ("", ""))[0]
        edits = connect_edits(self._context, offer.use, loose.fixed)
        done = self._context.do(*edits, label=tr("Connect"))
        if done:
            self._context.count_wire(source, loose.fixed.node)
        return done

    def _add(self, role: Role, use: str, pos: QPointF, offer: Offer, loose: LooseEnd | None) -> bool:
        inputs = tuple(PortView(port.name, port.type) for port in offer.inputs)
        outputs = tuple(PortView(port.name, port.type) for port in offer.outputs)
        node = NodeView(self.free_id(use), role, use, inputs=inputs, outputs=outputs)
        layout = node_layout(node, Wired())
        port = loose.wanted.port(offer) if loose is not None else None
        left = layout.width if loose is not None and loose.wanted.gives else 0.0
        lift = layout.height / 2 if loose is not None else 0.0
        wanted = QPointF(pos.x() - left, pos.y() - lift)
        place = self._context.free_place(wanted, (layout.width, layout.height))
        edits: list[Edit] = [*self._context.pins(), AddNode(role, node.id, use, {}, place)]
        if loose is not None and port is not None:
            edits += self._wire(node, port, loose.fixed)
        if not self._context.do(*edits, label=tr("Add {name}", name=node.id)):
            return False
        self._added(node, loose)
        return True

    def _wire(self, node: NodeView, port: OfferPort, fixed: PortRef) -> list[Edit]:
        if fixed.side == "in":
            return connect_edits(self._context, reference_to(node, port.name), fixed)
        return [Connect(self._context.reference(fixed.node, fixed.port), node.id, port.name)]

    def _added(self, node: NodeView, loose: LooseEnd | None) -> None:
        context = self._context
        if node.role is not None:
            context.settings.count_quick_add(node.role.value, node.use)
        if loose is not None:
            ends = (loose.fixed.node, node.id)
            context.count_wire(*(ends if loose.fixed.side == "out" else reversed(ends)))
        context.select(Selection((node.id,)))

    def free_id(self, use: str) -> str:
        """Return the id that a new node of a component gets."""
        return self._context.document.free_id(component_id(use), self._context.scope)

    # ------------------------------------------------------------------ from the palette

    def look(self, data: bytes, pos: QPointF) -> None:
        """Show which wire a node dragged over the canvas would go into."""
        found = parse_node(data)
        if found is not None:
            ports, body = self._outline(*found, pos)
            self._splice.look_for_new(ports.inputs, ports.outputs, body)

    def look_no_more(self) -> None:
        """The dragged node has left the canvas."""
        self._splice.end()

    def drop(self, data: bytes, pos: QPointF) -> bool:
        """Add the node of a drop at the mouse, into the wire there if it fits; return whether it was possible."""
        found = parse_node(data)
        if found is None:
            self._context.message.emit(tr("This can't be dropped here."))
            return False
        role, use = found
        ports, body = self._outline(role, use, pos)
        self._splice.look_for_new(ports.inputs, ports.outputs, body)
        wire = self._splice.wire
        self._splice.end()
        return self.add(role, use, QPointF(body.topLeft()), wire)

    def add(self, role: Role, use: str, pos: QPointF, wire: WireView | None = None) -> bool:
        """Add a node at a place in the scene, and put it into a wire if one is given."""
        ports = self._ports(role, use)
        node = NodeView(self.free_id(use), role, use, inputs=ports.inputs, outputs=ports.outputs)
        layout = node_layout(node, Wired())
        place = self._context.free_place(pos, (layout.width, layout.height))
        edits: list[Edit] = [*self._context.pins(), AddNode(role, node.id, use, {}, place)]
        if wire is not None:
            edits.append(InsertIntoWire(node.id, wire.target, wire.port, wire.index))
        if not self._context.do(*edits, label=tr("Add {name}", name=node.id)):
            return False
        self._added(node, None)
        return True

    def _outline(self, role: Role, use: str, pos: QPointF) -> tuple[Ports, QRectF]:
        """Return the ports and the body of a node that would be dropped with its header under the mouse."""
        ports = self._ports(role, use)
        layout = node_layout(NodeView(use, role, use, inputs=ports.inputs, outputs=ports.outputs), Wired())
        body = QRectF(pos.x() - layout.width / 2, pos.y() - 15, layout.width, layout.height)
        return ports, body

    def _ports(self, role: Role, use: str) -> Ports:
        component = self._context.document.catalog.component(role, use)
        if component is not None:
            return component_ports(component)
        offer = next((offer for offer in block_offers(self._context) if offer.use == use), None)
        if offer is None:
            return Ports()
        inputs = tuple(PortView(port.name, port.type, required=port.required) for port in offer.inputs)
        return Ports(inputs, tuple(PortView(port.name, port.type) for port in offer.outputs))


def parse_node(data: bytes) -> tuple[Role, str] | None:
    """Return role and component of a drag from the palette, None for anything else."""
    try:
        found: Any = json.loads(data.decode("utf-8"))
        return Role(found["role"]), str(found["use"])
    except (ValueError, KeyError, TypeError):
        return None


def block_offers(context: EditContext) -> Iterator[Offer]:
    """Yield the blocks of the file that can be used at this level."""
    blocks = context.document.values.get("blocks")
    for name, block in blocks.items() if isinstance(blocks, dict) else ():
        if not isinstance(block, dict) or context.scope[-1:] == (name,):
            continue
        inner = context.document.graph(("blocks", name))
        outputs = tuple(_block_output(inner.nodes, *entry) for entry in _items(block.get("outputs")))
        inputs = tuple(
            OfferPort(key, input_type(kind), not (isinstance(kind, dict) and "default" in kind))
            for key, kind in _items(block.get("inputs"))
        )
        first = outputs[0].type if outputs else None
        role = SECTION_OF[first] if first is not None else Role.LOGIC
        about = block.get("description")
        yield Offer(role, name, tr("Block"), about if isinstance(about, str) else "", inputs, outputs)


def _items(mapping: Any) -> list[tuple[str, Any]]:
    return [(str(key), value) for key, value in mapping.items()] if isinstance(mapping, dict) else []


def _block_output(nodes: Any, name: str, reference: Any) -> OfferPort:
    head, output = split_reference(reference) or ("", "")
    node = nodes.get(head)
    port = output_of(node, output) if node is not None else None
    return OfferPort(name, port.type if port is not None else None)
