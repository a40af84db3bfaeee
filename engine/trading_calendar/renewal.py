"""Calendars with later days than the tables have, from exchange_calendars where it is installed.

The tables end; a process that runs for months, or an older QuantCrafter, gets past their end. A renewed table differs
from the one that it was made of in later days only, so that what was computed stays as it was.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.trading_calendar.exchange_calendar import DAY_MINUTES, NO_BREAK, CalendarTable, calendar

log = logging.getLogger(__name__)

_EPOCH = date(1970, 1, 1)
_CHICAGO = ("CMES", "CME_ENERGY", "CME_EQUITY", "CME_RATES")
"""Calendars whose hours the library has otherwise: only the days are taken from it."""


def renewed(table: CalendarTable, until: date) -> CalendarTable:
    """Return a table whose days are known up to `until`, or as far as the library knows them; else the table itself."""
    last = _EPOCH + timedelta(days=table.known[1])
    if until <= last:
        return table
    try:
        import exchange_calendars
    except ImportError:
        return table
    name = "CMES" if table.name in _CHICAGO else table.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bound = exchange_calendars.calendar_utils.global_calendar_dispatcher._calendar_factories[name].bound_max()  # noqa: SLF001
            end = until if bound is None else min(until, bound.date())
            if end <= last:
                return table
            found = exchange_calendars.get_calendar(name, start=str(last), end=str(end))
    except (ValueError, KeyError, AttributeError) as error:
        log.warning("%s", Message("The calendar {name} can't be renewed: {reason}", name=table.name, reason=error))
        return table
    return _with_days(table, found, last, end)


def _with_days(table: CalendarTable, found: Any, last: date, end: date) -> CalendarTable:
    days = {day.date(): row for day, row in zip(found.schedule.index, found.schedule.itertuples(), strict=True)}
    is_open = table.is_open.copy()
    hours = [column.copy() for column in (table.opens, table.closes, table.breaks, table.resumes)]
    first_row = int(table.rows(np.array([table.known[1]]))[0]) + 1
    for n in range((end - last).days):
        row, day = first_row + n, last + timedelta(days=n + 1)
        is_open[row] = day in days
        if day in days and table.name not in _CHICAGO:
            session = days[day]
            moments = (session.open, session.close, session.break_start, session.break_end)
            for column, moment in zip(hours, moments, strict=True):
                column[row] = _minute(moment, day, table.timezone)
    first_day = table.known[1] + 1 - first_row
    rows = np.arange(len(is_open))
    opens, closes, breaks, resumes = hours
    return replace(
        table,
        known=(table.known[0], (end - _EPOCH).days),
        is_open=is_open,
        opens=opens,
        closes=closes,
        breaks=breaks,
        resumes=resumes,
        nearest=np.maximum.accumulate(np.where(is_open, rows, 0)) + first_day,
        coming=np.minimum.accumulate(np.where(is_open, rows, len(rows) - 1)[::-1])[::-1] + first_day,
        count=np.concatenate(([0], np.cumsum(is_open))),
    )


def _minute(moment: Any, day: date, zone: str) -> int:
    """Return a moment as minutes after midnight of the session's day."""
    if moment is None or moment != moment:  # noqa: PLR0124 - pandas' NaT differs from itself
        return NO_BREAK
    local = moment.tz_convert(zone)
    return int((local.date() - day).days * DAY_MINUTES + local.hour * 60 + local.minute)


class CalendarBook:
    """Calendars by name, renewed when their end comes near. Used by one thread."""

    def __init__(self) -> None:
        self._renewed: dict[str, CalendarTable] = {}

    def __call__(self, name: str) -> CalendarTable:
        """Return a calendar: renewed, or as the tables have it.

        Raises:
            KeyError: there is no calendar of that name.
        """
        return self._renewed.get(name) or calendar(name)

    def renew(self, name: str, until: date) -> bool:
        """Make a calendar known up to a day, as far as the library knows it; return whether it knows more now."""
        before = self(name)
        after = renewed(before, until)
        self._renewed[name] = after
        return after is not before
