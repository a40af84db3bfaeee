"""What positions of an instrument pay in a history: spreads of its bars, fundings and swaps that change.

1. They are there if the bars, with which a history begins, have them.
2. Each bar that a session brings says what was due from the close of the one before on; nothing is assumed.
3. `BarHistory` gives them out with its bars, all that was said up to now.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from quantcrafter.engine.api import Bar, Bars, DatedAmount, DatedAmounts
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.dated_file import rates_on
from quantcrafter.engine.trading_calendar.rollovers import rollovers
from quantcrafter.engine.trading_calendar.zones import DAY_NS, HOUR_NS

LONGEST_NS = DAY_NS // 2
"""The longest time between two fundings: eight hours are usual, and some exchanges changed them to four or one."""


def without_costs(bars: Bars) -> Bars:
    """Return bars alone, without spreads, fundings and swaps."""
    if bars.spread is None and bars.funding is None and bars.swap is None:
        return bars
    return replace(bars, spread=None, funding=None, swap=None)


class GrowingAmounts:
    """The amounts of a history: those known at its beginning, and those that its bars brought."""

    def __init__(self, amounts: DatedAmounts | None, end_ns: int) -> None:
        self.amounts = None if amounts is None else amounts.within(-(2**63), end_ns)

    def add(self, given: Sequence[DatedAmount] | None) -> None:
        """Add the amounts of the next bar."""
        if given and self.amounts is not None:
            old, new = self.amounts, DatedAmounts.of(given)
            self.amounts = DatedAmounts(
                np.append(old.times_ns, new.times_ns), np.append(old.long, new.long), np.append(old.short, new.short)
            )


class HistoryCosts:
    """Fundings and swaps of a history.

    Args:
        bars: those with which it begins; what is due after their last close is not read.
    """

    def __init__(self, bars: Bars) -> None:
        end_ns = int(bars.close_ns[-1]) if len(bars) else -(2**63)
        self._funding = GrowingAmounts(bars.funding, end_ns)
        self._swap = GrowingAmounts(bars.swap, end_ns)
        self._begin_ns: int | None = None
        self._known = len(bars)

    @property
    def funding(self) -> DatedAmounts | None:
        """All fundings up to now."""
        return self._funding.amounts

    @property
    def swap(self) -> DatedAmounts | None:
        """From which days on a night earns how much, up to now."""
        return self._swap.amounts

    def add(self, bar: Bar) -> None:
        """Add what the next bar says."""
        self._begin_ns = bar.open_ns if self._begin_ns is None else self._begin_ns
        self._funding.add(bar.funding)
        self._swap.add(bar.swap)

    def agrees(self, bars: Bars, index: int, bar: Bar) -> bool:
        """Return whether a bar says what the one of a history said; of those with which it began none is asked."""
        if index < self._known or (bars.funding is None and bars.swap is None):
            return True
        found = costs_at(bars, index)
        return (found.get("funding"), found.get("swap")) == (bar.funding, bar.swap)

    def fault(self, bar: Bar, closed_ns: int | None) -> str:
        """Return what is wrong with what a bar says to be due; `closed_ns` is when the one before closed."""
        for name, known, given in (("funding", self.funding, bar.funding), ("swap", self.swap, bar.swap)):
            if known is None and given is not None:
                return Message("has a '{name}', which its instrument doesn't have in the strategy.", name=name)
            if known is not None and given is None:
                return Message(
                    "must say in '{name}' what was due since the last one closed, or () if nothing was.", name=name
                )
            if given is not None and not all(math.isfinite(each.long + each.short) for each in given):
                return Message("must have finite numbers as amounts of '{name}'.", name=name)
        begin_ns = bar.open_ns if closed_ns is None else closed_ns
        if bar.funding is not None and (fault := self._funding_fault(bar, begin_ns)):
            return fault
        return "" if bar.swap is None else _swap_fault(bar, begin_ns)

    def _funding_fault(self, bar: Bar, begin_ns: int) -> str:
        times = [each.time_ns for each in bar.funding or ()]
        if sorted(set(times)) != times or (times and not begin_ns <= times[0] <= times[-1] < bar.close_ns):
            return Message(
                "must have fundings in order, from {begin} on and before {end}, had {times}.",
                begin=moment(begin_ns),
                end=moment(bar.close_ns),
                times=", ".join(map(moment, times)),
            )
        known = self.funding
        last = bar.open_ns if self._begin_ns is None else self._begin_ns
        if known is not None and len(known.times_ns):
            last = max(last, int(known.times_ns[-1]))
        for one, other in zip([last, *times], [*times, bar.close_ns], strict=True):
            if other - one > LONGEST_NS:
                return Message(
                    "has no funding from {begin} to {end}, which is more than {hours} h. Give all fundings.",
                    begin=moment(one),
                    end=moment(other),
                    hours=LONGEST_NS // HOUR_NS,
                )
        return ""


def _swap_fault(bar: Bar, begin_ns: int) -> str:
    days = nights_between(begin_ns, bar.close_ns)
    given = [each.time_ns for each in bar.swap or ()]
    if given == days:
        return ""
    return Message(
        "must have the swap of each night that began from {begin} on and before {end}: {days}; had {given}.",
        begin=moment(begin_ns),
        end=moment(bar.close_ns),
        days=", ".join(map(_day, days)) or Message("none"),
        given=", ".join(map(moment, given)) or Message("none"),
    )


def nights_between(begin_ns: int, end_ns: int) -> list[int]:
    """Return the days (UTC midnights) of the nights that begin from one moment on and before another."""
    days: list[int] = (rollovers(begin_ns, end_ns - 1, None)[2] * DAY_NS).tolist()
    return days


def costs_at(bars: Bars, index: int) -> dict[str, float | tuple[DatedAmount, ...]]:
    """Return spread, funding and swap of one of several bars, as far as they have them.

    Of nights before the first swap that is known, nothing is said.
    """
    found: dict[str, float | tuple[DatedAmount, ...]] = {}
    if bars.spread is not None:
        found["spread"] = float(bars.spread[index])
    if bars.funding is None and bars.swap is None:
        return found
    begin_ns, end_ns = int(bars.close_ns[index - 1] if index else bars.open_ns[0]), int(bars.close_ns[index])
    if bars.funding is not None:
        found["funding"] = each_of(bars.funding.within(begin_ns, end_ns))
    if bars.swap is not None:
        first = bars.swap.times_ns[0] if len(bars.swap.times_ns) else end_ns
        days = np.array([day for day in nights_between(begin_ns, end_ns) if day >= first], np.int64)
        found["swap"] = each_of(DatedAmounts(days, *rates_on(bars.swap, days // DAY_NS)))
    return found


def each_of(amounts: DatedAmounts) -> tuple[DatedAmount, ...]:
    """Return columns of amounts as single ones."""
    columns = (amounts.times_ns.tolist(), amounts.long.tolist(), amounts.short.tolist())
    return tuple(map(DatedAmount, *columns))


def moment(ts_ns: int) -> str:
    """Return a moment as people read it."""
    return f"{str(np.datetime64(ts_ns, 'ns').astype('datetime64[s]')).replace('T', ' ')} UTC"


def _day(ts_ns: int) -> str:
    return str(np.datetime64(ts_ns, "ns").astype("datetime64[D]"))
