"""Cut wires: pull a line across them with Alt held."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem

from quantcrafter.app.canvas.edit_context import EditContext
from quantcrafter.app.canvas.editing.wiring import cut_edits
from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.canvas.items.wire import WireItem
from quantcrafter.app.document.view import WireView
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current

OVER_ALL = 100.0


class SliceWires:
    """All wires that the line crosses are disconnected, in one step; meanwhile they stand out."""

    def __init__(self, context: EditContext) -> None:
        self._context = context
        self._points: list[QPointF] = []
        self._line: QGraphicsPathItem | None = None
        self._cut: set[WireView] = set()

    def press(self, event: QMouseEvent, hit: Hit) -> bool:
        alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        if event.button() != Qt.MouseButton.LeftButton or not alt:
            return False
        self._points = [hit.pos]
        self._line = QGraphicsPathItem()
        pen = QPen(QColor(current().error), 2.0, Qt.PenStyle.DashLine)
        pen.setCosmetic(True)
        self._line.setPen(pen)
        self._line.setZValue(OVER_ALL)
        self._context.scene.addItem(self._line)
        return True

    def move(self, event: QMouseEvent) -> None:
        if self._line is None:
            return
        piece = QLineF(self._points[-1], self._context.scene_pos(event))
        self._points.append(piece.p2())
        path = QPainterPath(self._points[0])
        for point in self._points[1:]:
            path.lineTo(point)
        self._line.setPath(path)
        for wire, item in self._context.scene.wires.items():
            if wire not in self._cut and crosses(item, piece):
                self._cut.add(wire)
                item.set_hovered(True)

    def release(self, event: QMouseEvent) -> None:  # noqa: ARG002 - the contract's
        cut = [wire for wire in self._context.graph.wires if wire in self._cut]
        self.cancel()
        if cut:
            self._context.do(*cut_edits(cut), label=tr("Cut wires"))

    def cancel(self) -> None:
        if self._line is not None:
            self._context.scene.removeItem(self._line)
        self._line = None
        for wire in self._cut & self._context.scene.wires.keys():
            self._context.scene.wires[wire].set_hovered(False)
        self._cut = set()
        self._points = []


def crosses(item: WireItem, piece: QLineF) -> bool:
    """Return whether a straight piece crosses a wire."""
    points = [QPointF(x, y) for x, y in item.points()]
    return any(
        piece.intersects(QLineF(start, end))[0] == QLineF.IntersectionType.BoundedIntersection
        for start, end in pairwise(points)
    )
