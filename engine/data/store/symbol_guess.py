"""The symbol in a file's name: known formats of programs and sites first, otherwise the only remaining word.

If a name could mean several symbols, there is none, and the user must set it. Two instruments must never become one
series.
"""

from __future__ import annotations

import re
from pathlib import Path

_TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
_PACKED = (".gz", ".zip")

_WORDS = {
    *("ohlc", "ohlcv", "bars", "bar", "candles", "candle", "candlestick", "data", "history", "historical", "prices"),
    *(
        "price",
        "quotes",
        "quote",
        "download",
        "export",
        "exported",
        "dataset",
        "stock",
        "stocks",
        "table",
        "bid",
        "ask",
    ),
    *("last", "trades", "adjusted", "unadjusted", "raw", "full", "new", "old", "copy", "intraday", "eod", "futures"),
    *("spot", "perp", "perpetual", "klines", "kline", "historical-data", "historical-data-download", "file", "csv"),
    *(
        "daily",
        "day",
        "hourly",
        "hour",
        "weekly",
        "week",
        "monthly",
        "month",
        "minute",
        "minutes",
        "yearly",
        "quarterly",
    ),
    *("historicaldata", "historicalprices", "historicalquotes", "quotehistory", "timeseries"),
    *("utc", "yahoo", "stooq", "tradingview", "dukascopy", "investing", "investingcom", "tushare"),
}
_EXCHANGES = {
    *(
        "bats",
        "nasdaq",
        "nyse",
        "amex",
        "arca",
        "iex",
        "otc",
        "cboe",
        "nysearca",
        "fx",
        "fx_idc",
        "idc",
        "oanda",
        "fxcm",
    ),
    *("forexcom", "pepperstone", "icmarkets", "capitalcom", "saxo", "fxopen", "binance", "binanceus", "coinbase"),
    *("kraken", "bitstamp", "bybit", "bitfinex", "bitmex", "gemini", "okx", "okex", "kucoin", "huobi", "htx", "gateio"),
    *("deribit", "poloniex", "bittrex", "mexc", "bitget", "cme", "cme_mini", "cbot", "cbot_mini", "comex", "nymex"),
    *("nymex_mini", "eurex", "ice", "iceus", "iceeur", "xetr", "xetra", "fwb", "tradegate", "lse", "lsin", "euronext"),
    *("mil", "bme", "six", "omxsto", "gpw", "moex", "nse", "bse", "sse", "szse", "hkex", "tse", "krx", "twse", "sgx"),
    *("asx", "tsx", "tsxv", "neo", "bmfbovespa", "bmv", "jse", "tvc", "sp", "dj", "index", "cryptocap", "crypto"),
    *("currencycom", "usi", "econ", "spreadex", "eightcap", "tickmill", "phillipnova"),
}
_FRAME = re.compile(r"^(?:\d{1,4}(?:s|sec|m|min|h|hour|d|day|w|mo)|[MHDW]\d{1,3}|MN1?|\d{1,2}[SDWM])$", re.IGNORECASE)
_DATE = re.compile(
    r"^(?:\d{8,}|(?:19|20)\d{2}(?:[-.]?\d{2}){0,2}|\d{4}-\d{2}-\d{2}-\d{4}-\d{2}-\d{2}"
    r"|\d{1,2}[-.]\d{1,2}[-.]\d{4}(?:[-.]\d{1,2}[-.]\d{1,2}[-.]\d{4})?)$"
)
_PLAUSIBLE = re.compile(r"^[\^=$#]?[\w.&!^=$#+:-]*[A-Za-z][\w.&!^=$#+:/-]*$|^\d{4,6}$")
_MINUTES = {"1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "1440", "10080", "21600", "43200"}
_LETTERS = {"d", "h", "w", "m"}
_CURRENCIES = {
    *("USD", "EUR", "GBP", "JPY", "CHF", "AUD", "NZD", "CAD", "SEK", "NOK", "DKK", "PLN", "HUF", "CZK", "TRY", "ZAR"),
    *("MXN", "SGD", "HKD", "CNH", "CNY", "RUB", "INR", "KRW", "BRL", "ILS", "THB", "XAU", "XAG", "XPT", "XPD", "BTC"),
    *("XBT", "ETH", "LTC", "XRP"),
}
_KNOWN = tuple(
    re.compile(pattern)
    for pattern in (
        r"^(?:HISTDATA_COM|DAT)_(?:ASCII|MT|NT|MS|XLSX)_(?P<symbol>[A-Za-z0-9]+)_(?:M1|T|T_\w+)_?\d{4,6}$",  # HistData
        # Alpha Vantage
        r"^(?:intraday_(?:extended_)?\d+min|(?:daily|weekly|monthly)(?:_adjusted)?)_(?P<symbol>[\w.^-]+)$",
        r"^(?P<symbol>[A-Z0-9]+)-(?:\d{1,2}(?:s|m|h|d|w|mo))(?:-\d{4}(?:-\d{2}){1,2})?$",  # Binance
        r"^(?P<symbol>.+?)_(?:M\d+|H\d+|Daily|Weekly|Monthly)_\d{8,12}_\d{8,12}$",  # MetaTrader 5
        r"^(?P<symbol>[A-Za-z0-9.]+)_Candlestick_.+$",  # Dukascopy
        r"^(?P<symbol>[a-z0-9]+)-(?:s1|m\d+|h\d+|d1|mn1)-(?:bid|ask)-.+$",  # dukascopy-node
        # Barchart
        r"^(?P<symbol>[\w^$.-]+?)_(?:daily|intraday-\w+|weekly|monthly)_historical-data(?:-download)?(?:-[\d-]+)?$",
        r"^(?P<symbol>.+)\.(?:Last|Bid|Ask)$",  # NinjaTrader
        r"^Download Data - [A-Z]+_[A-Z]{2}_[A-Z]+_(?P<symbol>[\w.^-]+)$",  # MarketWatch
    )
)
_STOOQ = re.compile(r"^(?P<symbol>[a-z0-9^-]+)_(?P<market>us|uk|de|jp|hk|pl|hu|f|v)_(?:d|w|m|q|y|\d+)$")
_STOOQ_INDEX = re.compile(r"^(?P<symbol>\^[a-z0-9-]+)_(?:d|w|m|q|y)$")
_TRADINGVIEW = re.compile(r"^(?P<name>[^,]+), ?[0-9]*[A-Za-z0-9]+(?:_[0-9a-f]{4,6})?(?: ?\(\d+\))?$")
_METATRADER = re.compile(r"^(?P<symbol>.+?)(?P<minutes>1|5|15|30|60|240|1440|10080|43200)$")


def symbol_in(path: str) -> str | None:
    """Return the symbol in a file's name, or None if it is uncertain: `spy_1d.csv` is SPY."""
    name = Path(path).name
    stem = _stem(name)
    if stem == name:
        return None  # a file of another kind
    stem = re.sub(r" ?\(\d+\)$", "", stem).strip()  # a second download
    for pattern in _KNOWN:
        match = pattern.match(stem)
        if match is not None:
            return None if _is_usual(match["symbol"]) else _as_symbol(match["symbol"])
    stooq = _STOOQ.match(stem)
    if stooq is not None:
        return f"{stooq['symbol']}.{stooq['market']}".upper()
    index = _STOOQ_INDEX.match(stem)
    if index is not None:
        return index["symbol"].upper()
    view = _TRADINGVIEW.match(stem)
    if view is not None:
        return _of_words(view["name"].split("_"), joined="_")
    return _of_words([word for word in re.split(r"[_\s,]+", stem) if word], joined="")


def exchange_in(path: str) -> str:
    """Return the exchange or broker with which a file's name begins, in lower case; '' if it names none."""
    words = re.split(r"[_\s,]+", _stem(Path(path).name))
    for count in (2, 1):
        name = "_".join(words[:count]).lower()
        if len(words) > count and name in _EXCHANGES:
            return name
    return ""


def _stem(name: str) -> str:
    for endings in (_PACKED, _TABLES):
        for ending in endings:
            if name.lower().endswith(ending):
                name = name[: -len(ending)]
                break
    return name


def _of_words(words: list[str], joined: str) -> str | None:
    """Return the one word that is no exchange, timeframe, date or usual word.

    With `joined`, all that follows an exchange is the symbol, put together by that sign.
    """
    kept = words
    for count in (2, 1):  # CME_MINI before CME
        if len(words) > count and "_".join(words[:count]).lower() in _EXCHANGES:
            kept = words[count:]
            break
    if joined and kept is not words:
        return _as_symbol(joined.join(kept))
    kept = [word for word in kept if not _is_usual(word)]
    if len(kept) > 1:
        kept = [word for word in kept if word not in _MINUTES and word not in _LETTERS]
    if len(kept) == 2 and all(word.upper() in _CURRENCIES for word in kept):  # noqa: PLR2004 - a pair
        return "".join(kept).upper()
    return _as_symbol(kept[0]) if len(kept) == 1 else None


def _is_usual(word: str) -> bool:
    return word.lower() in _WORDS or _FRAME.match(word) is not None or _DATE.match(word) is not None


def _as_symbol(text: str) -> str | None:
    """Return a text as a symbol, None if it cannot be one; minutes that MetaTrader 4 appends to a pair are cut off."""
    charted = _METATRADER.match(text)
    if charted is not None and _is_pair(charted["symbol"]):
        text = charted["symbol"]
    if not _PLAUSIBLE.match(text) and " " not in text:
        return None
    return text.upper() if text.islower() else text


def _is_pair(text: str) -> bool:
    half = len("EUR")
    return text[:half].upper() in _CURRENCIES and text[half : 2 * half].upper() in _CURRENCIES
