"""Signals and series from files: nothing is known before its time, and a wrong line is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, ROUND_THE_CLOCK, Bars, DataError
from quantcrafter.nodes.advisors.files import SignalFile
from quantcrafter.nodes.indicators.file_series import SeriesFile
from quantcrafter.testing import make_bars, wired

HOUR_NS = 3_600_000_000_000
MIDNIGHT_NS = 1_704_153_600_000_000_000  # Tuesday 2 January 2024, 00:00 UTC
BUY, SELL, OUT = ENTER_LONG | EXIT_SHORT, ENTER_SHORT | EXIT_LONG, EXIT_LONG | EXIT_SHORT
NAN = float("nan")


def hours(n: int) -> Bars:
    """Return hourly bars from midnight UTC: the first closes at 01:00."""
    return make_bars(np.ones(n), first_open_ns=MIDNIGHT_NS, step_ns=HOUR_NS, session=ROUND_THE_CLOCK)


def written(folder: Path, text: str) -> str:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def flags(path: str, bars: Bars, **values: Any) -> list[int]:
    node = wired(SignalFile, path=path, direction="both", **values)
    return list(map(int, node.compute(bars=bars).flags))


def series(path: str, bars: Bars, **values: Any) -> np.ndarray:
    column: np.ndarray = wired(SeriesFile, path=path, **values).compute(bars=bars)
    return column


def test_a_signal_is_given_at_the_first_close_at_or_after_its_time(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "time,signal\n2024-01-02 01:00,buy\n2024-01-02 02:00:01,-1\n2024-01-02 04:30,EXIT\n2024-01-02 05:00,long\n"
        "2024-01-02T05:30+02:00,short\n2024-01-01 23:00,buy\n2024-01-03,buy\n",
    )
    # 01:00 is the close of the first bar; 02:00:01 waits for 03:00; 05:00 is later than 04:30 in the same bar;
    # 05:30+02:00 is 03:30 UTC; what is from before the first bar, and after the last one, is left out.
    assert flags(path, hours(6), dates="next_day") == [BUY, 0, SELL, SELL, BUY, 0]


def test_a_direction_lets_through_what_is_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "time,signal\n2024-01-02 01:00,buy\n2024-01-02 02:00,sell\n2024-01-02 03:00,0\n")
    node = wired(SignalFile, path=path, direction="long")
    assert list(node.compute(bars=hours(3)).flags) == [ENTER_LONG, EXIT_LONG, EXIT_LONG]
    assert flags(path, hours(3)) == [BUY, SELL, OUT]


def test_only_rows_of_the_symbol_count(tmp_path: Path) -> None:
    path = written(tmp_path, "when,side,who\n2024-01-02 01:00,buy,TEST\n2024-01-02 02:00,sell,OTHER\n")
    names = {"time_column": "when", "signal_column": "side", "symbol_column": "who"}
    assert flags(path, hours(3), **names) == [BUY, 0, 0]


def test_a_row_is_known_from_its_publication_on(tmp_path: Path) -> None:
    path = written(
        tmp_path, "time,signal,out\n2024-01-02 01:00,buy,2024-01-02 03:00\n2024-01-02 02:00,sell,2024-01-01 00:00\n"
    )
    # The buy is published after the newer sell, and no longer counts.
    assert flags(path, hours(4), published_column="out") == [0, SELL, 0, 0]


def test_a_row_without_publication_is_known_from_its_time_on(tmp_path: Path) -> None:
    path = written(tmp_path, "time,signal,out\n2024-01-02 01:00,buy,2024-01-02 02:00\n2024-01-02 03:00,sell,\n")
    assert flags(path, hours(4), published_column="out") == [0, BUY, SELL, 0]


@pytest.mark.parametrize(
    ("cell", "message"),
    [("test", "line 3, has the symbol 'test'. Write 'TEST'"), ("", "line 3, must have a symbol, has nothing")],
)
def test_a_row_that_no_instrument_would_take_is_refused(tmp_path: Path, cell: str, message: str) -> None:
    path = written(tmp_path, f"time,signal,who\n2024-01-02 01:00,buy,OTHER\n2024-01-02 02:00,sell,{cell}\n")
    with pytest.raises(DataError) as caught:
        flags(path, hours(3), symbol_column="who")
    assert message in str(caught.value)


def test_a_date_is_asked_about_and_means_its_close_or_the_next_day(tmp_path: Path) -> None:
    path = written(tmp_path, "time,signal\n2024-07-03,buy\n")
    bars = make_bars(np.ones(40), first_open_ns=1_720_013_400_000_000_000, step_ns=HOUR_NS // 2)  # 3 July 09:30
    with pytest.raises(DataError, match=r"line 2, has a date without a time. Set 'dates'"):
        flags(path, bars)
    # The session of 3 July ends at 13:00, with the seventh bar; midnight comes with the 29th.
    assert np.flatnonzero(flags(path, bars, dates="close")).tolist() == [6]
    assert np.flatnonzero(flags(path, bars, dates="next_day")).tolist() == [28]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,side\n", "line 1, has no column 'signal'; there are: time, side"),
        ("time,signal\n2024-01-02 01:00,hold\n", "line 2, must have a signal: buy, long, 1, sell"),
        ("time,signal\nsoon,buy\n", "line 2, must have a time such as 2024-01-31 14:00"),
        ("time,signal\n1066-01-01 00:00,buy\n", "line 2, must have years from 1900 to 2200"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        flags(written(tmp_path, text), hours(3))
    assert message in str(caught.value)
    assert "file.csv" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv is not there"):
        flags(str(tmp_path / "none.csv"), hours(3))


def test_a_series_holds_the_latest_known_value(tmp_path: Path) -> None:
    path = written(tmp_path, "time,value\n2024-01-02 02:00,5\n2024-01-02 02:30,6.5\n2024-01-02 04:00,\n")
    np.testing.assert_array_equal(series(path, hours(5)), [NAN, 5, 6.5, NAN, NAN])
    np.testing.assert_array_equal(series(path, hours(5), maximum_age="20m"), [NAN, 5, NAN, NAN, NAN])


def test_a_late_correction_of_an_older_quarter_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "time,value,out\n2023-09-30 00:00,1,2024-01-02 01:00\n2023-12-31 00:00,2,2024-01-02 02:00\n"
        "2023-09-30 00:00,1.5,2024-01-02 03:00\n2023-12-31 00:00,2.5,2024-01-02 04:00\n",
    )
    np.testing.assert_array_equal(series(path, hours(5), published_column="out"), [1, 2, 2, 2.5, 2.5])


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    for cell in ("n/a", "inf", "1e999"):
        with pytest.raises(DataError, match="line 2, must have a number such as"):
            series(written(tmp_path, f"time,value\n2024-01-02 02:00,{cell}\n"), hours(3))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-90, 700), st.integers(-90, 700), st.integers(0, 9)), max_size=15),
    st.integers(1, 9),
)
def test_no_row_is_seen_before_it_is_known(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int]], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("files")
    start = np.datetime64("2024-01-02T00:00")

    def lines(known: list[tuple[int, int, int]]) -> str:
        return "time,value,signal,out\n" + "".join(
            f"{start + own},{value},{('buy', 'sell', 'exit')[value % 3]},{start + out}\n" for own, out, value in known
        )

    whole = written(folder, lines(rows))
    bars = hours(10)
    names = {"published_column": "out"}
    seen = series(whole, bars, **names)[:cut], flags(whole, bars, **names)[:cut]
    past = written(folder, lines([row for row in rows if max(row[:2]) <= cut * 60]))
    np.testing.assert_array_equal(series(past, bars, **names)[:cut], seen[0])
    assert flags(past, bars, **names)[:cut] == seen[1]
