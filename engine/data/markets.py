"""The markets that come with QuantCrafter, which of them a symbol has, and the session of a market or its exchange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from quantcrafter.engine.api import Contract, DataError, DataRequest, Market, PriceLimit, Session, Venue
from quantcrafter.engine.api.market import CodeClass, ExpiryRule
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.data.tick_tables import EUROPE, HONG_KONG, TOKYO, TOKYO_LIMITS
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar, calendar_names

NEW_YORK_DAY = Session("America/New_York", 17 * 60, 17 * 60, (0, 1, 2, 3, 4))
"""A day of currencies: from 17:00 New York time to 17:00, Monday's from Sunday evening on."""

_EUROPE = {
    ".DE": ("XETR", "EUR"), ".F": ("XETR", "EUR"), ".PA": ("XPAR", "EUR"), ".AS": ("XAMS", "EUR"),
    ".BR": ("XBRU", "EUR"), ".LS": ("XLIS", "EUR"), ".MI": ("XMIL", "EUR"), ".MC": ("XMAD", "EUR"),
    ".VI": ("XWBO", "EUR"), ".HE": ("XHEL", "EUR"), ".IR": ("XDUB", "EUR"), ".SW": ("XSWX", "CHF"),
    ".ST": ("XSTO", "SEK"), ".CO": ("XCSE", "DKK"), ".OL": ("XOSL", "NOK"), ".L": ("XLON", None),
}  # fmt: skip
# Taxes on purchases of shares in the United Kingdom and in Ireland.
_STAMP_DUTIES = {".L": 0.5, ".IR": 1.0}
_SHANGHAI, _SHENZHEN = (".SH", ".SS"), (".SZ",)
# What a code means depends on the exchange; without one, it is what has the code more often.
_CONVERTIBLES = (
    (("110", "111", "113", "118"), (*_SHANGHAI, "")),
    (("123", "127", "128"), (*_SHENZHEN, "")),
)
_INDEXES = ((("000", "880", "930", "931", "932"), _SHANGHAI), (("399",), (*_SHENZHEN, "")), (("899",), (".BJ", "")))
_REPOS = ((("201", "202", "203", "204", "205", "206", "207"), (*_SHANGHAI, "")), (("131",), (*_SHENZHEN, "")))
_FUNDS = (
    (("50", "51", "52", "53", "55", "56", "58"), (*_SHANGHAI, "")),
    (("15", "16", "18"), _SHENZHEN),
    (("150", "159", "16", "180", "184"), ("",)),
)
_BONDS = (
    (
        ("01", "02", "09", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "23", "24", "25"),
        (*_SHANGHAI, ""),
    ),
    (("10", "11", "12", "13", "14", "19", "52"), _SHENZHEN),
)
# ChiNext (300 to 302) has twice the limit of the main board since its reform, STAR (688, 689) since it began, Beijing
# three times as much.
_CHINA = (
    PriceLimit(percent=10),
    PriceLimit(percent=10, codes=("300", "301", "302")),
    PriceLimit(percent=20, codes=("300", "301", "302"), since=date(2020, 8, 24)),
    PriceLimit(percent=20, codes=("688", "689")),
    PriceLimit(percent=30, codes=("4", "8", "920")),
    PriceLimit(percent=20, codes=("588", "589")),
    *(PriceLimit(percent=0, codes=codes, suffixes=where) for codes, where in (*_BONDS, *_REPOS, *_INDEXES)),
    *(PriceLimit(percent=10, codes=codes, suffixes=where) for codes, where in _FUNDS),
    *(
        PriceLimit(percent=percent, codes=codes, suffixes=where, since=since)
        for codes, where in _CONVERTIBLES
        for percent, since in ((0, None), (20, date(2022, 8, 1)))
    ),
)
# Funds and bonds are not subject to the stamp duty; bonds can be sold on the day on which they are bought.
_CHINESE_CLASSES = (
    *(
        CodeClass(description="index", codes=codes, suffixes=where, lot_size=1, sell_duty_percent=0, unlike="index")
        for codes, where in _INDEXES
    ),
    *(
        CodeClass(
            description="repo",
            codes=codes,
            suffixes=where,
            tick_size=0.001,
            lot_size=10,
            sell_duty_percent=0,
            unlike="loan",
        )
        for codes, where in _REPOS
    ),
    *(
        CodeClass(
            description="fund",
            codes=codes,
            suffixes=where,
            tick_size=0.001,
            sell_duty_percent=0,
            settlement_varies=True,
        )
        for codes, where in _FUNDS
    ),
    *(
        CodeClass(
            description="bond",
            codes=codes,
            suffixes=where,
            tick_size=0.001,
            lot_size=10,
            sell_duty_percent=0,
            settlement="t+0",
        )
        for codes, where in _BONDS
    ),
    CodeClass(description="B share of Shenzhen", codes=("200",), suffixes=(*_SHENZHEN, ""), currency="HKD"),
    CodeClass(
        description="B share of Shanghai", codes=("900",), suffixes=(*_SHANGHAI, ""), currency="USD", tick_size=0.001
    ),
)
# As JoinQuant, RiceQuant, Goldminer, baostock, vn.py, TradingView, EOD Historical Data and Sina write symbols. BSE is
# Beijing only with codes that Mumbai doesn't have.
_CHINESE = {
    ".SH": (r"(?:SH|SSE|SHSE|XSHG)[.:_]?\d{6}", r"\d{6}\.(?:SSE|SHSE|XSHG|SHG)"),
    ".SZ": (r"(?:SZ|SZSE|XSHE)[.:_]?\d{6}", r"\d{6}\.(?:SZSE|XSHE|SHE)"),
    ".BJ": (r"(?:BJ|BJSE)[.:_]?\d{6}", r"\d{6}\.BJSE", r"(?:BSE[.:_]?)(?:[48]\d|92)\d{4}", r"(?:[48]\d|92)\d{4}\.BSE"),
}
_HONG_KONG = (r"HK\d{4,5}", r"(?:HK|HKEX|SEHK|XHKG)[.:_]\d{1,5}", r"\d{1,5}\.(?:HKEX|SEHK|XHKG)")
# Root, tick, and what a point of one contract is worth, as the exchanges specify them.
_FUTURES = (
    ("ES", 0.25, 50), ("MES", 0.25, 5), ("NQ", 0.25, 20), ("MNQ", 0.25, 2), ("YM", 1, 5), ("MYM", 1, 0.5),
    ("RTY", 0.1, 50), ("M2K", 0.1, 5), ("CL", 0.01, 1000), ("MCL", 0.01, 100), ("NG", 0.001, 10_000),
    ("RB", 0.0001, 42_000), ("HO", 0.0001, 42_000), ("GC", 0.1, 100), ("MGC", 0.1, 10), ("SI", 0.005, 5000),
    ("HG", 0.0005, 25_000), ("PL", 0.1, 50), ("ZB", 0.03125, 1000), ("ZN", 0.015625, 1000), ("ZF", 0.0078125, 1000),
    ("ZT", 0.00390625, 2000), ("6E", 0.00005, 125_000), ("6B", 0.0001, 62_500), ("6J", 0.0000005, 12_500_000),
    ("6A", 0.00005, 100_000), ("6C", 0.00005, 100_000), ("6S", 0.00005, 125_000), ("ZC", 0.25, 50), ("ZS", 0.25, 50),
    ("ZW", 0.25, 50), ("ZL", 0.01, 600), ("ZM", 0.1, 100), ("LE", 0.025, 400), ("HE", 0.025, 400), ("BTC", 5, 5),
    ("MBT", 5, 0.1), ("UB", 0.03125, 1000), ("TN", 0.015625, 1000),
)  # fmt: skip

_RULES: tuple[tuple[ExpiryRule, str], ...] = (
    ("third_friday", "ES MES NQ MNQ YM MYM RTY M2K"),
    ("last_friday", "BTC MBT"),
    ("crude_oil", "CL"),
    ("micro_crude_oil", "MCL"),
    ("third_business_day_before_month", "NG"),
    ("last_business_day_before_month", "RB HO"),
    ("third_last_business_day", "GC MGC SI HG PL"),
    ("seven_before_last_business_day", "ZB ZN UB TN"),
    ("last_business_day", "ZF ZT LE"),
    ("two_before_third_wednesday", "6E 6B 6J 6A 6S"),
    ("before_third_wednesday", "6C"),
    ("before_15th", "ZC ZS ZW ZL ZM"),
    ("tenth_business_day", "HE"),
)
_CALENDARS = {
    root: name
    for name, roots in (
        ("CME_EQUITY", "ES MES NQ MNQ YM MYM RTY M2K"),
        ("CME_ENERGY", "CL MCL NG RB HO GC MGC SI HG PL"),
        ("CME_RATES", "ZB ZN ZF ZT UB TN"),
    )
    for root in roots.split()
}
_EXPIRIES = {root: rule for rule, roots in _RULES for root in roots.split()}

MARKETS = (
    Market(
        name="us_stocks", description="Stocks and funds of New York and Nasdaq.",
        calendar="XNYS", currency="USD", tick_size=0.01, lot_size=1, trading_days=252,
    ),
    Market(
        name="cn_stocks", description="Shares, funds and bonds of Shanghai, Shenzhen and Beijing.",
        calendar="XSHG", currency="CNY", tick_size=0.01, lot_size=100, trading_days=243,
        sell_duty_percent=0.05, settlement="t+1", price_limits=_CHINA, limit_rounding="nearest",
        classes=_CHINESE_CLASSES,
        venues=tuple(
            Venue(suffix=end, calendar="XSHG", currency="CNY", spellings=_CHINESE.get(end, ()))
            for end in (".SH", ".SS", ".SZ", ".BJ")
        ),
    ),
    Market(
        name="hk_stocks", description="Stocks of Hong Kong.",
        calendar="XHKG", currency="HKD", lot_size=100, lot_varies=True,
        trading_days=246, buy_duty_percent=0.1, sell_duty_percent=0.1, tick_tables=HONG_KONG, tick_table="hkex",
        venues=(Venue(suffix=".HK", calendar="XHKG", currency="HKD", spellings=_HONG_KONG),),
    ),
    Market(
        name="eu_stocks", description="Stocks of Europe; the exchange by the symbol's end, Xetra without one.",
        calendar="XETR", currency="EUR", lot_size=1, trading_days=254, tick_tables=EUROPE,
        venues=tuple(
            Venue(suffix=end, calendar=code, currency=money, buy_duty_percent=_STAMP_DUTIES.get(end))
            for end, (code, money) in _EUROPE.items()
        ),
    ),
    Market(
        name="in_stocks", description="Stocks of India, NSE and BSE.",
        calendar="XBOM", currency="INR", lot_size=1, trading_days=248, buy_duty_percent=0.1, sell_duty_percent=0.1,
        file_terms=("price_limit_percent",),
        venues=tuple(Venue(suffix=each, calendar="XBOM", currency="INR") for each in (".NS", ".BO")),
    ),
    Market(
        name="jp_stocks", description="Stocks of Tokyo.",
        calendar="XTKS", currency="JPY", lot_size=100, trading_days=245,
        limit_amounts=TOKYO_LIMITS, tick_tables=TOKYO, tick_table="tse_other",
        venues=(Venue(suffix=".T", calendar="XTKS", currency="JPY"),),
    ),
    Market(
        name="forex", description="Currencies against each other, held on margin; days end at 17:00 New York time.",
        session=NEW_YORK_DAY, timezone="UTC", kind="contract", lot_size=1, trading_days=252, pairs=True,
        quotes="bid", file_terms=("spread", "swap"),
    ),
    Market(
        name="crypto_spot", description="Coins, paid for in full; days end at midnight UTC.",
        session=Session(), timezone="UTC", trading_days=365, fine_lot_size=0.00001,
    ),
    Market(
        name="crypto_perpetual", description="Perpetual futures on coins, held on margin; days end at midnight UTC.",
        session=Session(), timezone="UTC", kind="contract", trading_days=365, fine_lot_size=0.00001,
        file_terms=("spread", "funding_percent"),
    ),
    Market(
        name="us_futures", description="Futures of Chicago and New York (CME Group), told by their roots.",
        calendar="CMES", currency="USD", kind="contract", lot_size=1, trading_days=252, negative_prices=True,
        file_terms=("expiry",),
        contracts=tuple(
            Contract(
                root=root, tick_size=tick, multiplier=value, expiry=_EXPIRIES.get(root),
                calendar=_CALENDARS.get(root, ""),
            )
            for root, tick, value in _FUTURES
        ),
    ),
)  # fmt: skip


def market_for(symbol: str, markets: Sequence[Market], name: str = "") -> Market | None:
    """Return the market of that name, or without one that which the end of the symbol names; None if it names none.

    Raises:
        DataError: there is no market of that name.
    """
    if not name:
        return next((market for market in markets if market.venue(symbol) is not None), None)
    found = next((market for market in markets if market.name == name), None)
    if found is not None:
        return found
    names = [market.name for market in markets]
    text = Message("There is no market '{name}'.", name=name)
    remedy = did_you_mean(name, names) or Message("Available: {names}.", names=", ".join(names))
    raise DataError(joined([text, remedy]), field="market")


def market_request(request: DataRequest, market: Market | None) -> DataRequest:
    """Return the request for bars of a market: with its session, the zone of its times, and whether prices may be 0.

    Raises:
        DataError: the market names a calendar that there is not.
    """
    if market is None:
        return request
    session = session_of(market, market.calendar_of(request.symbol))
    return replace(
        request,
        session=session,
        timezone=market.timezone or session.timezone,
        negative_prices=request.negative_prices or market.negative_prices,
    )


def session_of(market: Market, code: str = "") -> Session:
    """Return the session of a market, or of the exchange whose calendar is named.

    Raises:
        DataError: there is no such calendar.
    """
    name = code or market.calendar
    if not name:
        return market.session or Session()
    try:
        return calendar(name).session
    except KeyError as error:
        known = ", ".join(calendar_names())
        text = Message(
            "The market '{market}' names the calendar '{name}', there are {known}.",
            market=market.name,
            name=name,
            known=known,
        )
        raise DataError(text) from error
