"""Heatmap: one coloured cell for every combination of a sweep."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QWidget

from quantcrafter.app.plots import Plot
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current

if TYPE_CHECKING:
    from quantcrafter.app.dialogs.heatmap_marks import CellMarks
    from quantcrafter.app.plots.surface import Surface

STOPS = ("#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838")
"""Cividis: even in lightness for every kind of colour vision. Source: J. R. Nuñez and others, PLOS ONE 13(7), 2018."""

_SHADES = 256
_BAR_WIDTH, _BAR_GAP, _TEXT_SPACE = 14, 8, 12
_TITLE_SHIFT = 5
"""By so many pixels pyqtgraph puts the title of an axis over the edge."""


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


class Heatmap(Plot):
    """Shows numbers by colour. `pointed` carries row and column under the mouse or None, `chosen` those of a click.

    The arrow keys point at cells, Enter chooses the one pointed at.
    """

    pointed = Signal(object)
    chosen = Signal(int, int)
    zooms_both = True

    def __init__(self, parent: QWidget | None = None) -> None:
        nothing = tr("Each combination is shown as a cell, coloured by the metric.")
        super().__init__(tr("Heatmap of the sweep"), nothing, parent)
        self.data: HeatmapData | None = None
        self.here: tuple[int, int] | None = None
        self._marks: CellMarks | None = None
        self._bar: Any = None
        self.setMinimumSize(QSize(420, 300))

    def show_data(self, data: HeatmapData | None) -> None:
        """Show other numbers."""
        self.data = data
        self.here = None
        self.redraw()

    def has_content(self) -> bool:
        return self.data is not None

    def axes(self) -> dict[str, Any]:
        from quantcrafter.app.plots.surface import LabelAxis

        return {"left": LabelAxis("left"), "bottom": LabelAxis("bottom")}

    def draw(self, surface: Surface) -> None:
        import pyqtgraph as pg

        from quantcrafter.app.dialogs.heatmap_marks import CellMarks

        data = self.data
        if data is None:
            return
        plot, box = surface.getPlotItem(), surface.box
        values = np.array(data.values, dtype=np.float64)
        image = pg.ImageItem(values, axisOrder="row-major")
        image.setRect(QRectF(-0.5, -0.5, len(data.columns), len(data.rows)))
        surface.addItem(image)
        self._marks = CellMarks(data, self.font())
        surface.addItem(self._marks)
        box.invertY(True)
        box.setLimits(xMin=-0.5, xMax=len(data.columns) - 0.5, yMin=-0.5, yMax=len(data.rows) - 0.5)
        for side, labels, title in (("left", data.rows, data.row_title), ("bottom", data.columns, data.column_title)):
            axis = plot.getAxis(side)
            axis.labels = labels
            axis.setLabel(title, color=current().text_dim)
            axis.setVisible(bool(title))
            axis.picture = None
        left, top, right, _ = plot.layout.getContentsMargins()
        plot.layout.setContentsMargins(left, top, right, _TITLE_SHIFT)
        self._show_bar(surface, image, values)

    def _show_bar(self, surface: Surface, image: Any, values: Any) -> None:
        """Show the scale beside the cells, the least and the greatest as people read them."""
        import pyqtgraph as pg

        data, layout = self.data, surface.getPlotItem().layout
        if self._bar is not None:
            layout.removeItem(self._bar)
            surface.scene().removeItem(self._bar)
            self._bar = None
        found = values[np.isfinite(values)]
        if data is None or not len(found):
            return
        low, high = float(found.min()), float(found.max())
        colors = [QColor(shade(number / (_SHADES - 1))) for number in range(_SHADES)]
        colors = colors[::-1] if data.low_is_better else colors
        levels = (low, high) if high > low else (low - 0.5, high + 0.5)
        places = np.linspace(0, 1, _SHADES)
        scale = pg.ColorMap(places, colors)
        image.setLookupTable(scale.getLookupTable(nPts=_SHADES))
        image.setLevels(levels)
        texts = {
            value: text for row in zip(data.values, data.texts, strict=True) for value, text in zip(*row, strict=True)
        }
        self._bar = pg.ColorBarItem(levels, width=_BAR_WIDTH, colorMap=scale, interactive=False, colorMapMenu=False)
        axis = self._bar.axis
        axis.setTicks([[(low, texts[low]), (high, texts[high])]])
        axis.setTickFont(self.font())
        metrics = self.fontMetrics()
        axis.setWidth(max(metrics.horizontalAdvance(texts[value]) for value in (low, high)) + _TEXT_SPACE)
        axis.setStyle(hideOverlappingLabels=metrics.height())  # the texts reach over both ends
        axis.setTextPen(QColor(current().text))
        axis.setPen(QColor(current().border))
        layout.setColumnFixedWidth(4, _BAR_GAP)
        layout.addItem(self._bar, 2, 5)

    # ------------------------------------------------------------------ cells

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Return where a cell is on the viewport of the surface; empty before it was seen."""
        return QRectF() if self.surface is None else self.surface.place_of(QRectF(column - 0.5, row - 0.5, 1.0, 1.0))

    def cell_at(self, at: QPointF) -> tuple[int, int] | None:
        """Return row and column at a place in the plot's coordinates, None beside the cells."""
        data, row, column = self.data, math.floor(at.y() + 0.5), math.floor(at.x() + 0.5)
        is_cell = data is not None and 0 <= row < len(data.rows) and 0 <= column < len(data.columns)
        return (row, column) if is_cell else None

    def pointed_at(self, at: QPointF | None) -> None:
        self._point(None if at is None else self.cell_at(at))

    def clicked_at(self, at: QPointF) -> None:
        cell = self.cell_at(at)
        if cell is not None:
            self.chosen.emit(*cell)

    def press_key(self, event: QKeyEvent) -> bool:
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        step, data = steps.get(Qt.Key(event.key())), self.data
        if data is None or (event.modifiers() & Qt.KeyboardModifier.ControlModifier and step is not None):
            return super().press_key(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.here is not None:
                self.chosen.emit(*self.here)
        elif step is None:
            return super().press_key(event)
        else:
            row, column = self.here or data.now or (0, 0)
            row = min(max(row + step[0], 0), len(data.rows) - 1)
            self._point((row, min(max(column + step[1], 0), len(data.columns) - 1)))
        return True

    def _point(self, cell: tuple[int, int] | None) -> None:
        if cell != self.here:
            self.here = cell
            self.pointed.emit(cell)
            if self._marks is not None:
                self._marks.point(cell)


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
