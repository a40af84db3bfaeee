"""The legend of each panel: what is drawn there, in its colour, with its value at the bar that is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from quantcrafter.app.charts.model.chart_colors import ChartLook
from quantcrafter.app.charts.model.chart_state import DRAWDOWN, EQUITY, EXPOSURE, PRICE, VOLUME, ChartState
from quantcrafter.app.charts.model.layout import PanelPlace
from quantcrafter.app.charts.model.outputs import ChartOutput
from quantcrafter.app.charts.model.sheet import LEGEND_ROW as ROW
from quantcrafter.app.charts.model.sheet import Sheet
from quantcrafter.app.charts.model.texts import curve_text, holding_texts, quote_of, value_text
from quantcrafter.app.charts.painting.pens import brush, pen, small, veil
from quantcrafter.app.services.i18n import tr

_LEFT, _GAP, _SWATCH = 8.0, 14.0, 12.0
_VEIL = 0.78


@dataclass(frozen=True)
class LegendEntry:
    """One entry: a swatch of colour (none if empty), a name, a value; `output` is what a click hides."""

    name: str
    value: str = ""
    color: str = ""
    ink: str = ""
    bold: bool = False
    output: ChartOutput | None = None


@dataclass(frozen=True)
class LegendHit:
    """Where an entry that can be clicked was drawn."""

    box: QRectF
    output: ChartOutput


class Legend:
    """Draws the legends and remembers where their entries are."""

    def __init__(self, look: ChartLook, font: QFont) -> None:
        self._look = look
        self._font, self._bold = small(font), small(font, bold=True)
        self._metrics, self._bold_metrics = QFontMetricsF(self._font), QFontMetricsF(self._bold)
        self.hits: list[LegendHit] = []

    def output_at(self, x: float, y: float) -> ChartOutput | None:
        """Return the output whose entry is at a place, None if there is none."""
        return next((hit.output for hit in self.hits if hit.box.contains(x, y)), None)

    def draw(self, painter: QPainter, state: ChartState, sheet: Sheet, bar: int, bars_a_candle: int) -> None:
        """Draw the legends with the values at a bar."""
        self.hits = []
        for place in sheet.places:
            rows = [list(row) for row in self._rows(state, sheet, place, bar, bars_a_candle)]
            painter.save()
            painter.setClipRect(QRectF(0, place.top, sheet.plot_width, place.height))
            self._panel(painter, sheet, place, rows)
            painter.restore()

    def _rows(
        self, state: ChartState, sheet: Sheet, place: PanelPlace, bar: int, bars_a_candle: int
    ) -> Iterator[Iterator[LegendEntry]]:
        if place.key == PRICE:
            yield self._quote(state, sheet, bar, bars_a_candle)
        curves = state.model.curves
        if place.key == EQUITY:
            yield self.money(state, bar)
        elif place.key == DRAWDOWN:
            text = curve_text(_at(curves.drawdown.column, bar), percent=True)
            yield iter((LegendEntry(tr("Drawdown"), text, self._look.drawdown),))
        elif place.key == EXPOSURE:
            text = curve_text(_at(curves.exposure.column, bar), percent=True)
            yield iter((LegendEntry(tr("Exposure"), text, self._look.exposure),))
        yield self._outputs(state, place, bar)

    def money(self, state: ChartState, bar: int) -> Iterator[LegendEntry]:
        """Yield what the account, buy and hold, and the benchmark are worth at a bar."""
        curves, look, benchmark = state.model.curves, self._look, state.model.run.benchmark
        yield LegendEntry(tr("Equity"), curve_text(_at(curves.equity.column, bar), percent=False), look.equity)
        yield LegendEntry(tr("Buy and hold"), curve_text(_at(curves.hold.column, bar), percent=False), look.hold)
        if curves.benchmark is not None and benchmark is not None:
            text = curve_text(_at(curves.benchmark.column, bar), percent=False)
            yield LegendEntry(tr("Benchmark {name}", name=benchmark.name), text, look.benchmark)

    def _quote(self, state: ChartState, sheet: Sheet, bar: int, bars_a_candle: int) -> Iterator[LegendEntry]:
        model, look = state.model, self._look
        quote = quote_of(model, bar)
        ink = look.up if quote.rising else look.down
        yield LegendEntry(f"{model.job.symbol} {model.job.bars.timeframe}", bold=True)
        yield LegendEntry("", quote.time)
        for name, value in quote.prices:
            yield LegendEntry(name, value, ink=ink)
        yield LegendEntry("", quote.change, ink=ink)
        if VOLUME in state.panels:
            yield LegendEntry(tr("Volume"), quote.volume)
        position, equity = holding_texts(model, bar)
        yield LegendEntry(*position)
        if sheet.place(EQUITY) is None:
            yield LegendEntry(*equity)
        if bars_a_candle > 1:
            yield LegendEntry(tr("Bars per candle: {count}", count=bars_a_candle))

    def _outputs(self, state: ChartState, place: PanelPlace, bar: int) -> Iterator[LegendEntry]:
        for output in state.outputs_in(place.key):
            color = self._look.slot(output.slot)
            yield LegendEntry(output.name, value_text(state.model, output, bar), color, output=output)

    def _panel(self, painter: QPainter, sheet: Sheet, place: PanelPlace, rows: list[list[LegendEntry]]) -> None:
        top = place.top + (0.0 if place.height < ROW * 1.5 else 3.0)
        for row in rows:
            top = self._row(painter, sheet, top, row, 1.0 if place.key.startswith("strip:") else _VEIL)

    def _row(self, painter: QPainter, sheet: Sheet, top: float, row: list[LegendEntry], opacity: float) -> float:
        """Draw entries side by side, in more rows if they do not fit; return where the next row begins."""
        if not row:
            return top
        x = _LEFT
        for entry in row:
            width = self._width(entry)
            if x > _LEFT and x + width > sheet.plot_width - _LEFT:
                x, top = _LEFT, top + ROW
            box = QRectF(x - 4, top, width + 8, ROW)
            painter.fillRect(box, veil(self._look.background, opacity))
            self._entry(painter, entry, x, top)
            if entry.output is not None:
                self.hits.append(LegendHit(box, entry.output))
            x += width + _GAP
        return top + ROW

    def _entry(self, painter: QPainter, entry: LegendEntry, x: float, top: float) -> None:
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        if entry.color:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(brush(entry.color))
            painter.drawRect(QRectF(round(x), round(top + ROW / 2) - 2, 8, 4))
            x += _SWATCH
        if entry.name:
            painter.setFont(self._bold if entry.bold else self._font)
            painter.setPen(pen(self._look.text if entry.bold or entry.color else self._look.text_dim))
            painter.drawText(QRectF(x, top, 2000, ROW), align, entry.name)
            x += self._name_width(entry)
        if entry.value:
            painter.setFont(self._font)
            painter.setPen(pen(entry.ink or self._look.text))
            painter.drawText(QRectF(x, top, 2000, ROW), align, entry.value)

    def _name_width(self, entry: LegendEntry) -> float:
        if not entry.name:
            return 0.0
        metrics = self._bold_metrics if entry.bold else self._metrics
        return metrics.horizontalAdvance(entry.name) + (5.0 if entry.value else 0.0)

    def _width(self, entry: LegendEntry) -> float:
        swatch = _SWATCH if entry.color else 0.0
        return swatch + self._name_width(entry) + self._metrics.horizontalAdvance(entry.value)


def _at(column: np.ndarray, bar: int) -> float:
    return float(column[bar])
