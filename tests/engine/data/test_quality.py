from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api import NEW_YORK_STOCKS, ROUND_THE_CLOCK, DataError, RawBars, Severity, Timeframe
from quantcrafter.engine.data.markets import NEW_YORK_DAY
from quantcrafter.engine.data.quality import check
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar
from tests.support.market_data import DAY, MINUTE, minutes, moments, new_york_minutes, raw_bars

COUNT = 40
FAULTS = {
    "not_a_number": {"open": np.nan, "high": np.inf, "low": np.nan, "close": -np.inf},
    "not_positive": {"low": 0.0, "open": -1.0, "close": 0.0},
    "volume_not_a_number": {"volume": np.nan},
    "negative_volume": {"volume": -5.0},
}


def corrupted(raw: RawBars, fault: str, rows: list[int]) -> RawBars:
    """Return the bars with one kind of fault at some rows."""
    columns = {name: getattr(raw, name).copy() for name in ("open", "high", "low", "close", "volume", "time_ns")}
    for row in rows:
        for name, value in FAULTS.get(fault, {}).items():
            columns[name][row] = value
        if fault == "high_below_low":
            columns["high"][row], columns["low"][row] = columns["low"][row] - 1, columns["high"][row] + 1
        elif fault == "outside_high_low":
            columns["high"][row] = (columns["open"][row] + columns["low"][row]) / 2
        elif fault == "duplicate_time" and row:
            columns["time_ns"][row] = columns["time_ns"][row - 1]
        elif fault == "unsorted" and row:
            columns["time_ns"][[row, row - 1]] = columns["time_ns"][[row - 1, row]]
        elif fault == "overlap" and row:
            columns["time_ns"][row] = columns["time_ns"][row - 1] + 7_000_000_000
    return replace(raw, **columns)


KINDS = (*FAULTS, "high_below_low", "outside_high_low", "duplicate_time", "unsorted", "overlap")
ROWS = st.lists(st.integers(1, COUNT - 1), min_size=1, max_size=12, unique=True)


@given(st.sampled_from(KINDS), st.integers(1, COUNT - 1))
def test_a_single_fault_is_found_and_named_by_its_row(kind: str, row: int) -> None:
    bad = corrupted(raw_bars(minutes("2024-03-10T06:00", COUNT)), kind, [row])
    with pytest.raises(DataError, match=rf"row {row + 2}\b") as caught:
        check(bad, MINUTE, symbol="X")
    assert "on_bad_bars: repair" in str(caught.value)
    assert "X from test.csv" in str(caught.value)
    found = check(bad, MINUTE, on_bad_bars="repair").findings
    assert [(item.kind, item.count, item.row) for item in found if item.kind != "gap"] == [(kind, 1, row + 2)]


@given(st.lists(st.tuples(st.sampled_from(KINDS), ROWS), min_size=1, max_size=6), st.integers(0, 99))
def test_any_mixture_of_faults_is_found_and_repaired_to_clean_bars(
    faults: list[tuple[str, list[int]]], seed: int
) -> None:
    raw = raw_bars(minutes("2024-11-03T05:00", COUNT), seed)
    for kind, rows in faults:
        raw = corrupted(raw, kind, rows)
    try:
        repaired = check(raw, MINUTE, on_bad_bars="repair")
    except DataError as error:
        assert "no usable bar is left" in str(error)  # noqa: PT017 - most mixtures leave some
        return
    again = check(repaired.bars, MINUTE)
    assert {item.kind for item in again.findings} <= {"gap"}
    assert set(repaired.bars.rows.tolist()) <= set(raw.rows.tolist())
    clean = check(raw_bars(minutes("2024-11-03T05:00", COUNT), seed), MINUTE)
    assert clean.findings == ()


def test_repair_swaps_widens_sorts_and_keeps_the_last_of_doubles() -> None:
    raw = RawBars(
        time_ns=moments("2024-01-01T00:02", "2024-01-01T00:00", "2024-01-01T00:01", "2024-01-01T00:01"),
        open=np.array([5.0, 1.0, 7.0, 2.0]),
        high=np.array([4.0, 1.0, 7.0, 3.0]),
        low=np.array([6.0, 1.0, 7.0, 2.5]),
        close=np.array([5.0, 1.0, 7.0, 2.0]),
        volume=np.array([1.0, -1.0, 1.0, np.nan]),
        rows=np.array([2, 3, 4, 5]),
    )
    bars, findings = check(raw, MINUTE, on_bad_bars="repair")
    assert bars.rows.tolist() == [3, 5, 2]
    assert bars.open.tolist() == [1.0, 2.0, 5.0]
    assert bars.high.tolist() == [1.0, 3.0, 6.0]
    assert bars.low.tolist() == [1.0, 2.0, 4.0]
    assert bars.volume.tolist() == [0.0, 0.0, 1.0]
    assert all(item.severity is Severity.WARNING and item.repair for item in findings)


def test_the_refusal_lists_every_kind_with_counts_and_first_rows() -> None:
    raw = corrupted(raw_bars(minutes("2024-01-01T00:00", COUNT)), "not_positive", list(range(3, 12)))
    with pytest.raises(DataError) as caught:
        check(corrupted(raw, "high_below_low", [20]), MINUTE, symbol="SPY")
    text = str(caught.value)
    assert "9 bars with a price of zero or less: row 5 (2024-01-01 00:03 UTC" in text
    assert "then row 6, row 7, row 8, row 9 and 4 more" in text
    assert "1 bar with the high below the low: row 22" in text


def test_bars_of_which_none_is_usable_are_refused_even_by_repair() -> None:
    raw = raw_bars(minutes("2024-01-01T00:00", 3))
    with pytest.raises(DataError, match="no usable bar is left"):
        check(replace(raw, close=np.full(3, np.nan)), MINUTE, on_bad_bars="repair")


def test_missing_minutes_within_a_session_are_a_warning() -> None:
    times = np.delete(new_york_minutes("2024-03-07", 5), [10, 11, 12, 900])
    findings = check(raw_bars(times, session=NEW_YORK_STOCKS), MINUTE).findings
    assert [(item.kind, item.severity, item.count, item.row) for item in findings] == [("gap", Severity.WARNING, 2, 12)]
    assert "4 bars of 1m missing in all" in findings[0].message


def test_nights_weekends_changes_of_clocks_and_holidays_are_no_gaps() -> None:
    assert check(raw_bars(new_york_minutes("2024-03-07", 4), session=NEW_YORK_STOCKS), MINUTE).findings == ()
    days = moments("2001-09-10", "2001-09-17", "2001-09-18")
    assert check(raw_bars(days, stamp="date", session=NEW_YORK_STOCKS), DAY).findings == ()
    weekdays_only = moments("2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09")
    assert check(raw_bars(weekdays_only, stamp="date"), DAY).findings == ()


def test_five_missing_sessions_and_a_missing_day_round_the_clock_are_gaps() -> None:
    weekdays = replace(NEW_YORK_STOCKS, calendar="")
    stocks = raw_bars(moments("2024-01-05", "2024-01-15"), stamp="date", session=weekdays)
    assert "5 bars of 1d missing" in check(stocks, DAY).findings[0].message
    coins = raw_bars(moments("2024-01-05", "2024-01-06", "2024-01-08"), session=ROUND_THE_CLOCK)
    assert [item.row for item in check(coins, DAY).findings] == [4]


def test_with_a_calendar_a_holiday_is_no_gap_and_any_missing_session_is_one() -> None:
    def found(*days: str) -> list[str]:
        raw = raw_bars(moments(*days), stamp="date", session=NEW_YORK_STOCKS)
        return [item.message for item in check(raw, DAY).findings]

    assert found("2024-07-03", "2024-07-05") == []
    assert "1 bar of 1d missing" in found("2024-07-02", "2024-07-05")[0]


def test_with_a_calendar_the_lunch_break_and_a_half_day_are_no_gaps() -> None:
    shanghai, new_york = calendar("XSHG").session, calendar("XNYS").session
    morning, afternoon = minutes("2024-06-03T01:30", 120), minutes("2024-06-03T05:00", 60)
    assert check(raw_bars(np.concatenate((morning, afternoon)), session=shanghai), MINUTE).findings == ()
    half, next_day = minutes("2024-07-03T13:30", 210), minutes("2024-07-05T13:30", 390)
    assert check(raw_bars(np.concatenate((half, next_day)), session=new_york), MINUTE).findings == ()


def test_the_weekend_of_currencies_is_no_gap() -> None:
    friday, sunday = minutes("2024-01-05T12:00", 600), minutes("2024-01-07T22:00", 600)
    assert check(raw_bars(np.concatenate((friday, sunday))), MINUTE).findings == ()


def test_a_pause_at_the_same_hour_of_every_day_is_no_gap() -> None:
    days = [
        np.concatenate((minutes(f"2024-01-{day:02d}T00:00", 120), minutes(f"2024-01-{day:02d}T05:00", 1140)))
        for day in range(1, 8)
    ]
    assert check(raw_bars(np.concatenate(days)), MINUTE).findings == ()


def test_bars_outside_the_session_are_a_warning() -> None:
    times = moments("2024-07-01T13:29", "2024-07-01T13:30", "2024-07-01T13:31")
    (found,) = check(raw_bars(times, session=NEW_YORK_STOCKS), MINUTE).findings
    assert (found.kind, found.count, found.row) == ("outside_session", 1, 2)


def test_hours_of_currencies_after_friday_17_in_new_york_are_a_warning() -> None:
    """They are of the weekend, so no day and no week includes them: 23:00 of eastern Europe, read as that of UTC."""
    friday = minutes("2024-01-05T12:00", 720)[::60]
    (found,) = check(raw_bars(friday, session=NEW_YORK_DAY), Timeframe(1, "h")).findings
    assert (found.kind, found.count, found.row) == ("outside_session", 2, 12)
    assert "not included in longer bars" in found.message
    sunday = minutes("2024-01-07T22:00", 180)[::60]
    assert (
        check(raw_bars(np.concatenate((friday[:10], sunday)), session=NEW_YORK_DAY), Timeframe(1, "h")).findings == ()
    )


def test_weeks_dated_by_their_last_session_are_no_overlap_after_a_holiday() -> None:
    """Golden Week: the week of 1 May 2023 ended on Tuesday in Tokyo, four days after the Friday before."""
    fridays = ["2023-04-14", "2023-04-21", "2023-04-28", "2023-05-02", "2023-05-12"]
    raw = replace(raw_bars(moments(*fridays)), stamp="date")
    assert [item for item in check(raw, Timeframe(1, "w"), symbol="X").findings if item.kind == "overlap"] == []
    extra = replace(raw_bars(moments(*fridays, "2023-05-11", "2023-05-12")[[0, 1, 2, 3, 5, 6]]), stamp="date")
    with pytest.raises(DataError, match="closer to the one before"):
        check(extra, Timeframe(1, "w"), symbol="X")


def test_a_short_first_hour_of_a_session_is_no_overlap() -> None:
    hours = [f"2024-07-0{day}T{time}" for day in (1, 2, 3) for time in ("13:30", "14:00", "15:00", "16:00")]
    assert check(raw_bars(moments(*hours), session=NEW_YORK_STOCKS), Timeframe(1, "h")).findings == ()


def test_prices_in_another_unit_are_worth_a_warning() -> None:
    raw = raw_bars(minutes("2024-01-06T00:00", 5))
    pence = np.array([1.0, 1.0, 100.0, 1.0, 1.0])
    scaled = {name: getattr(raw, name) * pence for name in ("open", "high", "low", "close")}
    found = [item for item in check(replace(raw, **scaled), Timeframe(1, "m")).findings if item.kind == "other_unit"]
    assert [item.rows for item in found] == [(int(raw.rows[2]), int(raw.rows[3]))]
