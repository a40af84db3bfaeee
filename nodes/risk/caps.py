"""Caps: how much may be held at most. Checked when an entry fills, which is cut or rejected."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from quantcrafter.engine.api import GuardKind, GuardRule, Message, RiskManager, param
from quantcrafter.nodes.risk.sides import SIDES, OneSide

CATEGORY = "Cap"

WITHIN = "Count separately the instruments with each value of this name, such as sector; all together if left out."
GROUP = "Only the instruments with this value of it."
_NEEDS_NAME = Message("a 'group' needs 'within', the name that it is a value of")


class MaxPosition(RiskManager):
    """Hold no more of one instrument than a cap allows.

    Checked when an entry fills, at its price: the position, what is held already included, may be worth no more than
    the cap. The entry is reduced to the whole lots that are left, or rejected if there are none. With `symbol`, the cap
    applies only to that instrument, otherwise to each one separately. A position that exceeds the cap later because of
    its price is not reduced.
    """

    name = "max_position"
    category = CATEGORY

    limit: float = param("The maximum position.", gt=0, le=1e15)
    unit: Literal["percent", "cash", "units"] = param(
        "What it is measured by: percent of the equity, an amount of money, or units of the instrument.",
        default="percent",
    )
    symbol: str = param("Only for the instrument of this name.", default="")

    def rule(self) -> GuardRule:
        return GuardRule(
            GuardKind.MAX_POSITION,
            self.limit,
            in_cash=self.unit == "cash",
            in_units=self.unit == "units",
            symbol=self.symbol,
        )


class MaxExposure(RiskManager):
    """Hold no more in all instruments together, or in each group of them, than a cap allows.

    Gross exposure is the value of long and short positions added up; net exposure is the value of the long ones less
    that of the short ones, its sign ignored. It is at most `percent` of the equity, or `cash`, an amount in the
    account's currency. Checked when an entry fills, at its price, with the other positions at their latest prices: the
    entry is cut to the whole lots that are left, or rejected when there is none. Entries that bring the net exposure
    nearer to zero are allowed.

    With `within`, the cap is that of each group of instruments, such as a sector, or with `group` that of one group.
    Positions of other groups are then neither counted nor limited.
    """

    name = "max_exposure"
    category = CATEGORY

    percent: float = param(
        "The maximum value of the positions, of the equity.", default=100.0, unit="%", gt=0, le=10_000
    )
    cash: float = param(
        "The maximum as an amount of money, instead of percent; 0 for none.",
        default=0.0,
        unit="currency",
        ge=0,
        le=1e15,
    )
    measure: Literal["gross", "net"] = param("Longs and shorts added up, or netted.", default="gross")
    within: str = param(WITHIN, default="", advanced=True)
    group: str = param(GROUP, default="", advanced=True)

    @model_validator(mode="after")
    def _is_one_cap(self) -> Self:
        if self.cash and "percent" in self.model_fields_set:
            raise ValueError(Message("a cap is given by 'percent' or by 'cash', not by both"))
        if self.group and not self.within:
            raise ValueError(_NEEDS_NAME)
        return self

    def rule(self) -> GuardRule:
        return GuardRule(
            GuardKind.GROSS_EXPOSURE if self.measure == "gross" else GuardKind.NET_EXPOSURE,
            self.cash or self.percent,
            in_cash=self.cash > 0.0,
            within=self.within,
            group=self.group,
        )


class MaxOpenTrades(RiskManager):
    """Hold positions in no more than a number of instruments at once.

    Checked when an entry fills: where the number is reached it is rejected, unless it adds to a position that is
    there. Entries that fill at the same moment are processed in the order of the file, or by their rank. With `side`,
    only long or only short positions are counted and limited. With `within`, the number is that of each group of
    instruments, such as a sector, or with `group` that of one group.
    """

    name = "max_open_trades"
    category = CATEGORY

    trades: int = param("How many positions at once.", unit="trades", ge=1, le=100_000)
    side: OneSide = param("Which positions are counted and limited.", default="both")
    within: str = param(WITHIN, default="", advanced=True)
    group: str = param(GROUP, default="", advanced=True)

    @model_validator(mode="after")
    def _group_of_something(self) -> Self:
        if self.group and not self.within:
            raise ValueError(_NEEDS_NAME)
        return self

    def rule(self) -> GuardRule:
        return GuardRule(
            GuardKind.OPEN_TRADES, self.trades, side=SIDES[self.side], within=self.within, group=self.group
        )


class EntryLimit(RiskManager):
    """Enter no more than a number of times: on a trading day, or for positions that are open.

    Entries that have filled are counted, further ones of a position included, in each instrument, or with `per:
    portfolio` in all of them together. `side` counts and limits one side alone, `symbols` a group of instruments.
    With `counted: today` they are those of the trading day of the instrument's session, with `open` those that built
    the positions that are open, such as the units of the Turtles.

    Checked at the close at which an entry is decided, and again when it fills, because several may be on their way. At
    the last close of a session the next day counts. Exits are never held back.
    """

    name = "entry_limit"
    category = CATEGORY

    entries: int = param("How many entries.", unit="entries", ge=1, le=100_000)
    counted: Literal["today", "open"] = param(
        "Which are counted: those of the trading day, or those of open positions.", default="today"
    )
    side: OneSide = param("The side whose entries are counted and limited.", default="both")
    per: Literal["instrument", "portfolio"] = param(
        "Whether each instrument is counted by itself, or all together.", default="instrument"
    )
    symbols: tuple[str, ...] = param("The instruments of a group; all if left out.", default=())

    def rule(self) -> GuardRule:
        return GuardRule(
            GuardKind.ENTRIES_TODAY if self.counted == "today" else GuardKind.OPEN_ENTRIES,
            self.entries,
            side=SIDES[self.side],
            shared=self.per == "portfolio",
            symbols=self.symbols,
        )
