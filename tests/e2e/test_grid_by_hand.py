"""The grid example on IBM against a plain script with a list of limit orders."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import quantcrafter
from tests.e2e.test_golden_cross_oracle import adjusted_rows
from tests.e2e.test_turtle_by_hand import on_tick, wilder_range

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "grid_equity_stop.yaml"
CASH, FEE, LEVELS, FIRST = 100_000.0, 0.0005, 5, 20


class Grid:
    """A grid that buys at five lines and sells each purchase one line higher."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        _, high, low, close = (np.array([row[k] for row in rows]) for k in range(1, 5))
        self.close = close
        self.range = 100.0 * wilder_range(high, low, close, 20) / close
        self.cash, self.held, self.cost = CASH, [0] * LEVELS, 0.0
        self.orders: list[tuple[int, int, float]] = []
        self.anchor, self.lots, self.leaving, self.stopped_at = 0.0, 0, False, -1000
        self.fills: list[tuple[int, int, float]] = []

    def line(self, number: int) -> float:
        """Return the price of a line; line 0 is the anchor."""
        return on_tick(self.anchor * (1.0 - 0.03 * number))

    def run(self) -> list[tuple[int, int, float]]:
        """Trade all days, and return bar, units and price of each fill."""
        for t, (_, open_, high, low, _, _) in enumerate(self.rows):
            if self.leaving:
                self._fill(t, -sum(self.held), open_, None)
                self.held, self.orders, self.leaving, self.anchor = [0] * LEVELS, [], False, 0.0
            self._match(t, open_, open_)
            self._match(t, high, low)
            self._decide(t)
        return self.fills

    def _fill(self, t: int, units: int, price: float, level: int | None) -> None:
        before = sum(self.held)
        if units > 0:
            self.cost += units * price * (1.0 + FEE)
        else:
            self.cost *= 1.0 + units / before
        self.cash -= units * price + abs(units) * price * FEE
        self.fills.append((t, units, price))
        if level is not None:
            self.held[level] += units

    def _match(self, t: int, high: float, low: float) -> None:
        for order in list(self.orders):
            level, units, price = order
            if (low <= price) if units > 0 else (high >= price):
                at = (min(high, price) if units > 0 else max(low, price)) if high == low else price
                self.orders.remove(order)
                self._fill(t, units, at, level)

    def _decide(self, t: int) -> None:
        if t < FIRST or t == len(self.rows) - 1:
            return
        close, units = float(self.close[t]), sum(self.held)
        equity = self.cash + units * close
        window = self.close[t - 19 : t + 1]
        middle, upper = window.mean(), window.mean() + 2.0 * window.std()
        is_stopped = units > 0 and -100.0 * (units * close - self.cost) / equity >= 5.0
        if is_stopped:
            self.stopped_at = t
        enters = close < middle and self.range[t] < 2.5
        leaves = close > upper or is_stopped
        if leaves:
            self.orders = [order for order in self.orders if order[1] < 0]
            self.leaving = units > 0
            self.anchor = self.anchor if self.leaving else 0.0
        if self.leaving:
            return
        if enters and not leaves and not self.anchor and t - self.stopped_at >= 20:
            self.anchor, self.lots = close, math.floor(equity * 0.15 / close)
        if self.anchor:
            self._place(equity, units)

    def _place(self, equity: float, units: int) -> None:
        busy = {order[0] for order in self.orders}
        planned = units + sum(order[1] for order in self.orders if order[1] > 0)
        for level in range(LEVELS):
            if level in busy:
                continue
            if self.held[level]:
                self.orders.append((level, -self.held[level], self.line(level)))
            elif planned + self.lots <= math.floor(equity / self.anchor):
                self.orders.append((level, self.lots, self.line(level + 1)))
                planned += self.lots


def test_every_fill_is_that_of_a_plain_grid() -> None:
    expected = Grid(adjusted_rows("IBM")).run()
    result = quantcrafter.run(EXAMPLE)
    fills = result.ledger.fills
    found = [(int(f["bar"]), int(f["side"] * f["lots"]), float(f["price"])) for f in fills]
    assert [fill[:2] for fill in found] == [fill[:2] for fill in expected]
    assert [fill[2] for fill in found] == pytest.approx([fill[2] for fill in expected], abs=1e-9)
    assert len(found) > 150
    # The equity stop closed all five lines at once.
    assert sum(units == -5 * expected[n - 1][1] for n, (_, units, _) in enumerate(expected) if n) >= 1
