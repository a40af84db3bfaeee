"""Servers on loopback that answer as Binance and Yahoo do, in the shapes of their public REST interfaces.

They page, refuse with 429, drop connections and return a last bar that hasn't closed, as a test wants.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Row = tuple[int, float, float, float, float, float]
"""Opening time (ms), open, high, low, close, volume."""
Fault = Callable[["Handler"], bool]
"""Answers in place of the server and returns True, or leaves it to the server."""


def too_many(after_s: int = 0) -> Fault:
    """Return a fault that refuses with 429, in Binance's words."""

    def refuse(handler: Handler) -> bool:
        handler.answer({"code": -1003, "msg": "Too many requests"}, 429, {"Retry-After": str(after_s)})
        return True

    return refuse


def dropped(handler: Handler) -> bool:
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.close()
    return True


def cut_short(handler: Handler) -> bool:
    """Promise more than is sent."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n[[17040")
    handler.wfile.flush()
    handler.connection.close()
    handler.close_connection = True
    return True


def unavailable(handler: Handler) -> bool:
    """Answer as a proxy does whose server is down."""
    handler.answer("<html>502 Bad Gateway</html>", 502)
    return True


def failing(status: int, code: int = 0) -> Fault:
    """Return a fault of the server itself, in Binance's words where it has a code."""

    def fail(handler: Handler) -> bool:
        handler.answer({"code": code, "msg": "An unknown error occurred."} if code else "<html>oops</html>", status)
        return True

    return fail


@dataclass
class Server:
    """A server that is running.

    `asked` lists the paths with their queries; `faults` are used up one after another, by requests for bars. `now_ms`
    is its clock.
    """

    url: str = ""
    now_ms: int = 0
    asked: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    metas: dict[str, dict[str, Any]] = field(default_factory=dict)
    adjusted: dict[str, list[float]] = field(default_factory=dict)
    most: int = 1000
    at_page: Callable[[int], object] = lambda _number: None
    gate: threading.Event = field(default_factory=threading.Event)

    @property
    def pages(self) -> list[dict[str, str]]:
        """The queries for bars so far."""
        found = [urlsplit(path) for path in self.asked if "/klines" in path or "/chart/" in path]
        return [{name: values[0] for name, values in parse_qs(part.query).items()} for part in found]


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    server_of_test: Server

    def do_GET(self) -> None:
        """Answer a GET."""
        server = self.server_of_test
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        is_bars = "/klines" in parts.path or "/chart/" in parts.path
        server.asked.append(self.path)
        if is_bars:
            server.at_page(len(server.pages))
            if server.faults and server.faults.pop(0)(self):
                return
        if parts.path.endswith("/klines"):
            self.klines(query)
        elif "/v8/finance/chart/" in parts.path:
            self.chart(unquote(parts.path.rpartition("/")[2]), query)
        elif parts.path.endswith("/api/v3/exchangeInfo"):
            self.answer({"timezone": "UTC", "symbols": [_binance_symbol(name) for name in server.rows]})
        elif parts.path.endswith("/exchangeInfo"):
            self.answer({"timezone": "UTC", "symbols": []})
        elif parts.path.endswith("/getcrumb"):
            self.answer("Ab1.cD2")
        else:
            self.answer("<html>not found</html>", 404)

    def klines(self, query: dict[str, str]) -> None:
        """Answer as Binance does: at most `limit` bars from `startTime` on, the last one may be open still."""
        server = self.server_of_test
        rows = server.rows.get(query["symbol"])
        if rows is None:
            self.answer({"code": -1121, "msg": "Invalid symbol."}, 400)
            return
        step = _STEPS_MS[query["interval"]]
        start = int(query.get("startTime", 0))
        found = [row for row in rows if start <= row[0] <= server.now_ms][: min(int(query["limit"]), server.most)]
        self.answer(
            [
                [row[0], *(f"{number:.8f}" for number in row[1:]), row[0] + step - 1, "0", 1, "0", "0", "0"]
                for row in found
            ]
        )

    def chart(self, symbol: str, query: dict[str, str]) -> None:
        """Answer as Yahoo's chart interface does."""
        server = self.server_of_test
        rows = server.rows.get(symbol)
        if rows is None:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            self.answer({"chart": {"result": None, "error": error}}, 404)
            return
        start, end = float(query.get("period1", 0)) * 1000, float(query.get("period2", 9e12)) * 1000
        places = [place for place, row in enumerate(rows) if start <= row[0] <= min(end, server.now_ms)]
        found = [rows[place] for place in places]
        quote = {
            name: [row[column] for row in found]
            for column, name in enumerate(("open", "high", "low", "close", "volume"), 1)
        }
        meta = {
            "symbol": symbol, "currency": "USD", "instrumentType": "EQUITY", "exchangeName": "NMS", "priceHint": 2,
            "exchangeTimezoneName": "America/New_York", "timezone": "EST", "gmtoffset": -18000,
            "dataGranularity": query.get("interval", "1d"), "range": "", "validRanges": ["5d", "1mo", "max"],
            "firstTradeDate": 0, "regularMarketTime": server.now_ms // 1000, "hasPrePostMarketData": True,
            "currentTradingPeriod": {
                name: {"timezone": "EST", "start": 1, "end": 2, "gmtoffset": -18000}
                for name in ("pre", "regular", "post")
            },
            **server.metas.get(symbol, {}),
        }  # fmt: skip
        if query.get("interval", "1d") != "1d":
            days = sorted({row[0] // 86_400_000 for row in found})
            meta["tradingPeriods"] = [
                [{"timezone": "EST", "start": day * 86_400 + 48_600, "end": day * 86_400 + 75_600, "gmtoffset": -18000}]
                for day in days
            ]
        result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [quote if found else {}]}}
        if found:
            result["timestamp"] = [row[0] // 1000 for row in found]
        if found and query.get("interval") == "1d":
            adjusted = server.adjusted.get(symbol, [row[4] for row in rows])
            result["indicators"]["adjclose"] = [{"adjclose": [adjusted[place] for place in places]}]
        self.answer({"chart": {"result": [result], "error": None}})

    def answer(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Send JSON, or text as it is."""
        text = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(self.server_of_test.now_ms / 1000, usegmt=True))
        self.send_header("Content-Type", "text/html" if isinstance(content, str) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running_server(now_ms: int, **rows: list[Row]) -> Iterator[Server]:
    """Run a server of these symbols on a free port of loopback."""
    made = Server(now_ms=now_ms, rows=dict(rows))
    handler = type("BoundHandler", (Handler,), {"server_of_test": made})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    made.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def rows_of(start_ms: int, count: int, step_ms: int, price: float = 100.0) -> list[Row]:
    """Return bars one after another whose prices rise by a hundredth each."""
    made = []
    for number in range(count):
        close = round(price + number * 0.01, 2)
        made.append((start_ms + number * step_ms, close, round(close + 0.02, 2), round(close - 0.02, 2), close, 5.0))
    return made


_STEPS_MS = {"1m": 60_000, "5m": 300_000, "1h": 3_600_000, "1d": 86_400_000, "1w": 604_800_000, "1M": 2_592_000_000}


def _binance_symbol(name: str) -> dict[str, Any]:
    return {
        "symbol": name, "status": "TRADING", "baseAsset": name[:-4], "baseAssetPrecision": 8, "quoteAsset": name[-4:],
        "quotePrecision": 8, "quoteAssetPrecision": 8, "orderTypes": ["LIMIT", "MARKET"], "icebergAllowed": True,
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": False, "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
            {"filterType": "NOTIONAL", "minNotional": "5.0"},
        ],
    }  # fmt: skip
