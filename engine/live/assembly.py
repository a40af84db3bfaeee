"""BarAssembler: from a feed's bars, one by one, to what a strategy is given at one moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from quantcrafter.engine.api import Bar, BarClosed
from quantcrafter.engine.live.inputs import BarsClosed

GRACE_NS = 2_000_000_000
"""How long bars of some instruments wait for those of the others that should close with them."""


class BarAssembler:
    """Gathers bars that close at the same moment, and gives them in the order of their closes.

    With a clock of the feed's own, a moment is complete when that clock has reached it. Otherwise it is complete when
    all names have a bar that closes then or later, or after `GRACE_NS`.

    Args:
        names: the instruments and feeds that there are.
        instruments: those of them that are traded.
        own_clock: whether the feed has a clock of its own.
        after_ns: when the last bar that was used closed.

    `newest` is when the latest bar of each name closed.
    """

    def __init__(self, names: Collection[str], instruments: Collection[str], *, own_clock: bool, after_ns: int) -> None:
        self._instruments, self._own_clock = frozenset(instruments), own_clock
        self._moments: dict[int, dict[str, BarClosed]] = {}
        self.newest = dict.fromkeys(names, after_ns)
        self._given_ns = after_ns

    def add(self, event: BarClosed) -> bool:
        """Take a bar; return False if it comes too late: bars that closed then, or later, were given already."""
        closed = event.bar.close_ns
        if closed <= self._given_ns:
            return False
        self._moments.setdefault(closed, {})[event.name] = event
        self.newest[event.name] = max(self.newest[event.name], closed)
        return True

    def given(self, now_ns: int) -> Iterator[BarsClosed]:
        """Yield what is complete at a moment of the feed's clock, and forget it."""
        for moment in sorted(self._moments):
            if moment > self._complete_ns(now_ns):
                return
            events = self._moments.pop(moment)
            self._given_ns = moment
            bars: Mapping[str, Bar] = {name: each.bar for name, each in events.items()}
            last = tuple(name for name, each in events.items() if each.is_last and name in self._instruments)
            yield BarsClosed(bars, max(each.seen_ns for each in events.values()), last)

    def _complete_ns(self, now_ns: int) -> int:
        if self._own_clock:
            return now_ns
        return max(min(self.newest.values()), now_ns - GRACE_NS)
