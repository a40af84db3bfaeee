"""What is painted over the cells of a heatmap: numbers, crosses where there is none, gaps, and two frames."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from quantcrafter.app.theme import current
from quantcrafter.app.theme.colors import contrast

if TYPE_CHECKING:
    from quantcrafter.app.dialogs.heatmap import HeatmapData

_LEAST_GAP = 8.0
"""Cells of fewer pixels have no gap between them."""
_ARM = 5.0


class CellMarks(pg.GraphicsObject):  # type: ignore[misc] # pyqtgraph has no types
    """Paints in pixels, over the cells in view; a text is left out where its cell has no room for it."""

    def __init__(self, data: HeatmapData, font: QFont) -> None:
        super().__init__()
        self._data = data
        self._font = font
        self._here: tuple[int, int] | None = None
        finite = [value for row in data.values for value in row if math.isfinite(value)]
        self._range = (min(finite), max(finite)) if finite else (0.0, 0.0)

    def point(self, cell: tuple[int, int] | None) -> None:
        """Mark another cell as pointed at."""
        self._here = cell
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's
        return QRectF(-0.5, -0.5, len(self._data.columns), len(self._data.rows))

    def paint(self, painter: QPainter, *_: Any) -> None:
        data, view = self._data, self.viewRect()
        place = painter.transform()
        painter.resetTransform()
        painter.setFont(self._font)
        rows = range(max(math.floor(view.top() + 0.5), 0), min(math.ceil(view.bottom() + 0.5), len(data.rows)))
        columns = range(max(math.floor(view.left() + 0.5), 0), min(math.ceil(view.right() + 0.5), len(data.columns)))
        for row in rows:
            for column in columns:
                self._paint_cell(painter, place.mapRect(_cell(row, column)), row, column)
        for cell, dashed in ((data.now, False), (self._here, True)):
            if cell is not None:
                _paint_frame(painter, place.mapRect(_cell(*cell)), dashed=dashed)

    def _paint_cell(self, painter: QPainter, rect: QRectF, row: int, column: int) -> None:
        theme, value = current(), self._data.values[row][column]
        if not math.isfinite(value):
            painter.fillRect(rect, QColor(theme.border))
            painter.setPen(QPen(QColor(theme.text_dim), 1.4))
            arm = min(_ARM, rect.width() / 4, rect.height() / 4)
            painter.drawLine(rect.center() - QPointF(arm, arm), rect.center() + QPointF(arm, arm))
            painter.drawLine(rect.center() - QPointF(arm, -arm), rect.center() + QPointF(arm, -arm))
        text, metrics = self._data.texts[row][column], QFontMetricsF(self._font)
        if rect.width() > metrics.horizontalAdvance(text) + 6 and rect.height() > metrics.height():
            painter.setPen(QColor(_readable_on(self._color(value))))
            painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)
        if min(rect.width(), rect.height()) >= _LEAST_GAP:
            painter.setPen(QPen(QColor(theme.field), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect)

    def _color(self, value: float) -> str:
        from quantcrafter.app.dialogs.heatmap import shade

        low, high = self._range
        share = 0.5 if high == low or not math.isfinite(value) else (value - low) / (high - low)
        return shade(1.0 - share if self._data.low_is_better else share)


def _cell(row: int, column: int) -> QRectF:
    return QRectF(column - 0.5, row - 0.5, 1.0, 1.0)


def _readable_on(color: str) -> str:
    return max(("#ffffff", "#000000"), key=lambda text: contrast(text, color))


def _paint_frame(painter: QPainter, rect: QRectF, *, dashed: bool) -> None:
    """Paint a frame that shows on every colour: white inside black."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor("#000000"), 4))
    painter.drawRect(rect.adjusted(2, 2, -2, -2))
    pen = QPen(QColor("#ffffff"), 2)
    if dashed:
        pen.setDashPattern([3, 2])
    painter.setPen(pen)
    painter.drawRect(rect.adjusted(2, 2, -2, -2))
