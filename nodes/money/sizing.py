"""Size of an entry; every result is rounded down to whole lots."""

from __future__ import annotations

from quantcrafter.engine.api import MoneyManager, SizeKind, SizeRule, param


class FixedQuantity(MoneyManager):
    """Trade the same number of units every time, rounded down to whole lots."""

    name = "fixed_quantity"
    category = "Fixed"

    quantity: float = param("How many units (shares, coins, contracts).", unit="units", gt=0, le=1e12)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.QUANTITY, self.quantity)


class FixedLots(MoneyManager):
    """Trade the same number of lots every time: lots x the instrument's `lot_size`, rounded down to whole lots."""

    name = "fixed_lots"
    category = "Fixed"

    lots: float = param("How many lots.", unit="lots", gt=0, le=1e12)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.LOTS, self.lots)


class FixedCash(MoneyManager):
    """Trade for the same amount of money every time: cash / close of the decision bar, rounded down to whole lots.

    A contract counts with its whole value, close x multiplier, whatever margin it takes.
    """

    name = "fixed_cash"
    category = "Fixed"

    cash: float = param("How much money an entry is worth.", unit="currency", gt=0, le=1e15)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.CASH, self.cash)


class PercentOfEquity(MoneyManager):
    """Trade for a percentage of the account: equity x percent / 100 / close of the decision bar, in whole lots.

    Equity is cash plus open positions, marked at that close. With 100 % an opening above the close cannot be paid in
    full; `insufficient_cash` in the `run` section says whether the order is then cut or rejected.
    """

    name = "percent_of_equity"
    category = "Account"

    percent: float = param("Part of the equity.", default=95.0, unit="%", gt=0, le=100)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.EQUITY_PERCENT, self.percent)


class RiskPercent(MoneyManager):
    """Size the entry so that the stop loses a percentage of the account.

    Quantity = equity x percent / 100 / distance of the nearest stop-loss, in whole lots; equity and distance are those
    at the close of the decision bar. Needs a stop-loss among the risk managers. Costs and gaps come on top of the
    planned loss. Source: fixed fractional sizing; Vince, Portfolio Management Formulas (1990).
    """

    name = "risk_percent"
    category = "Account"

    percent: float = param("Largest loss of a stopped trade, of the equity.", default=1.0, unit="%", gt=0, le=100)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.RISK_PERCENT, self.percent)
