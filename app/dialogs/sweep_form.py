"""The input of a sweep: the parameters to vary and their values. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import Edit, SetValues, Unset
from quantcrafter.app.document.view import Scope
from quantcrafter.app.inspector.fields import Field, FieldKind
from quantcrafter.app.inspector.subjects import node_form
from quantcrafter.engine.runtime.research.sweep import Axis

NUMBERS = (FieldKind.INTEGER, FieldKind.NUMBER)
WANTED_VALUES = 9
MOST_CELLS = 2_500


@dataclass(frozen=True)
class Variable:
    """A number of a node that can be varied: its location in the file, and what it is now (None where unknown)."""

    node: str
    field: str
    path: str
    whole: bool
    now: float | None
    low: float = -math.inf
    high: float = math.inf

    @property
    def title(self) -> str:
        """How it is listed."""
        return f"{self.node}.{self.field}"

    def written(self, value: float) -> float | int:
        """Return a value as the file has it."""
        return round(value) if self.whole else value


@dataclass(frozen=True)
class ValueRange:
    """Values from a first to a last one, both included where the steps meet it."""

    first: float
    last: float
    step: float

    def values(self, variable: Variable) -> tuple[float | int, ...]:
        """Return the values, rounded to what people would write."""
        if not (self.step > 0 and self.last >= self.first):
            return ()
        count = math.floor((self.last - self.first) / self.step + 1e-9) + 1
        places = max(0, 6 - math.floor(math.log10(self.step)))
        found = (round(self.first + number * self.step, places) for number in range(min(count, MOST_CELLS + 1)))
        return tuple(dict.fromkeys(variable.written(value) for value in found))


def variables(document: Document, scope: Scope = ()) -> tuple[Variable, ...]:
    """Return the numbers of the nodes at one level that can be varied, in file order."""
    return tuple(found for node in document.graph(scope).nodes for found in _of_node(document, node, scope))


def variable(document: Document, node: str, field: str, scope: Scope = ()) -> Variable | None:
    """Return one number of a node; None if it cannot be varied."""
    return next((each for each in variables(document, scope) if (each.node, each.field) == (node, field)), None)


def _of_node(document: Document, node: str, scope: Scope) -> Iterator[Variable]:
    view = document.graph(scope).nodes[node]
    if view.role is None or not view.known:
        return
    form = node_form(document, (node,), scope)
    for field in form.fields:
        value = form.value(field)
        number = _number(field.default if isinstance(value, Unset) else value)
        if field.kind in NUMBERS or (field.is_port and field.numbers and number is not None):
            yield _variable(field, node, (*scope, view.role.value, node, *field.path), number)


def _variable(field: Field, node: str, path: tuple[str, ...], now: float | None) -> Variable:
    return Variable(
        node=node,
        field=".".join(field.path),
        path=".".join(path),
        whole=field.kind is FieldKind.INTEGER,
        now=now,
        low=-math.inf if field.low is None else field.low,
        high=math.inf if field.high is None else field.high,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


LEAST_WHOLE_REACH = 4.0


def suggested(variable: Variable) -> ValueRange:
    """Return values around the present one: from half of it to one and a half, in round steps.

    A small whole number, such as a period of 2, has no half to speak of: some whole numbers next to it are tried.
    """
    now = variable.now if variable.now is not None else 10.0
    reach = max(abs(now) / 2 or 1.0, LEAST_WHOLE_REACH if variable.whole else 0.0)
    step = _round_step(2 * reach / (WANTED_VALUES - 1), whole=variable.whole)
    first = _within(now - step * math.floor(reach / step), variable)
    last = _within(now + step * math.floor(reach / step), variable)
    return ValueRange(first, max(first, last), step)


def _within(value: float, variable: Variable) -> float:
    return round(min(max(value, variable.low), variable.high), 10)


def _round_step(step: float, *, whole: bool) -> float:
    """Return 1, 2 or 5 times a power of ten near a step; at least 1 for whole numbers."""
    power = 10.0 ** math.floor(math.log10(step))
    near = min((1.0, 2.0, 5.0, 10.0), key=lambda factor: abs(factor * power - step)) * power
    return max(1.0, round(near)) if whole else round(near, 12)


def axes_of(chosen: tuple[tuple[Variable, ValueRange], ...]) -> tuple[Axis, ...]:
    """Return the axes of a sweep."""
    return tuple(Axis(variable.path, span.values(variable)) for variable, span in chosen)


def taking_over(chosen: tuple[Variable, ...], values: tuple[float | int | str | bool, ...]) -> tuple[Edit, ...]:
    """Return the edits that write swept values into the strategy; they make one undo step together."""
    return tuple(
        SetValues(variable.node, {variable.field: value}) for variable, value in zip(chosen, values, strict=True)
    )
