"""How returns are spread: a histogram of the trades' returns, or of the days'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from quantcrafter.app.plots import ReadingPlot
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current

if TYPE_CHECKING:
    from quantcrafter.app.plots.surface import Surface

_MOST_BINS, _LEAST_BINS = 60, 10


@dataclass(frozen=True)
class Histogram:
    """Counts of shape (bins,) between edges of shape (bins + 1,); zero is an edge, so that no bin mixes signs."""

    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    mean: float
    median: float


def histogram(values: npt.NDArray[Any]) -> Histogram | None:
    """Return the spread of finite values, or None when there is none; by the rule of Freedman and Diaconis (1981)."""
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return None
    low, high = min(float(known.min()), 0.0), max(float(known.max()), 0.0)
    span = high - low
    if span == 0.0:
        return Histogram(np.array([len(known)]), np.array([-0.5, 0.5]), 0.0, 0.0)
    quarters = np.quantile(known, [0.25, 0.75])
    width = 2.0 * float(quarters[1] - quarters[0]) / len(known) ** (1 / 3)
    bins = round(span / width) if width > 0 else _LEAST_BINS
    width = _round_width(span / min(max(bins, _LEAST_BINS), _MOST_BINS))
    edges = np.arange(np.floor(low / width), np.ceil(high / width) + 1) * width
    counts, _ = np.histogram(known, edges)
    return Histogram(counts, edges, float(known.mean()), float(np.median(known)))


def _round_width(width: float) -> float:
    """Return the least of 1, 2, 5 x 10^n that is not smaller, so that edges are numbers that people read easily."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= width * (1.0 - 1e-9)))


class DistributionPage(QWidget):
    """Shows a histogram and what it is of."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.what = QComboBox()
        self.what.setAccessibleName(tr("Returns of"))
        for text in (tr("Return of each trade, %"), tr("Return of each day, %")):
            self.what.addItem(text)
        self.facts = QLabel()
        self.plot = HistogramPlot()
        self._values: tuple[npt.NDArray[Any], ...] = (np.empty(0), np.empty(0))
        line = QHBoxLayout()
        line.setContentsMargins(8, 6, 8, 0)
        line.addWidget(self.what)
        line.addWidget(self.facts, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(line)
        column.addWidget(self.plot, 1)
        self.what.currentIndexChanged.connect(self._refresh)

    def show_returns(self, trades: npt.NDArray[Any], days: npt.NDArray[Any]) -> None:
        """Show other returns, in percent."""
        self._values = (trades, days)
        self._refresh()

    def _refresh(self) -> None:
        found = histogram(self._values[self.what.currentIndex()])
        self.plot.show_histogram(found)
        self.facts.setText(
            ""
            if found is None
            else tr(
                "{count} values, mean {mean} %, median {median} %",
                count=f"{int(found.counts.sum()):,}",
                mean=f"{found.mean:.3g}",
                median=f"{found.median:.3g}",
            )
        )


class HistogramPlot(ReadingPlot):
    """Draws a histogram: gains and losses in their colours, mean and median as lines."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Distribution of returns"), tr("There are no returns to show."), parent)
        self.histogram: Histogram | None = None
        self.setMinimumHeight(90)

    def show_histogram(self, shown: Histogram | None) -> None:
        """Show another one, or none."""
        self.histogram = shown
        self.redraw()

    def has_content(self) -> bool:
        return self.histogram is not None

    def axes(self) -> dict[str, Any]:
        from quantcrafter.app.plots.surface import NumberAxis

        return {"left": NumberAxis("left"), "bottom": NumberAxis("bottom")}

    def draw(self, surface: Surface) -> None:
        import pyqtgraph as pg

        if self.histogram is None:
            return
        theme, shown = current(), self.histogram
        surface.show_grid()
        middles, width = self.stops(), float(shown.edges[1] - shown.edges[0])
        brushes = [theme.done if middle > 0 else theme.error for middle in middles]
        pen = surface.pen(theme.field)
        surface.addItem(pg.BarGraphItem(x=middles, height=shown.counts, width=width, brushes=brushes, pen=pen))
        lines = ((shown.mean, Qt.PenStyle.SolidLine), (shown.median, Qt.PenStyle.DashLine))
        for value, style in lines:
            surface.addItem(
                pg.InfiniteLine(value, angle=90, pen=surface.pen(theme.text, 1.2, style)), ignoreBounds=True
            )
        surface.box.setLimits(yMin=0.0)

    def stops(self) -> npt.NDArray[np.float64]:
        shown = self.histogram
        return np.empty(0) if shown is None else (shown.edges[:-1] + shown.edges[1:]) / 2

    def reading(self, number: int) -> str:
        if self.histogram is None:
            return ""
        low, high = self.histogram.edges[number : number + 2]
        return f"{low:.3g} .. {high:.3g} %: {int(self.histogram.counts[number]):,}"
