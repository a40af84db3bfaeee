"""Many rectangles or lines in one call of the painter, straight from numpy memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from quantcrafter.engine.api import FloatColumn

if TYPE_CHECKING:
    from pyqtgraph.Qt.internals import PrimitiveArray

_MOST_JOINED = 600
_ROUND = Qt.PenJoinStyle.RoundJoin
FAR = 4000.0
"""Nothing is drawn farther outside than that, in pixels: the painter would lose precision."""


class ShapeBatch:
    """Shapes that are drawn together; its memory is used again at every frame.

    `fine` gives lines of few points round joins, which take ten times as long: leave it off while the view moves.
    """

    def __init__(self) -> None:
        self.fine = True
        from pyqtgraph.Qt.internals import PrimitiveArray  # takes long: imported when the first run is shown

        self._rects: PrimitiveArray = PrimitiveArray(QRectF, 4)
        self._lines: PrimitiveArray = PrimitiveArray(QLineF, 4)

    def rects(
        self, painter: QPainter, color: str, left: Any, top: FloatColumn, width: Any, height: FloatColumn
    ) -> None:
        """Fill rectangles; whole numbers give sharp edges."""
        count = len(top)
        if not count:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        self._rects.resize(count)
        array = self._rects.ndarray()
        array[:, 0], array[:, 1], array[:, 2], array[:, 3] = left, top, width, height
        painter.drawRects(*self._rects.drawargs())

    def polyline(self, painter: QPainter, color: str, width: float, xs: FloatColumn, ys: FloatColumn) -> None:
        """Draw a line through points; it is broken where a point is not a number."""
        if len(xs) < 2:  # noqa: PLR2004 - a line has two ends
            return
        ys = np.clip(ys, -FAR, FAR)
        known = np.isfinite(ys)
        if self.fine and len(xs) <= _MOST_JOINED and known.all():
            self._joined(painter, color, width, xs, ys)
            return
        both = known[:-1] & known[1:]
        self.lines(painter, color, width, xs[:-1][both], ys[:-1][both], xs[1:][both], ys[1:][both])

    @staticmethod
    def _joined(painter: QPainter, color: str, width: float, xs: FloatColumn, ys: FloatColumn) -> None:
        """Draw a line with round joins."""
        from pyqtgraph.functions import arrayToQPath

        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(QColor(color), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, _ROUND))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(arrayToQPath(xs, ys, connect="all"))

    def area(self, painter: QPainter, color: str, xs: FloatColumn, ys: FloatColumn, base: float) -> None:
        """Fill between a line and a level; where a point is not a number it is on the level."""
        if not len(xs):
            return
        from pyqtgraph.functions import arrayToQPath

        ys = np.clip(np.where(np.isfinite(ys), ys, base), -FAR, FAR)
        xs = np.concatenate([xs[:1], xs, xs[-1:]])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        painter.drawPath(arrayToQPath(xs, np.concatenate([[base], ys, [base]]), connect="all"))

    def lines(
        self,
        painter: QPainter,
        color: str,
        width: float,
        x1: FloatColumn,
        y1: FloatColumn,
        x2: FloatColumn,
        y2: FloatColumn,
        style: Qt.PenStyle = Qt.PenStyle.SolidLine,
    ) -> None:
        """Draw separate lines, smoothly."""
        count = len(x1)
        if not count:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        pen = QPen(QColor(color), width, style)
        pen.setCapStyle(Qt.PenCapStyle.SquareCap)
        painter.setPen(pen)
        self._lines.resize(count)
        array = self._lines.ndarray()
        array[:, 0], array[:, 1], array[:, 2], array[:, 3] = x1, y1, x2, y2
        painter.drawLines(*self._lines.drawargs())
