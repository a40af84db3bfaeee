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
    PipsStop,
    PipsTarget,
    TicksStop,
    TicksTarget,
)
from nodes.risk.trailing import AtrTrailingStop, BreakEven, LineTrailingStop, PipsTrailingStop, TrailingStop

COMPONENTS = (
    PercentStop,
    AtrStop,
    TicksStop,
    PipsStop,
    CashStop,
    LineStop,
    PercentTarget,
    AtrTarget,
    TicksTarget,
    PipsTarget,
    CashTarget,
    LineTarget,
    PartialTarget,
    TrailingStop,
    AtrTrailingStop,
    PipsTrailingStop,
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
