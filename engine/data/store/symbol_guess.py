"""The symbol in a file's name: known formats of programs and sites first, otherwise the only remaining word.

If a name could mean several symbols, there is none, and the user must set it. Two instruments must never become one
series.
"""

from __future__ import annotations

import re
from itertools import pairwise
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
_NO_EXCHANGES = {"fx", "index", "crypto", "econ", "sp", "dj", "neo", "ice", "six", "mil"}
"""Those that a folder, or the last word of a name, may be called for another reason."""
_NEAR = 3
"""How many folders above a file may name its exchange."""
_CODED = r"M(?:[1-6]|1[025]|[2-6]0|90|120|180|240)|H(?:[1-468]|12)|D1|W1|MN1?"
"""Timeframes as MetaTrader writes them; ES_H24 is a contract of March."""
_FRAME = re.compile(rf"^(?:\d{{1,4}}(?:s|sec|m|min|h|hour|d|day|w|mo)|{_CODED}|\d{{1,2}}[SDWM])$", re.IGNORECASE)
_FRAME_AT_END = re.compile(
    rf"-(?:\d{{1,4}}(?:s|sec|m|min|h|hour|d|day|w|mo)|{_CODED}|daily|hourly|weekly|monthly|minute|intraday)"
    r"(?:-\d{4}(?:-\d{2}){0,2})?$",
    re.IGNORECASE,
)
_KINDS = {"perp": "PERP", "perpetual": "PERP", "bid": "BID", "ask": "ASK"}
"""Words that make another instrument of a symbol."""
_COINS = re.compile(r"(?:USDT|USDC|BUSD|FDUSD)$", re.IGNORECASE)
_PERPETUALS = ("perp", "perps", "perpetual", "perpetuals", "swap", "swaps", "um", "usdm", "linear", "fapi")
_FUTURES = ("future", "futures", "fut", "futs", "derivatives", "nfo", "fo", "contract", "contracts")
_DERIVED = {
    **dict.fromkeys(_PERPETUALS, "perpetual"),
    **dict.fromkeys(("cm", "coinm", "inverse", "dapi"), "coin-margined"),
    **dict.fromkeys(_FUTURES, "futures"),
    **dict.fromkeys(("option", "options", "opt"), "options"),
    **dict.fromkeys(("spot", "cash"), ""),
}
"""What kind of instrument words of folders and names tell, '' for the thing itself."""
_MARGINS = {"usdt", "usdc", "usds", "usd", "coin", "m", "margined"}
"""Words for the currency of a margin, beside those of a kind, as in USDT-Futures."""
_OTHER_PRICES = {"markpriceklines", "indexpriceklines", "premiumindexklines", "fundingrate"}
"""Folders of Binance's archive whose files are named like those of the trades, but have none."""
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
        r"^(?P<symbol>[A-Z0-9]+(?:_PERP|_\d{6})?)-(?:\d{1,2}(?:s|m|h|d|w|mo))(?:-\d{4}(?:-\d{2}){1,2})?$",  # Binance
        r"^(?P<symbol>.+?)_(?:M\d+|H\d+|Daily|Weekly|Monthly)_\d{8,12}_\d{8,12}$",  # MetaTrader 5
        r"^(?P<symbol>[A-Za-z0-9.]+)_Candlestick_(?:\d+_\w+?_(?P<kind>ASK)_)?.+$",  # Dukascopy
        r"^(?P<symbol>[a-z0-9]+)-(?:s1|m\d+|h\d+|d1|mn1)-(?:bid|(?P<kind>ask))-.+$",  # dukascopy-node
        # Barchart
        r"^(?P<symbol>[\w^$.-]+?)_(?:daily|intraday-\w+|weekly|monthly)_historical-data(?:-download)?(?:-[\d-]+)?$",
        r"^(?P<symbol>.+)\.(?:Last|(?P<kind>Bid|Ask))$",  # NinjaTrader
        r"^Quote-Equity-(?P<symbol>[\w&-]+?)-[A-Z0-9]{2}-\d.*$",  # NSE
        r"^Download Data - [A-Z]+_[A-Z]{2}_[A-Z]+_(?P<symbol>[\w.^-]+)$",  # MarketWatch
    )
)
_STOOQ = re.compile(r"^(?P<symbol>[a-z0-9^-]+)_(?P<market>us|uk|de|jp|hk|pl|hu|f|v)_(?:d|w|m|q|y|\d+)$")
_STOOQ_INDEX = re.compile(r"^(?P<symbol>\^[a-z0-9-]+)_(?:d|w|m|q|y)$")
_TRADINGVIEW = re.compile(r"^(?P<name>[^,]+), ?[0-9]*[A-Za-z0-9]+(?:_[0-9a-f]{4,6})?(?: ?\(\d+\))?$")
_METATRADER = re.compile(r"^(?P<symbol>.+?)(?P<minutes>1|5|15|30|60|240|1440|10080|43200)$")


def symbol_in(path: str) -> str | None:
    """Return the symbol in a file's name, or None if it is uncertain: `spy_1d.csv` is SPY.

    Perpetuals, bids and asks get a symbol of their own, such as BTCUSDT_PERP: a word of the name says what they are, or
    a folder such as `swap` or Binance's `futures/um`. Coins in a folder of futures are perpetuals.
    """
    name, folders = Path(path).name, [folder.lower() for folder in Path(path).parts[:-1]]
    found = _in_name(name)
    if found is None or _OTHER_PRICES & {*folders, *name.lower().split("-")}:
        return None
    if "_" in found:
        return found
    kind = "perpetual" if ("futures", "um") in pairwise(folders) else _kind_of_folders(folders)
    if kind in ("perpetual", "coin-margined") or (kind == "futures" and _COINS.search(found)):
        return found if found.upper().endswith("PERP") else f"{found}_PERP"
    return found


def kind_in(path: str) -> str:
    """Return which derivative a file's name or one of its folders says the bars are of, '' if of none."""
    words = re.split(r"[_\s,.-]+", _stem(Path(path).name).lower())
    named = [_DERIVED[word] for word in words[1:] if word in _DERIVED]
    return named[-1] if named else _kind_of_folders([folder.lower() for folder in Path(path).parts[:-1]])


def _kind_of_folders(folders: list[str]) -> str:
    """Return the kind that the nearest of the folders names that has no words but those of data."""
    for folder in reversed(folders[-_NEAR:]):
        words = [word for word in re.split(r"[_\s,.-]+", _stem(folder)) if word]
        kinds = [_DERIVED[word] for word in words if word in _DERIVED]
        if kinds and all(
            word in _DERIVED or word in _MARGINS or word in _EXCHANGES or _is_usual(word) for word in words
        ):
            return kinds[-1]
    return ""


def _in_name(name: str) -> str | None:
    stem = _stem(name)
    if stem == name:
        return None  # a file of another kind
    stem = re.sub(r" ?\(\d+\)$", "", stem).strip()  # a second download
    for pattern in _KNOWN:
        match = pattern.match(stem)
        if match is not None:
            found = None if _is_usual(match["symbol"]) else _as_symbol(match["symbol"])
            kind = match.groupdict().get("kind")
            return found if found is None or kind is None else f"{found}_{kind.upper()}"
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
    """Return the exchange or broker that a file's path names, in lower case; '' if it names none.

    It is the first words of the file's name, else the last one, else one of its folders, or a zip archive.
    """
    folders, words = Path(path).parts[:-1], re.split(r"[_\s,-]+", _stem(Path(path).name).lower())
    for count in (2, 1):
        name = "_".join(words[:count])
        if len(words) > count and name in _EXCHANGES:
            return name
    names = [words[-1]] if len(words) > 1 else []
    names += [_stem(folder).lower() for folder in reversed(folders[-_NEAR:])]
    return next((name for name in names if name in _EXCHANGES and name not in _NO_EXCHANGES), "")


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
    kinds = {_KINDS[word.lower()] for word in kept if word.lower() in _KINDS}
    futures = "futures" in (word.lower() for word in kept)
    found = _only_word(kept)
    if found is None or len(kinds) > 1:
        return None
    if futures and not kinds and _COINS.search(found):
        kinds = {"PERP"}
    return "_".join((found, *kinds))


def _only_word(words: list[str]) -> str | None:
    """Return the symbol of words of which one is neither a timeframe nor a date nor a usual word."""
    kept = [_FRAME_AT_END.sub("", word) for word in words]
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
