"""Bars are called by their trading day, or by the moment they open."""

from __future__ import annotations

from quantcrafter.engine.api import NEW_YORK_STOCKS, ROUND_THE_CLOCK, Session, Timeframe
from quantcrafter.engine.data.labels import bar_label
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
    assert label("2024-01-02T14:30", MINUTE, NEW_YORK_STOCKS) == "2024-01-02 14:30"
    assert label("2024-01-02T14:30:05", Timeframe(5, "s")) == "2024-01-02 14:30:05"
