"""The bar standard for one instrument, written again from its page in plain Python; it shares nothing with the engine.

Ten units, without costs and with cash enough: market, limit, stop and stop-limit entries, a stop-loss or trailing
stop, a take-profit, exit signals, and signals against the position.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Fill = tuple[int, int, float, str]
"""Bar, side, price, reason."""

SIGNALS = {"enter_long": 1, "enter_short": -1}


@dataclass
class Terms:
    """What is traded: the entry's kind, distances in whole prices (0: there is none), and the choices of the file."""

    entry: str = "market"
    offset: int = 0
    limit: int = 0
    stop: int = 0
    trailing: int = 0
    target: int = 0
    on_opposite: str = "close"
    arm: str = "entry_bar"


@dataclass
class Order:
    """An open order: for a price, or for the next open when that is None.

    A stop-limit has a `limit` beyond its price; touched, it is a limit order there.
    """

    side: int
    price: float | None
    reason: str
    is_stop: bool = False
    limit: float | None = None


@dataclass
class PlainBroker:
    """One instrument and the result of it, bar by bar."""

    terms: Terms
    fills: list[Fill] = field(default_factory=list)
    trades: list[tuple[int, int, float, float]] = field(default_factory=list)
    side: int = 0
    entered: float = 0.0
    entry_bar: int = 0
    best: float = 0.0
    worst: float = 0.0
    market: list[Order] = field(default_factory=list)
    waiting: Order | None = None
    stop: Order | None = None
    target: Order | None = None
    sleeping: bool = False
    way: int = 0

    def run(self, rows: list[tuple[float, float, float, float]], signals: list[str]) -> PlainBroker:
        """Trade all bars: open, high, low, close."""
        for bar, (row, signal) in enumerate(zip(rows, signals, strict=True)):
            self.way, self.sleeping = 0, False
            self._open(bar, row[0])
            self._inside(bar, *row[1:3])
            self._after(bar, *row)
            self._close(*row[1:])
            self._decide(row[3], signal)
        return self

    # ------------------------------------------------------------------ fills

    def _fill(self, bar: int, side: int, price: float, reason: str, way: int = 0) -> None:
        self.fills.append((bar, side, price, reason))
        if self.side == 0:
            self.side, self.entered, self.entry_bar, self.best, self.worst = side, price, bar, price, price
            self.way = way
            self.sleeping = way != 0 or self.terms.arm == "next_bar"
            distance = self.terms.stop or self.terms.trailing
            # No protective order is below the first price above zero.
            self.stop = Order(-side, max(price - side * distance, 1.0), "stop_loss") if distance else None
            target = max(price + side * self.terms.target, 1.0)
            self.target = Order(-side, target, "take_profit") if self.terms.target else None
            return
        highest, lowest = max(self.best, self.worst, price), min(self.best, self.worst, price)
        up, down = highest - self.entered, self.entered - lowest
        self.trades.append((self.entry_bar, bar, *((down, up) if self.side > 0 else (up, down))))
        self.side, self.stop, self.target = 0, None, None

    def _open(self, bar: int, price: float) -> None:
        for order in self.market:
            self._fill(bar, order.side, price, order.reason)
        self.market = []
        if self.waiting is not None and self.waiting.is_stop and self._reached(self.waiting, price, price):
            self._trigger(bar, price)
        if self._is_hit(self.stop, price, price):
            self._leave(bar, self.stop, price)
        if self.waiting is not None and not self.waiting.is_stop and self._reached(self.waiting, price, price):
            self._enter(bar, price)
        if self._is_hit(self.target, price, price):
            self._leave(bar, self.target, price)

    def _inside(self, bar: int, high: float, low: float) -> None:
        if self.waiting is not None and self.waiting.is_stop and self._reached(self.waiting, high, low):
            # What came after it inside the bar begins at its own price, which is within a limit beyond it.
            self._enter(bar, None, self.waiting.side)
        if self._is_hit(self.stop, high, low):
            self._leave(bar, self.stop)
        if self.waiting is not None and not self.waiting.is_stop and self._reached(self.waiting, high, low):
            self._enter(bar, None, -self.waiting.side)
        if self._is_hit(self.target, high, low):
            self._leave(bar, self.target)

    def _after(self, bar: int, open_: float, high: float, low: float, close: float) -> None:
        """Take out an entry inside the bar where that certainly reached its stop or target afterwards."""
        if self.side == 0 or self.way == 0 or self.terms.arm == "next_bar":
            return
        top = high if self.way > 0 else max(close, self.entered)
        bottom = low if self.way < 0 else min(close, self.entered)
        gains = self.target is not None and self._price_met(self.target, top, bottom)
        loses = self.stop is not None and self._price_met(self.stop, top, bottom)
        if gains and self.stop is not None and self.stop.price is not None:
            began_beyond = (open_ - self.stop.price) * self.side <= 0
            loses = loses or (self._price_met(self.stop, high, low) and not began_beyond)
        if loses:
            self._leave(bar, self.stop)
        elif gains:
            self._leave(bar, self.target)

    def _is_hit(self, order: Order | None, high: float, low: float) -> bool:
        return order is not None and not self.sleeping and self._price_met(order, high, low)

    def _price_met(self, order: Order, high: float, low: float) -> bool:
        """Return whether prices between high and low meet a protective order."""
        assert order.price is not None
        upward = (order.side > 0) == (order is self.stop)
        return high >= order.price if upward else low <= order.price

    @staticmethod
    def _reached(order: Order, high: float, low: float) -> bool:
        """Return whether prices between high and low meet a waiting entry."""
        assert order.price is not None
        return high >= order.price if (order.side > 0) == order.is_stop else low <= order.price

    def _trigger(self, bar: int, price: float) -> None:
        """Let the open meet a waiting stop: it enters, or is a limit order from now on."""
        assert self.waiting is not None
        if self.waiting.limit is None:
            self._enter(bar, price)
        else:
            self.waiting = Order(self.waiting.side, self.waiting.limit, "entry")

    def _enter(self, bar: int, price: float | None, way: int = 0) -> None:
        order, self.waiting = self.waiting, None
        assert order is not None
        assert order.price is not None
        self._fill(bar, order.side, order.price if price is None else price, "entry", way)

    def _leave(self, bar: int, order: Order | None, price: float | None = None) -> None:
        assert order is not None
        assert order.price is not None
        self._fill(bar, order.side, order.price if price is None else price, order.reason)

    # ------------------------------------------------------------------ at the close

    def _close(self, high: float, low: float, close: float) -> None:
        if self.side == 0:
            return
        if self.way != 0:
            high, low = high if self.way > 0 else close, low if self.way < 0 else close
        top, bottom = max(self.best, self.worst, high), min(self.best, self.worst, low)
        self.best, self.worst = (top, bottom) if self.side > 0 else (bottom, top)
        if self.terms.trailing and self.stop is not None and self.stop.price is not None:
            level = max(self.best - self.side * self.terms.trailing, 1.0)
            if (level - self.stop.price) * self.side > 0:
                self.stop.price, self.stop.reason = level, "trailing_stop"

    def _decide(self, close: float, signal: str) -> None:
        side = SIGNALS.get(signal, 0)
        if signal.startswith("exit"):
            leaving = 1 if signal == "exit_long" else -1
            if self.waiting is not None and self.waiting.side == leaving:
                self.waiting = None
            if self.side == leaving:
                self.market.append(Order(-leaving, None, "signal"))
        if side in (0, self.side):
            return
        if self.side != 0:
            if self.terms.on_opposite == "ignore":
                return
            self.market.append(Order(side, None, "opposite"))
            if self.terms.on_opposite == "close":
                return
        self._order_entry(close, side)

    def _order_entry(self, close: float, side: int) -> None:
        kind = self.terms.entry
        if self.waiting is not None and self.waiting.side != side:
            self.waiting = None
        if kind == "market":
            self.market.append(Order(side, None, "entry"))
            return
        price = close + side * self.terms.offset * (-1 if kind == "limit" else 1)
        limit = max(price + side * self.terms.limit, 1.0) if kind == "stop_limit" else None
        if price > 0:
            self.waiting = Order(side, price, "entry", is_stop=kind != "limit", limit=limit)


def as_rows(table: Any) -> list[tuple[float, float, float, float]]:
    """Return bars as rows of open, high, low and close."""
    return [tuple(map(float, row)) for row in table]  # type: ignore[misc]  # four numbers each
