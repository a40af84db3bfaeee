"""What columns are called, in English and other languages, and what a header tells of the file's country."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from quantcrafter.engine.data.providers.languages import LANGUAGES, Dress

ENGLISH: dict[str, tuple[str, ...]] = {
    "time": (
        *("timeopen", "opentime", "datetime", "timestamp", "time", "ts", "tsevent", "windowstart", "epoch", "unix"),
        *("dateandtime", "datetimeutc", "timestamputc", "timeutc", "gmttime", "localtime", "bartime", "unixtimestamp"),
        *("t", "tsns", "indexlevel0", "tsinit", "begins", "begin", "startat", "starttime"),
    ),
    "date": (
        *("date", "day", "tradedate", "tradingday", "dt", "tradingdate", "dateutc", "dtyyyymmdd", "yyyymmdd"),
        *("exchangedate", "pricedate", "trddt"),
    ),
    "open": (
        "open",
        "o",
        "openprice",
        "opening",
        "priceopen",
        "first",
        "openingprice",
        "pxopen",
        "opnprc",
        "openprc",
        "mido",
    ),
    "high": ("high", "h", "highprice", "max", "pricehigh", "pxhigh", "hiprc", "askhi", "midh"),
    "low": ("low", "l", "lowprice", "min", "pricelow", "pxlow", "loprc", "bidlo", "midl"),
    "close": (
        *("close", "c", "closeprice", "closelast", "last", "latest", "price", "priceclose", "closing", "closingprice"),
        *("settle", "ltp", "pxlast", "clsprc", "prc", "midc"),
    ),
    "volume": (
        *("volume", "v", "vol", "totalvolume", "realvolume", "qty", "quantity", "basevolume", "volumefrom"),
        *("sharestraded", "numberofshares", "noofshares", "tottrdqty", "ttltrdqnty", "totaltradedquantity"),
        *("pxvolume", "dnshrtrd", "tickvol", "tickvolume", "ticks"),
    ),
    "symbol": (
        *("symbol", "ticker", "sym", "instrument", "tic", "tscode", "secid", "ric", "orderbookid", "stkcd", "code"),
        *("contract", "name"),
    ),
}
"""By role, plain names in the order of their likelihood."""

ACTIONS: dict[str, tuple[str, ...]] = {
    "split": ("split", "splits", "stocksplit", "stocksplits", "splitratio", "splitfactor", "splitcoefficient"),
    "dividend": ("dividend", "dividends", "dividendamount", "divcash", "cashdividend", "exdividend"),
    "adjusted_close": (
        *("adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjcloseprice", "adjustedcloseprice", "adjusted"),
    ),
    "open_interest": ("openinterest", "openint", "oi", "opint"),
}

EXCHANGE_NAMES = ("exchange", "exchangename", "exch", "venue", "mic", "marketcenter", "publisherid", "交易所", "биржа")
"""Columns that say on which exchange a row's prices were made."""

CURRENCY_NAMES = ("currency", "ccy", "currencycode", "pricecurrency", "währung", "devise", "moneda", "валюта", "货币")
"""Columns that say in which currency a row's prices are."""

TELLING = ("spread", *ACTIONS["open_interest"], *EXCHANGE_NAMES, *CURRENCY_NAMES)
"""Plain names of columns that are neither times nor prices, and are looked at where a file has them."""

NO_NAME = ("", "unnamed0", "index", "level0")
"""What a table that pandas wrote calls its index: times, where no other column has them."""

_SITE_NAMES = {"adjcloseadjustedclose": "adjclose", "closecloseprice": "close"}
"""Headers that Yahoo's site copies together with their explanations, by how they begin."""
_UNIT = re.compile(
    r"\s*[(（](?:[A-Z]{3,4}|GBp|ZAc|pence|[A-Z][A-Za-z]+/[A-Za-z_/]+|[元股手円株]|港元|美元|Rs\.?|[$€£¥])[)）]\s*$"  # noqa: RUF001 - as it is written
)
_NUMBERED = re.compile(r"^\d{1,2}[.)]\s*(?=[a-z])")  # `1. open`, as Alpha Vantage names its fields


def plain(name: str) -> str:
    """Return a column's name without case, accents, blanks, signs and unit: `+Haut*` and `haut (EUR)` are `haut`."""
    name = _UNIT.sub("", name)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(sign))
    bare = re.sub(r"[\W_]", "", _NUMBERED.sub("", bare))
    return next((short for start, short in _SITE_NAMES.items() if bare.startswith(start)), bare)


_WORDS: tuple[tuple[dict[str, tuple[str, ...]], Dress | None], ...] = tuple(
    ({role: tuple(map(plain, names)) for role, names in words.items()}, dress) for words, dress in LANGUAGES
)
_CANDIDATES = {
    role: tuple(dict.fromkeys((*names, *(name for words, _dress in _WORDS for name in words.get(role, ())))))
    for role, names in ENGLISH.items()
}


def candidates(role: str) -> tuple[str, ...]:
    """Return the plain names that a role's column may have, likeliest first, in every language."""
    return _CANDIDATES[role]


def field_of(name: str) -> str | None:
    """Return the role that a plain name stands for, corporate actions and adjusted closes among them."""
    for role in ENGLISH:
        if name in candidates(role):
            return role
    return next((role for role, known in ACTIONS.items() if name in known), None)


def known_words(cells: Sequence[str]) -> int:
    """Return how many different roles the names of columns give away."""
    return len({role for cell in cells if (role := field_of(plain(cell))) is not None})


def dress_of(names: Sequence[str]) -> Dress | None:
    """Return how the header's language writes numbers and dates; None for English, which says nothing of it."""
    plains = [plain(name) for name in names]
    for words, dress in _WORDS:
        own = {name for role, all_ in words.items() for name in all_ if name not in ENGLISH[role]}
        if sum(name in own for name in plains) >= 2:  # noqa: PLR2004 - one word may be a word of another language
            return dress
    return None
