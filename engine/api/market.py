"""Market: values that the instruments of a market have in common, so that a strategy file doesn't need them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from quantcrafter.engine.api.bars import Session
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import Currency, InstrumentKind, LimitRounding, QuoteSide, Settlement

MOST_TICK_BANDS = 24
"""How many bands a table of ticks may have."""

LONG_AGO = -1_000_000
"""A day before all others, in days since 1970."""

MARKET_NAME = r"^[a-z][a-z0-9_]*$"
_CONFIG = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Venue(BaseModel):
    """An exchange of a market, selected by the suffix of a symbol: its calendar and the currency of its prices.

    `spellings` are regular expressions for whole symbols in capitals that also name it, such as SH600000.
    """

    model_config = _CONFIG

    suffix: Annotated[str, StringConstraints(pattern=r"^\.[A-Z]{1,3}$")]
    calendar: str = ""
    currency: Currency | None = None
    buy_duty_percent: float | None = Field(None, ge=0)
    spellings: tuple[str, ...] = ()

    def has(self, symbol: str) -> bool:
        """Return whether the suffix or the spelling of a symbol in capitals names the exchange."""
        ends = symbol.endswith(self.suffix) and len(symbol) > len(self.suffix)
        return ends or any(re.fullmatch(each, symbol) for each in self.spellings)


ExpiryRule = Literal[
    "third_friday",
    "last_friday",
    "last_business_day",
    "third_last_business_day",
    "seven_before_last_business_day",
    "tenth_business_day",
    "before_15th",
    "before_third_wednesday",
    "two_before_third_wednesday",
    "last_business_day_before_month",
    "third_business_day_before_month",
    "crude_oil",
    "micro_crude_oil",
]
"""The last day on which a contract trades, counted within its month or before it, as exchanges specify it."""


class Contract(BaseModel):
    """A futures contract, identified by the root of its symbol; without `expiry` its last day is not known.

    `calendar` names the table of its sessions where it isn't that of its market.
    """

    model_config = _CONFIG

    root: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")]
    tick_size: float = Field(gt=0)
    multiplier: float = Field(gt=0)
    currency: Currency = "USD"
    expiry: ExpiryRule | None = None
    calendar: str = ""


class PriceLimit(BaseModel):
    """How far the prices of a session may move from the last close before it, in percent: of all, or of some symbols.

    `codes` are the beginnings of the six digits in a symbol; without any it holds for all. With `suffixes` it holds on
    the exchanges of these suffixes only, `""` for symbols that name none. It holds `since` a day. Of limits for several
    beginnings of a code, those for the longest one count.
    """

    model_config = _CONFIG

    percent: float = Field(ge=0, lt=100)
    codes: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}$")], ...] = ()
    suffixes: tuple[str, ...] = ()
    since: date | None = None

    @property
    def since_day(self) -> int:
        """The day from which it holds, in days since 1970; long ago if none is given."""
        return LONG_AGO if self.since is None else (self.since - _EPOCH).days


TickTables = tuple[tuple[int, tuple[tuple[float, float], ...]], ...]
"""The versions of a table of ticks: the day (since 1970) from which on it is in force, and its bands."""


class TickTable(BaseModel):
    """Ticks that depend on the price: `bands` are the price from which on a tick holds, from 0 upwards, and the tick.

    The bound between two bands is a multiple of both ticks. Versions of a table have the same name; the one in force is
    the last one `since` a day, and before all of them the first one.
    """

    model_config = _CONFIG

    name: Annotated[str, StringConstraints(pattern=MARKET_NAME)]
    description: str = ""
    bands: tuple[tuple[float, float], ...]
    since: date | None = None

    @model_validator(mode="after")
    def _rises(self) -> TickTable:
        if not 1 <= len(self.bands) <= MOST_TICK_BANDS or self.bands[0][0] != 0.0:
            raise ValueError(
                Message("a table of ticks has 1 to {most} bands, the first from 0 on", most=MOST_TICK_BANDS)
            )
        for (low, tick), (bound, next_tick) in pairwise(self.bands):
            if not low < bound or not all(_is_multiple(bound, each) for each in (tick, next_tick)):
                raise ValueError(
                    Message("the bound {bound:g} of a band must rise and be a multiple of both ticks", bound=bound)
                )
        if any(not tick > 0.0 for _, tick in self.bands):
            raise ValueError(Message("ticks are above 0"))
        return self

    @property
    def since_day(self) -> int:
        """The day from which it is in force, in days since 1970; long ago if none is given."""
        return LONG_AGO if self.since is None else (self.since - _EPOCH).days


def _is_multiple(price: float, tick: float) -> bool:
    return tick > 0.0 and abs(price / tick - round(price / tick)) < 1e-6  # noqa: PLR2004 - of decimals


class CodeClass(BaseModel):
    """Securities of a market that have other values, told by the beginnings of the six digits in a symbol.

    Values are as in `Market`; None means that the market's holds. With `settlement_varies`, that of a security is not
    known by its code: the one of the market is used, and `validate` and `run` say so. They also say what can't be
    bought as such, `unlike` a security: an index, or a loan whose prices are interest rates. With `suffixes` a class
    holds on the exchanges of these suffixes only, `""` for symbols that name none.
    """

    model_config = _CONFIG

    description: str
    codes: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}$")], ...]
    suffixes: tuple[str, ...] = ()
    unlike: Literal["", "index", "loan"] = ""
    currency: Currency | None = None
    tick_size: float | None = Field(None, gt=0)
    lot_size: float | None = Field(None, gt=0)
    buy_duty_percent: float | None = Field(None, ge=0)
    sell_duty_percent: float | None = Field(None, ge=0)
    settlement: Settlement | None = None
    settlement_varies: bool = False

    def values(self) -> dict[str, float | str]:
        """Return the values that differ from those of the market, by their names."""
        names = ("currency", "tick_size", "lot_size", "buy_duty_percent", "sell_duty_percent", "settlement")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class Market(BaseModel):
    """The values that `market:` of an instrument sets; None means that the data or the default decides.

    `calendar` is a code of `resources/calendars.json` such as XNYS, which defines session and time zone; a market
    without one has a `session`. `timezone` is for times without a zone, by default that of the session. `trading_days`
    are the days of a year on which it trades, for annualised figures. `buy_duty_percent` and `sell_duty_percent` are
    taxes on the value of purchases and sales. With `negative_prices`, prices can be zero or less. `quotes` says which
    prices bars have where there is a spread; `settlement` from when a position can be closed, `price_limits` how far
    prices can move in a session; limits for the code of a symbol take precedence over limits for all. `limit_amounts`
    are limits as amounts: below which last close, by how much. Limits off the tick are rounded to the nearest one or
    inward. `tick_tables` are ticks that depend on the price, the coarsest table first, of which a symbol has one: that
    named `tick_table`, unless the prices contradict it, or one that they show.
    """

    model_config = _CONFIG

    name: Annotated[str, StringConstraints(pattern=MARKET_NAME)]
    description: str = ""
    calendar: str = ""
    session: Session | None = None
    timezone: str = ""
    currency: Currency | None = None
    kind: InstrumentKind = "spot"
    tick_size: float | None = Field(None, gt=0)
    lot_size: float | None = Field(None, gt=0)
    pip_size: float | None = Field(None, gt=0)
    multiplier: float = Field(1.0, gt=0)
    trading_days: float | None = Field(None, gt=0)
    buy_duty_percent: float | None = Field(None, ge=0)
    sell_duty_percent: float | None = Field(None, ge=0)
    quotes: QuoteSide = "mid"
    file_terms: tuple[Literal["spread", "funding_percent", "swap", "expiry", "price_limit_percent"], ...] = ()
    """Terms of its instruments that only the file can set; those it leaves out are reported as none."""
    fine_lot_size: float | None = Field(None, gt=0)
    """The lot where volumes show none: without it, 1. Volumes of coins can be whole numbers, as those in US dollars."""
    lot_varies: bool = False
    """Whether lots differ between its instruments, so that `lot_size` is a guess."""
    settlement: Settlement = "t+0"
    price_limits: tuple[PriceLimit, ...] = ()
    limit_amounts: tuple[tuple[float, float], ...] = ()
    limit_rounding: LimitRounding = "inward"
    tick_tables: tuple[TickTable, ...] = ()
    tick_table: str = ""
    negative_prices: bool = False
    venues: tuple[Venue, ...] = ()
    contracts: tuple[Contract, ...] = ()
    classes: tuple[CodeClass, ...] = ()
    pairs: bool = False
    """Whether its symbols are pairs of currencies: prices are then in the second one, and pips by convention."""

    @model_validator(mode="after")
    def _has_hours(self) -> Market:
        if bool(self.calendar) == (self.session is not None):
            raise ValueError(Message("a market has either a 'calendar' or a 'session'"))
        return self

    def venue(self, symbol: str) -> Venue | None:
        """Return the exchange that the spelling of a symbol names, None if it names none of this market."""
        upper = symbol.upper()
        return next((each for each in self.venues if each.has(upper)), None)

    def class_of(self, symbol: str) -> CodeClass | None:
        """Return the class of securities that the six digits in a symbol name, None if they name none."""
        found = _CODE.search(symbol)
        if found is None:
            return None
        code, suffix = found.group(), self._suffix_of(symbol)
        return next((each for each in self.classes if _holds(each, suffix) and code.startswith(each.codes)), None)

    def _suffix_of(self, symbol: str) -> str:
        venue = self.venue(symbol)
        return "" if venue is None else venue.suffix

    def limits_of(self, symbol: str) -> tuple[tuple[int, float], ...]:
        """Return since which day (since 1970) prices of a symbol may move by how many percent, in order of the days."""
        found = _CODE.search(symbol)
        code, suffix = found.group() if found else "", self._suffix_of(symbol)
        lengths = {
            n: max((len(start) for start in each.codes if code.startswith(start)), default=0)
            for n, each in enumerate(self.price_limits)
            if _holds(each, suffix)
        }
        longest = max(lengths.values(), default=0)
        chosen = [self.price_limits[n] for n, length in lengths.items() if length == longest]
        chosen = [each for each in chosen if bool(each.codes) == (longest > 0)]
        return tuple(sorted((each.since_day, each.percent) for each in chosen))

    def ticks_of(self, name: str) -> TickTables:
        """Return the versions of a table: since which day (since 1970) it is in force, and its bands."""
        versions = sorted((each for each in self.tick_tables if each.name == name), key=lambda each: each.since_day)
        return tuple((each.since_day, each.bands) for each in versions)

    def calendar_of(self, symbol: str) -> str:
        """Return the name of the calendar of a symbol's exchange or contract; '' where it is that of the market."""
        venue, contract = self.venue(symbol), self.contract(symbol)
        if venue is not None:
            return venue.calendar
        return "" if contract is None else contract.calendar

    def contract(self, symbol: str) -> Contract | None:
        """Return the contract of a symbol, None if there is none.

        Spellings of common vendors are known: ES, ESZ4, ESZ2024, ES 03-24, ES1!, ES=F, ES_F, /ES, @ES, &ES, @ESH24,
        ES.FUT, ESZ24_FUT, ES.c.0, ESc1, CME_MINI:ES1!, ESZ24.CME, ES1 Index.
        """
        text = _EXCHANGE.sub("", symbol.strip().upper())
        fitting = [each for each in self.contracts if text.startswith(each.root)]
        for each in sorted(fitting, key=lambda contract: -len(contract.root)):
            if _AFTER_ROOT.fullmatch(text[len(each.root) :]):
                return each
        return None


def _holds(rule: PriceLimit | CodeClass, suffix: str) -> bool:
    return not rule.suffixes or suffix in rule.suffixes


_EXCHANGE = re.compile(r"^(?:[A-Z][A-Z_]*:)?[/@&]?")
_AFTER_ROOT = re.compile(
    r"""
    (?: [ _-]?[FGHJKMNQUVXZ]\d{0,4}           # month and year: ESZ4, ES_Z24, ESZ2024
      | \d{1,4} | C\d{1,2}                    # continuous: ES1, ESc1
      | [ ]?(?:\d\d|\#\#)-(?:\d\d|\#\#|\d{4})   # ES 03-24, ES ##-##
    )?
    (?: ! | =F | _F | \#C? | [._-]FUT | \.[CNV]\.\d{1,2} | \.(?:CME|CBT|NYM|CMX) | :X[A-Z]{3}
      | [ ](?:INDEX|COMDTY|CURNCY)
    )?
    """,
    re.VERBOSE,
)
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Term:
    """A value of an instrument and where it came from.

    `source` is `file`, `market`, `suffix` (of the symbol), `symbol`, `data`, `guess`, `account` or `default`.
    """

    value: Any
    source: str
