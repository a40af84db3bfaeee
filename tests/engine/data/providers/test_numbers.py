"""Numbers: one decimal sign a file, decided by what only one reading allows, and asked about where nothing decides."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api import DataError
from quantcrafter.engine.data.providers.languages import Dress
from quantcrafter.engine.data.providers.numbers import Cells, Style, decide, values
from tests.support.file_formats import french, german, swiss

GERMAN, CHINESE = Dress(comma_decimal=True, day_first=True), Dress(comma_decimal=False, day_first=False)


def cells(*prices: str, volumes: tuple[str, ...] = ()) -> Cells:
    rows = pl.Series("row", range(2, len(prices) + 2))
    return Cells([pl.Series(prices, dtype=pl.String)], [pl.Series(volumes, dtype=pl.String)] if volumes else [], rows)


def decimal(*prices: str, separator: str = ";", dress: Dress | None = None, dates: str | None = None) -> str:
    return decide(cells(*prices), Style(separator, dress, dates=dates), "X").decimal


def read(*texts: str, decimal: str = ".", role: str = "close") -> list[float]:
    rows = pl.Series("row", range(2, len(texts) + 2))
    return values(pl.Series(texts, dtype=pl.String), rows, role, decimal, "X").tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prices", "sign"),
    [
        (("16.100,50",), ","),
        (("16,100.50",), "."),
        (("38,101", "988,25"), ","),
        (("1.234.567",), ","),
        (("1,234,567",), "."),
        (("12,34,567",), "."),  # as in India
        (("0,123",), ","),
        (("0.123", "1.012"), "."),
        (("1234.567",), "."),
        (("38 487,50",), ","),
        (("16'100.50",), "."),
        (("8.5e-06",), "."),
        (("100", "101"), "."),
    ],
)
def test_what_only_one_reading_allows_decides(prices: tuple[str, ...], sign: str) -> None:
    assert decimal(*prices) == sign


def test_a_comma_between_columns_is_no_decimal_sign() -> None:
    assert decimal("38,101", "38,102", separator=",") == "."
    assert decimal("16.100,50", separator=",") == ","  # in quotes, and only one reading allows it
    with pytest.raises(DataError, match="which may be"):  # in quotes below a German header: yen, or thousands
        decimal("147,123", separator=",", dress=GERMAN)


@pytest.mark.parametrize("sign", [",", "."])
def test_the_prices_around_decide_between_a_thousand_and_one(sign: str) -> None:
    found = decide(cells("985", "994", f"1{sign}003", f"1{sign}010"), Style(";"), "X")
    assert found.decimal == ("." if sign == "," else ",")
    assert "is read as 1003, as the prices around it show" in found.notes[0]


def test_the_language_of_the_header_decides_of_a_comma_and_asks_of_a_point() -> None:
    assert decimal("1,085", "1,086", dress=GERMAN) == ","
    assert decimal("1,085", "1,086", dress=CHINESE) == "."
    with pytest.raises(
        DataError, match=r"row 2 has '1\.085', which may be 1\.085 or 1085.*Set 'decimal' to '\.' or ','"
    ):
        decimal("1.085", "1.086", dress=GERMAN)


def test_what_nothing_decides_is_asked_and_never_settled_by_number() -> None:
    with pytest.raises(DataError, match="which may be"):
        decimal("38,101", "38,102")
    with pytest.raises(DataError, match="which may be"):
        decimal("1,085", "1.086")
    with pytest.raises(DataError, match="which may be"):
        decimal("16.100", "16.101", dates="15.01.2024")
    assert decimal("141.012", "141.013", separator="\t", dates="2024.01.15") == "."  # MetaTrader: yen
    assert decide(cells("38,101"), Style(";", decimal=","), "X").decimal == ","


def test_cells_that_contradict_one_another_are_refused_with_both_rows() -> None:
    with pytest.raises(
        DataError, match=r"row 3 has '16,100\.50' with a decimal point, row 2 '16\.100,50' with a decimal"
    ):
        decimal("16.100,50", "16,100.50")


@pytest.mark.parametrize(
    ("text", "sign", "value"),
    [
        ("$1,234.50", ".", 1234.5),
        ("-$5", ".", -5.0),
        ("\u2212 12,5", ",", None),
        ("\u221212,5", ",", -12.5),
        ("1 234 567,8", ",", 1234567.8),
        ("1\u202f234,5", ",", 1234.5),
        ("1,23,456.7", ".", 123456.7),
        ("1,01", ".", None),
        ("12,3456", ".", None),
        ("0,123", ".", None),
        ("1.5", ",", None),
        ("abc", ".", None),
        ("1e5", ".", 100000.0),
    ],
)
def test_every_cell_is_checked_against_the_sign(text: str, sign: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(DataError, match="'close' must be a number, row 2 has"):
            read(text, decimal=sign)
    else:
        assert read(text, decimal=sign) == [value]


def test_volumes_may_end_in_a_letter_and_prices_may_not() -> None:
    assert read("1.5K", "2M", "3.25B", "7", role="volume") == [1500.0, 2e6, 3.25e9, 7.0]
    with pytest.raises(DataError, match="must be a number"):
        read("1.5K")


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=20), st.sampled_from([german, french, swiss]))
def test_what_a_spreadsheet_writes_with_cents_comes_back(cents: list[int], write: object) -> None:
    assert callable(write)
    texts = [write(cent / 100) for cent in cents]
    sign = decide(cells(*texts), Style(";"), "X").decimal
    assert sign == ("." if write is swiss else ",")
    assert read(*texts, decimal=sign) == [cent / 100 for cent in cents]
