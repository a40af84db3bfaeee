"""Client order ids by exchange: each has rules of its own for what they may be, and ids must be read back from them."""

from __future__ import annotations

import contextlib
import re

from quantcrafter.engine.api import OrderId
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.order_id import OrderError

_NO_HYPHENS = frozenset({"okx", "myokx", "okxus"})
"""Letters and digits alone."""

_HEX = {"kraken": "", "hyperliquid": "0x"}
"""128 bits in hexadecimal digits, after a prefix. (Kraken also takes 18 characters, which are too few.)"""

_TAGGED = frozenset({"gate", "gateio", "gateeu"})
"""Up to 28 characters, before which ccxt puts `t-`."""
_TAG = "t-"

WITHOUT_IDS = frozenset(
    [
        "bit2c",
        "bitbank",
        "bitbns",
        "bitfinex",
        "bitflyer",
        "bitopro",
        "bitso",
        "bitteam",
        "bitvavo",
        "btcbox",
        "coincheck",
        "coinmate",
        "coinone",
        "deribit",
        "digifinex",
        "hibachi",
        "hitbtc",
        "hollaex",
        "independentreserve",
        "indodax",
        "luno",
        "mercado",
        "mudrex",
        "nado",
        "p2b",
        "xt",
        "zaif",
    ]
)
"""Exchanges where ccxt doesn't pass an id of ours on, or doesn't tell it with the orders: they can't be recognised."""

_IN_HEX = re.compile(r"([0-9a-f]{12})([0-9a-f]{8})([0-9a-f]{12})")
_HEX_WORKER = re.compile(r"[0-9a-f]{12}")


def client_id(order: OrderId, exchange: str) -> str:
    """Return the client order id that an exchange is given.

    Raises:
        OrderError: the id has no such form. The names of workers that are started have.
    """
    if exchange in _HEX:
        return _HEX[exchange] + _in_hex(order)
    text = str(order)
    return text.replace("-", "X") if exchange in _NO_HYPHENS else text


def order_of(text: str | None, exchange: str) -> OrderId | None:
    """Return our order of a client order id; None if it is not one of ours."""
    if not text:
        return None
    if exchange in _HEX:
        found = _IN_HEX.fullmatch(text.lower().removeprefix(_HEX[exchange]).replace("-", ""))
        return None if found is None else _made(found[1], int(found[2], 16), int(found[3], 16))
    plain = text.removeprefix(_TAG) if exchange in _TAGGED else text
    plain = plain.replace("X", "-") if exchange in _NO_HYPHENS else plain
    with contextlib.suppress(OrderError):
        return OrderId.parse(plain)
    return None


def _in_hex(order: OrderId) -> str:
    if not _HEX_WORKER.fullmatch(order.worker) or order.number >= 16**12:
        raise OrderError(
            Message(
                "The exchange takes no id such as {order}: its worker is no name of 12 hexadecimal digits.", order=order
            )
        )
    return f"{order.worker}{order.epoch:08x}{order.number:012x}"


def _made(worker: str, epoch: int, number: int) -> OrderId | None:
    with contextlib.suppress(OrderError):
        return OrderId(worker, epoch, number)
    return None
