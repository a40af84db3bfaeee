from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api import NEW_YORK_STOCKS, DataError, DataProvider, DataRequest, RawBars, Timeframe
from quantcrafter.engine.data.load import LoadedBars, load_bars
from tests.support.market_data import DAY, MINUTE, FixedProvider, minutes, moments, new_york_minutes, raw_bars, texts


def load(raw: object, timeframe: str = "1m", **options: Any) -> LoadedBars:
    range_ = {name: options.pop(name) for name in ("start_ns", "end_ns") if name in options}
    return load_bars(FixedProvider(raw=raw), DataRequest("SPY", Timeframe.parse(timeframe), **range_), **options)


def test_a_daily_bar_of_new_york_opens_and_closes_with_the_session() -> None:
    raw = raw_bars(moments("2024-03-08", "2024-03-11"), stamp="date", session=NEW_YORK_STOCKS)
    bars = load(raw, "1d").bars
    assert texts(bars.open_ns) == ["2024-03-08T14:30", "2024-03-11T13:30"]
    assert texts(bars.close_ns) == ["2024-03-08T21:00", "2024-03-11T20:00"]


def test_closing_stamps_count_back_to_the_open_and_never_before_the_session() -> None:
    times = moments("2024-07-01T14:00", "2024-07-01T15:00", "2024-07-01T16:00", "2024-07-01T17:00")
    bars = load(raw_bars(times, stamp="close", session=NEW_YORK_STOCKS), "1h").bars
    assert texts(bars.open_ns) == ["2024-07-01T13:30", "2024-07-01T14:00", "2024-07-01T15:00", "2024-07-01T16:00"]
    assert texts(bars.close_ns) == texts(times)


def test_the_last_bar_of_a_session_is_cut_at_its_close() -> None:
    times = moments("2024-07-01T17:30", "2024-07-01T18:30", "2024-07-01T19:30")
    assert texts(load(raw_bars(times, session=NEW_YORK_STOCKS), "1h").bars.close_ns)[-1] == "2024-07-01T20:00"


def test_daily_bars_of_a_market_that_never_rests_last_a_day() -> None:
    bars = load(raw_bars(moments("2024-01-01T22:00", "2024-01-02T22:00", "2024-01-03T22:00")), "1d").bars
    assert texts(bars.close_ns) == ["2024-01-02T22:00", "2024-01-03T22:00", "2024-01-04T22:00"]


def test_weekly_dates_close_with_the_last_session_before_the_next() -> None:
    raw = raw_bars(moments("2024-06-03", "2024-06-10", "2024-06-17"), stamp="date", session=NEW_YORK_STOCKS)
    assert texts(load(raw, "1w").bars.close_ns) == ["2024-06-07T20:00", "2024-06-14T20:00", "2024-06-21T20:00"]


def test_monthly_dates_close_with_the_last_session_of_the_month() -> None:
    raw = raw_bars(moments("2024-01-01", "2024-02-01", "2024-03-01"), stamp="date", session=NEW_YORK_STOCKS)
    assert texts(load(raw, "1mo").bars.close_ns) == ["2024-01-31T21:00", "2024-02-29T21:00", "2024-03-28T20:00"]


@given(st.data())
def test_no_bar_closes_after_the_next_one_opens(data: st.DataObject) -> None:
    seconds = data.draw(st.lists(st.integers(0, 3000), min_size=3, max_size=60, unique=True))
    times = moments("2024-07-01T19:00")[0] + np.array(sorted(seconds)) * 10**9
    stamp = data.draw(st.sampled_from(["open", "close"]))
    raw = raw_bars(times, stamp=stamp, session=NEW_YORK_STOCKS, timeframe=Timeframe(1, "s"))
    bars = load(raw, "1s").bars
    assert (bars.close_ns > bars.open_ns).all()
    assert (bars.open_ns[1:] >= bars.close_ns[:-1]).all()


def test_finer_bars_are_resampled_and_coarser_ones_refused() -> None:
    raw = raw_bars(new_york_minutes("2024-07-01", 2), session=NEW_YORK_STOCKS)
    assert len(load(raw, "1d").bars) == 2
    with pytest.raises(DataError, match="bars of 1s can't be made from longer ones, the source has 1m"):
        load(raw, "1s")


def test_thinly_traded_minutes_are_still_minutes() -> None:
    times = minutes("2024-07-01T00:00", 3000)
    thin = times[np.random.default_rng(3).random(3000) < 0.4]
    assert len(load(raw_bars(thin), "1m").bars) == len(thin)


def test_the_length_of_bars_is_told_in_spite_of_disorder() -> None:
    times = minutes("2024-07-01T00:00", 100)
    np.random.default_rng(1).shuffle(times)
    assert len(load(raw_bars(times), "1m", on_bad_bars="repair").bars) == 100


def test_one_bar_is_taken_to_be_as_long_as_asked_for() -> None:
    assert texts(load(raw_bars(moments("2024-07-01T00:00")), "5m").bars.close_ns) == ["2024-07-01T00:05"]


def test_60m_and_1h_are_the_same() -> None:
    bars = load(raw_bars(moments("2024-07-01T00:00", "2024-07-01T01:00", "2024-07-01T02:00")), "60m").bars
    assert (len(bars), bars.timeframe) == (3, Timeframe(60, "m"))


def test_the_range_is_cut_by_opening_times_after_resampling() -> None:
    raw = raw_bars(minutes("2024-07-01T00:00", 240))
    start, end = moments("2024-07-01T01:00", "2024-07-01T03:00")
    bars = load(raw, "1h", start_ns=int(start), end_ns=int(end)).bars
    assert texts(bars.open_ns) == ["2024-07-01T01:00", "2024-07-01T02:00"]
    assert texts(load(raw, "1h", start_ns=int(start) + 1).bars.open_ns)[0] == "2024-07-01T02:00"
    with pytest.raises(DataError, match="The data covers 2024-07-01 to 2024-07-01 03:00 UTC"):
        load(raw, "1h", start_ns=int(end) * 2)


def test_too_few_bars_for_one_complete_bar_are_an_error() -> None:
    with pytest.raises(DataError, match="30 bars of 1m make no complete bar of 1h"):
        load(raw_bars(minutes("2024-07-01T00:00", 30)), "1h")


def test_guesses_and_faults_are_handed_on() -> None:
    raw = raw_bars(minutes("2024-07-01T00:00", 5), notes=("Taken as UTC.",))
    raw = replace(raw, volume=np.array([1.0, 2.0, -3.0, 4.0, 5.0]))
    with pytest.raises(DataError, match="volume below zero"):
        load(raw)
    findings = load(raw, on_bad_bars="repair").findings
    assert [(item.kind, item.row) for item in findings] == [("guess", 0), ("negative_volume", 4)]
    assert str(findings[0]) == "Taken as UTC."
    assert str(findings[1]).endswith("Volume set to 0.")


class Raising(DataProvider):
    """Fails."""

    name = "raising"

    def load(self, request: DataRequest) -> RawBars:
        raise KeyError(request.symbol)


def test_a_provider_that_raises_is_named() -> None:
    with pytest.raises(DataError, match="data provider 'raising' failed: KeyError: 'SPY'"):
        load_bars(Raising(), DataRequest("SPY", DAY))


@pytest.mark.parametrize("raw", [None, raw_bars(minutes("2024-07-01T00:00", 3), stamp="middle")])
def test_a_provider_that_returns_something_else_is_named(raw: object) -> None:
    with pytest.raises(DataError, match="'fixed' must return RawBars"):
        load(raw)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="one length"):
        load(raw_bars(minutes("2024-07-01T00:00", 3), volume=np.zeros(2)))


def test_no_bars_and_impossible_times_are_refused() -> None:
    with pytest.raises(DataError, match="there are no bars"):
        load(raw_bars(moments()))
    with pytest.raises(DataError, match="between 1900 and 2200, row 3"):
        load(raw_bars(moments("2024-01-01", "2250-01-01")), "1d")


def test_ticks_are_refused() -> None:
    times = moments("2024-01-01")[0] + np.arange(20) * 250_000_000
    with pytest.raises(DataError, match=r"these are 0\.25 s"):
        load(raw_bars(times), "1s")


def test_days_that_fall_together_are_refused() -> None:
    times = moments("2024-07-01T23:00", "2024-07-02T13:30", "2024-07-03T13:30")
    raw = raw_bars(times, stamp="open", session=NEW_YORK_STOCKS, timeframe=DAY)
    times_close = load(raw, "1d").bars
    assert (np.diff(times_close.close_ns) > 0).all()


def test_minutes_keep_their_columns_untouched() -> None:
    raw = raw_bars(minutes("2024-07-01T00:00", 50))
    bars = load_bars(FixedProvider(raw=raw), DataRequest("SPY", MINUTE)).bars
    np.testing.assert_array_equal(bars.open_ns, raw.time_ns)
    np.testing.assert_array_equal(bars.close, raw.close)
    assert (bars.symbol, bars.source, bars.synthetic) == ("SPY", "test.csv", False)
