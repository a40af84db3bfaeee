"""The dot grid behind the nodes, as a tiled picture of one dot."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPixmap, QTransform

from quantcrafter.app.theme import Theme
from quantcrafter.app.theme.colors import mix

STEP = 20.0
LEAST_PIXELS = 14.0
FAINT_BELOW = 0.5


class DotGrid:
    """Paints the canvas and its dots; they grow sparser and fainter as the view zooms out."""

    def __init__(self) -> None:
        self._tile = QPixmap()
        self._made_for: tuple[int, str] = (0, "")

    def paint(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        """Fill an area (scene coordinates) with the background color and dots."""
        transform = painter.worldTransform()
        pixels = transform.mapRect(area).toAlignedRect()
        painter.save()
        painter.resetTransform()
        painter.fillRect(pixels, QColor(theme.canvas))
        painter.fillRect(pixels, self._brush(transform, painter.device().devicePixelRatioF(), theme))
        painter.restore()

    def _brush(self, transform: QTransform, ratio: float, theme: Theme) -> QBrush:
        scale = transform.m11()
        step = STEP * scale
        while step < LEAST_PIXELS:
            step *= 2
        color = mix(theme.canvas_dot, theme.canvas, max(0.35, min(1.0, scale / FAINT_BELOW)))
        side = max(1, round(step * ratio))
        if self._made_for != (side, color):
            self._made_for, self._tile = (side, color), _tile(side, color, ratio)
        brush = QBrush(self._tile)
        share = step / side
        brush.setTransform(QTransform(share, 0, 0, share, transform.dx() % step, transform.dy() % step))
        return brush


def _tile(side: int, color: str, ratio: float) -> QPixmap:
    tile = QPixmap(side, side)
    tile.fill(Qt.GlobalColor.transparent)
    dot = max(1, round(1.6 * ratio))
    painter = QPainter(tile)
    painter.fillRect(0, 0, dot, dot, QColor(color))
    painter.end()
    return tile
