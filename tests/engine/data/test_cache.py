from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from quantcrafter.engine.api import DataProvider, DataRequest, RawBars, Timeframe
from quantcrafter.engine.data.cache import BarCache
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.synthetic import SyntheticProvider

DAY = Timeframe(1, "d")


class Counting(SyntheticProvider):
    """Counts how often it is asked."""

    asked: int = 0

    def load(self, request: DataRequest) -> RawBars:
        LOADS.append(request.symbol)
        return super().load(request)


class Unversioned(Counting):
    def data_version(self, request: DataRequest) -> None:  # type: ignore[override]
        del request


LOADS: list[str] = []


def loads(cache: BarCache, *requests: tuple[DataProvider, str]) -> int:
    LOADS.clear()
    for provider, symbol in requests:
        cache(provider, DataRequest(symbol, DAY))
    return len(LOADS)


def test_the_same_request_is_loaded_once_and_another_one_anew() -> None:
    cache = BarCache()
    assert loads(cache, (Counting(), "A"), (Counting(), "A")) == 1
    assert loads(cache, (Counting(), "B")) == 1
    assert loads(cache, (Counting(seed=2), "A")) == 1
    assert loads(cache, (Counting(), "A"), (Counting(seed=2), "A"), (Counting(), "B")) == 0


def test_what_has_no_version_is_loaded_each_time() -> None:
    assert loads(BarCache(), (Unversioned(), "A"), (Unversioned(), "A")) == 2


def test_the_bars_used_least_lately_go_when_there_are_too_many() -> None:
    cache = BarCache(limit=3 * 1000 * 7 * 8)
    many = [(Counting(), symbol) for symbol in "ABC"]
    assert loads(cache, *many) == 3
    assert loads(cache, (Counting(), "A"), (Counting(), "D")) == 1
    assert loads(cache, (Counting(), "A"), (Counting(), "C")) == 0
    assert loads(cache, (Counting(), "B")) == 1


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    rows = [f"2024-01-0{day},1,2,0.5,1.5,10" for day in range(2, 9)]
    file.write_text("date,open,high,low,close,volume\n" + "\n".join(rows), encoding="utf-8")
    cache, request = BarCache(), DataRequest("X", DAY, str(tmp_path))
    provider = CsvProvider(path="bars.csv")
    first = cache(provider, request).bars
    assert cache(provider, request).bars is first

    rows[0] = rows[0].replace("1.5", "1.6")
    file.write_text("date,open,high,low,close,volume\n" + "\n".join(rows), encoding="utf-8")
    os.utime(file, ns=(1, 1))

    assert np.isclose(cache(provider, request).bars.close[0], 1.6)
