"""Stop-losses: orders that end a position when the price moves against it."""

from __future__ import annotations

from engine.api import ProtectiveKind, ProtectiveRule, RiskManager, SeriesInput, param, port


class PercentStop(RiskManager):
    """Close the position when the price moves a percentage against it.

    The stop lies that far below the entry price of a long position (above that of a short one), rounded to the tick.
    It fills at the stop's price, or at the open of a bar that gaps past it. Of several stop-losses the nearest works.
    """

    name = "percent_stop"
    category = "Stop-loss"

    percent: float = param("Distance from the entry price.", default=2.0, unit="%", gt=0, lt=100)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=self.percent)


class AtrStop(RiskManager):
    """Close the position when the price moves a multiple of the average true range against it.

    The distance is `multiple` x the value of `atr` on the bar that gave the signal, measured from the entry price and
    rounded to the tick; it does not move afterwards. Any series in price units will do, a standard deviation for one.
    While the series has no value, or none above zero, no entry is made.
    """

    name = "atr_stop"
    category = "Stop-loss"

    atr: SeriesInput = port("The average true range, or another measure of movement in price units.")
    multiple: float = param("How many times that value.", default=2.0, unit="x", gt=0, le=100)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=self.multiple, column="atr")
