"""The Turtle example on GOOG against a plain script that shares nothing with us, day by day."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import quantcrafter
from quantcrafter.engine.api.ledger import Reason
from tests.e2e.test_golden_cross_oracle import adjusted_rows

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "turtle.yaml"
CASH, FEE, FIRST = 1_000_000.0, 0.0005, 55

Fill = tuple[int, int, float]
"""Bar, units bought (sold: below zero), price."""


def on_tick(price: float) -> float:
    """Return a price in whole cents."""
    return math.floor(price * 100.0 * (1.0 + 1e-12) + 0.5) / 100.0


def wilder_range(high: Any, low: Any, close: Any, period: int) -> Any:
    """Return the average true range after Wilder: a mean of the first true ranges, then smoothed."""
    before = close[:-1]
    true = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    out = np.full(len(close), np.nan)
    out[period] = true[:period].mean()
    for i in range(period + 1, len(close)):
        out[i] = (out[i - 1] * (period - 1) + true[i - 1]) / period
    return out


def extreme(values: Any, period: int, pick: Any) -> Any:
    """Return the highest or lowest of the last values, this one included."""
    out = np.full(len(values), np.nan)
    for i in range(period - 1, len(values)):
        out[i] = pick(values[i - period + 1 : i + 1])
    return out


@dataclass
class Lines:
    """What a Turtle looks at, known at each close."""

    rows: list[Any]
    n: Any = field(init=False)
    high20: Any = field(init=False)
    high55: Any = field(init=False)
    high10: Any = field(init=False)
    low20: Any = field(init=False)
    low55: Any = field(init=False)
    low10: Any = field(init=False)

    def __post_init__(self) -> None:
        _, high, low, close = (np.array([row[k] for row in self.rows]) for k in range(1, 5))
        self.n = wilder_range(high, low, close, 20)
        self.high20, self.high55, self.high10 = (extreme(high, period, max) for period in (20, 55, 10))
        self.low20, self.low55, self.low10 = (extreme(low, period, min) for period in (20, 55, 10))

    def won(self) -> list[bool]:
        """Return at each close whether the last breakout that ended would have won, whoever traded it."""
        side, entry, stop, won, out = 0, 0.0, 0.0, False, []
        for t, (_, open_, high, low, close, _) in enumerate(self.rows):
            if t == 0 or math.isnan(self.n[t - 1]):
                out.append(False)
                continue
            n, top, bottom = self.n[t - 1], self.high20[t - 1], self.low20[t - 1]
            if side == 1 and low <= (level := max(stop, self.low10[t - 1])):
                side, won = 0, min(open_, level) > entry
            elif side == -1 and high >= (level := min(stop, self.high10[t - 1])):
                side, won = 0, max(open_, level) < entry
            elif side == 0 and (high >= top or low <= bottom):
                up = high >= top and not (low <= bottom and abs(open_ - bottom) < abs(top - open_))
                side, entry = (1, max(open_, top)) if up else (-1, min(open_, bottom))
                stop = entry - side * 2.0 * n
                level = max(stop, self.low10[t - 1]) if up else min(stop, self.high10[t - 1])
                if (close - level) * side <= 0:
                    side, won = 0, (level - entry) * side > 0
            out.append(won)
        return out


@dataclass
class Turtle:
    """A Turtle with resting orders on both sides, day by day; `side` is that of the position, 0 for none."""

    lines: Lines
    cash: float = CASH
    side: int = 0
    units: int = 0
    held: int = 0
    size: dict[int, int] = field(default_factory=dict)
    last: float = 0.0
    stop: float = 0.0
    trailed: bool = False
    placed: int = 0
    entries: dict[int, float] = field(default_factory=dict)
    adds: list[float] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)

    def run(self) -> list[Fill]:
        """Trade all days."""
        won = self.lines.won()
        for t, (_, open_, high, low, close, _) in enumerate(self.lines.rows):
            self._at_open(t, open_)
            self._in_the_day(t, high, low, close)
            self._at_close(t, close, won=won[t])
        return self.fills

    def _exit_line(self, t: int) -> float:
        """Return the line of the ten days at which the position is left."""
        return on_tick((self.lines.low10 if self.side > 0 else self.lines.high10)[t])

    def _nearer(self, one: float, other: float) -> float:
        """Return which of two stops of the position is nearer to the price."""
        return max(one, other) if self.side > 0 else min(one, other)

    def _enter(self, t: int, side: int, price: float) -> None:
        size = self.size[side]
        self.side, self.entries = side, {}
        self.fills.append((t, side * size, price))
        self.cash -= side * size * price + size * price * FEE
        self.held, self.units, self.last = self.held + size, self.units + 1, price
        level = self._nearer(on_tick(price - side * 2.0 * self.lines.n[self.placed]), self._exit_line(self.placed))
        self.stop = self._nearer(level, self.stop) if self.trailed else level

    def _leave(self, t: int, price: float) -> None:
        self.fills.append((t, -self.side * self.held, price))
        self.cash += self.side * self.held * price - self.held * price * FEE
        self.side = self.held = self.units = 0
        self.adds, self.trailed = [], False

    def _at_open(self, t: int, open_: float) -> None:
        if self.side and (open_ - self.stop) * self.side <= 0.0:
            self._leave(t, open_)
        for side, price in list(self.entries.items()):
            if (open_ - price) * side >= 0.0:
                self._enter(t, side, open_)
        while self.adds and (open_ - self.adds[0]) * self.side >= 0.0:
            self.adds.pop(0)
            self._enter(t, self.side, open_)

    def _in_the_day(self, t: int, high: float, low: float, close: float) -> None:
        reached = [side for side, price in self.entries.items() if (high if side > 0 else low) * side >= price * side]
        assert len(reached) < 2, "a day of both breakouts"
        worst = low if self.side > 0 else high
        for side in reached:
            self._enter(t, side, self.entries[side])
            worst = close
        best, against = (high, low) if self.side > 0 else (low, high)
        while self.adds and (best - self.adds[0]) * self.side >= 0.0:
            # The worst price counts where it reached the stop: what came first isn't known.
            worst = close if (against - self.stop) * self.side > 0.0 else against
            self._enter(t, self.side, self.adds.pop(0))
        if self.side and (worst - self.stop) * self.side <= 0.0:
            self._leave(t, self.stop)

    def _at_close(self, t: int, close: float, *, won: bool) -> None:
        self.entries = {}
        if t < FIRST:
            return
        lines = self.lines
        if not self.side:
            share = min(0.5 / (lines.n[t] / close * 100.0), 0.5)
            for side, near, far in ((1, lines.high20, lines.high55), (-1, lines.low20, lines.low55)):
                self.entries[side] = on_tick((far if won else near)[t] + side * 0.01)
                self.size[side] = math.floor(self.cash * share / self.entries[side])
            self.placed = t
            return
        if (self._exit_line(t) - self.stop) * self.side > 0.0:
            self.stop, self.trailed = self._exit_line(t), True
        if len(self.adds) != 4 - self.units or self.fills[-1][0] == t:
            self.placed, self.adds, level = t, [], self.last
            for _ in range(4 - self.units):
                level = on_tick(level + self.side * 0.5 * lines.n[t])
                self.adds.append(level)


def test_every_fill_is_that_of_a_plain_turtle() -> None:
    rows = adjusted_rows("GOOG")
    expected = Turtle(Lines(rows)).run()
    fills = quantcrafter.run(EXAMPLE).ledger.fills
    found = [(int(f["bar"]), int(f["side"] * f["lots"]), float(f["price"])) for f in fills]
    assert [fill[:2] for fill in found] == [fill[:2] for fill in expected]
    assert [fill[2] for fill in found] == pytest.approx([fill[2] for fill in expected], abs=1e-9)
    # Both rules of entry, all four units, and both exits were seen, on both sides.
    assert len(found) > 250
    sides = [1 if f["side"] > 0 else -1 for f in fills if f["reason"] in (Reason.ENTRY, Reason.SCALE_IN)]
    assert min(sides.count(1), sides.count(-1)) > 60
