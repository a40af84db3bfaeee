"""Files as vendors, spreadsheets and people vary them are read as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import DataError, DataRequest, Timeframe
from quantcrafter.engine.data.load import load_as_they_are
from quantcrafter.engine.data.store.bar_files import file_provider, symbols_in
from tests.support.file_formats import ALSO
from tests.support.file_variants import FileVariant, file_variants
from tests.support.market_data import texts
from tests.support.vendor_files import refused, vendor_files

VARIANTS = [*file_variants(), *vendor_files()]


@pytest.mark.parametrize("form", VARIANTS, ids=[form.title for form in VARIANTS])
def test_a_file_is_read_whatever_its_dress(tmp_path: Path, form: FileVariant) -> None:
    path = tmp_path / form.name
    path.write_bytes(form.data)
    bars = load_as_they_are(file_provider(str(path), {}), DataRequest("X", Timeframe(1, "d"))).bars
    numbers = np.arange(form.count)
    assert len(bars) == form.count
    np.testing.assert_allclose(bars.close, (100.5 + numbers) * form.scale, rtol=1e-9)
    np.testing.assert_allclose(bars.open, (100.0 + numbers) * form.scale, rtol=1e-9)
    np.testing.assert_allclose(bars.high, (101.0 + numbers) * form.scale, rtol=1e-9)
    np.testing.assert_allclose(bars.volume, (1000.0 + numbers) * form.volume, rtol=1e-9)
    assert texts(bars.open_ns)[0] == form.first
    if form.symbol is None:
        with pytest.raises(DataError, match="Name the symbol"):
            symbols_in(str(path), {})
    elif form.symbol:
        assert symbols_in(str(path), {}) == (form.symbol,)


@pytest.mark.parametrize(("name", "data", "message"), refused(), ids=str)
def test_what_is_no_table_of_bars_is_refused_with_what_it_lacks(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        load_as_they_are(file_provider(str(path), {}), DataRequest("X", Timeframe(1, "d")))


def test_every_vendor_that_the_documentation_names_has_a_file() -> None:
    assert set(ALSO) <= {form.title.partition(",")[0] for form in VARIANTS}


def test_a_table_of_another_order_says_so(tmp_path: Path) -> None:
    forms = {form.title: form for form in VARIANTS}
    for title, told in (
        ("no header, order of Coinbase", "time, low, high, open, close, volume"),
        ("no header, average of Kraken", "close, vwap, volume"),
        ("dates of a spreadsheet", "days since 1899-12-30"),
    ):
        path = tmp_path / forms[title].name
        path.write_bytes(forms[title].data)
        found = load_as_they_are(file_provider(str(path), {}), DataRequest("X", Timeframe(1, "d")))
        assert told in " ".join(str(item) for item in found.findings)


def test_a_file_whose_volume_has_an_unknown_name_says_that_it_has_none(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("date,open,high,low,close,Lots traded\n2024-01-15,1,2,1,2,5\n2024-01-16,1,2,1,2,5\n", "utf-8")
    found = load_as_they_are(file_provider(str(path), {}), DataRequest("X", Timeframe(1, "d")))
    assert "If one of 'Lots traded' is, name it with 'columns'" in " ".join(str(item) for item in found.findings)
    assert found.bars.volume.tolist() == [0.0, 0.0]
