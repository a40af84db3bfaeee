"""One account at an exchange for all workers of a process: one thread sends, asks and reports.

1. Commands are sent one after the other, each once. An answer that is certain is reported. Without one the order's
   outcome is unknown: it is looked up by its client order id until the exchange says what became of it.
2. An order that the exchange doesn't know counts as rejected when it was looked up twice, `SETTLE_S` apart, since one
   that is under way may not be there yet.
3. Orders at work are compared with the exchange's now and then. Fills are its trades, each with its id.
4. After some failures in a row the connection is reported lost, and with the first answer that it is there again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from quantcrafter.engine.api import (
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    BrokerState,
    Cancel,
    CancelRejected,
    OrderCommand,
    OrderEvent,
    OrderId,
    Rejected,
    RunError,
    Submit,
    TryAgainError,
    Unanswered,
    VenueExecution,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.brokers.ccxt_ids import client_id, order_of
from quantcrafter.engine.brokers.ccxt_orders import (
    AMENDS,
    MS,
    KnownOrder,
    contract_size,
    execution_of,
    terms_of,
)
from quantcrafter.engine.data.download.reasons import is_fault_of_server, one_line, reason_of_request

log = logging.getLogger("quantcrafter.brokers")

Report = OrderEvent | BrokerState
Answer = TypeVar("Answer")

SETTLE_S = 5.0
"""How long an order that was sent may take to show up at the exchange."""

LOST_AFTER = 2
"""After how many failures in a row a connection is reported as lost."""

SYNC_S, IDLE_S = 1.0, 10.0
"""How often orders at work are compared, and how often an account without any is heard."""

_PAUSE_S, _LONGEST_PAUSE_S, _MOST_TRIES = 1.0, 10.0, 5
_JOIN_S = 30.0
_PAGE = 500
_MOST_EARLY = 1_000


class UnknownOutcomeError(Exception):
    """The exchange gave no answer: what was asked for may or may not have happened."""


class RefusedError(Exception):
    """The exchange refuses, for certain."""


class OverloadedError(UnknownOutcomeError):
    """The exchange did nothing, since there were too many requests."""

    def __init__(self, reason: str, after_s: float) -> None:
        super().__init__(reason)
        self.after_s = after_s


class OrderMissingError(RefusedError):
    """The exchange doesn't know the order."""


@dataclass
class AccountMember:
    """A worker of the account: the symbols that it trades with their lot sizes, and where its reports go."""

    worker: str
    lot_sizes: Mapping[str, float]
    reports: queue.SimpleQueue[Report] = field(default_factory=queue.SimpleQueue)


class ExchangeAccount:
    """An account at an exchange.

    Args:
        api: the exchange of ccxt.
        exchange: its name.
        further: symbols whose executions count beside those that are traded here.
    """

    def __init__(self, api: Any, exchange: str, further: Sequence[str] = ()) -> None:
        self._api, self._exchange, self._further = api, exchange, tuple(further)
        self._request = threading.RLock()
        self._tasks: queue.SimpleQueue[tuple[float, Callable[[], None]] | None] = queue.SimpleQueue()
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._members: list[AccountMember] = []
        self._orders: dict[OrderId, KnownOrder] = {}
        self._telling = threading.Lock()
        self._early: list[OrderEvent] = []
        self._unsent: set[OrderId] = set()
        self._ids: dict[str, str] = {}
        self._failures = 0
        self._is_lost = False
        self._synced_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"ccxt-account-{exchange}", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------ members

    def join(self, member: AccountMember) -> None:
        """Report to a worker, and look for its orders that work."""
        with self._telling:
            self._members.append(member)
            early, self._early = self._early, []
        self._tell(*early)  # of commands that were sent before
        self._do(lambda: self._adopt(member))

    def leave(self, member: AccountMember) -> None:
        """Report nothing more to a worker."""
        if member in self._members:
            self._members.remove(member)

    def send(self, command: OrderCommand) -> None:
        """Send a command soon."""
        if isinstance(command, Submit):
            self._unsent.add(command.order)
        self._do(lambda: self._send(command))

    def look_up(self, order: OrderId) -> None:
        """Report what became of an order, once the exchange can say it; all of it, as if nothing had been reported."""
        known = self._orders.get(order)
        if known is None or (known.doubtful_s is None and known.pending is None):
            self._do(lambda: self._tell_again(order))

    def close(self) -> None:
        """End the thread. Orders stay as they are."""
        self._tasks.put(None)
        self._thread.join(_JOIN_S)

    # ------------------------------------------------------------------ asking at once

    def asked(self, function: Callable[[Any], Answer]) -> Answer:
        """Ask the exchange something that changes nothing.

        Raises:
            TryAgainError: it can't answer now.
            RunError: it refuses.
        """
        try:
            return self._call(function)
        except UnknownOutcomeError as error:
            raise TryAgainError(str(error)) from error
        except RefusedError as error:
            raise RunError(
                Message("{exchange} refuses: {reason}.", exchange=self._exchange, reason=str(error))
            ) from error

    def symbols(self) -> list[str]:
        """Return the symbols that count."""
        traded = [symbol for member in tuple(self._members) for symbol in member.lot_sizes]
        return list(dict.fromkeys([*traded, *(each.symbol for each in tuple(self._orders.values())), *self._further]))

    def market(self, symbol: str) -> Mapping[str, Any]:
        """Return what ccxt knows of a symbol."""
        with self._request:
            found: Mapping[str, Any] = self._api.market(symbol)
            return found

    def executions(self, since_ns: int) -> list[VenueExecution]:
        """Return the trades from a moment on, oldest first."""
        found: dict[str, VenueExecution] = {}
        for symbol in self.symbols():
            market = self.market(symbol)
            trades = self._trades_since(symbol, max(0, since_ns // MS))
            self._learn_ids(symbol, trades)
            for trade in trades:
                made = execution_of(trade, market, self._ids.get(str(trade.get("order") or ""), ""))
                if made.ts_ns >= since_ns:
                    found[made.id] = made
        return sorted(found.values(), key=lambda each: (each.ts_ns, each.id))

    def _trades_since(self, symbol: str, since_ms: int) -> list[Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        while True:
            page = self.asked(lambda api: api.fetch_my_trades(symbol, since_ms, _PAGE))  # noqa: B023 - called at once
            new = [each for each in page if str(each["id"]) not in found]
            found |= {str(each["id"]): each for each in new}
            if not new or len(page) < _PAGE:
                return list(found.values())
            since_ms = max(int(each["timestamp"]) for each in page)

    def _learn_ids(self, symbol: str, trades: Sequence[Mapping[str, Any]]) -> None:
        """Find out which orders of trades are ours: many at once, and one by one what is left."""
        missing = {str(each["order"]) for each in trades if each.get("order")} - self._ids.keys()
        since_ms = min((int(each["timestamp"]) for each in trades), default=0)
        while missing and self._api.has.get("fetchOrders"):
            page = self.asked(lambda api: api.fetch_orders(symbol, since_ms, _PAGE))  # noqa: B023 - called at once
            for each in page:
                self._learn(each)
            missing -= self._ids.keys()
            latest_ms = max((int(each.get("timestamp") or 0) for each in page), default=0)
            if len(page) < _PAGE or latest_ms <= since_ms:
                break
            since_ms = latest_ms
        for venue_id in missing:
            self._learn(self.asked(lambda api: api.fetch_order(venue_id, symbol)))  # noqa: B023 - called at once

    def _learn(self, found: Mapping[str, Any]) -> None:
        ours = order_of(found.get("clientOrderId"), self._exchange)
        self._ids.setdefault(str(found["id"]), "" if ours is None else str(ours))

    # ------------------------------------------------------------------ the thread

    def _do(self, task: Callable[[], None], after_s: float = 0.0) -> None:
        self._tasks.put((time.monotonic() + after_s, task))

    def _run(self) -> None:
        while True:
            try:
                task = self._tasks.get(timeout=self._wait_s())
            except queue.Empty:
                pass
            else:
                if task is None:
                    return
                self._later.append(task)
            now_s = time.monotonic()
            due = [task for at_s, task in self._later if at_s <= now_s]
            self._later = [(at_s, task) for at_s, task in self._later if at_s > now_s]
            for each in due:
                self._safely(each)
            if now_s >= self._next_sync_s():
                self._synced_s = now_s
                self._safely(self._sync)

    def _wait_s(self) -> float:
        nearest = min([self._next_sync_s(), *(at_s for at_s, _ in self._later)])
        return max(0.001, nearest - time.monotonic())

    def _next_sync_s(self) -> float:
        at_work = self._is_lost or any(not each.is_over for each in self._orders.values())
        return self._synced_s + (SYNC_S if at_work else IDLE_S)

    def _safely(self, task: Callable[[], None]) -> None:
        try:
            task()
        except (UnknownOutcomeError, RefusedError) as error:
            log.info("%s: %s", self._exchange, error)
        except Exception:  # ccxt stumbles over answers that it doesn't expect
            log.exception("The broker of %s failed", self._exchange)

    def _call(self, function: Callable[[Any], Answer]) -> Answer:
        """Call ccxt, and note whether the exchange answers.

        Raises:
            RefusedError: it refuses, for certain.
            UnknownOutcomeError: it didn't answer.
        """
        import ccxt

        try:
            with self._request:
                answer = function(self._api)
        except ccxt.OrderNotFound as error:
            self._heard()
            raise OrderMissingError(one_line(str(error))) from error
        except (ccxt.RateLimitExceeded, ccxt.DDoSProtection) as error:
            after = str((self._api.last_response_headers or {}).get("Retry-After", ""))
            raise OverloadedError(Message("too many requests"), float(after) if after.isdigit() else 0.0) from error
        except (ccxt.OperationFailed, ccxt.DuplicateOrderId) as error:
            if isinstance(error, ccxt.OperationFailed):
                self._failed(reason_of_request(error))
            raise UnknownOutcomeError(reason_of_request(error)) from error
        except ccxt.BaseError as error:
            if is_fault_of_server(error):
                self._failed(reason_of_request(error))
                raise UnknownOutcomeError(reason_of_request(error)) from error
            self._heard()
            raise RefusedError(one_line(str(error))) from error
        self._heard()
        return answer

    def _failed(self, text: str) -> None:
        self._failures += 1
        if self._failures >= LOST_AFTER and not self._is_lost:
            self._is_lost = True
            self._tell_all(BrokerState("lost", time.time_ns(), text))

    def _heard(self) -> None:
        self._failures = 0
        if self._is_lost:
            self._is_lost = False
            self._tell_all(BrokerState("connected", time.time_ns()))

    def _tell_all(self, state: BrokerState) -> None:
        for each in tuple(self._members):
            each.reports.put(state)

    def _tell(self, *events: OrderEvent) -> None:
        with self._telling:
            for event in events:
                told = [each for each in self._members if each.worker == event.order.worker]
                for member in told:
                    member.reports.put(event)
                if not told:
                    self._early = [*self._early[-_MOST_EARLY:], event]

    # ------------------------------------------------------------------ commands

    def _send(self, command: OrderCommand, tries: int = 1) -> None:
        try:
            match command:
                case Submit():
                    self._submit(command)
                case Cancel():
                    self._cancel(command)
                case Amend():
                    self._amend(command)
            self._unsent.discard(command.order)
        except OverloadedError as error:
            if tries < _MOST_TRIES:
                pause_s = max(error.after_s, _PAUSE_S * 2**tries)
                self._do(lambda: self._send(command, tries + 1), pause_s)
            else:
                self._refuse(command, str(error))
        except RefusedError as error:
            self._refuse(command, str(error))
        except UnknownOutcomeError:
            self._unanswered(command)
        except Exception:  # ccxt stumbles over an answer: what was asked for may have happened
            log.exception("%s: the answer to %s can't be read", self._exchange, command.order)
            self._unanswered(command)

    def _unanswered(self, command: OrderCommand) -> None:
        self._unsent.discard(command.order)
        self._tell(Unanswered(command.order, time.time_ns()))
        self._doubt(command)

    def _refuse(self, command: OrderCommand, text: str) -> None:
        now_ns = time.time_ns()
        self._unsent.discard(command.order)
        if command.order in self._orders:
            self._orders[command.order].pending = None
        match command:
            case Submit():
                self._orders[command.order].is_over = True
                self._tell(Rejected(command.order, now_ns, text))
            case Cancel():
                self._tell(CancelRejected(command.order, now_ns, text))
            case Amend():
                self._tell(AmendRejected(command.order, command.change, now_ns, text))

    def _submit(self, submit: Submit) -> None:
        known = self._orders.get(submit.order)
        if known is None:
            known = KnownOrder(submit.order, submit.symbol, submit.lot_size)
            self._orders[submit.order] = known
        if known.venue_id or known.is_over or known.doubtful_s is not None:
            return
        kind, price, params = terms_of(submit)
        self._call(lambda api: api.load_markets())
        amount = self._amount(submit.symbol, submit.quantity)
        params["clientOrderId"] = client_id(submit.order, self._exchange)
        made = self._call(
            lambda api: api.create_order(submit.symbol, kind, submit.side, amount, price, params),
        )
        if not made.get("id"):
            raise UnknownOutcomeError(Message("its answer has no id of the order"))
        self._accept(known, made)
        self._synced_s = min(self._synced_s, time.monotonic() - SYNC_S)

    def _amount(self, symbol: str, quantity: float) -> float:
        """Return an amount in the exchange's units.

        Raises:
            RefusedError: the exchange would round it, so that it would no longer be what the strategy counts with.
        """
        market = self.market(symbol)
        if market.get("inverse"):
            raise RefusedError(Message("contracts that are settled in the coin are not traded here"))
        amount = quantity / contract_size(market)
        rounded = float(self._call(lambda api: api.amount_to_precision(symbol, amount)))
        if abs(rounded - amount) > 1e-9 * max(1.0, amount):
            text = Message(
                "the exchange would round the quantity {quantity:g} to {rounded:g}. Set 'lot_size' to its step",
                quantity=amount,
                rounded=rounded,
            )
            raise RefusedError(text)
        return amount

    def _accept(self, known: KnownOrder, found: Mapping[str, Any]) -> None:
        known.venue_id, known.doubtful_s = str(found["id"]), None
        self._ids[known.venue_id] = str(known.order)
        if not known.is_accepted:
            known.is_accepted = True
            self._tell(Accepted(known.order, time.time_ns(), venue_id=known.venue_id))

    def _cancel(self, cancel: Cancel) -> None:
        known = self._orders.get(cancel.order) or self._located(cancel.order)
        if known is None or not known.venue_id:
            raise RefusedError(Message("the exchange doesn't know the order"))
        self._call(lambda api: api.cancel_order(known.venue_id, known.symbol))
        known.pending = None
        self._update(known, self._call(lambda api: api.fetch_order(known.venue_id, known.symbol)))

    def _amend(self, amend: Amend) -> None:
        known = self._orders.get(amend.order) or self._located(amend.order)
        if known is None or not known.venue_id:
            raise RefusedError(Message("the exchange doesn't know the order"))
        if self._exchange not in AMENDS:
            raise RefusedError(Message("the exchange can't change orders in place"))
        order = self._call(lambda api: api.fetch_order(known.venue_id, known.symbol))
        amount = self._amount(known.symbol, amend.quantity)
        has_trigger = bool(order.get("triggerPrice"))
        params = {"triggerPrice": amend.price} if has_trigger else {}
        price = amend.limit if has_trigger else amend.price
        self._call(
            lambda api: api.edit_order(
                known.venue_id, known.symbol, order["type"], order["side"], amount, price, params
            )
        )
        known.pending = None
        self._tell(Amended(amend.order, amend.change, time.time_ns()))

    # ------------------------------------------------------------------ what became of orders

    def _doubt(self, command: OrderCommand) -> None:
        known = self._orders.get(command.order)
        if known is None:
            return
        known.pending = None if isinstance(command, Submit) else command
        if known.doubtful_s is None:
            known.doubtful_s = time.monotonic()
            self._do(lambda: self._find_out(command.order), _PAUSE_S)

    def _tell_again(self, order: OrderId) -> None:
        """Forget what was reported of an order, and find out what became of it."""
        if order not in self._unsent:
            known = self._orders.pop(order, None)
            if known is not None:
                self._orders[order] = KnownOrder(order, known.symbol, known.lot_size)
            self._find_out(order)

    def _find_out(self, order: OrderId, tries: int = 1) -> None:
        """Look an order up, again and again until the exchange says what became of it."""
        known = self._orders.get(order)
        if (known is not None and known.is_over) or order in self._unsent:
            return
        began_s = time.monotonic() if known is None or known.doubtful_s is None else known.doubtful_s
        try:
            found = self._located(order)
        except (UnknownOutcomeError, RefusedError) as error:
            log.info("%s: what became of %s is not known yet: %s", self._exchange, order, error)
            again_s = min(_LONGEST_PAUSE_S, _PAUSE_S * tries)
        else:
            if found is not None:
                self._settle(found)
                return
            if tries > 1 and time.monotonic() - began_s >= SETTLE_S:
                if known is not None:
                    known.is_over, known.doubtful_s = True, None
                self._tell(Rejected(order, time.time_ns(), Message("the exchange doesn't know the order")))
                return
            again_s = SETTLE_S
        if known is None:
            lot_size = next((size for each in self._members for size in each.lot_sizes.values()), 1.0)
            known = self._orders[order] = KnownOrder(order, "", lot_size)
        known.doubtful_s = began_s
        self._do(lambda: self._find_out(order, tries + 1), again_s)

    def _settle(self, known: KnownOrder) -> None:
        """Answer the amend or cancel that got no answer, of an order that is there: a cancel is asked for again."""
        pending, known.pending = known.pending, None
        if known.is_over or pending is None:
            return
        if isinstance(pending, Cancel):
            self._send(pending)
            return
        if isinstance(pending, Amend):
            price = pending.price if pending.limit is None else pending.limit
            is_done = known.quantity == pending.quantity and known.price in (price, pending.price)
            now_ns = time.time_ns()
            self._tell(
                Amended(pending.order, pending.change, now_ns)
                if is_done
                else AmendRejected(pending.order, pending.change, now_ns, Message("the exchange didn't get it"))
            )

    def _located(self, order: OrderId) -> KnownOrder | None:
        """Return an order as the exchange has it, and report what has become of it; None if it doesn't know it."""
        known = self._orders.get(order)
        symbols = [known.symbol] if known is not None and known.symbol else self.symbols()
        self._call(lambda api: api.load_markets())
        for symbol in filter(None, symbols):
            found = self._by_client_id(order, symbol)
            if found is None:
                continue
            if known is None or not known.symbol:
                known = self._orders[order] = self._taken_over(order, symbol)
            self._accept(known, found)
            self._update(known, found)
            return known
        return None

    def _by_client_id(self, order: OrderId, symbol: str) -> Mapping[str, Any] | None:
        text = client_id(order, self._exchange)

        def is_it(found: Mapping[str, Any]) -> bool:
            return order_of(found.get("clientOrderId"), self._exchange) == order

        try:
            found: Mapping[str, Any] = self._call(lambda api: api.fetch_order(None, symbol, {"clientOrderId": text}))
        except OrderMissingError:
            return None
        except RefusedError:  # it looks orders up by its own ids only
            found = next(filter(is_it, self._listed(symbol)), {})
        return found if is_it(found) else None

    def _listed(self, symbol: str) -> Iterator[Mapping[str, Any]]:
        for name, ask in (
            ("fetchOpenOrders", lambda api: api.fetch_open_orders(symbol)),
            ("fetchOrders", lambda api: api.fetch_orders(symbol)),
            ("fetchClosedOrders", lambda api: api.fetch_closed_orders(symbol)),
            ("fetchCanceledOrders", lambda api: api.fetch_canceled_orders(symbol)),
        ):
            if self._api.has.get(name):
                yield from self._call(ask)

    def _taken_over(self, order: OrderId, symbol: str) -> KnownOrder:
        sizes = [each.lot_sizes[symbol] for each in self._members if symbol in each.lot_sizes]
        return KnownOrder(order, symbol, sizes[0] if sizes else 1.0)

    def _adopt(self, member: AccountMember) -> None:
        """Follow the orders of a worker that work from before."""
        try:
            self._call(lambda api: api.load_markets())
            for symbol in member.lot_sizes:
                for found in self._call(lambda api: api.fetch_open_orders(symbol)):  # noqa: B023 - called at once
                    order = order_of(found.get("clientOrderId"), self._exchange)
                    if order is not None and order.worker == member.worker and order not in self._orders:
                        known = self._orders[order] = self._taken_over(order, symbol)
                        self._accept(known, found)
                        self._update(known, found)
        except UnknownOutcomeError as error:
            log.info("%s: orders at work are not known yet: %s", self._exchange, error)
            self._do(lambda: self._adopt(member), _PAUSE_S)

    def _sync(self) -> None:
        at_work = [each for each in self._orders.values() if each.venue_id and not each.is_over]
        for symbol in dict.fromkeys(each.symbol for each in at_work):
            listed = self._call(lambda api: api.fetch_open_orders(symbol))  # noqa: B023 - called at once
            there = {str(each["id"]): each for each in listed}
            for known in at_work:
                if known.symbol == symbol:
                    found = there.get(known.venue_id)
                    self._update(known, found or self._call(self._fetching(known)))
        if not at_work:
            symbols = self.symbols()
            self._call(lambda api: api.fetch_open_orders(symbols[0]) if symbols else api.fetch_balance())

    @staticmethod
    def _fetching(known: KnownOrder) -> Callable[[Any], Any]:
        return lambda api: api.fetch_order(known.venue_id, known.symbol)

    def _update(self, known: KnownOrder, found: Mapping[str, Any]) -> None:
        """Report what is new of an order."""
        size = contract_size(self.market(known.symbol))
        known.quantity = float(found.get("amount") or 0.0) * size
        known.price = found.get("triggerPrice") or found.get("price")
        filled = float(found.get("filled") or 0.0) * size
        tolerance = 1e-9 * max(1.0, filled)
        if filled > known.filled + tolerance:
            self._tell(*known.fills(self._trades_of(known, found)))
        if found.get("status") in (None, "open") or known.is_over or filled > known.filled + tolerance:
            return  # its trades are reported before its end
        known.is_over, known.doubtful_s = True, None
        end = known.end(str(found["status"]), time.time_ns())
        if end is not None:
            self._tell(end)

    def _trades_of(self, known: KnownOrder, found: Mapping[str, Any]) -> list[VenueExecution]:
        if self._api.has.get("fetchOrderTrades"):
            trades = self._call(lambda api: api.fetch_order_trades(known.venue_id, known.symbol))
        else:
            since_ms = int(found.get("timestamp") or 0) or None
            trades = self._call(lambda api: api.fetch_my_trades(known.symbol, since_ms, _PAGE))
        market = self.market(known.symbol)
        own = [each for each in trades if str(each.get("order") or known.venue_id) == known.venue_id]
        made = [execution_of(each, market, str(known.order)) for each in own]
        return sorted(made, key=lambda each: (each.ts_ns, each.id))
