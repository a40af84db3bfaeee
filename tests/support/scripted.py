"""A feed and a broker that do what a test tells them, for workers; nothing happens by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import (
    Balance,
    Bar,
    BarClosed,
    Bars,
    Broker,
    BrokerConnection,
    BrokerState,
    Feed,
    FeedConnection,
    FeedEvent,
    FeedState,
    OrderCommand,
    OrderEvent,
    Subscription,
    TryAgainError,
    VenueExecution,
    VenueOrder,
    VenuePosition,
)
from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.orders import (
    Accepted,
    Amend,
    Amended,
    Cancel,
    Cancelled,
    Filled,
    Rejected,
    Side,
    Submit,
)
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.runtime.running.prepare import load_market


@dataclass
class ScriptedFeed(FeedConnection):
    """Brings bars when it is told to; its clock stands at the close of the latest one, or where it is set.

    `bars` are all bars of each name. The first `known` of them are history.
    """

    bars: dict[str, Bars]
    known: int = 30
    events: list[FeedEvent] = field(default_factory=list)
    reachable: bool = True
    at_ns: int = 0

    def __post_init__(self) -> None:
        """Begin after the history."""
        self.next = self.known
        self.at_ns = max(int(each.close_ns[self.known - 1]) for each in self.bars.values())

    @classmethod
    def of(cls, graph: BoundGraph, known: int = 30) -> ScriptedFeed:
        """Return the feed of a strategy's stored bars."""
        market = load_market(graph, lambda *_: None, lambda: False)
        names = [each.spec.symbol for each in graph.instruments]
        return cls(dict(zip(names, market.bars, strict=True)), known)

    def bring(self, *names: str) -> None:
        """Bring the next bar of all, or of some."""
        for name in names or self.bars:
            bar = bar_of(self.bars[name], self.next)
            self.at_ns = max(self.at_ns, bar.close_ns)
            self.events.append(BarClosed(name, bar, self.at_ns))
        self.next += 1

    def skip(self) -> None:
        """Let a bar close that is not brought, but may be asked for."""
        self.at_ns = max(self.at_ns, *(int(each.close_ns[self.next]) for each in self.bars.values()))
        self.next += 1

    def say(self, state: Any, text: str = "") -> None:
        """Report a state of the connection."""
        self.events.append(FeedState(state, self.at_ns, text))

    def history(self, name: str, before_ns: int, count: int) -> Bars:
        bars = self.bars[name]
        end = int(bars.close_ns.searchsorted(before_ns, side="right"))
        return bars.slice(max(0, end - count), end)

    def missed(self, name: str, after_ns: int, until_ns: int) -> Sequence[Bar]:
        if not self.reachable:
            raise TryAgainError("no answer")
        bars = self.bars[name]
        begin, end = (int(bars.close_ns.searchsorted(each, side="right")) for each in (after_ns, until_ns))
        return [bar_of(bars, number) for number in range(begin, end)]

    def poll(self, timeout_s: float) -> Sequence[FeedEvent]:
        del timeout_s
        events, self.events = self.events, []
        return events

    def now_ns(self) -> int:
        return self.at_ns

    def close(self) -> None:
        """Keep what there is: another worker may go on."""


class HeldFeed(Feed):
    """Hands out one connection, again and again."""

    name = "held"
    held: Any

    def open(self, subscriptions: Sequence[Subscription], base_dir: str = "") -> FeedConnection:
        del subscriptions, base_dir
        connection: FeedConnection = self.held
        return connection


@dataclass
class ScriptedBroker(BrokerConnection):
    """Takes commands and keeps an account; what it answers, and when, is told by the test.

    With `answers` it accepts, amends and cancels at once. With `fills` a price, market orders fill at it at once.
    `silent` keeps reports back until it is false; `reachable` false raises on every call that can raise.
    """

    answers: bool = True
    fills: float | None = None
    reachable: bool = True
    silent: bool = False
    sent: list[OrderCommand] = field(default_factory=list)
    orders: dict[str, Submit] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    told: dict[str, list[OrderEvent]] = field(default_factory=dict)
    executed: list[VenueExecution] = field(default_factory=list)
    held: dict[str, float] = field(default_factory=dict)
    reports: list[OrderEvent | BrokerState] = field(default_factory=list)
    on_send: Callable[[OrderCommand], None] | None = None

    # ------------------------------------------------------------------ what a test tells

    def tell(self, event: OrderEvent) -> None:
        """Report something about an order, which `outcome` repeats."""
        self.told.setdefault(str(event.order), []).append(event)
        self.reports.append(event)

    def say(self, state: Any, text: str = "") -> None:
        """Report a state of the connection."""
        self.reports.append(BrokerState(state, 0, text))

    def fill(self, order: str, lots: int, price: float, *, told: bool = True) -> Filled:
        """Let an order trade; a report that isn't told is found among the executions only."""
        submit = self.orders[order]
        name = f"E{len(self.executed) + 1}"
        quantity = lots * submit.lot_size
        sign = 1.0 if submit.side == "buy" else -1.0
        self.executed.append(
            VenueExecution(name, submit.symbol, submit.side, quantity, price, submit.ts_ns, order, fee=0.0)
        )
        self.held[submit.symbol] = self.held.get(submit.symbol, 0.0) + sign * quantity
        done = sum(each.quantity for each in self.executed if each.client_order_id == order)
        if done >= submit.quantity:
            self.ended.add(order)
        event = Filled(submit.order, name, lots, price, submit.ts_ns, fee=0.0)
        self.told.setdefault(order, []).append(event)
        if told:
            self.reports.append(event)
        return event

    def trade_by_hand(self, symbol: str, quantity: float, ts_ns: int, order: str = "") -> None:
        """Trade on the account without the program."""
        side: Side = "buy" if quantity > 0 else "sell"
        name = f"E{len(self.executed) + 1}"
        self.executed.append(VenueExecution(name, symbol, side, abs(quantity), 100.0, ts_ns, order))
        self.held[symbol] = self.held.get(symbol, 0.0) + quantity

    def submits(self) -> list[Submit]:
        """Return the orders that were sent."""
        return [each for each in self.sent if isinstance(each, Submit)]

    # ------------------------------------------------------------------ the contract

    def send(self, command: OrderCommand) -> None:
        self._check()
        if self.on_send is not None:
            self.on_send(command)
        self.sent.append(command)
        key = str(command.order)
        if isinstance(command, Submit):
            assert key not in self.orders, "an order is sent once"
            self.orders[key] = command
        if not self.answers:
            return
        if isinstance(command, Submit):
            self.tell(Accepted(command.order, command.ts_ns, f"V{len(self.orders)}"))
            if self.fills is not None and command.kind == "market":
                self.fill(key, command.lots, self.fills)
        elif isinstance(command, Cancel):
            self.ended.add(key)
            self.tell(Cancelled(command.order, command.ts_ns))
        elif isinstance(command, Amend):
            self.tell(Amended(command.order, command.change, command.ts_ns))

    def poll(self, timeout_s: float) -> Sequence[OrderEvent | BrokerState]:
        del timeout_s
        if self.silent:
            return ()
        reports, self.reports = self.reports, []
        return reports

    def executions(self, since_ns: int) -> Sequence[VenueExecution]:
        self._check()
        return [each for each in self.executed if each.ts_ns >= since_ns]

    def open_orders(self) -> Sequence[VenueOrder]:
        self._check()
        return [
            VenueOrder(f"V{key}", each.symbol, each.side, each.kind, each.quantity, client_order_id=key)
            for key, each in self.orders.items()
            if key not in self.ended
        ]

    def positions(self) -> Sequence[VenuePosition]:
        self._check()
        return [VenuePosition(symbol, quantity) for symbol, quantity in self.held.items() if quantity]

    def balances(self) -> Sequence[Balance]:
        self._check()
        return []

    def outcome(self, order: OrderId) -> Sequence[OrderEvent]:
        self._check()
        key = str(order)
        return self.told.get(key, []) if key in self.orders else [Rejected(order, 0, "not known here")]

    def close(self) -> None:
        """Keep the account: another worker may go on."""

    def _check(self) -> None:
        if not self.reachable:
            raise TryAgainError("no answer")


class HeldBroker(Broker):
    """Hands out one connection, again and again."""

    name = "held"
    held: Any

    def connect(self) -> BrokerConnection:
        connection: BrokerConnection = self.held
        return connection


def scripted_worker(graph: BoundGraph, folder: Path, feed: ScriptedFeed, broker: ScriptedBroker) -> SessionWorker:
    """Return a worker between a scripted feed and a scripted broker."""
    return SessionWorker(graph, HeldFeed(held=feed), HeldBroker(held=broker), folder, snapshot_steps=20)


def step_until(worker: SessionWorker, feed: ScriptedFeed, done: Callable[[], object], most: int = 100) -> None:
    """Bring bars, one a step, until something holds."""
    for _ in range(most):
        if done():
            return
        feed.bring()
        worker.step()
        worker.step()
    raise AssertionError(f"not within {most} bars")
