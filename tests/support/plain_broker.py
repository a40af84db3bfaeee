"""The bar standard for one instrument, written again from its page in plain Python; it shares nothing with the engine.

Ten units, without costs and with cash enough: market, limit, stop and stop-limit entries, a stop-loss or trailing
stop, a take-profit, exit signals, signals against the position, entries on both sides, and orders that reverse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Fill = tuple[int, int, float, str]
"""Bar, side, price, reason."""

SIGNALS = {"enter_long": 1, "enter_short": -1}

BOTH = 2
"""The way of the price after an entry if the high and the low of the bar both came after it."""


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
    two_sided: bool = False


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
    asleep: bool = False


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
    waiting: list[Order] = field(default_factory=list)
    stop: Order | None = None
    target: Order | None = None
    sleeping: bool = False
    way: int = 0

    def run(self, rows: list[tuple[float, float, float, float]], signals: list[str]) -> PlainBroker:
        """Trade all bars: open, high, low, close."""
        for bar, (row, signal) in enumerate(zip(rows, signals, strict=True)):
            self.way, self.sleeping = 0, False
            for order in self.waiting:
                order.asleep = False
            self._open(bar, row[0])
            self._inside(bar, *row[1:])
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
        for is_stop in (True, False):
            for order in [each for each in self.waiting if each.is_stop == is_stop]:
                if order in self.waiting and self._reached(order, price, price):
                    self._trigger(bar, order, price)
            protective = self.stop if is_stop else self.target
            if self._is_hit(protective, price, price):
                self._leave(bar, protective, price)

    def _inside(self, bar: int, high: float, low: float, close: float) -> None:
        for is_stop in (True, False):
            reached = [each for each in self.waiting if each.is_stop == is_stop and not each.asleep]
            reached = [each for each in reached if self._reached(each, high, low)]
            if len(reached) > 1 and self.side == 0:
                self._enter_one(bar, reached, close)
            else:
                for order in reached:
                    # What came after a stop-limit inside the bar begins at its own price, within a limit beyond it.
                    self._enter(bar, order, None, order.side if is_stop else -order.side)
            protective = self.stop if is_stop else self.target
            if self._is_hit(protective, high, low):
                self._leave(bar, protective)

    def _enter_one(self, bar: int, reached: list[Order], close: float) -> None:
        """Enter with one of two orders that a bar reached: the position that is left is worth least at the close."""
        by_worth = sorted(reached, key=lambda order: (order.side * (close - (order.price or 0.0)), -order.side))
        reverses = self.terms.on_opposite == "reverse_at_price" and self.terms.arm == "entry_bar"
        for order in reached:
            order.asleep = True
        self._enter(bar, by_worth[1 if reverses else 0], None, BOTH)

    def _after(self, bar: int, open_: float, high: float, low: float, close: float) -> None:
        """Fill what an entry inside the bar certainly reached afterwards: stops, targets, and reversals."""
        if self.side == 0 or self.way == 0 or self.terms.arm == "next_bar":
            return
        top = high if self.way > 0 else max(close, self.entered)
        bottom = low if self.way in (-1, BOTH) else min(close, self.entered)
        against = [each for each in self.waiting if each.side == -self.side]
        stops = [each for each in (self.stop, *against) if each is not None and (each is self.stop or each.is_stop)]
        limits = [each for each in (self.target, *against) if each is not None and each not in stops]

        def met(order: Order, highest: float, lowest: float) -> bool:
            assert order.price is not None
            return highest >= order.price if (order.side > 0) == (order in stops) else lowest <= order.price

        possible = any((open_ - (each.price or 0.0)) * self.side > 0 for each in stops)
        if possible and any(met(each, top, bottom) for each in limits):
            top, bottom = (top, low) if self.side > 0 else (high, bottom)
        for orders in (stops, limits):
            # The price reaches the nearer one first.
            reached = [each for each in orders if met(each, top, bottom)]
            reached.sort(key=lambda each: abs((each.price or 0.0) - self.entered))
            for order in reached:
                if order in self.waiting:
                    self._enter(bar, order, None, order.side if order.is_stop else -order.side)
                    self._after(bar, open_, high, low, close)
                    return
                if order in (self.stop, self.target):
                    self._leave(bar, order)
            if self.side == 0:
                return

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

    def _trigger(self, bar: int, order: Order, price: float) -> None:
        """Let the open meet a waiting order: it enters, or is a limit order from now on."""
        if order.limit is None:
            self._enter(bar, order, price)
        else:
            self.waiting[self.waiting.index(order)] = Order(order.side, order.limit, "entry")

    def _enter(self, bar: int, order: Order, price: float | None, way: int = 0) -> None:
        """Enter with a waiting order; close a position on the other side first."""
        self.waiting.remove(order)
        assert order.price is not None
        reason, protective = "entry", self.stop if order.is_stop else self.target
        if self.side == -order.side:
            assert order.is_stop or order.limit is None
            towards = order.side if order.is_stop else -order.side
            nearer = protective is not None and (order.price - (protective.price or 0.0)) * towards > 0
            if nearer and not self.sleeping:
                self._leave(bar, protective, price)
            else:
                reason = "reversal"
                self._fill(bar, order.side, order.price if price is None else price, reason)
        self._fill(bar, order.side, order.price if price is None else price, reason, way)
        for other in [each for each in self.waiting if each.side == -order.side]:
            if self.terms.on_opposite == "reverse_at_price":
                other.asleep = other.asleep or way != 0
            elif self.terms.two_sided:
                self.waiting.remove(other)

    def _leave(self, bar: int, order: Order | None, price: float | None = None) -> None:
        assert order is not None
        assert order.price is not None
        self._fill(bar, order.side, order.price if price is None else price, order.reason)

    # ------------------------------------------------------------------ at the close

    def _close(self, high: float, low: float, close: float) -> None:
        if self.side == 0:
            return
        if self.way != 0:
            high, low = high if self.way > 0 else close, low if self.way in (-1, BOTH) else close
        top, bottom = max(self.best, self.worst, high), min(self.best, self.worst, low)
        self.best, self.worst = (top, bottom) if self.side > 0 else (bottom, top)
        if self.terms.trailing and self.stop is not None and self.stop.price is not None:
            level = max(self.best - self.side * self.terms.trailing, 1.0)
            if (level - self.stop.price) * self.side > 0:
                self.stop.price, self.stop.reason = level, "trailing_stop"

    def _decide(self, close: float, signal: str) -> None:
        side, at_price = SIGNALS.get(signal, 0), self.terms.on_opposite == "reverse_at_price"
        if signal.startswith("exit"):
            self._exit(1 if signal == "exit_long" else -1)
        elif signal == "both" and self.terms.two_sided:
            for each in (1, -1) if self.side == 0 else (-self.side,) * at_price:
                self._order_entry(close, each)
        elif side != 0 and side == self.side:
            if at_price and not self.terms.two_sided:
                self.waiting = [each for each in self.waiting if each.side == side]
        elif side != 0 and (self.side == 0 or at_price):
            self._order_entry(close, side)
        elif side != 0 and self.terms.on_opposite != "ignore":
            self.market.append(Order(side, None, "opposite"))
            if self.terms.on_opposite == "reverse":
                self._order_entry(close, side)

    def _exit(self, side: int) -> None:
        self.waiting = [each for each in self.waiting if each.side != side]
        if self.side == side:
            self.market.append(Order(-side, None, "signal"))

    def _order_entry(self, close: float, side: int) -> None:
        kind = self.terms.entry
        if not self.terms.two_sided:
            self.waiting = [each for each in self.waiting if each.side == side]
        if kind == "market":
            self.market.append(Order(side, None, "entry"))
            return
        price = close + side * self.terms.offset * (-1 if kind == "limit" else 1)
        limit = max(price + side * self.terms.limit, 1.0) if kind == "stop_limit" else None
        if price > 0:
            self.waiting = [each for each in self.waiting if each.side != side]
            self.waiting.append(Order(side, price, "entry", is_stop=kind != "limit", limit=limit))


def as_rows(table: Any) -> list[tuple[float, float, float, float]]:
    """Return bars as rows of open, high, low and close."""
    return [tuple(map(float, row)) for row in table]  # type: ignore[misc]  # four numbers each
