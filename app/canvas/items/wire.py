"""WireItem: a wire between two nodes, painted by Qt itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem

from quantcrafter.app.canvas.items.node import NodeItem
from quantcrafter.app.canvas.items.scene_style import SceneStyle
from quantcrafter.app.document.view import WireView
from quantcrafter.app.theme.colors import mix

BEHIND = -10.0
WIDTH = 2.0
PIECES = 24
SOFT = 0.86
DIM = 0.25

Share = Literal["plain", "lit", "dim"]
"""What a wire is to a decision that is shown: there is none, on its path, next to it."""


class WireItem(QGraphicsPathItem):
    """A wire in the colour of what flows through it. It paints nothing in Python, so that hundreds cost little."""

    def __init__(self, wire: WireView, source: NodeItem, target: NodeItem, looks: SceneStyle) -> None:
        super().__init__()
        self.view = wire
        self.source = source
        self.target = target
        self.hovered = False
        self.chosen = False
        self.share: Share = "plain"
        self._hair: float | None = None
        self._looks = looks
        self._bounds = QRectF()
        self._points: list[tuple[float, float]] | None = None
        source.wires.add(self)
        target.wires.add(self)
        self.setZValue(BEHIND)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.restyle()
        self.route()

    def detach(self) -> None:
        """Leave both nodes."""
        self.source.wires.discard(self)
        self.target.wires.discard(self)

    def route(self) -> None:
        """Follow the nodes."""
        wire = self.view
        start = self.source.port_scene_pos("out", wire.output)
        end = self.target.port_scene_pos("in", wire.port, wire.index)
        path = wire_path(start, end)
        self._bounds = path.controlPointRect()
        self._points = None
        self.setPath(path)

    def distance(self, x: float, y: float, within: float) -> float:
        """Return the distance of a point in scene units; infinity when it is more than `within`."""
        bounds = self._bounds
        if not (
            bounds.left() - within <= x <= bounds.right() + within
            and bounds.top() - within <= y <= bounds.bottom() + within
        ):
            return float("inf")
        points = self.points()
        near = min(_to_piece(x, y, *start, *end) for start, end in pairwise(points))
        return near if near <= within else float("inf")

    def points(self) -> list[tuple[float, float]]:
        """Return the wire as a line of straight pieces, for hit tests."""
        if self._points is None:
            path = self.path()
            at = (path.pointAtPercent(number / PIECES) for number in range(PIECES + 1))
            self._points = [(point.x(), point.y()) for point in at]
        return self._points

    def set_hovered(self, hovered: bool) -> None:  # noqa: FBT001 - a state
        """Show the mouse over the wire."""
        if hovered != self.hovered:
            self.hovered = hovered
            self.restyle()

    def set_chosen(self, chosen: bool) -> None:  # noqa: FBT001 - a state
        """Show the wire as selected."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.restyle()

    def set_share(self, share: Share) -> None:
        """Show the wire as part of the path to a decision, or next to it."""
        if share != self.share:
            self.share = share
            self.restyle()

    def set_hair(self, width: float | None) -> None:
        """Draw a line of so many device pixels whatever the zoom; None draws it at its own width."""
        if width != self._hair:
            self._hair = width
            self.restyle()

    def restyle(self) -> None:
        """Take colour and width from the theme and the wire's state."""
        theme = self._looks.theme
        slot = self.source.slot("out", self.view.output)
        other = self.target.slot("in", self.view.port, self.view.index)
        kind = (slot.type if slot else None) or (other.type if other else None)
        strong = self.hovered or self.chosen
        # Opaque on purpose: a translucent curve takes three times as long to paint.
        opacity = 1.0 if strong or self.share == "lit" else DIM if self.share == "dim" else SOFT
        color = QColor(theme.selection if self.chosen else mix(theme.port(kind), theme.canvas, opacity))
        strong = strong or self.share == "lit"
        pen = QPen(color, WIDTH * (1.9 if strong else 1.0))
        if self._hair is not None:
            pen = QPen(color, self._hair * (2.2 if strong else 1.0))
            pen.setCosmetic(True)
        if self.source.view.mute or self.target.view.mute:
            pen.setStyle(Qt.PenStyle.DotLine)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if pen != self.pen():
            self.setPen(pen)
        self.setZValue(BEHIND + (1.0 if strong else 0.0))


def wire_path(start: QPointF, end: QPointF) -> QPainterPath:
    """Return the curve from an output to an input: it leaves to the right and arrives from the left."""
    across = end.x() - start.x()
    reach = max(30.0, min(abs(across) * 0.5, 220.0)) if across >= 0 else min(60.0 + abs(across) * 0.35, 240.0)
    path = QPainterPath(start)
    path.cubicTo(start.x() + reach, start.y(), end.x() - reach, end.y(), end.x(), end.y())
    return path


def _to_piece(x: float, y: float, ax: float, ay: float, bx: float, by: float) -> float:
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    share = 0.0 if length == 0 else max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / length))
    px, py = ax + share * dx - x, ay + share * dy - y
    return float((px * px + py * py) ** 0.5)
