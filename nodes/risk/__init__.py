"""Protection of positions and of the account."""

from nodes.risk.caps import MaxExposure, MaxOpenTrades, MaxPosition
from nodes.risk.exits import SessionEnd, TimeStop
from nodes.risk.halts import CoolDown, DailyLoss, LosingStreak, MaxDrawdown
from nodes.risk.partial import PartialTarget
from nodes.risk.protective import (
    AtrStop,
    AtrTarget,
    CashStop,
    CashTarget,
    LineStop,
    LineTarget,
    PercentStop,
    PercentTarget,
    TicksStop,
    TicksTarget,
)
from nodes.risk.trailing import AtrTrailingStop, BreakEven, LineTrailingStop, TrailingStop

COMPONENTS = (
    PercentStop,
    AtrStop,
    TicksStop,
    CashStop,
    LineStop,
    PercentTarget,
    AtrTarget,
    TicksTarget,
    CashTarget,
    LineTarget,
    PartialTarget,
    TrailingStop,
    AtrTrailingStop,
    LineTrailingStop,
    BreakEven,
    TimeStop,
    SessionEnd,
    MaxDrawdown,
    DailyLoss,
    LosingStreak,
    CoolDown,
    MaxPosition,
    MaxExposure,
    MaxOpenTrades,
)
