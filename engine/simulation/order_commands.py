"""Converts open orders to commands, so that an external broker has the same orders.

Open orders are compared with the commands sent before, by number: a new order is submitted, an order with other terms
is amended, and an order that no longer exists is cancelled, unless it filled. In this way, no change of an order by a
rule can be missed.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import OrderKind, Reason
from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.order_state import TrackedOrder
from quantcrafter.engine.api.orders import Amend, Cancel, OrderCommand, OrderType, Submit
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.primitives import to_quantity, whole_inverse
from quantcrafter.engine.simulation.records import CLOSE, Table

_KINDS: dict[int, OrderType] = {
    OrderKind.MARKET: "market",
    OrderKind.STOP: "stop",
    OrderKind.LIMIT: "limit",
    OrderKind.STOP_LIMIT: "stop_limit",
    OrderKind.AT_CLOSE: "at_close",
}


@dataclass(frozen=True, slots=True)
class WorkingTerms:
    """An open order as sent to a broker; `change` counts its amends."""

    number: int
    instrument: int
    kind: OrderType
    side: Literal["buy", "sell"]
    lots: int
    price: float | None
    limit: float | None
    day: bool
    reduce_only: bool
    parent: int
    reason: str
    change: int = 0
    execution: int = 0

    def differs(self, sent: WorkingTerms) -> bool:
        """Return whether the broker must be sent new terms."""
        return (self.lots, self.price, self.limit) != (sent.lots, sent.price, sent.limit)


Working = Mapping[int, WorkingTerms]
"""Open orders by their numbers."""


def working_terms(holdings: Table) -> dict[int, WorkingTerms]:
    """Return all open orders."""
    found = {}
    for i, working in enumerate(holdings["working"].tolist()):
        holding = holdings[i]
        for k in range(working):
            order = holding["slots"][k]
            if order["kind"] == CLOSE:
                continue
            number = int(order["id"])
            found[number] = WorkingTerms(
                number=number,
                instrument=i,
                kind=_KINDS[int(order["kind"])],
                side="buy" if order["side"] > 0 else "sell",
                lots=int(order["lots"]),
                price=_price(order["price"]),
                limit=_price(order["limit"]),
                day=bool(holding["day_bar"][k] >= 0),
                reduce_only=not holding["opens"][k],
                parent=int(order["parent"]),
                reason=Reason(order["reason"]).name.lower(),
                execution=int(order["execution"]),
            )
    return found


def _price(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


@dataclass(frozen=True, slots=True)
class Changes:
    """The state of the open orders: their current terms, and the numbers of those that no longer exist."""

    submitted: tuple[WorkingTerms, ...]
    amended: tuple[WorkingTerms, ...]
    cancelled: tuple[WorkingTerms, ...]


def changes_between(sent: Working, now: Working, over: Collection[int]) -> Changes:
    """Return the required commands: `sent` was sent before, `over` are orders without a cancel, such as filled ones."""
    submitted = tuple(order for number, order in now.items() if number not in sent)
    amended = tuple(
        replace(order, change=sent[number].change + 1)
        for number, order in now.items()
        if number in sent and order.differs(sent[number])
    )
    cancelled = tuple(order for number, order in sent.items() if number not in now and number not in over)
    return Changes(submitted, amended, cancelled)


class SentOrders:
    """Returns the changes since the last call, as commands with ids.

    `terms` are the broker's state; `epochs` are the numbers from which on ids have a worker's name and epoch.
    """

    def __init__(self, job: EngineJob, identity: Identity) -> None:
        self._job = job
        self.terms: dict[int, WorkingTerms] = {}
        self.epochs: list[tuple[int, str, int]] = [(0, identity.worker, identity.epoch)]

    def resume(
        self,
        epochs: Iterable[tuple[int, str, int]],
        sent: Iterable[Mapping[str, Any]],
        identity: Identity,
        next_order: int,
    ) -> None:
        """Continue from a saved state; ids of further orders belong to this epoch."""
        kept = list(epochs)
        if not kept or kept[-1][1:] != (identity.worker, identity.epoch):
            kept = [each for each in kept if each[0] < next_order]
            kept.append((next_order, identity.worker, identity.epoch))
        self.epochs = kept
        self.terms = {each["number"]: WorkingTerms(**each) for each in sent}

    def kept(self) -> tuple[dict[str, Any], ...]:
        """Return the sent commands as plain values."""
        return tuple(asdict(each) for each in self.terms.values())

    def id_of(self, number: int) -> OrderId:
        """Return the id of an order by its number."""
        _, worker, epoch = self.epochs[bisect_right(self.epochs, number, key=lambda each: each[0]) - 1]
        return OrderId(worker, epoch, number)

    def index_of(self, symbol: str) -> int:
        """Return the index of an instrument by its symbol."""
        return [each.symbol for each in self._job.instruments].index(symbol)

    def symbol_of(self, instrument: int) -> str:
        """Return the symbol of an instrument by its index."""
        return self._job.instruments[instrument].symbol

    def terms_of(self, order: TrackedOrder) -> WorkingTerms:
        """Return the terms of an order as a broker has them."""
        sent = order.submit
        return WorkingTerms(
            number=order.order.number,
            instrument=self.index_of(sent.symbol),
            kind=sent.kind,
            side=sent.side,
            lots=order.lots,
            price=order.price,
            limit=order.limit,
            day=sent.time_in_force == "day",
            reduce_only=sent.reduce_only,
            parent=-1 if sent.parent is None else sent.parent.number,
            reason=sent.reason,
            change=order.changes,
            execution=sent.execution,
        )

    def update(self, now: dict[int, WorkingTerms], over: Collection[int], ts_ns: int) -> tuple[OrderCommand, ...]:
        """Return the commands that update a broker to the current open orders.

        Cancels come first, so that the released amounts can be used; then amends, then new orders by number.
        """
        found = changes_between(self.terms, now, over)
        changed = {order.number: order for order in found.amended}
        self.terms = {
            number: changed.get(number) or replace(order, change=self.terms[number].change)
            if number in self.terms
            else order
            for number, order in now.items()
        }
        commands: list[OrderCommand] = [Cancel(self.id_of(order.number), ts_ns) for order in found.cancelled]
        commands += [self._amend(order, ts_ns) for order in found.amended]
        commands += [self._submit(order, ts_ns) for order in sorted(found.submitted, key=lambda order: order.number)]
        return tuple(commands)

    def _quantity(self, order: WorkingTerms) -> float:
        return float(to_quantity(order.lots, *self._lot(order)))

    def _lot(self, order: WorkingTerms) -> tuple[float, float]:
        size = self._job.instruments[order.instrument].lot_size
        return size, whole_inverse(size)

    def _amend(self, order: WorkingTerms, ts_ns: int) -> Amend:
        number = self.id_of(order.number)
        return Amend(number, order.change, order.lots, self._quantity(order), ts_ns, order.price, order.limit)

    def _submit(self, order: WorkingTerms, ts_ns: int) -> Submit:
        instrument = self._job.instruments[order.instrument]
        return Submit(
            order=self.id_of(order.number),
            symbol=instrument.symbol,
            side=order.side,
            kind=order.kind,
            lots=order.lots,
            quantity=self._quantity(order),
            lot_size=instrument.lot_size,
            ts_ns=ts_ns,
            price=order.price,
            limit=order.limit,
            time_in_force="day" if order.day else "gtc",
            reduce_only=order.reduce_only,
            parent=None if order.parent < 0 else self.id_of(order.parent),
            reason=order.reason,
            execution=order.execution,
        )
