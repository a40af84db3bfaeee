from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from quantcrafter.engine.api import NEW_YORK_STOCKS, ROUND_THE_CLOCK, Bars, Session
from quantcrafter.nodes import logic
from quantcrafter.testing import make_bars, wired

BY_NAME = {cls.name: cls for cls in logic.COMPONENTS}
NEW_YORK = ZoneInfo("America/New_York")
MINUTE_NS = 60_000_000_000


def outputs(name: str, bars: Bars, **values: Any) -> dict[str, np.ndarray]:
    node = wired(BY_NAME[name], **values)
    return dict(zip((output.name for output in node.outputs), node.compute(bars=bars), strict=True))


def ns(*when: int, zone: Any = NEW_YORK) -> int:
    return int(datetime(*when, tzinfo=zone).timestamp()) * 1_000_000_000  # type: ignore[misc, arg-type]


def joined(*parts: Bars) -> Bars:
    """Return bars one after the other, with gaps between the parts."""
    columns = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    values: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    return Bars(symbol="X", timeframe=parts[0].timeframe, session=parts[0].session, **values)


def daily(*dates: tuple[int, int, int], session: Session = NEW_YORK_STOCKS) -> Bars:
    """Return a bar from open to close of each date in New York."""
    parts = [
        make_bars([1.0], first_open_ns=ns(*date, 9, 30), step_ns=390 * MINUTE_NS, session=session) for date in dates
    ]
    return joined(*parts)


def test_session_values_begin_anew_with_each_session() -> None:
    first = make_bars(
        [10, 12, 11],
        high=[11, 13, 12],
        low=[9, 11, 8],
        open_=[10, 11, 12],
        volume=[100, 0, 300],
        first_open_ns=ns(2024, 7, 2, 15, 57),
    )
    second = make_bars(
        [20, 19], high=[21, 22], low=[19, 18], open_=[20, 20], volume=[0, 50], first_open_ns=ns(2024, 7, 3, 9, 30)
    )
    found = outputs("session", joined(first, second))
    np.testing.assert_array_equal(found["open"], [10, 10, 10, 20, 20])
    np.testing.assert_array_equal(found["high"], [11, 13, 13, 21, 22])
    np.testing.assert_array_equal(found["low"], [9, 9, 8, 19, 18])
    np.testing.assert_array_equal(found["volume"], [100, 100, 400, 0, 50])
    np.testing.assert_array_equal(found["bar"], [1, 2, 3, 1, 2])
    typical = (31 / 3 * 300 + 10 * 100) / 400  # (12 + 8 + 11) / 3 and (11 + 9 + 10) / 3
    np.testing.assert_allclose(found["vwap"], [10, 10, typical, np.nan, (22 + 18 + 19) / 3], rtol=1e-14)
    np.testing.assert_array_equal(found["minutes_since_open"], [388, 389, 390, 1, 2])
    np.testing.assert_array_equal(found["minutes_to_close"], [2, 1, 0, 209, 208])  # 3 July closes at 13:00
    np.testing.assert_array_equal(found["new_day"], [True, False, False, True, False])


def test_bars_before_the_open_and_after_the_close_are_no_part_of_the_session() -> None:
    bars = make_bars([50, 10, 60], first_open_ns=ns(2024, 7, 2, 9, 0), step_ns=30 * MINUTE_NS)
    late = make_bars([90], first_open_ns=ns(2024, 7, 2, 16, 0), step_ns=30 * MINUTE_NS)
    found = outputs("session", joined(bars, late))
    np.testing.assert_array_equal(found["high"], [np.nan, 10, 60, 60])
    np.testing.assert_array_equal(found["bar"], [np.nan, 1, 2, 2])
    np.testing.assert_array_equal(found["minutes_to_close"], [390, 360, 330, -30])


def test_the_session_vwap_is_that_of_pandas() -> None:
    rng = np.random.default_rng(4)
    close = 100 + np.cumsum(rng.normal(0, 0.1, 2000))
    volume = rng.integers(1, 1000, 2000).astype(float)
    bars = make_bars(
        close,
        high=close + 0.2,
        low=close - 0.1,
        volume=volume,
        first_open_ns=ns(2024, 7, 1, 0, 0, zone=UTC),
        step_ns=5 * MINUTE_NS,
        session=ROUND_THE_CLOCK,
    )
    frame = pd.DataFrame({"day": bars.open_ns // 86_400_000_000_000, "price": (bars.high + bars.low + bars.close) / 3})
    frame["value"], frame["volume"] = frame.price * volume, volume
    sums = frame.groupby("day")[["value", "volume"]].cumsum()
    np.testing.assert_allclose(outputs("session", bars)["vwap"], sums.value / sums.volume, rtol=1e-12)


def test_an_opening_range_is_known_when_its_minutes_are_over() -> None:
    bars = make_bars(
        [10, 11, 12, 13],
        high=[99, 15, 12, 20],
        low=[2, 10, 8, 1],
        first_open_ns=ns(2024, 7, 2, 9, 15),
        step_ns=15 * MINUTE_NS,
    )
    found = outputs("opening_range", bars, minutes=30)
    np.testing.assert_array_equal(found["high"], [np.nan, np.nan, 15, 15])  # of 9:30 to 10:00; 9:15 is before the open
    np.testing.assert_array_equal(found["low"], [np.nan, np.nan, 8, 8])
    np.testing.assert_array_equal(found["complete"], [False, False, True, True])


def test_an_opening_range_shorter_than_a_bar_is_never_known() -> None:
    bars = make_bars([10, 11], first_open_ns=ns(2024, 7, 2, 9, 30), step_ns=60 * MINUTE_NS)
    found = outputs("opening_range", bars, minutes=30)
    assert np.isnan(found["high"]).all()
    assert not found["complete"].any()


def test_the_calendar_of_thanksgiving_week() -> None:
    found = outputs("calendar", daily((2024, 11, 26), (2024, 11, 27), (2024, 11, 29), (2024, 12, 2), (2024, 12, 20)))
    np.testing.assert_array_equal(found["month"], [11, 11, 11, 12, 12])
    np.testing.assert_array_equal(found["day"], [26, 27, 29, 2, 20])
    np.testing.assert_array_equal(found["weekday"], [1, 2, 4, 0, 4])
    np.testing.assert_array_equal(found["week_of_month"], [4, 4, 5, 1, 3])  # 20 December is the third Friday
    np.testing.assert_array_equal(found["trading_day"], [18, 19, 20, 1, 15])
    np.testing.assert_array_equal(found["trading_days_left"], [2, 1, 0, 20, 6])
    np.testing.assert_array_equal(found["days_to_next"], [1, 2, 3, 1, 3])
    np.testing.assert_array_equal(found["days_since_last"], [1, 1, 2, 3, 1])
    np.testing.assert_array_equal(found["new_week"], [True, False, False, True, True])
    np.testing.assert_array_equal(found["new_month"], [True, False, False, True, False])
    np.testing.assert_array_equal(found["before_holiday"], [False, True, False, False, False])
    np.testing.assert_array_equal(found["after_holiday"], [False, False, True, False, False])


def test_without_a_calendar_weekdays_are_counted() -> None:
    session = Session("America/New_York", 570, 960, (0, 1, 2, 3, 4))
    found = outputs("calendar", daily((2024, 11, 27), (2024, 11, 29), session=session))
    np.testing.assert_array_equal(found["trading_day"], [19, 21])
    np.testing.assert_array_equal(found["trading_days_left"], [2, 0])
    assert not found["before_holiday"].any()


@pytest.mark.filterwarnings("ignore::Warning:exchange_calendars", "ignore:Series.values:Warning")
@pytest.mark.parametrize("year", [2019, 2024])
def test_trading_days_of_a_month_are_those_of_the_exchange(year: int) -> None:
    calendars = pytest.importorskip("exchange_calendars")
    sessions = calendars.get_calendar("XNYS").sessions_in_range(f"{year}-01-01", f"{year}-12-31")
    found = outputs("calendar", daily(*[(day.year, day.month, day.day) for day in sessions]))
    frame = pd.DataFrame({"month": sessions.month})
    number = frame.groupby("month").cumcount() + 1
    np.testing.assert_array_equal(found["trading_day"], number)
    np.testing.assert_array_equal(found["trading_days_left"], frame.groupby("month").month.transform("count") - number)
    np.testing.assert_array_equal(
        found["days_to_next"][:-1], np.diff(sessions.to_numpy()).astype("timedelta64[D]").astype(float)
    )
