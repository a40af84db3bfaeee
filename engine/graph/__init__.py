"""From references to a typed, ordered plan, and its evaluation."""

from quantcrafter.engine.graph.account_problems import feed_of_rate
from quantcrafter.engine.graph.bind import bind, has_errors
from quantcrafter.engine.graph.bound import (
    BASE_CLOCK,
    BoundGraph,
    BoundInstrument,
    BoundNode,
    MarketColumn,
    NodeColumn,
    Number,
)
from quantcrafter.engine.graph.evaluate import Evaluation
from quantcrafter.engine.graph.loop import Loop
from quantcrafter.engine.graph.plan import (
    Decision,
    Plan,
    PlanSource,
    PlanStep,
    StepColumn,
    declared_lookback,
    make_plan,
)
from quantcrafter.engine.graph.together import evaluate_together

__all__ = [
    "BASE_CLOCK",
    "BoundGraph",
    "BoundInstrument",
    "BoundNode",
    "Decision",
    "Evaluation",
    "Loop",
    "MarketColumn",
    "NodeColumn",
    "Number",
    "Plan",
    "PlanSource",
    "PlanStep",
    "StepColumn",
    "bind",
    "declared_lookback",
    "evaluate_together",
    "feed_of_rate",
    "has_errors",
    "make_plan",
]
