from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.trading_calendar.zones import localize, to_local, to_utc
from tests.support.market_data import minutes, moments, texts

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC")


@given(st.lists(st.integers(-630_000_000, 4_000_000_000), min_size=1), st.sampled_from(ZONES))
def test_wall_times_agree_with_zoneinfo_in_both_directions(seconds: list[int], zone: str) -> None:
    info, epoch = ZoneInfo(zone), datetime(1970, 1, 1, tzinfo=UTC)
    walls = [epoch + timedelta(seconds=second) for second in seconds]
    local = np.array(seconds, dtype=np.int64) * 10**9
    utc = to_utc(local, zone)
    second = timedelta(seconds=1)
    assert utc.tolist() == [(wall.replace(tzinfo=info) - epoch) // second * 10**9 for wall in walls]
    back = [(epoch + timedelta(seconds=int(ns) // 10**9)).astimezone(info).replace(tzinfo=UTC) - epoch for ns in utc]
    assert to_local(utc, zone).tolist() == [delta // second * 10**9 for delta in back]


@pytest.mark.parametrize("zone", ZONES)
def test_a_column_of_minutes_over_a_change_of_clocks_comes_back(zone: str) -> None:
    for start in ("2024-03-09T12:00", "2024-11-02T12:00", "2024-04-06T00:00", "2024-10-26T12:00"):
        utc = minutes(start, 2880)
        again, missing = localize(to_local(utc, zone), zone)
        assert not missing.any()
        assert (again == utc).all()


def test_an_hour_that_the_clocks_skipped_is_marked() -> None:
    local = moments("2024-03-10T01:59", "2024-03-10T02:00", "2024-03-10T02:59", "2024-03-10T03:00")
    assert localize(local, "America/New_York").missing.tolist() == [False, True, True, False]


def test_a_doubled_hour_without_order_is_the_first_one() -> None:
    assert texts(to_utc(moments("2024-11-03T01:30"), "America/New_York")) == ["2024-11-03T05:30"]
