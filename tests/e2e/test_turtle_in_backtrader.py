"""The Turtle example on GOOG against a script for backtrader whose orders rest at backtrader's own broker."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import quantcrafter
from tests.e2e.test_golden_cross_oracle import adjusted_rows, feed_of
from tests.e2e.test_turtle_by_hand import CASH, FEE, FIRST, Fill, Lines, on_tick

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "turtle.yaml"


def turtle(bt: Any, won: list[bool], fills: list[Fill]) -> Any:  # noqa: C901 - a class with its methods
    """Return a plain backtrader strategy that notes its fills; `won` says of each day whether the last breakout did."""

    class Turtle(bt.Strategy):  # type: ignore[misc] # backtrader has no types
        def __init__(self) -> None:
            high, low = self.data.high, self.data.low
            self.n = bt.ind.ATR(period=20)
            self.highs = [bt.ind.Highest(high, period=period) for period in (20, 55, 10)]
            self.lows = [bt.ind.Lowest(low, period=period) for period in (20, 55, 10)]
            self.cash, self.units, self.last, self.out, self.trailed = CASH, 0, 0.0, 0.0, False
            self.size: dict[int, int] = {}
            self.decided: tuple[float, float, float] = (0.0, 0.0, 0.0)
            self.resting: list[Any] = []
            self.levels: list[float] = []
            self.side, self.grown = 0, False

        def nearer(self, one: float, other: float) -> float:
            return max(one, other) if self.side > 0 else min(one, other)

        def notify_order(self, order: Any) -> None:
            if order.status != order.Completed:
                return
            size, price = int(order.executed.size), order.executed.price
            fills.append((len(self) - 1, size, price))
            self.cash -= size * price + abs(size) * price * FEE
            if size * self.side < 0:
                self.side, self.units, self.trailed = 0, 0, False
                return
            self.side = 1 if size > 0 else -1
            n, low, high = self.decided
            self.units, self.last, self.grown = self.units + 1, price, True
            level = self.nearer(on_tick(price - self.side * 2.0 * n), on_tick(low if size > 0 else high))
            self.out = self.nearer(level, self.out) if self.trailed else level

        def stop_order(self, side: int, price: float, size: int, **more: Any) -> Any:
            send = self.buy if side > 0 else self.sell
            return send(exectype=bt.Order.Stop, price=price, size=size, **more)

        def next(self) -> None:
            for order in self.resting:
                self.cancel(order)
            self.resting = []
            if len(self) <= FIRST:
                return
            n, close, exits = self.n[0], self.data.close[0], (self.lows[2][0], self.highs[2][0])
            if not self.position.size:
                self.decided, self.levels = (n, *exits), []
                far = int(won[len(self) - 1])
                for side, lines in ((1, self.highs), (-1, self.lows)):
                    price = on_tick(lines[far][0] + side * 0.01)
                    self.size[side] = math.floor(self.cash * min(0.5 / (n / close * 100.0), 0.5) / price)
                    other = {"oco": self.resting[0]} if self.resting else {}
                    self.resting.append(self.stop_order(side, price, self.size[side], **other))
                return
            edge = on_tick(exits[0] if self.side > 0 else exits[1])
            if (edge - self.out) * self.side > 0:
                self.out, self.trailed = edge, True
            if self.grown:
                self.grown, self.decided, self.levels, level = False, (n, *exits), [], self.last
                for _ in range(4 - self.units):
                    level = on_tick(level + self.side * 0.5 * n)
                    self.levels.append(level)
            size = self.size[self.side]
            self.resting = [self.stop_order(-self.side, self.out, abs(self.position.size))]
            self.resting += [self.stop_order(self.side, level, size) for level in self.levels]

    return Turtle


def test_backtrader_fills_the_orders_of_a_turtle_alike() -> None:
    bt = pytest.importorskip("backtrader")
    rows, fills = adjusted_rows("GOOG"), list[Fill]()
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(1e12)
    cerebro.adddata(feed_of(bt, rows))
    cerebro.addstrategy(turtle(bt, Lines(rows).won(), fills))
    cerebro.run()
    # An order that backtrader's script sends after a fill is at work from the next bar on.
    result = quantcrafter.run(EXAMPLE, run__fills={"arm": "next_bar"})
    found = [(int(f["bar"]), int(f["side"] * f["lots"]), float(f["price"])) for f in result.ledger.fills]
    assert [fill[:2] for fill in found] == [fill[:2] for fill in fills]
    assert [fill[2] for fill in found] == pytest.approx([fill[2] for fill in fills], abs=1e-9)
    assert len(found) > 250
    assert min(sum(size > 0 for _, size, _ in found), sum(size < 0 for _, size, _ in found)) > 100
