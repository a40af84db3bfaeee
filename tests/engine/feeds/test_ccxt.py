"""Bars of an exchange as they close, from a server on loopback that answers as Binance does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from quantcrafter.engine.api import BarClosed, BarRevised, DataError, FeedEvent, FeedState, Subscription, Timeframe
from quantcrafter.engine.data.download.moved_urls import moved_urls
from quantcrafter.engine.feeds.ccxt import HUBS, CcxtConnection, CcxtFeed
from quantcrafter.engine.feeds.ccxt_hub import ExchangeHub
from quantcrafter.engine.feeds.ccxt_stream import ExchangeStream
from tests.support.exchange_server import Row, Server, dropped, running_server, too_many, unavailable
from tests.support.fed_worker import assert_fills_as_in_backtest, fed_graph, paper, seen_by
from tests.support.live_cases import STOPPED, abandon

MINUTE_MS = 60_000
START_MS = 1_704_067_200_000  # 2024-01-01
KNOWN = 300
TEXT = (
    STOPPED.replace("timeframe: 1d", "timeframe: 1m")
    .replace("symbol: ONE", "symbol: BTC/USDT")
    .replace("percent: 2}", "percent: 0.2}")
)


def waves(count: int) -> list[Row]:
    """Return minutes whose prices go up and down."""
    made = []
    for number in range(count):
        first, last = (100 + ((each * 7919) % 97) / 50 + (each % 23) / 10 for each in (number, number + 1))
        high, low = max(first, last) + 0.05, min(first, last) - 0.05
        opened_ms = START_MS + number * MINUTE_MS
        made.append((opened_ms, round(first, 2), round(high, 2), round(low, 2), round(last, 2), 5.0))
    return made


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Minutes of two symbols; its clock, which is ours too, stands shortly after the close of the last known one."""
    rows = waves(2_000)
    with running_server(START_MS + KNOWN * MINUTE_MS + 1_000, BTCUSDT=rows, ETHUSDT=rows[:]) as running:
        monkeypatch.setattr(HUBS, "clock", lambda: running.now_ms * 1_000_000)
        monkeypatch.setattr("quantcrafter.engine.feeds.ccxt_hub._FIRST_PAUSE_S", 0.02)
        monkeypatch.setattr("quantcrafter.engine.feeds.ccxt_hub._OVERLOADED_S", 0.02)
        monkeypatch.setattr("quantcrafter.engine.feeds.ccxt.PAUSES_S", (0.02,))
        yield running


def feed_of(server: Server) -> CcxtFeed:
    return CcxtFeed(exchange="binance", url=server.url, stream=False)


@contextmanager
def opened(server: Server, *symbols: str, timeframe: str = "1m") -> Iterator[CcxtConnection]:
    wanted = [Subscription(each, each, Timeframe.parse(timeframe)) for each in symbols or ("BTC/USDT",)]
    made = feed_of(server).open(wanted)
    assert isinstance(made, CcxtConnection)
    try:
        yield made
    finally:
        made.close()


def until(feed: CcxtConnection, found: Callable[[list[FeedEvent]], bool]) -> list[FeedEvent]:
    """Poll until what has come is enough, and return it."""
    events: list[FeedEvent] = []
    end = time.monotonic() + 60
    while not found(events):
        assert time.monotonic() < end, events
        events += feed.poll(0.05)
    return events


def closes(events: list[FeedEvent], name: str = "BTC/USDT") -> list[int]:
    """Return the numbers of the bars that have closed."""
    found = [each.bar.close_ns for each in events if isinstance(each, BarClosed) and each.name == name]
    return [(each // 1_000_000 - START_MS) // MINUTE_MS for each in found]


def states(events: list[FeedEvent]) -> list[str]:
    return [each.state for each in events if isinstance(each, FeedState)]


def test_only_closed_bars_come_and_each_once(server: Server) -> None:
    with opened(server) as feed:
        known = feed.history("BTC/USDT", feed.now_ns(), 200)
        assert len(known) == 200
        assert known.close_ns[-1] == (START_MS + KNOWN * MINUTE_MS) * 1_000_000
        assert known.open[-1] == server.rows["BTCUSDT"][KNOWN - 1][1]
        assert states(until(feed, bool)) == ["connected"]
        server.now_ms += 59_000  # half a bar is not used
        server.now_ms += 3 * MINUTE_MS
        assert closes(until(feed, lambda found: len(closes(found)) >= 4)) == [301, 302, 303, 304]
        assert feed.poll(0.3) == []


def test_bars_of_two_symbols_come_together(server: Server) -> None:
    with opened(server, "BTC/USDT", "ETH/USDT") as feed:
        for name in ("BTC/USDT", "ETH/USDT"):
            assert len(feed.history(name, feed.now_ns(), 10)) == 10
        until(feed, lambda found: "connected" in states(found))
        for number in range(301, 306):
            server.now_ms += MINUTE_MS
            together: list[FeedEvent] = []
            while not together:
                together = list(feed.poll(0.05))
            assert closes(together) == closes(together, "ETH/USDT") == [number]


def test_a_lost_connection_is_told_and_what_was_missed_comes_afterwards(server: Server) -> None:
    with opened(server) as feed:
        feed.history("BTC/USDT", feed.now_ns(), 10)
        until(feed, lambda found: "connected" in states(found))
        server.faults = [too_many(), dropped]  # passes, and is not told
        server.now_ms += MINUTE_MS
        assert states(until(feed, lambda found: closes(found) == [301])) == []
        assert server.faults == []
        server.faults = [dropped, unavailable, dropped, dropped, unavailable]
        server.now_ms += 5 * MINUTE_MS
        events = until(feed, lambda found: len(closes(found)) >= 5)
        assert states(events) == ["lost", "connected"]
        assert closes(events) == [302, 303, 304, 305, 306]
        missed = feed.missed("BTC/USDT", (START_MS + 303 * MINUTE_MS) * 1_000_000, feed.now_ns())
        assert len(missed) == 3


def test_a_bar_that_is_corrected_later_is_revised(server: Server) -> None:
    with opened(server) as feed:
        feed.history("BTC/USDT", feed.now_ns(), 10)
        until(feed, lambda found: "connected" in states(found))
        opening, first, high, low, last, _ = server.rows["BTCUSDT"][KNOWN - 1]
        server.rows["BTCUSDT"][KNOWN - 1] = (opening, first, high, low, last, 6.0)
        server.now_ms += MINUTE_MS
        events = until(feed, lambda found: bool(closes(found)))
        revised = [each for each in events if isinstance(each, BarRevised)]
        assert [each.bar.volume for each in revised] == [6.0]


def test_bars_without_trades_are_left_out(server: Server) -> None:
    with opened(server) as feed:
        feed.history("BTC/USDT", feed.now_ns(), 10)
        until(feed, lambda found: "connected" in states(found))
        del server.rows["BTCUSDT"][KNOWN : KNOWN + 3]
        server.now_ms += 3 * MINUTE_MS
        assert feed.poll(0.3) == []
        server.now_ms += 2 * MINUTE_MS
        assert closes(until(feed, lambda found: len(closes(found)) == 2)) == [304, 305]


@pytest.mark.parametrize(
    ("exchange", "symbol", "timeframe", "text"),
    [
        ("nowhere", "BTC/USDT", "1m", "no exchange 'nowhere'"),
        ("binance", "BTC/EUR", "1m", "no symbol 'BTC/EUR'"),
        ("binance", "BTC/USDT", "7m", "has no bars of 7m"),
    ],
)
def test_what_an_exchange_does_not_have_is_refused(
    server: Server, exchange: str, symbol: str, timeframe: str, text: str
) -> None:
    feed = CcxtFeed.from_place(f"{exchange},stream=false,url={server.url}")
    with pytest.raises(DataError, match=text):
        feed.open([Subscription(symbol, symbol, Timeframe.parse(timeframe))])
    assert not [each for each in threading.enumerate() if each.name.startswith("ccxt-")]


def test_workers_share_the_requests_and_the_last_one_ends_the_thread(server: Server) -> None:
    with opened(server) as one, opened(server) as two:
        for each in (one, two):
            each.history("BTC/USDT", each.now_ns(), 10)
            until(each, lambda found: "connected" in states(found))
        before = len(server.pages)
        server.now_ms += MINUTE_MS
        for each in (one, two):
            assert closes(until(each, lambda found: bool(closes(found)))) == [301]
        assert len(server.pages) == before + 1
    assert not [each for each in threading.enumerate() if each.name.startswith("ccxt-")]


@pytest.mark.logs_errors
def test_a_worker_has_the_books_of_a_backtest_through_faults_and_a_kill(server: Server, tmp_path: Path) -> None:
    graph, end = fed_graph(TEXT), time.monotonic() + 60

    def up_to(number: int) -> None:
        while worker.core.session.steps < number - KNOWN:
            assert time.monotonic() < end
            worker.step(0.05)

    worker = paper(graph, feed_of(server), tmp_path / "worker")
    worker.start()
    up_to(KNOWN)
    for number in range(KNOWN + 20, KNOWN + 280, 20):
        server.now_ms = START_MS + number * MINUTE_MS + 1_000
        if number % 60 == 20:
            server.faults = [dropped, unavailable, dropped, too_many()]
        if number in (KNOWN + 80, KNOWN + 160):
            worker._feed.close()  # type: ignore[union-attr] # its threads would go on
            abandon(worker)
            worker = paper(graph, feed_of(server), tmp_path / "worker")
            worker.start()
        up_to(number)
    assert [each[1] for each in server.rows["BTCUSDT"][: KNOWN + 260]][-1] == seen_by(worker)["BTC/USDT"].open[-1]
    assert len(seen_by(worker)["BTC/USDT"]) == KNOWN + 260
    assert assert_fills_as_in_backtest(worker, TEXT) > 10
    worker.close()


# -------------------------------------------------------------------------------------------------------------- streams


@contextmanager
def streaming(rows: list[list[Any]]) -> Iterator[str]:
    """Run a stream as Binance's, which sends these minutes, then nothing any more."""
    loop, ready, end = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    port = 0

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT or "SUBSCRIBE" not in message.data:
                continue
            await socket.send_json({"result": None, "id": message.json()["id"]})
            for opened_ms, price in rows:
                bar = {"t": opened_ms, "s": "BTCUSDT", "i": "1m", "x": False, "v": "1"}
                bar |= dict.fromkeys("ohlc", str(price))
                await socket.send_json({"e": "kline", "E": opened_ms, "s": "BTCUSDT", "k": bar})
                await asyncio.sleep(0.02)
        return socket

    async def serve() -> None:
        nonlocal port
        app = web.Application()
        app.router.add_get("/{rest:.*}", stream)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        ready.set()
        await end.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(60)
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(60)
        loop.close()


def test_a_stream_wakes_its_hub_when_a_bar_begins(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    woken = threading.Event()
    key = ("BTC/USDT", Timeframe(1, "m"))
    monkeypatch.setattr(ExchangeHub, "wake", lambda _self, each: woken.set() if each == key else None)
    monkeypatch.setattr(ExchangeHub, "keys", lambda _self: (key,))
    real = moved_urls

    def moved(urls: Any, to: str, hostname: str | None) -> Any:
        """Ask the server of bars for everything but the stream."""
        if not isinstance(urls, dict) or "ws" not in urls:
            return real(urls, to, hostname)
        return real(urls, server.url, hostname) | {"ws": real(urls["ws"], to, hostname)}

    monkeypatch.setattr("quantcrafter.engine.feeds.ccxt_stream.moved_urls", moved)
    with streaming([[START_MS, 100], [START_MS, 101], [START_MS + MINUTE_MS, 102]]) as url, opened(server) as feed:
        stream = ExchangeStream.of("binance", url, feed._hub)
        assert stream is not None
        try:
            assert woken.wait(60)
        finally:
            stream.close()


def test_addresses_of_streams_stay_such() -> None:
    urls = {"public": "https://api.x.com/api/v3", "ws": {"spot": "wss://s.x.com:9443/ws"}}
    assert moved_urls(urls, "http://127.0.0.1:8", None) == {
        "public": "http://127.0.0.1:8/api/v3",
        "ws": {"spot": "ws://127.0.0.1:8/ws"},
    }
