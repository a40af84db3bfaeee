"""Sizes of entries, decided on the close of the bar that gives the signal."""

from __future__ import annotations

from engine.api import MoneyManager, SizeKind, SizeRule, param


class FixedQuantity(MoneyManager):
    """Enter with the same quantity every time.

    The quantity is in units of the instrument (shares, coins), rounded down to whole lots. An entry that the account
    cannot pay for at the fill is cut or rejected, as `insufficient_cash` under `run` says.
    """

    name = "fixed_quantity"
    category = "Fixed"

    quantity: float = param("How much to trade.", unit="units", gt=0)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.QUANTITY, self.quantity)


class FixedCash(MoneyManager):
    """Enter with the same amount of money every time.

    The quantity is the amount divided by the close, rounded down to whole lots; costs come on top.
    """

    name = "fixed_cash"
    category = "Fixed"

    cash: float = param("What each entry may cost, before commission and slippage.", unit="currency", gt=0)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.CASH, self.cash)


class PercentOfEquity(MoneyManager):
    """Enter with a share of the account, so that positions grow and shrink with it.

    The quantity is equity x percent / 100 / close, both of the bar that gives the signal, rounded down to whole lots.
    With 100 percent, a gap up or costs can make the entry dearer than the cash at hand; it is then cut or rejected, as
    `insufficient_cash` under `run` says.
    """

    name = "percent_of_equity"
    category = "Share of the account"

    percent: float = param("Share of the equity for each entry.", default=100.0, unit="%", gt=0, le=100)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.EQUITY_PERCENT, self.percent)


class RiskPercent(MoneyManager):
    """Enter so that the stop-loss, when it is hit, costs a fixed share of the account.

    The quantity is equity x percent / 100 / distance of the nearest stop-loss, rounded down to whole lots: a wide stop
    gives a small position, a tight one a large position. Needs a stop-loss among the `risk` of the execution node. Gaps
    past the stop, costs and rounding make the real loss differ; a position larger than the cash at hand is cut or
    rejected, as `insufficient_cash` under `run` says.
    """

    name = "risk_percent"
    category = "Share of the account"
    formula_source = "Tharp, Trade Your Way to Financial Freedom, 1998: the percent risk model"

    percent: float = param("Share of the equity that the stop-loss may cost.", default=1.0, unit="%", gt=0, le=100)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.RISK_PERCENT, self.percent)
