"""The calendars' tables against the library that they are made from, and how sessions count by them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quantcrafter.engine.api import Session, Timeframe
from quantcrafter.engine.data.resample_slots import slots
from quantcrafter.engine.trading_calendar.exchange_calendar import NO_BREAK, calendar, calendar_names
from quantcrafter.engine.trading_calendar.trading_days import (
    bounds,
    is_session_day,
    last_session_day,
    next_session_day,
    session_days_between,
)
from tests.support.calendar_tables import NAMES, sessions_of

EPOCH = date(1970, 1, 1)
NYSE = calendar("XNYS").session


def day(text: str) -> np.ndarray:
    return np.array([(date.fromisoformat(text) - EPOCH).days])


def moment(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000_000


def test_there_is_a_table_of_each_calendar() -> None:
    assert sorted(calendar_names()) == sorted(NAMES)


@pytest.mark.filterwarnings("ignore")  # the library's own, of pandas
@pytest.mark.parametrize("name", NAMES)
def test_a_table_says_what_the_library_says(name: str) -> None:
    pytest.importorskip("exchange_calendars")
    zone, first, last, sessions = sessions_of(name)
    table = calendar(name)
    days = np.arange((first - EPOCH).days, (last - EPOCH).days + 1)
    rows = table.rows(days)
    assert table.timezone == zone
    assert table.known == (days[0], days[-1])
    expected = np.array([EPOCH + timedelta(int(each)) in sessions for each in days])
    assert (table.is_open[rows] == expected).all()
    open_rows = rows[expected]
    hours = np.array([[NO_BREAK if each is None else each for each in found] for found in sessions.values()])
    for column, wanted in zip((table.opens, table.closes, table.breaks, table.resumes), hours.T, strict=True):
        assert (column[open_rows] == wanted).all()


def test_new_york_closes_at_one_before_independence_day() -> None:
    opens, closes = bounds(day("2024-07-03"), NYSE)
    assert opens[0] == moment("2024-07-03T09:30", "America/New_York")
    assert closes[0] == moment("2024-07-03T13:00", "America/New_York")
    assert not is_session_day(day("2024-07-04"), NYSE)[0]
    assert next_session_day(day("2024-07-04"), NYSE)[0] == day("2024-07-05")[0]
    assert last_session_day(day("2024-07-04"), NYSE)[0] == day("2024-07-03")[0]


def test_a_holiday_is_no_session_between_two_days() -> None:
    assert session_days_between(day("2024-07-03"), day("2024-07-05"), NYSE)[0] == 0
    assert session_days_between(day("2024-07-01"), day("2024-07-08"), NYSE)[0] == 3


def test_tokyo_closes_at_half_past_three_since_november_2024() -> None:
    tokyo = calendar("XTKS").session
    assert bounds(day("2024-11-01"), tokyo)[1][0] == moment("2024-11-01T15:00", "Asia/Tokyo")
    assert bounds(day("2024-11-05"), tokyo)[1][0] == moment("2024-11-05T15:30", "Asia/Tokyo")


def test_extended_hours_end_earlier_by_as_much_on_a_half_day() -> None:
    extended = Session("America/New_York", 4 * 60, 20 * 60, (0, 1, 2, 3, 4), "XNYS")
    assert bounds(day("2024-07-03"), extended)[1][0] == moment("2024-07-03T17:00", "America/New_York")
    assert bounds(day("2024-07-02"), extended)[1][0] == moment("2024-07-02T20:00", "America/New_York")


def test_bars_are_counted_anew_after_a_lunch_break() -> None:
    shanghai = calendar("XSHG").session
    times = np.array([moment(f"2024-06-03T{clock}", "Asia/Shanghai") for clock in ("10:35", "11:20", "13:00", "14:59")])
    slot = slots(times, Timeframe(1, "h"), shanghai)
    wanted = [("10:30", "11:30"), ("10:30", "11:30"), ("13:00", "14:00"), ("14:00", "15:00")]
    for (start, end), start_ns, end_ns in zip(wanted, slot.start_ns, slot.end_ns, strict=True):
        assert (start_ns, end_ns) == tuple(moment(f"2024-06-03T{each}", "Asia/Shanghai") for each in (start, end))


def test_futures_of_monday_begin_on_sunday_evening() -> None:
    chicago = calendar("CMES").session
    opens, closes = bounds(day("2024-06-03"), chicago)
    assert opens[0] == moment("2024-06-02T17:00", "America/Chicago")
    assert closes[0] == moment("2024-06-03T16:00", "America/Chicago")


def test_futures_do_not_trade_on_good_friday_and_open_before_labor_day() -> None:
    chicago = calendar("CME_EQUITY").session
    assert bounds(day("2024-09-02"), chicago)[0][0] == moment("2024-09-01T17:00", "America/Chicago")
    assert not is_session_day(day("2024-03-29"), chicago)[0]


@pytest.mark.parametrize(
    ("name", "on", "clock"),
    [
        ("CME_EQUITY", "2024-07-03", "12:15"),
        ("CME_EQUITY", "2024-07-04", "12:00"),
        ("CME_EQUITY", "2024-11-28", "12:00"),
        ("CME_EQUITY", "2024-11-29", "12:15"),
        ("CME_EQUITY", "2024-12-24", "12:15"),
        ("CME_EQUITY", "2024-06-19", "12:00"),
        ("CME_EQUITY", "2024-07-05", "16:00"),
        ("CME_ENERGY", "2024-07-03", "16:00"),
        ("CME_ENERGY", "2024-07-04", "13:30"),
        ("CME_ENERGY", "2024-11-28", "13:30"),
        ("CME_ENERGY", "2024-11-29", "12:45"),
        ("CME_ENERGY", "2013-12-24", "12:45"),
        ("CME_RATES", "2024-07-03", "16:00"),
        ("CME_RATES", "2024-07-04", "12:00"),
        ("CME_RATES", "2013-12-24", "12:15"),
        # Of other products the early closes are not known: none is too early.
        ("CMES", "2024-07-04", "16:00"),
        ("CMES", "2024-11-29", "16:00"),
        ("CME_ENERGY", "2025-01-09", "16:00"),
        ("CME_EQUITY", "2012-11-23", "16:15"),
        # The daily break began later until September 2015, for stock indices still later until November 2012.
        ("CME_EQUITY", "2012-11-16", "16:30"),
        ("CME_EQUITY", "2012-11-19", "16:15"),
        ("CME_EQUITY", "2015-09-18", "16:15"),
        ("CME_EQUITY", "2015-09-21", "16:00"),
        ("CME_ENERGY", "2010-06-01", "16:15"),
        ("CME_ENERGY", "2014-07-03", "16:15"),
        ("CME_ENERGY", "2016-06-01", "16:00"),
        ("CME_RATES", "2010-06-01", "16:00"),
        ("CMES", "2014-06-02", "16:15"),
    ],
)
def test_each_group_of_futures_has_its_own_half_days(name: str, on: str, clock: str) -> None:
    assert is_session_day(day(on), calendar(name).session)[0]
    assert bounds(day(on), calendar(name).session)[1][0] == moment(f"{on}T{clock}", "America/Chicago")


def test_days_beyond_a_table_are_regular() -> None:
    far = day("2090-07-05")
    assert is_session_day(far, NYSE)[0]
    assert bounds(far, NYSE)[1][0] == moment("2090-07-05T16:00", "America/New_York")


@pytest.mark.parametrize(("name", "year"), [("XNYS", 252), ("XLON", 253), ("XSHG", 243), ("XTKS", 245)])
def test_sessions_of_an_ordinary_year(name: str, year: int) -> None:
    assert abs(calendar(name).sessions_a_year() - year) <= 1
