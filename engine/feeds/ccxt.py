"""`ccxt`: bars of crypto exchanges as they close, by the library of that name.

Bars come from the exchange's public interface. Where it has a stream of bars, the stream tells when to ask. Asking by
the clock goes on beside it, so that a stream that falls silent delays nothing by more than a moment.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

from pydantic import Field

from quantcrafter.engine.api import (
    Bar,
    BarClosed,
    BarRevised,
    Bars,
    Feed,
    FeedConnection,
    FeedEvent,
    FeedState,
    FeedStatus,
    Subscription,
    TryAgainError,
    bars_from,
)
from quantcrafter.engine.api.place import place_and_options
from quantcrafter.engine.data.download.ccxt_provider import CcxtDownloads
from quantcrafter.engine.feeds.ccxt_hub import ExchangeHub, Listener, Told
from quantcrafter.engine.feeds.ccxt_stream import ExchangeStream

MOST_HISTORY = 20_000
"""How many bars before its beginning it asks for at most."""

PAUSES_S = (0.5,)
"""How long it waits after failures while a worker starts; later the worker is started again."""

HOLD_NS = 30_000_000_000
"""How long bars of a moment wait for those of other symbols that close with them."""


class CcxtFeed(Feed):
    """Bars of more than 100 crypto exchanges, such as `ccxt:binance`, with symbols such as BTC/USDT or BTC/USDT:USDT.

    Only bars that have closed are used. All workers of a process share the requests to an exchange, which keep to its
    limits. After a lost connection it asks for what was missed.
    """

    name = "ccxt"
    place = "exchange"
    changeable: ClassVar[tuple[str, ...]] = ("url", "stream")

    exchange: str = Field(min_length=1, description="The exchange's name in ccxt, such as binance or kraken.")
    url: str = Field("", description="A server to ask in place of the exchange, such as a mirror.")
    stream: bool = Field(True, description="Whether to use the exchange's stream of bars, where it has one.")

    @classmethod
    def from_place(cls, text: str) -> Self:
        exchange, options = place_and_options(text)
        return cls.model_validate({"exchange": exchange} | options)

    def open(self, subscriptions: Sequence[Subscription], base_dir: str = "") -> FeedConnection:
        del base_dir
        hub = HUBS.take(self)
        try:
            for each in subscriptions:
                hub.check((each.symbol, each.timeframe))
        except BaseException:
            HUBS.give_back(self)
            raise
        return CcxtConnection(self, hub, subscriptions)


class Hubs:
    """The hubs of a process, one for each exchange, while somebody needs them."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.clock = now_ns
        self._lock = threading.Lock()
        self._there: dict[CcxtFeed, tuple[ExchangeHub, ExchangeStream | None, int]] = {}

    def take(self, feed: CcxtFeed) -> ExchangeHub:
        """Return the hub of a feed; it is given back later.

        Raises:
            DataError: there is no such exchange, or ccxt is not installed.
        """
        with self._lock:
            hub, stream, users = self._there.get(feed) or self._made(feed)
            self._there[feed] = (hub, stream, users + 1)
            return hub

    def give_back(self, feed: CcxtFeed) -> None:
        """End the hub of a feed if nobody needs it any more."""
        with self._lock:
            hub, stream, users = self._there[feed]
            self._there[feed] = (hub, stream, users - 1)
            if users > 1:
                return
            del self._there[feed]
        if stream is not None:
            stream.close()
        hub.close()

    def _now_ns(self) -> int:
        return self.clock()

    def _made(self, feed: CcxtFeed) -> tuple[ExchangeHub, ExchangeStream | None, int]:
        provider = CcxtDownloads(exchange=feed.exchange, url=feed.url)
        provider.timeframes()
        hub = ExchangeHub(provider, self._now_ns)
        return hub, ExchangeStream.of(feed.exchange, feed.url, hub) if feed.stream else None, 0


HUBS = Hubs()
"""Limits of an exchange hold for a process, so its workers share this."""


class CcxtConnection(FeedConnection):
    """The bars of some symbols, of a hub.

    Args:
        feed: whose hub it is.
        hub: what asks the exchange.
        subscriptions: what there are bars of.
    """

    def __init__(self, feed: CcxtFeed, hub: ExchangeHub, subscriptions: Sequence[Subscription]) -> None:
        self._feed, self._hub = feed, hub
        self._subscriptions = {each.name: each for each in subscriptions}
        self._queue: queue.SimpleQueue[tuple[str, Told]] = queue.SimpleQueue()
        self._listeners: dict[str, Listener] = {}
        self._last: dict[str, Bar] = {}
        self._given_ns = dict.fromkeys(self._subscriptions, -(2**62))
        self._known_ns = dict.fromkeys(self._subscriptions, 0)
        self._held: list[tuple[int, BarClosed]] = []
        self._lost: dict[str, str] = {}
        self._state: FeedStatus | None = None
        self._begun = False

    def begin(self, at_ns: int | None) -> None:
        del at_ns  # it has no clock of its own

    def history(self, name: str, before_ns: int, count: int) -> Bars:
        wanted = self._subscriptions[name]
        most = min(count, MOST_HISTORY)
        after_ns = before_ns - (most + 1) * wanted.timeframe.nominal_ns
        key = (wanted.symbol, wanted.timeframe)
        found = self._patiently(lambda: self._hub.bars(key, after_ns, before_ns, most)) if most else []
        self._note(name, before_ns if not found else found[-1].close_ns, found)
        return bars_from(wanted, found, f"ccxt:{self._feed.exchange}")

    def missed(self, name: str, after_ns: int, until_ns: int) -> Sequence[Bar]:
        wanted = self._subscriptions[name]
        least_ns = until_ns - MOST_HISTORY * wanted.timeframe.nominal_ns
        key = (wanted.symbol, wanted.timeframe)
        try:
            found = self._patiently(lambda: self._hub.bars(key, max(after_ns, least_ns), until_ns))
        except TryAgainError:
            if not self._begun:
                raise
            return []  # the hub asks from the last bar on that it told, so they come by themselves
        self._note(name, found[-1].close_ns if found else after_ns, found)
        return found

    def poll(self, timeout_s: float) -> Sequence[FeedEvent]:
        self._begin_listening()
        events = self._taken(0.0)
        if not events and timeout_s > 0 and self._subscriptions:
            until = time.monotonic() + timeout_s
            while not events and (left := until - time.monotonic()) > 0:
                events = self._taken(left)
        return events

    def now_ns(self) -> int:
        return self._hub.now_ns()

    def close(self) -> None:
        if not self._subscriptions:
            return
        for name, listener in self._listeners.items():
            wanted = self._subscriptions[name]
            self._hub.leave((wanted.symbol, wanted.timeframe), listener)
        self._subscriptions, self._listeners = {}, {}
        HUBS.give_back(self._feed)

    def _note(self, name: str, given_ns: int, bars: Sequence[Bar]) -> None:
        self._given_ns[name] = max(self._given_ns[name], given_ns)
        if bars:
            self._last[name] = bars[-1]

    def _patiently(self, ask: Callable[[], list[Bar]]) -> list[Bar]:
        """Return an answer; before it listens, some failures are waited out.

        Raises:
            TryAgainError: the exchange can't answer now.
            DataError: it refuses.
        """
        for pause_s in () if self._begun else PAUSES_S:
            try:
                return ask()
            except TryAgainError as error:
                time.sleep(max(pause_s, error.after_s))
        return ask()

    def _begin_listening(self) -> None:
        if self._begun:
            return
        self._begun = True
        now_ns = self.now_ns()
        for name, wanted in self._subscriptions.items():
            listener = self._listener(name)
            self._listeners[name] = listener
            after_ns = max(self._given_ns[name], now_ns - MOST_HISTORY * wanted.timeframe.nominal_ns)
            self._hub.listen((wanted.symbol, wanted.timeframe), after_ns, listener)

    def _listener(self, name: str) -> Listener:
        return lambda told: self._queue.put((name, told))

    def _taken(self, timeout_s: float) -> list[FeedEvent]:
        """Return what is ready of what the hub told."""
        events: list[FeedEvent] = []
        try:
            pause = min(timeout_s, 0.1 if self._held else timeout_s)
            name, told = self._queue.get(timeout=pause) if pause > 0 else self._queue.get_nowait()
            while True:
                events += self._heard(name, told)
                name, told = self._queue.get_nowait()
        except queue.Empty:
            pass
        return [*events, *self._ready()]

    def _heard(self, name: str, told: Told) -> list[FeedEvent]:
        now_ns = self.now_ns()
        if told.is_lost:
            self._lost[name] = told.text
            return self._changed("lost", told.text)
        self._lost.pop(name, None)
        self._known_ns[name] = max(self._known_ns[name], told.known_ns)
        events: list[FeedEvent] = []
        for bar in told.bars:
            if bar.close_ns > self._given_ns[name]:
                self._note(name, bar.close_ns, [bar])
                self._held.append((now_ns, BarClosed(name, bar, now_ns)))
            elif name in self._last and self._last[name].close_ns == bar.close_ns and self._last[name] != bar:
                self._last[name] = bar
                events.append(BarRevised(name, bar, now_ns))
        if self._lost or not all(self._known_ns.values()):
            return events
        return [*self._changed("connected"), *events]

    def _ready(self) -> list[BarClosed]:
        """Return the bars of moments that no other bar can come of, and those that have waited for long."""
        known_ns, now_ns = min(self._known_ns.values(), default=0), self.now_ns()
        ready = [each for heard_ns, each in self._held if each.bar.close_ns <= known_ns or now_ns - heard_ns > HOLD_NS]
        if not ready:
            return []
        latest = max(each.bar.close_ns for each in ready)
        chosen = [each for _, each in self._held if each.bar.close_ns <= latest]
        self._held = [(heard, each) for heard, each in self._held if each.bar.close_ns > latest]
        return sorted(chosen, key=lambda each: each.bar.close_ns)

    def _changed(self, state: FeedStatus, text: str = "") -> list[FeedEvent]:
        changed, self._state = state != self._state, state
        return [FeedState(state, self.now_ns(), text)] if changed else []
