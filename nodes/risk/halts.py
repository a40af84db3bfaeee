"""Halts: no new trades once the account has lost too much."""

from __future__ import annotations

from typing import Literal

from quantcrafter.engine.api import GuardKind, GuardRule, HaltAction, RiskManager, param

CATEGORY = "Halt"
_ACTION = (
    "no_new_trades: no entries until the next trading day. flatten_for_the_day: close everything as well. "
    "flatten_and_halt: close everything and trade no more in this run."
)


class MaxDrawdown(RiskManager):
    """Stop trading when the account has fallen too far from its peak.

    Checked on every close, for the whole account: drawdown = (peak - equity) / peak, with the peak of all closes so
    far. At `percent` or more the action is taken; positions are closed at their next open, working entry orders are
    cancelled. When a halt ends with the next trading day, the peak is counted from there: otherwise there would never
    be another trade.
    """

    name = "max_drawdown"
    category = CATEGORY

    percent: float = param("The drawdown at which to stop.", unit="%", gt=0, lt=100)
    action: Literal["flatten_and_halt", "flatten_for_the_day", "no_new_trades"] = param(
        _ACTION, default="flatten_and_halt"
    )

    def rule(self) -> GuardRule:
        return GuardRule(GuardKind.MAX_DRAWDOWN, self.percent, HaltAction[self.action.upper()])


class DailyLoss(RiskManager):
    """Stop trading when the account has lost too much since the trading day began.

    Checked on every close, for the whole account: loss = equity at the last close of the day before - equity, in
    percent of the former. At `percent` or more the action is taken. Trading days are those of the first instrument's
    session.
    """

    name = "daily_loss"
    category = CATEGORY

    percent: float = param("The loss at which to stop.", unit="%", gt=0, lt=100)
    action: Literal["no_new_trades", "flatten_for_the_day", "flatten_and_halt"] = param(
        _ACTION, default="flatten_for_the_day"
    )

    def rule(self) -> GuardRule:
        return GuardRule(GuardKind.DAILY_LOSS, self.percent, HaltAction[self.action.upper()])


class LosingStreak(RiskManager):
    """Stop trading after a number of losing trades in a row.

    A trade loses when its profit, net of all costs, is below zero. Trades of all instruments count, in the order in
    which they end; a winning one restarts the count, and so does the end of a halt.
    """

    name = "losing_streak"
    category = CATEGORY

    trades: int = param("How many losing trades in a row.", unit="trades", ge=1, le=1000)
    action: Literal["no_new_trades", "flatten_for_the_day", "flatten_and_halt"] = param(
        _ACTION, default="no_new_trades"
    )

    def rule(self) -> GuardRule:
        return GuardRule(GuardKind.LOSING_STREAK, self.trades, HaltAction[self.action.upper()])


class CoolDown(RiskManager):
    """Enter no more on an instrument for some bars after a losing trade on it.

    A trade loses when its profit, net of all costs, is below zero. The bar in which it ended counts as the first: with
    `bars` 1 only the signal of that very bar is ignored.
    """

    name = "cool_down"
    category = CATEGORY

    bars: int = param("How long to wait.", unit="bars", ge=1, le=1_000_000)

    def rule(self) -> GuardRule:
        return GuardRule(GuardKind.COOL_DOWN, self.bars)
