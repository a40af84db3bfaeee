"""Bars from the prices of a gateway, as they come: a bar closes with the first price after it, or by the clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantcrafter.engine.api import Bar, Subscription
from quantcrafter.engine.data.resample_slots import slots

GRACE_NS = 1_000_000_000
"""How long after its end a bar waits for its last prices."""


@dataclass
class _Open:
    """A bar under way."""

    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0


class TickBars:
    """Makes the bars of one subscription.

    A bar that was under way when the prices began, or began again, is left out: its first prices are not known.

    Args:
        subscription: how long the bars are, and when there are any.
        since_ns: from when on prices are known.
    """

    def __init__(self, subscription: Subscription, since_ns: int) -> None:
        self._wanted, self._since_ns = subscription, since_ns
        self._span = (0, 0)
        self._bar: _Open | None = None
        self._closed_ns = -(2**62)
        self._total: float | None = None
        self.left_out_ns: int | None = None
        """Up to when bars may be missing; None if none are."""

    def interrupt(self, now_ns: int) -> None:
        """Note that prices are unknown up to now."""
        self._since_ns, self._total = now_ns, None
        self.left_out_ns = now_ns if self._bar is None else max(now_ns, self._span[1])
        self._bar = None

    def add(self, time_ns: int, price: float, total: float) -> Bar | None:
        """Take a price with the volume of the day so far; return the bar that it closes."""
        done = self.due(time_ns, 0)
        if not self._span[0] <= time_ns < self._span[1]:
            self._span = self._slot(time_ns)
        traded = 0.0 if self._total is None or total < self._total else total - self._total
        self._total = total
        if time_ns < self._closed_ns or self._span[1] == 0:
            return done
        if self._span[0] < self._since_ns:
            self.left_out_ns = self._span[1]
            return done
        if self._bar is None:
            self._bar = _Open(price, price, price, price)
        bar = self._bar
        bar.high, bar.low, bar.close = max(bar.high, price), min(bar.low, price), price
        bar.volume += traded
        return done

    def due(self, now_ns: int, grace_ns: int = GRACE_NS) -> Bar | None:
        """Return the bar whose time is over."""
        if self._bar is None or now_ns < self._span[1] + grace_ns:
            return None
        bar, self._bar = self._bar, None
        self._closed_ns = self._span[1]
        return Bar(*self._span, bar.open, bar.high, bar.low, bar.close, bar.volume)

    def is_open(self, now_ns: int) -> bool:
        """Return whether the market is open."""
        return self._slot(now_ns)[1] > 0

    def _slot(self, time_ns: int) -> tuple[int, int]:
        """Return the bar that a moment belongs to; (0, 0) outside the session."""
        found = slots(np.array([time_ns]), self._wanted.timeframe, self._wanted.session)
        return (int(found.start_ns[0]), int(found.end_ns[0])) if found.inside[0] else (0, 0)
