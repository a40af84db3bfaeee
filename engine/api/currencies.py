"""Currencies whose prices count in hundredths, such as pence, and how amounts are converted to an account's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

HUNDREDTHS = {"GBX": "GBP", "ZAC": "ZAR", "ILA": "ILS"}
"""Codes of prices in hundredths of a currency: pence of London, cents of Johannesburg, agorot of Tel Aviv."""

_SPELLINGS = {"GBp": "GBX", "GBP pence": "GBX", "pence": "GBX", "ZAc": "ZAC"}


class Conversion(NamedTuple):
    """How amounts become those of the account: by a factor, and by the rate of that name, '' for none."""

    factor: float
    rate: str = ""


def currency_code(text: str) -> str:
    """Return a currency as codes say it: `GBp`, as many vendors write pence, is GBX."""
    return _SPELLINGS.get(text.strip(), text.strip())


def amount_unit(currency: str, account: str) -> float:
    """Return how many units of prices are one of the currency of amounts, such as a commission for an order.

    Amounts of an instrument in pence are in pounds: 100. In an account in pence they are in pence.
    """
    return 100.0 if currency in HUNDREDTHS and currency != account else 1.0


def conversion(currency: str, account: str, rates: Mapping[str, str]) -> Conversion | None:
    """Return how amounts in a currency become those of an account, None if nothing says it.

    Prices in pence count in an account in pounds, or where there is a rate of pounds, without a rate of their own.
    """
    if currency in ("", account):
        return Conversion(1.0)
    if currency in rates:
        return Conversion(1.0, rates[currency])
    whole = HUNDREDTHS.get(currency)
    if whole == account:
        return Conversion(0.01)
    if whole is not None and whole in rates:
        return Conversion(0.01, rates[whole])
    if HUNDREDTHS.get(account) == currency:
        return Conversion(100.0)
    return None
