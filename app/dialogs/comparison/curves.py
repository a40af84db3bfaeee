"""The equity curves of two runs over the same time."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from quantcrafter.app.plots import ReadingPlot
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.engine.data.labels import DEFAULT_ZONE, named_moment

if TYPE_CHECKING:
    from quantcrafter.app.plots.surface import Surface

_NS = 1e9


@dataclass(frozen=True)
class Curve:
    """A curve with a name; both columns have shape (points,)."""

    name: str
    ts_ns: npt.NDArray[Any]
    value: npt.NDArray[Any]


class CurvesView(ReadingPlot):
    """Draws two curves on one scale: the first dim and dashed, the second in the accent colour; times are a zone's."""

    def __init__(self, curves: tuple[Curve, ...], zone: str = DEFAULT_ZONE, parent: QWidget | None = None) -> None:
        gone = tr("Fills, trades and equity of these runs are no longer stored.")
        super().__init__(tr("Equity of both runs"), gone, parent)
        self.zone = zone
        self.curves = tuple(curve for curve in curves if len(curve.value))
        self._stops = np.unique(np.concatenate([curve.ts_ns for curve in self.curves] or [np.empty(0)])) / _NS
        self._legend: Any = None
        self.setMinimumSize(320, 180)

    def has_content(self) -> bool:
        return bool(self.curves)

    def axes(self) -> dict[str, Any]:
        from quantcrafter.app.plots.surface import NumberAxis, TimeAxis

        return {"left": NumberAxis("left"), "bottom": TimeAxis("bottom", self.zone)}

    def draw(self, surface: Surface) -> None:
        import pyqtgraph as pg

        theme = current()
        surface.show_grid()
        pens = (surface.pen(theme.text_dim, 1.4, Qt.PenStyle.DashLine), surface.pen(theme.accent, 1.8))
        for curve, pen in zip(self.curves, pens[-len(self.curves) :], strict=True):
            item = pg.PlotDataItem(curve.ts_ns / _NS, curve.value, pen=pen, name=curve.name, antialias=True)
            surface.addItem(item)
            item.setDownsampling(auto=True, method="peak")
            item.setClipToView(True)
        self._show_legend(surface)

    def _show_legend(self, surface: Surface) -> None:
        surface.drop(self._legend)
        colors = (current().text_dim, current().accent)[-len(self.curves) :]
        lines = [
            f"<span style='color: {color}'><b>{mark}</b></span> {html.escape(curve.name)}"
            for curve, color, mark in zip(self.curves, colors, ("- -", "\N{EM DASH}")[-len(self.curves) :], strict=True)
        ]
        self._legend = surface.box_text(current(), "<br>".join(lines))
        self._legend.setPos(8, 4)

    def read(self, number: int | None) -> None:
        super().read(number)
        if self._legend is not None:
            self._legend.setVisible(number is None)  # the reading has the names, and would lie over it

    def stops(self) -> npt.NDArray[np.float64]:
        return self._stops

    def reading(self, number: int) -> str:
        ts_s = float(self._stops[number])
        texts = []
        for curve in self.curves:
            place = int(np.searchsorted(curve.ts_ns, round(ts_s * _NS), "right")) - 1
            texts.append(f"{curve.name}: {curve.value[place]:,.2f}" if place >= 0 else f"{curve.name}: -")
        return "\n".join([named_moment(round(ts_s * _NS), self.zone), *texts])
