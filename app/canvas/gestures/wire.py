"""Drag a wire from a port to another port, or to an empty area to add a node there."""

from __future__ import annotations

from math import hypot

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from quantcrafter.app.canvas.candidates import Wanted
from quantcrafter.app.canvas.edit_context import EditContext, LooseEnd
from quantcrafter.app.canvas.editing.wiring import connect_edits
from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.canvas.items.ports import Side
from quantcrafter.app.canvas.navigation import fitting_inputs, fitting_outputs, input_type
from quantcrafter.app.canvas.scene import PortRef
from quantcrafter.app.document.edits import Disconnect
from quantcrafter.app.document.view import WireView
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import PortType

SNAP_PIXELS = 26


class WireDrag:
    """From an output, or from an input; the end of a wire that is there already is taken along.

    What fits is found once, when the drag begins; it lights up and the rest fades.
    """

    def __init__(self, context: EditContext) -> None:
        self._context = context
        self._fixed: PortRef | None = None
        self._picked: WireView | None = None
        self._from = QPoint()
        self._started = False
        self._targets: dict[PortRef, QPointF] = {}

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        if event.button() != Qt.MouseButton.LeftButton or hit.port is None or alt:
            return False
        self._fixed, self._picked = self._ends(hit.port)
        self._from = event.position().toPoint()
        self._started = False
        return True

    def _ends(self, port: PortRef) -> tuple[PortRef, WireView | None]:
        """Return the end that stays, and the wire that is picked up with the other one."""
        if port.side == "in":
            for wire in self._context.graph.wires:
                if (wire.target, wire.port, wire.index) == (port.node, port.port, port.index):
                    return PortRef(wire.source, "out", wire.output), wire
        return port, None

    def move(self, event: QMouseEvent) -> None:
        if self._fixed is None:
            return
        at = event.position().toPoint()
        if not self._started:
            if (at - self._from).manhattanLength() < QApplication.startDragDistance():
                return
            if self._context.locked:
                self._context.message.emit(self._context.locked)
                self.cancel()
                return
            self._begin(self._fixed)
        self._follow(self._fixed, self._context.scene_pos(event), at)

    def _begin(self, fixed: PortRef) -> None:
        self._started = True
        graph, scene = self._context.graph, self._context.scene
        if fixed.side == "out":
            ends = fitting_inputs(graph, fixed.node, fixed.port)
        else:
            ends = fitting_outputs(graph, fixed.node, fixed.port)
        side: Side = "in" if fixed.side == "out" else "out"
        self._targets = {
            PortRef(node, side, slot.port, slot.index): item.port_scene_pos(side, slot.port, slot.index)
            for node, item in scene.nodes.items()
            for slot in (item.layout.inputs if side == "in" else item.layout.outputs)
            if (node, slot.port) in ends
        }
        scene.highlight_ports({fixed, *self._targets})
        if self._picked is not None and self._picked in scene.wires:
            scene.wires[self._picked].setVisible(False)

    def _follow(self, fixed: PortRef, pos: QPointF, at: QPoint) -> None:
        target = self._target(pos)
        start = self._context.scene.nodes[fixed.node].port_scene_pos(fixed.side, fixed.port, fixed.index)
        refusal = "" if target is not None else self._refusal(fixed, pos)
        end = self._targets[target] if target is not None else pos
        self._show(fixed, start, end, ok=not refusal)
        text = refusal if target is None else tr("{port} of {node}", port=target.port, node=target.node)
        self._context.hint.show_text(text, at, bad=bool(refusal))

    def _show(self, fixed: PortRef, start: QPointF, end: QPointF, *, ok: bool) -> None:
        """Draw the wire from its output to its input, whichever of them stays."""
        ends = (start, end) if fixed.side == "out" else (end, start)
        self._context.scene.set_drag_wire(*ends, ok)

    def _target(self, pos: QPointF) -> PortRef | None:
        """Return the port that the wire snaps to: the nearest that fits, else one of the node under the mouse."""
        reach = self._context.reach(SNAP_PIXELS)
        near = [(_distance(place, pos), number, ref) for number, (ref, place) in enumerate(self._targets.items())]
        best = min(near, default=None)
        if best is not None and best[0] <= reach:
            return best[2]
        if self._context.scene.port_at(pos) is not None:
            return None
        node = self._context.scene.node_at(pos)
        on_node = [entry for entry in near if entry[2].node == node]
        return min(on_node)[2] if on_node else None

    def _refusal(self, fixed: PortRef, pos: QPointF) -> str:
        """Return why what is under the mouse takes no wire; '' over empty canvas and over the wire's own start."""
        scene, context = self._context.scene, self._context
        port = scene.port_at(pos)
        if port is not None:
            return context.connect_refusal(fixed, port)
        node = scene.node_at(pos)
        if node is None or node == fixed.node:
            return ""
        view = context.graph.nodes[node]
        ports = view.inputs if fixed.side == "out" else view.outputs
        side: Side = "in" if fixed.side == "out" else "out"
        if not ports:
            return (
                tr("'{name}' has no inputs for wires.", name=node)
                if side == "in"
                else tr("'{name}' has no output.", name=node)
            )
        return context.connect_refusal(fixed, PortRef(node, side, ports[0].name))

    def release(self, event: QMouseEvent) -> None:
        fixed, picked, started = self._fixed, self._picked, self._started
        pos, at = self._context.scene_pos(event), event.position().toPoint()
        target = self._target(pos) if started else None
        refusal = self._refusal(fixed, pos) if fixed is not None and started and target is None else ""
        over_node = self._context.scene.node_at(pos) is not None or self._context.scene.port_at(pos) is not None
        self.cancel()
        if fixed is None or not started:
            return
        if target is not None:
            self._connect(fixed, target, picked)
        elif refusal:
            self._context.message.emit(refusal)
        elif over_node:
            return
        elif picked is not None:
            self._context.do(Disconnect(picked.target, picked.port, picked.index), label=tr("Disconnect"))
        else:
            self._ask(fixed, at, pos)

    def _connect(self, fixed: PortRef, target: PortRef, picked: WireView | None) -> None:
        source, port = (fixed, target) if fixed.side == "out" else (target, fixed)
        edits = connect_edits(self._context, self._context.reference(source.node, source.port), port, picked)
        if edits and self._context.do(*edits, label=tr("Connect") if picked is None else tr("Rewire")):
            self._context.count_wire(source.node, port.node)

    def _ask(self, fixed: PortRef, at: QPoint, pos: QPointF) -> None:
        """Leave the wire hanging, and ask what to put at its end."""
        view = self._context.graph.nodes[fixed.node]
        kind: PortType | None
        if fixed.side == "in":
            kind = input_type(self._context.graph, fixed.node, fixed.port)
        else:
            kind = next((port.type for port in view.outputs if port.name == fixed.port), None)
        start = self._context.scene.nodes[fixed.node].port_scene_pos(fixed.side, fixed.port, fixed.index)
        self._show(fixed, start, pos, ok=True)
        self._context.quick_add_wanted.emit(LooseEnd(fixed, Wanted(kind, fixed.side == "in", view.use or view.id)), at)

    def cancel(self) -> None:
        scene = self._context.scene
        if self._started:
            scene.highlight_ports(None)
            scene.clear_drag_wire()
            if self._picked is not None and self._picked in scene.wires:
                scene.wires[self._picked].setVisible(True)
        self._context.hint.hide()
        self._fixed = self._picked = None
        self._started = False
        self._targets = {}


def _distance(one: QPointF, other: QPointF) -> float:
    return hypot(one.x() - other.x(), one.y() - other.y())
