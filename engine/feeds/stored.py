"""`replay`: the bars that the strategy's file names, brought against a clock of its own, at any speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from quantcrafter.engine.api import Bar, Bars, FeedConnection, RunError, Subscription
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.feeds.clocked import ClockedConnection, ClockedFeed
from quantcrafter.engine.graph.history import bar_of


class StoredFeed(ClockedFeed):
    """Replays the bars that the strategy file names, such as `replay:60x` or `replay:max@2024-01-01..2024-06-30`.

    It has a clock of its own, which runs `speed` times as fast as ours, from 0.1x on; `max` brings bars as fast as they
    are used. `begin` and `end` are a day or a time in UTC: the bars before `begin` are known from the start. Without
    them it begins and ends as the backtest does.
    """

    name = "replay"
    replays = True

    def open(self, subscriptions: Sequence[Subscription], base_dir: str = "") -> FeedConnection:
        del base_dir
        return StoredConnection({each.name: _stored(each) for each in subscriptions}, self.factor)


def _stored(subscription: Subscription) -> Bars:
    if subscription.stored is None:
        raise RunError(
            Message(
                "The data of '{name}' can't be replayed: the strategy file names no stored bars. Use another feed.",
                name=subscription.name,
            )
        )
    return subscription.stored()


class StoredConnection(ClockedConnection):
    """Stored bars behind a clock.

    Args:
        bars: all bars by name.
        factor: how fast the clock runs.
        clock: our clock, in seconds; for tests.
        sleep: waits for some seconds; for tests.
    """

    def __init__(
        self,
        bars: dict[str, Bars],
        factor: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bars = bars
        self._next = dict.fromkeys(bars, 0)
        first = [int(each.open_ns[0]) for each in bars.values() if len(each)]
        super().__init__(bars, min(first, default=0), factor, clock=clock, sleep=sleep)

    def history(self, name: str, before_ns: int, count: int) -> Bars:
        bars = self._bars[name]
        end = int(np.searchsorted(bars.close_ns, before_ns, side="right"))
        return bars.slice(max(0, end - count), end)

    def missed(self, name: str, after_ns: int, until_ns: int) -> Sequence[Bar]:
        bars = self._bars[name]
        begin, end = (int(np.searchsorted(bars.close_ns, each, side="right")) for each in (after_ns, until_ns))
        return [bar_of(bars, number) for number in range(begin, end)]

    def close(self) -> None:
        super().close()
        self._bars = {}

    def _seek(self, at_ns: int) -> None:
        self._next = {
            name: int(np.searchsorted(each.close_ns, at_ns, side="right")) for name, each in self._bars.items()
        }

    def _next_close(self, name: str) -> int | None:
        bars, number = self._bars[name], self._next[name]
        return int(bars.close_ns[number]) if number < len(bars) else None

    def _take(self, name: str) -> tuple[Bar, bool]:
        bars, number = self._bars[name], self._next[name]
        self._next[name] += 1
        return bar_of(bars, number), number + 1 == len(bars)
