from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from quantcrafter.engine.api import ROUND_THE_CLOCK, DataError
from quantcrafter.nodes import filters
from quantcrafter.testing import make_bars, random_bars, wired
from quantcrafter.testing.market import MINUTE_NS
from tests.support.columns import NAN, conditions, series

BY_NAME = {cls.name: cls for cls in filters.COMPONENTS}
HOUR_NS = 60 * MINUTE_NS
MIDNIGHT_NS = 1_704_153_600_000_000_000  # Tuesday 2 January 2024, 00:00 UTC


def check(result: np.ndarray, expected: str) -> None:
    assert result.dtype == np.bool_
    assert "".join("x" if value else "." for value in result) == expected


def run(name: str, columns: dict[str, Any], **values: Any) -> np.ndarray:
    column: np.ndarray = wired(BY_NAME[name], **values).compute(**columns)
    return column


def hours(n: int) -> dict[str, Any]:
    """Return hourly bars from midnight UTC: the first closes at 01:00."""
    bars = make_bars(np.ones(n), first_open_ns=MIDNIGHT_NS, step_ns=HOUR_NS, session=ROUND_THE_CLOCK)
    return {"bars": bars}


def test_a_time_window_includes_both_ends() -> None:
    check(run("time_window", hours(6), start="02:00", end="04:00"), ".xxx..")
    check(run("time_window", hours(6), start="02:00:01", end="03:59:59"), "..x...")


def test_a_time_window_may_lie_over_midnight() -> None:
    check(run("time_window", hours(25), start="22:00", end="02:00"), "xx" + "." * 19 + "xxxx")
    check(run("time_window", hours(25), start="22:00", end="24:00"), "." * 21 + "xxx.")


def test_a_time_window_reads_the_sessions_clock_or_another() -> None:
    bars = {"bars": make_bars(np.ones(3))}  # 09:31 to 09:33 in New York, 14:31 in London
    check(run("time_window", bars, start="09:32", end="16:00"), ".xx")
    check(run("time_window", bars, start="14:33", end="16:00", timezone="Europe/London"), "..x")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"start": "9:45", "end": "10:00"}, "start"),
        ({"start": "09:45", "end": "25:00"}, "end"),
        ({"start": "09:45", "end": "09:45"}, "start and end must differ"),
        ({"start": "00:00", "end": "24:00"}, "start and end must differ"),
        ({"start": "09:45", "end": "10:00", "timezone": "Mars"}, "a time zone is a name such as"),
        ({"start": "09:45", "end": "10:00", "timezone": "../etc/passwd"}, "a time zone is a name such as"),
    ],
)
def test_a_wrong_time_is_refused(values: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        wired(BY_NAME["time_window"], **values)


def test_weekdays_count_a_close_at_midnight_as_the_day_that_begins() -> None:
    check(run("weekdays", hours(25), days=["wed"]), "." * 23 + "xx")
    check(run("weekdays", hours(25), days=["tue", "fri"]), "x" * 23 + "..")


def test_weekdays_need_a_day() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        wired(BY_NAME["weekdays"], days=[])


def test_a_volatility_band_includes_its_ends_and_no_gap() -> None:
    line = {"input": series(1, 2, 3, 4, NAN)}
    check(run("volatility_band", line, minimum=2, maximum=3), ".xx..")
    check(run("volatility_band", line, minimum=2), ".xxx.")
    check(run("volatility_band", line, maximum=0), ".....")


@pytest.mark.parametrize("values", [{}, {"minimum": 2, "maximum": 1}])
def test_a_band_that_is_none_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="minimum"):
        wired(BY_NAME["volatility_band"], **values)


def test_a_trend_compares_price_and_average_and_the_averages_slope() -> None:
    columns = {"input": series(5, 5, 1, 5, 5), "average": series(2, 3, 3, 4, NAN)}
    check(run("trend", columns), "xx.x.")
    check(run("trend", columns, slope_bars=1), ".x.x.")
    check(run("trend", columns, slope_bars=2), "...x.")
    check(run("trend", columns, direction="down"), "..x..")
    check(run("trend", columns, slope_bars=9), ".....")


def test_a_condition_filters_as_it_is() -> None:
    check(run("condition", {"input": conditions("x.x")}), "x.x")


def test_every_filter_has_a_group() -> None:
    groups = {cls.name: cls.model_fields["group"].default for cls in filters.COMPONENTS}
    assert groups.pop("event_calendar") == "block"
    assert set(groups.values()) == {"trade"}


def calendar(path: Path, text: str, **values: Any) -> np.ndarray:
    path.write_text(text)
    return run("event_calendar", hours(12), path=str(path), **values)


def test_an_event_holds_the_bars_that_touch_it(tmp_path: Path) -> None:
    csv = tmp_path / "a.csv"
    check(calendar(csv, "time\n2024-01-02 04:30\n"), "....x.......")
    check(calendar(csv, "time\n2024-01-02 04:00\n"), "...xx.......")
    check(calendar(csv, "time\n2024-01-02 04:30\n", before="1h", after="2h"), "...xxxx.....")
    check(calendar(csv, "time\n2024-01-02 04:30\n", timezone="Europe/Berlin"), "...x........")
    check(calendar(csv, "time\n2024-01-02T04:30:00+02:00\n", timezone="Asia/Tokyo"), "..x.........")


def test_events_may_overlap_and_come_in_any_order(tmp_path: Path) -> None:
    rows = ("b,2024-01-02 08:30,", "a,2024-01-02 01:30,2024-01-02 05:30", "c,2024-01-02 02:30,2024-01-02 03:30")
    text = "\n".join(("name,begin,finish", *rows))
    held = calendar(tmp_path / "a.csv", text, time_column="begin", end_column="finish")
    check(held, ".xxxxx..x...")


def test_a_date_alone_is_the_whole_local_day(tmp_path: Path) -> None:
    check(calendar(tmp_path / "a.csv", "time\n2024-01-02\n"), "x" * 12)
    check(calendar(tmp_path / "a.csv", "time\n2024-01-01\n", timezone="America/New_York"), "xxxxx.......")


ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{}END:VCALENDAR\r\n"
EVENT = "BEGIN:VEVENT\r\nUID:1\r\n{}END:VEVENT\r\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("DTSTART:20240102T043000Z\r\n", "....x......."),
        ("DTSTART:20240102T043000Z\r\nDTEND:20240102T063000Z\r\n", "....xxx....."),
        ("DTSTART:20240102T043000Z\r\nDURATION:PT1H\r\n", "....xx......"),
        ("DTSTART;TZID=Europe/Berlin:20240102T043000\r\n", "...x........"),
        ("DTSTART:20240102T043000\r\n", "....x......."),
        ("DTSTART;VALUE=DATE:20240102\r\nDTEND;VALUE=DATE:20240103\r\n", "xxxxxxxxxxxx"),
        ("DTSTART;VALUE=DATE:20240101\r\n", "............"),
    ],
)
def test_an_icalendar_file_is_read(tmp_path: Path, lines: str, expected: str) -> None:
    check(calendar(tmp_path / "a.ics", ICS.format(EVENT.format(lines))), expected)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "time\n2024-01-02\nsoon\n", "line 3, must have a time such as .*, has 'soon'"),
        ("a.csv", "time,b\n2024-01-02,1\n,2\n", "line 3, must have a time such as .*, has nothing"),
        ("a.csv", "date\n2024-01-02\n", "line 1, has no column 'time'; its first line has 1 column of another name"),
        ("a.csv", "", "line 1, has no column 'time'; its first line has no column names"),
        ("a.csv", "time\n", "has no events"),
        ("a.csv", 'time\n"2024\n', "not valid CSV"),
        ("a.csv", "time\n9999-12-31\n", "line 2, must have years from 1900 to 2200, has 9999"),
        ("a.ics", "hello", "not a valid iCalendar file"),
        ("a.ics", ICS.format(""), "has no events"),
        ("a.ics", ICS.format(EVENT.format("SUMMARY:x\r\n")), "line 4, has an event without a proper DTSTART"),
        ("a.ics", ICS.format(EVENT.format("DTSTART:soon\r\n")), "line 4, has an event without a proper DTSTART"),
        ("a.ics", ICS.format(EVENT.format("DTSTART:20240102\r\nDTEND:soon\r\n")), "line 4, has an event without"),
        (
            "a.ics",
            ICS.format(EVENT.format("DTSTART:20240102T043000Z\r\nRRULE:FREQ=DAILY\r\n")),
            "line 4, has a repeating",
        ),
        (
            "a.ics",
            ICS.format(EVENT.format("DTSTART:20240102T043000Z\r\nDTEND:20240102T033000Z\r\n")),
            "line 4, has an event that ends before it starts",
        ),
        ("a.json", "{}", "must end in .csv or .ics, was '.json'"),
    ],
)
def test_a_wrong_calendar_is_named_with_its_line(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        calendar(tmp_path / name, text)
    assert str(tmp_path / name) in str(caught.value)


def test_a_calendar_that_is_no_readable_text_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        run("event_calendar", hours(1), path=str(tmp_path / "missing.csv"))
    with pytest.raises(DataError, match="is a folder, not a file"):
        run("event_calendar", hours(1), path=str(tmp_path))
    (tmp_path / "a.csv").write_bytes(b"time\n\xff\xfe\n")
    with pytest.raises(DataError, match="must be UTF-8 text"):
        run("event_calendar", hours(1), path=str(tmp_path / "a.csv"))


def test_a_margin_beyond_all_history_holds_everywhere(tmp_path: Path) -> None:
    check(calendar(tmp_path / "a.csv", "time\n2030-01-01\n", before="999999999w"), "x" * 12)


def test_an_event_calendar_does_not_look_ahead(tmp_path: Path) -> None:
    bars = random_bars(300, 1)
    (tmp_path / "a.csv").write_text("time\n2024-01-02 11:00\n2024-01-02 13:00\n")
    component = wired(BY_NAME["event_calendar"], path=str(tmp_path / "a.csv"), before="30m", after="5m")
    full = component.compute(bars=bars)
    assert 0 < full.sum() < 300
    for n in (1, 50, 100, 299):
        np.testing.assert_array_equal(component.compute(bars=bars.slice(0, n)), full[:n])


def test_the_engine_learns_that_the_calendar_is_a_file() -> None:
    assert BY_NAME["event_calendar"].path_parameters() == ("path",)


@pytest.mark.parametrize("cls", filters.COMPONENTS, ids=lambda cls: cls.name)
def test_every_filter_explains_itself(cls: Any) -> None:
    assert cls.category
    assert "warm-up" in cls.help()
    assert all(port.description for port in cls.inputs())
    assert all(cls.model_fields[name].description for name in cls.parameters())
