"""A continuous series whose contracts get their bars one by one, rolled by the same rules as a loaded one.

1. The bars of all listed contracts are taken as they close; those of the contract that is held become the series.
2. When the first bar of a later trading day comes, the day before is over: if the rule names it, the series changes to
   the next contract, whose last close on that day is the price of the roll.
3. What a rule can't know by then is an error; nothing is assumed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np

from quantcrafter.engine.api import Bar, Bars, DataError, DataRequest, HeldContract, Rolls
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import RollRule
from quantcrafter.engine.api.wording import did_you_mean, shown_path
from quantcrafter.engine.data.continuous.contracts import LoadedContract
from quantcrafter.engine.data.continuous.rolls import DayTable, Hold, check_dates, iso, refused, sessions_before
from quantcrafter.engine.data.continuous.series import join
from quantcrafter.engine.trading_calendar.trading_days import trading_days_in_order

_EPOCH = date(1970, 1, 1).toordinal()
_BY_AMOUNT = frozenset({"volume", "open_interest"})


class _Days:
    """What is known of the trading days of one contract: volume, open interest and last close of each."""

    def __init__(self, loaded: LoadedContract) -> None:
        self.days: list[int] = []
        self._of_day: dict[int, tuple[float, float, float]] = {}
        bars = loaded.bars
        if not len(bars):
            return
        table = DayTable.of(bars)
        last = np.append(table.first[1:], len(bars)) - 1
        interest = np.zeros(len(table.days)) if table.open_interest is None else table.open_interest
        self.days = table.days.tolist()
        rows = zip(table.volume.tolist(), interest.tolist(), bars.close[last].tolist(), strict=True)
        self._of_day = dict(zip(self.days, rows, strict=True))

    def add(self, day: int, bar: Bar, interest: float) -> None:
        """Add a bar."""
        if day not in self._of_day:
            self.days.append(day)
        volume = self._of_day.get(day, (0.0,))[0]
        self._of_day[day] = (volume + bar.volume, interest, bar.close)

    def has(self, day: int) -> bool:
        """Return whether there is a bar on a day."""
        return day in self._of_day

    def amount(self, rule: str, day: int) -> float:
        """Return volume or open interest of a day, 0 if there is no bar on it."""
        volume, interest, _ = self._of_day.get(day, (0.0, 0.0, 0.0))
        return volume if rule == "volume" else interest

    def close(self, day: int) -> float:
        """Return the last close of a day."""
        _, _, close = self._of_day[day]
        return close


class GrowingSeries:
    """The real prices of a continuous series.

    Args:
        request: its symbol and timeframe.
        contracts: all that are listed, in the order in which they expire, with the bars that are known.
        rule: when the series is rolled.
        source: where the bars come from.

    Raises:
        DataError: a roll is not possible, or can't be known when it is due.
    """

    def __init__(self, request: DataRequest, contracts: Sequence[LoadedContract], rule: RollRule, source: str) -> None:
        self._request, self._contracts, self._rule, self._source = request, tuple(contracts), rule, source
        self._session = contracts[0].bars.session
        self._days = [_Days(each) for each in contracts]
        self._index = {each.name: number for number, each in enumerate(contracts)}
        self._held = 0
        self._holds: list[Hold] = []
        self._roll: float | None = None
        if rule.rule == "dates":
            check_dates(request.symbol, contracts, rule)
        if rule.rule in _BY_AMOUNT:
            for each in contracts[:-1]:
                sessions_before(request.symbol, each, 0)
        known = sorted({day for each in self._days for day in each.days})
        self._today = known[-1] if known else None
        for day, following in pairwise(known):
            self._end_day(day, following)
        if self._since is not None and self._days[self._held].days[-1:] > [self._since]:
            self._roll = None

    @property
    def names(self) -> tuple[str, ...]:
        """The contracts, in order."""
        return tuple(self._index)

    @property
    def held(self) -> str:
        """The contract whose bars are those of the series."""
        return self._contracts[self._held].name

    @property
    def bars(self) -> Bars:
        """The bars that were known at the beginning, as a session is given them."""
        if any(len(each.bars) for each in self._contracts):
            holds = (*self._holds, Hold(self._held, None))
            bars, _ = join(self._request, self._contracts, holds, "none", self._source)
            if bars.rolls is None or self._is_last:
                return bars
            # Only the last contract of the list ends the series when it expires.
            return replace(bars, rolls=replace(bars.rolls, expiries=(None,) * len(bars.rolls.names)))
        none = np.empty(0)
        rolls = Rolls(none, np.empty(0, np.int64), none, none, (), ())
        return replace(self._contracts[0].bars, symbol=self._request.symbol, source=self._source, rolls=rolls)

    def take(self, bars: Mapping[str, Bar], open_interest: Mapping[str, float] | None = None) -> Bar | None:
        """Take bars that closed at the same time, by the names of their contracts; return that of the series, if any.

        The rule `open_interest` needs that of each contract, as it is known with the bar.

        Raises:
            DataError: there is no such contract, a bar is of a day that is over, open interest is missing, or a roll
                is not possible or can't be known. Nothing is changed.
        """
        day = self._day_of(bars)
        interest = open_interest or {}
        if self._rule.rule == "open_interest" and (missing := [name for name in bars if name not in interest]):
            raise self._refused(
                Message("the open interest of {name} is missing.", name=missing[0]), Message("Give it with the bar.")
            )
        if self._today is not None and day > self._today:
            self._end_day(self._today, day)
        self._today = day
        for name, bar in bars.items():
            self._days[self._index[name]].add(day, bar, interest.get(name, 0.0))
        held = self._contracts[self._held]
        own, expiry = bars.get(held.name), self._expiry(self._held) if self._is_last else None
        if own is None or (expiry is not None and day > expiry):
            return None
        roll, self._roll = self._roll, None
        return replace(own, contract=HeldContract(held.name, roll, expiry))

    @property
    def _since(self) -> int | None:
        """The day of the last roll."""
        return self._holds[-1].last_day if self._holds else None

    @property
    def _is_last(self) -> bool:
        return self._held == len(self._contracts) - 1

    def _expiry(self, number: int) -> int | None:
        day = self._contracts[number].expiry
        return None if day is None else day.toordinal() - _EPOCH

    def _day_of(self, bars: Mapping[str, Bar]) -> int:
        """Return the trading day of bars, which is that of their opens."""
        for name in bars:
            if name not in self._index:
                raise self._refused(
                    Message("there is no contract '{name}'.", name=name),
                    did_you_mean(name, self.names) or Message("There are {names}.", names=", ".join(self.names)),
                )
        opens = np.array(sorted(bar.open_ns for bar in bars.values()), np.int64)
        days = trading_days_in_order(opens, self._session)
        if not len(days) or days[0] != days[-1]:
            raise self._refused(
                Message("bars that are taken at once must be of the same trading day."), Message("Bring them apart.")
            )
        if self._today is not None and days[0] < self._today:
            raise self._refused(
                Message(
                    "a bar of {day} comes after the first one of {today}.", day=iso(days[0]), today=iso(self._today)
                ),
                Message("Bring the bars of all contracts of a day before those of the next one."),
            )
        return int(days[0])

    def _end_day(self, day: int, following: int) -> None:
        """Roll at the end of a day, if the rule says so; `following` is the next day on which there is a bar."""
        if self._is_last:
            return
        new = self._next(day, following)
        if new is None:
            return
        old_name, new_name = (shown_path(self._contracts[number].name) for number in (self._held, new))
        if self._since is not None and day <= self._since:
            raise self._refused(
                Message("{old} would be rolled on {day}, before it is held.", old=old_name, day=iso(day)),
                Message("Leave it out of 'contracts', or change 'roll'."),
            )
        lacking = [
            name for name, number in ((old_name, self._held), (new_name, new)) if not self._days[number].has(day)
        ]
        if lacking:
            raise self._lacks(day, old_name, new_name, lacking)
        self._holds.append(Hold(self._held, day))
        self._held, self._roll = new, self._days[new].close(day)

    def _next(self, day: int, following: int) -> int | None:
        """Return the contract to which the series changes at the end of a day."""
        rule, held = self._rule, self._contracts[self._held]
        if rule.rule in _BY_AMOUNT:
            return self._by_amount(day, following)
        if rule.rule == "dates":
            due = rule.dates[len(self._holds)].toordinal() - _EPOCH
        else:
            due = sessions_before(self._request.symbol, held, rule.days)
        if due >= following:
            return None
        if due != day:
            old, new = (shown_path(each.name) for each in self._contracts[self._held : self._held + 2])
            raise self._lacks(due, old, new, (old, new))
        return self._held + 1

    def _by_amount(self, day: int, following: int) -> int | None:
        """Return the contract that had more volume or open interest on the day before, as is known by this one."""
        own, since, rule = self._days[self._held], self._since, self._rule.rule
        place = bisect_left(own.days, day)
        known = own.days[place - 1] if place and own.has(day) else None
        if known is not None and (since is None or known >= since) and (since is None or day > since):
            mine = own.amount(rule, known)
            others = ((self._days[k].amount(rule, known), -k) for k in range(self._held + 1, len(self._days)))
            most, number = max(others)
            if most > mine and self._days[-number].has(day):
                return -number
        expiry = self._expiry(self._held)
        if expiry is not None and following > expiry:
            raise self._refused(
                Message(
                    "no later contract had more {name} than {old} before it expired on {day}, and on which earlier day "
                    "the series is rolled then can't be known in a session.",
                    name=Message("volume") if rule == "volume" else Message("open interest"),
                    old=shown_path(self.held),
                    day=iso(expiry),
                ),
                Message("Use 'days_before_expiry' or 'dates'."),
            )
        return None

    def _lacks(self, day: int, old: str, new: str, lacking: Sequence[str]) -> DataError:
        return self._refused(
            Message(
                "on {day}, the day of the roll from {old} to {new}, both need bars; there are none of {lacking}.",
                day=iso(day),
                old=old,
                new=new,
                lacking=", ".join(lacking),
            ),
            Message("Give them, or change 'roll'."),
        )

    def _refused(self, text: str, remedy: str) -> DataError:
        return refused(self._request.symbol, text, remedy)
