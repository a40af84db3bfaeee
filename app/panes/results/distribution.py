"""How returns are spread: a histogram of the trades' returns, or of the days'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolTip, QVBoxLayout, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current

_MOST_BINS, _LEAST_BINS = 60, 10
_MARGIN_LEFT, _MARGIN, _AXIS = 46.0, 20.0, 22.0
_TICKS = 6


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
        self.plot = _Plot()
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


class _Plot(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.histogram: Histogram | None = None
        self.setMinimumHeight(90)
        theme_changed.connect(self.update)

    def show_histogram(self, shown: Histogram | None) -> None:
        self.histogram = shown
        self.setAccessibleName(tr("Distribution of returns"))
        self.update()

    def bar(self, place: int) -> QRectF:
        """Return where a bin's bar stands."""
        if self.histogram is None:
            return QRectF()
        counts = self.histogram.counts
        width = (self.width() - _MARGIN_LEFT - _MARGIN) / len(counts)
        height = (self.height() - _AXIS - _MARGIN) * int(counts[place]) / max(int(counts.max()), 1)
        return QRectF(_MARGIN_LEFT + place * width, self.height() - _AXIS - height, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        del event
        theme = current()
        painter = QPainter(self)
        if self.histogram is None:
            painter.setPen(QColor(theme.text_dim))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("There is no return to show."))
            return
        counts, edges = self.histogram.counts, self.histogram.edges
        floor = self.height() - _AXIS
        for place in range(len(counts)):
            gain = edges[place] + edges[place + 1] > 0
            painter.fillRect(self.bar(place).adjusted(0.5, 0, -0.5, 0), QColor(theme.done if gain else theme.error))
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(int(_MARGIN_LEFT), int(floor), int(self.width() - _MARGIN), int(floor))
        painter.setPen(QColor(theme.text_dim))
        most = f"{int(counts.max()):,}"
        painter.drawText(
            QRectF(0, _MARGIN - 8, _MARGIN_LEFT - 6, 16),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            most,
        )
        step = max(1, len(counts) // _TICKS)
        zero = int(np.argmin(np.abs(edges)))
        for place in range(zero % step, len(edges), step):
            x = _MARGIN_LEFT + place * self.bar(0).width()
            painter.drawText(QRectF(x - 40, floor + 3, 80, 16), Qt.AlignmentFlag.AlignCenter, f"{edges[place]:.3g}")
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self.histogram is not None:
            for place, count in enumerate(self.histogram.counts):
                bar = self.bar(place)
                if bar.left() <= event.pos().x() < bar.right():
                    low, high = self.histogram.edges[place : place + 2]
                    QToolTip.showText(event.globalPos(), f"{low:.3g} .. {high:.3g} %: {int(count):,}", self)
            return True
        return super().event(event)
