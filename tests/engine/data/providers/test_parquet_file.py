from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from quantcrafter.engine.api import DataError, DataRequest, RawBars, Timeframe
from quantcrafter.engine.data.providers.parquet_file import ParquetProvider
from tests.support.market_data import minutes, texts, walk

TIMES = minutes("2024-01-06T10:00", 5)


def read(folder: Path, times: pl.Series, **options: Any) -> RawBars:
    pl.DataFrame({"Timestamp": times, **walk(len(times))}).write_parquet(folder / "x.parquet")
    provider = ParquetProvider.model_validate({"path": "x.parquet", **options})
    return provider.load(DataRequest("X", Timeframe(1, "m"), base_dir=str(folder)))


@pytest.mark.parametrize(
    "times",
    [
        pl.Series(TIMES).cast(pl.Datetime("ns")),
        pl.Series(TIMES // 10**6).cast(pl.Datetime("ms")),
        pl.Series(TIMES).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone("Asia/Tokyo"),
        pl.Series(TIMES),
        pl.Series(TIMES // 10**9),
        pl.Series(TIMES / 1e9),
        pl.Series(texts(TIMES)),
    ],
    ids=["ns", "ms", "zone", "epoch ns", "epoch s", "epoch float", "text"],
)
def test_times_of_every_type_are_read(tmp_path: Path, times: pl.Series) -> None:
    raw = read(tmp_path, times)
    np.testing.assert_array_equal(raw.time_ns, TIMES)
    np.testing.assert_array_equal(raw.close, walk(5)["close"])
    assert raw.rows.tolist() == [1, 2, 3, 4, 5]


def test_dates_are_days(tmp_path: Path) -> None:
    raw = read(tmp_path, pl.Series([date(2024, 1, 2), date(2024, 1, 3)]))
    assert (raw.stamp, texts(raw.time_ns)) == ("date", ["2024-01-02T00:00", "2024-01-03T00:00"])


def test_naive_times_are_meant_in_the_zone_given(tmp_path: Path) -> None:
    raw = read(tmp_path, pl.Series(TIMES).cast(pl.Datetime("ns")), timezone="Asia/Tokyo", session="24x7")
    assert texts(raw.time_ns)[0] == "2024-01-06T01:00"


def test_a_file_that_is_no_parquet_and_prices_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("no such thing")
    request = DataRequest("X", Timeframe(1, "m"), base_dir=str(tmp_path))
    with pytest.raises(DataError, match=r"X from x\.parquet: the file is not a readable Parquet file"):
        ParquetProvider(path="x.parquet").load(request)
    pl.DataFrame({"time": TIMES, **walk(5), "close": [[1.0]] * 5}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="'close' must be a number"):
        ParquetProvider(path="x.parquet").load(request)


def test_times_far_in_the_future_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="between 1900 and 2200, row 1"):
        read(tmp_path, pl.Series(TIMES).cast(pl.Datetime("us")))
