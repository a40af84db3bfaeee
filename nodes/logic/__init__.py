"""Arithmetic, conditions, and the position as a series."""

from engine.api import Component
from nodes.logic.arithmetic import Absolute, Arithmetic, Change, Constant, Lag
from nodes.logic.clock import TimeOfDay, Weekday
from nodes.logic.conditions import And, Between, Compare, CrossesAbove, CrossesBelow, Not, Or
from nodes.logic.memory import BarsSince, HighestSince, LowestSince, RollingCount
from nodes.logic.position import Account, Position
from nodes.logic.statistics import Rank, Volatility, ZScore

COMPONENTS: tuple[type[Component], ...] = (
    Constant,
    Arithmetic,
    Absolute,
    Lag,
    Change,
    Compare,
    Between,
    CrossesAbove,
    CrossesBelow,
    And,
    Or,
    Not,
    BarsSince,
    RollingCount,
    HighestSince,
    LowestSince,
    Rank,
    ZScore,
    Volatility,
    TimeOfDay,
    Weekday,
    Position,
    Account,
)
