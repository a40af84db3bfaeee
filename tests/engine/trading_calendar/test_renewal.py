"""Calendars that are made longer, as far as exchange_calendars knows them."""

from __future__ import annotations

import sys
from datetime import date

import numpy as np
import pytest

from quantcrafter.engine.trading_calendar.exchange_calendar import CalendarTable, calendar
from quantcrafter.engine.trading_calendar.renewal import CalendarBook, renewed

pytest.importorskip("exchange_calendars")
pytestmark = pytest.mark.filterwarnings("ignore::Warning")

EPOCH = date(1970, 1, 1).toordinal()


def is_open(table: CalendarTable, text: str) -> bool:
    day = np.array([date.fromisoformat(text).toordinal() - EPOCH])
    return bool(table.is_open[table.rows(day)][0])


def closing(table: CalendarTable, text: str) -> int:
    return int(table.closes[table.rows(np.array([date.fromisoformat(text).toordinal() - EPOCH]))][0])


@pytest.mark.slow
def test_later_holidays_and_half_days_are_known_and_earlier_days_stay() -> None:
    table = calendar("XNYS")
    later = renewed(table, date(2029, 12, 31))
    assert is_open(table, "2028-07-04")  # taken as regular
    assert not is_open(later, "2028-07-04")  # Independence Day, a Tuesday
    assert not is_open(later, "2028-11-23")  # Thanksgiving
    assert closing(later, "2028-11-24") == 13 * 60
    assert closing(later, "2028-11-22") == 16 * 60
    assert later.known[1] == date(2029, 12, 31).toordinal() - EPOCH
    row = int(table.rows(np.array([table.known[1]]))[0]) + 1
    for name in ("is_open", "opens", "closes", "breaks", "resumes"):
        assert np.array_equal(getattr(table, name)[:row], getattr(later, name)[:row])
    assert is_open(table, "2028-07-04"), "the table of others is untouched"


@pytest.mark.slow
def test_a_calendar_that_the_library_knows_no_longer_stays() -> None:
    table = calendar("XSHG")
    assert renewed(table, date(2035, 1, 1)) is table or renewed(table, date(2035, 1, 1)).known > table.known


@pytest.mark.slow
def test_chicago_has_the_days_of_the_library_and_its_own_hours() -> None:
    later = renewed(calendar("CMES"), date(2028, 12, 31))
    assert not is_open(later, "2028-12-25")
    assert closing(later, "2028-12-20") == 16 * 60


@pytest.mark.slow
def test_a_book_has_a_renewed_calendar_beside_the_others() -> None:
    book = CalendarBook()
    assert book("XNYS") is calendar("XNYS")
    assert book.renew("XNYS", date(2028, 12, 31))
    assert not is_open(book("XNYS"), "2028-07-04")
    assert not book.renew("XNYS", date(2028, 12, 31))
    assert is_open(calendar("XNYS"), "2028-07-04")


def test_without_the_library_the_table_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    assert renewed(calendar("XNYS"), date(2029, 12, 31)) is calendar("XNYS")
