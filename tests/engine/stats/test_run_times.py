"""Times of a run are those of its exchanges, and each says whose it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quantcrafter.engine.api.bars import NEW_YORK_STOCKS, ROUND_THE_CLOCK, Bars, Session
from quantcrafter.engine.stats.run_times import RunTimes
from tests.support.ledgers import job_of, walk_bars

TOKYO = Session("Asia/Tokyo", 540, 900, (0, 1, 2, 3, 4))
HOUR_NS = 3_600_000_000_000


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def hours(symbol: str, session: Session, start: str = "2024-03-08T14:30") -> Bars:
    opens = ns(start) + np.arange(6, dtype=np.int64) * HOUR_NS
    bars = walk_bars(6, timeframe="1h", symbol=symbol)
    return replace(bars, open_ns=opens, close_ns=opens + HOUR_NS, session=session)


def times_of(*bars: Bars) -> RunTimes:
    return RunTimes.of([job_of(each) for each in bars])


def test_one_exchange_is_named_once_in_the_heading() -> None:
    times = times_of(hours("A", NEW_YORK_STOCKS), hours("B", NEW_YORK_STOCKS))
    assert times.head("Entry") == "Entry (New York)"
    assert times.text(ns("2024-03-08T14:30"), "A", 0) == "2024-03-08 09:30"
    assert times.text(ns("2024-03-11T13:30"), "B") == "2024-03-11 09:30"  # summer time
    assert times.text(ns("2024-03-08T21:00")) == "2024-03-08 16:00"
    assert times.moment(ns("2024-03-08T21:00")) == "2024-03-08 16:00 New York"


def test_exchanges_of_several_zones_are_named_with_each_time() -> None:
    times = times_of(hours("A", NEW_YORK_STOCKS), hours("B", TOKYO, "2024-03-08T00:00"))
    assert times.head("Entry") == "Entry"
    assert times.text(ns("2024-03-08T14:30"), "A", 0) == "2024-03-08 09:30 New York"
    assert times.text(ns("2024-03-08T00:00"), "B", 0) == "2024-03-08 09:00 Tokyo"
    assert times.text(ns("2024-03-08T14:30")) == "2024-03-08 14:30 UTC"  # of the whole account
    assert times.zone == "UTC"


def test_daily_bars_have_days_without_a_zone_whenever_they_close() -> None:
    days = walk_bars(3, symbol="A")
    midnight = ns("2015-01-02") + np.arange(3, dtype=np.int64) * 24 * HOUR_NS
    unknown = replace(days, open_ns=midnight, close_ns=midnight + 24 * HOUR_NS, session=ROUND_THE_CLOCK)
    times = times_of(unknown)
    assert times.head("Entry") == "Entry"
    assert times.text(int(unknown.open_ns[1]), "A", 1) == "2015-01-03"
    assert times.text(int(unknown.close_ns[1]), "A", 1) == "2015-01-03"  # not the day on which it is over
    assert times.text(int(unknown.close_ns[1])) == "2015-01-03"


def test_a_session_across_midnight_is_the_day_on_which_it_ends() -> None:
    overnight = Session("America/Chicago", 17 * 60, 16 * 60, (0, 1, 2, 3, 4))
    sunday = np.array([ns("2024-01-07T23:00")])
    bars = replace(walk_bars(1, symbol="ES"), open_ns=sunday, close_ns=sunday + 23 * HOUR_NS, session=overnight)
    assert times_of(bars).text(int(sunday[0]), "ES", 0) == "2024-01-08"


def test_without_bars_days_are_those_of_the_moments() -> None:
    assert RunTimes({"A": "Asia/Tokyo"}, is_intraday=False).text(ns("2024-03-07T15:00"), "A", 4) == "2024-03-08"


def test_files_have_local_times_with_the_full_name_of_the_zone() -> None:
    times = times_of(hours("A", NEW_YORK_STOCKS), hours("B", TOKYO))
    moments = np.array([ns("2024-03-08T14:30"), ns("2024-07-08T14:30"), ns("2024-03-08T14:30")])
    found = times.file_columns({"entry_time": moments}, np.array(["A", "A", "B"]))
    assert found["entry_time"].tolist() == ["2024-03-08T09:30:00", "2024-07-08T10:30:00", "2024-03-08T23:30:00"]
    assert found["time_zone"].tolist() == ["America/New_York", "America/New_York", "Asia/Tokyo"]


def test_a_zone_that_this_machine_does_not_know_is_utc_and_says_so() -> None:
    times = times_of(hours("A", Session("Mars/Olympus")))
    assert times.head("Entry") == "Entry (UTC)"
    assert times.text(ns("2024-03-08T14:30"), "A") == "2024-03-08 14:30"
