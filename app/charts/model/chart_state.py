"""ChartState: what of a run is shown, and how. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from quantcrafter.app.charts.model.candles import CandleLevels
from quantcrafter.app.charts.model.chart import ChartModel
from quantcrafter.app.charts.model.detail_levels import RangeLevels
from quantcrafter.app.charts.model.layout import PanelSpec
from quantcrafter.app.charts.model.outputs import ChartOutput, PlotPlace, plot_nodes
from quantcrafter.app.charts.model.scales import Scale, Window

PRICE, EQUITY, DRAWDOWN, EXPOSURE, VOLUME = "price", "equity", "drawdown", "exposure", "volume"
PANELS = (VOLUME, EQUITY, DRAWDOWN, EXPOSURE)
"""What can be switched besides the graph's outputs; the volume is drawn at the foot of the prices."""
LOG_PANELS = frozenset({PRICE, EQUITY})
_STRIP_HEIGHT = 16.0


@dataclass
class ChartState:
    """The visible part and the choices that the drawing depends on.

    `scales` holds the scales that the user moved, by panel: all others follow what is visible. `weights` are the
    heights of panels as the user dragged them. `rolls` says whether rolls of futures are marked.
    """

    model: ChartModel
    window: Window
    shown: tuple[ChartOutput, ...] = ()
    style: str = "candles"
    log: bool = False
    panels: frozenset[str] = frozenset({VOLUME, EQUITY, DRAWDOWN})
    scales: dict[str, Scale] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    selected: int | None = None
    trade: int | None = None
    rolls: bool = True

    @property
    def drawn(self) -> tuple[ChartOutput, ...]:
        """The shown outputs whose columns are ready."""
        return tuple(each for each in self.shown if each.key in self.model.lines)

    @property
    def candles(self) -> CandleLevels:
        """The candles of the chosen style."""
        ready = self.model.heikin_ashi
        return ready if self.style == "heikin_ashi" and ready is not None else self.model.candles

    def specs(self) -> tuple[PanelSpec, ...]:
        """Return the panels that are wanted, from top to bottom."""
        found = [PanelSpec(PRICE, 4.0, 120.0, 100)]
        drawn = self.drawn
        strips = [each for each in drawn if each.place is PlotPlace.STRIP]
        found += [PanelSpec(f"strip:{each.key}", 0.0, _STRIP_HEIGHT, 30, fixed=True) for each in strips]
        found += [PanelSpec(f"plot:{node}", 1.6, 52.0, 60 - at) for at, node in enumerate(plot_nodes(drawn))]
        if EQUITY in self.panels:
            found.append(PanelSpec(EQUITY, 1.7, 52.0, 40))
        if DRAWDOWN in self.panels:
            found.append(PanelSpec(DRAWDOWN, 0.9, 40.0, 20))
        if EXPOSURE in self.panels:
            found.append(PanelSpec(EXPOSURE, 0.7, 40.0, 10))
        return tuple(found)

    def outputs_in(self, panel: str) -> list[ChartOutput]:
        """Return the outputs that are drawn in a panel."""
        if panel == PRICE:
            return [each for each in self.drawn if each.place is PlotPlace.OVERLAY]
        kind, _, name = panel.partition(":")
        if kind == "strip":
            return [each for each in self.drawn if each.place is PlotPlace.STRIP and each.key == name]
        return [each for each in self.drawn if each.place is PlotPlace.PLOT and each.node == name]

    def extremes(self, panel: str) -> tuple[float, float] | None:
        """Return the least and the greatest value that a panel shows in the visible part, None if there is none."""
        left, right = self.window.left, self.window.right
        if panel == PRICE:
            own = self.model.close if self.style == "line" else self.candles
            found = [own.extremes(left, right)]
        else:
            found = [line.extremes(left, right) for line in self._curves(panel)]
        lines = (self.model.lines[each.key] for each in self.outputs_in(panel))
        found += [line.extremes(left, right) for line in lines if isinstance(line, RangeLevels)]
        reach = _together(found)
        if panel == DRAWDOWN and reach is not None:
            return reach[0], 0.0
        if panel == EXPOSURE and reach is not None:
            return min(reach[0], 0.0), max(reach[1], 0.0)
        return reach

    def _curves(self, panel: str) -> Iterable[RangeLevels]:
        curves = self.model.curves
        return {
            EQUITY: curves.money,
            DRAWDOWN: (curves.drawdown,),
            EXPOSURE: (curves.exposure,),
        }.get(panel, ())


def _together(pairs: Iterable[tuple[float, float] | None]) -> tuple[float, float] | None:
    known = [pair for pair in pairs if pair is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None
