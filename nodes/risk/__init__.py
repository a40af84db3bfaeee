"""Protection of positions and of the account."""

from quantcrafter.nodes.risk.caps import EntryLimit, MaxExposure, MaxOpenTrades, MaxPosition
from quantcrafter.nodes.risk.exits import SessionEnd, TimeStop
from quantcrafter.nodes.risk.halts import CoolDown, DailyLoss, LosingStreak, MaxDrawdown
from quantcrafter.nodes.risk.partial import PartialTarget
from quantcrafter.nodes.risk.protective import (
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
from quantcrafter.nodes.risk.trailing import (
    AtrTrailingStop,
    BreakEven,
    LineTrailingStop,
    PipsTrailingStop,
    TrailingStop,
)

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
    EntryLimit,
)
