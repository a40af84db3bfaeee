"""Take-profits: orders that end a position when the price has moved far enough in its favour."""

from __future__ import annotations

from engine.api import ProtectiveKind, ProtectiveRule, RiskManager, SeriesInput, param, port


class PercentTarget(RiskManager):
    """Close the position when the price moves a percentage in its favour.

    The target is a limit order that far above the entry price of a long position (below that of a short one), rounded
    to the tick. It fills at its price, or at the open when that is better. A bar that touches both the stop-loss and
    the target takes the stop-loss. Of several targets the nearest works.
    """

    name = "percent_target"
    category = "Take-profit"

    percent: float = param("Distance from the entry price.", default=4.0, unit="%", gt=0, le=10_000)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=self.percent)


class AtrTarget(RiskManager):
    """Close the position when the price moves a multiple of the average true range in its favour.

    The distance is `multiple` x the value of `atr` on the bar that gave the signal, measured from the entry price and
    rounded to the tick; it does not move afterwards. While the series has no value, or none above zero, no entry is
    made.
    """

    name = "atr_target"
    category = "Take-profit"

    atr: SeriesInput = port("The average true range, or another measure of movement in price units.")
    multiple: float = param("How many times that value.", default=4.0, unit="x", gt=0, le=100)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TAKE_PROFIT, multiple=self.multiple, column="atr")
