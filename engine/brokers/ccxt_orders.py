"""Our orders in the words of ccxt, and ccxt's answers in ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quantcrafter.engine.api import (
    Amend,
    Cancel,
    Cancelled,
    Expired,
    Filled,
    OrderEvent,
    OrderId,
    Rejected,
    Submit,
    VenueExecution,
    VenueOrder,
)
from quantcrafter.engine.api.orders import OrderType, Side
from quantcrafter.engine.brokers.ccxt_ids import order_of

MS = 1_000_000
AMENDS = frozenset({"okx", "myokx", "okxus", "bybit", "gate", "gateio", "binanceusdm", "binancecoinm"})
"""Exchanges that change an order in place. Others cancel it and make another one, under another id."""

_LEAST_LOT = 1e-6


@dataclass
class KnownOrder:
    """An order of ours at the exchange. Quantities are in units of the instrument.

    `quantity` and `price` are those that it works with, `reported` the lots that were reported as filled, `seen` the
    ids of its trades. `rest_money` and `rest_fee` belong to trades that were no whole lots yet. `doubtful_s` is
    since when its outcome is unknown (None if it is known), `pending` an amend or cancel that got no answer.
    """

    order: OrderId
    symbol: str
    lot_size: float
    venue_id: str = ""
    quantity: float = 0.0
    price: float | None = None
    filled: float = 0.0
    reported: int = 0
    seen: set[str] = field(default_factory=set)
    rest_money: float = 0.0
    rest_fee: float | None = 0.0
    is_over: bool = False
    is_accepted: bool = False
    doubtful_s: float | None = None
    pending: Amend | Cancel | None = None

    def fills(self, executions: Sequence[VenueExecution]) -> list[OrderEvent]:
        """Return the reports of executions that are new; parts of a lot are reported with what completes it."""
        found: list[OrderEvent] = []
        for each in executions:
            if each.id in self.seen:
                continue
            self.seen.add(each.id)
            self.filled += each.quantity
            self.rest_money += each.quantity * each.price
            self.rest_fee = None if self.rest_fee is None or each.fee is None else self.rest_fee + each.fee
            lots = int(self.filled / self.lot_size + _LEAST_LOT) - self.reported
            if lots <= 0:
                continue
            whole = self.filled - self.reported * self.lot_size
            price = each.price if abs(whole - each.quantity) <= _LEAST_LOT * self.lot_size else self.rest_money / whole
            found.append(Filled(self.order, each.id, lots, price, each.ts_ns, fee=self.rest_fee))
            self.reported += lots
            left = self.filled - self.reported * self.lot_size
            self.rest_money, self.rest_fee = left * each.price, 0.0
        return found

    def end(self, status: str, ts_ns: int) -> OrderEvent | None:
        """Return the report of an end without a fill; None if it filled."""
        match status:
            case "canceled":
                return Cancelled(self.order, ts_ns)
            case "expired":
                return Expired(self.order, ts_ns)
            case "rejected":
                return Rejected(self.order, ts_ns, "rejected by the exchange")
            case _:
                return None


def terms_of(submit: Submit) -> tuple[str, float | None, dict[str, Any]]:
    """Return ccxt's type, price and parameters of an order."""
    # Spot markets have no such order, and some refuse a parameter that they don't know.
    params: dict[str, Any] = {"reduceOnly": True} if submit.reduce_only and is_contract(submit.symbol) else {}
    match submit.kind:
        case "limit":
            return "limit", submit.price, params
        case "stop":
            return "market", None, params | {"triggerPrice": submit.price}
        case "stop_limit":
            return "limit", submit.limit, params | {"triggerPrice": submit.price}
        case _:
            return "market", None, params


def execution_of(trade: Mapping[str, Any], market: Mapping[str, Any], client_order_id: str) -> VenueExecution:
    """Return a trade of ccxt as an execution; amounts of contracts become units."""
    price = float(trade["price"])
    side: Side = "buy" if trade["side"] == "buy" else "sell"
    return VenueExecution(
        f"{market['id']}-{trade['id']}",
        str(market["symbol"]),
        side,
        float(trade["amount"]) * contract_size(market),
        price,
        int(trade["timestamp"]) * MS,
        client_order_id=client_order_id,
        venue_order_id=str(trade.get("order") or ""),
        fee=_fee(trade.get("fee"), market, price),
        fee_quantity=_fee_in_coin(trade.get("fee"), market),
    )


def _fee_in_coin(fee: Mapping[str, Any] | None, market: Mapping[str, Any]) -> float:
    """Return how much of the coin of a spot market was taken as a fee."""
    if not fee or market.get("contract") or fee.get("currency") != market["base"]:
        return 0.0
    return float(fee.get("cost") or 0.0)


def _fee(fee: Mapping[str, Any] | None, market: Mapping[str, Any], price: float) -> float | None:
    """Return a fee in the currency of the prices; None if it was paid in a third one, or isn't reported."""
    if not fee or fee.get("cost") is None:
        return None
    cost = float(fee["cost"])
    if fee.get("currency") in (market["quote"], market.get("settle")):
        return cost
    return cost * price if fee.get("currency") == market["base"] else None


def working(order: Mapping[str, Any], market: Mapping[str, Any], exchange: str) -> VenueOrder:
    """Return an open order of ccxt."""
    ours = order_of(order.get("clientOrderId"), exchange)
    trigger = order.get("triggerPrice") or order.get("stopPrice")
    limit = order.get("price")
    kind: OrderType
    if trigger:
        kind = "stop_limit" if order.get("type") == "limit" and limit else "stop"
    else:
        kind = "market" if order.get("type") == "market" else "limit"
    size = contract_size(market)
    price = float(trigger or limit or 0.0) if kind != "market" else None
    return VenueOrder(
        str(order["id"]),
        str(market["symbol"]),
        "buy" if order["side"] == "buy" else "sell",
        kind,
        float(order["amount"]) * size,
        filled=float(order.get("filled") or 0.0) * size,
        price=price,
        limit=float(limit or 0.0) if kind == "stop_limit" else None,
        client_order_id=str(order.get("clientOrderId") or "") if ours is None else str(ours),
    )


def is_contract(symbol: str) -> bool:
    """Return whether a symbol of ccxt is one of a contract, such as BTC/USDT:USDT."""
    return ":" in symbol


def contract_size(market: Mapping[str, Any]) -> float:
    """Return how many units of the instrument one of the exchange's amounts is."""
    return float(market.get("contractSize") or 1.0) if market.get("contract") else 1.0
