from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from quantcrafter.engine.api import NEW_YORK_STOCKS, Bars, DataError, DataRequest, RawBars, Timeframe
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.trading_calendar.zones import to_local
from tests.support.counts import sample
from tests.support.market_data import minutes, moments, new_york_minutes, texts, walk

HEADER = "Date,Open,High,Low,Close,Volume"
PRICES = "10,12,9,11,100"


def read(folder: Path, text: str | bytes, timeframe: str = "1d", symbol: str = "SPY", **options: Any) -> RawBars:
    file = folder / "spy.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    provider = CsvProvider.model_validate({"path": "spy.csv", **options})
    return provider.load(DataRequest(symbol, Timeframe.parse(timeframe), base_dir=str(folder)))


def rows(*times: str, header: str = HEADER, separator: str = ",") -> str:
    lines = [header, *(f"{time},{PRICES}" for time in times)]
    return "\n".join(lines).replace(",", separator) + "\n"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (("2024-01-02", "2024-01-03"), ("2024-01-02T00:00", "2024-01-03T00:00")),
        (("2024/01/02", "2024/01/03"), ("2024-01-02T00:00", "2024-01-03T00:00")),
        (("2024.01.02", "2024.01.03"), ("2024-01-02T00:00", "2024-01-03T00:00")),
        (("20240102", "20240103"), ("2024-01-02T00:00", "2024-01-03T00:00")),
        (("2024-01-02 00:00:00-05:00", "2024-01-03 00:00:00-05:00"), ("2024-01-02T00:00", "2024-01-03T00:00")),
        (("31/01/2024", "01/02/2024"), ("2024-01-31T00:00", "2024-02-01T00:00")),
        (("1/31/2024", "2/1/2024"), ("2024-01-31T00:00", "2024-02-01T00:00")),
        (("31.01.24", "01.02.24"), ("2024-01-31T00:00", "2024-02-01T00:00")),
        (("31-Jan-2024", "01-Feb-2024"), ("2024-01-31T00:00", "2024-02-01T00:00")),
        (("January 31 2024", "February 01 2024"), ("2024-01-31T00:00", "2024-02-01T00:00")),
        (("2024-01-02 10:00", "2024-01-02 10:01"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("2024-01-02T10:00:00Z", "2024-01-02T10:01:00Z"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("2024-01-02T10:00:00+02:00", "2024-01-02T10:01:00+02:00"), ("2024-01-02T08:00", "2024-01-02T08:01")),
        (("2024-01-02 10:00:00 UTC", "2024-01-02 10:01:00 UTC"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("2024-01-02 10:00:00", "2024-01-02 10:01:00.000"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("1/31/2024 1:05 PM", "1/31/2024 1:06 PM"), ("2024-01-31T13:05", "2024-01-31T13:06")),
        (("202401021000", "202401021001"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("20240102 100000", "20240102 100100"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("1704189600", "1704189660"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("1704189600.0", "1704189660.0"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("1704189600000", "1704189660000"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("1704189600000000", "1704189660000000"), ("2024-01-02T10:00", "2024-01-02T10:01")),
        (("1704189600000000000", "1704189660000000000"), ("2024-01-02T10:00", "2024-01-02T10:01")),
    ],
)
def test_times_are_recognised(tmp_path: Path, written: tuple[str, ...], meant: tuple[str, ...]) -> None:
    raw = read(tmp_path, rows(*written))
    assert tuple(texts(raw.time_ns)) == meant
    assert raw.stamp == ("date" if meant[0].endswith("00:00") else "open")
    assert raw.rows.tolist() == [2, 3]


@pytest.mark.parametrize("times", [("01/02/2024", "02/02/2024"), ("01.02.2024 10:00", "02.02.2024 10:00")])
def test_days_and_months_that_could_be_swapped_are_refused(tmp_path: Path, times: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=r"day-month or month-day.*time_format"):
        read(tmp_path, rows(*times))
    separator = times[0][2]
    pattern = f"%d{separator}%m{separator}%Y" + (" %H:%M" if " " in times[0] else "")
    assert texts(read(tmp_path, rows(*times), time_format=pattern).time_ns)[0].startswith("2024-02-01")


def test_dates_that_mix_both_orders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="some rows have the day first and others the month"):
        read(tmp_path, rows("31/01/2024", "01/31/2024"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_recognised(tmp_path: Path, separator: str) -> None:
    raw = read(tmp_path, rows("2024-01-02", separator=separator))
    assert (raw.open[0], raw.high[0], raw.low[0], raw.close[0], raw.volume[0]) == (10, 12, 9, 11, 100)


@pytest.mark.parametrize(
    "header",
    [
        "timestamp,o,h,l,c,v",
        "DATE,OPEN,HIGH,LOW,CLOSE,VOL",
        "<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>",
        "\ufeffDate, Open, High, Low, Close/Last, Volume",
        "Open time,Open,High,Low,Close,Volume",
    ],
)
def test_headers_are_recognised(tmp_path: Path, header: str) -> None:
    raw = read(tmp_path, rows("2024-01-02", header=header))
    assert (raw.open[0], raw.close[0], raw.volume[0]) == (10, 11, 100)


def test_an_adjusted_close_is_not_taken_for_the_close(tmp_path: Path) -> None:
    text = "Date,Open,High,Low,Adj Close,Close,Volume\n2024-01-02,10,12,9,5.5,11,100\n"
    assert read(tmp_path, text).close.tolist() == [11.0]
    without = "Date,Open,High,Low,Adj Close,Volume\n2024-01-02,10,12,9,5.5,100\n"
    with pytest.raises(DataError, match="no column for 'close'"):
        read(tmp_path, without)
    assert read(tmp_path, without, columns={"close": "Adj Close"}).close.tolist() == [5.5]


def test_date_and_time_in_two_columns_are_put_together(tmp_path: Path) -> None:
    header = "Date,Time,Open,High,Low,Close,Volume"
    for time in ("10:00", "10:00:00", "1000", "100000"):
        assert texts(read(tmp_path, rows(f"2024-01-02,{time}", header=header)).time_ns) == ["2024-01-02T10:00"]
    assert texts(read(tmp_path, rows("20240102,930", header=header)).time_ns) == ["2024-01-02T09:30"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (f"2024-01-02,{PRICES}\n", "2024-01-02T00:00"),
        (f"1704189600000,{PRICES},1704189659999,5\n", "2024-01-02T10:00"),
        ("20240102 100000;10;12;9;11;100\n", "2024-01-02T10:00"),
        (f"2024.01.02,10:00,{PRICES}\n", "2024-01-02T10:00"),
    ],
)
def test_a_file_without_header_is_read_by_position(tmp_path: Path, text: str, first: str) -> None:
    raw = read(tmp_path, text)
    assert (texts(raw.time_ns), raw.close.tolist(), raw.rows.tolist()) == ([first], [11.0], [1])


def test_lines_before_the_header_and_empty_lines_keep_the_count_of_lines(tmp_path: Path) -> None:
    text = f"https://example.com/data\n{HEADER}\n\n2024-01-02,{PRICES}\n\n2024-01-03,{PRICES}\n"
    assert read(tmp_path, text).rows.tolist() == [4, 6]


def test_windows_line_ends_quotes_and_decimal_commas_are_read(tmp_path: Path) -> None:
    text = 'Date;Open;High;Low;Close;Volume\r\n"2024-01-02";"10,5";12,25;9;11;100\r\n'
    raw = read(tmp_path, text)
    assert (raw.open[0], raw.high[0], raw.close[0]) == (10.5, 12.25, 11.0)


def test_currency_signs_and_words_for_nothing_are_understood(tmp_path: Path) -> None:
    raw = read(tmp_path, f"{HEADER}\n2024-01-02,$10, 12,9,11,100\n2024-01-03,10,12,null,11,\n")
    assert raw.open.tolist() == [10.0, 10.0]
    assert np.isnan(raw.low[1])
    assert np.isnan(raw.volume[1])


def test_compressed_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "spy.csv.gz").write_bytes(gzip.compress(rows("2024-01-02").encode()))
    raw = CsvProvider(path="spy.csv.gz").load(DataRequest("SPY", Timeframe(1, "d"), base_dir=str(tmp_path)))
    assert raw.close.tolist() == [11.0]


def test_a_file_that_lists_the_newest_bar_first_is_turned_round(tmp_path: Path) -> None:
    raw = read(tmp_path, rows("2024-01-04", "2024-01-03", "2024-01-02"))
    assert raw.rows.tolist() == [4, 3, 2]
    assert (np.diff(raw.time_ns) > 0).all()
    two = read(tmp_path, rows("2024-01-03", "2024-01-02"))
    assert two.rows.tolist() == [3, 2]
    assert (np.diff(two.time_ns) > 0).all()


def test_rows_of_the_symbol_are_taken_from_a_file_of_several(tmp_path: Path) -> None:
    text = "Symbol,Date,Open,High,Low,Close\nSPY,2024-01-02,1,2,1,2\nQQQ,2024-01-02,3,4,3,4\nSPY,2024-01-03,5,6,5,6\n"
    raw = read(tmp_path, text)
    assert (raw.open.tolist(), raw.rows.tolist(), raw.volume.tolist()) == ([1.0, 5.0], [2, 4], [0.0, 0.0])
    with pytest.raises(DataError, match=r"the file has QQQ, SPY, but no 'SPX'\. Did you mean 'SPY'\?"):
        read(tmp_path, text, symbol="SPX")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "the file is empty"),
        ("\n", {}, "the file has no row of data at its beginning, only blank lines"),
        ("\r\n  \n" * 50_000, {}, "the file has no row of data at its beginning, only blank lines"),
        (HEADER + "\n", {}, "the file has no rows"),
        (f"{HEADER}\n2024-01-02,{PRICES}\n2024-01-03,10,12,abc,11,1\n", {}, r"'low' must be a number, row 3 has 'abc'"),
        (f"{HEADER}\n2024-01-02,{PRICES}\nyesterday,{PRICES}\n", {}, r"row 3 has 'yesterday'"),
        (f"{HEADER}\n,{PRICES}\n2024-01-02,{PRICES}\n", {}, r"row 2 has no time"),
        (f"{HEADER}\nmonday,{PRICES}\n", {}, r"the time 'monday' is in an unknown format.*time_format"),
        (f"{HEADER}\n4529,{PRICES}\n", {}, r"'4529' is a number, but too small"),
        (f"{HEADER}\n2024-01-02,{PRICES},7,8\n", {}, r"rows must have 6 columns, row 2 has 8"),
        ("Date,Open,High,Low\n2024-01-02,1,2,1\n", {}, r"no column for 'close' among 'Date', 'Open'.*columns"),
        (f"{HEADER}\n2024-01-02,{PRICES}\n", {"columns": {"close": "Clos"}}, r"no column 'Clos'.*Did you mean 'Close'"),
        (
            f"{HEADER}\n2024-01-02,{PRICES}\n",
            {"columns": {"close": 9}},
            r"column 9 for 'close' must lie between 1 and 6",
        ),
        (f"{HEADER}\n2024-01-02,{PRICES}\n", {"time_format": "%d.%m.%Y"}, r"written as '%d.%m.%Y', row 2"),
        (
            f"{HEADER}\n2024-03-10 02:30,{PRICES}\n2024-03-10 02:31,{PRICES}\n",
            {"timezone": "America/New_York"},
            r"row 2 has '2024-03-10 02:30', an hour that the clocks of America/New_York skipped",
        ),
    ],
)
def test_what_cannot_be_read_is_named_with_row_value_and_remedy(
    tmp_path: Path, text: str | bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, text, **options)
    assert str(caught.value).startswith("SPY from spy.csv: ")


def test_a_missing_file_is_answered_by_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "spy_daily.csv").write_text(rows("2024-01-02"))
    provider = CsvProvider(path="spy-daily.csv")
    with pytest.raises(DataError, match=r"File .*spy-daily\.csv' doesn't exist\. Did you mean 'spy_daily\.csv'\?"):
        provider.load(DataRequest("SPY", Timeframe(1, "d"), base_dir=str(tmp_path)))
    with pytest.raises(DataError, match="is a folder"):
        CsvProvider(path=".").load(DataRequest("SPY", Timeframe(1, "d"), base_dir=str(tmp_path)))


@pytest.mark.parametrize(
    "options",
    [
        {"timezone": "New York"},
        {"session": "nine to five"},
        {"session": "09:00-17:00 Nowhere/City"},
        {"columns": {"clsoe": "Close"}},
        {"stamp": "middle"},
        {"path": ""},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CsvProvider.model_validate({"path": "x.csv", **options})


def minute_file(folder: Path, times: list[str], **options: Any) -> tuple[Bars, tuple[str, ...]]:
    columns = walk(len(times))
    lines = [
        f"{time},{','.join(repr(float(columns[name][row])) for name in columns)}" for row, time in enumerate(times)
    ]
    (folder / "m.csv").write_text("\n".join(["time,open,high,low,close,volume", *lines]))
    provider = CsvProvider.model_validate({"path": "m.csv", **options})
    loaded = load_bars(provider, DataRequest("X", Timeframe(1, "m"), base_dir=str(folder)))
    return loaded.bars, tuple(str(item) for item in loaded.findings)


@pytest.mark.parametrize("zone", ["America/New_York", "UTC"])
def test_minutes_of_new_york_stocks_are_known_by_their_hours(tmp_path: Path, zone: str) -> None:
    times = new_york_minutes("2024-03-07", 4)
    written = [text.replace("T", " ") for text in texts(to_local(times, zone))]
    bars, notes = minute_file(tmp_path, written)
    assert bars.session == NEW_YORK_STOCKS
    np.testing.assert_array_equal(bars.open_ns, times)
    assert any(f"taken as {zone}" in note for note in notes)


def test_closing_stamps_of_new_york_stocks_are_known_by_the_last_of_the_day(tmp_path: Path) -> None:
    times = new_york_minutes("2024-03-07", 4)
    bars, notes = minute_file(tmp_path, texts(to_local(times + 60_000_000_000, "America/New_York")))
    np.testing.assert_array_equal(bars.open_ns, times)
    assert any("closing times" in note for note in notes)


@pytest.mark.parametrize(("hour", "stamp"), [("09:30", "open"), ("16:00", "close")])
def test_daily_bars_stamped_with_the_hour_of_the_session_are_its_sessions(
    tmp_path: Path, hour: str, stamp: str
) -> None:
    raw = read(tmp_path, rows(*(f"2024-07-0{day} {hour}" for day in (1, 2, 3))))
    # 3 July was a half day: a bar at 16:00 says that this source has none.
    known = NEW_YORK_STOCKS if stamp == "open" else replace(NEW_YORK_STOCKS, calendar="")
    assert (raw.stamp, raw.session) == (stamp, known)
    bars = load_bars(CsvProvider(path="spy.csv"), DataRequest("SPY", Timeframe(1, "d"), base_dir=str(tmp_path))).bars
    assert texts(bars.open_ns)[0] == "2024-07-01T13:30"
    assert texts(bars.close_ns)[0] == "2024-07-01T20:00"


@pytest.mark.parametrize(
    ("dates", "timeframe", "closes"),
    [
        (("2024-06-07", "2024-06-14", "2024-06-21"), "1w", "2024-06-08T00:00"),
        (("2024-06-03", "2024-06-10", "2024-06-17"), "1w", "2024-06-10T00:00"),
        (("2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30"), "1mo", "2024-02-01T00:00"),
    ],
)
def test_weeks_and_months_dated_at_either_end_close_at_their_end(
    tmp_path: Path, dates: tuple[str, ...], timeframe: str, closes: str
) -> None:
    (tmp_path / "w.csv").write_text(rows(*dates))
    request = DataRequest("SPY", Timeframe.parse(timeframe), base_dir=str(tmp_path))
    bars = load_bars(CsvProvider(path="w.csv"), request).bars
    assert texts(bars.close_ns)[0] == closes
    assert len(bars) == len(dates)


def test_the_length_of_bars_can_be_stated(tmp_path: Path) -> None:
    raw = read(tmp_path, rows("2024-01-06 10:00", "2024-01-06 10:07"), source_timeframe="1m")
    assert raw.timeframe == Timeframe(1, "m")


def test_dates_on_weekends_belong_to_a_market_that_never_rests(tmp_path: Path) -> None:
    raw = read(tmp_path, rows("2024-01-05", "2024-01-06", "2024-01-07"))
    assert (raw.session.timezone, raw.session.open_minute, raw.notes) == ("UTC", 0, ())
    berlin = read(tmp_path, rows("2024-01-04", "2024-01-05"), session="09:00-17:30 Europe/Berlin")
    assert (berlin.session.timezone, berlin.session.weekdays) == ("Europe/Berlin", (0, 1, 2, 3, 4))


def test_minutes_round_the_clock_are_taken_as_utc_and_it_is_said(tmp_path: Path) -> None:
    times = minutes("2024-01-06T00:00", 3000)
    bars, notes = minute_file(tmp_path, texts(times))
    np.testing.assert_array_equal(bars.open_ns, times)
    assert notes == ("Times have no time zone: taken as UTC. Set 'timezone' if this is wrong.",)


def test_hours_with_a_zone_of_their_own_cut_the_last_bar(tmp_path: Path) -> None:
    bars, _ = minute_file(tmp_path, texts(minutes("2024-07-01T15:00", 31)), session="09:00-17:30 Europe/Berlin")
    assert (bars.session.timezone, bars.session.open_minute, bars.session.close_minute) == ("Europe/Berlin", 540, 1050)
    assert bars.open_ns[0] == moments("2024-07-01T13:00")[0]


def test_one_broken_time_among_many_is_named_by_its_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"row 2 has '2024-'"):
        read(tmp_path, rows("2024-", "2024-01-03", "2024-01-04"))
    with pytest.raises(DataError, match=r"row 3 has '170418o660'"):
        read(tmp_path, rows("1704189600", "170418o660", "1704189720"))


@settings(max_examples=sample(300, of=2_000), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([",", ";"]), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6), st.integers(0, 9))))
def test_a_damaged_file_is_read_or_refused_by_a_clear_error(
    tmp_path: Path, separator: str, damages: list[tuple[float, bytes, int]]
) -> None:
    text = bytearray(rows(*(f"2024-01-{day:02d}" for day in range(1, 29)), separator=separator).encode())
    for share, put, removed in damages:
        place = int(share * len(text))
        text[place : place + removed] = put
    (tmp_path / "d.csv").write_bytes(text)
    try:
        load_bars(CsvProvider(path="d.csv"), DataRequest("X", Timeframe(1, "d"), base_dir=str(tmp_path)))
    except DataError as error:
        assert "failed:" not in str(error)  # noqa: PT017 - some damages are harmless


FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%d.%m.%Y %H:%M:%S", "%Y%m%d %H%M%S", "%s")


@settings(max_examples=sample(60, of=2_000), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from(["2024-03-10T00:00", "2024-11-03T00:00", "2024-10-27T00:00", "2024-06-15T00:00"]),
    count=st.integers(2, 400),
    step=st.sampled_from([1, 5, 15, 60]),
    pattern=st.sampled_from(FORMATS),
    zone=st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata"]),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_bars_written_in_any_form_and_zone_come_back(
    tmp_path: Path, start: str, count: int, step: int, pattern: str, zone: str, separator: str
) -> None:
    from datetime import UTC, datetime

    times = moments(start)[0] + np.arange(count, dtype=np.int64) * step * 60_000_000_000
    clock = [datetime.fromtimestamp(int(ns) // 10**9, UTC).astimezone(ZoneInfo(zone)) for ns in times]
    written = [str(int(moment.timestamp())) if pattern == "%s" else moment.strftime(pattern) for moment in clock]
    columns = walk(count)
    lines = [
        separator.join([text, *(repr(float(columns[name][row])) for name in columns)])
        for row, text in enumerate(written)
    ]
    text = "\n".join([separator.join(["time", *columns]), *lines])
    options = {"time_format": pattern} if "%d.%m" in pattern else {}
    raw = read(tmp_path, text, f"{step}m", timezone=zone, session="24x7", stamp="open", separator=separator, **options)
    if raw.stamp == "open":
        np.testing.assert_array_equal(raw.time_ns, times)
    for name, column in columns.items():
        np.testing.assert_array_equal(getattr(raw, name), column)


def test_a_leap_second_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"row 3 has '2016-12-31T23:59:60Z', a leap second"):
        read(tmp_path, rows("2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"))


def test_zones_by_name_hold_for_their_rows_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    raw = read(tmp_path, rows("2024-01-16 09:30 EST", "2024-07-16 09:30 EDT"), "1h")
    assert texts(raw.time_ns) == ["2024-01-16T14:30", "2024-07-16T13:30"]
    with pytest.raises(DataError, match=r"known time zone or none must, row 3 has '2024-01-16 10:30 Mars/Base'"):
        read(tmp_path, rows("2024-01-16 09:30 US/Eastern", "2024-01-16 10:30 Mars/Base"))
    with pytest.raises(DataError, match=r"row 3 has '2024-01-16 10:30'"):
        read(tmp_path, rows("2024-01-16 09:30 US/Eastern", "2024-01-16 10:30"))


def test_an_hour_told_twice_asks_for_the_zone_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    hours = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    for written in (hours, hours[::-1]):
        with pytest.raises(DataError, match=r"Set 'timezone' to the zone .*Europe/Berlin.* would fit"):
            read(tmp_path, rows(*written))
        raw = read(tmp_path, rows(*written), timezone="Europe/Berlin")
        assert texts(raw.time_ns) == ["2024-10-26T23:00", "2024-10-27T00:00", "2024-10-27T01:00", "2024-10-27T02:00"]


def test_a_column_that_is_0_everywhere_gives_way_to_the_next_volume(tmp_path: Path) -> None:
    text = "Date,Open,High,Low,Close,Vol,TickVol\n2024-01-02,10,12,9,11,0,70\n2024-01-03,10,12,9,11,0,80\n"
    assert read(tmp_path, text).volume.tolist() == [70.0, 80.0]
    assert read(tmp_path, text, columns={"volume": "Vol"}).volume.tolist() == [0.0, 0.0]
    assert read(tmp_path, text.replace(",0,70", ",5,70")).volume.tolist() == [5.0, 0.0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_encodings_with_and_without_a_mark_are_read(tmp_path: Path, encoding: str) -> None:
    text = rows("2024-01-02", "2024-01-03")
    assert read(tmp_path, text.encode(encoding)).close.tolist() == [11.0, 11.0]


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf_16_that_is_stated_needs_no_mark_and_other_text_is_refused(tmp_path: Path, order: str) -> None:
    text = rows("2024-01-02", "2024-01-03")
    assert read(tmp_path, text.encode(f"utf-16-{order}"), encoding="utf-16").close.tolist() == [11.0, 11.0]
    with pytest.raises(DataError, match="the file is not a table"):
        read(tmp_path, text.encode(), encoding="utf-16")


def test_an_encoding_can_be_stated(tmp_path: Path) -> None:
    text = rows("2024-01-02", header="Когда,Сначала,Сверху,Снизу,Потом,Штук").encode("cp1251")
    columns = {"time": "Когда", "open": "Сначала", "high": "Сверху", "low": "Снизу", "close": "Потом"}
    with pytest.raises(DataError, match="no column 'Когда'"):
        read(tmp_path, text, columns=columns)
    assert read(tmp_path, text, columns=columns, encoding="cp1251").close.tolist() == [11.0]


def test_a_row_cut_off_at_the_end_is_no_remark(tmp_path: Path) -> None:
    raw = read(tmp_path, f"{HEADER}\n2024-01-02,{PRICES}\n2024-01-03,\n")
    assert np.isnan(raw.open[1])


def test_headers_that_joined_files_repeat_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    raw = read(tmp_path, f"{HEADER}\n2024-01-02,{PRICES}\n{HEADER}\n2024-01-03,{PRICES}\n")
    assert raw.rows.tolist() == [2, 4]
    assert "Ignored, as they repeat the header: 1 rows." in raw.notes


@pytest.mark.parametrize(
    ("header", "split", "told"),
    [
        ("split", "2", 1),
        ("Stock Splits", "0.5", 1),
        ("Split Ratio", "4:1", 1),
        ("split", "1.0", 0),
        ("split", "0", 0),
        ("split", "", 0),
    ],
)
def test_a_column_of_splits_that_is_not_used_is_said(tmp_path: Path, header: str, split: str, told: int) -> None:
    text = f"Date,Open,High,Low,Close,Volume,{header}\n2024-01-02,1,1,1,1,5,\n2024-01-03,1,1,1,1,5,{split}\n"
    notes = [note for note in read(tmp_path, text).notes if "is not used" in note]
    assert [f"column '{header}' is not used" in note and "corporate_actions" in note for note in notes] == [True] * told
    if told and ":" not in split:
        assert not [note for note in read(tmp_path, text, corporate_actions="columns").notes if "not used" in note]


def test_columns_of_bid_and_ask_are_not_two_symbols(tmp_path: Path) -> None:
    sides = [f"{side} {price}" for side in ("Bid", "Ask") for price in ("Open", "High", "Low", "Close")]
    text = f"Time,{','.join(sides)}\n2024-01-02,1,1,1,1,2,2,2,2\n2024-01-03,1,1,1,1,2,2,2,2\n"
    with pytest.raises(DataError, match="'columns'"):
        read(tmp_path, text, symbol="EURUSD")
    with pytest.raises(DataError, match="'columns'"):
        CsvProvider(path="spy.csv").known_symbols(str(tmp_path))
    chosen = {price: f"Ask {price.title()}" for price in ("open", "high", "low", "close")}
    assert CsvProvider(path="spy.csv", columns=chosen).known_symbols(str(tmp_path)) == ()
    assert read(tmp_path, text, symbol="EURUSD", columns=chosen).close.tolist() == [2, 2]
