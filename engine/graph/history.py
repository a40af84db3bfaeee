"""Histories: bars of one source from a fixed anchor on, which grow at their end and are shared by all readers.

Columns of a running strategy are computed over the whole history, so that each value is identical to that of a backtest
from the same anchor. A history never drops or changes bars: it only grows.
"""

from __future__ import annotations

import hashlib
import math
import struct
from bisect import bisect_right
from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Bar, Bars, CorporateActions, DataError, Timeframe
from quantcrafter.engine.api.bar_checks import longest_bar_ns
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.resample import resample, slot_begins
from quantcrafter.engine.data.resample_slots import slots
from quantcrafter.engine.graph.history_costs import HistoryCosts, costs_at, moment, without_costs
from quantcrafter.engine.graph.history_rolls import HistoryRolls, contract_at

_TIMES = ("open_ns", "close_ns")
_PRICES = ("open", "high", "low", "close", "volume")
_ABOUT = ("symbol", "timeframe", "session", "source", "synthetic", "session_source", "decimals")
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
        below_zero: whether prices may be zero or less.
    """

    def __init__(self, bars: Bars, *, below_zero: bool = False) -> None:
        self.below_zero = below_zero
        self._about: dict[str, Any] = {name: getattr(bars, name) for name in _ABOUT}
        self._columns = {name: Growing(getattr(bars, name)) for name in (*_TIMES, *_PRICES)}
        self._extra = {name: Growing(column) for name, column in bars.extra.items()}
        self._spread = None if bars.spread is None else Growing(bars.spread)
        self._costs = HistoryCosts(bars)
        self._rolls = None if bars.rolls is None else HistoryRolls(bars.rolls)
        self._rolled: tuple[Growing, Growing] | None = None
        if bars.rolls is not None:
            self._rolled = (Growing(bars.rolls.price), Growing(bars.rolls.contract))
        self._traded: BarHistory | None = None
        self._actions: tuple[Growing, Growing] | None = None
        if bars.traded is not None:
            self._traded = BarHistory(without_costs(bars.traded), below_zero=below_zero)
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
        for name, column in self._extra.items():
            column.append(bar.extra.get(name, math.nan))
        if self._spread is not None and bar.spread is not None:
            self._spread.append(bar.spread)
        self._costs.add(bar)
        if self._rolls is not None and self._rolled is not None:
            for column, value in zip(self._rolled, self._rolls.take(bar), strict=True):
                column.append(value)
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
            self._check_costs(bar)
        elif self.row(self.bar(index)) != self.row(bar) or not self._costs.agrees(self.bars(), index, bar):
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
        return _row(bar, has_actions=self._actions is not None, extra=self._extra, traded=self._traded)

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
        opened = moment(bar.open_ns)
        if closed > bar.open_ns:
            raise DataError(
                Message(
                    "{bar} must open no earlier than the last one closed, at {moment}; opened at {opened}. "
                    "Bring bars that don't overlap.",
                    bar=self._label(bar),
                    moment=moment(closed),
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

    def _check_costs(self, bar: Bar) -> None:
        """Refuse a bar that a session brings and that doesn't say what is due.

        Raises:
            DataError: the check fails.
        """
        fault = self._costs.fault(bar, self.times(len(self) - 1)[1] if len(self) else None)
        if fault:
            raise DataError(Message("{bar} {fault}", bar=self._label(bar), fault=fault))

    def _label(self, bar: Bar) -> Message:
        return Message("A bar of {symbol} that closes at {moment}", symbol=self.symbol, moment=moment(bar.close_ns))

    def _fault(self, bar: Bar) -> str:  # noqa: C901, PLR0911 - one for each fault
        """Return why a bar can't be the next one, or nothing."""
        prices = (bar.open, bar.high, bar.low, bar.close)
        if not (math.isfinite(sum(prices)) and (min(prices) > 0 or self.below_zero)):
            return Message("must have prices above 0, had {prices}. Leave the bar out.", prices=_listed(prices))
        if not bar.low <= min(bar.open, bar.close) or not bar.high >= max(bar.open, bar.close):
            return Message("must have open and close between low and high, had {prices}.", prices=_listed(prices))
        if unknown := [name for name in bar.extra if name not in self._extra]:
            return Message("has a column '{name}' that its history doesn't have.", name=unknown[0])
        if not 0 <= bar.volume < math.inf:
            return Message("must have a volume of 0 or more, had {volume:g}.", volume=bar.volume)
        if bar.open_ns >= bar.close_ns:
            return Message("must open before it closes, opened at {moment}.", moment=moment(bar.open_ns))
        if len(self):
            opened, closed = self.times(len(self) - 1)
            if bar.open_ns <= opened or bar.close_ns <= closed:
                return Message("must come after the last one, which closed at {moment}.", moment=moment(closed))
        if fault := self._spread_fault(bar) or self._contract_fault(bar):
            return fault
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

    def _contract_fault(self, bar: Bar) -> str:
        if self._rolls is not None:
            return self._rolls.fault(bar)
        if bar.contract is not None:
            return Message("has a 'contract', which only bars of a continuous series have.")
        return ""

    def _spread_fault(self, bar: Bar) -> str:
        if bar.spread is None and self._spread is not None:
            return Message("must have a 'spread', as its instrument has a column of them.")
        if bar.spread is not None and self._spread is None:
            return Message("has a 'spread', which its instrument doesn't have in the strategy.")
        if bar.spread is not None and not 0.0 <= bar.spread < math.inf:
            return Message("must have a spread of 0 or more, had {spread:g}.", spread=bar.spread)
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
        columns["extra"] = {name: column.rows(begin, end) for name, column in self._extra.items()}
        if actions is not None:
            columns["actions"] = CorporateActions(actions[0].rows(begin, end), actions[1].rows(begin, end))
        if traded is not None:
            columns["traded"] = traded.rows(begin, end)
        if self._rolls is not None and self._rolled is not None:
            columns["rolls"] = self._rolls.rolls(*(column.rows(begin, end) for column in self._rolled))
        return self._with_costs(Bars(**self._about, **columns), begin, end)

    def _with_costs(self, bars: Bars, begin: int, end: int) -> Bars:
        spread, funding, swap = self._spread, self._costs.funding, self._costs.swap
        if spread is None and funding is None and swap is None:
            return bars
        costs: dict[str, Any] = {"funding": funding, "swap": swap}
        costs["spread"] = None if spread is None else spread.rows(begin, end)
        traded = None if bars.traded is None else replace(bars.traded, **costs)
        return replace(bars, traded=traded, **costs)


class Resampled:
    """Bars of a longer timeframe, made from a growing history: each is available once it has closed."""

    def __init__(self, source: BarHistory, timeframe: Timeframe) -> None:
        self._source, self._timeframe = source, timeframe
        self.history = BarHistory(_plain(resample(source.bars(0), timeframe)), below_zero=source.below_zero)
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
    return replace(without_costs(bars), traded=None, actions=None, rolls=None)


class HistoryCache:
    """The histories of a process by source: strategies with the same source share one."""

    def __init__(self) -> None:
        self._histories: dict[Hashable, BarHistory] = {}

    def history(self, source: Hashable, bars: Bars, *, below_zero: bool = False) -> BarHistory:
        """Return the history of a source that begins with these bars: one that is there and agrees, or a new one.

        A history is the same one only if it has the same anchor; one that hasn't come as far is brought there.
        """
        anchor = int(bars.open_ns[0]) if len(bars) else None
        found = self._histories.get((source, anchor))
        if found is None or not found.matches(bars) or (anchor is None and len(found)):
            found = self._histories[source, anchor] = BarHistory(bars, below_zero=below_zero)
        for index in range(len(found), len(bars)):
            found.append(bar_of(bars, index))
        return found


def bar_of(bars: Bars, index: int) -> Bar:
    """Return one bar of several."""
    values: dict[str, Any] = {name: getattr(bars, name)[index].item() for name in (*_TIMES, *_PRICES)}
    if bars.actions is not None:
        values |= {"split": bars.actions.split[index].item(), "dividend": bars.actions.dividend[index].item()}
    values |= costs_at(bars, index)
    values |= contract_at(bars.rolls, index)
    extra = {name: float(column[index]) for name, column in bars.extra.items()}
    traded = None if bars.traded is None else bar_of(without_costs(bars.traded), index)
    return Bar(**values, traded=traded, extra=extra)


def _rows(bars: Bars) -> bytes:
    """Return bars as bytes, bar by bar: what `_row` gives for each."""
    columns = [np.ascontiguousarray(each).view(np.int64) for each in _all_columns(bars)]
    return np.column_stack(columns).tobytes()


def _all_columns(bars: Bars) -> list[npt.NDArray[Any]]:
    columns = [getattr(bars, name) for name in (*_TIMES, *_PRICES)]
    columns += [] if bars.actions is None else [bars.actions.split, bars.actions.dividend]
    columns += list(bars.extra.values())
    columns += [] if bars.spread is None else [bars.spread]
    columns += [] if bars.rolls is None else [bars.rolls.price]
    return columns + ([] if bars.traded is None else _all_columns(without_costs(bars.traded)))


def _row(bar: Bar, *, has_actions: bool, extra: Iterable[str], traded: BarHistory | None) -> bytes:
    row = struct.pack("=qq5d", bar.open_ns, bar.close_ns, bar.open, bar.high, bar.low, bar.close, bar.volume)
    if has_actions:
        row += struct.pack("=dd", bar.split, bar.dividend)
    row += b"".join(struct.pack("=d", bar.extra.get(name, math.nan)) for name in extra)
    if bar.spread is not None:
        row += struct.pack("=d", bar.spread)
    if bar.contract is not None:
        row += struct.pack("=d", math.nan if bar.contract.roll is None else bar.contract.roll)
    return row if traded is None or bar.traded is None else row + traded.row(bar.traded)


def _hours(span_ns: int) -> str:
    return f"{span_ns / 3_600_000_000_000:g}"


def _listed(prices: tuple[float, ...]) -> str:
    return ", ".join(f"{price:g}" for price in prices)
