"""Heatmap: one coloured cell for every combination of a sweep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.tokens import contrast

STOPS = ("#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838")
"""Cividis: even in lightness for every kind of colour vision. Source: J. R. Nuñez and others, PLOS ONE 13(7), 2018."""

GAP = 1.0
LEFT, TOP, RIGHT, BOTTOM = 66.0, 10.0, 92.0, 46.0
LEGEND = 14.0
LEAST_TEXT = 34.0


@dataclass(frozen=True)
class HeatmapData:
    """What is shown: row values from top to bottom, column values, and a number for each cell, NaN for none.

    `texts` are the numbers as people read them; `now` is row and column of the present setting, where it is among the
    values. `low_is_better` turns the colours round, so that bright is always better.
    """

    columns: tuple[str, ...]
    rows: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    column_title: str
    row_title: str = ""
    now: tuple[int, int] | None = None
    low_is_better: bool = False


class Heatmap(QWidget):
    """Shows numbers by colour. `pointed` carries row and column under the mouse or None, `chosen` those of a click."""

    pointed = Signal(object)
    chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.data: HeatmapData | None = None
        self.here: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(QSize(420, 300))
        self.setAccessibleName(tr("Heatmap of the sweep"))

    def show_data(self, data: HeatmapData | None) -> None:
        """Show other numbers."""
        self.data = data
        self.here = None
        self.update()

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Return where a cell is."""
        data = self.data
        if data is None:
            return QRectF()
        area = self._area()
        width, height = area.width() / len(data.columns), area.height() / len(data.rows)
        return QRectF(area.left() + column * width, area.top() + row * height, width, height)

    def cell_at(self, at: QPointF) -> tuple[int, int] | None:
        """Return row and column at a place, None beside the cells."""
        data, area = self.data, self._area()
        if data is None or not area.contains(at):
            return None
        column = int((at.x() - area.left()) / area.width() * len(data.columns))
        row = int((at.y() - area.top()) / area.height() * len(data.rows))
        return min(row, len(data.rows) - 1), min(column, len(data.columns) - 1)

    def _area(self) -> QRectF:
        left = LEFT if self.data is not None and self.data.row_title else 14.0
        return QRectF(left, TOP, self.width() - left - RIGHT, self.height() - TOP - BOTTOM)

    # ------------------------------------------------------------------ mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        self._point(self.cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's
        self._point(None)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        step = steps.get(Qt.Key(event.key()))
        if self.data is None or (step is None and event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter)):
            super().keyPressEvent(event)
        elif step is None:
            if self.here is not None:
                self.chosen.emit(*self.here)
        else:
            row, column = self.here or self.data.now or (0, 0)
            row = min(max(row + step[0], 0), len(self.data.rows) - 1)
            column = min(max(column + step[1], 0), len(self.data.columns) - 1)
            self._point((row, column))

    def _point(self, cell: tuple[int, int] | None) -> None:
        if cell != self.here:
            self.here = cell
            self.pointed.emit(cell)
            self.update()

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 - Qt's
        data = self.data
        painter = QPainter(self)
        if data is None:
            painter.setPen(QColor(current().text_dim))
            around = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect(), around, tr("Here every combination gets a cell, coloured by the metric."))
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        finite = [value for row in data.values for value in row if math.isfinite(value)]
        low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
        for row in range(len(data.rows)):
            for column in range(len(data.columns)):
                self._paint_cell(painter, row, column, low, high)
        if data.now is not None:
            self._paint_frame(painter, self.cell_rect(*data.now), dashed=False)
        if self.here is not None:
            self._paint_frame(painter, self.cell_rect(*self.here), dashed=True)
        self._paint_axes(painter, data)
        if finite:
            self._paint_legend(painter, data)
        painter.end()

    def _paint_cell(self, painter: QPainter, row: int, column: int, low: float, high: float) -> None:
        data = self.data
        if data is None:
            return
        rect = self.cell_rect(row, column).adjusted(GAP / 2, GAP / 2, -GAP / 2, -GAP / 2)
        value = data.values[row][column]
        if not math.isfinite(value):
            painter.fillRect(rect, QColor(current().field))
            painter.fillRect(rect, QColor(current().border))
            painter.setPen(QPen(QColor(current().text_dim), 1.4))
            centre = rect.center()
            arm = min(5.0, rect.width() / 4, rect.height() / 4)
            painter.drawLine(centre - QPointF(arm, arm), centre + QPointF(arm, arm))
            painter.drawLine(centre - QPointF(arm, -arm), centre + QPointF(arm, -arm))
            return
        share = 0.5 if high == low else (value - low) / (high - low)
        color = shade(1.0 - share if data.low_is_better else share)
        painter.fillRect(rect, QColor(color))
        text = data.texts[row][column]
        metrics = painter.fontMetrics()
        if rect.width() > max(LEAST_TEXT, metrics.horizontalAdvance(text) + 6) and rect.height() > metrics.height():
            light = contrast("#ffffff", color) > contrast("#000000", color)
            painter.setPen(QColor("#ffffff" if light else "#000000"))
            painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)

    @staticmethod
    def _paint_frame(painter: QPainter, rect: QRectF, *, dashed: bool) -> None:
        """Paint a frame that shows on every colour: white inside black."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor("#000000"), 4))
        painter.drawRect(rect.adjusted(1, 1, -1, -1))
        pen = QPen(QColor("#ffffff"), 2)
        if dashed:
            pen.setDashPattern([3, 2])
        painter.setPen(pen)
        painter.drawRect(rect.adjusted(1, 1, -1, -1))

    def _paint_axes(self, painter: QPainter, data: HeatmapData) -> None:
        theme, area, metrics = current(), self._area(), painter.fontMetrics()
        painter.setPen(QColor(theme.text))
        centred = int(Qt.AlignmentFlag.AlignCenter)
        widest = max(metrics.horizontalAdvance(text) for text in data.columns) + 8
        for column in _shown(len(data.columns), widest, area.width()):
            rect = self.cell_rect(0, column)
            painter.drawText(QRectF(rect.center().x() - 60, area.bottom() + 3, 120, 18), centred, data.columns[column])
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for row in _shown(len(data.rows), metrics.height(), area.height()) if data.row_title else ():
            rect = self.cell_rect(row, 0)
            painter.drawText(QRectF(14, rect.center().y() - 10, area.left() - 20, 20), right, data.rows[row])
        painter.setPen(QColor(theme.text_dim))
        painter.drawText(QRectF(area.left(), area.bottom() + 22, area.width(), 20), centred, data.column_title)
        if data.row_title:
            painter.save()
            painter.translate(8, area.center().y())
            painter.rotate(-90)
            painter.drawText(QRectF(-area.height() / 2, -8, area.height(), 16), centred, data.row_title)
            painter.restore()

    def _paint_legend(self, painter: QPainter, data: HeatmapData) -> None:
        area = self._area()
        x = area.right() + 14
        steps = 40
        for number in range(steps):
            y = area.bottom() - area.height() * (number + 1) / steps
            share = number / (steps - 1)
            color = shade(1.0 - share if data.low_is_better else share)
            painter.fillRect(QRectF(x, y, LEGEND, area.height() / steps + 0.6), QColor(color))
        pairs = [
            (value, text)
            for values, texts in zip(data.values, data.texts, strict=True)
            for value, text in zip(values, texts, strict=True)
            if math.isfinite(value)
        ]
        painter.setPen(QColor(current().text))
        place = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(x + LEGEND + 5, area.top() - 4, 70, 18), place, max(pairs)[1])
        painter.drawText(QRectF(x + LEGEND + 5, area.bottom() - 14, 70, 18), place, min(pairs)[1])


def shade(share: float) -> str:
    """Return the colour of a share from 0 to 1."""
    place = min(max(share, 0.0), 1.0) * (len(STOPS) - 1)
    lower = min(int(place), len(STOPS) - 2)
    part = place - lower
    first, second = QColor(STOPS[lower]), QColor(STOPS[lower + 1])
    mixed = (
        round(a + (b - a) * part)
        for a, b in zip(first.getRgb()[:3], second.getRgb()[:3], strict=True)  # type: ignore[index]
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _shown(count: int, size: float, room: float) -> Sequence[int]:
    """Return which of several labels have room."""
    every = max(1, math.ceil(count * size / max(room, 1.0)))
    return range(0, count, every)
