"""Stops that move with the price: on the close, after the bar was checked, and never away from the price."""

from __future__ import annotations

from quantcrafter.engine.api import ProtectiveKind, ProtectiveRule, RiskManager, SeriesInput, param, port
from quantcrafter.nodes.risk.sides import SIDE_OF_LINE, SIDES, OneSide

CATEGORY = "Moving stop"


class TrailingStop(RiskManager):
    """Follow the price with a stop at a percentage from its best since the entry.

    From the entry on, it is like a stop-loss at that distance. On each close, after the bar was checked, the stop goes
    to highest high since the entry x (1 - percent / 100); for a short to lowest low x (1 + percent / 100). It never
    moves away from the price. It is rounded to the tick, and is active at its new price from the next bar on.
    """

    name = "trailing_stop"
    category = CATEGORY

    percent: float = param("Distance from the best price.", unit="%", gt=0, lt=100)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=self.percent)


class AtrTrailingStop(RiskManager):
    """Follow the price with a stop at a multiple of the average true range from its best since the entry.

    Works from the entry on like `atr_stop`. On each close, after the bar was checked, the stop goes to highest high
    since the entry less `multiple` times the ATR of that bar; for a short to lowest low plus as much. It never moves
    away from the price, and stays where it is while the ATR has no value. Source: the chandelier exit of Chuck LeBeau,
    as in Elder, Come Into My Trading Room (2002), counted from the entry.
    """

    name = "atr_trailing_stop"
    category = CATEGORY

    atr: SeriesInput = port("The average true range, such as a node of ta.ATR.")
    multiple: float = param("How many times the range.", default=3.0, gt=0, le=100)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TRAILING_STOP, multiple=self.multiple, column="atr")


class PipsTrailingStop(RiskManager):
    """Follow the price with a stop at a number of pips from its best since the entry.

    Works from the entry on like `pips_stop`. On each close, after the bar was checked, the stop goes to highest high
    since the entry less `pips` times the instrument's `pip_size`; for a short to lowest low plus as much. It never
    moves away from the price.
    """

    name = "pips_trailing_stop"
    category = CATEGORY

    pips: float = param("Distance from the best price.", unit="pips", gt=0, le=1e9)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TRAILING_STOP, pips=self.pips)


class LineTrailingStop(RiskManager):
    """Follow a line with a stop, such as a moving average, a channel's edge or a parabolic SAR.

    Works from the entry on like `line_stop`. On each close, after the bar was checked, the stop goes to the line's
    value of that bar, if that is nearer to the price than where it is: up for a long position, down for a short one.
    There is no entry while the line has no value, or lies on the wrong side of the close.

    A channel has a line for each side: use two nodes, the lower edge with `side: long` and the upper one with `side:
    short`. Each neither protects positions of the other side nor prevents their entries.
    """

    name = "line_trailing_stop"
    category = CATEGORY

    line: SeriesInput = port("The price of the stop-loss.")
    side: OneSide = param(SIDE_OF_LINE, default="both")

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.TRAILING_STOP, column="line", line=True, side=SIDES[self.side])


class BreakEven(RiskManager):
    """Move the stop to the entry price once the position has gained enough.

    When the best price since the entry lies `percent` beyond the entry price, the stop goes on that close to the entry
    price, or to `lock_percent` beyond it, which secures so much of the gain. A stop that is nearer to the price already
    stays. If there was no other stop, the position has one from then on. Rounded to the tick; works from the next bar
    on.
    """

    name = "break_even"
    category = CATEGORY

    percent: float = param("The gain at which the stop moves.", unit="%", gt=0, le=1000)
    lock_percent: float = param("How far beyond the entry price the stop goes.", default=0.0, unit="%", ge=0, le=1000)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.BREAK_EVEN, percent=self.percent, lock_percent=self.lock_percent)
