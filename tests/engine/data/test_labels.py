"""Bars are called by their trading day, or by the moment they open."""

from __future__ import annotations

from quantcrafter.engine.api import NEW_YORK_STOCKS, ROUND_THE_CLOCK, Session, Timeframe
from quantcrafter.engine.data.labels import bar_head, bar_label, common_zone, moment_text, named_moment, zone_name
from tests.support.market_data import moments

DAY, MINUTE = Timeframe(1, "d"), Timeframe(1, "m")


def label(text: str, timeframe: Timeframe, session: Session = ROUND_THE_CLOCK) -> str:
    return bar_label(int(moments(text)[0]), timeframe, session)


def test_days_are_those_of_the_session() -> None:
    sydney = Session("Australia/Sydney", 600, 960, (0, 1, 2, 3, 4))
    overnight = Session("America/Chicago", 17 * 60, 16 * 60, (0, 1, 2, 3, 4))

    assert label("2024-01-02T14:30", DAY, NEW_YORK_STOCKS) == "2024-01-02"
    assert label("2024-01-01T23:00", DAY, sydney) == "2024-01-02"
    assert label("2024-01-07T23:00", DAY, overnight) == "2024-01-08"


def test_shorter_bars_have_their_time() -> None:
    assert label("2024-01-02T14:30", MINUTE, NEW_YORK_STOCKS) == "2024-01-02 09:30"
    assert label("2024-07-02T13:30", MINUTE, NEW_YORK_STOCKS) == "2024-07-02 09:30"
    assert label("2024-01-02T14:30:05", Timeframe(5, "s")) == "2024-01-02 14:30:05"
    opened = int(moments("2024-01-02T14:30")[0])
    assert bar_label(opened, MINUTE, NEW_YORK_STOCKS, named=True) == "2024-01-02 09:30 New York"
    assert bar_label(opened, DAY, NEW_YORK_STOCKS, named=True) == "2024-01-02"


def test_headings_name_the_zone_of_times_and_not_of_days() -> None:
    assert bar_head("Bar", MINUTE, NEW_YORK_STOCKS) == "Bar (New York)"
    assert bar_head("Bar", DAY, NEW_YORK_STOCKS) == "Bar"


def test_zones_are_named_by_their_place() -> None:
    assert [zone_name(zone) for zone in ("America/Argentina/Buenos_Aires", "UTC", "EST", "Nowhere/At_All")] == [
        "Buenos Aires",
        "UTC",
        "EST",
        "UTC",
    ]
    assert common_zone(["Asia/Tokyo", "Asia/Tokyo"]) == "Asia/Tokyo"
    assert common_zone(["Asia/Tokyo", "America/New_York"]) == common_zone([]) == "UTC"


def test_a_moment_that_stands_alone_names_its_zone() -> None:
    moment = int(moments("2024-01-02T14:30:05")[0])
    assert named_moment(moment, "America/New_York") == "2024-01-02 09:30:05 New York"
    assert moment_text(moment, "America/New_York") == "2024-01-02 09:30"
