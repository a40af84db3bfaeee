"""Bars of Yahoo by yfinance, from a server on loopback that answers as Yahoo's chart interface does."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quantcrafter.engine.api import DataError, Timeframe
from quantcrafter.engine.data.download.download import Conduct, Downloaded, Wish, download, update
from quantcrafter.engine.data.download.network import Patience
from quantcrafter.engine.data.download.yahoo_provider import YahooDownloads, shortest
from quantcrafter.engine.data.markets import MARKETS
from quantcrafter.engine.data.store import BarStore
from tests.support.exchange_server import Row, Server, cut_short, dropped, running_server, too_many, unavailable

NEW_YORK = ZoneInfo("America/New_York")
DAY = Timeframe(1, "d")
QUICK = Conduct(patience=Patience(attempts=4, first_s=0.01))
HOLIDAYS = (dt.date(2024, 1, 15),)
DAYS = [
    day
    for number in range(40)
    if (day := dt.date(2024, 1, 2) + dt.timedelta(number)).weekday() < 5 and day not in HOLIDAYS
]
SINCE = 1_704_067_200_000_000_000  # 2024-01-01


def opened_ms(day: dt.date, zone: dt.tzinfo = NEW_YORK, hour: int = 9, minute: int = 30) -> int:
    return int(dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).timestamp() * 1000)


def daily(prices: list[float], zone: dt.tzinfo = NEW_YORK, hour: int = 9) -> list[Row]:
    return [
        (opened_ms(day, zone, hour), price, price + 0.5, price - 0.5, price, 1000.0)
        for day, price in zip(DAYS, prices, strict=True)
    ]


def wave(scale: float = 1.0) -> list[float]:
    return [float(np.float32((100 + number % 7) * scale)) for number in range(len(DAYS))]


@pytest.fixture
def server() -> Iterator[Server]:
    """Days of AAPL; the newest has been traded for an hour."""
    with running_server(opened_ms(DAYS[-1]) + 3_600_000, AAPL=daily(wave())) as running:
        yield running


def fetch(store: BarStore, server: Server, symbol: str = "AAPL", adjustment: str = "splits") -> Downloaded:
    wish = Wish(symbol, DAY, SINCE, adjustment)
    return download(store, YahooDownloads(url=server.url), wish, MARKETS, QUICK)


def test_days_have_the_session_of_their_market_and_today_is_left_out(tmp_path: Path, server: Server) -> None:
    store = BarStore(tmp_path)
    done = fetch(store, server)

    bars = store.read("AAPL", DAY)
    assert bars.open_ns.tolist() == [opened_ms(day) * 1_000_000 for day in DAYS[:-1]]
    assert bars.close_ns.tolist() == [opened_ms(day, hour=16, minute=0) * 1_000_000 for day in DAYS[:-1]]
    assert bars.close.tolist() == wave()[:-1]
    assert (done.series.missing, done.series.session.calendar) == (0, "XNYS")
    assert done.series.origin is not None
    assert (done.series.market, done.series.origin.currency) == ("us_stocks", "USD")


@pytest.mark.parametrize(("minutes", "count"), [(19, len(DAYS) - 1), (21, len(DAYS))])
def test_a_day_is_stored_twenty_minutes_after_its_close(
    tmp_path: Path, server: Server, minutes: int, count: int
) -> None:
    server.now_ms = opened_ms(DAYS[-1], hour=16, minute=minutes)
    assert fetch(BarStore(tmp_path), server).series.count == count


def test_faults_of_the_network_and_refusals_are_waited_out(tmp_path: Path, server: Server) -> None:
    server.faults = [dropped, too_many(), unavailable, lambda _: False, too_many(), cut_short, unavailable]
    assert fetch(BarStore(tmp_path), server).series.count == len(DAYS) - 1


def test_a_split_replaces_the_whole_series_once(tmp_path: Path, server: Server) -> None:
    store = BarStore(tmp_path)
    series = fetch(store, server).series
    server.rows["AAPL"] = daily(wave(0.25))  # four for one: Yahoo divides the whole history
    server.now_ms = opened_ms(DAYS[-1], hour=20)

    done = update(store, series, YahooDownloads(url=server.url), MARKETS, QUICK)

    assert (done.adjusted, done.added) == (True, 1)
    assert "prices were adjusted since the last download" in done.notes[0]
    assert store.read("AAPL", DAY).close.tolist() == wave(0.25)

    again = update(store, done.series, YahooDownloads(url=server.url), MARKETS, QUICK)
    assert (again.adjusted, again.added) == (False, 0)
    assert store.read("AAPL", DAY).close.tolist() == wave(0.25)


def test_dividends_adjust_prices_where_asked_for(tmp_path: Path, server: Server) -> None:
    store = BarStore(tmp_path)
    server.adjusted["AAPL"] = wave()
    series = fetch(store, server, adjustment="all").series
    assert store.read("AAPL", DAY).close.tolist() == wave()[:-1]

    paid = 1 - 0.02 / 105  # a dividend of two cents
    server.adjusted["AAPL"] = [price * paid for price in wave()[:-1]] + wave()[-1:]
    server.now_ms = opened_ms(DAYS[-1], hour=20)
    done = update(store, series, YahooDownloads(url=server.url), MARKETS, QUICK)

    assert done.adjusted
    bars = store.read("AAPL", DAY)
    np.testing.assert_allclose(bars.close[:-1], np.array(wave()[:-1]) * paid, rtol=1e-12)
    np.testing.assert_allclose(bars.high[:-1], (np.array(wave()[:-1]) + 0.5) * paid, rtol=1e-12)
    assert bars.close[-1] == wave()[-1]


def test_a_series_keeps_one_adjustment(tmp_path: Path, server: Server) -> None:
    store = BarStore(tmp_path)
    fetch(store, server)
    with pytest.raises(DataError, match=r"adjusted for splits and dividends.* may have other prices.*'--as'"):
        fetch(store, server, adjustment="all")


@pytest.mark.parametrize(
    ("symbol", "meta", "market", "zone", "closes"),
    [
        ("VOD.L", {"exchangeTimezoneName": "Europe/London", "currency": "GBp"}, "eu_stocks", "Europe/London", (16, 30)),
        ("0700.HK", {"exchangeTimezoneName": "Asia/Hong_Kong"}, "hk_stocks", "Asia/Hong_Kong", (16, 0)),
        ("600519.SS", {"exchangeTimezoneName": "Asia/Shanghai"}, "cn_stocks", "Asia/Shanghai", (15, 0)),
        ("SHOP.TO", {"exchangeTimezoneName": "America/Toronto"}, "", "America/Toronto", (24, 0)),
        ("BTC-USD", {"exchangeTimezoneName": "UTC", "instrumentType": "CRYPTOCURRENCY"}, "crypto_spot", "UTC", (24, 0)),
        (
            "EURUSD=X",
            {"exchangeTimezoneName": "Europe/London", "instrumentType": "CURRENCY"},
            "forex",
            "Europe/London",
            (24, 0),
        ),
        ("ES=F", {"instrumentType": "FUTURE"}, "us_futures", "America/New_York", (24, 0)),
        ("^VIX", {"instrumentType": "INDEX"}, "", "America/New_York", (24, 0)),
        ("VFIAX", {"instrumentType": "MUTUALFUND"}, "us_stocks", "America/New_York", (24, 0)),
    ],
)
def test_market_and_time_zone_follow_from_what_yahoo_says(
    tmp_path: Path, symbol: str, meta: dict[str, str], market: str, zone: str, closes: tuple[int, int]
) -> None:
    where = ZoneInfo(zone)
    rows = daily(wave(), where, 0 if closes == (24, 0) else 9)
    with running_server(rows[-1][0] + 8 * 86_400_000, **{symbol: rows}) as server:
        server.metas[symbol] = meta
        store = BarStore(tmp_path)
        series = fetch(store, server, symbol).series
        bars = store.read(symbol, DAY)

    assert series.origin is not None
    assert (series.market, series.session.timezone) == (market, zone)
    closed = dt.datetime.fromtimestamp(bars.close_ns[0] / 1e9, where)
    assert (closed - dt.datetime(2024, 1, 2, tzinfo=where)) == dt.timedelta(hours=closes[0], minutes=closes[1])


def test_minutes_come_in_stretches_of_the_last_days(tmp_path: Path) -> None:
    now = int(time.time() * 1000)
    today = dt.datetime.now(NEW_YORK).date()
    days = [day for number in range(40, 0, -1) if (day := today - dt.timedelta(number)).weekday() < 5]
    rows = [
        (opened_ms(day) + minute * 60_000, 50.0, 50.5, 49.5, 50.25, 10.0)
        for day in days
        for minute in range(0, 390, 30)
    ]
    with running_server(now, SPY=rows) as server:
        store = BarStore(tmp_path)
        wish = Wish("SPY", Timeframe(1, "m"), SINCE, "splits")
        done = download(store, YahooDownloads(url=server.url), wish, MARKETS, QUICK)
        spans = [(float(q["period2"]) - float(q["period1"])) / 86_400 for q in server.pages if "period1" in q]

    assert done.notes[0] == "Yahoo has bars of 1m of the last 29 days only."
    kept = [row for row in rows if row[0] > now - 29 * 86_400_000]
    assert store.read("SPY", wish.timeframe).open_ns.tolist() == [row[0] * 1_000_000 for row in kept]
    assert max(spans) <= 7.01


def test_days_without_a_trade_are_left_out(tmp_path: Path, server: Server) -> None:
    nothing: list[Row] = [(row[0], None, None, None, None, None) for row in server.rows["AAPL"][3:5]]  # type: ignore[misc]
    server.rows["AAPL"][3:5] = nothing
    series = fetch(BarStore(tmp_path), server).series
    assert (series.count, series.missing) == (len(DAYS) - 3, 2)


def test_an_unknown_symbol_is_said_in_one_line(tmp_path: Path, server: Server) -> None:
    with pytest.raises(DataError) as error:
        fetch(BarStore(tmp_path), server, "AAPLE")
    assert str(error.value) == (
        "Yahoo has no symbol 'AAPLE': No data found, symbol may be delisted. Look it up on finance.yahoo.com."
    )


def test_intraday_bars_are_not_adjusted_for_dividends(tmp_path: Path, server: Server) -> None:
    wish = Wish("AAPL", Timeframe(1, "h"), SINCE, "all")
    with pytest.raises(DataError, match="adjusts bars of a day for dividends, not those of 1h"):
        download(BarStore(tmp_path), YahooDownloads(url=server.url), wish, MARKETS, QUICK)


def test_prices_are_those_before_they_were_cut_to_32_bits() -> None:
    single = np.array([187.15, 0.0998884, 4783.83, 1.0921], dtype=np.float32).astype(np.float64)
    assert shortest(single).tolist() == [187.15, 0.0998884, 4783.83, 1.0921]
    exact = np.array([187.15, 1 / 3])
    assert shortest(exact) is exact
