"""Rolls of a continuous series: a dashed line between two contracts, with a diamond that the mouse finds."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from quantcrafter.app.charts.model.chart_colors import ChartLook
from quantcrafter.app.charts.model.chart_state import ChartState
from quantcrafter.app.charts.model.layout import PanelPlace
from quantcrafter.app.charts.model.rolls import RollGroup
from quantcrafter.app.charts.model.sheet import LEGEND_ROW, Sheet
from quantcrafter.app.charts.painting.pens import brush, pen

ROOM = 16.0
"""Rolls that are closer, in pixels, share a diamond."""
_REACH, _LINE_REACH = 9.0, 2.5
_HALF = 5.0


class RollPlaces:
    """Where rolls were drawn, so that the mouse finds them."""

    def __init__(self) -> None:
        self._found: list[tuple[float, float, RollGroup]] = []
        self._place: PanelPlace | None = None

    def draw(self, painter: QPainter, look: ChartLook, sheet: Sheet, place: PanelPlace, state: ChartState) -> None:
        """Draw the visible rolls in the panel of prices, and remember where they are."""
        self._found, self._place = [], place
        top = place.top + min(2 * LEGEND_ROW + 2 * _HALF, place.height / 2)
        for group in state.model.rolls.groups(sheet.window.left, sheet.window.right, ROOM / sheet.pixels_a_bar):
            x = float(np.floor(sheet.x(group.place))) + 0.5
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(pen(look.roll, 1.0, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, top), QPointF(x, place.bottom))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            painter.setPen(pen(look.background))
            painter.setBrush(brush(look.roll))
            corners = ((0.0, -_HALF), (_HALF, 0.0), (0.0, _HALF), (-_HALF, 0.0))
            painter.drawPolygon(QPolygonF([QPointF(x + dx, top + dy) for dx, dy in corners]))
            self._found.append((x, top, group))

    def at(self, x: float, y: float) -> RollGroup | None:
        """Return the rolls whose diamond or line is at a place, None if there are none."""
        if self._place is None or not self._place.top <= y < self._place.bottom:
            return None
        for at_x, top, group in self._found:
            on_diamond = abs(at_x - x) <= _REACH and abs(top - y) <= _REACH
            if on_diamond or (abs(at_x - x) <= _LINE_REACH and y > top):
                return group
        return None
