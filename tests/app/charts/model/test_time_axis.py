"""The time axis: labels that suit the zoom, in the exchange's zone, without gaps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.charts.model.dates import parse_date
from quantcrafter.app.charts.model.texts import tick_text
from quantcrafter.app.charts.model.time_axis import BarClock
from quantcrafter.engine.api.bars import NEW_YORK_STOCKS
from tests.support.ledgers import walk_bars

DAILY = BarClock(walk_bars(3000))
MINUTES = BarClock(walk_bars(200_000, timeframe="1m"))


def texts(clock: BarClock, left: float, right: float, most: int = 8) -> list[str]:
    return [tick_text(tick) for tick in clock.ticks(left, right, most)]


def test_years_are_told_from_afar_months_and_days_from_near() -> None:
    assert texts(DAILY, 0, 2999, 8) == ["2015", "2018", "2020", "2022", "2024", "2026"]
    assert texts(DAILY, 1000, 1180, 8) == ["Dec", "2019", "Feb", "Mar", "Apr", "May", "Jun", "Jul"]
    assert texts(DAILY, 1000, 1022, 8) == ["8", "15", "22", "Dec"]


def test_hours_and_minutes_are_told_within_days() -> None:
    assert texts(MINUTES, 1440 * 3, 1440 * 5, 9) == [
        "4",
        "06:00",
        "12:00",
        "18:00",
        "5",
        "06:00",
        "12:00",
        "18:00",
        "6",
    ]
    assert texts(MINUTES, 600, 660, 8) == ["10:00", "10:15", "10:30", "10:45", "11:00"]
    found = MINUTES.ticks(1440 * 3 - 0.5, 1440 * 4 + 0.5, 8)
    assert {tick.time.hour % 3 for tick in found} == {0}
    assert [tick.kind for tick in found if tick.time.hour == 0] == ["day", "day"]


@given(st.integers(0, 2900), st.floats(3, 3000), st.integers(1, 15))
def test_ticks_are_bars_in_view_in_order_and_never_too_many(start: int, width: float, most: int) -> None:
    for clock in (DAILY, MINUTES):
        ticks = clock.ticks(start, start + width, most)
        bars = [tick.bar for tick in ticks]
        assert bars == sorted(set(bars))
        assert all(start <= bar <= min(start + width, len(clock) - 1) for bar in bars)
        assert len(bars) <= most / 0.7 + 1


def test_a_weekend_takes_no_room() -> None:
    monday = next(bar for bar in range(1, 20) if DAILY.time(bar).weekday() == 0)
    assert (DAILY.time(monday) - DAILY.time(monday - 1)).days == 3


def test_times_are_those_of_the_exchange() -> None:
    bars = walk_bars(10)
    assert bars.session.timezone == "America/New_York"
    assert BarClock(bars).time(0) == datetime(2015, 1, 2, 9, 30, tzinfo=ZoneInfo("America/New_York"))
    assert BarClock(bars).text(0) == "2015-01-02"
    assert MINUTES.time(0) == datetime(2020, 1, 1, tzinfo=UTC)
    assert MINUTES.text(61) == "2020-01-01 01:01"


def test_an_unknown_zone_means_utc() -> None:
    bars = replace(walk_bars(3), session=replace(NEW_YORK_STOCKS, timezone="Mars/Olympus"))
    assert BarClock(bars).zone_name == "UTC"


@given(st.integers(0, 2999))
def test_a_bars_own_time_leads_to_it(bar: int) -> None:
    assert DAILY.bar_at(DAILY.time(bar)) == bar


def test_a_date_leads_to_its_bar_or_the_next_and_never_beyond_the_data() -> None:
    assert DAILY.text(DAILY.bar_at(datetime(2016, 7, 4))) == "2016-07-04"  # noqa: DTZ001 - the exchange's day
    assert DAILY.text(DAILY.bar_at(datetime(2016, 7, 2))) == "2016-07-04"  # noqa: DTZ001 - a Saturday
    assert DAILY.bar_at(datetime(1990, 1, 1)) == 0  # noqa: DTZ001
    assert DAILY.bar_at(datetime(2990, 1, 1)) == len(DAILY) - 1  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2012", "2012-01-01"),
        (" 2012-05 ", "2012-05-01"),
        ("2012/5/3", "2012-05-03"),
        ("2012-05-03 14:30", "2012-05-03 14:30"),
        ("2012-05-03T14:30:15", "2012-05-03 14:30:15"),
    ],
)
def test_dates_are_read_as_far_as_they_are_typed(text: str, expected: str) -> None:
    assert parse_date(text) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("text", ["", "yesterday", "2012-13", "2012-02-30", "12", "2012-05-03 25:00"])
def test_what_is_no_date_is_refused(text: str) -> None:
    assert parse_date(text) is None


def test_one_bar_has_one_tick() -> None:
    bars = walk_bars(1)
    assert texts(BarClock(bars), -3, 3) == ["2015"]
    assert np.isfinite(bars.close).all()
