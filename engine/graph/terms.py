"""The terms of an instrument: values that its file doesn't set, with their sources.

In this order a value is taken from: the file, the market that the file names, the market that the end of the symbol
names, the symbol itself (a pair of currencies), the data, and the usual default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from quantcrafter.engine.api import Market, Problem, RunSettings, Session, Severity, Term
from quantcrafter.engine.api.currencies import conversion
from quantcrafter.engine.api.market import LONG_AGO, TickTables
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import Continuous, LimitRounding, QuoteSide, Spread
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
_TICK, LOT = 0.01, 1.0
_BY_TABLE = "by table"
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


class TickChoice(NamedTuple):
    """A table of ticks that an instrument may have: its versions, and who names it, '' if only the prices show it."""

    name: str
    versions: TickTables
    source: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an instrument without its bars: values by name, and their market.

    `session` is that of the market, None without one; `zone` is that of its times that carry none. `price_limits` says
    since which day (since 1970) prices may move by how many percent in a session; without it, `limit_amounts` by how
    much. `tick_choices` are the tables of ticks that the instrument may have, the default one first; `tick_tables` are
    the versions of the one that it has, none if all prices have the same tick. `point` is the last decimal place of the
    prices if it is known before the bars.
    """

    market: Market | None = None
    session: Session | None = None
    zone: str = ""
    values: Mapping[str, Term] = field(default_factory=dict)
    price_limits: tuple[tuple[int, float], ...] = ()
    limit_amounts: tuple[tuple[float, float], ...] = ()
    limit_rounding: LimitRounding = "inward"
    tick_choices: tuple[TickChoice, ...] = ()
    tick_tables: TickTables = ()
    quotes: QuoteSide = "mid"
    point: float | None = None

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
    if (its_class := market.class_of(symbol)) is not None:
        found |= {name: Term(value, "symbol") for name, value in its_class.values().items()}
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
        choices = _tick_choices(instrument, markets, None, "", problems)
        return instrument, Terms(values=values, price_limits=limits, tick_choices=choices), problems
    venue = market.venue(instrument.symbol)
    found = _found_in(instrument.symbol, market, source)
    found = {name: term for name, term in found.items() if not instrument.says(name)}
    if instrument.says("kind") and instrument.kind == "contract":
        # A contract on a share, such as a CFD, is no purchase of it.
        found = {name: term for name, term in found.items() if name not in ("buy_duty_percent", "sell_duty_percent")}
    currency = found.get("currency")
    if currency is not None and conversion(currency.value, run.currency, run.rates) is None:
        problems.append(_unconverted(instrument, currency.value, market, run))
        del found["currency"]
    if venue is not None and venue.suffix == _LONDON and not instrument.says("currency") and run.currency != _PENCE:
        problems.append(_perhaps_pence(instrument, run))
    filled = {name: term.value for name, term in found.items() if name != "trading_days"}
    made = replace(instrument, **filled)
    values = {"market": Term(market.name, source), **_own(made, found, run)}
    session = session_of(market, market.calendar_of(instrument.symbol))
    if venue is not None and venue.calendar != market.calendar and not instrument.says("trading_days"):
        values["trading_days"] = Term(float(calendar(session.calendar).sessions_a_year()), "suffix")
    values |= _costs_of(made, market, source)
    problems += _unknown(instrument, made, market)
    limits = _limits_of(instrument, market)
    amounts = market.limit_amounts if instrument.price_limit_percent is None else ()
    values |= _limit_term(limits, "file" if instrument.price_limit_percent is not None else source)
    if amounts:
        values["price_limit_amounts"] = Term(_BY_TABLE, source)
    terms = Terms(
        market,
        session,
        market.timezone or session.timezone,
        values,
        limits,
        amounts,
        market.limit_rounding,
        _tick_choices(instrument, markets, market, source, problems),
        quotes=market.quotes,
    )
    return made, terms, problems


def _tick_choices(
    instrument: InstrumentSpec, markets: Sequence[Market], market: Market | None, source: str, problems: list[Problem]
) -> tuple[TickChoice, ...]:
    """Return the tables of ticks that an instrument may have: that of the file, else those of its market."""
    if instrument.tick_size is not None and instrument.says("tick_size"):
        return ()
    if instrument.tick_table:
        known = {table.name: each for each in markets for table in each.tick_tables}
        owner = known.get(instrument.tick_table)
        if owner is not None:
            return (TickChoice(instrument.tick_table, owner.ticks_of(instrument.tick_table), "file"),)
        text = Message("There is no tick table '{name}'.", name=instrument.tick_table)
        remedy = did_you_mean(instrument.tick_table, known) or Message("Available: {names}.", names=", ".join(known))
        problems.append(_problem(instrument, "tick_table", "unknown_tick_table", text, remedy, Severity.ERROR))
        return ()
    if market is None:
        return ()
    names = dict.fromkeys(table.name for table in market.tick_tables)
    ordered = sorted(names, key=lambda name: name != market.tick_table)
    return tuple(
        TickChoice(name, market.ticks_of(name), source if name == market.tick_table else "") for name in ordered
    )


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
    if instrument.funding is not None and instrument.funding.file:
        found.pop("funding_percent", None)
        found["funding"] = Term(instrument.funding.file, "file")
    if instrument.expiry is not None:
        found["expiry"] = Term(instrument.expiry.isoformat(), "file")
    if instrument.continuous is not None:
        found.pop("expiry", None)
        found["continuous"] = Term(series_text(instrument.continuous), "file")
    if swap is not None:
        rates = swap.file or f"{plain(swap.long)} long, {plain(swap.short)} short"
        text = f"{rates}, in {swap.unit}, three nights on {swap.triple}"
        found["swap"] = Term(text, "file")
    return found


def series_text(series: Continuous) -> str:
    """Return how a continuous series is made: `data/ES*.csv, rolled 5 days_before_expiry, back_difference`."""
    contracts = series.contracts if isinstance(series.contracts, str) else f"{len(series.contracts)} contracts"
    rule = series.roll
    when = f"{rule.days} {rule.rule}" if rule.rule == "days_before_expiry" else rule.rule
    return f"{contracts}, rolled {when}, {series.adjust}"


def spread_text(spread: Spread) -> str:
    """Return a spread as people write it: `1.2 pips`."""
    if spread.column:
        return f"column {spread.column} in {spread.unit}"
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
        "Set 'quote_unit: pence' or 'quote_unit: pounds', and 'currency: GBP' under 'run' or a rate of GBP in 'rates' "
        "there."
    )
    return _problem(instrument, "symbol", "market_pence", text, remedy, Severity.WARNING)


def _unknown(instrument: InstrumentSpec, made: InstrumentSpec, market: Market) -> list[Problem]:
    """Return what neither the file nor the market says of an instrument, and what is assumed."""
    problems = []
    its_class = market.class_of(instrument.symbol)
    if its_class is not None and its_class.settlement_varies and not instrument.says("settlement"):
        problems.append(_settlement_unknown(instrument, made.settlement))
    if its_class is not None and its_class.unlike:
        problems.append(_untradable(instrument, its_class.unlike))
    if market.lot_varies and not instrument.says("lot_size"):
        problems.append(_lot_unknown(instrument, market))
    if "price_limit_percent" in market.file_terms and instrument.price_limit_percent is None:
        problems.append(_limit_unknown(instrument, market))
    if made.kind == "contract" and _lacks_multiplier(instrument, market):
        problems.append(_multiplier_unknown(instrument))
    return problems


def _lot_unknown(instrument: InstrumentSpec, market: Market) -> Problem:
    text = Message(
        "Lots of {market} differ from company to company, and {symbol} has no 'lot_size': {lot:g} is assumed.",
        market=market.name,
        symbol=instrument.symbol,
        lot=market.lot_size or LOT,
    )
    remedy = Message("Set 'lot_size' to the board lot of {symbol}.", symbol=instrument.symbol)
    return _problem(instrument, "symbol", "market_lot", text, remedy, Severity.WARNING)


def _settlement_unknown(instrument: InstrumentSpec, assumed: str) -> Problem:
    text = Message(
        "{symbol} is a fund by its code: no stamp duty is charged, and 'settlement: {assumed}' is assumed, "
        "which differs from fund to fund.",
        symbol=instrument.symbol,
        assumed=assumed,
    )
    remedy = Message(
        "Set 'settlement: t+0' for funds of bonds, gold, money or foreign shares, 'settlement: t+1' for others. Funds "
        "with limits of 20 % also need 'price_limit_percent: 20'."
    )
    return _problem(instrument, "symbol", "market_settlement", text, remedy, Severity.WARNING)


def _untradable(instrument: InstrumentSpec, what: str) -> Problem:
    text = Message("{symbol} is an index by its code, which can't be bought itself.", symbol=instrument.symbol)
    remedy = Message("Trade a fund or a future on it: they have costs and rules of their own.")
    if what == "loan":
        text = Message(
            "{symbol} is a repo by its code: its prices are interest rates, and the difference of two is no profit.",
            symbol=instrument.symbol,
        )
        remedy = Message("Use it as a feed, such as for a risk-free rate, and trade something else.")
    return _problem(instrument, "symbol", "market_untradable", text, remedy, Severity.WARNING)


def _limit_unknown(instrument: InstrumentSpec, market: Market) -> Problem:
    text = Message(
        "Price bands of {market} differ from company to company, and {symbol} has no 'price_limit_percent': orders "
        "also fill at a locked limit.",
        market=market.name,
        symbol=instrument.symbol,
    )
    remedy = Message(
        "Set 'price_limit_percent' to the band of {symbol}, such as 20, or to 0.", symbol=instrument.symbol
    )
    return _problem(instrument, "symbol", "market_price_limit", text, remedy, Severity.WARNING)


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
    return ", ".join(f"{_worded(each)} ({each.source})" for each in shown_values(values))


def _worded(shown: ShownValue) -> str:
    """Return a value in words; a text instead of a number has no unit."""
    wording = _WORDING[shown.name]
    if shown.value == "none":
        wording = wording[: wording.index("{}") + 2]
    return wording.format(shown.value)


_WORDING = {
    "market": "market {}",
    "session": "{}",
    "calendar": "holidays of {}",
    "tick_size": "tick {}",
    "tick_table": "tick table {}",
    "lot_size": "lot {}",
    "pip_size": "pip {}",
    "multiplier": "multiplier {}",
    "kind": "{}",
    "currency": "{}",
    "buy_duty_percent": "duty {} % when bought",
    "sell_duty_percent": "duty {} % when sold",
    "spread": "spread {}",
    "funding_percent": "funding {} % every eight hours",
    "funding": "funding {}",
    "swap": "swap {}",
    "expiry": "expiry {}",
    "continuous": "continuous {}",
    "settlement": "settlement {}",
    "price_limit_percent": "price limit {} %",
    "price_limit_amounts": "price limit {}",
    "trading_days": "{} trading days a year",
}
