"""Files that could be read in two ways: what shows which, and what is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import DataError, DataRequest, RawBars, Timeframe
from quantcrafter.engine.data.providers.csv_file import CsvProvider

HEAD = "Date,Open,High,Low,Close,Volume"


def read(folder: Path, text: str, **options: Any) -> RawBars:
    (folder / "x.csv").write_text(text, encoding="utf-8")
    return CsvProvider(path=str(folder / "x.csv"), **options).load(DataRequest("X", Timeframe(1, "d")))


def dated(*days: str) -> str:
    return "\n".join([HEAD, *(f"{day},100,101,99,100,5" for day in days)])


def days_of(raw: RawBars) -> list[str]:
    return [str(day) for day in raw.time_ns.astype("datetime64[ns]").astype("datetime64[D]")]


@pytest.mark.parametrize("sep", ["/", "-", "."])
@pytest.mark.parametrize(
    ("days", "first"),
    [
        (["24/01/29", "24/01/30", "24/01/31"], "2024-01-29"),
        (["31/01/24", "30/01/24", "29/01/24"], "2024-01-29"),  # the day first, newest first
        (["24/01/08", "24/01/09", "24/01/10"], "2024-01-08"),
        (["24/01/30", "24/01/31", "24/02/01", "24/02/02"], "2024-01-30"),
        (["10/01/28", "10/01/29", "10/02/01", "10/02/02"], "2010-01-28"),
        (["10/02/02", "10/02/01", "10/01/29"], "2010-01-29"),  # newest first
        (["99/12/30", "99/12/31", "00/01/03"], "1999-12-30"),
        (["29/01/24", "30/01/24", "01/02/24"], "2024-01-29"),
    ],
)
def test_short_years_come_first_where_the_order_shows_it(tmp_path: Path, days: list[str], first: str, sep: str) -> None:
    assert days_of(read(tmp_path, dated(*(day.replace("/", sep) for day in days))))[0] == first


def test_short_years_that_nothing_shows_are_asked_about(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"year first or the day first.*'%y/%m/%d' or '%d/%m/%y'") as told:
        read(tmp_path, dated("24/01/24"))
    assert told.value.field == "time_format"
    assert days_of(read(tmp_path, dated("24/01/24"), time_format="%y/%m/%d")) == ["2024-01-24"]


@pytest.mark.parametrize(
    "days",
    [
        ["10/01/27", "10/01/28", "10/01/29"],  # a month of 2010, or a day of every year from 2027 on
        ["10/01/04", "10/01/05", "10/02/04"],
        ["01/01/10", "01/01/13", "01/02/10", "01/02/13"],  # firsts of months, sorted as text
    ],
)
def test_dates_that_may_begin_with_anything_are_asked_about(tmp_path: Path, days: list[str]) -> None:
    with pytest.raises(DataError, match=r"year, the day or the month first.*'%y/%m/%d', '%d/%m/%y' or '%m/%d/%y'"):
        read(tmp_path, dated(*days))


def test_rows_of_null_are_ignored_and_told(tmp_path: Path) -> None:
    text = dated("2024-01-02", "2024-01-04").replace(
        "5\n2024-01-04", "5\n2024-01-03,null,null,null,null,null\n2024-01-04"
    )
    raw = read(tmp_path, text)
    assert days_of(raw) == ["2024-01-02", "2024-01-04"]
    assert any("Ignored, as their prices are 'null': 1 rows, first row 3." in note for note in raw.notes)
    half = read(tmp_path, text.replace("null,null,null,null,", "100,null,null,null,"))
    assert np.isnan(half.close[1])


@pytest.mark.parametrize("names", ["Price,Last", "Last,Settle", "LTP,Price"])
def test_two_columns_that_may_be_the_close_are_asked_about(tmp_path: Path, names: str) -> None:
    one, other = names.split(",")
    text = f"Date,Open,High,Low,{names},Volume\n2024-01-02,100,102,99,100,101,5\n2024-01-03,100,102,99,100,101,5"
    with pytest.raises(DataError, match=f"the close may be in the column '{one}' or '{other}'"):
        read(tmp_path, text)
    assert read(tmp_path, text, columns={"close": other}).close.tolist() == [101.0, 101.0]
    assert read(tmp_path, text.replace(one, "Close")).close.tolist() == [100.0, 100.0]


def test_points_before_three_digits_are_asked_about_where_semicolons_separate(tmp_path: Path) -> None:
    rows = ["2024-01-02;16.103;16.200;16.050;16.150;5", "2024-01-03;16.150;16.210;16.040;16.180;5"]
    text = "\n".join(["Date;Open;High;Low;Close;Volume", *rows])
    with pytest.raises(DataError, match=r"'16\.103', which may be 16\.103 or 16103.*Set 'decimal'"):
        read(tmp_path, text)
    assert read(tmp_path, text, decimal=",").open[0] == 16103.0
    assert read(tmp_path, text, decimal=".").open[0] == 16.103
    assert read(tmp_path, text.replace("16.200", "16.20")).open[0] == 16.103


def test_points_in_the_files_of_ninjatrader_are_decimal(tmp_path: Path) -> None:
    rows = [f"20240102 17{minute:02}00;141.025;141.030;141.020;141.028;5" for minute in range(4)]
    assert read(tmp_path, "\n".join(rows), timezone="UTC").open[0] == 141.025


def test_small_splits_are_told_unless_larger_ones_show_how_prices_are(tmp_path: Path) -> None:
    from quantcrafter.engine.data.load import load_bars

    head = "Date,Open,High,Low,Close,Volume,Split"
    rows = ["2024-01-02,100,101,99,100,5,0", "2024-01-03,99.5,101,94,99,5,1.05", "2024-01-04,99,101,94,99,5,0"]
    more = ["2024-01-05,49.5,51,48,49.5,5,2"]
    for text, told in ((rows, 1), (rows + more, 0)):
        (tmp_path / "x.csv").write_text("\n".join([head, *text]), encoding="utf-8")
        provider = CsvProvider(path=str(tmp_path / "x.csv"), corporate_actions="columns")
        found = load_bars(provider, DataRequest("X", Timeframe(1, "d"))).findings
        assert (
            len(
                [
                    each
                    for each in found
                    if "Splits of less than a tenth are booked: 1, first the one of 1.05" in each.message
                ]
            )
            == told
        )


@pytest.mark.parametrize("split", ["4", "4:1", "4.0"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_split_with_which_prices_fall_is_a_warning_where_it_is_not_booked(
    tmp_path: Path, *, split: str, newest_first: bool
) -> None:
    head = "Date,Open,High,Low,Close,Volume,Stock Splits"
    rows = ["2024-01-02,400,404,396,400,5,0", f"2024-01-03,101,102,99,100,5,{split}", "2024-01-04,100,101,94,99,5,0"]
    raw = read(tmp_path, "\n".join([head, *(rows[::-1] if newest_first else rows)]))
    assert len(raw.warnings) == 1
    assert "Prices fall with the split of 4 in row 3 (close 400, then open 101" in raw.warnings[0]
    even = [row.replace("400,404,396,400", "100,101,99,100") for row in rows]
    adjusted = read(tmp_path, "\n".join([head, *(even[::-1] if newest_first else even)]))
    assert not adjusted.warnings
    assert any("prices count as adjusted for splits" in note for note in adjusted.notes)
