"""The bar store: what is put in comes out, by the rule for overlaps, whatever else happens."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import NEW_YORK_STOCKS, DataError, Timeframe
from quantcrafter.engine.data.store import BarStore, Origin, Overlap, index
from quantcrafter.engine.storage import Schema
from quantcrafter.engine.storage.schema import columns_of
from tests.support.bar_store import MINUTE, Row, bars_of, merged_by_hand, rows_of, run_of_rows, some_rows
from tests.support.market_data import bars_at, moments, new_york_minutes


@settings(max_examples=30)
@given(st.lists(st.tuples(some_rows(), st.booleans()), min_size=1, max_size=4))
def test_puts_merge_as_the_rule_says_and_never_overlap(puts: list[tuple[list[Row], bool]]) -> None:
    with TemporaryDirectory() as folder:
        store, expected = BarStore(Path(folder)), list[Row]()
        for rows, keep in puts:
            before = set(expected)
            expected = merged_by_hand(expected, rows, keep=keep)
            done = store.put(bars_of(rows), overlap=Overlap.KEEP if keep else Overlap.REPLACE)
            if keep:
                assert done.added == len(expected) - len(before)
            assert done.series.count == len(expected)

        bars = store.read("SPY", MINUTE)
        assert rows_of(bars) == expected
        assert (bars.open_ns[1:] >= bars.close_ns[:-1]).all()


@settings(max_examples=30)
@given(some_rows(), st.integers(-2, 80), st.integers(-2, 80))
def test_a_range_is_read_and_deleted_by_opening_times(rows: list[Row], start: int, end: int) -> None:
    at = bars_of([(start, 1, 1.0), (max(start, end), 1, 1.0)]).open_ns.tolist()
    inside = [row for row in rows if start <= row[0] < max(start, end)]
    with TemporaryDirectory() as folder:
        store = BarStore(Path(folder))
        store.put(bars_of(rows))

        assert rows_of(store.read("SPY", MINUTE, *at)) == inside
        assert store.delete("SPY", MINUTE, *at) == len(inside)
        left = [row for row in rows if row not in inside]
        assert (rows_of(store.read("SPY", MINUTE)) if left else []) == left
        assert bool(store.list()) is bool(left)


def test_bars_come_back_to_the_bit_with_session_and_mark(tmp_path: Path) -> None:
    bars = replace(bars_at(new_york_minutes("2024-03-07", 3), session=NEW_YORK_STOCKS), synthetic=True)
    store = BarStore(tmp_path)
    store.put(bars)

    back = BarStore(tmp_path).read("X", MINUTE)

    assert back.content_hash == bars.content_hash
    assert (back.session, back.synthetic) == (NEW_YORK_STOCKS, True)
    assert back.close.flags.writeable  # compiled code knows no other arrays
    back.close[0] = 0.0
    assert store.read("X", MINUTE).close[0] == bars.close[0]


def test_the_list_says_what_there_is(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of([*run_of_rows(0, 5), *run_of_rows(8, 4)]))
    store.put(replace(bars_of(run_of_rows(0, 3)), timeframe=Timeframe(60, "m"), source="b.csv"))
    store.put(bars_of(run_of_rows(0, 1), symbol="BTC/USDT", source="c.csv"))

    btc, one_minute, hour = store.list()

    assert (btc.symbol, btc.count, str(hour.timeframe), hour.source) == ("BTC/USDT", 1, "1h", "b.csv")
    assert (one_minute.count, one_minute.gaps, one_minute.missing) == (9, 1, 3)
    assert (one_minute.first_ns, one_minute.end_ns) == tuple(bars_of([(0, 1, 1), (12, 1, 1)]).open_ns)
    assert one_minute.size == sum(path.stat().st_size for path in tmp_path.glob("SPY-1m-*.npy"))
    assert store.symbols() == ("BTC/USDT", "SPY")


def test_symbols_that_differ_in_case_alone_are_two(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 2), symbol="brk.b"))
    store.put(bars_of(run_of_rows(0, 3), symbol="BRK.B"))

    assert [(series.symbol, series.count) for series in store.list()] == [("BRK.B", 3), ("brk.b", 2)]


def test_fresh_forgets_what_was_stored(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 5)))

    done = store.put(bars_of(run_of_rows(50, 2), session=NEW_YORK_STOCKS), fresh=True)

    assert (done.added, done.replaced, done.series.count) == (2, 5, 2)
    assert done.series.session == NEW_YORK_STOCKS


def test_an_unknown_symbol_is_answered_with_the_nearest(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    with pytest.raises(DataError, match=r"no 'SPY'\. It is empty\. Import bars"):
        store.read("SPY", MINUTE)
    store.put(bars_of(run_of_rows(0, 2)))

    with pytest.raises(DataError, match=r"no 'SPPY'\. Did you mean 'SPY'\?"):
        store.read("SPPY", MINUTE)
    with pytest.raises(DataError, match="has SPY in 1m, not in 1d"):
        store.read("SPY", Timeframe(1, "d"))


def test_generated_bars_and_other_hours_are_refused(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 2)))

    with pytest.raises(DataError, match="generated bars are never mixed with real ones"):
        store.put(bars_of(run_of_rows(5, 2), synthetic=True))
    with pytest.raises(DataError, match="the store has 24x7 UTC, the new ones 09:30-16:00 America/New_York"):
        store.put(bars_of(run_of_rows(5, 2), session=NEW_YORK_STOCKS))
    assert store.list()[0].count == 2


def test_damaged_files_and_a_damaged_index_are_told_of(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 2)))
    values = next(tmp_path.glob("*.values.npy"))
    whole = values.read_bytes()
    values.write_bytes(whole[:-40])
    with pytest.raises(DataError, match="can't be read"):
        store.read("SPY", MINUTE)
    np.save(values, np.zeros((5, 3)))
    with pytest.raises(DataError, match="must hold 5 columns of 2 bars"):
        store.read("SPY", MINUTE)
    values.unlink()
    with pytest.raises(DataError, match="files of its bars are missing"):
        store.read("SPY", MINUTE)
    assert store.delete("SPY", MINUTE) == 2

    (tmp_path / "index.db").write_bytes(b"no database at all, but long enough to be taken for one" * 10)
    with pytest.raises(DataError, match="import your bars again"):
        store.list()


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 2)))
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(DataError, match="has format 99"):
        store.list()


def note_the_venue(database: Any) -> None:
    database["series"].add_column("venue", str, not_null_default="")


def test_a_store_of_an_older_version_keeps_its_bars_and_a_copy_of_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 2)))
    before = store.list()
    made = index.SCHEMA.tables["series"].replace(", PRIMARY KEY", ", venue TEXT NOT NULL DEFAULT '', PRIMARY KEY")
    version = index.SCHEMA.version
    later = Schema(version + 1, {"series": made}, {**index.SCHEMA.steps, version: note_the_venue})
    monkeypatch.setattr(index, "SCHEMA", later)

    store = BarStore(tmp_path)

    assert store.list() == before
    assert store.put(bars_of(run_of_rows(2, 2))).series.count == 4
    assert len(store.read("SPY", MINUTE)) == 4
    with closing(sqlite3.connect(tmp_path / "index.db")) as connection:
        assert connection.execute("SELECT venue FROM series").fetchall() == [("",)]
    (copy,) = tmp_path.glob(f"index.db.v{version}-*.bak")
    with closing(sqlite3.connect(copy)) as connection:
        assert "venue" not in columns_of(connection, "series")


def test_a_store_from_before_markets_were_noted_opens_without_one(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 2)))
    with closing(sqlite3.connect(tmp_path / "index.db")) as connection:
        for column in ("decimals", "assumed_zone", "columns", "currency", "origin", "market"):
            connection.execute(f"ALTER TABLE series DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    (series,) = BarStore(tmp_path).list()
    assert (series.market, series.count) == ("", 2)
    assert BarStore(tmp_path).put(bars_of(run_of_rows(0, 2)), market="crypto_spot").series.market == "crypto_spot"
    assert len(list(tmp_path.glob("index.db.v1-*.bak"))) == 1


def test_a_series_keeps_its_market_while_bars_come_and_go(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 4)), market="forex")
    assert store.put(bars_of(run_of_rows(4, 2))).series.market == "forex"
    store.delete("SPY", MINUTE, start_ns=int(bars_of(run_of_rows(5, 1)).open_ns[0]))
    assert [(series.market, series.count) for series in store.list()] == [("forex", 5)]
    assert store.put(bars_of(run_of_rows(0, 2)), fresh=True).series.market == ""


def test_a_store_from_before_downloads_is_migrated(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 2)))
    before = store.list()
    with closing(sqlite3.connect(tmp_path / "index.db")) as connection:
        for column in ("decimals", "assumed_zone", "columns", "currency", "origin"):
            connection.execute(f"ALTER TABLE series DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 2")

    assert BarStore(tmp_path).list() == before
    assert before[0].origin is None


def test_where_a_series_was_downloaded_from_stays_until_it_is_replaced(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    origin = Origin("ccxt", "SPY/USD", "none", 5, {"exchange": "kraken"}, "USD")
    store.put(bars_of(run_of_rows(0, 2)), origin=origin)
    store.put(bars_of(run_of_rows(2, 2)))
    assert store.delete("SPY", MINUTE, bars_of(run_of_rows(3, 1)).open_ns[0].item()) == 1
    assert store.series("SPY", MINUTE).origin == origin

    store.set_origin("SPY", MINUTE, replace(origin, since_ns=1))
    assert store.series("SPY", MINUTE).origin == replace(origin, since_ns=1)
    assert len(store.read("SPY", MINUTE)) == 3

    assert store.put(bars_of(run_of_rows(0, 2)), fresh=True).series.origin is None


def test_old_files_go_and_stray_ones_are_swept_after_an_hour(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 2)))
    for age, name in ((7200, "OLD-1m-ff"), (60, "YOUNG-1m-ff")):
        for part in ("times", "values"):
            path = tmp_path / f"{name}.{part}.npy"
            path.write_bytes(b"half")
            import os

            os.utime(path, (time.time() - age,) * 2)

    store.put(bars_of(run_of_rows(2, 2)))

    names = sorted(path.name for path in tmp_path.glob("*.npy"))
    assert len(names) == 4
    assert [name.partition("-")[0] for name in names] == ["SPY", "SPY", "YOUNG", "YOUNG"]


def test_a_reader_keeps_its_bars_while_they_are_replaced(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_of(run_of_rows(0, 1000, 5.0)))
    before = store.read("SPY", MINUTE)

    store.put(bars_of(run_of_rows(0, 1000, 6.0)))

    assert before.close.sum() == 5000.0
    assert store.read("SPY", MINUTE).close.sum() == 6000.0


def test_no_bars_and_no_symbol_are_refused(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    with pytest.raises(DataError, match="no bars to keep"):
        store.put(bars_of([]))
    with pytest.raises(DataError, match="need a symbol"):
        store.put(bars_of(run_of_rows(0, 1), symbol=" "))


@pytest.mark.benchmark_report
def test_a_million_bars_open_in_well_under_a_tenth_of_a_second(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.put(bars_at(moments("2020-01-01")[0] + np.arange(1_000_000, dtype=np.int64) * 60_000_000_000))

    started = time.process_time()
    bars = store.read("X", MINUTE)
    took = time.process_time() - started

    assert len(bars) == 1_000_000
    print(f"1M bars opened in {took * 1e3:.1f} ms of CPU")  # noqa: T201 - a report
