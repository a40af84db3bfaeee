"""Further columns in the bar store, and the currency of prices: they come back, or it is told that they do not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from quantcrafter.engine.api import Bars, DataError, DataRequest, Timeframe
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.parquet_file import ParquetProvider
from quantcrafter.engine.data.store import BarStore, Origin, Overlap
from quantcrafter.engine.data.store.bar_files import ImportOptions, export_bars, import_file
from quantcrafter.engine.data.store.fill import fill_gaps
from quantcrafter.engine.data.store.provider import StoreProvider
from quantcrafter.engine.storage.schema import columns_of
from tests.support.bar_store import MINUTE, Row, bars_of, run_of_rows, workdays, write_csv

DAY = Timeframe(1, "d")
HEAD = "Date,Open,High,Low,Close,Volume"
PLAIN = ImportOptions()
SCORED = ImportOptions({"columns": {"signal": "Model"}})


def with_column(rows: list[Row], first: float = 0.0, **changes: Any) -> Bars:
    """Return bars with a column `score` that counts them from `first` on."""
    return bars_of(rows, extra={"score": first + np.arange(len(rows), dtype=np.float64)}, **changes)


def column(name: str = "score") -> list[float]:
    return list(BarStore().read("SPY", MINUTE).extra[name].tolist())


def days_with(count: int, *cells: str, first: str = "2024-01-02") -> list[str]:
    return [",".join((line, *cells)).replace("#", str(n)) for n, line in enumerate(workdays(first, count))]


def test_bars_come_back_with_their_further_columns_and_a_part_of_them_too() -> None:
    store = BarStore()
    bars = with_column(run_of_rows(0, 5), 10.0)
    done = store.put(bars, currency="EUR")
    assert (done.series.columns, done.series.currency, done.notes) == (("score",), "EUR", ())
    assert store.read("SPY", MINUTE).content_hash == bars.content_hash

    assert store.delete("SPY", MINUTE, int(bars.open_ns[1]), int(bars.open_ns[3])) == 2
    assert column() == [10.0, 13.0, 14.0]
    assert store.read("SPY", MINUTE, int(bars.open_ns[3])).extra["score"].tolist() == [13.0, 14.0]
    assert store.series("SPY", MINUTE).currency == "EUR"


def test_a_column_that_new_bars_lack_stays_and_the_empty_ones_are_counted() -> None:
    store = BarStore()
    store.put(with_column(run_of_rows(0, 3)))
    done = store.put(bars_of(run_of_rows(2, 3, 101.0)))
    assert np.array_equal(column(), [0.0, 1.0, 2.0, np.nan, np.nan], equal_nan=True)
    assert store.read("SPY", MINUTE).close.tolist() == [100.0, 100.0, 101.0, 101.0, 101.0]
    assert done.notes == ("The new bars don't have the stored column 'score': bars without a value: 2.",)


@pytest.mark.parametrize("overlap", list(Overlap))
def test_a_new_column_fills_stored_bars_of_the_same_times(overlap: Overlap) -> None:
    store = BarStore()
    store.put(bars_of(run_of_rows(0, 3)))
    done = store.put(with_column(run_of_rows(1, 2, 101.0), 7.0), overlap=overlap)
    assert np.array_equal(column(), [np.nan, 7.0, 8.0], equal_nan=True)
    closes = [100.0, 100.0, 100.0] if overlap is Overlap.KEEP else [100.0, 101.0, 101.0]
    assert store.read("SPY", MINUTE).close.tolist() == closes
    assert done.notes == ("The column 'score' is new: stored bars without a value: 1.",)


def test_columns_of_both_are_kept_in_one_series() -> None:
    store = BarStore()
    store.put(replace(bars_of(run_of_rows(0, 2)), extra={"a": np.array([1.0, 2.0])}))
    store.put(replace(bars_of(run_of_rows(2, 2)), extra={"b": np.array([3.0, 4.0])}))
    assert np.array_equal(column("a"), [1.0, 2.0, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(column("b"), [np.nan, np.nan, 3.0, 4.0], equal_nan=True)
    with pytest.raises(DataError, match="can have 50 further columns, with the new ones there would be 51"):
        store.put(replace(bars_of(run_of_rows(4, 1)), extra={f"x{n}": np.zeros(1) for n in range(49)}))


def test_a_replaced_series_says_which_columns_went() -> None:
    store = BarStore()
    store.put(with_column(run_of_rows(0, 3)))
    done = store.put(bars_of(run_of_rows(0, 3)), fresh=True)
    assert done.series.columns == ()
    assert done.notes == ("The column 'score' went with the stored bars: the new ones don't have it.",)


def test_prices_in_another_currency_are_refused() -> None:
    store = BarStore()
    store.put(bars_of(run_of_rows(0, 3)), currency="GBX")
    with pytest.raises(DataError, match="the store has prices in GBX, these are in USD"):
        store.put(bars_of(run_of_rows(3, 3)), currency="USD")
    assert store.put(bars_of(run_of_rows(3, 3))).series.currency == "GBX"


def test_the_currency_of_a_download_counts_where_bars_were_stored_without_it() -> None:
    store = BarStore()
    store.put(bars_of(run_of_rows(0, 3)), origin=Origin("yfinance", "VOD.L", "splits", 0, currency="GBp"))
    assert store.series("SPY", MINUTE).known_currency == "GBp"
    with pytest.raises(DataError, match="prices in GBX, these are in GBP"):
        store.put(bars_of(run_of_rows(3, 3)), currency="GBP")
    assert store.put(bars_of(run_of_rows(3, 3)), currency="GBX").series.count == 6


def test_a_store_of_format_3_opens_with_a_copy_and_takes_columns(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 3)))
    with closing(sqlite3.connect(tmp_path / "index.db")) as connection:
        for name in ("decimals", "assumed_zone", "columns", "currency"):
            connection.execute(f"ALTER TABLE series DROP COLUMN {name}")
        connection.execute("PRAGMA user_version = 3")
        connection.commit()

    store = BarStore(tmp_path)
    (series,) = store.list()
    assert (series.columns, series.currency, len(store.read("SPY", MINUTE))) == ((), "", 3)
    (copy,) = tmp_path.glob("index.db.v3-*.bak")
    with closing(sqlite3.connect(copy)) as connection:
        assert not {"columns", "currency"} & columns_of(connection, "series")
    store.put(with_column(run_of_rows(3, 2)))
    assert np.array_equal(store.read("SPY", MINUTE).extra["score"][2:], [np.nan, 0.0, 1.0], equal_nan=True)


def test_the_spread_and_the_open_interest_of_a_file_are_kept_without_being_asked_for(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "es_1d.csv", days_with(30, "#", "1#00"), f"{HEAD},<SPREAD>,OpenInt")
    (done,) = import_file(BarStore(), str(path), (), PLAIN)
    series = done.put.series
    assert series.columns == ("spread", "open_interest")
    assert any(
        "column 'SPREAD' is kept. To trade at its spread, set 'spread: {column: spread" in str(each)
        for each in done.findings
    )

    loaded = load_bars(StoreProvider(), DataRequest("ES", series.timeframe, spread_column="Spread", open_interest=True))
    assert loaded.bars.spread is not None
    assert loaded.bars.open_interest is not None
    assert loaded.bars.spread.tolist() == list(range(30))
    assert loaded.bars.open_interest[:3].tolist() == [1000.0, 1100.0, 1200.0]
    assert loaded.bars.extra == {}


def test_a_spread_that_is_no_number_is_told_of_and_the_bars_are_imported(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "es_1d.csv", days_with(30, "wide"), f"{HEAD},Spread")
    (done,) = import_file(BarStore(), str(path), (), PLAIN)
    assert (done.put.series.count, done.put.series.columns) == (30, ())
    (told,) = (str(each) for each in done.findings if "Not kept" in str(each))
    assert "Not kept: Spread." in told
    assert "wide" in told


def test_a_named_column_is_imported_and_read_under_any_name(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spy_1d.csv", days_with(30, "0.#"), f"{HEAD},Model")
    (done,) = import_file(BarStore(), str(path), (), SCORED)
    request = DataRequest("SPY", done.put.series.timeframe)
    loaded = load_bars(StoreProvider(columns={"rating": "signal"}), request)
    assert loaded.bars.extra["rating"][:3].tolist() == [0.0, 0.1, 0.2]
    assert load_bars(StoreProvider(), request).bars.extra == {}

    with pytest.raises(DataError, match=r"SPY 1d: the bar store has no column 'signa'\. Did you mean 'signal'\?"):
        load_bars(StoreProvider(columns={"rating": "signa"}), request)
    with pytest.raises(DataError, match=r"no column 'spread'\. It has signal\. Import it with the bars"):
        load_bars(StoreProvider(), replace(request, spread_column="spread"))
    with pytest.raises(ValueError, match="stored bars have their own 'close'"):
        StoreProvider(columns={"close": "signal"})


def test_an_exported_file_has_the_columns_and_the_currency_and_is_imported_again(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spy_1d.csv", days_with(30, "0.#", "#", "EUR"), f"{HEAD},Model,Spread,Currency")
    store = BarStore()
    (done,) = import_file(store, str(path), (), SCORED)
    frame = done.put.series.timeframe
    before = store.read("SPY", frame)
    assert (done.put.series.columns, done.put.series.currency) == (("signal", "spread"), "EUR")
    assert load_bars(StoreProvider(), DataRequest("SPY", frame)).currency == "EUR"

    for name in ("out.csv", "out.parquet"):
        export_bars(store, "SPY", frame, tmp_path / name)
        (again,) = import_file(
            store, str(tmp_path / name), ("SPY",), ImportOptions({"columns": {"signal": "signal"}}, fresh=True)
        )
        assert (again.put.series.columns, again.put.series.currency) == (("signal", "spread"), "EUR"), name
        after = store.read("SPY", frame)
        assert after.content_hash == before.content_hash, name


def test_gaps_are_filled_with_the_columns_of_the_other_source(tmp_path: Path) -> None:
    lines = days_with(30, "#")
    path = write_csv(tmp_path / "spy_1d.csv", [*lines[:10], *lines[17:]], f"{HEAD},Model")
    whole = write_csv(tmp_path / "more.csv", lines, f"{HEAD},Model")
    store = BarStore()
    (done,) = import_file(store, str(path), (), SCORED)
    frame = done.put.series.timeframe

    source = CsvProvider(path=str(whole), columns={"signal": "Model"})
    filled = fill_gaps(store, "SPY", frame, source)
    assert filled.added == 7
    assert store.read("SPY", frame).extra["signal"].tolist() == list(range(30))

    (done,) = import_file(store, str(path), (), replace(SCORED, fresh=True))
    filled = fill_gaps(store, "SPY", frame, CsvProvider(path=str(whole)))
    assert [str(each) for each in filled.findings if "signal" in str(each)] == [
        "The new bars don't have the stored column 'signal': bars without a value: 7."
    ]


def test_a_parquet_file_is_traded_at_its_own_spread(tmp_path: Path) -> None:
    path = tmp_path / "es.parquet"
    days = [line.split(",") for line in workdays("2024-01-02", 20)]
    names = ("date", "open", "high", "low", "close", "volume")
    columns = {name: [row[place] for row in days] for place, name in enumerate(names)}
    pl.DataFrame(columns).with_columns(
        pl.col(names[1:]).cast(pl.Float64), Ask_Minus_Bid=pl.lit(0.25), ccy=pl.lit("GBp")
    ).write_parquet(path)
    bars = load_bars(ParquetProvider(path=str(path)), DataRequest("ES", DAY, spread_column="ask_minus_bid"))
    assert bars.bars.spread is not None
    assert bars.bars.spread.tolist() == [0.25] * 20
    assert bars.currency == "GBX"
