"""Exits by time."""

from __future__ import annotations

from quantcrafter.engine.api import GuardKind, GuardRule, RiskManager, param

CATEGORY = "Exit by time"


class TimeStop(RiskManager):
    """Close the position after it was held for a number of bars.

    The bar of the entry counts as the first. At the close of the last one, a market order is created, which fills at
    the next open.
    """

    name = "time_stop"
    category = CATEGORY

    bars: int = param("How long a position is held.", unit="bars", ge=1, le=1_000_000)

    def rule(self) -> GuardRule:
        return GuardRule(GuardKind.TIME_STOP, self.bars)


class SessionEnd(RiskManager):
    """Close the position before the trading session ends, and enter no more until the next one.

    At the close of the second-to-last bar of a session, a market order is created; it fills at the open of the last
    bar. With `minutes` it is made so much earlier: at the first close from which at most `minutes` plus the length of a
    bar are left. No entry is made from then on. The session is that of the instrument's data; with the calendar
    of an exchange, its holidays and early closes are known. In a special session on a holiday, whose end isn't known,
    no entry is made. Only for bars shorter than a day.
    """

    name = "session_end"
    category = CATEGORY

    minutes: float = param("How long before the end.", default=0.0, unit="minutes", ge=0, le=1440)

    def rule(self) -> GuardRule:
        return GuardRule(GuardKind.SESSION_END, self.minutes)
