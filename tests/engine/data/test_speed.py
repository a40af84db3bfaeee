"""Measures and prints; the clock never fails a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from quantcrafter.engine.api import DataRequest, Timeframe
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.sample import SampleProvider
from quantcrafter.engine.data.providers.synthetic import SyntheticProvider
from quantcrafter.engine.data.quality import check
from quantcrafter.engine.data.resample import resample
from tests.support.market_data import DAY, MINUTE, texts

pytestmark = [pytest.mark.benchmark_report, pytest.mark.slow]
COUNT = 1_000_000


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_a_million_bars_are_read_checked_and_resampled(tmp_path: Path) -> None:
    made = SyntheticProvider(bars=COUNT, session="us_stocks")
    request = DataRequest("X", MINUTE, base_dir=str(tmp_path))
    raw = made.load(request)
    stamps = pl.Series(raw.time_ns).cast(pl.Datetime("ns")).dt.to_string("%Y-%m-%d %H:%M:%S")
    pl.DataFrame(
        {
            "datetime": stamps,
            "open": raw.open,
            "high": raw.high,
            "low": raw.low,
            "close": raw.close,
            "volume": raw.volume,
        }
    ).write_csv(tmp_path / "m.csv")
    bars = load_bars(CsvProvider(path="m.csv"), request).bars
    assert len(bars) == COUNT
    assert texts(bars.open_ns[[0, -1]]) == texts(raw.time_ns[[0, -1]])
    figures = {
        "make 1M synthetic minutes": seconds(lambda: made.load(request)),
        "read a CSV of 1M rows": seconds(lambda: CsvProvider(path="m.csv").load(request)),
        "read, check and time it": seconds(lambda: load_bars(CsvProvider(path="m.csv"), request)),
        "check 1M bars": seconds(lambda: check(raw, MINUTE)),
        "resample 1M minutes to 1h": seconds(lambda: resample(bars, Timeframe(1, "h"))),
        "resample 1M minutes to 1d": seconds(lambda: resample(bars, DAY)),
        "load the sample": seconds(lambda: load_bars(SampleProvider(), DataRequest("AAPL", DAY))),
    }
    print()  # noqa: T201 - a report
    for name, taken in figures.items():
        print(f"{name:28} {taken * 1000:8.1f} ms")  # noqa: T201 - a report
