"""`yfinance`: bars of Yahoo Finance, by the library of that name.

Yahoo's prices are adjusted for splits in all of its history, and it gives the close adjusted for dividends beside. Raw
prices as traded aren't offered: Yahoo doesn't have them.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import numpy as np

from quantcrafter.engine.api import (
    BarPage,
    BarQuery,
    DataError,
    DownloadProvider,
    FloatColumn,
    Listing,
    Market,
    RawBars,
    Session,
    Timeframe,
    TryAgainError,
    param,
)
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.download.extra import not_installed
from quantcrafter.engine.data.download.reasons import moment_of, one_line, reason_of_request, seconds_of
from quantcrafter.engine.data.markets import session_of
from quantcrafter.engine.trading_calendar.zones import SECOND_NS

_FRAMES = {"1m": 29, "2m": 59, "5m": 59, "15m": 59, "30m": 59, "1h": 729, "1d": 0}
"""Timeframes, and of how many days before now Yahoo has them; 0 for all."""
_DAYS_AT_ONCE = {"1m": 7}
_CHART = "https://query2.finance.yahoo.com/v8/finance/chart"
_TIMEOUT_S = 30
_STOCKS = ("EQUITY", "ETF", "MUTUALFUND")
_FUND = "MUTUALFUND"
_WEEKDAYS = (0, 1, 2, 3, 4)
_MARKETS = {"CRYPTOCURRENCY": "crypto_spot", "CURRENCY": "forex", "FUTURE": "us_futures"}
_TOO_MANY = 429
_SERVER_FAULT = 500


class YahooDownloads(DownloadProvider):
    """Bars of Yahoo Finance: symbols such as AAPL, VOD.L, 600519.SS, EURUSD=X, ES=F or BTC-USD.

    Prices are adjusted for splits, with `--adjust all` for dividends too.
    """

    name = "yfinance"
    adjustments = ("splits", "all")
    settle_s = 1200.0
    pace_s = 0.4

    url: str = param("A server to ask in place of Yahoo's, such as a mirror.", default="", advanced=True)

    def timeframes(self) -> tuple[Timeframe, ...]:
        _library()
        return tuple(map(Timeframe.parse, _FRAMES))

    def listing(self, symbol: str, timeframe: Timeframe, markets: Sequence[Market]) -> Listing:
        meta = self._meta(symbol)
        kind, zone = str(meta.get("instrumentType", "")), str(meta.get("exchangeTimezoneName") or "UTC")
        market = next((each for each in markets if kind in _STOCKS and each.venue(symbol) is not None), None)
        if market is None:
            name = _MARKETS.get(kind, "")
            if kind in _STOCKS and zone == "America/New_York" and "." not in symbol:
                name = "us_stocks"
            market = next((each for each in markets if each.name == name), None)
        return Listing(
            _session(symbol, kind, zone, timeframe, market),
            "" if market is None else market.name,
            str(meta.get("currency") or ""),
        )

    def page(self, query: BarQuery) -> BarPage:
        if query.adjustment == "all" and query.timeframe.is_intraday:
            raise DataError(
                Message(
                    "Yahoo adjusts bars of a day for dividends, not those of {timeframe}. Leave '--adjust' out, or "
                    "choose 1d.",
                    timeframe=query.timeframe,
                ),
                field="adjustment",
            )
        text, now_s = str(query.timeframe), time.time()
        start_s = query.start_ns / SECOND_NS
        notes: tuple[str, ...] = ()
        if query.timeframe.is_intraday:
            reach_s = now_s - _FRAMES[text] * 86_400
            if start_s < reach_s:
                start_s = reach_s
                notes = (
                    Message(
                        "Yahoo has bars of {timeframe} of the last {days} days only.",
                        timeframe=text,
                        days=_FRAMES[text],
                    ),
                )
        else:
            start_s -= 86_400  # a day is dated by its exchange, up to 14 hours from UTC; what is too early is removed
        days = _DAYS_AT_ONCE.get(text)
        end_s = now_s + 86_400 if days is None else min(start_s + days * 86_400, now_s + 60)
        bars = self._bars(query, start_s, end_s)
        is_last = days is None or end_s >= now_s
        return BarPage(bars, None if is_last else int(end_s) * SECOND_NS, self._session.served_ns, notes)

    # ------------------------------------------------------------------ Yahoo

    @cached_property
    def _session(self) -> Any:
        """The connection to Yahoo, or to the server in its place, which also notes what the server's clock says."""
        return _session_of(self.url)

    def _meta(self, symbol: str) -> Mapping[str, Any]:
        """Return what Yahoo says of a symbol: kind, exchange's time zone, currency.

        Asked here and not by yfinance, whose answer to an unknown symbol is a guess, or an error of its own.
        """
        yfinance = _library()
        address = f"{_CHART}/{quote(symbol, safe='')}"
        try:
            answer = self._session.get(address, params={"range": "1d", "interval": "1d"}, timeout=_TIMEOUT_S)
            if answer.status_code == _TOO_MANY:
                raise self._overloaded()
            chart = answer.json()["chart"]
        except (OSError, ValueError, KeyError, TypeError) as error:  # lost connections, pages that aren't JSON
            raise self._try_again(error) from error
        if not chart.get("result"):
            raise DataError(
                Message(
                    "Yahoo has no symbol '{symbol}': {reason}. Look it up on finance.yahoo.com.",
                    symbol=symbol,
                    reason=one_line(str((chart.get("error") or {}).get("description") or Message("no answer"))),
                ),
                field="symbol",
            )
        meta: Mapping[str, Any] = chart["result"][0]["meta"]
        yfinance.cache.get_tz_cache().store(symbol.upper(), str(meta.get("exchangeTimezoneName") or "UTC"))
        return meta

    def _overloaded(self) -> TryAgainError:
        return TryAgainError(Message("too many requests"), after_s=self._session.retry_after_s, overloaded=True)

    def _try_again(self, error: Exception) -> TryAgainError:
        status = self._session.status
        reason = Message("it answered with status {status}", status=str(status)) if status >= _SERVER_FAULT else ""
        return TryAgainError(reason or reason_of_request(error), after_s=self._session.retry_after_s)

    def _bars(self, query: BarQuery, start_s: float, end_s: float) -> RawBars | None:
        frame = self._history(
            query.symbol,
            start=datetime.fromtimestamp(start_s, UTC),
            end=datetime.fromtimestamp(end_s, UTC),
            interval=str(query.timeframe),
            auto_adjust=query.adjustment == "all",
        )
        if frame is None:
            return None
        columns = [frame[name].to_numpy(dtype=np.float64) for name in ("Open", "High", "Low", "Close")]
        traded = ~np.isnan(columns).all(axis=0)  # Yahoo lists days and minutes without a trade, too
        if not traded.any():
            return None
        if query.timeframe.is_intraday:
            times = frame.index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]")
        else:
            times = frame.index.tz_localize(None).to_numpy().astype("datetime64[D]").astype("datetime64[ns]")
        prices = [shortest(column[traded]) for column in columns]
        return RawBars(
            time_ns=times.astype(np.int64)[traded],
            open=prices[0],
            high=prices[1],
            low=prices[2],
            close=prices[3],
            volume=frame["Volume"].to_numpy(dtype=np.float64)[traded],
            rows=np.arange(1, int(traded.sum()) + 1),
            stamp="open" if query.timeframe.is_intraday else "date",
        )

    def _history(self, symbol: str, **options: Any) -> Any:
        """Return a table of bars, None where there are none within a range; errors of yfinance turned into ours."""
        yfinance = _library()
        YfData = yfinance.data.YfData  # noqa: N806 - a class
        YfData.cache_get.cache_clear()  # what it was told earlier may have been adjusted since
        ticker = yfinance.Ticker(symbol, session=self._session)
        try:
            return ticker.history(prepost=False, actions=True, timeout=_TIMEOUT_S, **options)
        except yfinance.exceptions.YFRateLimitError as error:
            raise self._overloaded() from error
        except yfinance.exceptions.YFTickerMissingError as error:
            if self._session.status >= _SERVER_FAULT:
                raise self._try_again(error) from error
            return None
        except (OSError, ValueError, yfinance.exceptions.YFException) as error:  # lost connections, pages without JSON
            raise self._try_again(error) from error


def _session(symbol: str, kind: str, zone: str, timeframe: Timeframe, market: Market | None) -> Session:
    """Return the session of a symbol's bars; where its hours aren't known, a day ends at midnight of its exchange.

    Yahoo cuts days of currencies and futures at midnight, whatever their market does, and funds get their price after
    the close: with midnight no bar is known too early.
    """
    if market is not None and kind in _STOCKS and (kind != _FUND or timeframe.is_intraday):
        return session_of(market, market.calendar_of(symbol))
    if market is not None and timeframe.is_intraday and kind == "FUTURE":
        return session_of(market, market.calendar_of(symbol))
    return Session(zone) if kind == "CRYPTOCURRENCY" else Session(zone, 0, 1440, _WEEKDAYS)


def shortest(prices: FloatColumn) -> FloatColumn:
    """Return prices as they were before Yahoo kept them in 32 bits: 187.15 for 187.14999389648438."""
    single = prices.astype(np.float32)
    if not (single == prices).all():
        return prices
    return np.array([float(str(price)) for price in single], dtype=np.float64)


def _library() -> Any:
    try:
        import yfinance
    except ImportError as error:
        raise not_installed("yfinance") from error
    yfinance.config.debug.hide_exceptions = False
    yfinance.set_tz_cache_location(str(home() / "cache" / "yfinance"))
    warnings.filterwarnings("ignore", module=r"yfinance\b")  # on what a later pandas will lack
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what it can't do it raises
    return yfinance


def _session_of(server: str) -> Any:
    try:
        from curl_cffi import requests as curl
    except ImportError as error:
        raise not_installed("curl_cffi") from error

    class YahooSession(curl.Session):  # type: ignore[type-arg]
        """yfinance's kind of session, that asks another server if it is to, and notes what the server says."""

        served_ns: int | None = None
        retry_after_s: float = 0.0
        status: int = 0

        def request(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
            """Send a request."""
            self.status, self.retry_after_s = 0, 0.0
            answer = super().request(method, _moved(url, server), *args, **options)
            self.status = answer.status_code
            self.served_ns = moment_of(answer.headers.get("Date", ""))
            self.retry_after_s = seconds_of(answer.headers.get("Retry-After", ""))
            return answer

    return YahooSession(impersonate="chrome")


def _moved(url: str, server: str) -> str:
    """Return an address of Yahoo's on another server."""
    if not server:
        return url
    there, asked = urlsplit(server), urlsplit(url)
    return urlunsplit((there.scheme, there.netloc, there.path.rstrip("/") + asked.path, asked.query, ""))
