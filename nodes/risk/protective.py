"""Stop-loss and take-profit at a distance from the entry's price."""

from __future__ import annotations

from engine.api import ProtectiveKind, ProtectiveRule, RiskManager, SeriesInput, param, port


class PercentStop(RiskManager):
    """Close the position when it has lost a percentage of its entry price.

    A stop order at the entry's fill price less (for a short: plus) `percent` of it, rounded to the tick. It fills at
    its level, or at the open of a bar that begins beyond it.
    """

    name = "percent_stop"
    category = "Stop-loss"

    percent: float = param("Distance from the entry price.", unit="%", gt=0, lt=100)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=self.percent)


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

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=self.multiple, column="atr")


class PercentTarget(RiskManager):
    """Take the profit when the position has gained a percentage of its entry price.

    A limit order at the entry's fill price plus (for a short: less) `percent` of it, rounded to the tick. It fills at
    its level, or at the open of a bar that begins beyond it. In a bar that touches a stop as well, the stop counts.
    """

    name = "percent_target"
    category = "Take-profit"

    percent: float = param("Distance from the entry price.", unit="%", gt=0, le=10_000)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=self.percent)


class AtrTarget(RiskManager):
    """Take the profit when the price has moved in favour by a multiple of the average true range.

    A limit order at the entry's fill price plus (for a short: less) `multiple` times the ATR as known at the close on
    which the entry was decided, rounded to the tick. There is no entry while the ATR has no value.
    """

    name = "atr_target"
    category = "Take-profit"

    atr: SeriesInput = port("The average true range, such as a node of ta.ATR.")
    multiple: float = param("How many times the range.", default=3.0, gt=0, le=1000)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TAKE_PROFIT, multiple=self.multiple, column="atr")
