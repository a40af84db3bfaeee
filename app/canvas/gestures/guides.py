"""Lines that show a dragged node in line with another one, and pull it there."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGraphicsLineItem

from quantcrafter.app.canvas.arrange import NodeBox
from quantcrafter.app.canvas.scene import GraphScene
from quantcrafter.app.theme import current

OVER_ALL = 90.0
REACH_PX = 5
"""From how far a node is pulled into line, in pixels of the screen."""
FAR = 900.0


class Guides:
    """Compares edges and centres with those of nearby nodes; one line each way at most."""

    def __init__(self, scene: GraphScene) -> None:
        self._scene = scene
        self._others: list[NodeBox] = []
        self._lines: list[QGraphicsLineItem] = []

    def begin(self, others: Iterable[NodeBox]) -> None:
        """Note the nodes that stay where they are."""
        self._others = list(others)

    def follow(self, free: QPointF, otherwise: QPointF, size: tuple[float, float], reach: float) -> QPointF:
        """Return where a node of `size` goes: in line where it nearly is (`reach`, scene units), else `otherwise`."""
        self._clear()
        near = [box for box in self._others if abs(box.x - free.x()) < FAR and abs(box.y - free.y()) < FAR]
        x = _nearest(free.x(), size[0], [(box.x, box.width, box) for box in near], reach)
        y = _nearest(free.y(), size[1], [(box.y, box.height, box) for box in near], reach)
        place = QPointF(otherwise.x() if x is None else x[0], otherwise.y() if y is None else y[0])
        if x is not None:
            top, bottom = min(x[2].y, place.y()), max(x[2].y + x[2].height, place.y() + size[1])
            self._draw(QLineF(x[1], top, x[1], bottom))
        if y is not None:
            left, right = min(y[2].x, place.x()), max(y[2].x + y[2].width, place.x() + size[0])
            self._draw(QLineF(left, y[1], right, y[1]))
        return place

    def end(self) -> None:
        """Take the lines away."""
        self._clear()
        self._others = []

    def _draw(self, line: QLineF) -> None:
        item = QGraphicsLineItem(line)
        pen = QPen(QColor(current().accent), 1.0, Qt.PenStyle.DashLine)
        pen.setCosmetic(True)
        item.setPen(pen)
        item.setZValue(OVER_ALL)
        self._scene.addItem(item)
        self._lines.append(item)

    def _clear(self) -> None:
        for line in self._lines:
            self._scene.removeItem(line)
        self._lines = []


def _nearest(
    at: float, length: float, others: list[tuple[float, float, NodeBox]], reach: float
) -> tuple[float, float, NodeBox] | None:
    """Return where to begin so that a start, middle or end is on that of another box, and where the line goes."""
    best: tuple[float, float, NodeBox] | None = None
    for other_at, other_length, box in others:
        for share in (0.0, 0.5, 1.0):
            line = other_at + other_length * share
            start = line - length * share
            if abs(start - at) <= reach and (best is None or abs(start - at) < abs(best[0] - at)):
                best = (start, line, box)
    return best
