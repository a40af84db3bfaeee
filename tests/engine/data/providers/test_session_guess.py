"""What times without a market mean: days dated by their open, and hours with a lunch break."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.run import run
from tests.support.market_files import flat, strategy

SUNDAYS = ["2024-01-07", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11", "2024-01-14", "2024-01-15"]
WORKDAYS = [f"2024-01-{day:02}" for day in (8, 9, 10, 11, 12, 16, 17)]
SHANGHAI = (570, 690, 780, 900)
HONG_KONG = (570, 720, 780, 960)


def result_of(folder: Path, times: list[str], instrument: str) -> RunResult:
    return run(strategy(folder, flat(times), instrument), registry=load_registry())


def closes_of(result: RunResult) -> list[str]:
    return [str(np.datetime64(int(each), "ns").astype("M8[m]")) for each in result.instruments[0].bars.close_ns]


@pytest.mark.parametrize("time", ["", " 18:00:00"])
def test_days_dated_by_their_open_close_a_day_later_and_it_is_said(tmp_path: Path, time: str) -> None:
    """The day that opens on Sunday the 7th at 17:00 or 18:00 New York time closes on the 8th at 22:00 UTC."""
    result = result_of(tmp_path, [f"{day}{time}" for day in SUNDAYS], "symbol: X")
    assert closes_of(result)[0] == "2024-01-09T00:00"
    assert closes_of(result)[-1] == "2024-01-17T00:00"
    assert any("Dates are Sunday to Thursday" in note and "stamp: close" in note for note in result.notes)


def test_days_dated_by_their_open_close_with_their_session_where_a_market_is_named(tmp_path: Path) -> None:
    result = result_of(tmp_path, SUNDAYS, "symbol: EURUSD, market: forex")
    assert closes_of(result)[0] == "2024-01-08T22:00"
    assert closes_of(result)[-1] == "2024-01-16T22:00"


def test_the_named_option_takes_dates_as_those_of_the_close(tmp_path: Path) -> None:
    result = result_of(tmp_path, SUNDAYS, "symbol: X, stamp: close")
    assert closes_of(result)[0] == "2024-01-08T00:00"
    assert not any("Sunday to Thursday" in note for note in result.notes)


@pytest.mark.parametrize(
    "days",
    [
        [f"2024-01-{day:02}" for day in range(7, 20)],  # every day, as of coins
        [day for day in SUNDAYS if day[-2:] not in ("07", "14")] + ["2024-01-18"],
        ["2024-01-07", "2024-01-08", "2024-01-09"],
    ],
)
def test_other_days_close_on_their_dates(tmp_path: Path, days: list[str]) -> None:
    result = result_of(tmp_path, days, "symbol: X")
    assert closes_of(result)[0] == str(np.datetime64(days[0]) + 1) + "T00:00"


@pytest.mark.parametrize("step", [1, 5, 15, 30, 60])
@pytest.mark.parametrize("stamp", ["open", "close"])
@pytest.mark.parametrize(("hours", "zone"), [(SHANGHAI, "Asia/Shanghai"), (HONG_KONG, "Asia/Hong_Kong")])
def test_a_lunch_break_tells_shanghai_and_hong_kong_from_new_york(
    tmp_path: Path, hours: tuple[int, ...], zone: str, stamp: str, step: int
) -> None:
    later = step if stamp == "close" else 0
    opening, stops, resumes, closing = hours
    minutes = [*range(opening, stops, step), *range(resumes, closing, step)]
    if stamp == "close":
        minutes = [min(each + step, stops if each < stops else closing) for each in minutes]
    times = [f"{day} {each // 60:02}:{each % 60:02}" for day in WORKDAYS for each in minutes]
    timeframe = "1h" if step == 60 else f"{step}m"
    result = result_of(tmp_path, times, f"symbol: X, timeframe: {timeframe}")
    bars = result.instruments[0].bars
    assert bars.session.timezone == zone
    assert str(np.datetime64(int(bars.open_ns[0]), "ns").astype("M8[m]")) == "2024-01-08T01:30", later
    assert any("with its lunch break: taken as its time" in note for note in result.notes)


def test_a_thin_share_of_new_york_is_not_taken_for_one_of_hong_kong(tmp_path: Path) -> None:
    times = [
        f"{day} {each // 60:02}:{each % 60:02}" for day in WORKDAYS for each in (570, 575, 600, 660, 780, 840, 955)
    ]
    bars = result_of(tmp_path, times, "symbol: X, timeframe: 5m, source_timeframe: 5m").instruments[0].bars
    assert bars.session.timezone == "America/New_York"


def test_hours_without_a_break_are_those_of_new_york(tmp_path: Path) -> None:
    times = [f"{day} {each // 60:02}:{each % 60:02}" for day in WORKDAYS for each in range(570, 960, 30)]
    bars = result_of(tmp_path, times, "symbol: X, timeframe: 30m").instruments[0].bars
    assert bars.session.timezone == "America/New_York"
