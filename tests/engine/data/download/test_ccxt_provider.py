"""Bars of an exchange by ccxt, from a server on loopback that answers as Binance does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import DataError, Timeframe
from quantcrafter.engine.data.download.ccxt_provider import CcxtDownloads
from quantcrafter.engine.data.download.download import Conduct, Downloaded, Wish, download, update
from quantcrafter.engine.data.download.network import Patience, UnreachableError
from quantcrafter.engine.data.markets import MARKETS
from quantcrafter.engine.data.store import BarStore
from tests.support.exchange_server import (
    Row,
    Server,
    cut_short,
    dropped,
    failing,
    rows_of,
    running_server,
    too_many,
    unavailable,
)

HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000  # 2024-01-01
HOUR = Timeframe(1, "h")
COUNT = 2_300
QUICK = Conduct(patience=Patience(attempts=4, first_s=0.01))


@pytest.fixture
def server() -> Iterator[Server]:
    """Hours of BTC/USDT, the newest of which is half over."""
    rows = rows_of(START_MS, COUNT + 1, HOUR_MS)
    with running_server(START_MS + COUNT * HOUR_MS + HOUR_MS // 2, BTCUSDT=rows) as running:
        yield running


def provider(server: Server) -> CcxtDownloads:
    return CcxtDownloads(exchange="binance", url=server.url)


def fetch(store: BarStore, server: Server, since_ms: int = START_MS, conduct: Conduct = QUICK) -> Downloaded:
    return download(store, provider(server), Wish("BTC/USDT", HOUR, since_ms * 1_000_000), MARKETS, conduct)


def assert_stored(store: BarStore, rows: list[Row], name: str = "BTC/USDT") -> None:
    bars = store.read(name, HOUR)
    table = np.array(rows)
    assert bars.open_ns.tolist() == (table[:, 0].astype(np.int64) * 1_000_000).tolist()
    assert (bars.close_ns - bars.open_ns == HOUR.nominal_ns).all()
    for number, column in enumerate((bars.open, bars.high, bars.low, bars.close, bars.volume), 1):
        assert column.tolist() == table[:, number].tolist()


def test_bars_come_page_by_page_without_the_one_that_has_not_closed(tmp_path: Path, server: Server) -> None:
    store = BarStore(tmp_path)
    done = fetch(store, server)

    assert_stored(store, server.rows["BTCUSDT"][:COUNT])
    assert [query["limit"] for query in server.pages] == ["1000"] * 3
    assert (done.added, done.adjusted, done.notes) == (COUNT, False, ())
    series = done.series
    assert (series.missing, series.session.timezone, series.sources) == (0, "UTC", ("ccxt:binance",))
    assert series.origin is not None
    assert (series.market, series.origin.currency, series.origin.adjustment) == ("crypto_spot", "USDT", "none")
    assert series.file.startswith("BTC_USDT-1h-")


def test_a_bar_that_was_open_is_stored_by_the_next_update_and_nothing_else_is_asked_again(
    tmp_path: Path, server: Server
) -> None:
    store = BarStore(tmp_path)
    series = fetch(store, server).series
    server.rows["BTCUSDT"] = rows = rows_of(START_MS, COUNT + 6, HOUR_MS)
    server.now_ms = rows[-1][0] + 1
    pages = len(server.pages)

    done = update(store, series, provider(server), MARKETS, QUICK)

    assert done.added == 5
    assert_stored(store, rows[:-1])
    assert len(server.pages) == pages + 1
    assert int(server.pages[-1]["startTime"]) == rows[COUNT - 10][0]


def test_the_exchange_corrects_its_newest_bar(tmp_path: Path, server: Server) -> None:
    store = BarStore(tmp_path)
    series = fetch(store, server).series
    last = server.rows["BTCUSDT"][COUNT - 1]
    server.rows["BTCUSDT"][COUNT - 1] = (*last[:5], 77.0)

    assert update(store, series, provider(server), MARKETS, QUICK).added == 0

    assert_stored(store, server.rows["BTCUSDT"][:COUNT])


def test_faults_of_the_network_and_refusals_are_waited_out(tmp_path: Path, server: Server) -> None:
    store, told = BarStore(tmp_path), list[str]()
    server.faults = [too_many(), dropped, unavailable, lambda _: False, cut_short]

    fetch(store, server, conduct=Conduct(patience=QUICK.patience, tell=told.append))

    assert_stored(store, server.rows["BTCUSDT"][:COUNT])
    reasons = [text.removeprefix("ccxt:binance: ").partition(". ")[0] for text in told]
    closed = "the connection was closed"
    assert reasons == ["too many requests", closed, "it answered with status 502", closed]


@pytest.mark.parametrize(
    ("status", "code"), [(500, -1000), (400, -1001), (500, 0), (503, 0), (505, 0), (524, 0), (529, 0)]
)
def test_faults_of_the_exchange_are_waited_out(tmp_path: Path, server: Server, status: int, code: int) -> None:
    store, told = BarStore(tmp_path), list[str]()
    server.faults = [failing(status, code)]

    fetch(store, server, conduct=Conduct(patience=QUICK.patience, tell=told.append))

    assert_stored(store, server.rows["BTCUSDT"][:COUNT])
    assert len(told) == 1


def test_the_time_that_the_exchange_asks_to_wait_is_waited(tmp_path: Path, server: Server) -> None:
    told = list[str]()
    server.faults = [too_many(after_s=1)]

    fetch(BarStore(tmp_path), server, conduct=Conduct(patience=QUICK.patience, tell=told.append))

    assert told == ["ccxt:binance: too many requests. Trying again in 1 s."]


def test_what_was_fetched_before_the_network_went_is_stored_and_continued(tmp_path: Path, server: Server) -> None:
    store = BarStore(tmp_path)
    server.faults = [lambda _: False, *[dropped] * 4]
    with pytest.raises(UnreachableError, match="start the download again to continue"):
        fetch(store, server)
    assert_stored(store, server.rows["BTCUSDT"][:1000])

    pages = len(server.pages)
    fetch(store, server)

    assert_stored(store, server.rows["BTCUSDT"][:COUNT])
    assert len(server.pages) == pages + 2


def test_earlier_bars_are_added_before_those_that_are_stored(tmp_path: Path, server: Server) -> None:
    store = BarStore(tmp_path)
    fetch(store, server, START_MS + 2000 * HOUR_MS)
    assert_stored(store, server.rows["BTCUSDT"][2000:COUNT])

    done = fetch(store, server)

    assert_stored(store, server.rows["BTCUSDT"][:COUNT])
    assert done.added == 2000
    assert done.series.origin is not None
    assert done.series.origin.since_ns == START_MS * 1_000_000


def test_a_symbol_that_was_listed_later_is_found_by_its_days(tmp_path: Path, server: Server) -> None:
    store = BarStore(tmp_path)
    early = START_MS - 3 * 365 * 24 * HOUR_MS
    done = fetch(store, server, early)

    assert done.added == COUNT
    assert done.notes == ("BTC/USDT 1h: ccxt:binance has bars since 2024-01-01 only.",)


def test_hours_that_the_exchange_lacks_are_gaps(tmp_path: Path, server: Server) -> None:
    rows = server.rows["BTCUSDT"]
    del rows[500:1700]  # more than a page
    store = BarStore(tmp_path)

    done = fetch(store, server)

    assert_stored(store, rows[:-1])
    assert (done.series.gaps, done.series.missing) == (1, 1200)


def test_repeated_and_overlapping_rows_count_once(tmp_path: Path, server: Server) -> None:
    rows = server.rows["BTCUSDT"]
    whole = rows[:COUNT]
    server.rows["BTCUSDT"] = sorted([*rows, *rows[990:1010], rows[-1]])

    fetch(store := BarStore(tmp_path), server)

    assert_stored(store, whole)


def test_two_bars_for_one_hour_are_refused_or_repaired(tmp_path: Path, server: Server) -> None:
    first = server.rows["BTCUSDT"][0]
    server.rows["BTCUSDT"].insert(1, (first[0], 50.0, 51.0, 49.0, 50.0, 1.0))
    store = BarStore(tmp_path)
    with pytest.raises(DataError, match="1 bar with the time of another"):
        fetch(store, server)
    assert store.list() == []

    done = fetch(store, server, conduct=Conduct("repair", patience=QUICK.patience))

    assert done.series.count == COUNT
    assert len(done.notes) == 1


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish("BTC/USDX", HOUR, 0), "binance has no symbol 'BTC/USDX'. Did you mean 'BTC/USDT'?"),
        (Wish("BTC/USDT", Timeframe(7, "h"), 0), "ccxt:binance has no bars of 7h. Choose one of 1s, 1m, 3m"),
        (Wish("BTC/USDT", HOUR, 0, "splits"), "no prices adjusted for 'splits'. Choose one of none."),
        (Wish("BTC/USDT", HOUR), "say since when to download it, such as '--since 2020'."),
        (Wish("BTC/USDT", HOUR, 2_000_000_000_000_000_000), "has no closed bars of BTC/USDT 1h since 2033-05-18."),
    ],
)
def test_what_there_is_not_is_said_in_one_line(tmp_path: Path, server: Server, wish: Wish, message: str) -> None:
    with pytest.raises(DataError) as error:
        download(BarStore(tmp_path), provider(server), wish, MARKETS, QUICK)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_exchange_is_named_with_the_nearest_one() -> None:
    with pytest.raises(DataError, match=r"no exchange 'binanse'\. Did you mean 'binance'"):
        CcxtDownloads(exchange="binanse").timeframes()


def test_every_exchange_says_its_timeframes_in_our_words() -> None:
    import ccxt

    left_out: set[str] = set()
    for name in CcxtDownloads.places():
        api = vars(ccxt)[name]()
        if api.has.get("fetchOHLCV") and api.timeframes:
            frames = CcxtDownloads(exchange=name).timeframes()
            assert frames
            if len(frames) < len(api.timeframes):
                left_out |= {text for text in api.timeframes if text[-1] not in "smhdwMyY"}
                assert len(frames) == sum(text[-1] in "smhdwMyY" for text in api.timeframes)
    assert left_out == {"15", "30"}  # without a unit
