"""PriceLine: the course of the price at a glance, with the period that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from quantcrafter.app.data.texts import price_text
from quantcrafter.app.plots import ReadingPlot
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.colors import mix
from quantcrafter.engine.api import ROUND_THE_CLOCK, Session, Timeframe
from quantcrafter.engine.data.labels import bar_label
from quantcrafter.engine.runtime.compute_process.jobs.preview import Line

if TYPE_CHECKING:
    from quantcrafter.app.plots.surface import Surface, TimeAxis

_NS = 1e9
_VEIL = 190
_ENDLESS_S = 1e12


class PriceLine(ReadingPlot):
    """Draws a thinned-out course: the range of each stretch as a band, the last price as a line.

    What is outside the chosen period is dimmed. The pointer shows date and price.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Price history"), tr("No bars to draw"), parent)
        self.setMinimumHeight(110)
        self.line: Line | None = None
        self.timeframe, self.session = Timeframe(1, "d"), ROUND_THE_CLOCK
        self._times: TimeAxis | None = None
        self.period: tuple[int | None, int | None] = (None, None)
        self._veils: list[Any] = []

    def show_line(self, line: Line | None, timeframe: str = "", session: Session = ROUND_THE_CLOCK) -> None:
        """Draw the course of other bars, or none; times are those of their session's exchange."""
        self.line = line
        self.timeframe, self.session = Timeframe.parse(timeframe or "1d"), session
        if self._times is not None:
            self._times.zone = session.timezone
        self.redraw()

    def show_period(self, start_ns: int | None, end_ns: int | None) -> None:
        """Dim what lies before `start_ns` or from `end_ns` on."""
        self.period = (start_ns, end_ns)
        self._place_veils()

    def has_content(self) -> bool:
        return self.line is not None and len(self.line.close) > 0

    def axes(self) -> dict[str, Any]:
        from quantcrafter.app.plots.surface import NumberAxis, TimeAxis

        self._times = TimeAxis("bottom", self.session.timezone)
        return {"left": NumberAxis("left"), "bottom": self._times}

    def draw(self, surface: Surface) -> None:
        import pyqtgraph as pg

        line, theme = self.line, current()
        if line is None:
            return
        surface.show_grid()
        x = self.stops()
        no_pen = pg.mkPen(None)
        high, low = (pg.PlotCurveItem(x, values, pen=no_pen) for values in (line.high, line.low))
        surface.addItem(high)
        surface.addItem(low)
        band = pg.FillBetweenItem(high, low, brush=QColor(mix(theme.accent, theme.field, 0.22)))
        surface.addItem(band, ignoreBounds=True)  # it would always count as a whole
        surface.addItem(pg.PlotCurveItem(x, line.close, pen=surface.pen(theme.accent, 1.4), antialias=True))
        veil = QColor(theme.window)
        veil.setAlpha(_VEIL)
        self._veils = []
        for _ in self.period:
            region = pg.LinearRegionItem(movable=False, brush=veil, pen=no_pen)
            region.setZValue(5)
            surface.addItem(region, ignoreBounds=True)
            self._veils.append(region)
        self._place_veils()

    def _place_veils(self) -> None:
        if not self._veils:
            return
        start, end = (None if bound is None else bound / _NS for bound in self.period)
        before, after = self._veils
        before.setRegion((-_ENDLESS_S, -_ENDLESS_S if start is None else start))
        after.setRegion((_ENDLESS_S if end is None else end, _ENDLESS_S))

    def stops(self) -> npt.NDArray[np.float64]:
        return np.empty(0) if self.line is None else self.line.ts_ns / _NS

    def reading(self, number: int) -> str:
        line = self.line
        if line is None:
            return ""
        text = bar_label(int(line.ts_ns[number]), self.timeframe, self.session, named=True)
        return f"{text}   {price_text(float(line.close[number]))}"
