"""Expiries by the rules of the exchange: the days on which contracts really stopped trading."""

from __future__ import annotations

from datetime import date

import pytest

from quantcrafter.engine.data.continuous.expiries import ContractMonth, contract_month, expiry_of
from quantcrafter.engine.data.markets import MARKETS

FUTURES = next(market for market in MARKETS if market.name == "us_futures")
LAST = date(2024, 3, 1)


@pytest.mark.parametrize(
    ("symbol", "day"),
    [
        ("ESH24", "2024-03-15"),
        ("ESZ24", "2024-12-20"),
        ("MNQM24", "2024-06-21"),
        ("YMH08", "2008-03-20"),  # the third Friday was Good Friday
        ("CLJ24", "2024-03-20"),
        ("CLK20", "2020-04-21"),
        ("CLF25", "2024-12-19"),  # the 25th is Christmas
        ("MCLJ24", "2024-03-19"),
        ("NGH24", "2024-02-27"),
        ("RBJ24", "2024-03-28"),
        ("HOJ24", "2024-03-28"),
        ("GCG24", "2024-02-27"),
        ("HGK24", "2024-05-29"),
        ("ZNH24", "2024-03-19"),
        ("ZBM24", "2024-06-18"),
        ("UBM24", "2024-06-18"),
        ("TNM24", "2024-06-18"),
        ("ZTH24", "2024-03-28"),
        ("6EH24", "2024-03-18"),
        ("6CH24", "2024-03-19"),
        ("ZCH24", "2024-03-14"),
        ("ZSN24", "2024-07-12"),
        ("LEJ24", "2024-04-30"),
        ("HEJ24", "2024-04-12"),
        ("BTCH24", "2024-03-28"),
    ],
)
def test_a_contract_expires_on_the_day_that_its_exchange_says(symbol: str, day: str) -> None:
    contract = FUTURES.contract(symbol)
    assert contract is not None
    assert contract.expiry is not None
    month = contract_month(symbol, contract.root, LAST)
    assert month is not None
    assert expiry_of(month, contract.expiry) == date.fromisoformat(day)


def test_every_contract_of_the_market_has_a_rule() -> None:
    assert [contract.root for contract in FUTURES.contracts if contract.expiry is None] == []


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("ESH24", (2024, 3)),
        ("esh2024", (2024, 3)),
        ("ES_H24", (2024, 3)),
        ("ES H24", (2024, 3)),
        ("@ESH24", (2024, 3)),
        ("ESH24_1min", (2024, 3)),
        ("ES 03-24", (2024, 3)),
        ("ES-03-2024", (2024, 3)),
        ("ESZ99", (1999, 12)),
        ("ESH4", (2024, 3)),
        ("ESH3", (2033, 3)),
        ("ES", None),
        ("ESH", None),
        ("NQH24", None),
        ("ESH24X", None),
        ("ES 13-24", None),
    ],
)
def test_the_name_of_a_contract_tells_its_month(name: str, month: tuple[int, int] | None) -> None:
    assert contract_month(name, "ES", LAST) == (None if month is None else ContractMonth(*month))
