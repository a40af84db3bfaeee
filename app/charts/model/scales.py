"""Where things lie: the visible bars, and the scale of values of a panel. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import overload

import numpy as np

from quantcrafter.engine.api import FloatColumn

LEAST_BARS = 5.0
"""No more than so many bars are spread over the whole width."""
_SPARE = 0.5
"""How much of the view may be beyond the first or the last bar."""
_PADDING = 0.07


@dataclass(frozen=True, slots=True)
class Window:
    """The visible bars: bar `i` reaches from `i - 0.5` to `i + 0.5`. Every change gives a new window in bounds."""

    left: float
    right: float
    count: int

    @classmethod
    def whole(cls, count: int) -> Window:
        """Return the window that shows all bars, with a little room next to them."""
        spare = max(count * 0.015, 0.5)
        return cls(-0.5 - spare, count - 0.5 + spare, count).bounded()

    @classmethod
    def around(cls, left: float, right: float, count: int) -> Window:
        """Return the window from one bar to another, with room on both sides."""
        spare = max((right - left) * 0.35, 12.0)
        return cls(left - spare, right + spare, count).bounded()

    @property
    def width(self) -> float:
        """How many bars fit in."""
        return self.right - self.left

    def panned(self, bars: float) -> Window:
        """Return the window moved by so many bars, to later ones if positive."""
        return Window(self.left + bars, self.right + bars, self.count).bounded()

    def zoomed(self, factor: float, at: float) -> Window:
        """Return the window with `factor` times as many pixels per bar; the bar `at` stays where it is."""
        width = min(max(self.width / factor, LEAST_BARS), self._widest)
        share = (at - self.left) / self.width
        return Window(at - share * width, at + (1 - share) * width, self.count).bounded()

    def centred(self, bar: float) -> Window:
        """Return the window with a bar in its middle."""
        return self.panned(bar - (self.left + self.right) / 2)

    def showing(self, bar: float) -> Window:
        """Return the window moved just so far that a bar is well inside it; itself if it is."""
        margin = self.width * 0.08
        if self.left + margin <= bar <= self.right - margin:
            return self
        return self.panned(bar - self.left - margin if bar < self.left + margin else bar - self.right + margin)

    def bounded(self) -> Window:
        """Return the window within what may be shown: some bars of the data, and not more than twice all of them."""
        width = min(max(self.width, LEAST_BARS), self._widest)
        middle = (self.left + self.right) / 2
        middle = min(max(middle, -0.5 - width * (_SPARE - 0.5)), self.count - 0.5 + width * (_SPARE - 0.5))
        return Window(middle - width / 2, middle + width / 2, self.count)

    @property
    def _widest(self) -> float:
        return max(self.count * 1.25, LEAST_BARS * 4)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` over the pixels `bottom` to `top`; logarithmic if asked for and all are positive."""

    low: float
    high: float
    top: float
    bottom: float
    log: bool = False

    @classmethod
    def fitting(cls, extremes: tuple[float, float] | None, top: float, bottom: float, *, log: bool = False) -> Scale:
        """Return the scale that shows these extremes with room above and below; any if there are none."""
        low, high = extremes if extremes is not None else (0.0, 1.0)
        log = log and low > 0
        if log:
            spare = max(math.log(high / low) * _PADDING, 1e-6)
            return cls(low * math.exp(-spare), high * math.exp(spare), top, bottom, log)
        spare = (high - low) * _PADDING or max(abs(high) * 0.01, 1e-9)
        return cls(low - spare, high + spare, top, bottom)

    @overload
    def pixels(self, values: float) -> float: ...
    @overload
    def pixels(self, values: FloatColumn) -> FloatColumn: ...
    def pixels(self, values: float | FloatColumn) -> float | FloatColumn:
        """Return where values lie; what a logarithmic scale cannot show lies far below."""
        if self.log:
            base = math.log(self.low)
            logs: float | FloatColumn = np.log(np.maximum(values, self.low * 1e-3))
            return self.bottom - (logs - base) * (self.bottom - self.top) / (math.log(self.high) - base)
        return self.bottom - (values - self.low) * (self.bottom - self.top) / (self.high - self.low)

    def value(self, pixel: float) -> float:
        """Return the value at a pixel."""
        share = (self.bottom - pixel) / (self.bottom - self.top)
        if self.log:
            return math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        return self.low + share * (self.high - self.low)

    def moved(self, pixels: float) -> Scale:
        """Return the scale with its content moved down by so many pixels."""
        low, high = self.value(self.bottom - pixels), self.value(self.top - pixels)
        return Scale(low, high, self.top, self.bottom, self.log)

    def stretched(self, factor: float) -> Scale:
        """Return the scale that shows values `factor` times as tall, the middle staying where it is."""
        middle, half = (self.top + self.bottom) / 2, (self.bottom - self.top) / 2 / factor
        return Scale(self.value(middle + half), self.value(middle - half), self.top, self.bottom, self.log)

    def placed(self, top: float, bottom: float) -> Scale:
        """Return the same values over other pixels."""
        return Scale(self.low, self.high, top, bottom, self.log)
