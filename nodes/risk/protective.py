"""Stop-loss and take-profit at a distance from the entry's price."""

from __future__ import annotations

from quantcrafter.engine.api import ProtectiveKind, ProtectiveRule, RiskManager, Scope, SeriesInput, param, port
from quantcrafter.nodes.risk.sides import SIDE_OF_LINE, SIDES, OneSide

SCOPE = (
    "What is closed, and from which price: the position from its average price, each entry by an order of its own, or "
    "the position from the price of its last entry."
)


class PercentStop(RiskManager):
    """Close the position when it has lost a percentage of its entry price.

    A stop order at the entry's fill price less (for a short: plus) `percent` of it, rounded to the tick. It fills at
    its level, or at the open of a bar that opens beyond it.
    """

    name = "percent_stop"
    category = "Stop-loss"

    percent: float = param("Distance from the entry price.", unit="%", gt=0, lt=100)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=self.percent, scope=self.scope)


class AtrStop(RiskManager):
    """Close the position when the price has moved against it by a multiple of the average true range.

    A stop order at the entry's fill price less (for a short: plus) `multiple` times the ATR as known at the close on
    which the entry was decided, rounded to the tick. There is no entry while the ATR has no value. Source: average true
    range after Wilder, New Concepts in Technical Trading Systems (1978).
    """

    name = "atr_stop"
    category = "Stop-loss"

    atr: SeriesInput = port("The average true range, such as a node of ta.ATR.")
    multiple: float = param("How many times the range.", default=2.0, gt=0, le=100)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=self.multiple, column="atr", scope=self.scope)


class PercentTarget(RiskManager):
    """Take the profit when the position has gained a percentage of its entry price.

    A limit order at the entry's fill price plus (for a short: less) `percent` of it, rounded to the tick. It fills at
    its level, or at the open of a bar that opens beyond it. In a bar that also touches a stop, the stop fills.
    """

    name = "percent_target"
    category = "Take-profit"

    percent: float = param("Distance from the entry price.", unit="%", gt=0, le=10_000)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=self.percent, scope=self.scope)


class AtrTarget(RiskManager):
    """Take the profit when the price has moved in favour by a multiple of the average true range.

    A limit order at the entry's fill price plus (for a short: less) `multiple` times the ATR as known at the close on
    which the entry was decided, rounded to the tick. There is no entry while the ATR has no value.
    """

    name = "atr_target"
    category = "Take-profit"

    atr: SeriesInput = port("The average true range, such as a node of ta.ATR.")
    multiple: float = param("How many times the range.", default=3.0, gt=0, le=1000)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TAKE_PROFIT, multiple=self.multiple, column="atr", scope=self.scope)


class TicksStop(RiskManager):
    """Close the position when the price has moved against it by a number of ticks.

    A stop order at the entry's fill price less (for a short: plus) `ticks` times the instrument's tick size.
    """

    name = "ticks_stop"
    category = "Stop-loss"

    ticks: float = param("Distance from the entry price.", unit="ticks", ge=1, le=1e9)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, ticks=self.ticks, scope=self.scope)


class PipsStop(RiskManager):
    """Close the position when the price has moved against it by a number of pips.

    A stop order at the entry's fill price less (for a short: plus) `pips` times the instrument's `pip_size`, rounded to
    the tick.
    """

    name = "pips_stop"
    category = "Stop-loss"

    pips: float = param("Distance from the entry price.", unit="pips", gt=0, le=1e9)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, pips=self.pips, scope=self.scope)


class CashStop(RiskManager):
    """Close the position when it has lost an amount of money, costs not counted.

    A stop order at the entry's fill price less (for a short: plus) `cash` / quantity of the position, rounded to the
    tick. The quantity of a contract counts times its multiplier. The amount is in the account's currency, converted at
    the entry. It has no distance before the quantity is known, so it cannot be what `risk_percent` sizes by.
    """

    name = "cash_stop"
    category = "Stop-loss"

    cash: float = param("Loss at which the position is closed.", unit="currency", gt=0, le=1e15)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, cash=self.cash, scope=self.scope)


class LineStop(RiskManager):
    """Close the position when the price comes to a line, such as the low of the last ten bars.

    A stop order at the line's value at the close on which the entry was decided, rounded to the tick; it stays there.
    There is no entry while the line has no value, or lies on the wrong side of the close: at or above it for a long
    position, at or below it for a short one. With `side`, it neither protects positions of the other side nor prevents
    their entries.
    """

    name = "line_stop"
    category = "Stop-loss"

    line: SeriesInput = port("The price of the stop-loss.")
    scope: Scope = param(SCOPE, default="position")
    side: OneSide = param(SIDE_OF_LINE, default="both")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(
            ProtectiveKind.STOP_LOSS, column="line", line=True, scope=self.scope, side=SIDES[self.side]
        )


class TicksTarget(RiskManager):
    """Take the profit when the price has moved in favour by a number of ticks.

    A limit order at the entry's fill price plus (for a short: less) `ticks` times the instrument's tick size.
    """

    name = "ticks_target"
    category = "Take-profit"

    ticks: float = param("Distance from the entry price.", unit="ticks", ge=1, le=1e9)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TAKE_PROFIT, ticks=self.ticks, scope=self.scope)


class PipsTarget(RiskManager):
    """Take the profit when the price has moved in favour by a number of pips.

    A limit order at the entry's fill price plus (for a short: less) `pips` times the instrument's `pip_size`, rounded
    to the tick.
    """

    name = "pips_target"
    category = "Take-profit"

    pips: float = param("Distance from the entry price.", unit="pips", gt=0, le=1e9)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TAKE_PROFIT, pips=self.pips, scope=self.scope)


class CashTarget(RiskManager):
    """Take the profit when the position has gained an amount of money, costs not counted.

    A limit order at the entry's fill price plus (for a short: less) `cash` / quantity of the position, rounded to the
    tick. The amount is in the account's currency, converted at the entry.
    """

    name = "cash_target"
    category = "Take-profit"

    cash: float = param("Profit at which the position is closed.", unit="currency", gt=0, le=1e15)
    scope: Scope = param(SCOPE, default="position")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TAKE_PROFIT, cash=self.cash, scope=self.scope)


class LineTarget(RiskManager):
    """Take the profit when the price comes to a line, such as a moving average or the middle of a band.

    A limit order at the line's value at the close on which the entry was decided, rounded to the tick. With `follow` it
    moves to the line's value on every close, both ways; where the line has no value it stays. There is no entry while
    the line has no value, or lies on the wrong side of the close: at or below it for a long position, at or above it
    for a short one. With `side`, it is neither for positions of the other side nor prevents their entries.
    """

    name = "line_target"
    category = "Take-profit"

    line: SeriesInput = port("The price at which to take the profit.")
    follow: bool = param("Whether the order moves with the line.", default=True)
    scope: Scope = param(SCOPE, default="position")
    side: OneSide = param(SIDE_OF_LINE, default="both")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(
            ProtectiveKind.TAKE_PROFIT,
            column="line",
            line=True,
            follow=self.follow,
            scope=self.scope,
            side=SIDES[self.side],
        )
