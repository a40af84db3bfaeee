"""Since when to download, as people write it."""

from __future__ import annotations

import pytest

from quantcrafter.engine.api import DataError
from quantcrafter.engine.data.download.since import since_ns


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2020", 1_577_836_800),
        ("2020-02", 1_580_515_200),
        ("2020-02-03", 1_580_688_000),
        (" 2020-02-03 12:30 ", 1_580_733_000),
        ("2020-02-03T12:30+02:00", 1_580_725_800),
        ("1969", -31_536_000),
    ],
)
def test_years_months_days_and_times_begin_in_utc(text: str, seconds: int) -> None:
    assert since_ns(text) == seconds * 1_000_000_000


@pytest.mark.parametrize("text", ["", "20", "2020-13", "2020-02-30", "then", "20200"])
def test_what_is_none_of_them_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="begins with a year, month, day or time"):
        since_ns(text)
