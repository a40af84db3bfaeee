"""Prices of Treasury futures in 32nds of a point; elsewhere an apostrophe separates thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import DataError, DataRequest, RawBars, Timeframe
from quantcrafter.engine.data.providers.csv_file import CsvProvider


def read(folder: Path, symbol: str, close: str, separator: str = ",", decimal: str = "auto") -> RawBars:
    days = [separator.join((f"2024-01-{day:02d}", *[close] * 4, "5")) for day in (2, 3)]
    header = separator.join(("Date", "Open", "High", "Low", "Close", "Volume"))
    (folder / "x.csv").write_text("\n".join([header, *days]), encoding="utf-8")
    provider = CsvProvider(path=str(folder / "x.csv"), decimal=decimal)
    return provider.load(DataRequest(symbol, Timeframe(1, "d")))


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("110'16", 110.5),
        ("110'160", 110.5),
        ("110'162", 110 + 16.25 / 32),
        ("110'165", 110 + 16.5 / 32),
        ("110'167", 110 + 16.75 / 32),
        ("103'186", 103 + 18.625 / 32),
        ("103'188", 103 + 18.875 / 32),
        ("99'040", 99.125),
        ("110\u2019000", 110.0),
        ("110'16+", 110 + 16.5 / 32),
        ("110-16", 110.5),
        ("110-165", 110 + 16.5 / 32),
        ("110-16+", 110 + 16.5 / 32),
    ],
)
def test_treasury_futures_are_read_in_32nds(tmp_path: Path, text: str, points: float) -> None:
    raw = read(tmp_path, "ZN", text)
    assert raw.close.tolist() == [points, points]
    assert raw.low.tolist() == raw.open.tolist() == raw.high.tolist() == raw.close.tolist()
    assert any("32nds" in note for note in raw.notes)


MORE = ("US", "USH4", "&TY", "&USM24", "TYAH4", "USAZ24", "ZBH24_FUT", "ZN.FUT", "US1 Comdty", "WNH4 Comdty", "UXYH4")


@pytest.mark.parametrize("symbol", ["ZT", "ZFH24", "ZN=F", "TN1!", "ZB.c.0", "UBZ4", "/ZN", "TY1 Comdty", *MORE])
def test_spellings_of_treasury_futures_are_known(tmp_path: Path, symbol: str) -> None:
    assert read(tmp_path, symbol, "110'165").close[0] == 110 + 16.5 / 32


def test_other_separators_and_decimal_signs_leave_32nds_alone(tmp_path: Path) -> None:
    assert read(tmp_path, "ZB", "110'120", ";").close[0] == 110.375
    assert read(tmp_path, "ZB", "110'120", ";", ",").close[0] == 110.375


@pytest.mark.parametrize("text", ["110'320", "110'164", "110'169", "110'45"])
def test_what_is_no_32nd_is_refused_with_its_row(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"row 2 has .*32nds.*decimal numbers"):
        read(tmp_path, "ZN", text)


def test_an_apostrophe_separates_thousands_elsewhere(tmp_path: Path) -> None:
    for symbol in ("SMI", "BTCCHF", "ES", "ZNGA", "US30"):
        assert read(tmp_path, symbol, "110'160").close[0] == 110_160
    assert read(tmp_path, "ZN", "1'110.50").close[0] == 1110.5


@pytest.mark.parametrize("text", ["110'16", "110'16+", "110-160", "110-16+"])
def test_32nds_of_an_unknown_code_are_refused_with_what_reads_them(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        DataError, match=r"written in points and 32nds.* BOND isn't known to be one\. Name it by"
    ) as told:
        read(tmp_path, "BOND", text)
    assert told.value.field == "symbol"


def test_thousands_that_could_all_be_32nds_are_asked_about(tmp_path: Path) -> None:
    closes = [f"110'{part:02}{digit}" for part in (1, 9, 22, 31) for digit in (0, 2, 5, 7)]
    rows = [f"2024-01-{day + 1:02},{close},{close},{close},{close},5" for day, close in enumerate(closes)]
    for more, refused in (("", True), ("2024-01-30,110'450,110'450,110'450,110'450,5", False)):
        text = "\n".join(["Date,Open,High,Low,Close,Volume", *rows, more])
        (tmp_path / "x.csv").write_text(text, encoding="utf-8")
        provider, request = CsvProvider(path=str(tmp_path / "x.csv")), DataRequest("BOND", Timeframe(1, "d"))
        if refused:
            with pytest.raises(DataError, match="points and 32nds"):
                provider.load(request)
        else:
            assert provider.load(request).close[0] == 110_010
