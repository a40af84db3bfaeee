"""Caps: how much may be held at most. Checked when an entry fills, which is cut or rejected."""

from __future__ import annotations

from typing import Literal

from quantcrafter.engine.api import GuardKind, GuardRule, RiskManager, param

CATEGORY = "Cap"


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
    """Hold no more in all instruments together than a percentage of the equity.

    Gross exposure is the value of long and short positions added up; net exposure is the value of the long ones less
    that of the short ones, its sign ignored. Checked when an entry fills, at its price, with the other positions at
    their latest prices: the entry is cut to the whole lots that are left, or rejected when there is none. Entries that
    bring the net exposure nearer to zero are allowed.
    """

    name = "max_exposure"
    category = CATEGORY

    percent: float = param("The maximum value of the positions.", unit="%", gt=0, le=10_000)
    measure: Literal["gross", "net"] = param("Longs and shorts added up, or netted.", default="gross")

    def rule(self) -> GuardRule:
        kind = GuardKind.GROSS_EXPOSURE if self.measure == "gross" else GuardKind.NET_EXPOSURE
        return GuardRule(kind, self.percent)


class MaxOpenTrades(RiskManager):
    """Hold positions in no more than a number of instruments at once.

    Checked when an entry fills: where the number is reached it is rejected, unless it adds to a position that is
    there. Entries that fill at the same moment are processed in the order of the file, or by their rank.
    """

    name = "max_open_trades"
    category = CATEGORY

    trades: int = param("How many positions at once.", unit="trades", ge=1, le=100_000)

    def rule(self) -> GuardRule:
        return GuardRule(GuardKind.OPEN_TRADES, self.trades)
