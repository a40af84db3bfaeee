"""A gateway of vnpy for all feeds and brokers of a process: connected once, its events kept and handed on.

Importing this module imports vnpy, so it is imported where a gateway is opened, after `place.prepare`.
"""

from __future__ import annotations

import importlib
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from vnpy.event import EVENT_TIMER, Event, EventEngine
from vnpy.trader.event import (
    EVENT_ACCOUNT,
    EVENT_CONTRACT,
    EVENT_LOG,
    EVENT_ORDER,
    EVENT_POSITION,
    EVENT_TICK,
    EVENT_TRADE,
)

from quantcrafter.engine.adapters.vnpy.gateway_options import SIMULATED
from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message

log = logging.getLogger("quantcrafter.brokers")

CONTRACTS_S = 30.0
"""How long a gateway may take until it knows a contract."""

_LOST = re.compile(r"断开|disconnect|connection lost|连接失败", re.IGNORECASE)
_BACK = re.compile(r"登录成功|连接成功|reconnected|connected|login success", re.IGNORECASE)
_JOIN_S = 10.0


class GatewayListener(Protocol):
    """Is told what a gateway reports, in the thread of its events."""

    def on_event(self, kind: str, data: Any) -> None:
        """Take an event of vnpy."""

    def on_state(self, state: str, text: str) -> None:
        """Take that the connection is `lost` or `connected`."""


class Events(EventEngine):
    """vnpy's engine of events, which ends at once, and survives a handler that raises."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        super().__init__()
        self._thread.daemon = self._timer.daemon = True

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            try:
                self._process(event)
            except Exception:
                log.exception("An event of a vnpy gateway failed: %s", event.type)

    def _run_timer(self) -> None:
        while not self._ending.wait(self._interval):
            self.put(Event(EVENT_TIMER))

    def stop(self) -> None:
        """End both threads."""
        self._ending.set()
        self._queue.put(None)
        for thread in (self._timer, self._thread):
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)


class GatewaySession:
    """A connected gateway, with what it has reported.

    Args:
        name: what the gateway is called.
        cls: its class.
        settings: what it is connected with.
    """

    def __init__(self, name: str, cls: type[Any], settings: Mapping[str, Any]) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.contracts: dict[str, Any] = {}
        self.orders: dict[str, Any] = {}
        self.trades: dict[str, Any] = {}
        self.positions: dict[str, Any] = {}
        self.accounts: dict[str, Any] = {}
        self.last_log = ""
        self.is_lost = False
        self._listeners: list[GatewayListener] = []
        self._known = threading.Condition()
        self._events = Events()
        self._events.register_general(self._heard)
        self._events.start()
        self.gateway = cls(self._events, cls.default_name or name)
        self.now_ns: Callable[[], int] = getattr(self.gateway, "now_ns", time.time_ns)
        try:
            self.gateway.connect({**cls.default_setting, **settings})
        except BaseException:
            self._events.stop()
            raise

    def listen(self, listener: GatewayListener) -> None:
        """Tell a listener of all events from now on."""
        with self.lock:
            self._listeners.append(listener)

    def leave(self, listener: GatewayListener) -> None:
        """Tell a listener nothing more."""
        with self.lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def contract(self, symbol: str, wait_s: float = CONTRACTS_S) -> Any:
        """Return a contract once the gateway knows it; None if it doesn't in time."""
        with self._known:
            self._known.wait_for(lambda: symbol in self.contracts, wait_s)
        return self.contracts.get(symbol)

    def close(self) -> None:
        """Disconnect."""
        try:
            self.gateway.close()
        finally:
            self._events.stop()

    def _heard(self, event: Any) -> None:
        kind, data = event.type, event.data
        tables = {
            EVENT_ORDER: (self.orders, "vt_orderid"),
            EVENT_TRADE: (self.trades, "vt_tradeid"),
            EVENT_POSITION: (self.positions, "vt_positionid"),
            EVENT_ACCOUNT: (self.accounts, "vt_accountid"),
            EVENT_CONTRACT: (self.contracts, "vt_symbol"),
        }
        with self.lock:
            if kind in tables:
                table, key = tables[kind]
                table[getattr(data, key)] = data
            listeners = tuple(self._listeners)
        if kind == EVENT_CONTRACT:
            with self._known:
                self._known.notify_all()
        if kind == EVENT_LOG:
            self._logged(str(data.msg), listeners)
        if kind in (EVENT_TICK, EVENT_ORDER, EVENT_TRADE):
            for each in listeners:
                each.on_event(kind, data)

    def _logged(self, text: str, listeners: tuple[GatewayListener, ...]) -> None:
        """Take a line of the gateway's log: vnpy tells of lost connections in no other way."""
        log.info("%s: %s", self.name, text)
        self.last_log = text
        was_lost = self.is_lost
        if _LOST.search(text):
            self.is_lost = True
        elif _BACK.search(text):
            self.is_lost = False
        if self.is_lost != was_lost:
            for each in listeners:
                each.on_state("lost" if self.is_lost else "connected", text)


class Sessions:
    """The gateways of a process, while somebody needs them: most accounts allow one login."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._there: dict[tuple[str, str], tuple[GatewaySession, int]] = {}

    def take(self, gateway: str, path: str, settings: Callable[[], Mapping[str, Any]]) -> GatewaySession:
        """Return the session of a gateway with the settings of a file, which is given back later.

        Raises:
            RunError: the gateway is not installed, or its settings are wrong.
        """
        with self._lock:
            found = self._there.get((gateway, path))
            session, users = (GatewaySession(gateway, _class_of(gateway), settings()), 0) if found is None else found
            self._there[gateway, path] = (session, users + 1)
            return session

    def give_back(self, gateway: str, path: str) -> None:
        """Disconnect a gateway if nobody needs it any more."""
        with self._lock:
            session, users = self._there[gateway, path]
            self._there[gateway, path] = (session, users - 1)
            if users > 1:
                return
            del self._there[gateway, path]
        session.close()


SESSIONS = Sessions()


def _class_of(gateway: str) -> type[Any]:
    if gateway == SIMULATED:
        from quantcrafter.engine.adapters.vnpy.simulated_gateway import SimulatedGateway

        return SimulatedGateway
    module, _, name = gateway.rpartition(".")
    try:
        found: type[Any] = vars(importlib.import_module(module))[name]
    except (ImportError, KeyError) as error:
        package = module.partition(".")[0]
        raise RunError(
            Message(
                "The gateway '{gateway}' can't be imported: {error}. Install it with: pip install {package}",
                gateway=gateway,
                error=str(error),
                package=package,
            )
        ) from error
    return found
