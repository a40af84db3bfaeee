"""Sessions as users name them, and the guess which session, zone and stamp a table's times mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from quantcrafter.engine.api import NEW_YORK_STOCKS, ROUND_THE_CLOCK, Session, TimeColumn
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.markets import NEW_YORK_DAY
from quantcrafter.engine.data.spacing import spacing_ns
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar
from quantcrafter.engine.trading_calendar.trading_days import bounds, hours, is_round_the_clock, trading_days, weekdays
from quantcrafter.engine.trading_calendar.zones import DAY_NS, MINUTE_NS, to_local, to_utc

if TYPE_CHECKING:
    from quantcrafter.engine.data.findings import Finding

_HOURS = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d) ?- ?([01]?\d|2[0-4]):([0-5]\d)(?: +(\S+))?$")
_WEEK = 7
_WORKDAYS = (0, 1, 2, 3, 4)
_FRIDAY, _SUNDAY = 4, 6
_EVENING_NS = DAY_NS // 2
_MOST = 0.5
_WEEKENDS = 3
_SHORTEST_WEEK_NS = 5 * DAY_NS
_MONTH_END_DAYS = 4


class GuessedSession(NamedTuple):
    """What times mean: the zone of naive ones, the trading session, and what a stamp marks."""

    zone: str
    session: Session
    stamp: str
    notes: tuple[str, ...]
    guessed: bool = False
    days_later: int = 0
    """By how many days dates are before those of their sessions."""


def check_zone(name: str) -> str:
    """Return the name of a time zone.

    Raises:
        ValueError: there is no such zone.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(
            Message("a time zone is a name such as UTC, America/New_York or Europe/Berlin, was {name}", name=repr(name))
        ) from error
    return name


def parse_session(text: str, zone: str) -> Session | None:
    """Return the session that `text` names, with Monday to Friday for hours; None for `auto`.

    Raises:
        ValueError: it names none.
    """
    named = {"auto": None, "24x7": replace(ROUND_THE_CLOCK, timezone=zone), "us_stocks": NEW_YORK_STOCKS}
    if text in named:
        return named[text]
    match = _HOURS.match(text)
    if match is None:
        raise ValueError(
            Message(
                "a session is auto, 24x7, us_stocks or hours such as '09:00-17:30 Europe/Berlin', was {text}",
                text=repr(text),
            )
        )
    opening, closing = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    return Session(check_zone(match[5] or zone), opening, closing, _WORKDAYS)


def market_of_dates(
    days: TimeColumn, session: str, timezone: str, stamp: str, known: Session | None = None
) -> GuessedSession:
    """Return what days without a time of day (nanoseconds, at midnight) mean; `known` is the session of their market.

    Without either a day ends at midnight, so that no bar is known before any exchange has closed.
    """
    zone = "UTC" if timezone == "auto" else timezone
    chosen, notes = parse_session(session, zone) or known, []
    guessed = chosen is None
    if stamp == "auto" and session in ("auto", "24x7") and _are_openings(days):
        notes.append(
            Message(
                "Dates are Sunday to Thursday: taken as the days on which sessions open, which close a day later. Set "
                "'stamp: close' if they close on these dates."
            )
        )
        found = market_of_dates(days + DAY_NS, session, timezone, "date", known)
        return found._replace(notes=(*notes, *found.notes), days_later=1)
    if chosen is None:
        daily = (spacing_ns(days) or DAY_NS) < _SHORTEST_WEEK_NS
        works = daily and not _has_weekends(days)
        chosen = replace(ROUND_THE_CLOCK, timezone=zone, weekdays=_WORKDAYS if works else ROUND_THE_CLOCK.weekdays)
        if works or not daily:
            notes.append(
                Message(
                    "Dates only, and no market is named: bars are taken to close at midnight {zone}, later than on any "
                    "exchange. Set 'market' or 'session' for the true close.",
                    zone=zone,
                )
            )
    if stamp == "auto":
        stamp = "close" if _at_period_ends(days) else "date"
        if stamp == "close":
            notes.append(
                Message(
                    "Dates are at the ends of weeks or months: taken as closing days. Set 'stamp' if this is wrong."
                )
            )
    return GuessedSession(chosen.timezone, chosen, stamp, tuple(notes), guessed)


def market_of_times(
    times: TimeColumn,
    *,
    naive: bool,
    session: str,
    timezone: str,
    stamp: str,
    known: Session | None = None,
    known_zone: str = "",
) -> GuessedSession:
    """Return what times mean; `times` are wall times when `naive`, else UTC, in nanoseconds.

    `known` and `known_zone` are the session of their market and the zone in which it is usual to write times.
    """
    notes: list[str] = []
    zone = timezone
    chosen = parse_session(session, "UTC" if timezone == "auto" else timezone)
    guessed, is_sure = False, _names_zone(session)
    if chosen is None and known is not None:
        chosen = known
        if naive and zone == "auto":
            zone, is_sure = _zone_of(times, known, known_zone)
    elif chosen is None:
        chosen, zone, found = _guessed(times, naive=naive, timezone=timezone)
        notes += found
        guessed, is_sure = True, chosen is not None
    if zone == "auto":
        zone = chosen.timezone if chosen is not None else "UTC"
    if naive and timezone == "auto":
        notes.append(_zone_shown(zone) if is_sure else _zone_guess(zone))
    if chosen is None:
        chosen = _by_weekdays(times, zone, naive=naive)
    wall = _wall(times, zone, chosen.timezone, naive=naive)
    if session not in ("auto", "24x7", "us_stocks") and not hours(chosen).day_shift and _has_weekends(wall):
        chosen = replace(chosen, weekdays=ROUND_THE_CLOCK.weekdays)
    if stamp == "auto":
        stamp = "open" if is_round_the_clock(chosen) else stamp_in(wall, chosen) or "open"
        if stamp == "close":
            notes.append(
                Message(
                    "Days end with a bar at the session's close: taken as closing times. Set 'stamp' if this is wrong."
                )
            )
    return GuessedSession(zone, chosen, stamp, tuple(notes), guessed)


def _zone_guess(zone: str) -> Message:
    return Message("Times have no time zone: taken as {zone}. Set 'timezone' if this is wrong.", zone=zone)


def _zone_shown(zone: str) -> Message:
    return Message(
        "Times have no time zone: taken as {zone}, as the trading hours say. Set 'timezone' if this is wrong.",
        zone=zone,
    )


def zone_before(zone: str) -> Message:
    """Return the note on bars whose zone was a guess when they were imported."""
    return Message(
        "Times had no time zone when they were imported: taken as {zone}. If this is wrong, import them anew with "
        "'--fresh --set timezone=...'.",
        zone=zone,
    )


def assumed_zone(findings: Iterable[Finding]) -> str:
    """Return the zone in which times without one were read, '' if the file, its hours or the user say their zone."""
    guesses = [_zone_guess("").template, zone_before("").template]
    for each in findings:
        note = each.message
        if each.kind == "guess" and isinstance(note, Message) and note.template in guesses:
            return str(note.parameters["zone"])
    return ""


def _names_zone(session: str) -> bool:
    """Return whether the text of a session names the zone of its hours."""
    match = _HOURS.match(session)
    return session == "us_stocks" or (match is not None and bool(match[5]))


def _are_openings(days_ns: TimeColumn) -> bool:
    """Return whether dates are those on which sessions open in the evening: Sunday to Thursday, for Monday to Friday.

    So are days of Asia at midnight there, written in UTC. Exchanges that trade on Sundays are taken for later ones.
    """
    spacing = spacing_ns(days_ns)
    if spacing is None or spacing >= _SHORTEST_WEEK_NS:
        return False
    days = np.unique(days_ns // DAY_NS)
    found = set(weekdays(days).tolist())
    reaches_friday = bool((weekdays(np.arange(days[0], days[-1] + 1)) == _FRIDAY).any())
    return _SUNDAY in found and not found & {_FRIDAY, _SUNDAY - 1} and (reaches_friday or len(found) >= len(_WORKDAYS))


def are_evenings(wall_ns: TimeColumn) -> bool:
    """Return whether times of days are all the same one of an evening, on dates of which sessions open."""
    of_day = np.unique(wall_ns % DAY_NS)
    return len(of_day) == 1 and int(of_day[0]) >= _EVENING_NS and _are_openings(wall_ns)


def _guessed(times: TimeColumn, *, naive: bool, timezone: str) -> tuple[Session | None, str, list[str]]:
    """Return the session that bars keep to, the zone that they are then written in, and what to tell."""
    if naive and timezone == "auto" and (code := _lunching(times)):
        session = calendar(code).session
        note = Message(
            "Bars keep to the hours of {name}, with its lunch break: taken as its time. Set 'market' or 'session' if "
            "this is wrong.",
            name=_CITIES[code],
        )
        return session, session.timezone, [note]
    candidates = [NEW_YORK_STOCKS.timezone, "UTC"] if naive and timezone == "auto" else [timezone]
    for candidate in candidates:
        wall = _wall(times, candidate, NEW_YORK_STOCKS.timezone, naive=naive)
        if stamp_in(wall, NEW_YORK_STOCKS) is not None:
            note = Message(
                "Bars keep to 09:30-16:00 New York time: taken as US stocks. "
                "Set 'market' or 'session' if this is wrong."
            )
            return _with_calendar(wall), candidate, [note]
    return None, timezone, []


_LUNCHES = {
    "XSHG": (9 * 60 + 30, 11 * 60 + 30, 13 * 60, 15 * 60),
    "XHKG": (9 * 60 + 30, 12 * 60, 13 * 60, 16 * 60),
}
"""Open, lunch break and close of exchanges within the hours of New York, in minutes; the shorter hours first."""
_CITIES = {"XSHG": "Shanghai", "XHKG": "Hong Kong"}


def _lunching(wall: TimeColumn) -> str:
    """Return the calendar of the exchange whose halves of a day wall times keep to, '' if there is none.

    On most days the morning has to end at the break and the afternoon to begin after it. No bar may be outside, or
    elsewhere than its length from the others.
    """
    spacing = spacing_ns(wall)
    if spacing is None or spacing % MINUTE_NS or spacing > 60 * MINUTE_NS:
        return ""
    step, day, minute = spacing // MINUTE_NS, wall // DAY_NS, wall % DAY_NS // MINUTE_NS
    for code, (opening, stops, resumes, closing) in _LUNCHES.items():
        for later in (0, 1):  # times are opens, or closes
            of_bar = minute - later
            morning, afternoon = (opening <= of_bar) & (of_bar < stops), (resumes <= of_bar) & (of_bar < closing)
            counted = (minute - np.where(morning, opening, resumes)) % step == 0
            counted |= (later == 1) & ((minute == stops) | (minute == closing))
            if not (counted & (morning | afternoon)).all() or not morning.any() or not afternoon.any():
                continue
            days, number = np.unique(day, return_inverse=True)
            ends, begins = np.full(len(days), -1), np.full(len(days), closing + step)
            np.maximum.at(ends, number[morning], minute[morning])
            np.minimum.at(begins, number[afternoon], minute[afternoon])
            at_break = (ends >= stops - (0 if later else step)) & (begins <= resumes + later * step)
            if np.mean(at_break) > _MOST:
                return code
    return ""


def _with_calendar(wall: TimeColumn) -> Session:
    """Return the session of US stocks: with its half days, unless bars are beyond their close."""
    days = np.unique(wall // DAY_NS)
    _, closes = bounds(days, NEW_YORK_STOCKS)
    late = to_utc(wall, NEW_YORK_STOCKS.timezone) > closes[np.searchsorted(days, wall // DAY_NS)]
    return replace(NEW_YORK_STOCKS, calendar="") if late.any() else NEW_YORK_STOCKS


def _zone_of(times: TimeColumn, known: Session, known_zone: str) -> tuple[str, bool]:
    """Return the zone of wall times, the one in which they keep to the hours of their market, and whether one is."""
    if is_round_the_clock(known):
        return known_zone or known.timezone, False
    for zone in (known.timezone, "UTC"):
        if stamp_in(_wall(times, zone, known.timezone, naive=True), known) is not None:
            return zone, True
    return known.timezone, False


def _by_weekdays(times: TimeColumn, zone: str, *, naive: bool) -> Session:
    """Return the round-the-clock session of bars: Monday to Friday where none of several weekends has any.

    Bars from Sunday evening to Friday evening in New York keep the days of currencies, which end there at 17:00.
    """
    session = replace(ROUND_THE_CLOCK, timezone=zone)
    spacing = spacing_ns(times)
    if spacing is None or spacing >= _SHORTEST_WEEK_NS or times.max() - times.min() < _WEEKENDS * _WEEK * DAY_NS:
        return session
    if not _has_weekends(_wall(times, zone, zone, naive=naive)):
        return replace(session, weekdays=_WORKDAYS)
    utc = to_utc(times, zone) if naive else times
    days = trading_days(utc, NEW_YORK_DAY)
    return NEW_YORK_DAY if spacing < DAY_NS and not (weekdays(days) > _FRIDAY).any() else session


def _wall(times: TimeColumn, zone: str, session_zone: str, *, naive: bool) -> TimeColumn:
    """Return wall times in the session's zone."""
    if naive:
        return times if zone == session_zone else to_local(to_utc(times, zone), session_zone)
    return to_local(times, session_zone)


def stamp_in(wall_ns: TimeColumn, session: Session) -> str | None:
    """Return whether most days of bars begin at the session's open (`open`) or end at its close (`close`).

    None when neither is so, or a bar is outside the session.
    """
    opening, closing, shift = hours(session)
    if shift or (tuple(session.weekdays) == _WORKDAYS and _has_weekends(wall_ns)):
        return None
    ordered = np.sort(wall_ns)
    of_day = ordered % DAY_NS
    if of_day.min() < opening * MINUTE_NS or of_day.max() > closing * MINUTE_NS:
        return None
    new_day = np.flatnonzero(np.diff(ordered // DAY_NS))
    if not len(new_day) and of_day[-1] < (closing - 60) * MINUTE_NS:
        return None  # part of one day shows no habit
    first, last = np.append(0, new_day + 1), np.append(new_day, len(ordered) - 1)
    if np.mean(of_day[first] == opening * MINUTE_NS) > _MOST:
        return "open"
    return "close" if np.mean(of_day[last] == closing * MINUTE_NS) > _MOST else None


def _has_weekends(wall_ns: TimeColumn) -> bool:
    return bool((weekdays(wall_ns // DAY_NS) > _FRIDAY).any())


def _at_period_ends(days_ns: TimeColumn) -> bool:
    spacing = spacing_ns(days_ns)
    if spacing is None or spacing < 5 * DAY_NS:
        return False
    days = days_ns // DAY_NS
    if spacing < 10 * DAY_NS:
        return bool(np.mean(weekdays(days) == _FRIDAY) > _MOST)
    months = days.astype("datetime64[D]").astype("datetime64[M]") + 1
    left = months.astype("datetime64[D]").astype(np.int64) - days
    return bool(np.mean(left <= _MONTH_END_DAYS) > _MOST)
