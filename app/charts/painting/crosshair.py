"""The overlay for the pointer and the selected bar: crosshair, legends, zoom box, text of a trade."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from quantcrafter.app.charts.model.chart_colors import ChartLook
from quantcrafter.app.charts.model.chart_state import PRICE, ChartState
from quantcrafter.app.charts.model.layout import PanelPlace
from quantcrafter.app.charts.model.prices import number_text, sensible_decimals
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.painting.axes import draw_label
from quantcrafter.app.charts.painting.legend import Legend
from quantcrafter.app.charts.painting.pens import brush, pen, small, veil

_LINE_HEIGHT, _MARGIN, _AWAY = 17.0, 8.0, 16.0


@dataclass
class Pointing:
    """Where the mouse is (None: elsewhere), what it is on, and the box that is being drawn.

    `bar` is looked at; it follows the mouse, and the keyboard where the mouse is elsewhere.
    """

    bar: int | None = None
    x: float | None = None
    y: float | None = None
    lines: list[str] = field(default_factory=list)
    box: QRectF | None = None


class CrosshairOverlay:
    """Draws over a finished drawing."""

    def __init__(self, look: ChartLook, font: QFont) -> None:
        self._look, self._font = look, font
        self.legend = Legend(look, font)

    def draw(
        self, painter: QPainter, state: ChartState, sheet: Sheet, pointing: Pointing, *, bars_a_candle: int = 1
    ) -> None:
        """Draw what is pointed at."""
        painter.setFont(small(self._font))
        self._corner(painter, state, sheet)
        self._selected(painter, state, sheet)
        self.legend.draw(painter, state, sheet, looked_at(state, pointing), bars_a_candle)
        painter.setFont(small(self._font))
        if pointing.box is not None:
            painter.setPen(pen(self._look.selection))
            painter.setBrush(veil(self._look.selection, 0.16))
            painter.drawRect(pointing.box)
            return
        self._crosshair(painter, state, sheet, pointing)
        if pointing.lines and pointing.x is not None and pointing.y is not None:
            self._draw_lines(painter, sheet, pointing.lines, pointing.x, pointing.y)

    def _corner(self, painter: QPainter, state: ChartState, sheet: Sheet) -> None:
        """Say in the corner between the axes how many panels had no room, else of which place the times are."""
        clock = state.model.clock
        zone = clock.zone_name if clock.intraday else ""
        painter.setPen(pen(self._look.text_dim))
        text = f"+{len(sheet.left_out)}" if sheet.left_out else zone
        painter.drawText(corner(sheet), Qt.AlignmentFlag.AlignCenter, text)

    def _selected(self, painter: QPainter, state: ChartState, sheet: Sheet) -> None:
        bar = state.selected
        if bar is None or not sheet.window.left - 0.5 <= bar <= sheet.window.right + 0.5:
            return
        width = max(sheet.pixels_a_bar, 3.0)
        left = sheet.x(bar) - width / 2
        painter.fillRect(QRectF(left, 0, width, sheet.plot_height), veil(self._look.selection, 0.15))
        bounds = QRectF(0, sheet.plot_height, sheet.plot_width, sheet.axis_height)
        middle = QPointF(sheet.x(bar), bounds.center().y())
        text = state.model.clock.named(bar)
        draw_label(painter, middle, text, bounds, self._look.selection, self._look.on_selection)

    def _crosshair(self, painter: QPainter, state: ChartState, sheet: Sheet, pointing: Pointing) -> None:
        look = self._look
        if pointing.bar is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen(look.crosshair, 1.0, Qt.PenStyle.DashLine))
        x = int(sheet.x(pointing.bar))
        painter.drawLine(x, 0, x, int(sheet.plot_height))
        place = sheet.panel_at(pointing.y) if pointing.y is not None else None
        if place is not None and pointing.y is not None and not place.key.startswith("strip:"):
            y = int(pointing.y)
            painter.drawLine(0, y, int(sheet.plot_width), y)
            bounds = QRectF(sheet.plot_width + 1, place.top, sheet.axis_width - 1, place.height)
            text = self._value(state, sheet, place, pointing.y)
            draw_label(painter, QPointF(bounds.center().x(), y), text, bounds, look.label, look.label_text)
        if pointing.bar != state.selected:
            bounds = QRectF(0, sheet.plot_height, sheet.plot_width, sheet.axis_height)
            middle = QPointF(x, bounds.center().y())
            draw_label(painter, middle, state.model.clock.named(pointing.bar), bounds, look.label, look.label_text)

    @staticmethod
    def _value(state: ChartState, sheet: Sheet, place: PanelPlace, y: float) -> str:
        value = sheet.scales[place.key].value(y)
        decimals = state.model.decimals if place.key == PRICE else sensible_decimals(abs(value))
        return number_text(value, min(decimals, 4) if place.key != PRICE else decimals)

    def _draw_lines(self, painter: QPainter, sheet: Sheet, lines: list[str], x: float, y: float) -> None:
        """Draw a box with these lines beside a place, within the plot."""
        metrics = QFontMetricsF(small(self._font, bold=True))
        width = max(metrics.horizontalAdvance(line) for line in lines) + 2 * _MARGIN
        height = _LINE_HEIGHT * len(lines) + 2 * _MARGIN - 4
        left = x + _AWAY if x + _AWAY + width < sheet.plot_width else x - _AWAY - width
        top = min(max(y - height / 2, 2.0), sheet.plot_height - height - 2)
        box = QRectF(round(max(left, 2.0)), round(top), round(width), round(height))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(pen(self._look.border))
        painter.setBrush(brush(self._look.raised))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        for number, line in enumerate(lines):
            painter.setFont(small(self._font, bold=number == 0))
            painter.setPen(pen(self._look.text if number < len(lines) - 1 or number == 0 else self._look.text_dim))
            row = QRectF(box.left() + _MARGIN, box.top() + _MARGIN - 2 + number * _LINE_HEIGHT, width, _LINE_HEIGHT)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, line)


def corner(sheet: Sheet) -> QRectF:
    """Return the place below the axis of values and right of the time axis."""
    return QRectF(sheet.plot_width, sheet.plot_height, sheet.axis_width, sheet.axis_height)


def looked_at(state: ChartState, pointing: Pointing) -> int:
    """Return the bar whose values are shown: under the crosshair, else the selected one, else the last in view."""
    window = state.window
    last = min(max(int(window.right), 0), window.count - 1)
    if pointing.bar is not None:
        return min(max(pointing.bar, 0), window.count - 1)
    if state.selected is not None and window.left <= state.selected <= window.right:
        return state.selected
    return last
