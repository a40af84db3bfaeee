"""The equity curves of two runs over the same time, drawn in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.engine.stats.tables import Table

MOST_POINTS = 2_000
_LEFT, _RIGHT, _TOP, _BOTTOM = 84.0, 14.0, 30.0, 24.0
_LINES, _DATES = 4, 5


@dataclass(frozen=True)
class Curve:
    """A curve with a name; both columns have shape (points,)."""

    name: str
    ts_ns: npt.NDArray[Any]
    value: npt.NDArray[Any]


def thinned(name: str, equity: Table) -> Curve:
    """Return an equity table as a curve of few points that keeps every peak and trough of its pieces."""
    ts_ns, value = equity["ts_ns"], equity["value"]
    step = -(-len(value) // (MOST_POINTS // 2)) if len(value) > MOST_POINTS else 1
    if step > 1:
        starts = np.arange(0, len(value), step)
        low, high = np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts)
        rising = value[np.minimum(starts + step, len(value)) - 1] >= value[starts]
        first, second = np.where(rising, low, high), np.where(rising, high, low)
        value = np.stack([first, second], axis=1).ravel()
        ts_ns = np.repeat(ts_ns[starts], 2)
    return Curve(name, ts_ns, value)


class CurvesView(QWidget):
    """Draws two curves on one scale: the first dim and dashed, the second in the accent colour."""

    def __init__(self, curves: tuple[Curve, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves = tuple(curve for curve in curves if len(curve.value))
        self.setMinimumSize(320, 180)
        self.setAccessibleName(tr("Equity of both runs"))
        theme_changed.connect(self.update)
        times = [bound for curve in self.curves for bound in (curve.ts_ns[0], curve.ts_ns[-1])]
        values = np.concatenate([curve.value for curve in self.curves]) if self.curves else np.array([0.0, 1.0])
        self._times = (int(min(times, default=0)), int(max(times, default=1)))
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        self._values = (low, high if high > low else low + 1.0)

    def points(self, curve: Curve) -> QPolygonF:
        """Return a curve on the screen."""
        area, (start, end), (low, high) = self._area(), self._times, self._values
        x = area.left() + area.width() * (curve.ts_ns - start) / max(end - start, 1)
        y = area.bottom() - area.height() * (curve.value - low) / (high - low)
        return QPolygonF([QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)])

    def _area(self) -> QRectF:
        return QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT, self.height() - _TOP - _BOTTOM)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        del event
        theme = current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.curves:
            painter.setPen(QColor(theme.text_dim))
            text = tr("Fills, trades and equity of these runs are no longer kept.")
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
            return
        self._paint_axes(painter)
        pens = (QPen(QColor(theme.text_dim), 1.4, Qt.PenStyle.DashLine), QPen(QColor(theme.accent), 1.8))
        x = _LEFT
        for curve, pen in zip(self.curves, pens[-len(self.curves) :], strict=True):
            painter.setPen(pen)
            painter.drawPolyline(self.points(curve))
            painter.drawLine(QPointF(x, _TOP / 2), QPointF(x + 22, _TOP / 2))
            painter.setPen(QColor(theme.text))
            painter.drawText(QPointF(x + 28, _TOP / 2 + 4), curve.name)
            x += 28 + painter.fontMetrics().horizontalAdvance(curve.name) + 24
        painter.end()

    def _paint_axes(self, painter: QPainter) -> None:
        theme, area = current(), self._area()
        (start, end), (low, high) = self._times, self._values
        for line in range(_LINES + 1):
            y = area.bottom() - area.height() * line / _LINES
            painter.setPen(QColor(theme.divider))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(theme.text_dim))
            place = QRectF(0, y - 9, _LEFT - 8, 18)
            value = f"{low + (high - low) * line / _LINES:,.0f}"
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)
        for mark in range(_DATES):
            x = area.left() + area.width() * mark / (_DATES - 1)
            text = str(np.datetime64(start + (end - start) * mark // (_DATES - 1), "ns"))[:10]
            width = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(x - width / 2, area.left()), area.right() - width)
            painter.drawText(QPointF(left, self.height() - 7), text)
