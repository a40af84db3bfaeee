"""Results of explanations as plain values: tests with their numbers, and obstacles. The app converts them to text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from quantcrafter.engine.api.reasons import Operator

FAR = 1e9
"""The gap of tests without a distance: larger than any number."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: its node and output, or its name, and its value.

    `node` is empty for a number of the component's own; then `label` is its name, empty for a parameter.
    """

    value: float
    node: str = ""
    output: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class ComparedSides:
    """Left op right, with both values."""

    left: Side
    op: Operator
    right: Side

    @property
    def gap(self) -> float:
        """The distance between the sides, relative to the larger; FAR if one has no value."""
        return _relative(self.left.value, self.right.value)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Left crosses above right, or below it. `since` is the first bar from which on left is on its current side."""

    left: Side
    right: Side
    above: bool
    since: int | None = None

    @property
    def stands_right(self) -> bool:
        """Whether left already is on the side of the crossing."""
        return self.left.value > self.right.value if self.above else self.left.value < self.right.value

    @property
    def gap(self) -> float:
        """The distance between the lines, relative to the larger; FAR if one has no value."""
        return _relative(self.left.value, self.right.value)


@dataclass(frozen=True, slots=True)
class Words:
    """A test in the component's own words: the current and the required value."""

    now: str
    wanted: str
    gap: float = FAR


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A node that is or isn't true, without an explanation."""

    gap: float = FAR


AccountKind = Literal["warmup", "long", "short", "opposite", "other_execution"]


@dataclass(frozen=True, slots=True)
class AccountBlock:
    """A reason that is in the account: before the first decision, or a position held since `bar`.

    For `warmup`, `bar` is the first bar at which a decision is taken. `opposite` is a position in the other direction
    that the execution keeps because of `on_opposite`, `other_execution` one of another execution node.
    """

    kind: AccountKind
    bar: int
    gap: float = FAR


Test = ComparedSides | Crossing | Words | Unexplained | AccountBlock


@dataclass(frozen=True, slots=True)
class Obstacle:
    """An unmet condition: the node that tests it, the test, and the required result.

    Also used for a condition that led to a decision, which then has the required result. `source` is the node whose
    output a text test refers to, empty if there is no single one.
    """

    node: str
    output: str
    flag: int
    test: Test
    wanted: bool
    source: str = ""


def _relative(left: float, right: float) -> float:
    if not (math.isfinite(left) and math.isfinite(right)):
        return FAR
    scale = max(abs(left), abs(right))
    return abs(left - right) / scale if scale else 0.0
