"""`vnpy`: accounts at the gateways of vnpy."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, field_validator

from quantcrafter.engine.adapters.vnpy.gateway_options import (
    INSTALL,
    SIMULATED,
    checked_gateway,
    settings_beside,
    settings_from,
)
from quantcrafter.engine.api import (
    Amend,
    AmendRejected,
    Balance,
    Broker,
    BrokerConnection,
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
    VenueExecution,
    VenueOrder,
    VenuePosition,
)
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.orders import OrderType, Side
from quantcrafter.engine.api.place import place_and_options

if TYPE_CHECKING:
    from quantcrafter.engine.adapters.vnpy.gateway_orders import GatewayOrder, Journal
    from quantcrafter.engine.adapters.vnpy.gateway_session import GatewaySession

_JOURNALS: dict[tuple[str, str], tuple[Journal, int]] = {}
_JOURNALS_LOCK = threading.Lock()


class VnpyBroker(Broker):
    """An account at a gateway of vnpy, such as `vnpy:vnpy_ctp.CtpGateway,settings=ctp.json` or `vnpy:simulated`.

    Symbols are those of vnpy, such as rb2510.SHFE. `settings` is a JSON file as vnpy keeps it, in which `env:NAME`
    stands for a secret of the environment or the keyring. `simulated` trades at a made-up exchange in this process.
    """

    name = "vnpy"
    place = "gateway"
    kinds: ClassVar[tuple[OrderType, ...]] = ("market", "limit", "stop")
    can_amend: ClassVar[bool] = False

    gateway: str = Field(description="`simulated`, or a class in a package of vnpy.")
    settings: str = Field("", description="A JSON file with the settings of the gateway.")

    @field_validator("gateway")
    @classmethod
    def _check_gateway(cls, text: str) -> str:
        return checked_gateway(text)

    @property
    def is_live(self) -> bool:
        return self.gateway != SIMULATED

    def holds_both(self, symbols: Sequence[str]) -> bool:
        del symbols
        return self.gateway == SIMULATED  # elsewhere an order that closes a position may reserve a part of it

    @classmethod
    def from_place(cls, text: str) -> Self:
        gateway, options = place_and_options(text)
        return cls.model_validate({"gateway": gateway} | options)

    def beside(self, folder: str) -> Self:
        return self.model_copy(update={"settings": settings_beside(self.settings, folder)})

    def connect(self) -> BrokerConnection:
        session = open_session(self.gateway, self.settings)
        return GatewayBrokerConnection(self, session)


def open_session(gateway: str, settings: str) -> GatewaySession:
    """Return the session of a gateway.

    Raises:
        RunError: vnpy or the gateway is not installed, or the settings are wrong.
    """
    from quantcrafter.engine.adapters.vnpy.place import prepare

    try:
        prepare()
    except ImportError as error:
        raise RunError(
            Message("Gateways of vnpy need vnpy, which is not installed. Install it with: {command}", command=INSTALL)
        ) from error
    from quantcrafter.engine.adapters.vnpy.gateway_session import SESSIONS

    return SESSIONS.take(gateway, settings, lambda: settings_from(settings, gateway))


def close_session(gateway: str, settings: str) -> None:
    """Give the session of a gateway back."""
    from quantcrafter.engine.adapters.vnpy.gateway_session import SESSIONS

    SESSIONS.give_back(gateway, settings)


class GatewayBrokerConnection(BrokerConnection):
    """A worker's view of an account at a gateway.

    Args:
        broker: whose account it is.
        session: the connected gateway.
    """

    def __init__(self, broker: VnpyBroker, session: GatewaySession) -> None:
        self._broker, self._session = broker, session
        self._reports: queue.SimpleQueue[OrderEvent | BrokerState] = queue.SimpleQueue()
        self._orders: dict[str, GatewayOrder] = {}
        self._by_venue_id: dict[str, GatewayOrder] = {}
        self._worker, self._lot_sizes = "", dict[str, float]()
        self._journal = _take_journal(broker)
        self._is_closed = False
        session.listen(self)

    # ------------------------------------------------------------------ the contract

    def begin(self, worker: str, lot_sizes: Mapping[str, float]) -> None:
        self._worker, self._lot_sizes = worker, dict(lot_sizes)
        with self._session.lock:
            for text in list(self._journal.sent):
                order = OrderId.parse(text)
                if order.worker == worker and self._is_active(text):
                    self._tell_all(order)

    def send(self, command: OrderCommand) -> None:
        now_ns = self._session.now_ns()
        if isinstance(command, Amend):
            text = Message("gateways of vnpy can't change orders")
            self._reports.put(AmendRejected(command.order, command.change, now_ns, text))
        elif self._session.is_lost:
            raise TryAgainError(self._session.last_log)
        elif isinstance(command, Cancel):
            self._cancel(command, now_ns)
        elif str(command.order) not in self._journal.sent:  # sent twice: it is there already, or may be
            self._submit(command, now_ns)

    def poll(self, timeout_s: float) -> Sequence[OrderEvent | BrokerState]:
        found: list[OrderEvent | BrokerState] = []
        try:
            found.append(self._reports.get(timeout=timeout_s) if timeout_s > 0 else self._reports.get_nowait())
            while True:
                found.append(self._reports.get_nowait())
        except queue.Empty:
            return found

    def executions(self, since_ns: int) -> Sequence[VenueExecution]:
        self._check()
        with self._session.lock:
            trades = list(self._session.trades.values())
        found = [
            VenueExecution(
                each.vt_tradeid,
                each.vt_symbol,
                _side(each),
                float(each.volume),
                float(each.price),
                _ns(each.datetime),
                client_order_id=self._journal.orders.get(each.vt_orderid, ""),
                venue_order_id=each.vt_orderid,
            )
            for each in trades
            if _ns(each.datetime) >= since_ns
        ]
        return sorted(found, key=lambda each: (each.ts_ns, each.id))

    def open_orders(self) -> Sequence[VenueOrder]:
        self._check()
        kinds: dict[str, OrderType] = {"MARKET": "market", "STOP": "stop"}
        with self._session.lock:
            active = [each for each in self._session.orders.values() if each.is_active()]
        return [
            VenueOrder(
                each.vt_orderid,
                each.vt_symbol,
                _side(each),
                kind := kinds.get(each.type.name, "limit"),
                float(each.volume),
                filled=float(each.traded),
                price=None if kind == "market" else float(each.price),
                client_order_id=self._journal.orders.get(each.vt_orderid, ""),
            )
            for each in active
        ]

    def positions(self) -> Sequence[VenuePosition]:
        self._check()
        with self._session.lock:
            held = list(self._session.positions.values())
        found: dict[str, list[tuple[float, float]]] = {}
        for each in held:
            sign = -1.0 if each.direction.name == "SHORT" else 1.0
            found.setdefault(each.vt_symbol, []).append((sign * float(each.volume), float(each.price)))
        return [
            VenuePosition(symbol, quantity, parts[0][1] if len(parts) == 1 else None)
            for symbol, parts in found.items()
            if (quantity := sum(volume for volume, _ in parts))
        ]

    def balances(self) -> Sequence[Balance]:
        self._check()
        with self._session.lock:
            accounts = list(self._session.accounts.values())
        return [Balance(each.accountid, float(each.balance), float(each.available)) for each in accounts]

    def outcome(self, order: OrderId) -> Sequence[OrderEvent]:
        text = str(order)
        if text not in self._journal.sent:
            return [Rejected(order, self._session.now_ns(), Message("it was never sent"))]
        with self._session.lock:
            self._find_by_reference(order)
            venue_ids = self._journal.sent[text]
            if len(venue_ids) < self._journal.counts.get(text, 1):
                return ()  # it may be there under an id that we don't know: only a person can say
            if not any(each in self._session.orders for each in venue_ids):
                return ()
            self._orders.pop(text, None)
            return list(self._events_of(order))

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._session.leave(self)
        _give_journal_back(self._broker)
        close_session(self._broker.gateway, self._broker.settings)

    # ------------------------------------------------------------------ events of the gateway

    def on_event(self, kind: str, data: Any) -> None:
        """Report what a gateway told of an order."""
        if kind.startswith("eTick"):
            return
        with self._session.lock:
            known = self._by_venue_id.get(data.vt_orderid)
            if known is None:
                return
            now_ns = self._session.now_ns()
            if kind.startswith("eTrade"):
                events = [*known.traded(data, _ns(data.datetime)), *known.ended(now_ns)]
            else:
                events = list(known.changed(data, now_ns, self._session.last_log))
        for each in events:
            self._reports.put(each)

    def on_state(self, state: str, text: str) -> None:
        """Report that the connection is lost, or there again with all that happened meanwhile."""
        now_ns = self._session.now_ns()
        self._reports.put(BrokerState("lost" if state == "lost" else "connected", now_ns, text))

    # ------------------------------------------------------------------ sending

    def _submit(self, submit: Submit, now_ns: int) -> None:
        from vnpy.trader.constant import Direction
        from vnpy.trader.object import OrderRequest
        from vnpy.trader.utility import extract_vt_symbol

        from quantcrafter.engine.adapters.vnpy.gateway_orders import GatewayOrder
        from quantcrafter.engine.adapters.vnpy.offsets import kind_of, parts_of

        session = self._session
        contract = session.contract(submit.symbol, 0.0)
        problem = _problem(submit, contract)
        parts = () if problem else parts_of(session, contract, submit)
        if problem or not parts:
            self._reports.put(Rejected(submit.order, now_ns, problem or Message("there is nothing to close")))
            return
        symbol, exchange = extract_vt_symbol(submit.symbol)
        direction = Direction.LONG if submit.side == "buy" else Direction.SHORT
        with session.lock:
            self._journal.begin(submit.order, len(parts))
            known = self._orders[str(submit.order)] = GatewayOrder(submit.order, submit.lot_size)
            failed = 0
            for offset, volume in parts:
                request = OrderRequest(
                    symbol=symbol,
                    exchange=exchange,
                    direction=direction,
                    type=kind_of(submit),
                    volume=volume,
                    price=submit.price or 0.0,
                    offset=offset,
                    reference=str(submit.order),
                )
                venue_id = session.gateway.send_order(request)
                if not venue_id:
                    failed += 1
                    continue
                self._journal.sent_as(submit.order, venue_id)
                known.parts.setdefault(venue_id, None)
                self._by_venue_id[venue_id] = known
            known.is_short = failed > 0 or sum(volume for _, volume in parts) < submit.quantity
        if failed == len(parts):
            known.is_over = True
            self._reports.put(Rejected(submit.order, now_ns, Message("the gateway didn't take the order")))

    def _cancel(self, cancel: Cancel, now_ns: int) -> None:
        from vnpy.trader.object import CancelRequest

        session = self._session
        with session.lock:
            found = [session.orders.get(each) for each in self._journal.sent.get(str(cancel.order), ())]
        active = [each for each in found if each is not None and each.is_active()]
        if not active:
            self._reports.put(CancelRejected(cancel.order, now_ns, Message("the order isn't at work")))
        for each in active:
            session.gateway.cancel_order(CancelRequest(each.orderid, each.symbol, each.exchange))

    # ------------------------------------------------------------------ what became of orders

    def _check(self) -> None:
        if self._session.is_lost:
            raise TryAgainError(self._session.last_log)

    def _is_active(self, text: str) -> bool:
        found = [self._session.orders.get(each) for each in self._journal.sent[text]]
        return any(each is not None and each.is_active() for each in found)

    def _tell_all(self, order: OrderId) -> None:
        for each in self._events_of(order):
            self._reports.put(each)

    def _find_by_reference(self, order: OrderId) -> None:
        """Note the ids of an order whose sending was cut off, if the gateway tells our reference with its orders."""
        text = str(order)
        for venue_id, found in self._session.orders.items():
            if found.reference == text and venue_id not in self._journal.sent[text]:
                self._journal.sent_as(order, venue_id)

    def _events_of(self, order: OrderId) -> Iterator[OrderEvent]:
        """Yield all that the gateway has told of an order, and follow it from now on."""
        from quantcrafter.engine.adapters.vnpy.gateway_orders import GatewayOrder

        text, now_ns = str(order), self._session.now_ns()
        venue_ids = self._journal.sent[text]
        found = [self._session.orders[each] for each in venue_ids if each in self._session.orders]
        symbol = found[0].vt_symbol if found else ""
        known = GatewayOrder(order, self._lot_sizes.get(symbol, 1.0), dict.fromkeys(venue_ids))
        self._orders[text] = known
        self._by_venue_id |= dict.fromkeys(venue_ids, known)
        for trade in list(self._session.trades.values()):
            if trade.vt_orderid in venue_ids:
                yield from known.traded(trade, _ns(trade.datetime))
        for each in found:
            yield from known.changed(each, now_ns, "")


def _problem(submit: Submit, contract: Any) -> str:
    """Return why an order can't be sent; '' if it can."""
    if contract is None:
        return Message("the gateway has no contract '{symbol}'", symbol=submit.symbol)
    if submit.kind == "stop" and not contract.stop_supported:
        return Message("the gateway has no stop orders for '{symbol}'", symbol=submit.symbol)
    if submit.kind not in VnpyBroker.kinds:
        return Message("gateways of vnpy have no orders of kind {kind}", kind=submit.kind)
    return ""


def _side(data: Any) -> Side:
    return "sell" if data.direction is not None and data.direction.name == "SHORT" else "buy"


def _ns(moment: Any) -> int:
    """Return a time of vnpy; without a zone it is that of this computer."""
    return 0 if moment is None else round(moment.timestamp() * 1e6) * 1_000


def _take_journal(broker: VnpyBroker) -> Journal:
    from quantcrafter.engine.adapters.vnpy.gateway_orders import Journal

    key = (broker.gateway, broker.settings)
    name = "-".join(filter(None, ("orders", broker.gateway.rpartition(".")[2].lower(), Path(broker.settings).stem)))
    with _JOURNALS_LOCK:
        journal, users = _JOURNALS.get(key) or (Journal(home() / "vnpy" / f"{name}.jsonl"), 0)
        _JOURNALS[key] = (journal, users + 1)
        return journal


def _give_journal_back(broker: VnpyBroker) -> None:
    key = (broker.gateway, broker.settings)
    with _JOURNALS_LOCK:
        journal, users = _JOURNALS[key]
        _JOURNALS[key] = (journal, users - 1)
        if users == 1:
            del _JOURNALS[key]
            journal.close()
