"""The `run:` section of a strategy file: account, costs and fill rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import param
from quantcrafter.engine.api.schedule import Schedule

_WHOLE = 100.0
_SHORT_MAINTENANCE = 30.0
_CONFIG = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


CURRENCY_PATTERN = r"^[A-Z][A-Z0-9]{1,9}$"
Currency = Annotated[str, StringConstraints(pattern=CURRENCY_PATTERN)]
RATE_PATTERN = r"^(1/)?[A-Za-z_][A-Za-z0-9_]*$"
RateSource = Annotated[str, StringConstraints(pattern=RATE_PATTERN)]


class Commission(BaseModel):
    """The broker's commission for an order: percent of its value, plus amounts per unit, lot and order."""

    model_config = _CONFIG

    percent: float = param("Percent of the fill's value.", default=0.0, unit="%", ge=0, le=100)
    maker_percent: float | None = param(
        "Percent of the value of a limit order's fill, where it differs.", default=None, unit="%", ge=-100, le=100
    )
    per_unit: float = param("Amount for each unit (share, coin).", default=0.0, unit="currency", ge=0)
    per_lot: float = param("Amount for each lot.", default=0.0, unit="currency", ge=0)
    per_order: float = param("Amount for each order.", default=0.0, unit="currency", ge=0)
    minimum: float = param("The minimum commission per order.", default=0.0, unit="currency", ge=0)


class Slippage(BaseModel):
    """The slippage of market and stop orders against the matched price; booked as a separate cost."""

    model_config = _CONFIG

    bps: float = param("Hundredths of a percent of the price.", default=0.0, unit="bps", ge=0, le=10_000)
    ticks: float = param("Number of ticks.", default=0.0, unit="ticks", ge=0)
    range_percent: float = param("Percent of the bar's range, high less low.", default=0.0, unit="%", ge=0, le=100)
    volume_percent: float = param(
        "The maximum part of a bar's volume that orders can fill; the rest waits for the next bars. 0: no limit.",
        default=0.0,
        unit="%",
        ge=0,
        le=100,
    )


class Margin(BaseModel):
    """What part of a position's value the account must have."""

    model_config = _CONFIG

    initial_percent: float = param(
        "Percent of its value that an entry takes: 100 is no leverage, 50 is twofold.",
        default=100.0,
        unit="%",
        ge=1,
        le=100,
    )
    maintenance_percent: float | None = param(
        "Below this part of all positions' value, everything is closed at the next open. If left out: half of the "
        "initial margin, without leverage none for long positions; for short ones at most 30.",
        default=None,
        unit="%",
        ge=0,
        le=100,
    )

    @model_validator(mode="after")
    def _maintained(self) -> Margin:
        if self.maintenance > self.initial_percent:
            raise ValueError(
                f"'maintenance_percent' must not be above 'initial_percent', was {self.maintenance:g} above "
                f"{self.initial_percent:g}."
            )
        return self

    @property
    def maintenance(self) -> float:
        """The maintenance margin of long positions in percent, 0 for none."""
        if self.maintenance_percent is not None:
            return self.maintenance_percent
        return self.initial_percent / 2.0 if self.initial_percent < _WHOLE else 0.0

    @property
    def maintenance_short(self) -> float:
        """The maintenance margin of short positions in percent, 0 for none.

        The default of 30 percent is that of FINRA Rule 4210 for stocks sold short.
        """
        if self.maintenance_percent is not None:
            return self.maintenance_percent
        return min(_SHORT_MAINTENANCE, self.initial_percent / 2.0)


InstrumentKind = Literal["spot", "contract"]
"""How a position is paid for: in full, or only with margin."""

QuoteSide = Literal["bid", "mid", "ask"]
"""Which prices the bars of an instrument have: those at which it can be sold, bought, or the middle of both."""

LimitRounding = Literal["nearest", "inward"]
"""Where a price limit goes that is off the tick: to the nearest one, or to the one on its inner side."""

Settlement = Literal["t+0", "t+1"]
"""From when a position can be closed: at once, or from the session after the one in which it was entered."""


class InstrumentMargin(BaseModel):
    """The margin of positions in one instrument, if it differs from the run's margin.

    Either shares of their value or, for contracts, amounts per contract, in the currency of the prices.
    """

    model_config = _CONFIG

    initial_percent: float | None = param(
        "Percent of its value that an entry takes; that of the run if left out.",
        default=None,
        advanced=True,
        unit="%",
        gt=0,
        le=100,
    )
    maintenance_percent: float | None = param(
        "Percent of its value that a position must keep. If left out: half of the initial margin; of spot as in the "
        "run.",
        default=None,
        advanced=True,
        unit="%",
        ge=0,
        le=100,
    )
    per_contract: float | None = param(
        "Amount that an entry takes for each contract, in the currency of its prices.",
        default=None,
        advanced=True,
        unit="currency",
        gt=0,
    )
    maintenance_per_contract: float | None = param(
        "Amount that a position must keep for each contract. If left out: half of per_contract.",
        default=None,
        advanced=True,
        unit="currency",
        ge=0,
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> InstrumentMargin:
        by_amount = self.per_contract is not None or self.maintenance_per_contract is not None
        if by_amount and (self.initial_percent is not None or self.maintenance_percent is not None):
            raise ValueError("'margin' is given in percent or per contract, not in both")
        if self.maintenance_per_contract is not None:
            if self.per_contract is None:
                raise ValueError("'maintenance_per_contract' needs 'per_contract'")
            if self.maintenance_per_contract > self.per_contract:
                raise ValueError(
                    f"'maintenance_per_contract' must not be above 'per_contract', was "
                    f"{self.maintenance_per_contract:g} above {self.per_contract:g}."
                )
        return self

    @property
    def kept_per_contract(self) -> float:
        """The maintenance margin per contract, 0 without amounts."""
        if self.maintenance_per_contract is not None:
            return self.maintenance_per_contract
        return (self.per_contract or 0.0) / 2.0

    def over(self, run: Margin) -> Margin:
        """Return the run's margin with the percentages of this one; an own initial margin sets the maintenance margin.

        Raises:
            ValueError: the maintenance margin is higher than the initial margin.
        """
        initial, kept = self.initial_percent, self.maintenance_percent
        if initial is None:
            initial, kept = run.initial_percent, run.maintenance_percent if kept is None else kept
        if kept is not None and kept > initial:
            raise ValueError(
                f"'maintenance_percent' must not be above 'initial_percent', was {kept:g} above {initial:g}."
            )
        return Margin.model_construct(initial_percent=initial, maintenance_percent=kept)


class Spread(BaseModel):
    """The distance of bid and ask, and which of them the bars are.

    It is a number of ticks or pips or a difference of prices, or changes from bar to bar, as a column of the file says.
    """

    model_config = _CONFIG

    ticks: float = param("Number of ticks.", default=0.0, advanced=True, unit="ticks", ge=0)
    pips: float = param("Number of pips.", default=0.0, advanced=True, unit="pips", ge=0)
    price: float = param("Difference of prices.", default=0.0, advanced=True, ge=0)
    column: str = param("Column of the file with the spread of each bar, such as spread.", default="", advanced=True)
    unit: Literal["points", "pips", "ticks", "price"] | None = param(
        "Of the column: points (of the last decimal place of the prices, as in MetaTrader), pips, ticks, or a "
        "difference of prices.",
        default=None,
        advanced=True,
    )
    bars: QuoteSide | None = param(
        "Which prices the bars have. The default is that of the market: bid for currencies, else mid.",
        default=None,
        advanced=True,
    )

    @model_validator(mode="after")
    def _is_one(self) -> Spread:
        if sum(each > 0 for each in (self.ticks, self.pips, self.price)) > 1:
            raise ValueError("'spread' is given in ticks, pips or price, not in several of them")
        if bool(self.column) != (self.unit is not None):
            raise ValueError(Message("'column' and 'unit' of 'spread' are given together"))
        if self.column and (self.ticks or self.pips or self.price):
            raise ValueError(Message("'spread' is a number, or comes from a column, not both"))
        return self

    @property
    def in_pips(self) -> bool:
        """Whether pips are needed to know it."""
        return bool(self.pips) or self.unit == "pips"


class Funding(BaseModel):
    """Fundings of a perpetual from a file: their times, and what long positions pay to short ones."""

    model_config = _CONFIG

    file: str = param("The file with times and rates, as exchanges list them.", default="", advanced=True)
    unit: Literal["fraction", "percent"] = param(
        "Of the rates: fraction, as exchanges give them (0.0001), or percent (0.01). A percent sign counts too.",
        default="fraction",
        advanced=True,
    )


class Swap(BaseModel):
    """What positions of a contract earn at 17:00 in New York, Monday to Friday; below zero if they pay it.

    The rates are two numbers, or change from day to day, as a file says.
    """

    model_config = _CONFIG

    long: float = param("What a long position earns a night; negative if it pays.", default=0.0, advanced=True)
    short: float = param("What a short position earns a night; negative if it pays.", default=0.0, advanced=True)
    unit: Literal["pips", "ticks", "price", "percent"] = param(
        "Of both: pips, ticks or a difference of prices for each unit, or percent of the value a year of 360 days.",
        default="ticks",
        advanced=True,
    )
    file: str = param("A file with the swaps by date: date, long, short.", default="", advanced=True)
    triple: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "none"] = param(
        "The day on which three nights are due, for the weekend.", default="wednesday", advanced=True
    )

    @model_validator(mode="after")
    def _is_one(self) -> Swap:
        if self.file and (self.long or self.short):
            raise ValueError(Message("'swap' is given by 'long' and 'short' or by a 'file', not by both"))
        return self


class ContractFile(BaseModel):
    """One contract of a continuous series: its symbol, its file, and the last day on which it trades."""

    model_config = _CONFIG

    symbol: str = param("The contract, such as ESH24.", default="", advanced=True)
    path: str = param("Its file; by default the provider finds the bars by the symbol.", default="", advanced=True)
    expiry: date | None = param("The last day on which it trades.", default=None, advanced=True)

    @model_validator(mode="after")
    def _is_named(self) -> ContractFile:
        if not self.symbol and not self.path:
            raise ValueError(Message("a contract needs a 'symbol' or a 'path'"))
        return self


class RollRule(BaseModel):
    """When a continuous series changes to the next contract: at the close of a session that the rule names."""

    model_config = _CONFIG

    rule: Literal["days_before_expiry", "volume", "open_interest", "dates"] = param(
        "days_before_expiry: so many sessions before the expiry. volume, open_interest: in the session after the one "
        "in which a later contract had more. dates: on given days.",
        advanced=True,
    )
    days: int = param(
        "Of days_before_expiry: how many sessions before the expiry.", default=5, ge=0, le=250, advanced=True
    )
    dates: tuple[date, ...] = param("Of dates: the days on which it is rolled.", default=(), advanced=True)

    @model_validator(mode="after")
    def _is_consistent(self) -> RollRule:
        if (self.rule == "dates") != bool(self.dates):
            raise ValueError(Message("'dates' are the days of the rule 'dates', and of no other one"))
        if sorted(set(self.dates)) != list(self.dates):
            raise ValueError(Message("'dates' must be in order, each once"))
        return self


class Continuous(BaseModel):
    """A continuous series of futures contracts: which contracts, when it is rolled, and what columns are made from."""

    model_config = _CONFIG

    contracts: str | tuple[str | ContractFile, ...] = param(
        "The contracts: a pattern of files such as data/ES*.csv, or of symbols in the bar store; or a list of files, "
        "symbols, or symbols with path and expiry.",
        advanced=True,
    )
    roll: RollRule = param("When it is rolled.", advanced=True)
    adjust: Literal["none", "back_difference", "back_ratio"] = param(
        "What columns are computed on: real prices, or prices whose earlier contracts are moved by the differences at "
        "the rolls, or scaled by the ratios. Orders fill at real prices.",
        default="back_difference",
        advanced=True,
    )

    @model_validator(mode="after")
    def _has_contracts(self) -> Continuous:
        if not self.contracts or (isinstance(self.contracts, str) and not self.contracts.strip()):
            raise ValueError(Message("'contracts' must name at least one contract"))
        return self


class FillRules(BaseModel):
    """Fill settings that QC-BAR-1 leaves to the file."""

    model_config = _CONFIG

    arm: Literal["entry_bar", "next_bar"] = param(
        "From when protective orders of an entry at the open work: within the same bar, or from the next.",
        default="entry_bar",
    )
    close: Literal["next_bar", "auction"] = param(
        "At which close orders of nodes with `at: close` fill: that of the bar after the decision, or the very close "
        "of the decision. The latter looks ahead: an order must be sent before the close is known.",
        default="next_bar",
        advanced=True,
    )
    zero_volume: Literal["fill", "none"] = param(
        "On a bar without volume: orders fill as on any other bar, or none does and all wait for the next with volume.",
        default="fill",
    )


class Withdrawal(BaseModel):
    """What part of the profit is withdrawn from the account, before the first open of each month or quarter."""

    model_config = _CONFIG

    percent: float = param(
        "Percent of the profit that is withdrawn; 0 for nothing.", default=0.0, unit="%", ge=0, le=100
    )
    every: Literal["month", "quarter"] = param("After which period.", default="month")
    of: Literal["new_high", "period"] = param(
        "Which profit: new_high is what exceeds the equity at which any earlier period ended, less what was withdrawn; "
        "period is that of each period by itself.",
        default="new_high",
    )

    @model_validator(mode="after")
    def _has_percent(self) -> Withdrawal:
        if self.model_fields_set and "percent" not in self.model_fields_set:
            raise ValueError(Message("nothing is withdrawn without a percentage: add 'percent', such as 20"))
        return self


class RunSettings(BaseModel):
    """How the strategy is run."""

    model_config = _CONFIG

    mode: Literal["backtest", "replay", "paper", "live"] = param("What kind of run.", default="backtest")
    engine: str = param("Which engine matches the orders.", default="native")
    cash: float = param("Starting cash.", default=100_000.0, unit="currency", gt=0)
    commission: Commission = param("The broker's fees.", default=Commission())
    slippage: Slippage = param("Loss against the matched price.", default=Slippage())
    margin: Margin = param("What part of a position's value the account must have.", default=Margin())
    borrow_percent: float = param(
        "What borrowing for short positions costs, of their value a year.", default=0.0, unit="%", ge=0, le=1000
    )
    currency: Currency = param("Currency of the account.", default="USD")
    rates: dict[Currency, RateSource] = param(
        "For each other currency of an instrument the feed of its rate: units of the account's currency for one of it, "
        "such as EUR: eurusd; with 1/ before a feed that counts the other way, such as JPY: 1/usdjpy.",
        default={},
        advanced=True,
    )
    benchmark: str = param(
        "What the run is compared with: an instrument or a feed of the strategy, PROVIDER:SYMBOL such as sample:IBM, "
        "or a CSV or Parquet file.",
        default="",
    )
    risk_free: float = param(
        "Yearly return of an investment without risk. The Sharpe and Sortino ratios and alpha measure what exceeds it.",
        default=0.0,
        unit="%",
        gt=-100,
        le=1000,
    )
    fills: FillRules = param("Choices that the bar standard leaves open.", default=FillRules())
    insufficient_cash: Literal["reduce", "reject"] = param(
        "An entry that the account can't pay for: cut to what it can pay, or rejected.", default="reduce"
    )
    withdrawal: Withdrawal = param("What part of the profit is withdrawn.", default=Withdrawal())
    schedule: Schedule = param("When the strategy runs in paper and live mode.", default=Schedule(), advanced=True)
    end_of_data: Literal["leave", "close_last"] = param(
        "Positions still open at the end: left open, or closed at the last close.", default="leave"
    )
    start: datetime | date | None = param(
        "Decisions begin with the first bar that opens at or after this time (UTC). Nodes see the bars before it.",
        default=None,
    )
    end: datetime | date | None = param("Only bars that open before this time (UTC).", default=None)
