from __future__ import annotations

import numpy as np
import pytest

from quantcrafter.engine.api import NEW_YORK_STOCKS, ROUND_THE_CLOCK, Session
from quantcrafter.engine.trading_calendar.trading_days import (
    bounds,
    is_round_the_clock,
    session_days_between,
    trading_days,
    trading_days_in_order,
)
from tests.support.market_data import moments, texts

FUTURES = Session("America/Chicago", 17 * 60, 16 * 60, (0, 1, 2, 3, 4))


def day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))


def test_new_york_opens_at_the_same_wall_time_all_year() -> None:
    opens, closes = bounds(np.array([day("2024-03-08"), day("2024-03-11"), day("2024-11-04")]), NEW_YORK_STOCKS)
    assert texts(opens) == ["2024-03-08T14:30", "2024-03-11T13:30", "2024-11-04T14:30"]
    assert texts(closes) == ["2024-03-08T21:00", "2024-03-11T20:00", "2024-11-04T21:00"]


def test_an_overnight_session_belongs_to_the_day_on_which_it_closes() -> None:
    sunday_evening = moments("2024-01-07T23:00", "2024-01-08T21:59", "2024-01-08T23:00")
    assert trading_days(sunday_evening, FUTURES).tolist() == [day("2024-01-08"), day("2024-01-08"), day("2024-01-09")]
    opens, closes = bounds(np.array([day("2024-01-08")]), FUTURES)
    assert texts(opens) + texts(closes) == ["2024-01-07T23:00", "2024-01-08T22:00"]


def test_equal_hours_mean_round_the_clock() -> None:
    assert is_round_the_clock(ROUND_THE_CLOCK)
    assert is_round_the_clock(Session("America/New_York", 17 * 60, 17 * 60))
    assert not is_round_the_clock(NEW_YORK_STOCKS)


@pytest.mark.parametrize(
    ("first", "last", "between"),
    [("2024-01-05", "2024-01-08", 0), ("2024-01-05", "2024-01-09", 1), ("2024-01-01", "2024-01-15", 9)],
)
def test_sessions_between_two_days_leave_out_weekends(first: str, last: str, between: int) -> None:
    counted = session_days_between(np.array([day(first)]), np.array([day(last)]), NEW_YORK_STOCKS)
    assert counted.tolist() == [between]


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "America/Havana", "America/Sao_Paulo", "Asia/Beirut"])
@pytest.mark.parametrize("hours", [(0, 0), (570, 960), (1020, 960)])
def test_days_of_moments_in_order_are_the_same_however_they_are_found(timezone: str, hours: tuple[int, int]) -> None:
    session = Session(timezone, *hours)
    rng = np.random.default_rng(1)
    for count in (0, 1, 2, 5_000):
        times = np.sort(rng.integers(0, 1_600_000_000, count)) * 1_000_000_000
        np.testing.assert_array_equal(trading_days_in_order(times, session), trading_days(times, session))
