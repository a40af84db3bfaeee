"""The feed's side of a worker: from what a feed brings to the inputs of the core.

1. Bars are gathered by their closes (`BarAssembler`). Those that came before are ignored, unless they have other values
   now.
2. When a lost connection is back, and after a restart, the bars that were missed come first. Until they can be had the
   feed counts as lost.
3. Bars that should have come by now are overdue until they come (`BarWatch`); a feed with a clock of its own has none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from quantcrafter.engine.api import (
    Bar,
    BarClosed,
    BarRevised,
    Bars,
    DataError,
    FeedConnection,
    FeedState,
    Subscription,
    TryAgainError,
)
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.live.anchoring import history_count, ready_for_actions
from quantcrafter.engine.live.assembly import BarAssembler
from quantcrafter.engine.live.core import StrategyCore
from quantcrafter.engine.live.inputs import BarsOverdue, LiveInput
from quantcrafter.engine.live.overdue import BarWatch, ends_a_session

log = logging.getLogger("quantcrafter.live")


class FeedSide:
    """What a worker does with its feed.

    Args:
        key: the worker's key.
        connection: the feed.
        core: an open core.
        subscriptions: what the feed brings bars of.
        own_clock: whether the feed has a clock of its own.
    """

    def __init__(
        self,
        key: str,
        connection: FeedConnection,
        core: StrategyCore,
        subscriptions: Sequence[Subscription],
        *,
        own_clock: bool,
    ) -> None:
        self._key, self._connection, self._core, self._own_clock = key, connection, core, own_clock
        self.subscriptions, self._watch = tuple(subscriptions), BarWatch(subscriptions)
        self._gap: str | None = None
        symbols = [each.spec.symbol for each in core.graph.instruments]
        self._assembler = BarAssembler(
            core.session.names, symbols, own_clock=own_clock, after_ns=self._last_close(core.session.names)
        )

    def resume(self) -> None:
        """Ask for the bars that closed while the worker didn't run."""
        if not self._own_clock:
            self._gap = ""

    def inputs(self, timeout_s: float) -> Iterator[LiveInput]:
        """Yield what has come, waiting up to `timeout_s` seconds for it: bars before a loss that came with them."""
        events = self._connection.poll(timeout_s)
        states = [each for each in events if isinstance(each, FeedState)]
        yield from self._connected(states)
        if self._gap is not None:
            yield from self._fill_gap()
        for event in events:
            if isinstance(event, BarRevised):
                yield event
            elif isinstance(event, BarClosed) and (revised := self.add(event)):
                yield revised
        if not self._own_clock:
            yield from self._overdue()
        yield from self._assembler.given(self._connection.now_ns())
        for state in states:
            if state.state != "connected":
                self._gap = None
                yield state

    def _connected(self, states: Sequence[FeedState]) -> Iterator[LiveInput]:
        """Yield that a connection was made; one that is back waits for the bars that were missed."""
        for state in states:
            if state.state == "connected" and self._core.feed_state == "lost":
                self._gap = state.text
            elif state.state == "connected" and not self._core.feed_state:
                yield state

    def _overdue(self) -> Iterator[LiveInput]:
        """Yield which bars are overdue if that has changed; of a feed that is lost it is no news."""
        core, now_ns = self._core, self._connection.now_ns()
        if core.feed_state == "lost" and not core.gate.overdue:
            return
        names = self._watch.overdue(self._assembler.newest, now_ns)
        if names != core.gate.overdue:
            yield BarsOverdue(names, now_ns)

    def _fill_gap(self) -> Iterator[LiveInput]:
        """Take the bars that were missed; if they can't be had, the feed is lost until they can."""
        connection, core = self._connection, self._core
        now_ns, after_ns = connection.now_ns(), self._last_close(core.session.names)
        try:
            missed = [(name, bar) for name in core.session.names for bar in connection.missed(name, after_ns, now_ns)]
        except TryAgainError as error:
            if core.feed_state != "lost":
                yield FeedState("lost", now_ns, str(error))
            return
        if core.feed_state == "lost":
            yield FeedState("connected", now_ns, self._gap or "")
        self._gap = None
        for name, bar in missed:
            self.add(BarClosed(name, bar, now_ns))

    def is_between_sessions(self) -> bool:
        """Return whether the latest bar of every instrument is the last of its trading session."""
        closes = self._assembler.newest
        symbols = {each.spec.symbol for each in self._core.graph.instruments}
        known = [each for each in self.subscriptions if each.name in symbols]
        return all(ends_a_session(each.session, closes[each.name]) for each in known if closes[each.name] > 0)

    def histories(self) -> dict[str, Bars] | None:
        """Return the bars up to now as the feed has them now; None if it can't say, or they don't fit."""
        if self._core.feed_state == "lost":
            return None
        session, count = self._core.session, history_count(self._core.graph)
        found = {}
        try:
            for name in session.names:
                had = session.bars(name)
                found[name] = bars = self._connection.history(name, int(had.close_ns[-1]), count)
                if len(bars) < min(count, len(had)) or bars.close_ns[-1] != had.close_ns[-1]:
                    log.warning("Worker %s: the feed has other bars of %s now, which don't fit", self._key, name)
                    return None
        except (TryAgainError, DataError, IndexError) as error:
            log.warning("Worker %s: the bars can't be loaded again: %s", self._key, error)
            return None
        return ready_for_actions(self._core.graph, found)

    def add(self, event: BarClosed) -> BarRevised | None:
        """Take a bar; of one that was used already, return the revision if it has other values now."""
        if self._assembler.add(event):
            return None
        had = self.bar_closing(event.name, event.bar.close_ns)
        if had is None:
            log.warning("Worker %s: a bar of %s came too late and is not used: %s", self._key, event.name, event.bar)
        if had is None or had == event.bar:
            return None
        return BarRevised(event.name, event.bar, event.seen_ns)

    def bar_closing(self, name: str, close_ns: int) -> Bar | None:
        """Return the bar of a name that closed at a moment; None if there is none."""
        bars: Bars = self._core.session.bars(name)
        number = int(bars.close_ns.searchsorted(close_ns))
        return bar_of(bars, number) if number < len(bars) and bars.close_ns[number] == close_ns else None

    def _last_close(self, names: Sequence[str]) -> int:
        closes = [int(bars.close_ns[-1]) for name in names if len(bars := self._core.session.bars(name))]
        return max(closes, default=-(2**62))
