"""Which outputs of the graph the chart can show, where each belongs, and which are shown at first. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from quantcrafter.engine.api import Bars, FloatColumn, PortType, Role
from quantcrafter.engine.runtime.results.run_view import RunNode, RunView

_BLOCKS, _IN_BLOCK = 64, 64
_NEAR, _ALWAYS_NEAR, _VERY_NEAR, _FOLLOWS = 0.25, 0.6, 0.04, 0.5
_FIRST_OVERLAYS, _FIRST_PLOTS, _FIRST_STRIPS = 6, 2, 2
_ENOUGH = 3
_LINES = frozenset({PortType.SERIES})
_STRIPS = frozenset({PortType.CONDITION, PortType.SIGNAL, PortType.FILTER})


class PlotPlace(StrEnum):
    """Where an output is drawn: over the prices, in a plot of its node below, or as a thin strip."""

    OVERLAY = "overlay"
    PLOT = "plot"
    STRIP = "strip"


@dataclass(frozen=True, slots=True)
class ChartOutput:
    """An output that the chart can show.

    `name` is what the legend calls it; `slot` numbers the series in file order, and with it their colours.
    """

    node: str
    output: str
    name: str
    type: PortType
    place: PlotPlace
    slot: int
    first: bool

    @property
    def key(self) -> str:
        """What settings know it by."""
        return f"{self.node}.{self.output}"


def outputs_of(run: RunView, instrument: int) -> tuple[ChartOutput, ...]:
    """Return every output that can be shown, in file order; `first` marks those that are shown until others are chosen.

    The indicators come first to be shown: those over the price, two plots, and the advisors' signals as strips.
    """
    bars = run.instruments[instrument].bars
    found: list[ChartOutput] = []
    shown = dict.fromkeys(PlotPlace, 0)
    plots: set[str] = set()
    for node in run.nodes.values():
        for output in node.outputs if node.step >= 0 else ():
            place = _place(run, node, output.name, output.type, instrument, bars)
            if place is None:
                continue
            first = _is_first(node, place, shown, plots)
            shown[place] += first
            if first and place is PlotPlace.PLOT:
                plots.add(node.id)
            name = node.id if len(node.outputs) == 1 else f"{node.id}.{output.name}"
            found.append(ChartOutput(node.id, output.name, name, output.type, place, len(found), first))
    return tuple(found)


def _is_first(node: RunNode, place: PlotPlace, shown: dict[PlotPlace, int], plots: set[str]) -> bool:
    if place is PlotPlace.STRIP:
        return node.role is Role.ADVISOR and shown[place] < _FIRST_STRIPS
    if node.role is not Role.INDICATOR:
        return False
    if place is PlotPlace.OVERLAY:
        return shown[place] < _FIRST_OVERLAYS
    return node.id in plots or len(plots) < _FIRST_PLOTS


def _place(run: RunView, node: RunNode, output: str, kind: PortType, instrument: int, bars: Bars) -> PlotPlace | None:
    if kind in _STRIPS:
        return PlotPlace.STRIP
    if kind not in _LINES:
        return None
    return PlotPlace.OVERLAY if lies_on_price(run.column(node.id, output, instrument), bars) else PlotPlace.PLOT


def lies_on_price(column: FloatColumn, bars: Bars) -> bool:
    """Return whether a column reads as a price, such as an average or a band, judged by a few thousand of its values.

    It stays near the close, and goes where the close goes: an oscillator between 0 and 100 does not, even where the
    price happens to be about 50.
    """
    places = _samples(len(column))
    values, close = np.asarray(column[places], dtype=np.float64), np.asarray(bars.close[places])
    known = np.isfinite(values) & (close > 0)
    if np.count_nonzero(known) < _ENOUGH:
        return False
    values, close = values[known], close[known]
    distance = np.abs(values - close) / close
    if np.median(distance) >= _NEAR or np.quantile(distance, 0.95) >= _ALWAYS_NEAR:
        return False
    if np.median(distance) < _VERY_NEAR or not (np.ptp(values) > 0 and np.ptp(close) > 0):
        return True
    return bool(np.corrcoef(values, close)[0, 1] > _FOLLOWS)


def _samples(count: int) -> np.ndarray:
    """Return the bars to judge by: blocks of neighbours all over, so that little of a large file is read."""
    if count <= _BLOCKS * _IN_BLOCK:
        return np.arange(count)
    starts = np.linspace(0, count - _IN_BLOCK, _BLOCKS).astype(np.int64)
    return np.asarray((starts[:, None] + np.arange(_IN_BLOCK)).ravel())


def plot_nodes(outputs: Iterable[ChartOutput]) -> tuple[str, ...]:
    """Return the nodes of the outputs that are drawn in separate plots, in order."""
    return tuple(dict.fromkeys(each.node for each in outputs if each.place is PlotPlace.PLOT))
