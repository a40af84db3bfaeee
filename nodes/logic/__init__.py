"""Arithmetic, conditions, and the position as a series."""

from quantcrafter.engine.api import Component
from quantcrafter.nodes.logic.arithmetic import Absolute, Arithmetic, Change, Constant, Lag
from quantcrafter.nodes.logic.calendar import CalendarDay, OpeningRange, SessionValues
from quantcrafter.nodes.logic.choice import Select, Where
from quantcrafter.nodes.logic.conditions import And, Between, Compare, CrossesAbove, CrossesBelow, Not, Or
from quantcrafter.nodes.logic.formula import Formula
from quantcrafter.nodes.logic.memory import BarsSince, HighestSince, LowestSince, RollingCount
from quantcrafter.nodes.logic.position import AccountReading, PositionReading
from quantcrafter.nodes.logic.state import Counter, Latch, Once, Phases, ValueWhen
from quantcrafter.nodes.logic.statistics import Rank, Volatility, ZScore
from quantcrafter.nodes.logic.time_of_day import TimeOfDay, Weekday

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
    Rank,
    ZScore,
    Volatility,
    TimeOfDay,
    Weekday,
    SessionValues,
    OpeningRange,
    CalendarDay,
    PositionReading,
    AccountReading,
)
