"""The `run:` section of a strategy file: account, costs and fill rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from engine.api.ports import param

_CONFIG = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Commission(BaseModel):
    """What the broker takes for a fill: percent of its value, plus an amount a unit, plus an amount an order."""

    model_config = _CONFIG

    percent: float = param("Percent of the fill's value.", default=0.0, unit="%", ge=0, le=100)
    per_unit: float = param("Amount for each unit (share, coin).", default=0.0, unit="currency", ge=0)
    per_order: float = param("Amount for each order.", default=0.0, unit="currency", ge=0)
    minimum: float = param("The least taken for an order.", default=0.0, unit="currency", ge=0)


class Slippage(BaseModel):
    """What market and stop orders lose against the matched price; booked as a cost of its own."""

    model_config = _CONFIG

    bps: float = param("Hundredths of a percent of the price.", default=0.0, unit="bps", ge=0, le=10_000)
    ticks: float = param("Number of ticks.", default=0.0, unit="ticks", ge=0)


class FillRules(BaseModel):
    """Choices that QC-BAR-1 leaves to the file."""

    model_config = _CONFIG

    arm: Literal["entry_bar", "next_bar"] = param(
        "From when protective orders of an entry at the open work: within the same bar, or from the next.",
        default="entry_bar",
    )


class RunSettings(BaseModel):
    """How the strategy is run."""

    model_config = _CONFIG

    mode: Literal["backtest", "replay", "paper", "live"] = param("What kind of run.", default="backtest")
    engine: str = param("Which engine matches the orders.", default="native")
    cash: float = param("Starting cash.", default=100_000.0, unit="currency", gt=0)
    commission: Commission = param("The broker's charges.", default=Commission())
    slippage: Slippage = param("Loss against the matched price.", default=Slippage())
    fills: FillRules = param("Choices that the bar standard leaves open.", default=FillRules())
    insufficient_cash: Literal["reduce", "reject"] = param(
        "An entry that the account cannot pay for: cut to what it can pay, or rejected.", default="reduce"
    )
    end_of_data: Literal["leave", "close_last"] = param(
        "Positions still open at the end: left open, or closed at the last close.", default="leave"
    )
    start: datetime | date | None = param("Only bars that open at or after this time (UTC).", default=None)
    end: datetime | date | None = param("Only bars that open before this time (UTC).", default=None)
