"""Drawing: the whole chart of one state at one size, except for what follows the mouse."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QPainter

from quantcrafter.app.charts.model.chart_colors import ChartLook
from quantcrafter.app.charts.model.chart_state import DRAWDOWN, EQUITY, EXPOSURE, PRICE, VOLUME, ChartState
from quantcrafter.app.charts.model.detail_levels import FlagLevels, RangeLevels
from quantcrafter.app.charts.model.layout import PanelPlace
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.painting.axes import TICK_ROOM, draw_axes, draw_grid
from quantcrafter.app.charts.painting.batch import ShapeBatch
from quantcrafter.app.charts.painting.prices import LEAST_CANDLE, draw_candles, draw_columns, draw_series, draw_volume
from quantcrafter.app.charts.painting.rolls import RollPlaces
from quantcrafter.app.charts.painting.strips import draw_strip
from quantcrafter.app.charts.painting.trades import Marks, draw_open, draw_trades

LINE_WIDTH = 1.5


@dataclass
class Drawing:
    """Draws the panels, and remembers where the trades are and how many bars a candle stands for."""

    look: ChartLook
    font: QFont
    batch: ShapeBatch = field(default_factory=ShapeBatch)
    marks: Marks = field(default_factory=Marks)
    rolls: RollPlaces = field(default_factory=RollPlaces)
    bars_a_candle: int = 1

    def draw(self, painter: QPainter, state: ChartState, sheet: Sheet) -> None:
        """Draw everything of a state; the painter's origin is the chart's corner."""
        painter.fillRect(QRectF(0, 0, sheet.width, sheet.height), self.look.background)
        self.marks, self.rolls = Marks(), RollPlaces()
        most = max(int(sheet.plot_width / TICK_ROOM), 1)
        ticks = state.model.clock.ticks(sheet.window.left, sheet.window.right, most)
        draw_grid(painter, self.look, sheet, ticks)
        for place in sheet.places:
            painter.save()
            painter.setClipRect(QRectF(0, place.top, sheet.plot_width, place.height))
            self._panel(painter, state, sheet, place)
            painter.restore()
        draw_axes(painter, self.look, self.font, sheet, ticks)

    def _panel(self, painter: QPainter, state: ChartState, sheet: Sheet, place: PanelPlace) -> None:
        batch, look, scale, model = self.batch, self.look, sheet.scales[place.key], state.model
        if place.key == PRICE:
            self._prices(painter, state, sheet, place)
        elif place.key == EQUITY:
            draw_series(batch, painter, look.hold, 1.1, sheet, scale, model.curves.hold)
            if model.curves.benchmark is not None:
                draw_series(batch, painter, look.benchmark, 1.1, sheet, scale, model.curves.benchmark)
            draw_series(batch, painter, look.equity, 1.8, sheet, scale, model.curves.equity)
        elif place.key == DRAWDOWN:
            draw_columns(batch, painter, look.drawdown_soft, sheet, scale, model.curves.drawdown)
            draw_series(batch, painter, look.drawdown, 1.2, sheet, scale, model.curves.drawdown)
        elif place.key == EXPOSURE:
            draw_columns(batch, painter, look.exposure_soft, sheet, scale, model.curves.exposure)
        for output in state.outputs_in(place.key):
            line = model.lines[output.key]
            if isinstance(line, FlagLevels):
                draw_strip(batch, painter, look, sheet, place, output, line)
            elif isinstance(line, RangeLevels) and place.key != PRICE:
                draw_series(batch, painter, look.slot(output.slot), LINE_WIDTH, sheet, scale, line)

    def _prices(self, painter: QPainter, state: ChartState, sheet: Sheet, place: PanelPlace) -> None:
        batch, look, scale, model = self.batch, self.look, sheet.scales[place.key], state.model
        window = sheet.window
        candles = state.candles.span(window.left, window.right, int(sheet.plot_width / LEAST_CANDLE))
        self.bars_a_candle = 1 if state.style == "line" else candles.step
        if state.rolls:
            self.rolls.draw(painter, look, sheet, place, state)
        if VOLUME in state.panels:
            draw_volume(batch, painter, look, sheet, place, candles)
        for output in state.outputs_in(PRICE):
            line = model.lines[output.key]
            if isinstance(line, RangeLevels) and candles.step > 1:  # when zoomed out lines would hide the prices
                draw_series(batch, painter, look.slot(output.slot), LINE_WIDTH, sheet, scale, line)
        if state.style == "line":
            draw_series(batch, painter, look.text, LINE_WIDTH, sheet, scale, model.close)
        else:
            draw_candles(batch, painter, look, sheet, scale, candles)
        for output in state.outputs_in(PRICE):
            line = model.lines[output.key]
            if isinstance(line, RangeLevels) and candles.step == 1:
                draw_series(batch, painter, look.slot(output.slot), LINE_WIDTH, sheet, scale, line)
        self.marks = draw_trades(batch, painter, look, self.font, sheet, place, state)
        draw_open(painter, look, sheet, scale, state, self.marks)
