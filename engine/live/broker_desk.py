"""The broker's side of a worker: commands go out, reports come in, and nothing is sent twice.

1. A command that was certainly not handed over is tried again, unless it is an entry: that is denied.
2. What is beyond the limits of the account is denied.
3. An amend is refused if the broker changes no orders.
4. An order without an answer counts as unknown after a while, and the broker is asked; it is never sent again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from quantcrafter.engine.api import Broker, BrokerConnection, BrokerState, OrderCommand, OrderEvent, TryAgainError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderId
from quantcrafter.engine.api.order_state import OrderState, TrackedOrder
from quantcrafter.engine.api.orders import Amend, AmendRejected, Denied, Filled, Submit, Unanswered
from quantcrafter.engine.live.account_book import AccountBook, account_of
from quantcrafter.engine.live.core import StrategyCore
from quantcrafter.engine.live.entry_gate import LATE_NS
from quantcrafter.engine.live.input_log import InputLog
from quantcrafter.engine.live.inputs import BarsClosed, ClockTick, LiveInput, Report
from quantcrafter.engine.live.limits import AccountGuard, limits_of
from quantcrafter.engine.live.reconciliation import Reconciliation
from quantcrafter.engine.live.worker_folder import data_folder_of, order_prefix

log = logging.getLogger("quantcrafter.live")

UNANSWERED_S = 10.0
"""After how many seconds without an answer the outcome of a command counts as unknown."""

ASK_S = 2.0
"""How often the broker is asked for outcomes that are unknown."""

WAITING = frozenset({OrderState.PENDING_NEW, OrderState.PENDING_AMEND, OrderState.PENDING_CANCEL, OrderState.UNKNOWN})
"""The states of orders that the broker has to answer for."""


class BrokerDesk:
    """What a worker does with its broker.

    Args:
        key: the worker's key.
        connection: the broker.
        core: an open core.
        book: the account's book, which is closed with the desk.
        reconciliation: compares log and broker.
        guard: keeps the account's limits.
        amends: whether the broker changes orders in place.
        now_ns: the time that inputs have.
        clock: counts seconds.
    """

    def __init__(  # noqa: PLR0913 - the parts that it joins
        self,
        key: str,
        connection: BrokerConnection,
        core: StrategyCore,
        book: AccountBook,
        reconciliation: Reconciliation,
        guard: AccountGuard,
        *,
        amends: bool,
        now_ns: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._amends = amends
        self._key, self._connection, self._core, self._now_ns, self._clock = key, connection, core, now_ns, clock
        self._book, self._reconciliation, self._guard = book, reconciliation, guard
        self._unsent: list[OrderCommand] = []
        self._denied: list[LiveInput] = []
        self._since: dict[OrderId, float] = {}
        self._asked_s = -ASK_S

    # ------------------------------------------------------------------ commands

    def send(self, commands: Sequence[OrderCommand], *, deny_entries: bool = False) -> None:
        """Send commands that are in the log; entries not, if they were decided too long ago."""
        for command in commands:
            is_old = deny_entries and isinstance(command, Submit) and not command.reduce_only
            why = "it was decided before the worker was interrupted" if is_old else self._guard.refusal(command)
            if why and isinstance(command, Submit):
                self.deny(command, why)
            elif isinstance(command, Amend) and not self._amends:
                text = Message("the broker doesn't change orders in place")
                self._tell(AmendRejected(command.order, command.change, self._now_ns(), text))
            elif self._unsent or not self._hand_over(command):
                self._put_off(command)

    def _hand_over(self, command: OrderCommand) -> bool:
        try:
            self._connection.send(command)
        except TryAgainError as error:
            log.warning("Worker %s: %s was not sent: %s", self._key, command.order, error)
            return False
        return True

    def _put_off(self, command: OrderCommand) -> None:
        """Deny an entry, and keep any other command to try it again."""
        if isinstance(command, Submit) and not command.reduce_only:
            self.deny(command, "not sent: the broker can't be reached")
        else:
            self._unsent.append(command)

    def deny(self, command: Submit, why: str) -> None:
        """Let the worker be told with the next inputs that an order was refused on our side."""
        self._tell(Denied(command.order, self._now_ns(), why))

    def _tell(self, event: OrderEvent) -> None:
        self._denied.append(Report(event, event.ts_ns))

    def denied(self) -> Sequence[LiveInput]:
        """Return what was refused on our side since the last call."""
        denied, self._denied = self._denied, []
        return denied

    # ------------------------------------------------------------------ reports

    def inputs(self) -> Iterator[LiveInput]:
        """Yield what the broker has reported, and what became of orders that it has not answered."""
        while self._unsent and self._hand_over(self._unsent[0]):
            self._unsent.pop(0)
        is_back = False
        for event in self._connection.poll(0.0):
            if isinstance(event, BrokerState):
                is_back = event.state == "connected"
                yield BrokerState(event.state, self._now_ns(), event.text)
            else:
                yield Report(event, self._now_ns())
        yield from self._doubts()
        due_ns, now_ns = self._core.next_due_ns, self._now_ns()
        if due_ns is not None and due_ns <= now_ns:
            yield ClockTick(now_ns)
        if is_back:
            self._reconciliation.soon()
            yield from self.outcomes()
        else:
            yield from self.compared()

    def _doubts(self) -> Iterator[LiveInput]:
        """Yield orders whose answer is overdue, and the outcomes of those that are unknown, asked now and then."""
        waiting, now_s = self.waiting(), self._clock()
        self._since = {each.order: self._since.get(each.order, now_s) for each in waiting}
        unsent = {each.order for each in self._unsent}
        for each in waiting:
            overdue = now_s - self._since[each.order] >= UNANSWERED_S
            if overdue and each.state is not OrderState.UNKNOWN and each.order not in unsent:
                yield Report(Unanswered(each.order, self._now_ns()), self._now_ns())
        if any(each.state is OrderState.UNKNOWN for each in waiting) and now_s - self._asked_s >= ASK_S:
            yield from self.outcomes()

    def waiting(self) -> Sequence[TrackedOrder]:
        """Return the orders that the broker has to answer for."""
        return [each for each in self._core.session.orders.values() if each.state in WAITING]

    def outcomes(self) -> Iterator[LiveInput]:
        """Yield what became of the orders that the broker has not answered, as far as it can say."""
        self._asked_s = self._clock()
        unsent = {each.order for each in self._unsent}
        try:
            for order in self.waiting():
                if order.order not in unsent:
                    yield from (Report(each, self._now_ns()) for each in self._connection.outcome(order.order))
        except TryAgainError as error:
            log.warning("Worker %s: the broker can't say what became of orders: %s", self._key, error)

    def begin(self, unsent: Sequence[OrderCommand]) -> Iterator[LiveInput]:
        """Begin with the state of the core; yield that the connection is made, and what became of earlier orders.

        `unsent` are commands that an earlier process decided on and didn't send.
        """
        core = self._core
        pairs = zip(core.graph.instruments, core.session.terms, strict=True)
        lot_sizes = {each.spec.symbol: float(terms.value("lot_size")) for each, terms in pairs}
        self._connection.begin(order_prefix(self._key), lot_sizes)
        self.send(unsent, deny_entries=self._now_ns() - core.now_ns > LATE_NS)
        fills = [each.execution for order in self._core.session.orders.values() for each in order.fills]
        self._guard.note(fills)
        yield BrokerState("connected", self._now_ns())
        yield from self.outcomes()

    def note(self, inputs: Sequence[LiveInput]) -> None:
        """Write to the account's book what has changed with inputs that were acted on."""
        fills = [each.event.execution for each in inputs if isinstance(each, Report) and isinstance(each.event, Filled)]
        if fills or any(isinstance(each, BarsClosed) for each in inputs):
            self._guard.note(fills)

    def compared(self, *, waits: bool = False) -> Iterator[LiveInput]:
        """Yield what the comparison of log and broker gives now; if it `waits`, the account is asked at once."""
        yield from self._reconciliation.inputs(waits=waits)

    def accept(self) -> None:
        """Let what the account has beside the workers' positions belong to nobody, and compare again."""
        self._book.forget_nobodys([each.spec.symbol for each in self._core.graph.instruments])
        self._reconciliation.soon()

    def close(self) -> None:
        """End the connection; orders stay as they are."""
        self._connection.close()
        self._book.close()


def open_desk(
    folder: Path,
    broker: Broker,
    connection: BrokerConnection,
    core: StrategyCore,
    opened: InputLog,
    now_ns: Callable[[], int],
) -> BrokerDesk:
    """Return the desk of the worker of a folder; the connection is closed if there is none.

    Raises:
        RunError: the account's book or its limits can't be read.
    """
    key, prefix, data_folder = folder.name, order_prefix(folder.name), data_folder_of(folder)
    try:
        limits = limits_of(data_folder, type(broker).name)
        book = AccountBook.open(data_folder, account_of(broker), prefix, key)
    except BaseException:
        connection.close()
        raise
    was_filled = opened.was_filled
    compares = Reconciliation(key, prefix, connection, core, book, was_filled=was_filled, now_ns=now_ns)
    guard, amends = AccountGuard(limits, core, book), broker.changes_orders()
    return BrokerDesk(key, connection, core, book, compares, guard, amends=amends, now_ns=now_ns)
