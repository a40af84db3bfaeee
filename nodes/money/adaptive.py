"""Sizes that follow volatility or past trades; each has a hard cap. Every result is rounded down to whole lots."""

from __future__ import annotations

from quantcrafter.engine.api import HISTORY_TRADES, MoneyManager, SeriesInput, SizeKind, SizeRule, param, port

CATEGORY_HISTORY = "By past trades"


class VolatilityTarget(MoneyManager):
    """Size the position so that its volatility is a chosen percentage of the account a year.

    Quantity = equity x percent / volatility / close of the decision bar, where the volatility is the instrument's own,
    in percent a year: less volatile instruments get more, more volatile ones less. Never more than `maximum_percent`
    of the equity. No entry while the volatility has no value or is not above zero. Source: volatility targeting;
    Harvey et al., The Impact of Volatility Targeting (2018).
    """

    name = "volatility_target"
    category = "Account"

    volatility: SeriesInput = port("Volatility in percent a year, such as a node of volatility.")
    percent: float = param(
        "The target volatility, in percent of the equity a year.", default=10.0, unit="%", gt=0, le=1000
    )
    maximum_percent: float = param(
        "The maximum position, in percent of the equity.", default=100.0, unit="%", gt=0, le=1000
    )

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.VOLATILITY_TARGET, self.percent, column="volatility", most=self.maximum_percent)


class Kelly(MoneyManager):
    """Trade the percentage of the account that Kelly's formula gives for the trades so far.

    K = W - (1 - W) / R, with W the part of winning trades and R the average gain of the winning over the average loss
    of the losing ones, both in percent of their entry value, net of costs; over the last `window` trades of all
    instruments. Quantity = equity x K x `fraction` / close. Never less than `minimum_percent` nor more than
    `maximum_percent` of the equity; `start_percent` while there are fewer than `trades` trades. Without a losing trade,
    R is infinite and K is W. Source: Kelly, A New Interpretation of Information Rate (1956); the form is Thorp's.
    """

    name = "kelly"
    category = CATEGORY_HISTORY

    fraction: float = param("Part of the formula's result that is traded: half is usual.", default=0.5, gt=0, le=1)
    minimum_percent: float = param("The minimum, in percent of the equity.", default=1.0, unit="%", ge=0, le=100)
    maximum_percent: float = param("The maximum, in percent of the equity.", default=25.0, unit="%", gt=0, le=100)
    window: int = param("How many past trades count.", default=100, unit="trades", ge=2, le=HISTORY_TRADES)
    trades: int = param("How many there must be first.", default=30, unit="trades", ge=1, le=HISTORY_TRADES)
    start_percent: float = param("Size until then, of the equity.", default=5.0, unit="%", gt=0, le=100)

    def rule(self) -> SizeRule:
        return SizeRule(
            SizeKind.KELLY,
            self.fraction,
            least=min(self.minimum_percent, self.maximum_percent),
            most=self.maximum_percent,
            window=self.window,
            trades=self.trades,
            start=min(self.start_percent, self.maximum_percent),
        )


class Martingale(MoneyManager):
    """Trade more after every losing trade, and start over after a winning one.

    Quantity = equity x percent x factor ^ n / 100 / close, with n the number of losing trades in a row on the
    instrument; a trade loses when its profit, net of costs, is below zero. With `reset_after`, n starts from 0 again
    after so many losing trades in a row, and a filter of the group reset_volume starts it over with an entry that is
    decided while it holds. Never more than `maximum_percent` of the equity. A losing streak makes positions grow
    quickly: only the cap keeps it from using the whole account.
    """

    name = "martingale"
    category = CATEGORY_HISTORY

    percent: float = param("Size of the first trade, of the equity.", default=5.0, unit="%", gt=0, le=100)
    factor: float = param("How many times as much after each loss.", default=2.0, gt=1, le=10)
    reset_after: int = param(
        "After how many losses in a row it starts over; 0 for never.", default=0, unit="trades", ge=0, le=1000
    )
    maximum_percent: float = param("The maximum, in percent of the equity.", default=40.0, unit="%", gt=0, le=100)

    def rule(self) -> SizeRule:
        return SizeRule(
            SizeKind.MARTINGALE, self.percent, factor=self.factor, most=self.maximum_percent, trades=self.reset_after
        )


class AntiMartingale(MoneyManager):
    """Trade more after every winning trade, and start over after a losing one.

    Quantity = equity x percent x factor ^ n / 100 / close, with n the number of winning trades in a row on the
    instrument; a trade wins when its profit, net of costs, is above zero. With `reset_after`, n starts from 0 again
    after so many winning trades in a row, and a filter of the group reset_volume starts it over with an entry that is
    decided while it holds. Never more than `maximum_percent` of the equity.
    """

    name = "anti_martingale"
    category = CATEGORY_HISTORY

    percent: float = param("Size of the first trade, of the equity.", default=5.0, unit="%", gt=0, le=100)
    factor: float = param("How many times as much after each gain.", default=2.0, gt=1, le=10)
    reset_after: int = param(
        "After how many gains in a row it starts over; 0 for never.", default=0, unit="trades", ge=0, le=1000
    )
    maximum_percent: float = param("The maximum, in percent of the equity.", default=40.0, unit="%", gt=0, le=100)

    def rule(self) -> SizeRule:
        return SizeRule(
            SizeKind.ANTI_MARTINGALE,
            self.percent,
            factor=self.factor,
            most=self.maximum_percent,
            trades=self.reset_after,
        )


class FixedRatio(MoneyManager):
    """Trade one more unit each time that the traded units have earned a fixed amount each.

    Quantity = units x n, n = (1 + sqrt(1 + 8 x profit / delta)) / 2 rounded down, with the profit of all closed trades
    and closed parts of open ones, net of costs; 1 while there is none. Never more than `maximum` units. Source: Jones,
    The Trading Game (1999).
    """

    name = "fixed_ratio"
    category = CATEGORY_HISTORY

    units: float = param("How many units (shares, coins, contracts) to begin with.", unit="units", gt=0, le=1e12)
    delta: float = param("Profit that each step must have earned.", unit="currency", gt=0, le=1e15)
    maximum: float = param("The maximum.", unit="units", gt=0, le=1e12)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.FIXED_RATIO, self.units, delta=self.delta, most=self.maximum)
