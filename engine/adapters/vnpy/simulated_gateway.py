"""A gateway of vnpy to a made-up exchange in this process: it fills in parts, rejects, answers late and loses its line.

The exchange goes on while gateways come and go, as a real one does. Importing this module imports vnpy.
"""

from __future__ import annotations

import threading
import time
from copy import copy
from datetime import UTC, datetime
from typing import Any

from vnpy.trader.constant import Direction, Exchange, Interval, OrderType, Product, Status
from vnpy.trader.gateway import BaseGateway
from vnpy.trader.object import (
    AccountData,
    BarData,
    CancelRequest,
    ContractData,
    HistoryRequest,
    OrderData,
    OrderRequest,
    PositionData,
    SubscribeRequest,
    TickData,
    TradeData,
)

from quantcrafter.engine.api import ROUND_THE_CLOCK, RunError, Timeframe
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.feeds.synthetic_market import MarketTerms, SyntheticMarket

NAME = "SIMULATED"
_MINUTE = Timeframe(1, "m")
_INTERVALS = {Interval.MINUTE: _MINUTE, Interval.HOUR: Timeframe(1, "h"), Interval.DAILY: Timeframe(1, "d")}
_NS = 1_000_000_000
_JOIN_S = 10.0


class SimulatedExchange:
    """An exchange with the orders, trades and position of one account.

    `parts` is in how many parts an order fills, `reject_every` which orders are rejected (0 for none), `delay_s` how
    late answers come. Orders fill at the prices that it is shown, or as whoever holds it says.
    """

    def __init__(self, *, seed: int = 1, parts: int = 1, reject_every: int = 0, delay_s: float = 0.0) -> None:
        self.seed, self.parts, self.reject_every, self.delay_s = seed, parts, reject_every, delay_s
        self.lock = threading.RLock()
        self.clock_ns: int | None = None
        self.orders: dict[str, OrderData] = {}
        self.trades: list[TradeData] = []
        self.position: dict[str, float] = {}
        self.cash = 1_000_000.0
        self.bars: dict[str, list[BarData]] = {}
        self.gateways: list[SimulatedGateway] = []
        self.is_down = False
        self.is_silent = False
        self.received = 0
        self.rejections: list[str] = []

    def now_ns(self) -> int:
        """Return the exchange's time; the computer's unless it was set."""
        return time.time_ns() if self.clock_ns is None else self.clock_ns

    def moment(self) -> datetime:
        """Return the exchange's time as vnpy has it."""
        return datetime.fromtimestamp(self.now_ns() / _NS, UTC)

    # ------------------------------------------------------------------ what goes wrong

    def disconnect(self) -> None:
        """Lose the line: nothing goes in or out, and orders go on."""
        self.is_down = True
        for each in tuple(self.gateways):
            each.write_log("交易服务器连接断开 disconnected")

    def reconnect(self) -> None:
        """Have the line again, and tell the account's state as after a login."""
        self.is_down = False
        for each in tuple(self.gateways):
            each.login()

    # ------------------------------------------------------------------ trading

    def take(self, request: OrderRequest) -> OrderData:
        """Take an order."""
        with self.lock:
            self.received += 1
            made: OrderData = request.create_order_data(str(self.received), NAME)
            made.datetime = self.moment()
            rejected = bool(self.rejections) or (self.reject_every and self.received % self.reject_every == 0)
            made.status = Status.REJECTED if rejected else Status.NOTTRADED
            self.orders[made.orderid] = made
            self.tell(made, self.rejections.pop(0) if self.rejections else "拒单 rejected" if rejected else "")
            return made

    def cancel(self, order_id: str) -> None:
        """Cancel an order, if it works."""
        with self.lock:
            order = self.orders[order_id]
            if order.is_active():
                order.status = Status.CANCELLED
                self.tell(order)

    def fill(self, order_id: str, volume: float, price: float) -> None:
        """Let a part of an order trade, or all of it."""
        with self.lock:
            order = self.orders[order_id]
            order.traded += volume
            order.status = Status.ALLTRADED if order.traded >= order.volume else Status.PARTTRADED
            sign = 1.0 if order.direction is Direction.LONG else -1.0
            self.position[order.vt_symbol] = self.position.get(order.vt_symbol, 0.0) + sign * volume
            self.cash -= sign * volume * price
            trade = TradeData(
                gateway_name=NAME,
                symbol=order.symbol,
                exchange=order.exchange,
                orderid=order.orderid,
                tradeid=str(len(self.trades) + 1),
                direction=order.direction,
                offset=order.offset,
                price=price,
                volume=volume,
                datetime=self.moment(),
            )
            self.trades.append(trade)
            self.tell(order)
            self.each_gateway(lambda gateway: gateway.on_trade(copy(trade)))
            self.each_gateway(lambda gateway: gateway.tell_account())

    def tick(self, symbol: str, price: float, volume: float) -> None:
        """Show a price with the volume of the day so far, and fill the orders that it reaches."""
        name, _, exchange = symbol.rpartition(".")
        made = TickData(
            gateway_name=NAME,
            symbol=name,
            exchange=Exchange(exchange),
            datetime=self.moment(),
            last_price=price,
            volume=volume,
            bid_price_1=price,
            ask_price_1=price,
        )
        with self.lock:
            if not self.is_silent:
                self.each_gateway(lambda gateway: gateway.show(copy(made)))
            for order in [each for each in self.orders.values() if each.is_active() and each.vt_symbol == symbol]:
                if _is_reached(order, price):
                    for number in range(self.parts, 0, -1):
                        left = order.volume - order.traded
                        self.fill(order.orderid, left if number == 1 else max(1.0, left // number), price)
                        if not order.is_active():
                            break

    def tell(self, order: OrderData, text: str = "") -> None:
        """Report an order to whoever is connected."""
        if text:
            self.each_gateway(lambda gateway: gateway.write_log(text))
        self.each_gateway(lambda gateway: gateway.on_order(copy(order)))

    def each_gateway(self, what: Any) -> None:
        """Do something for each gateway that is connected, late if answers are late."""
        gateways = () if self.is_down else tuple(self.gateways)
        for each in gateways:
            if self.delay_s:
                timer = threading.Timer(self.delay_s, what, [each])
                timer.daemon = True
                timer.start()
            else:
                what(each)


EXCHANGES: dict[str, SimulatedExchange] = {}
"""The exchanges of this process by name. One that isn't there yet is made, and makes its prices itself."""


def _checked(symbols: list[str]) -> list[str]:
    """Return symbols if each is a name and an exchange, such as `SIM.LOCAL`.

    Raises:
        RunError: one isn't.
    """
    known = {each.value for each in Exchange}
    for symbol in symbols:
        name, _, exchange = symbol.rpartition(".")
        if not name or exchange not in known:
            raise RunError(
                Message(
                    "A symbol of 'vnpy:simulated' is a name and an exchange of vnpy such as SIM.LOCAL, was '{symbol}'. "
                    "Correct 'symbols' in its settings; several have spaces between.",
                    symbol=symbol,
                )
            )
    return symbols


class SimulatedGateway(BaseGateway):
    """A gateway to a made-up exchange."""

    default_name = NAME
    default_setting = {  # noqa: RUF012 - as vnpy has it
        "exchange": "default",
        "symbols": "SIM.LOCAL",
        "seed": 1,
        "parts": 2,
        "reject_every": 0,
        "delay_s": 0.0,
        "tick_s": 0.25,
    }
    exchanges = [Exchange.LOCAL]  # noqa: RUF012 - the same

    def connect(self, setting: dict[str, Any]) -> None:
        """Connect to the exchange that the settings name."""
        known = EXCHANGES.get(setting["exchange"])
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._symbols = _checked(str(setting["symbols"]).split())
        self._subscribed: set[str] = set()
        self.exchange = known or SimulatedExchange(
            seed=int(setting["seed"]),
            parts=int(setting["parts"]),
            reject_every=int(setting["reject_every"]),
            delay_s=float(setting["delay_s"]),
        )
        EXCHANGES.setdefault(setting["exchange"], self.exchange)
        self.exchange.gateways.append(self)
        self.login()
        if known is None or known.clock_ns is None:
            self._thread = threading.Thread(
                target=self._make_prices, args=(float(setting["tick_s"]),), name="simulated-exchange", daemon=True
            )
            self._thread.start()

    def now_ns(self) -> int:
        """Return the exchange's time."""
        return self.exchange.now_ns()

    def login(self) -> None:
        """Tell contracts, orders, trades and the account, as gateways do after a login."""
        for symbol in self._symbols:
            name, _, exchange = symbol.rpartition(".")
            self.on_contract(
                ContractData(
                    gateway_name=NAME,
                    symbol=name,
                    exchange=Exchange(exchange),
                    name=name,
                    product=Product.SPOT,
                    size=1,
                    pricetick=0.01,
                    stop_supported=True,
                    net_position=True,
                    history_data=True,
                )
            )
        with self.exchange.lock:
            for order in self.exchange.orders.values():
                self.on_order(copy(order))
            for trade in self.exchange.trades:
                self.on_trade(copy(trade))
            self.tell_account()
        self.write_log("登录成功 connected")

    def tell_account(self) -> None:
        """Tell money and positions."""
        self.on_account(AccountData(gateway_name=NAME, accountid="USD", balance=self.exchange.cash))
        for symbol in {*self._symbols, *self.exchange.position}:
            name, _, exchange = symbol.rpartition(".")
            held = self.exchange.position.get(symbol, 0.0)
            self.on_position(PositionData(NAME, name, Exchange(exchange), Direction.NET, volume=held))

    def close(self) -> None:
        """Disconnect."""
        self._ending.set()
        if self in self.exchange.gateways:
            self.exchange.gateways.remove(self)
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def subscribe(self, req: SubscribeRequest) -> None:
        """Show prices of a symbol."""
        self._subscribed.add(req.vt_symbol)

    def show(self, tick: TickData) -> None:
        """Tell a price, if it was asked for."""
        if tick.vt_symbol in self._subscribed:
            self.on_tick(tick)

    def send_order(self, req: OrderRequest) -> str:
        """Send an order."""
        if self.exchange.is_down:
            return ""
        order = self.exchange.take(req)
        return str(order.vt_orderid)

    def cancel_order(self, req: CancelRequest) -> None:
        """Cancel an order."""
        if not self.exchange.is_down:
            self.exchange.cancel(req.orderid)

    def query_account(self) -> None:
        """Tell money and positions."""
        self.tell_account()

    query_position = query_account

    def query_history(self, req: HistoryRequest) -> list[BarData]:
        """Return bars of the exchange, or those of its made-up market."""
        start_ns = round(req.start.timestamp()) * _NS
        end_ns = self.now_ns() if req.end is None else round(req.end.timestamp()) * _NS
        if req.vt_symbol in self.exchange.bars:
            kept = self.exchange.bars[req.vt_symbol]
            return [each for each in kept if start_ns <= each.datetime.timestamp() * _NS < end_ns]
        length = _INTERVALS.get(req.interval or Interval.MINUTE, _MINUTE)
        made = self._market(req.vt_symbol).bars(length, ROUND_THE_CLOCK, start_ns, end_ns)
        rows = zip(made.open_ns.tolist(), made.open, made.high, made.low, made.close, made.volume, strict=True)
        return [
            BarData(
                gateway_name=NAME,
                symbol=req.symbol,
                exchange=req.exchange,
                datetime=datetime.fromtimestamp(opened / _NS, UTC),
                interval=req.interval,
                open_price=float(first),
                high_price=float(high),
                low_price=float(low),
                close_price=float(last),
                volume=float(volume),
            )
            for opened, first, high, low, last, volume in rows
        ]

    def _market(self, symbol: str) -> SyntheticMarket:
        return SyntheticMarket(symbol, MarketTerms(seed=self.exchange.seed, volatility=80))

    def _make_prices(self, tick_s: float) -> None:
        """Go from the open of each made-up minute over its low and high to its close."""
        markets = {symbol: self._market(symbol) for symbol in self._symbols}
        while not self._ending.wait(tick_s):
            now_ns = self.now_ns()
            opened_ns = now_ns // (60 * _NS) * 60 * _NS
            for symbol, market in markets.items():
                bars = market.bars(_MINUTE, ROUND_THE_CLOCK, opened_ns, opened_ns + 60 * _NS)
                part = 4 * (now_ns - opened_ns) // (60 * _NS)
                path = (bars.open[0], bars.low[0], bars.high[0], bars.close[0])
                day = now_ns // (86_400 * _NS) * 86_400 * _NS
                so_far = (opened_ns - day) / (60 * _NS) * 100 + (part + 1) * float(bars.volume[0]) / 4
                self.exchange.tick(symbol, float(path[part]), so_far)


def _is_reached(order: OrderData, price: float) -> bool:
    """Return whether an order trades at a price."""
    if order.type is OrderType.MARKET:
        return True
    buys, stop = order.direction is Direction.LONG, order.type is OrderType.STOP
    return price >= order.price if buys == stop else price <= order.price
