"""Evaluation of a plan on all instruments: side by side where a node sees the universe, else one after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from quantcrafter.engine.graph.across import across, joint_moments, seeing, values_at
from quantcrafter.engine.graph.evaluate import Evaluation, Recall, StepValues, nothing_known
from quantcrafter.engine.graph.plan import Plan


def evaluate_together(
    plan: Plan,
    evaluations: Sequence[Evaluation],
    progress: Callable[[], None] = lambda: None,
    recalls: Sequence[Recall] | None = None,
) -> tuple[Evaluation, ...]:
    """Compute all steps of all instruments of a plan but those that are recalled.

    Raises:
        ComponentError: a component raised, or returned something other than columns of its declared types.
    """
    known = recalls or [nothing_known] * len(evaluations)
    if not plan.sees_universe:
        return tuple(each.run(progress, recall) for each, recall in zip(evaluations, known, strict=True))
    running = [each.computing(progress, recall) for each, recall in zip(evaluations, known, strict=True)]
    closes = [each.bars.close_ns for each in evaluations]
    moments, rows = joint_moments(closes)
    waiting = [next(each, None) for each in running]
    while (number := waiting[0]) is not None:
        step = plan.steps[number]
        given = [recall(number) for recall in known]
        values = [each[0] for each in given if each is not None]
        if len(values) < len(given):
            inputs = [each.inputs_of(number) for each in evaluations]
            tables = across(seeing(step.component), step.nodes[0], plan.members, moments, closes, inputs)
            values = [values_at(tables, row, place) for place, row in enumerate(rows)]
        waiting = [_next(each, value) for each, value in zip(running, values, strict=True)]
    return tuple(evaluations)


def _next(running: Generator[int, StepValues, None], values: StepValues) -> int | None:
    """Give an evaluation a step's values, and return the next step that it waits for; None at the end."""
    try:
        return running.send(values)
    except StopIteration:
        return None
