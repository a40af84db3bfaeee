"""Histories: bars of one source from a fixed anchor on, which grow at their end and are shared by all readers.

Columns of a running strategy are computed over the whole history, so that each value is identical to that of a backtest
from the same anchor. A history never drops or changes bars: it only grows.
"""

from __future__ import annotations

import hashlib
import math
import struct
from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Bar, Bars, CorporateActions, DataError, Timeframe
from quantcrafter.engine.api.bar_checks import longest_bar_ns
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.resample import resample, slot_begins
from quantcrafter.engine.data.resample_slots import slots

_TIMES = ("open_ns", "close_ns")
_PRICES = ("open", "high", "low", "close", "volume")
_ABOUT = ("symbol", "timeframe", "session", "source", "synthetic", "session_source")
_ROOM = 1024


class Growing:
    """A column that grows at its end; each view of its first rows is read-only and never changes."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._length = 0
        self._memory = self._shown = values[:0]
        self._make_room(max(_ROOM, 2 * len(values)))
        self.extend(values)

    def __len__(self) -> int:
        return self._length

    def append(self, value: Any) -> None:
        """Add one value."""
        if self._length == len(self._memory):
            self._make_room(2 * self._length)
        self._memory[self._length] = value
        self._length += 1

    def extend(self, values: npt.NDArray[Any]) -> None:
        """Add several values."""
        end = self._length + len(values)
        if end > len(self._memory):
            self._make_room(2 * end)
        self._memory[self._length : end] = values
        self._length = end

    def view(self, count: int) -> npt.NDArray[Any]:
        """Return the first `count` values."""
        return self._shown[:count]

    def rows(self, begin: int, end: int) -> npt.NDArray[Any]:
        """Return the values `begin` to `end` (exclusive)."""
        return self._shown[begin:end]

    def _make_room(self, rows: int) -> None:
        # Two arrays over the same memory: whoever makes a view read-only down to its owner comes to the shown one.
        dtype, held = self._memory.dtype, self._memory[: self._length]
        memory = np.empty(rows * dtype.itemsize, np.uint8).data
        self._memory = np.frombuffer(memory, dtype)
        self._shown = np.frombuffer(memory.toreadonly(), dtype)
        self._memory[: self._length] = held


class BarHistory:
    """The bars of one instrument or feed from the anchor, its first bar, on.

    Args:
        bars: what is known so far, which may be none; symbol, timeframe and session are theirs.
    """

    def __init__(self, bars: Bars) -> None:
        self._about: dict[str, Any] = {name: getattr(bars, name) for name in _ABOUT}
        self._columns = {name: Growing(getattr(bars, name)) for name in (*_TIMES, *_PRICES)}
        self._traded: BarHistory | None = None
        self._actions: tuple[Growing, Growing] | None = None
        if bars.traded is not None:
            self._traded = BarHistory(bars.traded)
        if bars.actions is not None:
            self._actions = (Growing(bars.actions.split), Growing(bars.actions.dividend))
        self._digest = hashlib.blake2b(_rows(bars), digest_size=16)
        self._resampled: dict[Timeframe, Resampled] = {}
        self._shown: tuple[int, Bars] | None = None
        self._longest_ns = longest_bar_ns(bars.timeframe, bars.session)

    def __len__(self) -> int:
        return len(self._columns["close"])

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return str(self._about["symbol"])

    @property
    def timeframe(self) -> Timeframe:
        """The length of the bars."""
        timeframe: Timeframe = self._about["timeframe"]
        return timeframe

    @property
    def fingerprint(self) -> str:
        """A hash of all bars, which identifies the history."""
        return self._digest.hexdigest()

    def bars(self, count: int | None = None) -> Bars:
        """Return the first `count` bars, or all, as read-only views."""
        count = len(self) if count is None else count
        if self._shown is None or self._shown[0] != count:
            self._shown = (count, self.rows(0, count))
        return self._shown[1]

    def bar(self, index: int) -> Bar:
        """Return one bar as it was appended."""
        return bar_of(self.bars(), index)

    def append(self, bar: Bar) -> None:
        """Add the next bar.

        Raises:
            DataError: it doesn't come after the last one, or is no possible bar. Nothing is changed.
        """
        self.check(bar)
        self._append(bar)

    def _append(self, bar: Bar) -> None:
        for name, column in self._columns.items():
            column.append(getattr(bar, name))
        if self._traded is not None and bar.traded is not None:
            self._traded.append(bar.traded)
        if self._actions is not None:
            self._actions[0].append(bar.split)
            self._actions[1].append(bar.dividend)
        self._digest.update(self.row(bar))

    def take(self, index: int, bar: Bar) -> None:
        """Take the bar number `index`: append it, or check that it equals the bar that another strategy has added.

        Raises:
            DataError: it can't be the next bar, or is another one than that. Nothing is changed.
        """
        self.check_at(index, bar)
        self.put(index, bar)

    def put(self, index: int, bar: Bar) -> None:
        """Take a bar that `check_at` has found right."""
        if index == len(self):
            self._append(bar)

    def check_at(self, index: int, bar: Bar) -> None:
        """Check as `take` does, without adding the bar.

        Raises:
            DataError: as of `take`.
        """
        if index == len(self):
            self.check(bar)
            self._check_span(bar)
        elif self.row(self.bar(index)) != self.row(bar):
            raise DataError(
                Message(
                    "{bar} differs from the one that another strategy was given. Bring both the same bars.",
                    bar=self._label(bar),
                )
            )

    def matches(self, bars: Bars) -> bool:
        """Return whether one of the two histories is the beginning of the other."""
        count = min(len(self), len(bars))
        return _rows(self.bars(count)) == _rows(bars.slice(0, count))

    def row(self, bar: Bar) -> bytes:
        """Return a bar as bytes, which the fingerprint is made of."""
        return _row(bar, has_actions=self._actions is not None, traded=self._traded)

    def times(self, index: int) -> tuple[int, int]:
        """Return when a bar opened and closed, in UTC ns."""
        opened, closed = (self._columns[name].view(len(self))[index] for name in _TIMES)
        return int(opened), int(closed)

    def check(self, bar: Bar) -> None:
        """Reject a bar that can't be the next one.

        Raises:
            DataError: it can't.
        """
        fault = self._fault(bar)
        if fault:
            raise DataError(Message("{bar} {fault}", bar=self._label(bar), fault=fault))

    def _check_span(self, bar: Bar) -> None:
        """Refuse a bar that a session brings and that opens before the last one closed, or is too long.

        Raises:
            DataError: the check fails.
        """
        closed = self.times(len(self) - 1)[1] if len(self) else bar.open_ns
        length = bar.close_ns - bar.open_ns
        if closed <= bar.open_ns and length <= self._longest_ns:
            return
        opened = _moment(bar.open_ns)
        if closed > bar.open_ns:
            raise DataError(
                Message(
                    "{bar} must open no earlier than the last one closed, at {moment}; opened at {opened}. "
                    "Bring bars that don't overlap.",
                    bar=self._label(bar),
                    moment=_moment(closed),
                    opened=opened,
                )
            )
        raise DataError(
            Message(
                "{bar} must be no longer than {most} h in {timeframe}, was {hours} h: it opened at {opened}. "
                "Bring bars of the strategy's timeframe.",
                bar=self._label(bar),
                most=_hours(self._longest_ns),
                timeframe=self.timeframe,
                hours=_hours(length),
                opened=opened,
            )
        )

    def _label(self, bar: Bar) -> Message:
        return Message("A bar of {symbol} that closes at {moment}", symbol=self.symbol, moment=_moment(bar.close_ns))

    def _fault(self, bar: Bar) -> str:  # noqa: C901, PLR0911 - one for each fault
        """Return why a bar can't be the next one, or nothing."""
        prices = (bar.open, bar.high, bar.low, bar.close)
        if not (min(prices) > 0 and math.isfinite(sum(prices))):
            return Message("must have prices above 0, had {prices}. Leave the bar out.", prices=_listed(prices))
        if not bar.low <= min(bar.open, bar.close) or not bar.high >= max(bar.open, bar.close):
            return Message("must have open and close between low and high, had {prices}.", prices=_listed(prices))
        if not 0 <= bar.volume < math.inf:
            return Message("must have a volume of 0 or more, had {volume:g}.", volume=bar.volume)
        if bar.open_ns >= bar.close_ns:
            return Message("must open before it closes, opened at {moment}.", moment=_moment(bar.open_ns))
        if len(self):
            opened, closed = self.times(len(self) - 1)
            if bar.open_ns <= opened or bar.close_ns <= closed:
                return Message("must come after the last one, which closed at {moment}.", moment=_moment(closed))
        if (bar.traded is None) != (self._traded is None):
            if self._traded is None:
                return Message("must not have a second bar at the prices as traded, as its history is adjusted.")
            return Message("needs a second bar at the prices as traded, as its history is adjusted.")
        if self._actions is None and (bar.split != 1.0 or bar.dividend != 0.0):
            return Message(
                "has a split or dividend, its history knows of none. Load the history with 'adjust: actions'."
            )
        if not (0 < bar.split < math.inf and math.isfinite(bar.dividend)):
            return Message(
                "must have a split above 0, had {split:g} and dividend {dividend:g}.",
                split=bar.split,
                dividend=bar.dividend,
            )
        return ""

    def resampled(self, timeframe: Timeframe) -> Resampled:
        """Return the history of longer bars made from these; one for all who ask.

        Raises:
            DataError: the timeframe is no multiple of the bars' own.
        """
        if timeframe not in self._resampled:
            self._resampled[timeframe] = Resampled(self, timeframe)
        return self._resampled[timeframe]

    def rows(self, begin: int, end: int) -> Bars:
        """Return bars `begin` to `end` (exclusive) as read-only views."""
        actions, traded = self._actions, self._traded
        columns: dict[str, Any] = {name: column.rows(begin, end) for name, column in self._columns.items()}
        if actions is not None:
            columns["actions"] = CorporateActions(actions[0].rows(begin, end), actions[1].rows(begin, end))
        if traded is not None:
            columns["traded"] = traded.rows(begin, end)
        return Bars(**self._about, **columns)


class Resampled:
    """Bars of a longer timeframe, made from a growing history: each is available once it has closed."""

    def __init__(self, source: BarHistory, timeframe: Timeframe) -> None:
        self._source, self._timeframe = source, timeframe
        self.history = BarHistory(_plain(resample(source.bars(0), timeframe)))
        self._known_from: list[int] = []
        self._seen = 0
        self._begin = 0
        self._end_ns: int | None = None
        self.count(len(source))

    def count(self, source_bars: int) -> int:
        """Return how many bars had closed when the source had so many."""
        while self._seen < source_bars:
            self._seen += 1
            self._take(self._seen)
        return bisect_right(self._known_from, source_bars)

    def _take(self, count: int) -> None:
        """Add what bar number `count` of the source completes."""
        open_ns, close_ns = self._source.times(count - 1)
        if self._end_ns is not None and close_ns < self._end_ns and open_ns < self._end_ns:
            return
        # A tail that begins with the last bar that is known: it says where the next one opens.
        tail = self._source.bars(count).slice(self._begin, count)
        made = _plain(resample(tail, self._timeframe))
        for index in range(min(1, len(self.history)), len(made)):
            self.history.append(bar_of(made, index))
            self._known_from.append(count)
        if len(made):
            self._begin += int(slot_begins(tail, self._timeframe)[len(made) - 1])
        end_ns = int(slots(tail.open_ns[-1:], self._timeframe, tail.session).end_ns[0])
        self._end_ns = end_ns if close_ns < end_ns else None


def _plain(bars: Bars) -> Bars:
    """Return bars without what is known of trades and corporate actions: longer bars are there for columns alone."""
    return replace(bars, traded=None, actions=None)


class HistoryCache:
    """The histories of a process by source: strategies with the same source share one."""

    def __init__(self) -> None:
        self._histories: dict[Hashable, BarHistory] = {}

    def history(self, source: Hashable, bars: Bars) -> BarHistory:
        """Return the history of a source that begins with these bars: one that is there and agrees, or a new one.

        A history is the same one only if it has the same anchor; one that hasn't come as far is brought there.
        """
        anchor = int(bars.open_ns[0]) if len(bars) else None
        found = self._histories.get((source, anchor))
        if found is None or not found.matches(bars) or (anchor is None and len(found)):
            found = self._histories[source, anchor] = BarHistory(bars)
        for index in range(len(found), len(bars)):
            found.append(bar_of(bars, index))
        return found


def bar_of(bars: Bars, index: int) -> Bar:
    """Return one bar of several."""
    values: dict[str, Any] = {name: getattr(bars, name)[index].item() for name in (*_TIMES, *_PRICES)}
    if bars.actions is not None:
        values |= {"split": bars.actions.split[index].item(), "dividend": bars.actions.dividend[index].item()}
    return Bar(**values, traded=None if bars.traded is None else bar_of(bars.traded, index))


def _rows(bars: Bars) -> bytes:
    """Return bars as bytes, bar by bar: what `_row` gives for each."""
    columns = [np.ascontiguousarray(each).view(np.int64) for each in _all_columns(bars)]
    return np.column_stack(columns).tobytes()


def _all_columns(bars: Bars) -> list[npt.NDArray[Any]]:
    columns = [getattr(bars, name) for name in (*_TIMES, *_PRICES)]
    columns += [] if bars.actions is None else [bars.actions.split, bars.actions.dividend]
    return columns + ([] if bars.traded is None else _all_columns(bars.traded))


def _row(bar: Bar, *, has_actions: bool, traded: BarHistory | None) -> bytes:
    row = struct.pack("=qq5d", bar.open_ns, bar.close_ns, bar.open, bar.high, bar.low, bar.close, bar.volume)
    if has_actions:
        row += struct.pack("=dd", bar.split, bar.dividend)
    return row if traded is None or bar.traded is None else row + traded.row(bar.traded)


def _moment(ts_ns: int) -> str:
    return f"{str(np.datetime64(ts_ns, 'ns').astype('datetime64[s]')).replace('T', ' ')} UTC"


def _hours(span_ns: int) -> str:
    return f"{span_ns / 3_600_000_000_000:g}"


def _listed(prices: tuple[float, ...]) -> str:
    return ", ".join(f"{price:g}" for price in prices)
