"""Which steps of a plan are computed two at a time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from quantcrafter.engine.api.foreign import is_own
from quantcrafter.engine.api.pairs import ComputedInPairs
from quantcrafter.engine.graph.plan import PlanStep


def partners_of(steps: Sequence[PlanStep]) -> dict[int, int]:
    """Return the number of the second step of each pair by that of the first one."""
    found: dict[int, int] = {}
    alone: dict[Hashable, int] = {}
    for number, step in enumerate(steps):
        component = step.component
        if step.in_loop or not isinstance(component, ComputedInPairs) or not is_own(component):
            continue
        key = type(component), step.clock, tuple(step.inputs.items())
        first = alone.pop(key, None)
        if first is not None and component.pairs_with(steps[first].component):
            found[first] = number
        else:
            alone[key] = number
    return found
