"""`ccxt`: bars of crypto exchanges, by the library of that name."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from quantcrafter.engine.api import (
    ROUND_THE_CLOCK,
    BarPage,
    BarQuery,
    DataError,
    DownloadProvider,
    Listing,
    Market,
    RawBars,
    TimeColumn,
    Timeframe,
    TryAgainError,
    param,
)
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.data.download.extra import not_installed
from quantcrafter.engine.data.download.moved_urls import moved_urls
from quantcrafter.engine.data.download.reasons import (
    is_fault_of_server,
    moment_of,
    one_line,
    reason_of_request,
    seconds_of,
)
from quantcrafter.engine.trading_calendar.zones import DAY_NS

_MS = 1_000_000
_UNITS = {"s": "s", "m": "m", "h": "h", "d": "d", "w": "w", "M": "mo", "y": "mo", "Y": "mo"}
_MONTHS = 12
_USUAL_PAGE = 100
"""Bars that an exchange returns at once, where ccxt doesn't know."""
_DAY = Timeframe(1, "d")

Answer = TypeVar("Answer")


class CcxtDownloads(DownloadProvider):
    """Bars of more than 100 crypto exchanges: `--from ccxt:binance`, symbols such as BTC/USDT or BTC/USDT:USDT."""

    name = "ccxt"
    place = "exchange"

    exchange: str = param("The exchange's name in ccxt, such as binance or kraken.")
    url: str = param("A server to ask in place of the exchange, such as a mirror.", default="", advanced=True)

    @classmethod
    def places(cls) -> tuple[str, ...]:
        return tuple(_library().exchanges)

    def timeframes(self) -> tuple[Timeframe, ...]:
        return tuple(self._frames)

    def listing(self, symbol: str, timeframe: Timeframe, markets: Sequence[Market]) -> Listing:  # noqa: ARG002 - the contract
        market = self._market(symbol)
        kind = {"spot": "crypto_spot", "swap": "crypto_perpetual"}.get(str(market.get("type")), "")
        return Listing(ROUND_THE_CLOCK, kind, str(market.get("quote") or ""))

    def page(self, query: BarQuery) -> BarPage:
        market = self._market(query.symbol)
        most = self._page_length(market)
        start_ms = -(-query.start_ns // _MS)
        rows = self._rows(query.symbol, query.timeframe, start_ms, most)
        rows = [row for row in rows if row[0] >= start_ms]
        now = self._served_ns()
        if rows:
            bars = _bars(rows, query.timeframe)
            following = int(np.max(bars.time_ns)) + _MS
            is_last = now is not None and int(np.max(bars.close_ns)) > now  # type: ignore[arg-type] # it has them
            return BarPage(bars, None if is_last else following, now)
        ahead = query.start_ns + (most or _USUAL_PAGE) * query.timeframe.nominal_ns
        if not query.found and query.timeframe.nominal_ns < DAY_NS and _DAY in self._frames:
            ahead = self._first_day(query.symbol, query.start_ns, most) or ahead
        return BarPage(None, None if now is not None and ahead > now else ahead, now)

    # ------------------------------------------------------------------ the exchange

    @cached_property
    def _api(self) -> Any:
        """The exchange of ccxt.

        Raises:
            DataError: there is none of that name, or it has no bars.
        """
        ccxt = _library()
        if self.exchange not in ccxt.exchanges:
            hint = did_you_mean(self.exchange, ccxt.exchanges) or Message("Examples are 'binance' and 'kraken'.")
            raise DataError(
                Message("ccxt has no exchange '{exchange}'. {hint}", exchange=self.exchange, hint=hint),
                field="exchange",
            )
        made = importlib.import_module(f"ccxt.{self.exchange}")
        api = vars(made)[self.exchange]({"enableRateLimit": True, "requests_trust_env": True})
        if self.url:
            api.urls["api"] = moved_urls(api.urls["api"], self.url, api.hostname)
        if not api.has.get("fetchOHLCV") or not api.timeframes:
            raise DataError(
                Message("'{exchange}' gives out no bars. Choose another exchange.", exchange=self.exchange),
                field="exchange",
            )
        return api

    @cached_property
    def _frames(self) -> dict[Timeframe, str]:
        """The exchange's timeframes by ours, shortest first."""
        found = {
            Timeframe(int(text[:-1]) * (_MONTHS if text[-1:] in "yY" else 1), _UNITS[text[-1:]]): text
            for text in self._api.timeframes
            if text[:-1].isdigit() and text[-1:] in _UNITS
        }
        return dict(sorted(found.items(), key=lambda item: item[0].nominal_ns))

    def _market(self, symbol: str) -> Mapping[str, Any]:
        api = self._api
        markets: Mapping[str, Any] = self._asked(api.load_markets)
        found = markets.get(symbol)
        if found is None:
            hint = did_you_mean(symbol, markets) or did_you_mean(symbol.upper(), markets)
            hint = hint or Message("Symbols are written as in ccxt, such as BTC/USDT.")
            raise DataError(
                Message(
                    "{exchange} has no symbol '{symbol}'. {hint}", exchange=self.exchange, symbol=symbol, hint=hint
                ),
                field="symbol",
            )
        return dict(found)

    def _page_length(self, market: Mapping[str, Any]) -> int | None:
        known = self._api.feature_value(market["symbol"], "fetchOHLCV", "limit")
        return int(known) if isinstance(known, int | float) and known > 0 else None

    def _rows(self, symbol: str, timeframe: Timeframe, start_ms: int, most: int | None) -> list[list[float]]:
        text = self._frames[timeframe]
        rows: list[list[float]] = self._asked(lambda: self._api.fetch_ohlcv(symbol, text, start_ms, most))
        return rows

    def _first_day(self, symbol: str, start_ns: int, most: int | None) -> int | None:
        """Return when the first day with trades begins, None where days don't tell either."""
        day_ns, now = start_ns, time.time_ns()
        while day_ns < now:
            rows = self._rows(symbol, _DAY, day_ns // _MS, most)
            later = [opened for row in rows if (opened := int(row[0]) * _MS) > start_ns]
            if later:
                return min(later)
            day_ns += (most or _USUAL_PAGE) * DAY_NS
        return None

    def _asked(self, function: Any) -> Any:
        """Call ccxt, its errors turned into ours."""
        ccxt = _library()
        try:
            return function()
        except (ccxt.RateLimitExceeded, ccxt.DDoSProtection) as error:
            raise TryAgainError(Message("too many requests"), after_s=self._retry_after(), overloaded=True) from error
        except ccxt.OperationFailed as error:  # the network, or a fault of the server such as Binance's -1000 and -1001
            raise TryAgainError(reason_of_request(error), after_s=self._retry_after()) from error
        except ccxt.BaseError as error:
            if is_fault_of_server(error):
                raise TryAgainError(reason_of_request(error), after_s=self._retry_after()) from error
            raise DataError(
                Message("{exchange} refuses: {reason}.", exchange=self.exchange, reason=one_line(str(error)))
            ) from error

    def _headers(self) -> Mapping[str, str]:
        return self._api.last_response_headers or {}

    def _served_ns(self) -> int | None:
        return moment_of(self._headers().get("Date", ""))

    def _retry_after(self) -> float:
        return seconds_of(self._headers().get("Retry-After", ""))


def _library() -> Any:
    try:
        import ccxt
    except ImportError as error:
        raise not_installed("ccxt") from error
    return ccxt


def _bars(rows: list[list[float]], timeframe: Timeframe) -> RawBars:
    table = np.array(rows, dtype=np.float64)
    opens = table[:, 0].astype(np.int64) * _MS
    return RawBars(
        time_ns=opens,
        open=table[:, 1],
        high=table[:, 2],
        low=table[:, 3],
        close=table[:, 4],
        volume=table[:, 5],
        rows=np.arange(1, len(table) + 1),
        close_ns=_closes(opens, timeframe),
    )


def _closes(opens: TimeColumn, timeframe: Timeframe) -> TimeColumn:
    if timeframe.unit != "mo":
        return opens + timeframe.nominal_ns
    months = opens.view("datetime64[ns]").astype("datetime64[M]")
    closes: TimeColumn = (months + timeframe.count).astype("datetime64[ns]").astype(np.int64)
    return closes
