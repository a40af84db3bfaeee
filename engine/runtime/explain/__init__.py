"""Explanations of a run at a bar: values, firings, the path to a decision, and what prevented one."""

from quantcrafter.engine.runtime.explain.account import Position
from quantcrafter.engine.runtime.explain.census import Census, Idle, NodeCensus, take_census
from quantcrafter.engine.runtime.explain.facts import Facts, Ref
from quantcrafter.engine.runtime.explain.findings import (
    Account,
    Comparison,
    Crossing,
    Obstacle,
    Side,
    Test,
    Unexplained,
    Words,
)
from quantcrafter.engine.runtime.explain.firings import firings, next_firing, previous_firing
from quantcrafter.engine.runtime.explain.path import Path, Wire
from quantcrafter.engine.runtime.explain.values import Value, value_at, values_at
from quantcrafter.engine.runtime.explain.why import Blocked, Filled, Ordered, Way, Why, decision_bar, explain
from quantcrafter.engine.runtime.results.no_trades import why_no_trade

__all__ = [
    "Account",
    "Blocked",
    "Census",
    "Comparison",
    "Crossing",
    "Facts",
    "Filled",
    "Idle",
    "NodeCensus",
    "Obstacle",
    "Ordered",
    "Path",
    "Position",
    "Ref",
    "Side",
    "Test",
    "Unexplained",
    "Value",
    "Way",
    "Why",
    "Wire",
    "Words",
    "decision_bar",
    "explain",
    "firings",
    "next_firing",
    "previous_firing",
    "take_census",
    "value_at",
    "values_at",
    "why_no_trade",
]
