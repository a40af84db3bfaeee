"""A broker with a clock of its own, to which everything takes time: hard on whoever protects a position.

It answers late, fills in parts, refuses orders and cancels, refuses to cancel what it has not accepted yet, and is
silent for a while. It changes no orders. At a spot market, orders reserve what they are to trade.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quantcrafter.engine.api import BrokerState
from quantcrafter.engine.api.orders import (
    Accepted,
    Amend,
    AmendRejected,
    Cancel,
    Cancelled,
    CancelRejected,
    Filled,
    OrderCommand,
    OrderEvent,
    Rejected,
    Submit,
    Unanswered,
)
from quantcrafter.engine.live.inputs import ClockTick, LiveInput, LiveOutput, Reconciled, Report
from tests.support.live_cases import Case

S = 1_000_000_000
UNANSWERED_NS = 10 * S


@dataclass
class StrictOrder:
    """An order as the broker has it; `is_told` says whether its acceptance has been reported."""

    submit: Submit
    filled: int = 0
    state: str = "working"
    is_told: bool = False

    @property
    def side(self) -> int:
        """Return +1 to buy and -1 to sell."""
        return 1 if self.submit.side == "buy" else -1

    @property
    def left(self) -> int:
        """Return the lots that work."""
        return self.submit.lots - self.filled if self.state == "working" else 0


@dataclass
class StrictMarket:
    """A core at such a broker.

    `trouble` is how often something goes wrong, 0 to 1; a `calm` broker answers within seconds, fills in parts, and
    refuses nothing but amends. `refuses` says which orders are refused beside that. With `is_spot`, orders reserve the
    position. After every `kept_every` inputs the core is another one, which continues from the state of the last.
    """

    case: Case
    seed: int
    trouble: float = 0.25
    calm: bool = False
    is_spot: bool = False
    kept_every: int = 0
    refuses: Callable[[Submit], bool] = lambda _: False
    orders: dict[int, StrictOrder] = field(default_factory=dict)
    notices: list[LiveOutput] = field(default_factory=list)
    commands: list[OrderCommand] = field(default_factory=list)
    on_change: Callable[[StrictMarket], None] = lambda _: None

    def __post_init__(self) -> None:
        """Begin with an open core and an account that agrees."""
        self.random = random.Random(self.seed)  # noqa: S311 - cases of a test
        self.core = self.case.core("external", holds_both=not self.is_spot)
        self.now_ns = self.case.anchor.ts_ns
        self.price = 0.0
        self.held = 0
        self.silent_until = 0
        self.executions = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = self._seq = 0
        self._reported_ns = 0
        self._asked: dict[int, int] = {}
        self.take(BrokerState("connected", self.now_ns))
        self.take(Reconciled(self.now_ns))

    # ------------------------------------------------------------------ the core

    def take(self, given: LiveInput) -> None:
        """Let the core take an input, and send what comes out of it."""
        self._seq += 1
        outcome = self.core.apply(self._seq, given)
        self.notices += [each for each in outcome.outputs if each.kind == "notice"]
        self.commands += outcome.commands
        for command in outcome.commands:
            self._asked[command.order.number] = self.now_ns
            self._later(lambda command=command: self._receive(command), self._delay())  # type: ignore[misc] # bound now
        if self.kept_every and self._seq % self.kept_every == 0:
            known = {name: self.core.session.bars(name) for name in self.core.session.names}
            self.core.take_books()
            self.core = self.case.core("external", self.core.kept(), known, holds_both=not self.is_spot)
        self.on_change(self)

    def alarms(self) -> list[str]:
        """Return the texts of the alarms."""
        return [each.body["text"] for each in self.notices if each.body["level"] == "alarm"]

    # ------------------------------------------------------------------ time

    def _delay(self) -> int:
        longest = 3.0 if self.calm else 6.0
        return int(self.random.uniform(0.01, 1.0 if self.random.random() < 0.8 else longest) * S)

    def _happens(self, chance: float = 1.0) -> bool:
        return self.random.random() < self.trouble * chance

    def _goes_wrong(self, chance: float = 1.0) -> bool:
        return not self.calm and self._happens(chance)

    def _later(self, what: Callable[[], None], after_ns: int) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now_ns + after_ns, self._count, what))

    def run_until(self, until_ns: int) -> None:
        """Let everything happen that happens until then."""
        while True:
            due = self.core.next_due_ns
            times = [self._events[0][0]] if self._events else []
            times += [max(due, self.now_ns)] if due is not None else []
            waiting = [n for n, each in self.core.session.orders.items() if each.state.value.startswith("pending")]
            times += [max(self.now_ns, self._asked[n] + UNANSWERED_NS) for n in waiting]
            at_ns = min(times, default=until_ns + 1)
            if at_ns > until_ns:
                self.now_ns = max(self.now_ns, until_ns)
                return
            self.now_ns = at_ns
            if self._events and self._events[0][0] <= at_ns:
                heapq.heappop(self._events)[2]()
            elif due is not None and due <= at_ns:
                self.take(ClockTick(at_ns))
            else:
                for number in waiting:
                    if self._asked[number] + UNANSWERED_NS <= at_ns:
                        self._find_out(number)

    def _find_out(self, number: int) -> None:
        """As the desk does: what gets no answer is unknown, and the broker is asked what became of it."""
        order = self.core.session.orders[number].order
        self._asked[number] = self.now_ns + UNANSWERED_NS
        self.take(Report(Unanswered(order, self.now_ns), self.now_ns))

    def settle(self) -> None:
        """Let all that is under way come to its end without further trouble."""
        self.trouble = 0.0
        for _ in range(2_000):
            if not self._events and self.core.next_due_ns is None:
                return
            self.run_until(self.now_ns + 5 * S)
        raise AssertionError("core and broker go on for ever")

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way."""
        return not self._events and self.core.next_due_ns is None

    # ------------------------------------------------------------------ the broker

    def _report(self, event: OrderEvent, then: Callable[[], None] = lambda: None) -> None:
        """Report something, in the order in which it happened."""
        self._reported_ns = max(self._reported_ns, self.now_ns + self._delay(), self.silent_until)

        def tell() -> None:
            then()
            self.take(Report(event, self.now_ns))

        self._later(tell, self._reported_ns - self.now_ns)

    def _receive(self, command: OrderCommand) -> None:
        order = self.orders.get(command.order.number)
        if isinstance(command, Submit):
            assert order is None, "an id is sent once"
            made = self.orders[command.order.number] = StrictOrder(command)
            if self._goes_wrong(0.8) or self.refuses(command) or self._is_reserved(made):
                made.state = "rejected"
                self._report(Rejected(command.order, self.now_ns, "no"))
                return
            self._report(Accepted(command.order, self.now_ns), lambda: setattr(made, "is_told", True))
            if command.kind == "market":
                self._later(lambda: self._trade(made), self._delay())
            elif self._is_reached(made):
                self._trade(made)
        elif isinstance(command, Amend):
            self._report(AmendRejected(command.order, command.change, self.now_ns, "no amends"))
        elif isinstance(command, Cancel):
            if order is None or order.state != "working" or not order.is_told or self._goes_wrong():
                self._report(CancelRejected(command.order, self.now_ns, "not at work"))
                return
            order.state = "cancelled"
            self._report(Cancelled(command.order, self.now_ns))

    def _is_reserved(self, order: StrictOrder) -> bool:
        """Return whether a spot market has not got what an order is to sell, or whom it owes, for others."""
        if not self.is_spot or not order.submit.reduce_only:
            return False
        reserved = sum(each.left for each in self.orders.values() if each.submit.reduce_only and each is not order)
        return reserved + order.submit.lots > abs(self.held)

    def show(self, price: float) -> None:
        """Show a price, which fills what it reaches."""
        self.price = price
        for order in list(self.orders.values()):
            if order.state == "working" and order.submit.kind != "market" and self._is_reached(order):
                self._trade(order)

    def _is_reached(self, order: StrictOrder) -> bool:
        level = order.submit.price
        assert level is not None
        rising = (order.side > 0) == (order.submit.kind == "stop")
        return self.price >= level if rising else self.price <= level

    def _trade(self, order: StrictOrder) -> None:
        """Let an order fill, in parts if there is trouble."""
        if order.state != "working":
            return
        part = order.left
        if part > 1 and self._happens(2.0):
            part = self.random.randint(1, part - 1)
            self._later(lambda: self._trade(order), self._delay())
        self.executions += 1
        order.filled += part
        self.held += order.side * part
        if order.filled == order.submit.lots:
            order.state = "filled"
        event = Filled(order.submit.order, f"E{self.executions}", part, self.price, self.now_ns, 0.0)
        self._report(event)

    def cancel_by_hand(self, order: StrictOrder) -> None:
        """End an order without being asked to."""
        order.state = "cancelled"
        self._report(Cancelled(order.submit.order, self.now_ns, "by hand"))

    def working(self, kind: str = "stop") -> list[StrictOrder]:
        """Return the orders of a kind that work."""
        return [each for each in self.orders.values() if each.state == "working" and each.submit.kind == kind]

    # ------------------------------------------------------------------ bars

    def play(self, step: Any, parts: int = 4) -> None:
        """Let a bar happen, and the core take it: its prices are a few seconds apart."""
        (bar,) = step.bars.values()
        path = (bar.open, bar.low, bar.high, bar.close)
        begin = max(self.now_ns, step.ts_ns - parts * 20 * S)
        for number, price in enumerate(path):
            self.run_until(begin + number * 20 * S)
            if self._goes_wrong(0.1):
                self.silent_until = self.now_ns + 15 * S
            self.show(price)
            working = self.working()
            if working and self._goes_wrong(0.05):
                self.cancel_by_hand(self.random.choice(working))
        self.run_until(max(begin + parts * 20 * S, step.ts_ns))
        self.take(step)
