"""Market: values that the instruments of a market have in common, so that a strategy file doesn't need them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from quantcrafter.engine.api.bars import Session
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.settings import Currency, InstrumentKind, QuoteSide, Settlement

LONG_AGO = -1_000_000
"""A day before all others, in days since 1970."""

MARKET_NAME = r"^[a-z][a-z0-9_]*$"
_CONFIG = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Venue(BaseModel):
    """An exchange of a market, selected by the suffix of a symbol: its calendar and the currency of its prices."""

    model_config = _CONFIG

    suffix: Annotated[str, StringConstraints(pattern=r"^\.[A-Z]{1,3}$")]
    calendar: str = ""
    currency: Currency | None = None
    buy_duty_percent: float | None = Field(None, ge=0)


class Contract(BaseModel):
    """A futures contract, identified by the root of its symbol."""

    model_config = _CONFIG

    root: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")]
    tick_size: float = Field(gt=0)
    multiplier: float = Field(gt=0)
    currency: Currency = "USD"


class PriceLimit(BaseModel):
    """How far the prices of a session may move from the last close before it, in percent: of all, or of some symbols.

    `codes` are the beginnings of the six digits in a symbol; without any it holds for all. It holds `since` a day.
    """

    model_config = _CONFIG

    percent: float = Field(ge=0, lt=100)
    codes: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}$")], ...] = ()
    since: date | None = None

    @property
    def since_day(self) -> int:
        """The day from which it holds, in days since 1970; long ago if none is given."""
        return LONG_AGO if self.since is None else (self.since - _EPOCH).days


class Market(BaseModel):
    """The values that `market:` of an instrument sets; None means that the data or the default decides.

    `calendar` is a code of `resources/calendars.json` such as XNYS, which defines session and time zone; a market
    without one has a `session`. `timezone` is for times without a zone, by default that of the session. `trading_days`
    are the days of a year on which it trades, for annualised figures. `buy_duty_percent` and `sell_duty_percent` are
    taxes on the value of purchases and sales. With `negative_prices`, prices can be zero or less. `quotes` says which
    prices bars have where there is a spread; `settlement` from when a position can be closed, `price_limits` how far
    prices can move in a session; limits for the code of a symbol take precedence over limits for all.
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
    file_terms: tuple[Literal["spread", "funding_percent", "swap", "expiry"], ...] = ()
    """Terms of its instruments that only the file can set; those it leaves out are reported as none."""
    fine_lot_size: float | None = Field(None, gt=0)
    """The lot where volumes show none: without it, 1. Volumes of coins can be whole numbers, as those in US dollars."""
    lot_varies: bool = False
    """Whether lots differ between its instruments, so that `lot_size` is a guess."""
    settlement: Settlement = "t+0"
    price_limits: tuple[PriceLimit, ...] = ()
    negative_prices: bool = False
    venues: tuple[Venue, ...] = ()
    contracts: tuple[Contract, ...] = ()
    pairs: bool = False
    """Whether its symbols are pairs of currencies: prices are then in the second one, and pips by convention."""

    @model_validator(mode="after")
    def _has_hours(self) -> Market:
        if bool(self.calendar) == (self.session is not None):
            raise ValueError(Message("a market has either a 'calendar' or a 'session'"))
        return self

    def venue(self, symbol: str) -> Venue | None:
        """Return the exchange that the end of a symbol names, None if it names none of this market."""
        upper = symbol.upper()
        return next(
            (each for each in self.venues if upper.endswith(each.suffix) and len(upper) > len(each.suffix)), None
        )

    def limits_of(self, symbol: str) -> tuple[tuple[int, float], ...]:
        """Return since which day (since 1970) prices of a symbol may move by how many percent, in order of the days."""
        found = _CODE.search(symbol)
        code = found.group() if found else ""
        own = [each for each in self.price_limits if each.codes and code.startswith(each.codes)]
        chosen = own or [each for each in self.price_limits if not each.codes]
        return tuple(sorted((each.since_day, each.percent) for each in chosen))

    def contract(self, symbol: str) -> Contract | None:
        """Return the contract of a symbol, None if there is none.

        Spellings of common vendors are known: ES, ESZ4, ESZ2024, ES 03-24, ES1!, ES=F, ES_F, /ES, @ES, @ESH24, ES.FUT,
        ES.c.0, ESc1, CME_MINI:ES1!, ESZ24.CME, ES1 Index.
        """
        text = _EXCHANGE.sub("", symbol.strip().upper())
        fitting = [each for each in self.contracts if text.startswith(each.root)]
        for each in sorted(fitting, key=lambda contract: -len(contract.root)):
            if _AFTER_ROOT.fullmatch(text[len(each.root) :]):
                return each
        return None


_EXCHANGE = re.compile(r"^(?:[A-Z][A-Z_]*:)?[/@]?")
_AFTER_ROOT = re.compile(
    r"""
    (?: [ _-]?[FGHJKMNQUVXZ]\d{0,4}           # month and year: ESZ4, ES_Z24, ESZ2024
      | \d{1,4} | C\d{1,2}                    # continuous: ES1, ESc1
      | [ ]?(?:\d\d|\#\#)-(?:\d\d|\#\#|\d{4})   # ES 03-24, ES ##-##
    )?
    (?: ! | =F | _F | \#C? | \.FUT | \.[CNV]\.\d{1,2} | \.(?:CME|CBT|NYM|CMX) | :X[A-Z]{3}
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
