"""Explanations of a run at a bar: values, firings, the path to a decision, and what prevented one."""

from quantcrafter.engine.runtime.explain.census import Census, Idle, NodeCensus, take_census
from quantcrafter.engine.runtime.explain.findings import (
    AccountBlock,
    ComparedSides,
    Crossing,
    Obstacle,
    Side,
    Test,
    Unexplained,
    Words,
)
from quantcrafter.engine.runtime.explain.firings import firings, next_firing, previous_firing
from quantcrafter.engine.runtime.explain.held_positions import HeldPosition
from quantcrafter.engine.runtime.explain.node_values import Value, value_at, values_at
from quantcrafter.engine.runtime.explain.path import Path, Wire
from quantcrafter.engine.runtime.explain.run_facts import Facts, Ref
from quantcrafter.engine.runtime.explain.why import Blocked, FilledOrder, Ordered, Way, Why, decision_bar, explain
from quantcrafter.engine.runtime.results.no_trades import why_no_trade

__all__ = [
    "AccountBlock",
    "Blocked",
    "Census",
    "ComparedSides",
    "Crossing",
    "Facts",
    "FilledOrder",
    "HeldPosition",
    "Idle",
    "NodeCensus",
    "Obstacle",
    "Ordered",
    "Path",
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
