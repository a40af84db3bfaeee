"""Sparkline: a small popup beside a wire with its value at the bar and its recent course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from quantcrafter.app.services.explanation_texts import moment_text
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.value_texts import number_text, value_text
from quantcrafter.app.theme import current
from quantcrafter.app.theme.colors import mix
from quantcrafter.engine.api import PortType
from quantcrafter.engine.runtime.explain import Facts, value_at
from quantcrafter.engine.runtime.explain.run_facts import BARS, BOOLEAN

SIZE = QSize(236, 116)
BARS_SHOWN = 80
AWAY = QPoint(18, 22)
MARGIN = 12.0


@dataclass(frozen=True)
class Course:
    """What a popup shows: title, value, when, and the values of the bars up to that one."""

    title: str
    value: str
    when: str
    values: npt.NDArray[Any]
    kind: PortType


class Sparkline(QWidget):
    """Lies over the canvas and lets the mouse through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._area = parent
        self.course: Course | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFixedSize(SIZE)
        self.hide()

    def show_output(self, facts: Facts, node: str, output: str, bar: int | None, title: str, at: QPoint) -> None:
        """Show an output's value at a bar (the last one for None) beside a place of the parent."""
        if not len(facts.bars):
            return
        here = len(facts.bars) - 1 if bar is None else bar
        start = max(0, here + 1 - BARS_SHOWN)
        value = value_at(facts, node, output, here)
        column, kind = _column(facts, node, output)
        self.course = Course(
            title,
            value_text(value) if value is not None else "",
            moment_text(facts, here, named=True),
            np.array(column[start : here + 1], dtype=np.float64) if column is not None else np.empty(0),
            kind,
        )
        room = self._area.rect()
        place = at + AWAY
        x = max(4, min(place.x(), room.width() - self.width() - 4))
        y = place.y() if place.y() + self.height() <= room.height() else at.y() - AWAY.y() - self.height()
        self.move(x, max(4, y))
        self.setAccessibleName(f"{title}: {self.course.value}")
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 - Qt's
        course = self.course
        if course is None:
            return
        theme = current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        width = self.width() - 2 * MARGIN
        small = QFont(self.font())
        small.setPointSizeF(self.font().pointSizeF() * 0.85)
        painter.setFont(small)
        painter.setPen(QColor(theme.text_dim))
        title = painter.fontMetrics().elidedText(course.title, Qt.TextElideMode.ElideMiddle, int(width))
        painter.drawText(QRectF(MARGIN, 7, width, 16), int(Qt.AlignmentFlag.AlignVCenter), title)
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(QRectF(MARGIN, 25, width, 20), right, course.when)
        bold = QFont(self.font())
        bold.setPointSizeF(self.font().pointSizeF() * 1.15)
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(MARGIN, 24, width, 22), int(Qt.AlignmentFlag.AlignVCenter), course.value)
        painter.setFont(small)
        self._paint_course(painter, course, QRectF(MARGIN, 52, width, self.height() - 52 - 10))
        painter.end()

    def _paint_course(self, painter: QPainter, course: Course, area: QRectF) -> None:
        values = course.values
        theme = current()
        finite = values[np.isfinite(values)]
        if not len(finite):
            painter.setPen(QColor(theme.text_dim))
            painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), tr("No values to show"))
            return
        if course.kind in BOOLEAN:
            _paint_truth(painter, values, area, QColor(theme.port(course.kind)), QColor(theme.divider))
            return
        low, high = float(finite.min()), float(finite.max())
        metrics = painter.fontMetrics()
        labels = number_text(high), number_text(low)
        text = max(metrics.horizontalAdvance(label) for label in labels) + 6
        plot = area.adjusted(0, 3, -text, -3)
        painter.setPen(QColor(theme.text_dim))
        for label, y in zip(labels, (plot.top(), plot.bottom()), strict=True):
            if label != labels[0] or y == plot.top():
                painter.drawText(QRectF(plot.right() + 4, y - 8, text, 16), int(Qt.AlignmentFlag.AlignVCenter), label)
        color = mix(theme.port(PortType.SERIES), theme.text, 0.75)
        span = high - low or 1.0
        count = max(BARS_SHOWN - 1, 1)
        offset = BARS_SHOWN - len(values)
        piece: list[QPointF] = []
        painter.setPen(QPen(QColor(color), 1.6))
        for number, value in enumerate(values.tolist()):
            if value != value:  # noqa: PLR0124 - NaN
                painter.drawPolyline(QPolygonF(piece))
                piece = []
                continue
            x = plot.left() + plot.width() * (number + offset) / count
            y = plot.center().y() if high == low else plot.bottom() - plot.height() * (value - low) / span
            piece.append(QPointF(x, y))
        painter.drawPolyline(QPolygonF(piece))
        if piece:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.selection))
            painter.drawEllipse(piece[-1], 3, 3)


def _paint_truth(painter: QPainter, values: npt.NDArray[Any], area: QRectF, color: QColor, line: QColor) -> None:
    """Paint where something held as blocks over a line."""
    base = area.bottom() - 6
    painter.setPen(QPen(line, 1))
    painter.drawLine(QPointF(area.left(), base), QPointF(area.right(), base))
    step = area.width() / BARS_SHOWN
    offset = BARS_SHOWN - len(values)
    for number in np.flatnonzero(values).tolist():
        x = area.left() + step * (number + offset)
        painter.fillRect(QRectF(x, base - area.height() * 0.55, max(step - 0.6, 1.0), area.height() * 0.55), color)


def _column(facts: Facts, node: str, output: str) -> tuple[npt.NDArray[Any] | None, PortType]:
    if node == BARS:
        return facts.bars.column(output if output != BARS else "close"), PortType.SERIES
    kind = facts.type_of(node, output)
    try:
        if kind is None:
            return facts.run.feed_column(node, output, facts.instrument), PortType.SERIES
        return facts.column(node, output), kind
    except KeyError:
        return None, kind or PortType.SERIES
