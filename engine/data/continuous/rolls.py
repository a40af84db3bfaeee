"""When a continuous series is rolled: the last trading day of each contract in the series, known before that day ends.

Expiries are known in advance. Volume and open interest of a day are known after its close, and lead to a roll at the
close of the next day on which both contracts have bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api import Bars, DataError, FloatColumn, TimeColumn
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import RollRule
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.continuous.contracts import LoadedContract
from quantcrafter.engine.trading_calendar.trading_days import is_session_day, trading_days_in_order

_EPOCH = date(1970, 1, 1).toordinal()


class Hold(NamedTuple):
    """A contract of the series, by its number, and the last trading day (since 1970) on which it is held; None: all."""

    contract: int
    last_day: int | None


@dataclass(frozen=True)
class DayTable:
    """The trading days of a contract's bars: the days, the first row of each, and volume and open interest."""

    days: TimeColumn
    first: TimeColumn
    volume: FloatColumn
    open_interest: FloatColumn | None

    @classmethod
    def of(cls, bars: Bars) -> DayTable:
        """Return the days of a contract."""
        days = trading_days_in_order(bars.open_ns, bars.session)
        first = np.flatnonzero(np.diff(days, prepend=days[:1] - 1))
        last = np.append(first[1:], len(days)) - 1
        interest = None if bars.open_interest is None else np.nan_to_num(bars.open_interest[last])
        return cls(days[first], first, np.add.reduceat(bars.volume, first), interest)

    def row(self, day: int) -> int | None:
        """Return the row of a day, None if there is no bar on it."""
        row = int(np.searchsorted(self.days, day))
        return row if row < len(self.days) and self.days[row] == day else None

    def amount(self, name: str, day: int) -> float:
        """Return volume or open interest of a day, 0 if there is no bar on it."""
        column = self.volume if name == "volume" else self.open_interest
        row = self.row(day)
        return 0.0 if row is None or column is None else float(column[row])


def decide_holds(symbol: str, contracts: Sequence[LoadedContract], rule: RollRule) -> tuple[Hold, ...]:
    """Return which contracts are held, in order, and until when.

    Raises:
        DataError: a roll is not possible, as something is missing.
    """
    tables = [DayTable.of(each.bars) for each in contracts]
    if rule.rule == "dates":
        check_dates(symbol, contracts, rule)
    holds: list[Hold] = []
    current, since = 0, None
    while current < len(contracts) - 1:
        found = _next_roll(symbol, contracts, tables, rule, current, since, len(holds))
        if found is None:
            break
        following, day = found
        if since is not None and day <= since:
            raise refused(
                symbol,
                Message(
                    "{old} would be rolled on {day}, before it is held.",
                    old=shown_path(contracts[current].name),
                    day=iso(day),
                ),
                Message("Leave it out of 'contracts', or change 'roll'."),
            )
        _check_overlap(symbol, contracts, tables, current, following, day)
        holds.append(Hold(current, day))
        current, since = following, day
    return (*holds, Hold(current, None))


def _next_roll(
    symbol: str,
    contracts: Sequence[LoadedContract],
    tables: Sequence[DayTable],
    rule: RollRule,
    current: int,
    since: int | None,
    number: int,
) -> tuple[int, int] | None:
    """Return the next contract, and the day at whose close the current one is rolled; None if it is the last one."""
    if rule.rule == "dates":
        day = rule.dates[number].toordinal() - _EPOCH
        return current + 1, day
    if rule.rule == "days_before_expiry":
        day = sessions_before(symbol, contracts[current], rule.days)
        return (current + 1, day) if day <= int(tables[current].days[-1]) or _goes_on(tables, current) else None
    return _by_amount(symbol, contracts, tables, rule.rule, current, since)


def _goes_on(tables: Sequence[DayTable], current: int) -> bool:
    """Return whether later contracts have bars after the last one of the current contract."""
    return any(table.days[-1] > tables[current].days[-1] for table in tables[current + 1 :])


def _by_amount(
    symbol: str,
    contracts: Sequence[LoadedContract],
    tables: Sequence[DayTable],
    name: str,
    current: int,
    since: int | None,
) -> tuple[int, int] | None:
    """Return the roll to the contract with more volume or open interest: one day after that is known.

    At the latest it is rolled on the last day before the expiry on which the next contract has bars too.
    """
    own = tables[current]
    days = own.days if since is None else own.days[own.days >= since]
    expiry = contracts[current].expiry
    end = None if expiry is None else expiry.toordinal() - _EPOCH
    for known, day in zip(days.tolist(), days.tolist()[1:], strict=False):
        mine = own.amount(name, known)
        others = [(tables[k].amount(name, known), -k) for k in range(current + 1, len(tables))]
        most, place = max(others)
        if most > mine and tables[-place].row(day) is not None and (since is None or day > since):
            return -place, day
        if end is not None and day >= end:
            break
    if not _goes_on(tables, current):
        return None
    if end is None:
        raise refused(
            symbol,
            Message(
                "no later contract had more {name} than {old} while both had bars, and its expiry isn't known.",
                name=Message("volume") if name == "volume" else Message("open interest"),
                old=shown_path(contracts[current].name),
            ),
            Message("List 'contracts' with 'expiry', or give bars that overlap for longer."),
        )
    common = [day for day in days.tolist() if day < end and tables[current + 1].row(day) is not None]
    if not common:
        raise _no_overlap(symbol, contracts, current, current + 1, min(end, int(own.days[-1])))
    return current + 1, common[-1]


def sessions_before(symbol: str, contract: LoadedContract, count: int) -> int:
    """Return the trading day that is so many sessions before the expiry.

    Raises:
        DataError: the expiry is not known.
    """
    if contract.expiry is None:
        raise refused(
            symbol,
            Message("the expiry of {name} isn't known.", name=shown_path(contract.name)),
            Message("List 'contracts' with 'expiry', or choose another rule of 'roll'."),
        )
    expiry = contract.expiry.toordinal() - _EPOCH
    days = np.arange(expiry - 2 * count - 30, expiry + 1)
    open_days = days[is_session_day(days, contract.bars.session)]
    return int(open_days[-1 - count])


def check_dates(symbol: str, contracts: Sequence[LoadedContract], rule: RollRule) -> None:
    """Refuse another number of dates than there are rolls.

    Raises:
        DataError: so it is.
    """
    if len(rule.dates) != len(contracts) - 1:
        raise refused(
            symbol,
            Message(
                "{contracts} contracts have {rolls} rolls, but {dates} 'dates' are given.",
                contracts=len(contracts),
                rolls=len(contracts) - 1,
                dates=len(rule.dates),
            ),
            Message("Give a date for each roll."),
        )


def _check_overlap(
    symbol: str,
    contracts: Sequence[LoadedContract],
    tables: Sequence[DayTable],
    old: int,
    new: int,
    day: int,
) -> None:
    if tables[old].row(day) is None or tables[new].row(day) is None:
        raise _no_overlap(symbol, contracts, old, new, day)


def _no_overlap(symbol: str, contracts: Sequence[LoadedContract], old: int, new: int, day: int) -> DataError:
    one, other = contracts[old], contracts[new]
    return refused(
        symbol,
        Message(
            "on {day}, the day of the roll from {old} to {new}, both need bars; {old} has them until {last}, {new} "
            "from {first} on.",
            day=iso(day),
            old=shown_path(one.name),
            new=shown_path(other.name),
            last=_day_text(one.bars, -1),
            first=_day_text(other.bars, 0),
        ),
        Message("Give data that overlap, or change 'roll'."),
    )


def _day_text(bars: Bars, row: int) -> str:
    return iso(int(trading_days_in_order(bars.open_ns[[row]], bars.session)[0]))


def iso(day: int) -> str:
    """Return a day since 1970 as text."""
    return date.fromordinal(day + _EPOCH).isoformat()


def refused(symbol: str, text: str, remedy: str) -> DataError:
    """Return the error of a series that can't be made."""
    return DataError(Message("{symbol}: {text} {remedy}", symbol=symbol, text=text, remedy=remedy), field="continuous")
