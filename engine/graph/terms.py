"""The terms of an instrument: values that its file doesn't set, with their sources.

In this order a value is taken from: the file, the market that the file names, the market that the end of the symbol
names, the symbol itself (a pair of currencies), the data, and the usual default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from quantcrafter.engine.api import Bars, FloatColumn, Market, Problem, RunSettings, Session, Severity, Term
from quantcrafter.engine.api.market import LONG_AGO
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import QuoteSide, Spread
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.data.markets import session_of
from quantcrafter.engine.spec import InstrumentSpec
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar

_CODES = """
    USD EUR JPY GBP CHF AUD NZD CAD SEK NOK DKK PLN CZK HUF RON TRY ZAR MXN BRL INR CNY CNH HKD SGD KRW TWD THB IDR MYR
    PHP ILS XAU XAG XPT XPD BTC ETH
"""
CURRENCIES = frozenset(_CODES.split())
"""What symbols of pairs are made of."""
_METALS_AND_COINS = frozenset(["XAU", "XAG", "XPT", "XPD", "BTC", "ETH"])
_PAIR = re.compile(r"([A-Z]{3})[/_.-]?([A-Z]{3})(=X)?")
_HUNDREDTHS = frozenset({"JPY", "HUF", "KRW", "THB", "INR"})
"""Currencies in which a pip is a hundredth: a unit is worth little."""
_LONDON, _PENCE = ".L", "GBX"
_TICK, _LOT = 0.01, 1.0
_MOST_DECIMALS = 12
_ROUNDED = 1.2e-7
"""How far a price may be from a whole number of ticks, of itself: that of a number of 32 bits."""
_EXACT, _CLEAR, _LARGEST = 1e-5, 0.05, 1e13
_DIGITS = 5
_SMALL = 10.0
_NAMES = (
    "tick_size",
    "lot_size",
    "pip_size",
    "multiplier",
    "currency",
    "kind",
    "buy_duty_percent",
    "sell_duty_percent",
    "settlement",
    "trading_days",
)
_USUAL = (("multiplier", 1.0), ("settlement", "t+0"))
"""Values of a market that are those of any instrument."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an instrument without its bars: values by name, and their market.

    `session` is that of the market, None without one; `zone` is that of its times that carry none. `price_limits` says
    since which day (since 1970) prices may move by how many percent in a session.
    """

    market: Market | None = None
    session: Session | None = None
    zone: str = ""
    values: Mapping[str, Term] = field(default_factory=dict)
    price_limits: tuple[tuple[int, float], ...] = ()
    quotes: QuoteSide = "mid"

    def value(self, name: str) -> Any:
        """Return a value, or None if no source has it."""
        term = self.values.get(name)
        return None if term is None else term.value

    def texts(self) -> dict[str, dict[str, Any]]:
        """Return the values with their sources, for JSON."""
        return {name: {"value": term.value, "from": term.source} for name, term in self.values.items()}


def pair_of(symbol: str) -> tuple[str, str] | None:
    """Return the two currencies that a symbol such as EURUSD, EUR/USD or EURUSD=X names, None if it names none."""
    pair = _PAIR.fullmatch(symbol.upper())
    if pair is None or not CURRENCIES.issuperset(pair.groups()[:2]):
        return None
    return pair.group(1), pair.group(2)


def _pip_of(pair: tuple[str, str]) -> float | None:
    """Return the pip of a pair of currencies by convention; None for metals and coins, which have no common one."""
    if _METALS_AND_COINS.intersection(pair):
        return None
    return _TICK if pair[1] in _HUNDREDTHS else 0.0001


def _found_in(symbol: str, market: Market, source: str) -> dict[str, Term]:
    """Return the values that a market, the suffix of a symbol, or the symbol itself says."""
    venue, contract = market.venue(symbol), market.contract(symbol)
    pair = pair_of(symbol) if market.pairs else None
    found: dict[str, Term] = {
        name: Term(value, source)
        for name in _NAMES
        if (value := getattr(market, name)) not in (None, "") and (name, value) not in _USUAL
    }
    if venue is not None:
        found |= {} if venue.currency is None else {"currency": Term(venue.currency, "suffix")}
        if venue.currency is None:
            found.pop("currency", None)
        if venue.buy_duty_percent is not None:
            found["buy_duty_percent"] = Term(venue.buy_duty_percent, "suffix")
    if contract is not None:
        for name in ("tick_size", "multiplier", "currency"):
            found[name] = Term(getattr(contract, name), "symbol")
    if pair is not None:
        found["currency"] = Term(pair[1], "symbol")
        if (pip := _pip_of(pair)) is not None:
            found["pip_size"] = Term(pip, "symbol")
    return found


def resolve(
    instrument: InstrumentSpec, markets: Sequence[Market], run: RunSettings
) -> tuple[InstrumentSpec, Terms, list[Problem]]:
    """Return the instrument with what its market says filled in, its terms, and what is wrong with them.

    Raises:
        DataError: the market names a calendar that doesn't exist.
    """
    market, source, problems = _market_of(instrument, markets)
    if market is None:
        limits = _limits_of(instrument, None)
        values = {**_own(instrument, {}, run), **_costs_of(instrument, None, ""), **_limit_term(limits, "file")}
        return instrument, Terms(values=values, price_limits=limits), problems
    venue = market.venue(instrument.symbol)
    found = _found_in(instrument.symbol, market, source)
    found = {name: term for name, term in found.items() if not instrument.says(name)}
    if instrument.says("kind") and instrument.kind == "contract":
        # A contract on a share, such as a CFD, is no purchase of it.
        found = {name: term for name, term in found.items() if name not in ("buy_duty_percent", "sell_duty_percent")}
    currency = found.get("currency")
    if currency is not None and currency.value not in (run.currency, *run.rates):
        problems.append(_unconverted(instrument, currency.value, market, run))
        del found["currency"]
    if venue is not None and venue.suffix == _LONDON and not instrument.says("currency") and run.currency != _PENCE:
        problems.append(_perhaps_pence(instrument, run))
    filled = {name: term.value for name, term in found.items() if name != "trading_days"}
    made = replace(instrument, **filled)
    values = {"market": Term(market.name, source), **_own(made, found, run)}
    session = session_of(market, "" if venue is None else venue.calendar)
    if venue is not None and venue.calendar != market.calendar and not instrument.says("trading_days"):
        values["trading_days"] = Term(float(calendar(session.calendar).sessions_a_year()), "suffix")
    values |= _costs_of(made, market, source)
    if market.lot_varies and not instrument.says("lot_size"):
        problems.append(_lot_unknown(instrument, market))
    if made.kind == "contract" and _lacks_multiplier(instrument, market):
        problems.append(_multiplier_unknown(instrument))
    limits = _limits_of(instrument, market)
    values |= _limit_term(limits, "file" if instrument.price_limit_percent is not None else source)
    terms = Terms(market, session, market.timezone or session.timezone, values, limits, market.quotes)
    return made, terms, problems


def _costs_of(instrument: InstrumentSpec, market: Market | None, source: str) -> dict[str, Term]:
    """Return spread, funding and swap in words: as the file says, or that there is none where the market has them."""
    found: dict[str, Term] = {name: Term("none", "default") for name in (() if market is None else market.file_terms)}
    spread, swap = instrument.spread, instrument.swap
    if spread is not None:
        quotes = spread.bars or ("mid" if market is None else market.quotes)
        told = Term(f"{spread_text(spread)}, bars {quotes}", "file")
        found["spread"] = told if spread.bars or market is None else Term(told.value, f"file, {source}")
    if instrument.funding_percent:
        found["funding_percent"] = Term(instrument.funding_percent, "file")
    if instrument.expiry is not None:
        found["expiry"] = Term(instrument.expiry.isoformat(), "file")
    if swap is not None:
        text = f"{plain(swap.long)} long, {plain(swap.short)} short, in {swap.unit}, three nights on {swap.triple}"
        found["swap"] = Term(text, "file")
    return found


def spread_text(spread: Spread) -> str:
    """Return a spread as people write it: `1.2 pips`."""
    for name in ("ticks", "pips"):
        if value := getattr(spread, name):
            return f"{plain(value)} {name}"
    return plain(spread.price)


def _limits_of(instrument: InstrumentSpec, market: Market | None) -> tuple[tuple[int, float], ...]:
    """Return since which day prices may move by how many percent: as the file says, else as the market does."""
    if instrument.price_limit_percent is not None:
        return ((LONG_AGO, instrument.price_limit_percent),) if instrument.price_limit_percent else ()
    return () if market is None else market.limits_of(instrument.symbol)


def _limit_term(limits: tuple[tuple[int, float], ...], source: str) -> dict[str, Term]:
    """Return the latest limit as a value with its source; nothing where there is none."""
    return {"price_limit_percent": Term(limits[-1][1], source)} if limits else {}


def _market_of(instrument: InstrumentSpec, markets: Sequence[Market]) -> tuple[Market | None, str, list[Problem]]:
    if instrument.market:
        for market in markets:
            if market.name == instrument.market:
                return market, "market", []
        names = [market.name for market in markets]
        text = Message("There is no market '{name}'.", name=instrument.market)
        remedy = did_you_mean(instrument.market, names) or Message("Available: {names}.", names=", ".join(names))
        return None, "", [_problem(instrument, "market", "unknown_market", text, remedy, Severity.ERROR)]
    named = next((market for market in markets if market.venue(instrument.symbol) is not None), None)
    return named, "suffix", []


def _own(instrument: InstrumentSpec, found: Mapping[str, Term], run: RunSettings) -> dict[str, Term]:
    """Return the values that file, market and symbol say, and the usual ones for those that data can't tell."""
    values = dict(found)
    for name in _NAMES:
        if instrument.says(name) and getattr(instrument, name) is not None:
            values[name] = Term(getattr(instrument, name), "file")
    pair = pair_of(instrument.symbol)
    if pair is not None and (pip := _pip_of(pair)) is not None:
        values.setdefault("tick_size", Term(pip / 10, "symbol"))
    values.setdefault("currency", Term(run.currency, "account"))
    values.setdefault("kind", Term(instrument.kind, "default"))
    values.setdefault("multiplier", Term(instrument.multiplier, "default"))
    return values


def _unconverted(instrument: InstrumentSpec, currency: str, market: Market, run: RunSettings) -> Problem:
    text = Message(
        "{symbol} is priced in {currency} by its market {market}, but the account is in {account} and has no rate: "
        "each {currency} counts as one {account}.",
        symbol=instrument.symbol,
        currency=currency,
        market=market.name,
        account=run.currency,
    )
    remedy = Message(
        "Set 'currency: {currency}' under 'run', or give a rate of {currency} in 'rates' there.", currency=currency
    )
    return _problem(instrument, "symbol", "market_currency", text, remedy, Severity.WARNING)


def _perhaps_pence(instrument: InstrumentSpec, run: RunSettings) -> Problem:
    text = Message(
        "{symbol} has no 'currency', and prices of London are usually in pence: each penny counts as one {account}.",
        symbol=instrument.symbol,
        account=run.currency,
    )
    remedy = Message(
        "Set 'currency: GBX' for pence, or 'currency: GBP' for pounds, and give its rate in 'rates' under 'run' or set "
        "the account's 'currency' and 'cash' to it."
    )
    return _problem(instrument, "symbol", "market_pence", text, remedy, Severity.WARNING)


def _lot_unknown(instrument: InstrumentSpec, market: Market) -> Problem:
    text = Message(
        "Lots of {market} differ from company to company, and {symbol} has no 'lot_size': {lot:g} is assumed.",
        market=market.name,
        symbol=instrument.symbol,
        lot=market.lot_size or _LOT,
    )
    remedy = Message("Set 'lot_size' to the board lot of {symbol}.", symbol=instrument.symbol)
    return _problem(instrument, "symbol", "market_lot", text, remedy, Severity.WARNING)


def _lacks_multiplier(instrument: InstrumentSpec, market: Market) -> bool:
    """Return whether neither the file nor the market, which knows contracts, tells the multiplier."""
    known = instrument.says("multiplier") or market.multiplier != 1.0 or market.contract(instrument.symbol) is not None
    return bool(market.contracts) and not known


def _multiplier_unknown(instrument: InstrumentSpec) -> Problem:
    text = Message("The multiplier of {symbol} isn't known; 1 is used.", symbol=instrument.symbol)
    return _problem(instrument, "symbol", "market_multiplier", text, Message("Set 'multiplier'."), Severity.WARNING)


def _problem(instrument: InstrumentSpec, name: str, code: str, text: str, remedy: str, severity: Severity) -> Problem:
    at = instrument.place(name)
    path = f"{instrument.path}.{name}"
    return Problem(code, text, remedy, at.file, at.line, at.column, path, field=name, severity=severity)


def days_a_year(session: Session) -> float:
    """Return on how many days of a year a session trades by convention: 252 on weekdays only, else 365."""
    return 252.0 if set(session.weekdays) <= set(range(5)) else 365.0


# ---------------------------------------------------------------------- what the data show


_PART = 1 << 14
"""Volumes that are looked at together: they stay in the processor's cache."""


def complete(terms: Terms, bars: Bars) -> Terms:
    """Return the terms with tick and lot from the data, if file, market and symbol don't set them.

    A market's tick that prices contradict gives way to a finer one that they show. Its lot does not: volumes of stocks
    contain odd lots, and some vendors count them in lots.
    """
    values = dict(terms.values)
    if len(bars) <= 1:  # a single bar shows nothing: a session asks for its newest one at each step
        values.setdefault("tick_size", Term(_TICK, "default"))
        values.setdefault("lot_size", _usual_lot(terms))
        return replace(terms, values=values)
    tick = values.get("tick_size")
    if tick is None or (tick.source != "file" and not fits(bars, tick.value)):
        shown = tick_shown(bars)
        if shown is not None:
            values["tick_size"] = Term(shown, "data")
        elif tick is None:
            values["tick_size"] = Term(_default_tick(bars), "default")
    if "lot_size" not in values:
        shown_lot = lot_shown(bars)
        values["lot_size"] = _usual_lot(terms) if shown_lot is None else Term(shown_lot, "data")
    return replace(terms, values=values)


def _usual_lot(terms: Terms) -> Term:
    """Return the lot of an instrument if neither its market nor the volumes say one."""
    market = terms.market
    if market is None or market.fine_lot_size is None:
        return Term(_LOT, "default")
    return Term(market.fine_lot_size, terms.values["market"].source)


def tick_shown(bars: Bars) -> float | None:
    """Return the least power of ten, at most 0.01, of which all prices are multiples; None for computed prices."""
    prices = _prices(bars)
    decimals = _decimals(prices)
    return None if decimals is None else min(_TICK, 10.0**-decimals)


def lot_shown(bars: Bars) -> float | None:
    """Return the least power of ten of which all volumes are multiples; None where they are whole or computed."""
    parts = (bars.volume[start : start + _PART] for start in range(0, len(bars), _PART))
    if all((part == np.rint(part)).all() for part in parts):
        return None
    volumes = bars.volume[bars.volume > 0]
    if (volumes == np.rint(volumes)).all():  # some are missing
        return None
    decimals = _decimals(np.unique(volumes[:: max(1, len(volumes) // 20_000)]))
    return None if decimals is None or decimals > 8 else 10.0**-decimals  # noqa: PLR2004 - as exchanges count coins


def fits(bars: Bars, tick: float) -> bool:
    """Return whether prices are whole numbers of ticks, most of them and as exactly as they are given."""
    return misfits(bars, tick) == 0.0


def misfits(bars: Bars, tick: float) -> float:
    """Return the share of the prices that are no whole number of ticks."""
    prices = _prices(bars)
    return float(np.mean(np.abs(prices / tick - np.rint(prices / tick)) * tick > _tolerance(prices)))


def _default_tick(bars: Bars) -> float:
    """Return a tick for computed prices: 0.01, and less where prices are small."""
    middle = float(np.median(np.abs(bars.close)))
    if middle >= _SMALL or not middle > 0:
        return _TICK
    return float(10.0 ** (math.floor(math.log10(middle)) - _DIGITS))


def _prices(bars: Bars) -> FloatColumn:
    step = max(1, len(bars) // 20_000)
    return np.unique(np.concatenate([bars.column(name)[::step] for name in ("open", "high", "low", "close")]))


def _tolerance(prices: FloatColumn) -> FloatColumn:
    tolerance: FloatColumn = np.abs(prices) * _ROUNDED
    return tolerance


def _decimals(values: FloatColumn) -> int | None:
    """Return with how many decimals numbers are written; None where they have more than money has."""
    if not len(values):
        return None
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = np.abs(values) * 10.0**decimals
        whole = np.rint(scaled)
        largest = float(scaled.max())
        if largest >= _LARGEST:
            return None
        off, is_zero = np.abs(scaled - whole), bool(((whole == 0) & (scaled > 0)).any())
        exact = (off <= np.maximum(_EXACT, scaled * 4e-16)).all()
        single = largest * _ROUNDED < _CLEAR and (off <= scaled * _ROUNDED).all()
        if not is_zero and (exact or single):
            return decimals
    return None


def plain(number: float) -> str:
    """Return a small number as people write it, without an exponent."""
    return f"{number:.12f}".rstrip("0").rstrip(".") if 1e-12 <= abs(number) < 1 else f"{number:g}"  # noqa: PLR2004


class ShownValue(NamedTuple):
    """A value of an instrument as people read it, and its source, one of those of `Term`."""

    name: str
    value: str
    source: str


def shown_values(values: Mapping[str, Term]) -> tuple[ShownValue, ...]:
    """Return an instrument's values as they are shown to people, in order."""
    found = ((name, values[name]) for name in _WORDING if name in values)
    return tuple(
        ShownValue(name, plain(term.value) if isinstance(term.value, float | int) else str(term.value), term.source)
        for name, term in found
    )


def terms_text(values: Mapping[str, Term]) -> str:
    """Return an instrument's values with their sources as one line: `tick 0.01 (data), lot 100 (market)`."""
    return ", ".join(f"{_WORDING[each.name].format(each.value)} ({each.source})" for each in shown_values(values))


_WORDING = {
    "market": "market {}",
    "session": "{}",
    "calendar": "holidays of {}",
    "tick_size": "tick {}",
    "lot_size": "lot {}",
    "pip_size": "pip {}",
    "multiplier": "multiplier {}",
    "kind": "{}",
    "currency": "{}",
    "buy_duty_percent": "duty {} % when bought",
    "sell_duty_percent": "duty {} % when sold",
    "spread": "spread {}",
    "funding_percent": "funding {} % every eight hours",
    "swap": "swap {}",
    "expiry": "expiry {}",
    "settlement": "settlement {}",
    "price_limit_percent": "price limit {} %",
    "trading_days": "{} trading days a year",
}
