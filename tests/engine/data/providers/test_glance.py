"""The first lines of a file are there to be looked at, whether or not its bars can be read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from quantcrafter.engine.api import DataError, DataRequest, Timeframe
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.parquet_file import ParquetProvider
from quantcrafter.engine.runtime.compute_process.jobs.preview import look_at
from tests.support.file_formats import READ, FileFormat

DAY = DataRequest("X", Timeframe(1, "d"))


@pytest.mark.parametrize("form", READ, ids=[f"{form.source}-{number}" for number, form in enumerate(READ)])
def test_every_format_shows_its_lines_and_where_the_close_is(tmp_path: Path, form: FileFormat) -> None:
    (tmp_path / form.name).write_bytes(form.data)
    seen = CsvProvider(path=str(tmp_path / form.name)).glance()
    roles = dict(seen.roles)
    assert {"open", "high", "low", "close"} <= roles.keys()
    assert max(map(len, seen.rows)) > roles["close"]


def test_lines_are_shown_of_a_file_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("When;P;Q;R;S\n2024-01-02;1;2;1;2\n", encoding="utf-8")
    seen = look_at(CsvProvider(path=str(path), columns={"time": "When", "open": 2}), DAY)
    assert seen.error
    assert seen.glance.rows[:2] == (("When", "P", "Q", "R", "S"), ("2024-01-02", "1", "2", "1", "2"))
    assert dict(seen.glance.roles) == {"time": 0, "open": 1}


def test_a_parquet_file_shows_its_names_and_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"t": ["2024-01-02"] * 50, "o": 1.0, "h": 2.0, "l": 1.0, "c": 2.0}).write_parquet(path)
    seen = ParquetProvider(path=str(path)).glance()
    assert seen.rows[:2] == (("t", "o", "h", "l", "c"), ("2024-01-02", "1.0", "2.0", "1.0", "2.0"))
    assert len(seen.rows) == 12
    assert dict(seen.roles)["close"] == 4


def test_long_lines_are_cut_and_what_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(",".join(["y" * 500] * 100) + "\n", encoding="utf-8")
    seen = CsvProvider(path=str(path)).glance()
    assert (len(seen.rows[0]), len(seen.rows[0][0])) == (60, 60)
    with pytest.raises(DataError, match="doesn't exist"):
        CsvProvider(path=str(tmp_path / "none.csv")).glance()
