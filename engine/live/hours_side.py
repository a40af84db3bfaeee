"""The schedule's side of a worker: from what a schedule says of a moment to the inputs of the core.

1. Before each bar the worker notes whether the hours of its schedule allow entries on it, if that has changed.
2. When positions are to be closed before a session ends, it is told to `flatten`; with the first bar of the next
   session it is told to `resume`. The gate knows whether that may end what holds then (`EntryGate`).
3. With a feed that has a clock of its own, all of this depends on the bars' own times: the inputs are the same at any
   speed, and after a kill. With other feeds positions are closed by the clock, also while no bar comes.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Protocol

from quantcrafter.engine.live.core import StrategyCore
from quantcrafter.engine.live.inputs import SCHEDULE, BarsClosed, LiveInput, ScheduleHours, UserCommand

log = logging.getLogger("quantcrafter.live")


@dataclass(frozen=True, slots=True)
class HoursNow:
    """What a schedule says of a moment; times are UTC nanoseconds.

    `is_open` says whether a session is open, and not in its last minutes in which positions are closed. `closed_ns` is
    since when none is, None if that is not known. `flat_ns` is since when positions are to be closed, None if they
    needn't be.
    """

    is_open: bool
    closed_ns: int | None = None
    flat_ns: int | None = None


class WorkerHours(Protocol):
    """The hours of a strategy's schedule."""

    def now_ns(self) -> int:
        """Return the computer's time (UTC nanoseconds), by which workers are started and closed."""

    def at(self, now_ns: int) -> HoursNow:
        """Return what holds at a moment (UTC nanoseconds)."""

    def allows(self, given: BarsClosed) -> bool:
        """Return whether entries may be decided on bars that have closed."""


class HoursSide:
    """What a worker does by its schedule.

    Args:
        key: the worker's key.
        hours: the hours of its schedule.
        core: an open core.
        own_clock: whether the feed has a clock of its own.
    """

    def __init__(self, key: str, hours: WorkerHours, core: StrategyCore, *, own_clock: bool) -> None:
        self._key, self._hours, self._core, self._own_clock = key, hours, core, own_clock
        self._symbols = frozenset(each.spec.symbol for each in core.graph.instruments)
        self._gate = core.gate
        self._begin_ns = 0 if core.anchor is None else min(core.anchor.ts_ns, core.now_ns)
        self._flattened_ns = core.gate.flattened_ns
        self._was_flat = self._flattened_ns is not None

    def inputs(self, given: Sequence[LiveInput], feed_ns: int) -> Iterator[LiveInput]:
        """Yield what has come, with what the schedule has to say before and after it; `feed_ns` is the feed's time."""
        self._gate = copy(self._core.gate)  # as it will be when the core has taken what is yielded
        for each in self._with_hours(given, feed_ns):
            yield each
            deque(self._gate.take(each), maxlen=0)

    def _with_hours(self, given: Sequence[LiveInput], feed_ns: int) -> Iterator[LiveInput]:
        for each in given:
            if not isinstance(each, BarsClosed) or self._symbols.isdisjoint(each.bars):
                yield each
                continue
            found = self._hours.at(max(bar.close_ns for bar in each.bars.values()))
            if self._own_clock and found.flat_ns is not None and found.flat_ns < each.ts_ns:
                yield from self._flatten(found.flat_ns, each.ts_ns, found.flat_ns)
            if self._own_clock and found.flat_ns is None:
                yield from self._resume(each.ts_ns)
            yield from self._hours_of(each, found)
            yield each
            if self._own_clock and found.flat_ns is not None:
                yield from self._flatten(found.flat_ns, each.ts_ns, found.flat_ns)
        if self._own_clock or self._gate.stopping:
            return
        now_ns = self._hours.now_ns()
        found = self._hours.at(now_ns)
        if found.flat_ns is not None:
            yield from self._flatten(found.flat_ns, now_ns, feed_ns)
        else:
            yield from self._resume(feed_ns)

    def _hours_of(self, given: BarsClosed, found: HoursNow) -> Iterator[LiveInput]:
        is_closed = not self._hours.allows(given)
        if is_closed != self._gate.is_closed:
            since = given.ts_ns if not is_closed or found.closed_ns is None else min(found.closed_ns, given.ts_ns)
            since = max(since, self._begin_ns)  # a worker may begin long after a session
            yield ScheduleHours(not is_closed, since)

    def _flatten(self, since_ns: int, now_ns: int, ts_ns: int) -> Iterator[LiveInput]:
        """Yield the command to close positions, once before the end of each session.

        Args:
            since_ns: since when they are to be closed.
            now_ns: the time now, by the same clock.
            ts_ns: the time of the command, by the feed's clock.
        """
        self._was_flat = True
        done = self._flattened_ns
        if done is not None and since_ns <= done <= now_ns:
            return
        self._flattened_ns = max(since_ns, min(now_ns, self._core.now_ns))
        why = "the session ends soon, or has ended: what is held is closed"
        log.info("Worker %s: %s.", self._key, why)
        yield UserCommand("flatten", max(ts_ns, self._core.now_ns), SCHEDULE)

    def _resume(self, ts_ns: int) -> Iterator[LiveInput]:
        if self._gate.may_resume:
            yield UserCommand("resume", ts_ns, SCHEDULE)
        elif self._was_flat and next(self._gate.held(), None) is not None:
            log.warning("A session begins, but entries are not allowed until a user says 'resume'.")
        self._was_flat = False
