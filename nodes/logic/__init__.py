"""Arithmetic, conditions, and the position as a series."""

from quantcrafter.engine.api import Component
from quantcrafter.nodes.logic.arithmetic import Absolute, Arithmetic, Change, Constant, Lag
from quantcrafter.nodes.logic.breakouts import BreakoutOutcome
from quantcrafter.nodes.logic.calendar import CalendarDay, OpeningRange, SessionValues
from quantcrafter.nodes.logic.choice import Select, Where
from quantcrafter.nodes.logic.conditions import And, Between, Compare, CrossesAbove, CrossesBelow, Not, Or
from quantcrafter.nodes.logic.formula import Formula
from quantcrafter.nodes.logic.instruments import InstrumentIs
from quantcrafter.nodes.logic.memory import BarsSince, HighestSince, LowestSince, RollingCount
from quantcrafter.nodes.logic.notices import Assert, Notify
from quantcrafter.nodes.logic.position import AccountReading, PositionReading
from quantcrafter.nodes.logic.state import Counter, Latch, Once, Phases, ValueWhen
from quantcrafter.nodes.logic.statistics import PriceSpread, Rank, Volatility, ZScore
from quantcrafter.nodes.logic.time_of_day import TimeOfDay, Weekday
from quantcrafter.nodes.logic.universe import TopN, UniverseMean, UniversePercentile, UniverseRank, UniverseZScore

COMPONENTS: tuple[type[Component], ...] = (
    Constant,
    Arithmetic,
    Absolute,
    Lag,
    Change,
    Formula,
    Compare,
    Between,
    CrossesAbove,
    CrossesBelow,
    And,
    Or,
    Not,
    Notify,
    Assert,
    Where,
    Select,
    BarsSince,
    RollingCount,
    HighestSince,
    LowestSince,
    ValueWhen,
    Latch,
    Counter,
    Once,
    Phases,
    BreakoutOutcome,
    Rank,
    ZScore,
    Volatility,
    PriceSpread,
    TimeOfDay,
    Weekday,
    SessionValues,
    OpeningRange,
    CalendarDay,
    UniverseRank,
    TopN,
    UniversePercentile,
    UniverseZScore,
    UniverseMean,
    InstrumentIs,
    PositionReading,
    AccountReading,
)
