"""A feed that reads lines which another program appends to a file, and a broker that fills market orders at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from quantcrafter import (
    Accepted,
    AmendRejected,
    Balance,
    Bar,
    BarClosed,
    Bars,
    Broker,
    BrokerConnection,
    Cancel,
    Cancelled,
    CancelRejected,
    Feed,
    FeedConnection,
    FeedEvent,
    FeedState,
    FeedStatus,
    Filled,
    OrderCommand,
    OrderEvent,
    OrderId,
    Rejected,
    Submit,
    Subscription,
    TryAgainError,
    VenueExecution,
    VenueOrder,
    VenuePosition,
    bars_from,
    hookimpl,
)


class LinesFeed(Feed):
    """Bars from a file, one a line: symbol, open and close time in UTC nanoseconds, open, high, low, close, volume."""

    name = "lines"
    place = "path"

    path: str

    def open(self, subscriptions: Sequence[Subscription], base_dir: str = "") -> FeedConnection:
        return LinesConnection(Path(base_dir) / self.path, subscriptions)


class LinesConnection(FeedConnection):
    def __init__(self, path: Path, subscriptions: Sequence[Subscription]) -> None:
        self._path = path
        self._subscriptions = {each.name: each for each in subscriptions}
        self._read = 0
        self._state: FeedStatus | None = None

    def history(self, name: str, before_ns: int, count: int) -> Bars:
        bars = [bar for bar in self._bars(name) if bar.close_ns <= before_ns]
        return bars_from(self._subscriptions[name], bars[-count:] if count else [], source=self._path.name)

    def missed(self, name: str, after_ns: int, until_ns: int) -> list[Bar]:
        return [bar for bar in self._bars(name) if after_ns < bar.close_ns <= until_ns]

    def poll(self, timeout_s: float) -> list[FeedEvent]:
        events = self._new()
        if not events and timeout_s:
            time.sleep(timeout_s)
            events = self._new()
        return events

    def now_ns(self) -> int:
        return time.time_ns()

    def close(self) -> None:
        """Keep nothing open."""

    def _new(self) -> list[FeedEvent]:
        try:
            lines = self._whole_lines()
        except OSError as error:
            return self._changed("lost", str(error))
        events = self._changed("connected")
        for symbol, bar in lines[self._read :]:
            names = [name for name, each in self._subscriptions.items() if each.symbol == symbol]
            events += [BarClosed(name, bar, self.now_ns()) for name in names]
        self._read = len(lines)
        return events

    def _changed(self, state: FeedStatus, text: str = "") -> list[FeedEvent]:
        changed, self._state = state != self._state, state
        return [FeedState(state, self.now_ns(), text)] if changed else []

    def _bars(self, name: str) -> list[Bar]:
        try:
            lines = self._whole_lines()
        except OSError as error:
            raise TryAgainError(str(error)) from error
        return [bar for symbol, bar in lines if symbol == self._subscriptions[name].symbol]

    def _whole_lines(self) -> list[tuple[str, Bar]]:
        text = self._path.read_text(encoding="utf-8")
        found = []
        for line in text[: text.rfind("\n") + 1].splitlines():  # the last one may be half written
            symbol, opened, closed, *prices = line.split(",")
            first, high, low, last, volume = map(float, prices)
            found.append((symbol, Bar(int(opened), int(closed), first, high, low, last, volume)))
        return found


class AtOnceBroker(Broker):
    """A broker in memory that fills market orders at once, at one price; other orders work until they are cancelled."""

    name = "at_once"
    kinds = ("market", "limit", "stop")
    can_amend = False

    price: float = 100.0
    cash: float = 100_000.0

    @property
    def is_live(self) -> bool:
        return False

    def connect(self) -> BrokerConnection:
        return AtOnceConnection(self.price, self.cash)


class AtOnceConnection(BrokerConnection):
    def __init__(self, price: float, cash: float) -> None:
        self._price, self._cash = price, cash
        self._orders: dict[str, tuple[Submit, list[OrderEvent]]] = {}  # with every report, by client order id
        self._executions: list[VenueExecution] = []
        self._reports: list[OrderEvent] = []

    def send(self, command: OrderCommand) -> None:
        key = str(command.order)
        if isinstance(command, Submit):
            if key in self._orders:  # sent twice: the order is there already
                return
            self._orders[key] = (command, [])
            self._report(Accepted(command.order, command.ts_ns, venue_id=f"V{len(self._orders)}"))
            if command.kind == "market":
                self._fill(command)
        elif isinstance(command, Cancel):
            working = key in {each.client_order_id for each in self.open_orders()}
            answer = Cancelled if working else CancelRejected
            self._report(answer(command.order, command.ts_ns))
        else:
            self._report(AmendRejected(command.order, command.change, command.ts_ns, text="not supported"))

    def poll(self, timeout_s: float) -> list[OrderEvent]:
        if not self._reports and timeout_s:
            time.sleep(timeout_s)
        reports, self._reports = self._reports, []
        return reports

    def executions(self, since_ns: int) -> list[VenueExecution]:
        return [each for each in self._executions if each.ts_ns >= since_ns]

    def open_orders(self) -> list[VenueOrder]:
        over = (Filled, Cancelled)
        return [
            VenueOrder(
                f"V{number}", order.symbol, order.side, order.kind, order.quantity,
                price=order.price, limit=order.limit, client_order_id=key,
            )
            for number, (key, (order, reports)) in enumerate(self._orders.items(), 1)
            if not any(isinstance(report, over) for report in reports)
        ]  # fmt: skip

    def positions(self) -> list[VenuePosition]:
        held: dict[str, float] = {}
        for each in self._executions:
            held[each.symbol] = held.get(each.symbol, 0.0) + (each.quantity if each.side == "buy" else -each.quantity)
        return [VenuePosition(symbol, quantity) for symbol, quantity in held.items() if quantity]

    def balances(self) -> list[Balance]:
        spent = sum(each.quantity * each.price * (1 if each.side == "buy" else -1) for each in self._executions)
        return [Balance("USD", self._cash - spent, self._cash - spent)]

    def outcome(self, order: OrderId) -> list[OrderEvent]:
        known = self._orders.get(str(order))
        return [Rejected(order, time.time_ns(), text="not known here")] if known is None else list(known[1])

    def close(self) -> None:
        """Keep nothing open."""

    def _fill(self, order: Submit) -> None:
        number = f"E{len(self._executions) + 1}"
        self._executions.append(
            VenueExecution(
                number, order.symbol, order.side, order.quantity, self._price, order.ts_ns,
                client_order_id=str(order.order), fee=0.0,
            )
        )  # fmt: skip
        self._report(Filled(order.order, number, order.lots, self._price, order.ts_ns, fee=0.0))

    def _report(self, report: OrderEvent) -> None:
        if str(report.order) in self._orders:  # a cancel may name an order that never came
            self._orders[str(report.order)][1].append(report)
        self._reports.append(report)


@hookimpl
def register_feeds() -> list[type[Feed]]:
    return [LinesFeed]


@hookimpl
def register_brokers() -> list[type[Broker]]:
    return [AtOnceBroker]
