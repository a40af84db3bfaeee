"""Sheet: where everything of a chart is in pixels, for one state and one size. No Qt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quantcrafter.app.charts.model.chart_state import LOG_PANELS, PRICE, VOLUME, ChartState
from quantcrafter.app.charts.model.layout import PanelPlace, arrange
from quantcrafter.app.charts.model.scales import Scale, Window
from quantcrafter.engine.api import FloatColumn

DIVIDER_REACH = 3.0
"""So near to the line between two panels, in pixels, the line is meant."""
LEGEND_ROW = 16.0
"""The height of a line of the legend, in pixels."""
_HEAD_SHARE = 3.5
_FOOT = 0.17
"""The part of the price panel that the volume takes."""


class Sheet:
    """The geometry of a chart.

    Args:
        state: what is shown.
        width: in pixels, with the axis of values at the right.
        height: in pixels, with the time axis below.
        axis_width: of the axis of values.
        axis_height: of the time axis.
    """

    def __init__(self, state: ChartState, width: float, height: float, axis_width: float, axis_height: float) -> None:
        self.width, self.height = width, height
        self.axis_width, self.axis_height = axis_width, axis_height
        self.plot_width = max(width - axis_width, 1.0)
        self.plot_height = max(height - axis_height, 1.0)
        self.window: Window = state.window
        self.pixels_a_bar = self.plot_width / state.window.width
        self.places, self.left_out = arrange(state.specs(), self.plot_height, state.weights)
        self.scales: Mapping[str, Scale] = {place.key: _scale(state, place) for place in self.places}

    def x(self, bar: float) -> float:
        """Return where a bar is."""
        return (bar - self.window.left) * self.pixels_a_bar

    def xs(self, bars: FloatColumn) -> FloatColumn:
        """Return where bars are."""
        return np.asarray((bars - self.window.left) * self.pixels_a_bar)

    def position(self, x: float) -> float:
        """Return the place among the bars at a pixel."""
        return self.window.left + x / self.pixels_a_bar

    def bar(self, x: float) -> int:
        """Return the bar nearest to a pixel."""
        return min(max(round(self.position(x)), 0), self.window.count - 1)

    def panel_at(self, y: float) -> PanelPlace | None:
        """Return the panel at a height, None on the time axis."""
        return next((place for place in self.places if place.top <= y < place.bottom), None)

    def place(self, key: str) -> PanelPlace | None:
        """Return where a panel is, None if it doesn't exist."""
        return next((place for place in self.places if place.key == key), None)

    def divider_at(self, y: float) -> int | None:
        """Return the number of the panel above the line between two panels at a height, None if none is near."""
        for number, place in enumerate(self.places[:-1]):
            if abs(y - place.bottom - 0.5) <= DIVIDER_REACH:
                return number
        return None


def _scale(state: ChartState, place: PanelPlace) -> Scale:
    own = state.scales.get(place.key)
    if own is not None:
        return own.placed(place.top, place.bottom)
    top, bottom = place.top + _head(place), place.bottom
    if place.key == PRICE and VOLUME in state.panels:
        bottom -= place.height * _FOOT
    log = state.log and place.key in LOG_PANELS
    fitted = Scale.fitting(state.extremes(place.key), top, bottom, log=log)
    return Scale(fitted.value(place.bottom), fitted.value(place.top), place.top, place.bottom, fitted.log)


def _head(place: PanelPlace) -> float:
    """Return how much of a panel is left to its legend; low panels cannot spare it."""
    rows = 2 if place.key == PRICE else 1
    return LEGEND_ROW * rows if place.height >= LEGEND_ROW * rows * _HEAD_SHARE else 0.0
