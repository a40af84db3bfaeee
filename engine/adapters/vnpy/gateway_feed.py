"""`vnpy`: bars made of the prices of a gateway of vnpy.

1. Bars before the start, and those that were missed, come from the gateway if it has a history, else from the data that
   the strategy file names, as far as that reaches.
2. A bar whose first prices are not known is left out; it comes from the history, if there is one.
3. The feed is lost when the gateway says so, and when no price came for a while although the market is open.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import Field, field_validator

from quantcrafter.engine.adapters.vnpy.gateway_broker import close_session, open_session
from quantcrafter.engine.adapters.vnpy.gateway_options import checked_gateway, settings_beside
from quantcrafter.engine.adapters.vnpy.tick_bars import TickBars
from quantcrafter.engine.api import (
    Bar,
    BarClosed,
    Bars,
    DataError,
    Feed,
    FeedConnection,
    FeedEvent,
    FeedState,
    FeedStatus,
    Subscription,
    Timeframe,
    TryAgainError,
    bars_from,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.place import place_and_options
from quantcrafter.engine.data.resample import is_multiple, resample
from quantcrafter.engine.graph.history import bar_of

if TYPE_CHECKING:
    from quantcrafter.engine.adapters.vnpy.gateway_session import GatewaySession

MOST_HISTORY = 20_000
"""How many bars before its beginning it asks for at most."""

_NS = 1_000_000_000
_LOOK_S = 0.1
_LENGTHS = {"1m": "MINUTE", "1h": "HOUR", "1d": "DAILY"}


class VnpyFeed(Feed):
    """Bars of a gateway of vnpy, such as `vnpy:vnpy_ctp.CtpGateway,settings=ctp.json` or `vnpy:simulated`.

    Symbols are those of vnpy, such as rb2510.SHFE. Bars are made of prices as they come. A broker with the same gateway
    and settings shares its connection.
    """

    name = "vnpy"
    place = "gateway"
    changeable: ClassVar[tuple[str, ...]] = ("silence_s",)

    gateway: str = Field(description="`simulated`, or a class in a package of vnpy.")
    settings: str = Field("", description="A JSON file with the settings of the gateway.")
    silence_s: float = Field(60.0, gt=0, description="After how many seconds without a price the feed is lost.")

    @field_validator("gateway")
    @classmethod
    def _check_gateway(cls, text: str) -> str:
        return checked_gateway(text)

    @classmethod
    def from_place(cls, text: str) -> Self:
        gateway, options = place_and_options(text)
        return cls.model_validate({"gateway": gateway} | options)

    def beside(self, folder: str) -> Self:
        return self.model_copy(update={"settings": settings_beside(self.settings, folder)})

    def open(self, subscriptions: Sequence[Subscription], base_dir: str = "") -> FeedConnection:
        del base_dir
        session = open_session(self.gateway, self.settings)
        try:
            for each in subscriptions:
                _check_contract(session, self.gateway, each.symbol)
            return GatewayFeedConnection(self, session, subscriptions)
        except BaseException:
            close_session(self.gateway, self.settings)
            raise


def _check_contract(session: GatewaySession, gateway: str, symbol: str) -> None:
    if session.contract(symbol) is None:
        raise DataError(
            Message(
                "The gateway '{gateway}' has no contract '{symbol}'. Symbols are written as rb2510.SHFE.",
                gateway=gateway,
                symbol=symbol,
            ),
            field="symbol",
        )


class GatewayFeedConnection(FeedConnection):
    """The prices of some symbols of a gateway, as bars.

    Args:
        feed: whose session it is.
        session: the connected gateway.
        subscriptions: what there are bars of.
    """

    def __init__(self, feed: VnpyFeed, session: GatewaySession, subscriptions: Sequence[Subscription]) -> None:
        from vnpy.trader.object import SubscribeRequest
        from vnpy.trader.utility import extract_vt_symbol

        self._feed, self._session = feed, session
        self._subscriptions = {each.name: each for each in subscriptions}
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        now_ns = session.now_ns()
        self._makers = {each.name: TickBars(each, now_ns) for each in subscriptions}
        self._given_ns = dict.fromkeys(self._subscriptions, -(2**62))
        self._heard_s = time.monotonic()
        self._state: FeedStatus | None = None
        session.listen(self)
        for symbol in dict.fromkeys(each.symbol for each in subscriptions):
            name, exchange = extract_vt_symbol(symbol)
            session.gateway.subscribe(SubscribeRequest(name, exchange))

    # ------------------------------------------------------------------ the contract

    def history(self, name: str, before_ns: int, count: int) -> Bars:
        wanted = self._subscriptions[name]
        most = min(count, MOST_HISTORY)
        found = self._stored(name, before_ns)
        if self._has_history(name) and most:
            span_ns = most * wanted.timeframe.nominal_ns
            for _ in range(4):  # nights, weekends and holidays have no bars
                found = self._asked(name, before_ns - span_ns, before_ns)
                if len(found) >= most:
                    break
                span_ns *= 2
        found = found.slice(max(0, len(found) - most), len(found))
        self._note(name, found.close_ns[-1:].tolist())
        return found

    def missed(self, name: str, after_ns: int, until_ns: int) -> Sequence[Bar]:
        bars = self._asked(name, after_ns, until_ns) if self._has_history(name) else self._stored(name, until_ns)
        begin = int(np.searchsorted(bars.close_ns, after_ns, side="right"))
        self._note(name, bars.close_ns[-1:].tolist())
        return [bar_of(bars, number) for number in range(begin, len(bars))]

    def poll(self, timeout_s: float) -> Sequence[FeedEvent]:
        until = time.monotonic() + timeout_s
        while True:
            events = self._new(max(0.0, min(_LOOK_S, until - time.monotonic())))
            if events or time.monotonic() >= until or not self._subscriptions:
                return events

    def now_ns(self) -> int:
        return self._session.now_ns()

    def close(self) -> None:
        if not self._subscriptions:
            return
        self._subscriptions = {}
        self._session.leave(self)
        close_session(self._feed.gateway, self._feed.settings)

    # ------------------------------------------------------------------ events of the gateway

    def on_event(self, kind: str, data: Any) -> None:
        """Keep a price."""
        if kind.startswith("eTick"):
            self._queue.put(data)

    def on_state(self, state: str, text: str) -> None:
        """Keep that the connection is lost, or there again."""
        self._queue.put((state, text))

    def _new(self, timeout_s: float) -> list[FeedEvent]:
        events: list[FeedEvent] = []
        try:
            item = self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
            while True:
                events += self._taken(item)
                item = self._queue.get_nowait()
        except queue.Empty:
            pass
        now_ns = self.now_ns()
        for name, maker in self._makers.items():
            events += self._closed(name, maker.due(now_ns))
            events += self._left_out(name, now_ns)
        return [*events, *self._silence(now_ns)]

    def _taken(self, item: Any) -> list[FeedEvent]:
        if isinstance(item, tuple):
            state, text = item
            return self._lost(text) if state == "lost" else []  # it is there again with the next price
        self._heard_s = time.monotonic()
        time_ns = round(item.datetime.timestamp() * 1e6) * 1_000
        if self._state == "lost":
            for each in self._makers.values():
                each.interrupt(time_ns)
        events = self._changed("connected")
        for name, wanted in self._subscriptions.items():
            if wanted.symbol == item.vt_symbol:
                events += self._closed(
                    name, self._makers[name].add(time_ns, float(item.last_price), float(item.volume))
                )
        return events

    def _closed(self, name: str, bar: Bar | None) -> list[FeedEvent]:
        """Return a bar that has closed, after those that were left out before it."""
        if bar is None:
            return []
        return [*self._left_out(name, bar.open_ns), *self._new_bar(name, bar)]

    def _new_bar(self, name: str, bar: Bar) -> list[FeedEvent]:
        if bar.close_ns <= self._given_ns[name]:
            return []
        self._note(name, [bar.close_ns])
        return [BarClosed(name, bar, max(self.now_ns(), bar.close_ns))]

    def _left_out(self, name: str, until_ns: int) -> list[FeedEvent]:
        """Return the bars up to a moment that were left out, from the history of the gateway."""
        maker = self._makers[name]
        end_ns = maker.left_out_ns
        if end_ns is None or until_ns < end_ns or not self._has_history(name) or self._session.is_lost:
            return []
        maker.left_out_ns = None
        since_ns = self._given_ns[name] if self._given_ns[name] > 0 else end_ns - 1
        bars = self._asked(name, since_ns, until_ns)
        return [event for number in range(len(bars)) for event in self._new_bar(name, bar_of(bars, number))]

    def _silence(self, now_ns: int) -> list[FeedEvent]:
        if time.monotonic() - self._heard_s < self._feed.silence_s:
            return []
        if not any(each.is_open(now_ns) for each in self._makers.values()):
            return []
        text = Message("no price for {seconds:g} seconds", seconds=self._feed.silence_s)
        return self._lost(text)

    def _lost(self, text: str) -> list[FeedEvent]:
        for each in self._makers.values():
            each.interrupt(self.now_ns())
        return self._changed("lost", text)

    def _changed(self, state: FeedStatus, text: str = "") -> list[FeedEvent]:
        changed, self._state = state != self._state, state
        return [FeedState(state, self.now_ns(), text)] if changed else []

    def _note(self, name: str, closes: Sequence[int]) -> None:
        self._given_ns[name] = max(self._given_ns[name], *closes, -(2**62))

    # ------------------------------------------------------------------ bars of before

    def _has_history(self, name: str) -> bool:
        contract = self._session.contract(self._subscriptions[name].symbol, 0.0)
        return contract is not None and bool(contract.history_data)

    def _stored(self, name: str, until_ns: int) -> Bars:
        """Return the bars that the strategy file names, as far as they reach."""
        wanted = self._subscriptions[name]
        bars = bars_from(wanted, []) if wanted.stored is None else wanted.stored()
        return bars.slice(0, int(np.searchsorted(bars.close_ns, until_ns, side="right")))

    def _asked(self, name: str, after_ns: int, until_ns: int) -> Bars:
        """Return the bars of the gateway that closed after a moment, and at another one or earlier."""
        from vnpy.trader.constant import Interval
        from vnpy.trader.object import HistoryRequest
        from vnpy.trader.utility import extract_vt_symbol

        if self._session.is_lost:
            raise TryAgainError(self._session.last_log)
        wanted = self._subscriptions[name]
        length = max(
            (each for each in map(Timeframe.parse, _LENGTHS) if is_multiple(each, wanted.timeframe)),
            key=lambda each: each.nominal_ns,
            default=None,
        )
        if length is None:
            return bars_from(wanted, [])
        symbol, exchange = extract_vt_symbol(wanted.symbol)
        begin_ns = after_ns - 2 * wanted.timeframe.nominal_ns
        request = HistoryRequest(
            symbol, exchange, _moment(begin_ns), _moment(until_ns), Interval[_LENGTHS[str(length)]]
        )
        rows = self._session.gateway.query_history(request) or []
        opens = [round(each.datetime.timestamp()) * _NS for each in rows]
        bars = [
            Bar(
                opened,
                opened + length.nominal_ns,
                float(each.open_price),
                float(each.high_price),
                float(each.low_price),
                float(each.close_price),
                float(each.volume),
            )
            for opened, each in zip(opens, rows, strict=True)
        ]
        source = Subscription(name, wanted.symbol, length, wanted.session)
        made = resample(bars_from(source, bars, f"vnpy:{self._feed.gateway}"), wanted.timeframe)
        begin, end = np.searchsorted(made.close_ns, (after_ns, until_ns), side="right").tolist()
        return made.slice(begin, end)


def _moment(time_ns: int) -> datetime:
    return datetime.fromtimestamp(max(0, time_ns) / _NS, UTC)
