"""An exchange on loopback that trades, in the shapes of Binance's public REST interface for spot.

Orders fill when a test lets them. Requests about orders can be refused, lost before they do anything, or done without
an answer, as a test wants.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Trouble = Callable[["ExchangeHandler", Callable[[], None]], None]
"""Is given the handler of a request and what would answer it."""


def lost_before(handler: ExchangeHandler, _answer: Callable[[], None]) -> None:
    """Close the connection; the request has done nothing."""
    handler.drop()


def lost_after(handler: ExchangeHandler, answer: Callable[[], None]) -> None:
    """Do what was asked for, and close the connection without an answer."""
    handler.is_mute = True
    answer()
    handler.drop()


def refused(code: int, text: str, status: int = 400) -> Trouble:
    """Return a refusal in Binance's words."""
    return lambda handler, _answer: handler.answer({"code": code, "msg": text}, status)


@dataclass
class ExchangeOrder:
    """An order at the exchange."""

    id: int
    client_id: str
    symbol: str
    side: str
    kind: str
    quantity: float
    price: float
    trigger: float
    status: str = "NEW"
    filled: float = 0.0
    cost: float = 0.0

    def shown(self) -> dict[str, Any]:
        """Return it as the exchange shows it."""
        return {
            "symbol": self.symbol, "orderId": self.id, "orderListId": -1, "clientOrderId": self.client_id,
            "price": f"{self.price:.8f}", "origQty": f"{self.quantity:.8f}", "executedQty": f"{self.filled:.8f}",
            "cummulativeQuoteQty": f"{self.cost:.8f}", "status": self.status, "timeInForce": "GTC", "type": self.kind,
            "side": self.side, "stopPrice": f"{self.trigger:.8f}", "time": 1_700_000_000_000 + self.id,
            "updateTime": 1_700_000_000_000 + self.id, "transactTime": 1_700_000_000_000 + self.id,
            "isWorking": True, "origQuoteOrderQty": "0.0", "fills": [],
        }  # fmt: skip


@dataclass
class Exchange:
    """The exchange: its orders and trades, and what goes wrong next."""

    url: str = ""
    orders: list[ExchangeOrder] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)
    balances: dict[str, float] = field(default_factory=lambda: {"USDT": 100_000.0})
    submits: int = 0
    is_down: bool = False
    troubles: dict[str, list[Trouble]] = field(default_factory=dict)
    fill_markets_at: float | None = None
    """The price at which market orders fill at once; None if a test fills them."""
    lock: Any = field(default_factory=threading.RLock)

    def order(self, client_id: str) -> ExchangeOrder:
        """Return the order with a client's id."""
        with self.lock:
            return next(each for each in self.orders if each.client_id == client_id)

    def fill(self, order: ExchangeOrder, quantity: float, price: float) -> None:
        """Let a part of an order trade, or all of it."""
        with self.lock:
            order.filled = round(order.filled + quantity, 8)
            order.cost += quantity * price
            order.status = "FILLED" if order.filled >= order.quantity else "PARTIALLY_FILLED"
            sign = 1 if order.side == "BUY" else -1
            base, quote = order.symbol[:-4], order.symbol[-4:]
            self.balances[base] = round(self.balances.get(base, 0.0) + sign * quantity, 8)
            self.balances[quote] = self.balances.get(quote, 0.0) - sign * quantity * price
            number = len(self.trades) + 1
            self.trades.append(
                {
                    "symbol": order.symbol, "id": number, "orderId": order.id, "orderListId": -1,
                    "price": f"{price:.8f}", "qty": f"{quantity:.8f}", "quoteQty": f"{quantity * price:.8f}",
                    "commission": "0.05000000", "commissionAsset": quote, "time": 1_700_000_100_000 + number,
                    "isBuyer": order.side == "BUY", "isMaker": False, "isBestMatch": True,
                }
            )  # fmt: skip


class ExchangeHandler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    exchange: Exchange
    is_mute = False

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve("GET")

    def do_POST(self) -> None:
        """Answer a POST."""
        self._serve("POST")

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        query = dict(parse_qsl(parts.query) + parse_qsl(body))
        name = f"{method} {parts.path.rpartition('/')[2]}"
        if self.exchange.is_down:
            self.drop()
            return
        troubles = self.exchange.troubles.get(name, [])
        if troubles:
            troubles.pop(0)(self, lambda: self._answer_to(name, query))
        else:
            self._answer_to(name, query)

    def _answer_to(self, name: str, query: dict[str, str]) -> None:
        exchange = self.exchange
        with exchange.lock:
            match name:
                case "GET exchangeInfo":
                    is_spot = "/api/v3/" in self.path
                    self.answer({"timezone": "UTC", "symbols": [_symbol(s) for s in ("BTCUSDT", "ETHUSDT")] * is_spot})
                case "GET account":
                    owned = [
                        {"asset": each, "free": f"{total:.8f}", "locked": "0.0"}
                        for each, total in exchange.balances.items()
                    ]
                    self.answer({"balances": owned, "accountType": "SPOT", "canTrade": True})
                case "POST order":
                    self._new(query)
                case "GET openOrders":
                    self.answer([each.shown() for each in exchange.orders if self._is_open(each, query)])
                case "GET allOrders":
                    since = int(query.get("startTime", 0))
                    there = [each.shown() for each in exchange.orders if each.symbol == query["symbol"]]
                    self.answer([each for each in there if each["time"] >= since][: int(query.get("limit", 500))])
                case "GET myTrades":
                    wanted, since = query.get("orderId"), int(query.get("startTime", 0))
                    found = [
                        each
                        for each in exchange.trades
                        if each["symbol"] == query["symbol"]
                        and wanted in (None, str(each["orderId"]))
                        and each["time"] >= since
                    ]
                    self.answer(found[: int(query.get("limit", 500))])
                case "GET order" | "DELETE order":
                    self._one(name, query)
                case _:
                    self.answer({})

    def _is_open(self, order: ExchangeOrder, query: dict[str, str]) -> bool:
        return order.status in ("NEW", "PARTIALLY_FILLED") and query.get("symbol") in (None, order.symbol)

    def _new(self, query: dict[str, str]) -> None:
        exchange = self.exchange
        exchange.submits += 1
        if any(each.client_id == query["newClientOrderId"] for each in exchange.orders):
            self.answer({"code": -2010, "msg": "Duplicate order sent."}, 400)
            return
        order = ExchangeOrder(
            len(exchange.orders) + 1, query["newClientOrderId"], query["symbol"], query["side"], query["type"],
            float(query["quantity"]), float(query.get("price", 0)), float(query.get("stopPrice", 0)),
        )  # fmt: skip
        exchange.orders.append(order)
        if order.kind == "MARKET" and exchange.fill_markets_at is not None:
            exchange.fill(order, order.quantity, exchange.fill_markets_at)
        self.answer(order.shown())

    def _one(self, name: str, query: dict[str, str]) -> None:
        key = query.get("origClientOrderId") or query.get("orderId")
        found = next((o for o in self.exchange.orders if key in (o.client_id, str(o.id))), None)
        is_open = found is not None and found.status in ("NEW", "PARTIALLY_FILLED")
        if found is None or (name == "DELETE order" and not is_open):
            code, text = (-2013, "Order does not exist.") if name == "GET order" else (-2011, "Unknown order sent.")
            self.answer({"code": code, "msg": text}, 400)
            return
        if name == "DELETE order":
            found.status = "CANCELED"
        self.answer(found.shown())

    def answer(self, content: object, status: int = 200) -> None:
        """Send JSON."""
        if self.is_mute:
            return
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def drop(self) -> None:
        """Close the connection."""
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running_exchange() -> Iterator[Exchange]:
    """Run an exchange on a free port of loopback."""
    made = Exchange()
    handler = type("BoundExchangeHandler", (ExchangeHandler,), {"exchange": made})
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


def _symbol(name: str) -> dict[str, Any]:
    return {
        "symbol": name, "status": "TRADING", "baseAsset": name[:-4], "baseAssetPrecision": 8, "quoteAsset": name[-4:],
        "quotePrecision": 8, "quoteAssetPrecision": 8, "isSpotTradingAllowed": True, "permissions": ["SPOT"],
        "orderTypes": ["LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT"], "permissionSets": [["SPOT"]],
        "isMarginTradingAllowed": False, "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000.0", "stepSize": "0.001"},
        ],
    }  # fmt: skip
