"""Calendars of exchanges: which days have a session, and its hours, breaks included.

The tables are in `resources/calendars.json`; `make calendars` makes them from exchange_calendars. A day outside the
span of a table is taken as regular: its holidays are not known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import BoolColumn, Session, TimeColumn
from quantcrafter.engine.trading_calendar.zones import FIRST_YEAR, LAST_YEAR

DAY_MINUTES = 1440
NO_BREAK = -DAY_MINUTES
"""The minute of a break's begin and end on a day without one."""
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST_DAY = date(FIRST_YEAR - 3, 1, 1).toordinal() - _EPOCH
_END_DAY = date(LAST_YEAR + 3, 1, 1).toordinal() - _EPOCH
_EPOCH_WEEKDAY = 3
Minutes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CalendarTable:
    """A calendar as columns by day, the first of which is `_FIRST_DAY`.

    `opens`, `closes`, `breaks` and `resumes` are minutes after midnight of the session's day, below zero on the day
    before; `known` are the first and last day (since 1970) of which holidays are known. `nearest` holds for each day
    the last one up to it that has a session, `coming` the first one from it on, `count` how many there are before it.
    """

    name: str
    timezone: str
    known: tuple[int, int]
    regular: tuple[int, int]
    is_open: BoolColumn
    opens: Minutes
    closes: Minutes
    breaks: Minutes
    resumes: Minutes
    nearest: TimeColumn
    coming: TimeColumn
    count: TimeColumn

    def rows(self, days: TimeColumn) -> TimeColumn:
        """Return the rows of days since 1970, those at the ends for days beyond."""
        return np.clip(days - _FIRST_DAY, 0, len(self.is_open) - 1)

    @property
    def session(self) -> Session:
        """The regular session of today, with this calendar."""
        opening, closing = (minute % DAY_MINUTES for minute in self.regular)
        table = self.is_open[-2 * 365 : -365]
        days = (np.flatnonzero(table) + _END_DAY - 2 * 365 + _EPOCH_WEEKDAY) % 7
        return Session(self.timezone, opening, closing, tuple(sorted(set(days.tolist()))), self.name)

    def sessions_a_year(self) -> int:
        """Return how many sessions an ordinary year has: the mean of the last ten that are known."""
        last = self.known[1] - _FIRST_DAY
        return round(float(self.count[last + 1] - self.count[last + 1 - 3652]) / 10)


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, Any]]:
    text = resources.files("quantcrafter.resources").joinpath("calendars.json").read_text(encoding="utf-8")
    tables: dict[str, dict[str, Any]] = json.loads(text)
    return tables


def calendar_names() -> tuple[str, ...]:
    """Return the names of all calendars, which are codes of exchanges such as XNYS."""
    return tuple(_tables())


@lru_cache(maxsize=64)
def calendar(name: str) -> CalendarTable:
    """Return a calendar.

    Raises:
        KeyError: there is no calendar of that name.
    """
    table = _tables()[name]
    days = np.arange(_FIRST_DAY, _END_DAY)
    hours: Minutes = np.full((4, len(days)), NO_BREAK, np.int64)
    regular: list[Any] = [0, DAY_MINUTES]
    for number, (since, *regular) in enumerate(table["hours"]):
        start = 0 if number == 0 else _day(since) - _FIRST_DAY
        hours[:, start:] = np.array(_minutes(regular))[:, None]
    is_open = np.isin((days + _EPOCH_WEEKDAY) % 7, table["weekdays"])
    is_open[_listed(table["closed"])] = False
    is_open[_listed(table["extra"])] = True
    for year, texts in table["odd"].items():
        for text in texts.split():
            day, _, minutes = text.partition(":")
            hours[:, _row(year, day)] = _minutes([int(each) if each else None for each in minutes.split("/")])
    rows = np.arange(len(days))
    nearest = np.maximum.accumulate(np.where(is_open, rows, 0)) + _FIRST_DAY
    coming = np.minimum.accumulate(np.where(is_open, rows, len(days) - 1)[::-1])[::-1] + _FIRST_DAY
    count = np.concatenate(([0], np.cumsum(is_open)))
    known = (_day(table["first"]), _day(table["last"]))
    span = (int(regular[0]), int(regular[1]))
    opens, closes, breaks, resumes = hours
    return CalendarTable(
        name, table["timezone"], known, span, is_open, opens, closes, breaks, resumes, nearest, coming, count
    )


def _minutes(given: list[int | None]) -> list[int]:
    padded = [*given, None, None][:4]
    return [NO_BREAK if minute is None else minute for minute in padded]


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - _EPOCH


def _row(year: str, day: str) -> int:
    return date(int(year), int(day[:2]), int(day[2:])).toordinal() - _EPOCH - _FIRST_DAY


def _listed(years: dict[str, str]) -> list[int]:
    return [_row(year, day) for year, days in years.items() for day in days.split()]
