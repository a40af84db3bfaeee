"""Bars of one exchange for all workers of a process: one thread asks, within the exchange's limits.

1. Each symbol and timeframe is asked for when its next bar should have closed, and at least once a minute. Workers that
   want the same bars share the requests.
2. Only bars that have closed by the exchange's clock are told. The last one is asked for again with the next, so that a
   correction is seen.
3. A request that fails is repeated, each time after a longer pause. After some failures those who wait are told that
   the connection is lost, and with the first answer that it is there again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from quantcrafter.engine.api import Bar, BarQuery, DataError, RawBars, Timeframe, TryAgainError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.download.ccxt_provider import CcxtDownloads
from quantcrafter.engine.trading_calendar.zones import DAY_NS

log = logging.getLogger("quantcrafter.feeds")

S = 1_000_000_000
ASK_EVERY_NS = 60 * S
"""How often it asks at least, so that a lost connection is noticed between the closes of long bars too."""

SETTLE_NS = S // 2
"""How long after the close of a bar it is asked for."""

GIVE_UP_NS = 10 * S
"""How long it asks for a bar that should have closed: an exchange leaves out bars without trades."""

LOST_AFTER = 3
"""After how many failures in a row a connection is told to be lost."""

_TICK_S = 0.05
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _OVERLOADED_S = 0.5, 30.0, 5.0
_JOIN_S = 30.0

Key = tuple[str, Timeframe]


@dataclass(frozen=True, slots=True)
class Told:
    """What a listener is told of a symbol and timeframe.

    `bars` are new or repeated ones, oldest first. Until `known_ns` no bar is to come any more. `is_lost` says that the
    connection is lost, `text` why.
    """

    bars: tuple[Bar, ...]
    known_ns: int
    is_lost: bool = False
    text: str = ""


Listener = Callable[[Told], None]


@dataclass
class Watched:
    """A symbol and timeframe, who listens, and when it is asked for next."""

    key: Key
    last_close_ns: int
    due_ns: int
    listeners: list[Listener] = field(default_factory=list)
    failures: int = 0
    is_lost: bool = False
    asked_ns: int = 0
    retry_s: float = 0.0
    known_ns: int = 0

    @property
    def length_ns(self) -> int:
        """How long its bars are about."""
        return self.key[1].nominal_ns


class ExchangeHub:
    """Asks one exchange for bars.

    Args:
        provider: what asks the exchange.
        now_ns: the computer's clock.
    """

    def __init__(self, provider: CcxtDownloads, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.provider, self.now_ns = provider, now_ns
        self._request = threading.Lock()  # ccxt counts requests without a lock of its own
        self._changed = threading.Condition()
        self._watched: dict[Key, Watched] = {}
        self._not_before_s = 0.0
        self._ended = False
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------ asking at once

    def bars(self, key: Key, after_ns: int, until_ns: int, most: int | None = None) -> list[Bar]:
        """Return the bars that closed after a moment and at another one or earlier; at most the latest `most`.

        Raises:
            TryAgainError: the exchange can't answer now.
            DataError: it refuses.
        """
        symbol, timeframe = key
        longest_ns = timeframe.nominal_ns + (DAY_NS * timeframe.count if timeframe.unit == "mo" else 0)
        start_ns: int | None = max(0, after_ns - longest_ns)
        found: dict[int, Bar] = {}
        while start_ns is not None and start_ns < until_ns:
            with self._request:
                page = self.provider.page(BarQuery(symbol, timeframe, start_ns, found=True))
            closed_ns = until_ns if page.served_ns is None else min(until_ns, page.served_ns)
            for bar in () if page.bars is None else _single(page.bars, timeframe):
                if after_ns < bar.close_ns <= closed_ns:
                    found[bar.close_ns] = bar
            start_ns = page.next_ns
        bars = [found[close_ns] for close_ns in sorted(found)]
        return bars if most is None else bars[max(0, len(bars) - most) :]

    def check(self, key: Key) -> None:
        """Check that the exchange has bars of a symbol and timeframe.

        Raises:
            TryAgainError: the exchange can't answer now.
            DataError: it has none.
        """
        symbol, timeframe = key
        with self._request:
            self.provider.listing(symbol, timeframe, ())
            frames = self.provider.timeframes()
        if timeframe not in frames:
            raise DataError(
                Message(
                    "{exchange} has no bars of {timeframe}. It has {frames}.",
                    exchange=self.provider.exchange,
                    timeframe=timeframe,
                    frames=", ".join(map(str, frames)),
                )
            )

    # ------------------------------------------------------------------ listening

    def listen(self, key: Key, after_ns: int, listener: Listener) -> None:
        """Tell a listener of the bars that close after a moment; it is called in the hub's thread."""
        with self._changed:
            found = self._watched.get(key)
            if found is None:
                found = self._watched[key] = Watched(key, after_ns, 0)
            found.listeners.append(listener)
            found.last_close_ns = min(found.last_close_ns, after_ns)
            found.due_ns = 0
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"ccxt-{self.provider.exchange}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def leave(self, key: Key, listener: Listener) -> None:
        """Tell a listener nothing more."""
        with self._changed:
            found = self._watched.get(key)
            if found is not None and listener in found.listeners:
                found.listeners.remove(listener)
                if not found.listeners:
                    del self._watched[key]

    def wake(self, key: Key) -> None:
        """Ask for a symbol and timeframe now: a bar has closed."""
        with self._changed:
            if key in self._watched:
                self._watched[key].due_ns = 0
                self._changed.notify_all()

    def keys(self) -> tuple[Key, ...]:
        """Return what is listened to."""
        with self._changed:
            return tuple(self._watched)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._ended:
                    return
                found = self._next_due()
                if found is None:
                    self._changed.wait(_TICK_S)
                    continue
            self._ask(found)

    def _next_due(self) -> Watched | None:
        now_ns = self.now_ns()
        if time.monotonic() < self._not_before_s:
            return None
        due = [each for each in self._watched.values() if self._is_due(each, now_ns)]
        return min(due, key=lambda each: each.due_ns, default=None)

    def _is_due(self, watched: Watched, now_ns: int) -> bool:
        if watched.retry_s:
            return time.monotonic() >= watched.retry_s
        return now_ns >= watched.due_ns or now_ns >= watched.asked_ns + ASK_EVERY_NS

    def _ask(self, watched: Watched) -> None:
        now_ns, length_ns = self.now_ns(), watched.length_ns
        since_ns = watched.last_close_ns - 1  # the last one again
        try:
            bars = self.bars(watched.key, since_ns, now_ns)
        except (TryAgainError, DataError) as error:
            self._failed(watched, error)
            return
        except Exception as error:  # ccxt stumbles over answers that it doesn't expect
            log.exception("The feed of %s %s failed", *watched.key)
            self._failed(watched, error)
            return
        with self._changed:
            watched.failures, watched.is_lost, watched.retry_s, watched.asked_ns = 0, False, 0.0, now_ns
            newest_ns = bars[-1].close_ns if bars else watched.last_close_ns
            watched.last_close_ns = max(watched.last_close_ns, newest_ns)
            next_ns = watched.last_close_ns + length_ns
            if now_ns < next_ns:
                watched.known_ns, watched.due_ns = next_ns - 1, next_ns + SETTLE_NS
            else:  # it should be there, and is not yet
                behind = (now_ns - watched.last_close_ns) // length_ns
                boundary_ns = watched.last_close_ns + behind * length_ns
                if now_ns - boundary_ns > GIVE_UP_NS:
                    watched.known_ns, watched.due_ns = boundary_ns + length_ns - 1, boundary_ns + length_ns + SETTLE_NS
                else:
                    watched.known_ns = boundary_ns - 1
                    watched.retry_s = time.monotonic() + _FIRST_PAUSE_S
            told, listeners = Told(tuple(bars), watched.known_ns), tuple(watched.listeners)
        for each in listeners:
            each(told)

    def _failed(self, watched: Watched, error: Exception) -> None:
        with self._changed:
            watched.failures += 1
            pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (watched.failures - 1))
            if isinstance(error, TryAgainError):
                pause_s = max(pause_s, error.after_s)
                if error.overloaded:
                    self._not_before_s = time.monotonic() + max(_OVERLOADED_S, error.after_s)
            watched.retry_s, watched.asked_ns = time.monotonic() + pause_s, self.now_ns()
            if watched.failures < LOST_AFTER or watched.is_lost:
                return
            watched.is_lost = True
            told = Told((), watched.known_ns, is_lost=True, text=str(error))
            listeners = tuple(watched.listeners)
        for each in listeners:
            each(told)


def _single(bars: RawBars, timeframe: Timeframe) -> list[Bar]:
    """Return the bars of a page one by one."""
    closes = bars.close_ns if bars.close_ns is not None else bars.time_ns + timeframe.nominal_ns
    rows = np.column_stack((bars.open, bars.high, bars.low, bars.close, bars.volume)).tolist()
    times = zip(bars.time_ns.tolist(), closes.tolist(), strict=True)
    return [Bar(opened, closed, *row) for (opened, closed), row in zip(times, rows, strict=True)]
