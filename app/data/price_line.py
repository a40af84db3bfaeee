"""PriceLine: the course of the price at a glance, with the period that is chosen."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantcrafter.app.data.texts import price_text
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.app.theme.tokens import mix
from quantcrafter.engine.runtime.compute_process.jobs.preview import Line

_MARGIN = 6.0
_HOVER_SLACK = 40


class PriceLine(QWidget):
    """Draws a thinned-out course: the range of each stretch as a band, the last price as a line.

    What lies outside the chosen period is dimmed. The pointer shows date and price.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Course of the price"))
        self.setMinimumHeight(90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.line: Line | None = None
        self.period: tuple[int | None, int | None] = (None, None)
        self._at: int | None = None
        theme_changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's
        return QSize(360, 140)

    def show_line(self, line: Line | None) -> None:
        """Draw another course, or none."""
        self.line = line
        self._at = None
        self.update()

    def show_period(self, start_ns: int | None, end_ns: int | None) -> None:
        """Dim what lies before `start_ns` or from `end_ns` on."""
        self.period = (start_ns, end_ns)
        self.update()

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 - Qt's
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current()
        painter.fillRect(self.rect(), QColor(theme.field))
        line = self.line
        if line is None or not len(line.close):
            painter.setPen(QColor(theme.text_dim))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("No bars to draw"))
            return
        self._draw_course(painter, line)
        self._dim(painter, line)
        self._label(painter, line)

    def _plot(self) -> QRectF:
        metrics = QFontMetricsF(self.font())
        right = max((metrics.horizontalAdvance(text) for text in self._price_labels()), default=0) + 2 * _MARGIN
        below = metrics.height() + 4
        return QRectF(_MARGIN, _MARGIN, self.width() - _MARGIN - right, self.height() - below - 2 * _MARGIN)

    def _price_labels(self) -> tuple[str, str]:
        line = self.line
        if line is None:
            return ("", "")
        return price_text(float(line.high.max())), price_text(float(line.low.min()))

    def _places(self, line: Line, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[QPointF]:
        plot = self._plot()
        low, high = float(line.low.min()), float(line.high.max())
        span = (high - low) or 1.0
        xs = plot.left() + np.arange(len(values)) * (plot.width() / max(len(values) - 1, 1))
        ys = plot.bottom() - (values - low) * (plot.height() / span)
        return [QPointF(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]

    def _draw_course(self, painter: QPainter, line: Line) -> None:
        theme = current()
        plot = self._plot()
        painter.setPen(QPen(QColor(theme.divider), 1))
        for part in range(3):
            y = plot.top() + plot.height() * part / 2
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(mix(theme.accent, theme.field, 0.22)))
        high, low = self._places(line, line.high), self._places(line, line.low)
        painter.drawPolygon(QPolygonF([*high, *reversed(low)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.accent), 1.4))
        painter.drawPolyline(QPolygonF(self._places(line, line.close)))

    def _dim(self, painter: QPainter, line: Line) -> None:
        plot, veil = self._plot(), QColor(current().window)
        veil.setAlpha(190)
        start, end = self.period
        step = plot.width() / max(len(line.ts_ns) - 1, 1)
        if start is not None:
            x = plot.left() + step * int(np.searchsorted(line.ts_ns, start))
            painter.fillRect(
                QRectF(plot.left() - 1, 0, max(min(x, plot.right()) - plot.left(), 0), plot.bottom()), veil
            )
        if end is not None:
            x = plot.left() + step * int(np.searchsorted(line.ts_ns, end))
            painter.fillRect(QRectF(x, 0, max(plot.right() + 1 - x, 0), plot.bottom()), veil)

    def _label(self, painter: QPainter, line: Line) -> None:
        theme, plot = current(), self._plot()
        painter.setPen(QColor(theme.text_dim))
        metrics = QFontMetricsF(self.font())
        top, bottom = self._price_labels()
        painter.drawText(QPointF(plot.right() + _MARGIN, plot.top() + metrics.ascent() / 2 + 1), top)
        painter.drawText(QPointF(plot.right() + _MARGIN, plot.bottom()), bottom)
        base = self.height() - metrics.descent() - 3
        first, last = _date(int(line.ts_ns[0])), _date(int(line.ts_ns[-1]))
        painter.drawText(QPointF(plot.left(), base), first)
        painter.drawText(QPointF(plot.right() - metrics.horizontalAdvance(last), base), last)
        if self._at is not None and self._at < len(line.close):
            place = self._places(line, line.close)[self._at]
            painter.setPen(QPen(QColor(theme.text_dim), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(place.x(), plot.top()), QPointF(place.x(), plot.bottom()))
            painter.setPen(QColor(theme.text))
            text = f"{_date(int(line.ts_ns[self._at]))}   {price_text(float(line.close[self._at]))}"
            painter.drawText(QPointF(plot.center().x() - metrics.horizontalAdvance(text) / 2, base), text)

    # ------------------------------------------------------------------ the pointer

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        """Show date and price at the pointer."""
        line, plot = self.line, self._plot()
        if line is not None and len(line.close) and plot.width() > _HOVER_SLACK:
            part = (event.position().x() - plot.left()) / plot.width()
            self._at = round(min(max(part, 0.0), 1.0) * (len(line.close) - 1))
            self.update()

    def leaveEvent(self, event: object) -> None:  # noqa: ARG002, N802 - Qt's
        self._at = None
        self.update()


def _date(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC):%Y-%m-%d}"
