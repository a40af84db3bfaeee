"""The `run:` section of a strategy file: account, costs and fill rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from quantcrafter.engine.api.ports import param

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
    """The distance of bid and ask: in ticks, pips or as a difference of prices, and which of them the bars are."""

    model_config = _CONFIG

    ticks: float = param("Number of ticks.", default=0.0, advanced=True, unit="ticks", ge=0)
    pips: float = param("Number of pips.", default=0.0, advanced=True, unit="pips", ge=0)
    price: float = param("Difference of prices.", default=0.0, advanced=True, ge=0)
    bars: QuoteSide | None = param(
        "Which prices the bars have. The default is that of the market: bid for currencies, else mid.",
        default=None,
        advanced=True,
    )

    @model_validator(mode="after")
    def _is_one(self) -> Spread:
        if sum(each > 0 for each in (self.ticks, self.pips, self.price)) > 1:
            raise ValueError("'spread' is given in ticks, pips or price, not in several of them")
        return self


class Swap(BaseModel):
    """What positions of a contract earn at 17:00 in New York, Monday to Friday; below zero if they pay it."""

    model_config = _CONFIG

    long: float = param("What a long position earns a night; negative if it pays.", default=0.0, advanced=True)
    short: float = param("What a short position earns a night; negative if it pays.", default=0.0, advanced=True)
    unit: Literal["pips", "ticks", "price", "percent"] = param(
        "Of both: pips, ticks or a difference of prices for each unit, or percent of the value a year of 360 days.",
        default="ticks",
        advanced=True,
    )
    triple: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "none"] = param(
        "The day on which three nights are due, for the weekend.", default="wednesday", advanced=True
    )


class FillRules(BaseModel):
    """Fill settings that QC-BAR-1 leaves to the file."""

    model_config = _CONFIG

    arm: Literal["entry_bar", "next_bar"] = param(
        "From when protective orders of an entry at the open work: within the same bar, or from the next.",
        default="entry_bar",
    )
    zero_volume: Literal["fill", "none"] = param(
        "On a bar without volume: orders fill as on any other bar, or none does and all wait for the next with volume.",
        default="fill",
    )


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
    end_of_data: Literal["leave", "close_last"] = param(
        "Positions still open at the end: left open, or closed at the last close.", default="leave"
    )
    start: datetime | date | None = param(
        "Decisions begin with the first bar that opens at or after this time (UTC). Nodes see the bars before it.",
        default=None,
    )
    end: datetime | date | None = param("Only bars that open before this time (UTC).", default=None)
