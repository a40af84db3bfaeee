"""A broker as they are: it answers late, fills in parts, refuses, repeats its reports and mixes up their order.

What it does is drawn at random. It keeps its own account of orders, positions and money, by which books are checked.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.orders import (
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    Cancel,
    Cancelled,
    CancelRejected,
    Expired,
    Filled,
    OrderCommand,
    OrderEvent,
    Rejected,
    Submit,
    Unanswered,
)

Prices = Mapping[str, tuple[float, float, float, float]]
"""Open, high, low and close of the bar that trades, by symbol."""


@dataclass
class BrokerOrder:
    """An order as the broker has it; `state` is working, filled, cancelled, expired or rejected."""

    submit: Submit
    lots: int
    price: float | None
    limit: float | None
    filled: int = 0
    state: str = "working"
    touched: bool = False

    @property
    def side(self) -> int:
        """Return +1 to buy and -1 to sell."""
        return 1 if self.submit.side == "buy" else -1


@dataclass
class OutsideBroker:
    """Takes commands, trades bars, and reports; `trouble` is how often something is out of the ordinary, 0 to 1."""

    seed: int
    trouble: float = 0.3
    cash: float = 0.0
    orders: dict[OrderId, BrokerOrder] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    executed: list[tuple[int, float]] = field(default_factory=list)
    """Signed lots and price of every execution."""
    seen: set[str] = field(default_factory=set)
    """What out of the ordinary has happened, by the names of the cases."""

    def __post_init__(self) -> None:
        """Begin with nothing in progress."""
        self.random = random.Random(self.seed)  # noqa: S311 - a test
        self.inbox: list[OrderCommand] = []
        self.outbox: list[OrderEvent] = []
        self.sent: list[OrderEvent] = []

    def _happens(self, case: str, chance: float = 1.0) -> bool:
        happens = self.random.random() < self.trouble * chance
        if happens:
            self.seen.add(case)
        return happens

    # ------------------------------------------------------------------ commands

    def take(self, commands: Iterable[OrderCommand]) -> None:
        """Receive commands; they are acted on when the broker comes to them."""
        self.inbox += commands

    def work(self, *, at_once: bool = False) -> None:
        """Act on commands in the order in which they came, and not always on all of them."""
        while self.inbox and (at_once or not self._happens("commands wait")):
            command = self.inbox.pop(0)
            if isinstance(command, Submit):
                self._submit(command)
            elif isinstance(command, Amend):
                self._amend(command)
            else:
                self._cancel(command)

    def _submit(self, submit: Submit) -> None:
        assert submit.order not in self.orders, "an id is sent once"
        order = BrokerOrder(submit, submit.lots, submit.price, submit.limit)
        self.orders[submit.order] = order
        if self._happens("rejected", 0.2):
            order.state = "rejected"
            self.outbox.append(Rejected(submit.order, 0, "not today"))
            return
        if self._happens("unanswered at first", 0.3):
            self.outbox.append(Unanswered(submit.order, 0))
        self.outbox.append(Accepted(submit.order, 0, f"V{len(self.orders)}"))

    def _amend(self, amend: Amend) -> None:
        order = self.orders[amend.order]
        if order.state != "working" or amend.lots <= order.filled or self._happens("amend refused", 0.4):
            self.outbox.append(AmendRejected(amend.order, amend.change, 0, "no"))
            return
        order.lots, order.price, order.limit = amend.lots, amend.price, amend.limit
        self.outbox.append(Amended(amend.order, amend.change, 0))

    def _cancel(self, cancel: Cancel) -> None:
        order = self.orders[cancel.order]
        if order.state != "working" or self._happens("cancel refused", 0.3):
            self.outbox.append(CancelRejected(cancel.order, 0, "too late"))
            return
        order.state = "cancelled"
        self.outbox.append(Cancelled(cancel.order, 0))

    # ------------------------------------------------------------------ trading

    def trade(self, prices: Prices, *, calm: bool = False) -> None:
        """Let the open orders meet a bar: each fills whole, in part, or (market orders apart) not at all."""
        for order in list(self.orders.values()):
            if order.state != "working" or order.submit.symbol not in prices:
                continue
            price = self._price(order, *prices[order.submit.symbol])
            if price is None:
                if not calm and self._happens("ended by the broker", 0.05):
                    order.state = "expired"
                    self.outbox.append(Expired(order.submit.order, 0))
                continue
            left = order.lots - order.filled
            if not calm and left > 1 and self._happens("filled in parts"):
                first = self.random.randint(1, left - 1)
                self._fill(order, first, price)
                if self._happens("the rest comes later"):
                    continue
                left -= first
            self._fill(order, left, price)

    def _price(self, order: BrokerOrder, first: float, high: float, low: float, last: float) -> float | None:
        """Return a price of the bar at which the order trades; a stop that was touched is a market order."""
        kind, side = order.submit.kind, order.side
        if kind == "at_close":
            return last
        if kind == "market" or (kind == "stop" and order.touched):
            return first
        if kind == "stop_limit" and not order.touched:
            order.touched = order.price is not None and (high >= order.price if side > 0 else low <= order.price)
            return None
        level = order.limit if kind == "stop_limit" else order.price
        assert level is not None
        rising = (side > 0) == (kind == "stop")
        if not (high >= level if rising else low <= level):
            return None
        order.touched = kind == "stop"
        return max(level, first) if rising else min(level, first)

    def _fill(self, order: BrokerOrder, lots: int, price: float) -> None:
        symbol, quantity = order.submit.symbol, lots * order.submit.lot_size
        fee = round(0.01 * lots, 2)
        order.filled += lots
        if order.filled == order.lots:
            order.state = "filled"
        self.positions[symbol] = self.positions.get(symbol, 0) + order.side * lots
        self.cash -= order.side * quantity * price + fee
        self.executed.append((order.side * lots, price))
        self.outbox.append(Filled(order.submit.order, f"E{len(self.executed)}", lots, price, 0, fee))

    # ------------------------------------------------------------------ reports

    def reports(self, *, all_of_them: bool = False) -> list[OrderEvent]:
        """Return what is reported now: perhaps not all, some of it twice, and neighbours in another order."""
        count = len(self.outbox)
        if not all_of_them and count and self._happens("reports wait"):
            count = self.random.randint(0, count)
        told, self.outbox = self.outbox[:count], self.outbox[count:]
        for k in range(len(told) - 1):
            pair = (type(told[k]), type(told[k + 1]))
            loose = {Filled, Accepted}
            if set(pair) <= loose and self._happens("reports change places"):
                told[k], told[k + 1] = told[k + 1], told[k]
        again = []
        for event in told:
            again.append(event)
            if self.sent and self._happens("reported twice", 0.5):
                again.append(self.random.choice(self.sent))
            self.sent.append(event)
        return again

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in progress."""
        return not self.inbox and not self.outbox
