"""The reports of the simulated venue, derived from the ledger.

An order that the strategy submits is accepted at once, and one that was made and filled within a bar is submitted and
filled there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from quantcrafter.engine.api import Ledger, OrderCommand, OrderEvent
from quantcrafter.engine.api.ledger import OrderKind, OrderStatus, Reason, StatusReason
from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.orders import (
    Accepted,
    Amend,
    Amended,
    Cancel,
    Cancelled,
    Expired,
    Filled,
    OrderType,
    Rejected,
    Submit,
)
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession

_KINDS: Mapping[int, OrderType] = {
    OrderKind.MARKET: "market",
    OrderKind.STOP: "stop",
    OrderKind.LIMIT: "limit",
    OrderKind.STOP_LIMIT: "stop_limit",
    OrderKind.CLOSE: "at_close",
    OrderKind.AT_CLOSE: "at_close",
}


class SimulatedReports:
    """What the simulated venue reports of a session's orders.

    `told` are the numbers of the orders at work that were submitted, `fills` counts the fills of each.
    """

    def __init__(self, graph: BoundGraph, session: StrategySession) -> None:
        self._graph, self._session = graph, session
        self.told: set[int] = set()
        self.fills: dict[int, int] = {}

    def of(
        self, commands: Sequence[OrderCommand], new: Ledger | None, close_ns: int
    ) -> Iterator[OrderCommand | OrderEvent]:
        """Yield the events of the orders in new rows of the ledger, then the commands with their answers."""
        cancels = {each.order.number: each for each in commands if isinstance(each, Cancel)}
        if new is not None:
            yield from self._booked(new, cancels, close_ns)
        for number, cancel in cancels.items():
            yield cancel
            yield Cancelled(cancel.order, close_ns)
            self.told.discard(number)
        for command in commands:
            if isinstance(command, Amend):
                yield command
                yield Amended(command.order, command.change, close_ns)
            elif isinstance(command, Submit):
                self.told.add(command.order.number)
                yield command
                yield Accepted(command.order, close_ns)

    def _booked(self, new: Ledger, cancels: dict[int, Cancel], close_ns: int) -> Iterator[OrderCommand | OrderEvent]:
        orders = {int(row["id"]): row for row in new.orders}
        at_work = {number: row for row in self._session.ledger().orders if (number := int(row["id"])) not in orders}
        for fill in new.fills:
            number = int(fill["order_id"])
            row = orders.get(number, at_work.get(number))
            yield from self._tell(number, row, close_ns)
            count = self.fills[number] = self.fills.get(number, 0) + 1
            identity, lots = self._session.id_of(number), abs(int(fill["lots"]))
            fee = float(fill["commission"])
            yield Filled(identity, f"{identity}.{count}", lots, float(fill["price"]), close_ns, fee=fee)
        for number, row in orders.items():
            self.fills.pop(number, None)
            if row["status"] != OrderStatus.FILLED:
                yield from self._tell(number, row, close_ns)
                end, cancel = _end(self._session.id_of(number), row, close_ns), cancels.pop(number, None)
                if cancel is not None and isinstance(end, Cancelled):
                    yield cancel
                yield end
            self.told.discard(number)

    def _tell(self, number: int, row: npt.NDArray[Any] | None, close_ns: int) -> Iterator[OrderCommand | OrderEvent]:
        """Yield the submission of an order that was made within the bar, and so was not told yet."""
        if number in self.told or row is None:
            return
        self.told.add(number)
        submit = self._submit_of(number, row, close_ns)
        yield submit
        yield Accepted(submit.order, close_ns)

    def _submit_of(self, number: int, row: Any, close_ns: int) -> Submit:
        instrument, kind = int(row["instrument"]), _KINDS[int(row["kind"])]
        spec, terms = self._graph.instruments[instrument].spec, self._session.terms[instrument]
        lot_size, lots = float(terms.value("lot_size")), max(1, abs(int(row["lots"])))
        price = None if kind in ("market", "at_close") else float(row["price"])
        return Submit(
            order=self._session.id_of(number),
            symbol=spec.symbol,
            side="buy" if row["side"] > 0 else "sell",
            kind=kind,
            lots=lots,
            quantity=lots * lot_size,
            lot_size=lot_size,
            ts_ns=close_ns,
            price=price,
            limit=float(row["limit"]) if kind == "stop_limit" else None,
            parent=None if row["parent"] < 0 else self._session.id_of(int(row["parent"])),
            reason=Reason(row["reason"]).name.lower(),
            execution=int(row["execution"]),
        )


def _end(order: OrderId, row: Any, close_ns: int) -> OrderEvent:
    """Return the report of an order that ended without having filled."""
    why = StatusReason(row["status_reason"])
    text = "" if why is StatusReason.NONE else why.name.lower()
    if row["status"] == OrderStatus.REJECTED:
        return Rejected(order, close_ns, text)
    if why is StatusReason.EXPIRED:
        return Expired(order, close_ns)
    return Cancelled(order, close_ns, text)
