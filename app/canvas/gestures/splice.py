"""Which wire a dropped node would go into, shown while it is dragged."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF

from quantcrafter.app.canvas.edit_context import EditContext
from quantcrafter.app.canvas.items.wire import WireItem
from quantcrafter.app.canvas.navigation import can_splice, input_type, splice_fits
from quantcrafter.app.document.view import PortView, WireView

INSET = 8.0


class SpliceHint:
    """Finds the wire that runs through a box, and makes it stand out."""

    def __init__(self, context: EditContext) -> None:
        self._context = context
        self.wire: WireView | None = None

    def look(self, node: str | None) -> None:
        """Look for a wire under a node that is on the canvas, unconnected; None for no node."""
        item = self._context.scene.nodes.get(node) if node is not None else None
        found = None
        if item is not None and node is not None:
            body = item.body().adjusted(INSET, INSET, -INSET, -INSET)
            fitting = (wire for wire in self._context.graph.wires if splice_fits(self._context.graph, node, wire))
            found = self._under(body, fitting)
        self._show(found)

    def look_for_new(self, inputs: tuple[PortView, ...], outputs: tuple[PortView, ...], body: QRectF) -> None:
        """Look for a wire under a node that doesn't exist yet."""
        graph = self._context.graph
        fitting = (
            wire for wire in graph.wires if can_splice(inputs, outputs, input_type(graph, wire.target, wire.port))
        )
        self._show(self._under(body, fitting))

    def _under(self, body: QRectF, wires: Iterable[WireView]) -> WireView | None:
        best, found = float("inf"), None
        middle = body.center()
        for wire in wires:
            item = self._context.scene.wires.get(wire)
            if item is not None and runs_through(item, body):
                distance = item.distance(middle.x(), middle.y(), max(body.width(), body.height()))
                if distance < best:
                    best, found = distance, wire
        return found

    def _show(self, wire: WireView | None) -> None:
        if wire == self.wire:
            return
        self._mark(chosen=False)
        self.wire = wire
        self._mark(chosen=True)

    def _mark(self, *, chosen: bool) -> None:
        item = self._context.scene.wires.get(self.wire) if self.wire is not None else None
        if item is not None:
            item.set_hovered(chosen)

    def end(self) -> None:
        """Forget the wire."""
        self._show(None)


def runs_through(item: WireItem, body: QRectF) -> bool:
    """Return whether a wire passes a box in scene coordinates."""
    if not item.sceneBoundingRect().intersects(body):
        return False
    return any(body.contains(x, y) for x, y in item.points())
