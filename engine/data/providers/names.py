"""What columns are called, in the languages that exports come in, and what a header tells of the file's country."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

ENGLISH: dict[str, tuple[str, ...]] = {
    "time": (
        *("datetime", "timestamp", "time", "ts", "tsevent", "windowstart", "epoch", "unix", "opentime", "dateandtime"),
        *("datetimeutc", "timestamputc", "timeutc", "gmttime", "localtime", "bartime", "unixtimestamp", "t", "tsns"),
        *("indexlevel0", "tsinit", "begins", "startat"),
    ),
    "date": ("date", "day", "tradedate", "tradingday", "dt", "tradingdate", "dateutc"),
    "open": ("open", "o", "openprice", "opening", "priceopen", "first"),
    "high": ("high", "h", "highprice", "max", "pricehigh"),
    "low": ("low", "l", "lowprice", "min", "pricelow"),
    "close": ("close", "c", "closeprice", "closelast", "last", "price", "priceclose", "closing", "settle", "ltp"),
    "volume": (
        *("volume", "v", "vol", "totalvolume", "realvolume", "qty", "quantity", "basevolume", "sharestraded"),
        *("tickvol", "tickvolume", "ticks"),
    ),
    "symbol": ("symbol", "ticker", "sym", "instrument", "tic", "tscode", "code", "contract", "name"),
}
"""By role, plain names in the order of their likelihood."""

ACTIONS: dict[str, tuple[str, ...]] = {
    "split": ("split", "splits", "stocksplit", "stocksplits", "splitratio", "splitfactor", "splitcoefficient"),
    "dividend": ("dividend", "dividends", "dividendamount", "divcash", "cashdividend", "exdividend"),
    "adjusted_close": (
        *("adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjcloseprice", "adjustedcloseprice", "adjusted"),
    ),
}

_ADJUSTED = ACTIONS["adjusted_close"]
_SITE_NAMES = {"adjcloseadjustedclose": "adjclose", "closecloseprice": "close"}
"""Headers that Yahoo's site copies together with their explanations, by how they begin."""


class Dress(NamedTuple):
    """How a country's spreadsheets write: whether a comma is the decimal sign, and whether the day comes first."""

    comma_decimal: bool
    day_first: bool


_COMMA = Dress(comma_decimal=True, day_first=True)
_GERMAN = {
    "time": ("zeit", "uhrzeit", "zeitpunkt", "datumzeit", "datumuhrzeit", "zeitstempel"),
    "date": ("datum", "handelstag", "tag"),
    "open": ("eroffnung", "eroffnungskurs", "eroffn", "erster", "eroeffnung", "ersterkurs"),
    "high": ("hoch", "hochst", "hochstkurs", "tageshoch", "hoechst"),
    "low": ("tief", "tiefst", "tiefstkurs", "tagestief"),
    "close": ("schluss", "schlusskurs", "zuletzt", "letzter", "letzterkurs", "schlu\xdf", "kurs"),
    "volume": ("volumen", "stuck", "stuecke", "stucke", "umsatz", "vol"),
    "symbol": ("symbol", "kurzel", "wkn", "isin"),
}
_FRENCH = {
    "time": ("heure", "horodatage", "dateheure"),
    "date": ("jour",),
    "open": ("ouverture", "ouv"),
    "high": ("haut", "plushaut"),
    "low": ("bas", "plusbas"),
    "close": ("cloture", "dernier", "fermeture"),
    "volume": (),
    "symbol": ("symbole",),
}
_ITALIAN = {
    "time": ("ora",),
    "date": ("data",),
    "open": ("apertura",),
    "high": ("massimo", "max"),
    "low": ("minimo", "min"),
    "close": ("chiusura", "ultimo"),
    "volume": (),
    "symbol": ("simbolo",),
}
_SPANISH = {
    "time": ("hora",),
    "date": ("fecha",),
    "open": ("apertura",),
    "high": ("maximo", "alto"),
    "low": ("minimo", "bajo"),
    "close": ("cierre", "ultimo"),
    "volume": (),
    "symbol": ("simbolo",),
}
_POLISH = {
    "time": ("czas",),
    "date": (),
    "open": ("otwarcie",),
    "high": ("najwyzszy",),
    "low": ("najnizszy",),
    "close": ("zamkniecie",),
    "volume": ("wolumen",),
    "symbol": (),
}
_RUSSIAN = {
    "time": ("время",),
    "date": ("дата",),
    "open": ("откр", "открытие", "ценаоткрытия"),
    "high": ("макс", "максимум"),
    "low": ("мин", "минимум"),
    "close": ("закр", "закрытие", "цена", "ценазакрытия"),
    "volume": ("объем", "обьем"),
    "symbol": ("тикер",),
}
_CHINESE = {
    "time": ("时间", "時間", "日期时间"),
    "date": ("日期", "交易日期", "交易日"),
    "open": ("开盘", "开盘价", "開盤", "開盤價", "今开"),
    "high": ("最高", "最高价", "最高價", "高"),
    "low": ("最低", "最低价", "最低價", "低"),
    "close": ("收盘", "收盘价", "收盤", "收盤價"),
    "volume": ("成交量", "交易量", "总手", "成交股数", "成交量股"),
    "symbol": ("代码", "股票代码", "证券代码", "代碼"),
}
_LANGUAGES: tuple[tuple[dict[str, tuple[str, ...]], Dress | None], ...] = (
    (_GERMAN, _COMMA),
    (_FRENCH, _COMMA),
    (_ITALIAN, _COMMA),
    (_SPANISH, _COMMA),
    (_POLISH, None),
    (_RUSSIAN, _COMMA),
    (_CHINESE, Dress(comma_decimal=False, day_first=False)),
)


def plain(name: str) -> str:
    """Return a column's name without case, accents, blanks and signs: `+Haut*` becomes `haut`."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(sign))
    bare = re.sub(r"[\W_]", "", bare)
    return next((short for start, short in _SITE_NAMES.items() if bare.startswith(start)), bare)


def candidates(role: str) -> tuple[str, ...]:
    """Return the plain names that a role's column may have, likeliest first, in every language."""
    return tuple(
        dict.fromkeys((*ENGLISH[role], *(name for words, _dress in _LANGUAGES for name in words.get(role, ()))))
    )


def field_of(name: str) -> str | None:
    """Return the role that a plain name stands for, corporate actions and adjusted closes among them."""
    for role in ENGLISH:
        if name in candidates(role):
            return role
    return next((role for role, known in ACTIONS.items() if name in known), None)


def dress_of(names: Sequence[str]) -> Dress | None:
    """Return how the header's language writes numbers and dates; None for English, which says nothing of it."""
    plains = [plain(name) for name in names]
    for words, dress in _LANGUAGES:
        own = {name for role, all_ in words.items() for name in all_ if name not in ENGLISH[role]}
        if sum(name in own for name in plains) >= 2:  # noqa: PLR2004 - one word may be a word of another language
            return dress
    return None
