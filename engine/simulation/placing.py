"""When protective orders are sent to an external broker, replaced there, and placed again after a refusal.

1. A stop that replaces an earlier one is sent first; the earlier one is cancelled when the broker has accepted the new
   one. At most one of them is replaced at a time.
2. Where the broker can't hold both, and for targets, the earlier order is cancelled first, and the new one is sent when
   that is confirmed. The same holds for a stop that was refused twice while a smaller one works, and there also for an
   order that closes the position.
3. An order that the broker has not accepted yet is not cancelled: brokers refuse that.
4. What was refused is asked for again after a while, which doubles with each refusal. A protective order that ends
   without being asked to counts as refused.

Times are those of inputs: the same reports at the same times give the same commands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from quantcrafter.engine.api.order_state import OrderState, TrackedOrder
from quantcrafter.engine.api.orders import OrderType
from quantcrafter.engine.simulation.order_commands import WorkingTerms

Request = Literal["submit", "amend", "cancel"]
Group = tuple[str, str, bool]
"""Symbol, side, and whether it is a stop: orders that replace each other."""

AT_CLOSE = -1
"""`due_ns` of what is asked for again at the next close only."""

FIRST_NS = 500_000_000
"""How long to wait after the second refusal of an order, and the first one of a cancel."""

LONGEST_NS = 60_000_000_000
"""How long to wait at most."""

RELEASE_AFTER = 2
"""After how many refusals a smaller stop that works is cancelled first."""


@dataclass(frozen=True, slots=True)
class OrderRefusal:
    """How often something was refused, and when it is asked for again (UTC ns): 0 as soon as it may be."""

    count: int
    due_ns: int


def is_protective(kind: OrderType, *, reduce_only: bool, has_parent: bool) -> bool:
    """Return whether an order protects a position: a stop or a target of an entry."""
    return reduce_only and has_parent and kind in ("stop", "stop_limit", "limit")


def protects(order: TrackedOrder) -> bool:
    """Return whether an order that was sent protects a position."""
    sent = order.submit
    return is_protective(sent.kind, reduce_only=sent.reduce_only, has_parent=sent.parent is not None)


def is_at_work(order: TrackedOrder) -> bool:
    """Return whether the broker has accepted an order and was not asked to end it."""
    return not order.state.is_over and not order.cancelling and is_known(order)


def is_known(order: TrackedOrder) -> bool:
    """Return whether the broker has told of an order."""
    return order.accepted or order.filled > 0


class Placing:
    """Decides which changes of protective orders may go to a broker now.

    Args:
        symbols: of the instruments, by number.
        holds_both: whether the broker accepts a second stop for the same position.
    """

    def __init__(self, symbols: Sequence[str], *, holds_both: bool = True) -> None:
        self._symbols, self._holds_both = tuple(symbols), holds_both
        self._refusals: dict[tuple[int, Request], OrderRefusal] = {}

    # ------------------------------------------------------------------ refusals

    def refused(self, number: int, request: Request, now_ns: int, *, earlier: int = 0) -> int:
        """Note that a request was refused, and return how often it was; `earlier` counts those under another number."""
        known = self._refusals.get((number, request))
        count = earlier + 1 + (known.count if known is not None else 0)
        at_once = 2 if request == "submit" else 1
        wait = 0 if count < at_once else min(FIRST_NS << min(count - at_once, 10), LONGEST_NS)
        self._refusals[number, request] = OrderRefusal(count, now_ns + wait if wait else 0)
        return count

    def delay(self, number: int, request: Request, due_ns: int) -> None:
        """Hold a request back until then, or until the next close."""
        count = self.count(number, request)
        self._refusals[number, request] = OrderRefusal(count, due_ns)

    def count(self, number: int, request: Request = "submit") -> int:
        """Return how often a request was refused."""
        known = self._refusals.get((number, request))
        return 0 if known is None else known.count

    def forget(self, number: int, request: Request) -> None:
        """Forget that a request was refused."""
        self._refusals.pop((number, request), None)

    def may_ask(self, number: int, request: Request) -> bool:
        """Return whether a request is not held back because it was refused before."""
        known = self._refusals.get((number, request))
        return known is None or known.due_ns == 0

    def pass_time(self, now_ns: int, *, at_close: bool) -> None:
        """Release what is due by now; at a close all of it."""
        for key, each in self._refusals.items():
            if each.due_ns and (at_close or 0 < each.due_ns <= now_ns):
                self._refusals[key] = replace(each, due_ns=0)

    def tidy(self, tracked: Mapping[int, TrackedOrder], open_orders: Collection[int], *, at_close: bool) -> None:
        """Drop what has no effect any more: of orders that have ended, or at a close of orders that work."""
        for number, request in tuple(self._refusals):
            order = tracked.get(number)
            is_there = number in open_orders if order is None else not order.state.is_over
            is_done = at_close and request == "submit" and order is not None and is_at_work(order)
            if not is_there or is_done:
                del self._refusals[number, request]

    @property
    def next_due_ns(self) -> int | None:
        """When something is due next; None if nothing is."""
        return min((each.due_ns for each in self._refusals.values() if each.due_ns > 0), default=None)

    def kept(self) -> tuple[tuple[int, str, int, int], ...]:
        """Return what was refused, in plain values."""
        return tuple(sorted((number, name, each.count, each.due_ns) for (number, name), each in self._refusals.items()))

    def resume(self, kept: Collection[tuple[int, str, int, int]]) -> None:
        """Continue with what `kept` returned."""
        self._refusals = {(number, name): OrderRefusal(count, due_ns) for number, name, count, due_ns in kept}  # type: ignore[misc] # names are requests

    # ------------------------------------------------------------------ what may be sent

    def allowed(
        self, sent: Mapping[int, WorkingTerms], now: Mapping[int, WorkingTerms], tracked: Mapping[int, TrackedOrder]
    ) -> dict[int, WorkingTerms]:
        """Return the orders that the broker is to have now: those that are wanted, as far as they may be sent.

        `sent` are the orders as they were commanded, `now` those that are wanted.
        """
        # What was asked to end, to make way for an exit, ends under its number.
        found = {number: each for number, each in now.items() if number in sent or number not in tracked}
        leaving = self._leaving(now, tracked)
        fresh = [each for number, each in now.items() if number not in sent and number not in tracked]
        exits = {self._group(each)[:2] for each in now.values() if _exits(each)}
        for each in fresh:
            if _protects(each) and not self._may_submit(each, fresh, leaving.get(self._group(each), ()), exits):
                del found[each.number]
        if not self._holds_both and exits:
            self._make_way(found, fresh, exits, tracked)
        for group, orders in leaving.items():
            wanted = [each for each in now.values() if _protects(each) and self._group(each) == group]
            for order in orders:
                number = order.order.number
                if number in sent and not self._may_cancel(order, orders, wanted, tracked):
                    found[number] = sent[number]
        return found

    def _make_way(
        self,
        found: dict[int, WorkingTerms],
        fresh: Collection[WorkingTerms],
        exits: Collection[tuple[str, str]],
        tracked: Mapping[int, TrackedOrder],
    ) -> None:
        """Let protective orders end first, which hold the quantity that an exit is to trade, and the exit wait."""
        there = [n for n, order in tracked.items() if not order.state.is_over and protects(order)]
        holding = {n: (tracked[n].submit.symbol, tracked[n].submit.side) for n in there}
        for number, place in holding.items():
            if place in exits and is_known(tracked[number]):
                found.pop(number, None)
        for each in fresh:
            if _exits(each) and self._group(each)[:2] in holding.values():
                del found[each.number]

    def _leaving(
        self, now: Mapping[int, WorkingTerms], tracked: Mapping[int, TrackedOrder]
    ) -> dict[Group, list[TrackedOrder]]:
        """Return the protective orders that the broker has or may have, and that are no longer wanted."""
        found: dict[Group, list[TrackedOrder]] = {}
        for number, order in tracked.items():
            if number not in now and not order.state.is_over and protects(order):
                sent = order.submit
                found.setdefault((sent.symbol, sent.side, sent.kind != "limit"), []).append(order)
        return found

    def _group(self, order: WorkingTerms) -> Group:
        return self._symbols[order.instrument], order.side, order.kind != "limit"

    def _may_submit(
        self,
        order: WorkingTerms,
        fresh: Collection[WorkingTerms],
        leaving: Collection[TrackedOrder],
        exits: Collection[tuple[str, str]],
    ) -> bool:
        if not self.may_ask(order.number, "submit") or (not self._holds_both and self._group(order)[:2] in exits):
            return False
        there = [each for each in leaving if each.state is not OrderState.UNKNOWN]
        if self._comes_second(order, leaving):
            return not there
        return len(there) <= sum(self._group(each) == self._group(order) for each in fresh)

    def _may_cancel(
        self,
        order: TrackedOrder,
        leaving: Collection[TrackedOrder],
        wanted: Collection[WorkingTerms],
        tracked: Mapping[int, TrackedOrder],
    ) -> bool:
        missing = [each for each in wanted if each.number not in tracked or not is_at_work(tracked[each.number])]
        waited_for = sum(not self._comes_second(each, leaving) for each in missing)
        working = sorted(each.order.number for each in leaving if is_at_work(each))
        return order.order.number in working[: max(0, len(working) - waited_for)]

    def _comes_second(self, order: WorkingTerms, leaving: Collection[TrackedOrder]) -> bool:
        """Return whether earlier orders are cancelled before an order is sent."""
        if order.kind == "limit" or not self._holds_both:
            return True
        return self.count(order.number) >= RELEASE_AFTER and working_lots(leaving) < order.lots


def working_lots(orders: Collection[TrackedOrder]) -> int:
    """Return how many lots of orders work at the broker."""
    return sum(each.left for each in orders if is_at_work(each))


def _exits(order: WorkingTerms) -> bool:
    return order.reduce_only and order.kind in ("market", "at_close")


def _protects(order: WorkingTerms) -> bool:
    return is_protective(order.kind, reduce_only=order.reduce_only, has_parent=order.parent >= 0)
