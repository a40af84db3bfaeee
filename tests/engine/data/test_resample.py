from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import (
    BAR_COLUMNS,
    NEW_YORK_STOCKS,
    ROUND_THE_CLOCK,
    Bars,
    DataError,
    DataRequest,
    Session,
    Timeframe,
)
from quantcrafter.engine.data.align import as_of
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.resample import resample
from tests.support.counts import sample
from tests.support.market_data import DAY, FixedProvider, bars_at, minutes, moments, new_york_minutes, raw_bars, texts

FRAMES = tuple(Timeframe.parse(text) for text in ("2m", "15m", "1h", "4h", "1d", "2d", "1w", "1mo"))
SESSIONS = (
    ROUND_THE_CLOCK,
    NEW_YORK_STOCKS,
    Session("America/New_York"),
    Session("America/Chicago", 17 * 60, 16 * 60, (0, 1, 2, 3, 4)),
    Session("America/New_York", 17 * 60, 17 * 60),
    Session("Asia/Tokyo", 9 * 60, 15 * 60, (0, 1, 2, 3, 4)),
)
# Stretches around both changes of New York's clocks, a weekend and a month's end.
STARTS = ("2024-03-08T12:00", "2024-11-01T12:00", "2024-02-28T00:00")


@st.composite
def sparse_minutes(draw: st.DrawFn) -> Bars:
    """Bars of a minute with random holes, over several days."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = draw(st.sampled_from((2, 50, 1500, 6000)))
    every = minutes(draw(st.sampled_from(STARTS)), count)
    kept = every[rng.random(count) < draw(st.sampled_from((0.02, 0.5, 1.0)))]
    return bars_at(kept if len(kept) else every[:1], session=draw(st.sampled_from(SESSIONS)))


@settings(max_examples=sample(150, of=2_000), deadline=None)
@given(sparse_minutes(), st.sampled_from(FRAMES))
def test_intraday_bars_keep_volume_extremes_and_order(bars: Bars, timeframe: Timeframe) -> None:
    made = resample(bars, timeframe)
    assert (np.diff(made.open_ns) > 0).all()
    assert (np.diff(made.close_ns) > 0).all()
    assert (made.open_ns[1:] >= made.close_ns[:-1]).all()
    assert (made.close_ns > made.open_ns).all()
    if not timeframe.is_intraday or not len(made):
        return
    covered = bars.slice(0, int(np.searchsorted(bars.open_ns, made.close_ns[-1])))
    assert made.volume.sum() == covered.volume.sum()
    assert made.high.max() == covered.high.max()
    assert made.low.min() == covered.low.min()
    assert made.open[0] == covered.open[0]
    assert made.close[-1] == covered.close[-1]


@settings(max_examples=sample(150, of=2_000), deadline=None)
@given(sparse_minutes(), st.sampled_from(FRAMES), st.floats(0, 1))
def test_more_data_never_change_bars_that_were_given_out(bars: Bars, timeframe: Timeframe, share: float) -> None:
    full = resample(bars, timeframe)
    prefix = resample(bars.slice(0, int(share * len(bars))), timeframe)
    assert len(prefix) <= len(full)
    for name in ("open_ns", "close_ns", *BAR_COLUMNS):
        np.testing.assert_array_equal(getattr(prefix, name), getattr(full, name)[: len(prefix)])


@settings(max_examples=sample(100, of=2_000), deadline=None)
@given(sparse_minutes(), st.sampled_from(FRAMES))
def test_a_longer_bar_is_seen_only_when_all_its_bars_have_closed(bars: Bars, timeframe: Timeframe) -> None:
    made = resample(bars, timeframe)
    seen = as_of(made.close_ns, bars.close_ns)
    for bar, index in enumerate(seen.tolist()):
        if index >= 0:
            # What is seen at this bar can be computed from the bars up to it.
            known = bars.slice(0, bar + 1)
            since = known.open_ns >= made.open_ns[index]
            within = since & (known.close_ns <= made.close_ns[index])
            assert made.close[index] == known.close[within][-1]
            assert made.high[index] <= known.high[within].max()


def test_hours_of_stocks_are_counted_from_the_open_and_the_last_is_short() -> None:
    made = resample(bars_at(new_york_minutes("2024-07-01", 1), session=NEW_YORK_STOCKS), Timeframe(1, "h"))
    assert texts(made.open_ns)[:2] == ["2024-07-01T13:30", "2024-07-01T14:30"]
    assert texts(made.open_ns)[-1] == "2024-07-01T19:30"
    assert texts(made.close_ns)[-1] == "2024-07-01T20:00"
    assert len(made) == 7


def test_missing_minutes_shift_nothing() -> None:
    times = new_york_minutes("2024-07-01", 1)
    holes = np.delete(times, [0, 1, 2, 59, 60, 61])
    full = resample(bars_at(times, session=NEW_YORK_STOCKS), Timeframe(30, "m"))
    made = resample(bars_at(holes, session=NEW_YORK_STOCKS), Timeframe(30, "m"))
    assert texts(made.open_ns) == texts(full.open_ns)
    assert texts(made.close_ns) == texts(full.close_ns)


def test_an_incomplete_last_bar_is_held_back_until_its_end() -> None:
    times = minutes("2024-07-01T00:00", 120)
    assert len(resample(bars_at(times), Timeframe(1, "h"))) == 2
    assert len(resample(bars_at(times[:-1]), Timeframe(1, "h"))) == 1


def test_days_follow_the_clock_of_the_session_over_a_change_of_clocks() -> None:
    made = resample(bars_at(new_york_minutes("2024-03-08", 2), session=NEW_YORK_STOCKS), DAY)
    assert texts(made.open_ns) == ["2024-03-08T14:30", "2024-03-11T13:30"]
    assert texts(made.close_ns) == ["2024-03-08T21:00", "2024-03-11T20:00"]


def test_a_local_day_of_23_hours_is_one_day() -> None:
    local = Session("America/New_York")
    made = resample(bars_at(minutes("2024-03-10T05:00", 23 * 60), session=local), DAY)
    assert texts(made.open_ns) + texts(made.close_ns) == ["2024-03-10T05:00", "2024-03-11T04:00"]


def daily(*days: str) -> Bars:
    raw = raw_bars(moments(*days), stamp="date", session=NEW_YORK_STOCKS, timeframe=DAY)
    return load_bars(FixedProvider(raw=raw), DataRequest("X", DAY)).bars


def test_a_week_runs_from_monday_to_the_close_of_friday() -> None:
    week = [f"2024-06-{day:02d}" for day in (3, 4, 5, 6, 7, 10)]
    made = resample(daily(*week), Timeframe(1, "w"))
    assert texts(made.open_ns) + texts(made.close_ns) == ["2024-06-03T13:30", "2024-06-07T20:00"]


def test_a_week_whose_friday_is_a_holiday_closes_on_thursday() -> None:
    week = ["2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28"]  # 29 March was Good Friday
    assert len(resample(daily(*week[:3]), Timeframe(1, "w"))) == 0
    assert texts(resample(daily(*week), Timeframe(1, "w")).close_ns) == ["2024-03-28T20:00"]


def test_without_a_calendar_a_week_closes_at_its_nominal_end() -> None:
    bars = daily("2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28")
    made = resample(replace(bars, session=replace(bars.session, calendar="")), Timeframe(1, "w"))
    assert len(made) == 0


def test_months_follow_the_calendar() -> None:
    made = resample(daily("2024-01-31", "2024-02-01", "2024-02-29", "2024-03-01"), Timeframe(1, "mo"))
    assert texts(made.open_ns) == ["2024-01-02T14:30", "2024-02-01T14:30"]
    assert texts(made.close_ns) == ["2024-01-31T21:00", "2024-02-29T21:00"]


def test_bars_outside_the_session_do_not_enter_its_daily_bar() -> None:
    times = moments("2024-07-01T12:00", "2024-07-01T13:30", "2024-07-01T19:59", "2024-07-01T22:00")
    bars = replace(bars_at(times, session=NEW_YORK_STOCKS), volume=np.array([1.0, 10.0, 100.0, 1000.0]))
    made = resample(bars, DAY)
    assert made.volume.tolist() == [110.0]
    assert texts(made.close_ns) == ["2024-07-01T20:00"]


@pytest.mark.parametrize(
    ("source", "target"), [("1d", "1h"), ("1h", "90m"), ("1w", "1mo"), ("15m", "20m"), ("2d", "1w"), ("1w", "1d")]
)
def test_a_timeframe_that_does_not_fit_is_refused(source: str, target: str) -> None:
    bars = bars_at(moments("2024-07-01", "2024-07-08", "2024-07-15"), Timeframe.parse(source))
    with pytest.raises(DataError, match=f"bars of {target} can't be made"):
        resample(bars, Timeframe.parse(target))


def test_a_timeframe_longer_than_a_day_in_hours_is_refused() -> None:
    with pytest.raises(DataError, match="Write it in days"):
        resample(bars_at(minutes("2024-07-01T00:00", 10)), Timeframe(48, "h"))
