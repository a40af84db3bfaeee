"""Files of programs, sites and spreadsheets are read as they are, or refused with the option that reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, DataError, DataRequest, Timeframe
from quantcrafter.engine.data.load import load_as_they_are
from quantcrafter.engine.data.store.bar_files import file_provider, symbols_in
from tests.support.file_formats import ASKED, READ, TWO_SYMBOLS, FileFormat, documented
from tests.support.market_data import texts

PAGE = Path(__file__).parents[4] / "docs" / "data.md"


def loaded(folder: Path, form: FileFormat, **options: Any) -> tuple[Bars, str]:
    path = folder / form.name
    path.write_bytes(form.data)
    provider = file_provider(str(path), options)
    found = load_as_they_are(provider, DataRequest(form.symbol or "AAPL", Timeframe(1, "d")))
    return found.bars, " ".join(str(item) for item in found.findings)


def names(forms: tuple[FileFormat, ...]) -> list[str]:
    return [f"{form.source}-{number}" for number, form in enumerate(forms)]


def check(form: FileFormat, bars: Bars) -> None:
    np.testing.assert_allclose(bars.close, form.closes, rtol=1e-12)
    np.testing.assert_allclose(bars.volume, form.volumes, rtol=1e-12)
    assert (bars.high > bars.close).all()
    assert texts(bars.open_ns)[0] == form.first


@pytest.mark.parametrize("form", READ, ids=names(READ))
def test_a_known_format_is_read_without_a_hint(tmp_path: Path, form: FileFormat) -> None:
    bars, told = loaded(tmp_path, form)
    check(form, bars)
    assert form.told in told
    if form.symbol is not None:
        assert symbols_in(str(tmp_path / form.name), {}) == (form.symbol,)


@pytest.mark.parametrize("form", ASKED, ids=names(ASKED))
def test_what_is_open_is_refused_by_the_option_that_settles_it(tmp_path: Path, form: FileFormat) -> None:
    (option,) = form.option
    with pytest.raises(DataError, match=f"'{option}'") as caught:
        loaded(tmp_path, form)
    assert caught.value.field == option
    check(form, loaded(tmp_path, form, **form.option)[0])


def test_the_documentation_lists_the_formats() -> None:
    text = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- formats -->\n", "<!-- end -->"
    assert begin in text
    assert text.partition(begin)[2].partition(end)[0] == documented()


def test_a_table_of_several_symbols_gives_each_its_own_columns(tmp_path: Path) -> None:
    path = tmp_path / "both.csv"
    path.write_bytes(TWO_SYMBOLS)
    assert symbols_in(str(path), {}) == ("AAPL", "MSFT")
    for symbol, factor in (("AAPL", 1.0), ("msft", 3.0)):
        found = load_as_they_are(file_provider(str(path), {}), DataRequest(symbol, Timeframe(1, "d")))
        np.testing.assert_allclose(found.bars.close, np.array([100.5, 101.5, 102.5, 103.5]) * factor)
    with pytest.raises(DataError, match=r"the file has AAPL, MSFT, but no 'SPY'"):
        load_as_they_are(file_provider(str(path), {}), DataRequest("SPY", Timeframe(1, "d")))


@pytest.mark.parametrize(
    ("written", "close"), [("38000.000000000", 38000.0), ("38000000000000", 38000.0), ("250000", 0.00025)]
)
def test_whole_prices_of_databento_are_billionths_only_where_they_have_no_point(
    tmp_path: Path, written: str, close: float
) -> None:
    path = tmp_path / "nk.csv"
    header = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol"
    lines = [f"2024-01-{day}T00:00:00.000000000Z,35,1,1,{','.join([written] * 4)},9,NK" for day in (15, 16)]
    path.write_text("\n".join([header, *lines]), encoding="utf-8")
    found = load_as_they_are(file_provider(str(path), {}), DataRequest("NK", Timeframe(1, "d")))
    np.testing.assert_allclose(found.bars.close, [close, close])
