"""An exchange's stream of bars, which tells a hub when a bar has closed.

A stream shows the bar that is under way. The first row of the next bar means that the one before has closed; its final
values are then asked for. A thread with an event loop runs it, as ccxt's streams are coroutines.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import threading
from typing import TYPE_CHECKING, Any, Self

from quantcrafter.engine.api import Timeframe
from quantcrafter.engine.data.download.moved_urls import moved_urls

if TYPE_CHECKING:
    from quantcrafter.engine.feeds.ccxt_hub import ExchangeHub, Key

log = logging.getLogger("quantcrafter.feeds")

_LOOK_S = 0.2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_JOIN_S = 15.0


class ExchangeStream:
    """The stream of one exchange.

    Args:
        exchange: the exchange's name in ccxt.
        url: a server in place of the exchange's, or ''.
        hub: what is woken up.
    """

    def __init__(self, exchange: str, url: str, hub: ExchangeHub) -> None:
        self._exchange, self._url, self._hub = exchange, url, hub
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ccxt-stream-{exchange}", daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, exchange: str, url: str, hub: ExchangeHub) -> Self | None:
        """Return the stream of an exchange; None if it has none."""
        import ccxt.pro

        if exchange not in ccxt.pro.exchanges:
            return None
        api = vars(importlib.import_module(f"ccxt.pro.{exchange}"))[exchange]
        return cls(exchange, url, hub) if api().has.get("watchOHLCV") else None

    def close(self) -> None:
        """End the stream."""
        self._ending.set()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._follow_all())
        except Exception:
            log.exception("The stream of %s ended; bars are asked for by the clock", self._exchange)

    async def _follow_all(self) -> None:
        api = vars(importlib.import_module(f"ccxt.pro.{self._exchange}"))[self._exchange](
            {"enableRateLimit": True, "requests_trust_env": True, "aiohttp_trust_env": True}
        )
        if self._url:
            api.urls["api"] = moved_urls(api.urls["api"], self._url, api.hostname)
        tasks: dict[Key, asyncio.Task[None]] = {}
        try:
            while not self._ending.is_set():
                wanted = set(self._hub.keys())
                for key in wanted - set(tasks):
                    tasks[key] = asyncio.create_task(self._follow(api, key))
                for key in set(tasks) - wanted:
                    tasks.pop(key).cancel()
                await asyncio.sleep(_LOOK_S)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            with contextlib.suppress(Exception):
                await api.close()

    async def _follow(self, api: Any, key: Key) -> None:
        """Wake the hub for each bar that begins."""
        symbol, timeframe = key
        began_ms, pause_s = None, _FIRST_PAUSE_S
        while True:
            try:
                rows = await api.watch_ohlcv(symbol, _name_of(api, timeframe))
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, asking by the clock goes on
                log.info("The stream of %s %s is interrupted: %s", symbol, timeframe, error)
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
                continue
            pause_s = _FIRST_PAUSE_S
            newest_ms = int(rows[-1][0]) if rows else began_ms
            if began_ms is not None and newest_ms is not None and newest_ms > began_ms:
                self._hub.wake(key)
            began_ms = newest_ms


def _name_of(api: Any, timeframe: Timeframe) -> str:
    """Return the exchange's name of a timeframe."""
    text = str(timeframe).replace("mo", "M")
    return text if text in (api.timeframes or {}) else next(iter(api.timeframes))
