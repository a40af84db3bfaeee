"""Files into the store and out of it, and gaps filled from other sources."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import DataError, DataRequest, Timeframe
from quantcrafter.engine.data.cache import BarCache
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.synthetic import SyntheticProvider
from quantcrafter.engine.data.providers.table import FileTable
from quantcrafter.engine.data.store import BarStore, Overlap, gaps_of
from quantcrafter.engine.data.store.bar_files import ImportOptions, export_bars, import_file, symbol_of, symbols_in
from quantcrafter.engine.data.store.fill import fill_gaps
from quantcrafter.engine.data.store.provider import StoreProvider
from quantcrafter.engine.plugins import load_registry
from tests.support.bar_store import workdays, write_csv
from tests.support.market_data import FixedProvider, bars_at, new_york_minutes, raw_bars, texts

DAY = Timeframe(1, "d")
PLAIN = ImportOptions()


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("spy_1d.csv", "SPY"),
        ("SPY.csv.gz", "SPY"),
        ("BTC-USDT_5m_2024.parquet", "BTC-USDT"),
        ("ohlcv_EURUSD_M15.csv", "EURUSD"),
        ("/data/2024-01 daily Brk.B.txt", "Brk.B"),
    ],
)
def test_the_symbol_is_told_from_the_name_of_the_file(name: str, symbol: str) -> None:
    assert symbol_of(name) == symbol


def test_a_file_is_imported_in_its_own_timeframe_and_the_provider_gives_the_same_bars(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spy_1d.csv", workdays("2024-01-02", 60))
    store = BarStore()

    (done,) = import_file(store, str(path), (), PLAIN)

    assert (done.put.series.symbol, str(done.put.series.timeframe), done.put.added) == ("SPY", "1d", 60)
    assert [finding.kind for finding in done.findings] == ["guess"]
    for timeframe in (DAY, Timeframe(1, "w"), Timeframe(1, "mo")):
        request = DataRequest("SPY", timeframe)
        direct = load_bars(CsvProvider(path=str(path)), request).bars
        assert load_bars(StoreProvider(), request).bars.content_hash == direct.content_hash


def zipped(path: Path, **tables: str) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in tables.items():
            archive.writestr(f"{name}.csv", text)
    return str(path)


def test_each_table_of_an_archive_is_imported_under_the_symbol_of_its_own_name(tmp_path: Path) -> None:
    cheap = write_csv(tmp_path / "one.csv", workdays("2024-01-02", 5)).read_text(encoding="utf-8")
    dear = write_csv(tmp_path / "two.csv", workdays("2024-01-02", 7)).read_text(encoding="utf-8")
    pair = zipped(tmp_path / "pair.zip", AAPL=cheap, MSFT=dear)
    for member in ("AAPL.csv", "MSFT.csv"):
        import_file(BarStore(), pair, (), ImportOptions({"member": member}))
    assert {series.symbol: series.count for series in BarStore().list()} == {"AAPL": 5, "MSFT": 7}

    unnamed = zipped(tmp_path / "QQQ.zip", prices=cheap, quotes=dear)
    with pytest.raises(DataError, match=r"'prices\.csv': neither the file nor its name says"):
        symbols_in(unnamed, {"member": "prices.csv"})


def test_the_one_table_of_an_archive_names_the_symbol_before_the_archive(tmp_path: Path) -> None:
    text = write_csv(tmp_path / "one.csv", workdays("2024-01-02", 5)).read_text(encoding="utf-8")
    assert symbols_in(zipped(tmp_path / "pair.zip", AAPL=text), {}) == ("AAPL",)
    assert symbols_in(zipped(tmp_path / "QQQ_1d.zip", prices=text), {}) == ("QQQ",)
    assert symbols_in(zipped(tmp_path / "QQQ.zip", prices=text), {"member": "prices.csv"}) == ("QQQ",)


def test_spot_and_perpetual_of_one_name_are_two_symbols(tmp_path: Path) -> None:
    text = write_csv(tmp_path / "one.csv", workdays("2024-01-02", 5)).read_text(encoding="utf-8")
    for folder, count in (("spot", 0), ("futures/um", 1)):
        (tmp_path / folder / "klines").mkdir(parents=True)
        path = zipped(tmp_path / folder / "klines" / "BTCUSDT-1d-2024-01.zip", **{"BTCUSDT-1d-2024-01": text})
        import_file(BarStore(), path, (), PLAIN)
        assert BarStore().symbols() == ("BTCUSDT", "BTCUSDT_PERP")[: count + 1]
    inside = str(tmp_path / "futures" / "um" / "klines")
    assert symbols_in("BTCUSDT-1d-2024-01.zip", {}, inside) == ("BTCUSDT_PERP",)


def test_every_symbol_of_a_file_is_imported_or_those_that_are_named(tmp_path: Path) -> None:
    days = workdays("2024-01-02", 5)
    lines = [f"{line},{symbol}" for symbol in ("QQQ", "SPY") for line in days]
    path = write_csv(tmp_path / "all.csv", lines, "Date,Open,High,Low,Close,Volume,Symbol")

    assert symbols_in(str(path), {}) == ("QQQ", "SPY")
    seen: list[str] = []
    import_file(BarStore(), str(path), ("SPY",), PLAIN)
    assert BarStore().symbols() == ("SPY",)
    import_file(BarStore(), str(path), (), PLAIN, step=seen.append)
    assert (BarStore().symbols(), seen) == (("QQQ", "SPY"), ["QQQ", "SPY"])


def test_bad_bars_are_refused_or_repaired_and_nothing_else_changes(tmp_path: Path) -> None:
    good = workdays("2024-01-02", 5)
    path = write_csv(tmp_path / "spy.csv", [*good, "2024-01-09,5,-1,9,5,1"])
    store = BarStore()

    with pytest.raises(DataError, match="row 7"):
        import_file(store, str(path), (), PLAIN)
    assert store.list() == []
    (done,) = import_file(store, str(path), (), ImportOptions(on_bad_bars="repair"))
    assert (done.put.series.count, done.findings[-1].repair) == (5, "Dropped.")


def test_the_stored_session_is_taken_where_the_files_is_left_to_be_guessed(tmp_path: Path) -> None:
    with_weekend = write_csv(tmp_path / "x.csv", [f"2024-01-{day:02d},1,1,1,1,1" for day in range(1, 15)])
    works_only = write_csv(tmp_path / "y.csv", workdays("2024-02-01", 5))
    store = BarStore()
    import_file(store, str(with_weekend), ("X",), PLAIN)

    import_file(store, str(works_only), ("X",), PLAIN)

    (series,) = store.list()
    assert (series.count, series.session.timezone, series.session.open_minute) == (19, "UTC", 0)
    with pytest.raises(DataError, match="must have the same trading hours"):
        import_file(store, str(works_only), ("X",), ImportOptions(options={"session": "us_stocks"}))


def test_bars_of_a_market_have_its_hours_holidays_and_zone(tmp_path: Path) -> None:
    store, markets = BarStore(), load_registry().markets
    days = write_csv(tmp_path / "600000.SH.csv", workdays("2024-01-02", 20))
    (done,) = import_file(store, str(days), (), ImportOptions(markets=markets))
    assert (done.put.series.symbol, done.put.series.market) == ("600000.SH", "cn_stocks")
    assert (done.put.series.session.timezone, done.put.series.session.calendar) == ("Asia/Shanghai", "XSHG")
    assert texts(store.read("600000.SH", DAY).close_ns)[0] == "2024-01-02T07:00"
    assert not done.findings

    times = [f"2024-01-02 {hour:02}:00" for hour in range(9, 15)]
    clock = write_csv(tmp_path / "toyota.csv", [f"{time},1,1,1,1,1" for time in times])
    (done,) = import_file(store, str(clock), ("7203",), ImportOptions(markets=markets, market="jp_stocks"))
    assert done.put.series.market == "jp_stocks"
    assert texts(store.read("7203", Timeframe(1, "h")).open_ns)[0] == "2024-01-02T00:00"


def test_a_market_is_told_by_name_where_there_is_none_and_futures_may_cost_less_than_nothing(tmp_path: Path) -> None:
    markets = load_registry().markets
    file = write_csv(tmp_path / "cl.csv", ["2020-04-20,18,18,-40,-37,5", "2020-04-21,-14,14,-16,10,5"])
    with pytest.raises(DataError, match=r"no market 'us_future'. Did you mean 'us_futures'") as caught:
        import_file(BarStore(), str(file), (), ImportOptions(markets=markets, market="us_future"))
    assert caught.value.field == "market"
    with pytest.raises(DataError, match="price of zero or less"):
        import_file(BarStore(), str(file), (), ImportOptions(markets=markets))
    (done,) = import_file(BarStore(), str(file), (), ImportOptions(markets=markets, market="us_futures"))
    assert done.put.series.count == 2


def test_a_market_of_other_hours_than_the_stored_bars_is_refused_until_they_are_replaced(tmp_path: Path) -> None:
    store, markets = BarStore(), load_registry().markets
    file = write_csv(tmp_path / "x.csv", workdays("2024-01-02", 9))
    import_file(store, str(file), (), ImportOptions(markets=markets))
    named = ImportOptions(markets=markets, market="us_stocks")
    with pytest.raises(DataError, match="must have the same trading hours"):
        import_file(store, str(file), (), named)
    import_file(store, str(file), (), replace(named, fresh=True))
    assert [series.market for series in store.list("X")] == ["us_stocks"]


def test_a_file_of_many_symbols_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"S{number}" for number in range(20)]
    rows = [f"{line},{name}" for name in names for line in workdays("2024-01-02", 3)]
    file = write_csv(tmp_path / "all.csv", rows, "Date,Open,High,Low,Close,Volume,Symbol")
    reads, read = list[Path](), CsvProvider._read

    def counted(self: CsvProvider, path: Path, subject: str, symbol: str = "", spread: str = "") -> FileTable:
        reads.append(path)
        return read(self, path, subject, symbol, spread)

    monkeypatch.setattr(CsvProvider, "_read", counted)
    done = import_file(BarStore(), str(file), (), PLAIN)
    assert [each.put.series.symbol for each in done] == sorted(names)
    assert {each.put.series.count for each in done} == {3}
    assert len(reads) == 1
    for value in (200, 201):  # a file that changes is read again
        write_csv(tmp_path / "x.csv", [f"2024-01-02,{value},{value},{value},{value},5"])
        import_file(BarStore(), str(tmp_path / "x.csv"), ("X",), replace(PLAIN, fresh=True))
        assert BarStore().read("X", DAY).close.tolist() == [value]


def test_wrong_files_and_options_are_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 5))
    (tmp_path / "spy.xlsx").write_bytes(b"x")
    with pytest.raises(DataError, match="must be a CSV or Parquet file"):
        import_file(BarStore(), str(tmp_path / "spy.xlsx"), (), PLAIN)
    with pytest.raises(DataError, match=r"no option 'timezon'\. Did you mean 'timezone'\?"):
        import_file(BarStore(), str(path), (), ImportOptions(options={"timezon": "UTC"}))
    with pytest.raises(DataError, match="a time zone is a name such as UTC"):
        import_file(BarStore(), str(path), (), ImportOptions(options={"timezone": "Mars"}))


@settings(max_examples=8)
@given(st.sampled_from([".csv", ".parquet"]), st.integers(2, 60))
def test_what_is_exported_comes_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, count: int
) -> None:
    folder = tmp_path_factory.mktemp("export")
    store = BarStore(folder / "bars")
    bars = bars_at(new_york_minutes("2024-03-07", 1)[:count])
    store.put(bars)

    assert export_bars(store, "X", bars.timeframe, folder / f"out{suffix}") == count
    options = ImportOptions(options={"session": "24x7"})
    import_file(BarStore(folder / "more"), str(folder / f"out{suffix}"), ("X",), options)

    assert BarStore(folder / "more").read("X", bars.timeframe).content_hash == bars.content_hash
    assert sorted(path.name for path in folder.iterdir()) == ["bars", "more", f"out{suffix}"]


def test_an_export_of_nothing_or_to_an_odd_name_is_refused(tmp_path: Path) -> None:
    store = BarStore()
    store.put(bars_at(new_york_minutes("2024-03-07", 1)))
    minute = Timeframe(1, "m")
    with pytest.raises(DataError, match=r"must end in .csv or .parquet"):
        export_bars(store, "X", minute, tmp_path / "out.xls")
    with pytest.raises(DataError, match="no bar opens within that range"):
        export_bars(store, "X", minute, tmp_path / "out.csv", 0, 1)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="can't be written"):
        export_bars(store, "X", minute, tmp_path / "folder.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_gaps_are_filled_and_stored_bars_are_never_touched(tmp_path: Path) -> None:
    whole = workdays("2024-01-02", 60)
    holes = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 60, range(20, 30)))
    shifted = [line.replace(",", ",9", 1).replace(",9", ",", 1) for line in whole]
    other = write_csv(tmp_path / "other.csv", [line[:-4] + "5555" for line in shifted])
    store = BarStore()
    import_file(store, str(holes), ("SPY",), PLAIN)
    before = store.read("SPY", DAY)
    assert [gap.missing for gap in gaps_of(before)] == [10]

    done = fill_gaps(store, "SPY", DAY, CsvProvider(path=str(other)))

    after = store.read("SPY", DAY)
    assert (done.added, done.series.gaps, len(after)) == (10, 0, 60)
    assert (after.volume == 5555).sum() == 10
    assert (after.volume[:20] == 1000).all()
    assert fill_gaps(store, "SPY", DAY, CsvProvider(path=str(other))).gaps == ()


def test_a_source_without_the_missing_bars_fills_nothing(tmp_path: Path) -> None:
    holes = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 60, range(20, 30)))
    store = BarStore()
    import_file(store, str(holes), ("SPY",), PLAIN)

    with pytest.raises(DataError, match="no bar opens within the range"):
        fill_gaps(store, "SPY", DAY, CsvProvider(path=str(holes)))
    assert store.list()[0].gaps == 1


def test_the_store_provider_makes_longer_bars_from_the_longest_that_fit() -> None:
    store = BarStore()
    minutes = bars_at(new_york_minutes("2024-03-07", 4))
    store.put(minutes)
    hours = load_bars(FixedProvider(raw=raw_bars(minutes.open_ns[::60], 9)), DataRequest("X", Timeframe(1, "h"))).bars
    store.put(hours)

    assert load_bars(StoreProvider(), DataRequest("X", Timeframe(60, "m"))).bars.content_hash == hours.content_hash
    assert len(load_bars(StoreProvider(), DataRequest("X", Timeframe(15, "m"))).bars) == 104
    assert StoreProvider().known_symbols() == ("X",)
    with pytest.raises(DataError, match="in 1m, 1h, from which no bars of 1s"):
        StoreProvider().load(DataRequest("X", Timeframe(1, "s")))
    with pytest.raises(DataError, match=r"Did you mean 'X'\?"):
        StoreProvider().load(DataRequest("x", Timeframe(1, "d")))
    finer = StoreProvider(source_timeframe=Timeframe(1, "m"))
    assert len(load_bars(finer, DataRequest("X", Timeframe(1, "h"))).bars) != len(hours)


def test_bars_loaded_before_are_loaded_anew_once_the_store_has_others() -> None:
    store, request, load = BarStore(), DataRequest("X", Timeframe(1, "m")), BarCache()
    store.put(bars_at(new_york_minutes("2024-03-07", 1)))
    first = load(StoreProvider(), request)

    assert load(StoreProvider(), request) is first
    store.put(bars_at(new_york_minutes("2024-03-08", 1)))
    assert len(load(StoreProvider(), request).bars) == 780


def test_generated_bars_keep_their_mark() -> None:
    bars = load_bars(SyntheticProvider(bars=50), DataRequest("X", DAY)).bars
    BarStore().put(bars, overlap=Overlap.KEEP)

    assert load_bars(StoreProvider(), DataRequest("X", DAY)).bars.synthetic


def test_a_file_without_a_column_of_symbols_is_not_read_to_tell_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 5))
    import_file(BarStore(), str(path), ("SPY",), PLAIN)
    export_bars(BarStore(), "SPY", DAY, tmp_path / "out.parquet")
    assert symbols_in(str(tmp_path / "out.parquet"), {}) == ("SPY",)

    monkeypatch.setattr(CsvProvider, "_read", lambda *_: pytest.fail("the file was read"))

    assert symbols_in(str(path), {}) == ("SPY",)


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names on POSIX only")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("folder", "is a folder, not a file"),
        ("pipe", "is a pipe, not a file"),
        ("/dev/zero", "is a device or a file of the system"),
        ("none.xls", "doesn't exist"),
        ("bars.xls", "Rename it to end in .csv or .parquet"),
    ],
)
def test_what_is_no_file_of_bars_is_called_what_it_is_when_it_is_imported(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "bars.xls").write_text("x")
    with pytest.raises(DataError, match=said) as caught:
        import_file(BarStore(), str(tmp_path / name), (), PLAIN)
    assert ("Rename" in str(caught.value)) == (name == "bars.xls")


def test_a_name_that_says_no_symbol_for_certain_is_asked_about(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "AAPL_MSFT.csv", workdays("2024-01-02", 5))
    with pytest.raises(DataError, match=r"'AAPL_MSFT.csv': .* Name the symbol with '--symbol'"):
        import_file(BarStore(), str(path), (), PLAIN)
    assert import_file(BarStore(), str(path), ("AAPL",), PLAIN)[0].put.series.symbol == "AAPL"


def test_two_instruments_are_never_merged_into_one_series(tmp_path: Path) -> None:
    store = BarStore()
    one = write_csv(tmp_path / "BINANCE_BTCUSDT, 1D.csv", workdays("2024-01-02", 5))
    other = write_csv(tmp_path / "KRAKEN_BTCUSDT, 1D.csv", workdays("2024-01-02", 5))
    import_file(store, str(one), (), PLAIN)
    with pytest.raises(DataError, match=r"has BTCUSDT 1d of BINANCE, this file is of KRAKEN"):
        import_file(store, str(other), (), PLAIN)
    assert import_file(store, str(other), ("BTCUSDT",), PLAIN)[0].put.replaced == 5

    dear = write_csv(tmp_path / "dear.csv", [f"2024-01-{day:02d},900,900,900,900,1" for day in range(2, 6)])
    with pytest.raises(DataError, match="has other prices for the same times"):
        import_file(store, str(dear), ("BTCUSDT",), PLAIN)
    assert store.series("BTCUSDT", DAY).count == 5
    import_file(store, str(dear), ("BTCUSDT",), ImportOptions(fresh=True))
    assert store.read("BTCUSDT", DAY).close.tolist() == [900.0] * 4


def test_prices_below_zero_are_taken_where_the_user_says_so(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "CL.csv", ["2020-04-17,18,19,17,18,1", "2020-04-20,17,18,-40,-37.63,1"])
    store = BarStore()
    with pytest.raises(DataError, match="a price of zero or less"):
        import_file(store, str(path), (), PLAIN)
    import_file(store, str(path), (), ImportOptions(negative_prices=True))
    assert store.read("CL", DAY).close.tolist() == [18.0, -37.63]
    assert load_bars(StoreProvider(), DataRequest("CL", DAY, negative_prices=True)).bars.low[1] == -40.0
