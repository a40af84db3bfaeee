"""Axes and grid: values at the right of each panel, time below all of them."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter

from quantcrafter.app.charts.model.chart_colors import ChartLook
from quantcrafter.app.charts.model.layout import PanelPlace
from quantcrafter.app.charts.model.prices import axis_texts, value_ticks
from quantcrafter.app.charts.model.scales import Scale
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.model.texts import tick_text
from quantcrafter.app.charts.model.time_axis import Tick
from quantcrafter.app.charts.painting.pens import pen, small

TICK_ROOM = 86.0
"""Pixels for each mark of the time axis."""
VALUE_ROOM = 27.0
_LEFT, _CENTRE = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignCenter
_EDGE = 7.0


def draw_grid(painter: QPainter, look: ChartLook, sheet: Sheet, ticks: list[Tick]) -> None:
    """Draw the lines behind everything else, upright through all panels and level in each."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(pen(look.grid))
    for tick in ticks:
        x = int(sheet.x(tick.bar))
        painter.drawLine(x, 0, x, int(sheet.plot_height))
    for place in sheet.places:
        if not place.key.startswith("strip:"):
            for value in _values(sheet.scales[place.key], place)[0]:
                y = round(sheet.scales[place.key].pixels(value))
                painter.drawLine(0, y, int(sheet.plot_width), y)


def draw_axes(painter: QPainter, look: ChartLook, font: QFont, sheet: Sheet, ticks: list[Tick]) -> None:
    """Draw the frames of the panels and the texts of the axes."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setFont(small(font))
    painter.setPen(pen(look.line))
    right = int(sheet.plot_width)
    painter.drawLine(right, 0, right, int(sheet.plot_height))
    for place in sheet.places:
        painter.drawLine(0, int(place.bottom), int(sheet.width), int(place.bottom))
    for place in sheet.places:
        if place.key.startswith("strip:"):
            continue
        scale = sheet.scales[place.key]
        values, step = _values(scale, place)
        painter.setPen(pen(look.text_dim))
        for value, text in zip(values, axis_texts(values, step), strict=True):
            y = scale.pixels(value)
            if place.top + _EDGE <= y <= place.bottom - _EDGE:
                box = QRectF(right + 6, y - 8, sheet.axis_width - 6, 16)
                painter.drawText(box, _LEFT, text)
    _draw_times(painter, look, font, sheet, ticks)


def draw_label(painter: QPainter, centre: QPointF, text: str, bounds: QRectF, fill: str, ink: str) -> None:
    """Draw a text on a filled box around a point, moved into `bounds` if necessary."""
    width = min(painter.fontMetrics().horizontalAdvance(text) + 10, bounds.width())
    left = min(max(centre.x() - width / 2, bounds.left()), bounds.right() - width)
    box = QRectF(round(left), round(min(max(centre.y() - 9, bounds.top()), bounds.bottom() - 18)), width, 18)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(box, fill)
    painter.setPen(pen(ink))
    painter.drawText(box, _CENTRE, text)


def _draw_times(painter: QPainter, look: ChartLook, font: QFont, sheet: Sheet, ticks: list[Tick]) -> None:
    top = sheet.plot_height
    for tick in ticks:
        strong = tick.kind in ("year", "month") if any(t.kind == "day" for t in ticks) else tick.kind in ("year", "day")
        painter.setFont(small(font, bold=strong))
        painter.setPen(pen(look.text if strong else look.text_dim))
        middle = sheet.x(tick.bar)
        if 14 <= middle <= sheet.plot_width - 10:  # noqa: PLR2004 - a text that would be cut is left out
            box = QRectF(middle - 50, top + 1, 100, sheet.axis_height - 2)
            painter.drawText(box, _CENTRE, tick_text(tick))


def _values(scale: Scale, place: PanelPlace) -> tuple[list[float], float]:
    return value_ticks(scale, max(place.height / VALUE_ROOM, 3.0))
