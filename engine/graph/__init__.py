"""From references to a typed, ordered plan, and its evaluation."""

from engine.graph.account import feed_of_rate
from engine.graph.bind import bind, has_errors
from engine.graph.bound import BASE_CLOCK, BoundGraph, BoundNode, MarketColumn, NodeColumn, Number
from engine.graph.evaluate import Evaluation
from engine.graph.loop import Loop
from engine.graph.plan import Decision, Plan, PlanSource, Step, StepColumn, make_plan, told_lookback

__all__ = [
    "BASE_CLOCK",
    "BoundGraph",
    "BoundNode",
    "Decision",
    "Evaluation",
    "Loop",
    "MarketColumn",
    "NodeColumn",
    "Number",
    "Plan",
    "PlanSource",
    "Step",
    "StepColumn",
    "bind",
    "feed_of_rate",
    "has_errors",
    "make_plan",
    "told_lookback",
]
