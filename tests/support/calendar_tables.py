"""Calendars of exchanges as compact tables, made by exchange_calendars: `make calendars` writes them.

A table holds the regular hours with the day from which they hold, the weekdays, and what departs from both: days
without a session, sessions on other weekdays, and sessions with other hours. Times are minutes after midnight of the
session's day, below zero on the day before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

FIRST, LAST = date(1990, 1, 1), date(2027, 12, 31)
NAMES = (
    "BVMF", "CMES", "CME_ENERGY", "CME_EQUITY", "CME_RATES", "XAMS", "XASX", "XBOM",
    "XBRU", "XCSE", "XDUB", "XETR", "XHEL", "XHKG", "XJSE", "XKRX", "XLIS",
    "XLON", "XMAD", "XMIL", "XNYS", "XNZE", "XOSL", "XPAR", "XSES", "XSHG", "XSTO", "XSWX", "XTAI", "XTKS", "XTSE",
    "XWBO",
)  # fmt: skip
HALF_DAY, JULY = 13 * 60, 7
Hours = tuple[int, int, int | None, int | None]
CLOSES = {"CMES": ((FIRST, 16 * 60 + 30), (date(2012, 11, 19), 16 * 60 + 15), (date(2015, 9, 21), 16 * 60))}
"""Closes of all sessions in place of those of the library, in minutes, with the day from which they hold.

Chicago's daily break begins at 16:00, but the library says 17:00. Until September 18, 2015, it began at 16:15, and
until November 16, 2012, stock indices traded to 16:30. On days with an early close it says noon for all
products, which is too early for some. Products whose early closes are not known close with the latest.
"""


class Early(NamedTuple):
    """When a group of Chicago's products closes early, in minutes.

    On holidays of New York on which Chicago trades, on other half days of New York, and on those before Independence
    Day; `latest` is when it closed at the latest, at any time.
    """

    holiday: int
    half_day: int
    july: int
    latest: int


GROUPS = {
    "CME_ENERGY": Early(13 * 60 + 30, 12 * 60 + 45, 16 * 60 + 15, 16 * 60 + 15),
    "CME_EQUITY": Early(12 * 60, 12 * 60 + 15, 12 * 60 + 15, 16 * 60 + 30),
    "CME_RATES": Early(12 * 60, 12 * 60 + 15, 16 * 60, 16 * 60),
}
"""Groups of products of the CME by calendar: energy with metals, stock indices, and interest rates.

As CME's holiday schedules of 2013 to 2024 have it, before which there are none here. Where a time changed, it is the
later one: before 2015 stock indices closed at 10:30 on holidays, before 2022 energy and metals at noon.
"""
GROUPS_SINCE = date(2013, 1, 1)


def sessions_of(name: str) -> tuple[str, date, date, dict[date, Hours]]:
    """Return zone, first and last day, and the hours of every session of a calendar, as the library has them,
    apart from `CLOSES` and `GROUPS`.
    """
    if name in GROUPS:
        return _group(GROUPS[name])
    import exchange_calendars
    import pandas as pd

    cls = exchange_calendars.calendar_utils.global_calendar_dispatcher._calendar_factories[name]
    low, high = cls.bound_min(), cls.bound_max()
    first = FIRST if low is None else max(FIRST, low.date())
    last = LAST if high is None else min(LAST, high.date())
    calendar = exchange_calendars.get_calendar(name, start=str(first), end=str(last))

    def minute(moment: Any, day: Any) -> int | None:
        if pd.isna(moment):
            return None
        local = moment.tz_convert(calendar.tz).tz_localize(None)
        return int((local - day) / pd.Timedelta(minutes=1))

    sessions: dict[date, Hours] = {}
    for day, row in zip(calendar.schedule.index, calendar.schedule.itertuples(), strict=True):
        close = minute(row.close, day)
        if close is not None and name in CLOSES:
            close = _close_on(day.date(), name)
        hours = (minute(row.open, day), close)
        breaks = (minute(row.break_start, day), minute(row.break_end, day))
        sessions[day.date()] = (*hours, *breaks)  # type: ignore[assignment]
    if name in CLOSES:
        opens = max(sessions.values())[0]
        mourning = {day: (opens, _close_on(day, name), None, None) for day in _mourning()}
        sessions = dict(sorted({**sessions, **mourning}.items()))
    return str(calendar.tz), first, last, sessions


def _close_on(day: date, name: str) -> int:
    return next(minute for since, minute in reversed(CLOSES[name]) if since <= day)


def _mourning() -> set[date]:
    """Return the days of mourning on which the library closes Chicago, where only some products don't trade."""
    from exchange_calendars.us_holidays import USNationalDaysofMourning

    return {each.date() for each in USNationalDaysofMourning if each.date() >= FIRST}


def _group(early: Early) -> tuple[str, date, date, dict[date, Hours]]:
    """Return what `sessions_of` does, for a group of Chicago's products."""
    zone, first, last, chicago = sessions_of("CMES")
    *_, known, new_york = sessions_of("XNYS")
    sessions: dict[date, Hours] = {}
    mourning = _mourning()
    for day, (opens, closes, pauses, resumes) in chicago.items():
        limit, hours = early.latest, new_york.get(day)
        if day < GROUPS_SINCE or day > known or day in mourning:
            pass
        elif hours is None:
            limit = early.holiday
        elif hours[1] == HALF_DAY:
            limit = early.july if day.month == JULY else early.half_day
        sessions[day] = (opens, min(closes, limit), pauses, resumes)
    return zone, first, last, sessions


def table_of(name: str) -> dict[str, Any]:
    """Return a calendar's table."""
    zone, first, last, sessions = sessions_of(name)
    regular = _regular(sessions)
    weekdays = [day for day in range(7) if sum(each.weekday() == day for each in sessions) > len(sessions) / 20]
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    closed = [day for day in days if day.weekday() in weekdays and day not in sessions]
    extra = [day for day in sessions if day.weekday() not in weekdays]
    odd = {day: hours for day, hours in sessions.items() if hours != _on(day, regular)}
    return {
        "timezone": zone,
        "first": str(first),
        "last": str(last),
        "weekdays": weekdays,
        "hours": [[str(day), *hours] for day, hours in regular],
        "closed": _by_year(closed),
        "extra": _by_year(extra),
        "odd": _odd_by_year(odd),
    }


def _regular(sessions: dict[date, Hours]) -> list[tuple[date, Hours]]:
    """Return the regular hours with the first day on which they hold: those of most sessions around a day."""
    days = sorted(sessions)
    found: list[tuple[date, Hours]] = []
    span = 30
    for place, day in enumerate(days):
        hours = sessions[day]
        if found and hours == found[-1][1]:
            continue
        ahead = [sessions[each] for each in days[place : place + span]]
        if ahead.count(hours) > len(ahead) * 2 / 3 and len(ahead) > span / 2:
            found.append((day, hours))
    return found


def _on(day: date, regular: list[tuple[date, Hours]]) -> Hours:
    return next((hours for start, hours in reversed(regular) if start <= day), regular[0][1])


def _by_year(days: Iterable[date]) -> dict[str, str]:
    years: dict[str, list[str]] = {}
    for day in sorted(days):
        years.setdefault(str(day.year), []).append(f"{day:%m%d}")
    return {year: " ".join(found) for year, found in years.items()}


def _odd_by_year(odd: dict[date, Hours]) -> dict[str, str]:
    years: dict[str, list[str]] = {}
    for day in sorted(odd):
        text = "/".join("" if minute is None else str(minute) for minute in odd[day]).rstrip("/")
        years.setdefault(str(day.year), []).append(f"{day:%m%d}:{text}")
    return {year: " ".join(found) for year, found in years.items()}


def main() -> None:
    """Write the tables of all calendars to standard output."""
    tables = {name: table_of(name) for name in NAMES}
    sys.stdout.write(json.dumps(tables, indent=1) + "\n")


if __name__ == "__main__":
    main()
