"""What an explanation finds, as plain values: tests with their numbers, and obstacles. The app puts them into words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from quantcrafter.engine.api.reasons import Operator

FAR = 1e9
"""The gap of what has no distance: it counts as further away than any number."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the node and output it was read from, or what to call it, and its value.

    `node` is empty for a number of the component's own; then `label` says what it is, empty for a parameter.
    """

    value: float
    node: str = ""
    output: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Left op right, with both values."""

    left: Side
    op: Operator
    right: Side

    @property
    def gap(self) -> float:
        """How far the sides are from each other, relative to the larger; FAR where one has no value."""
        return _relative(self.left.value, self.right.value)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Left crosses above right, or below it. `since` is the first bar from which on left stands as it does now."""

    left: Side
    right: Side
    above: bool
    since: int | None = None

    @property
    def stands_right(self) -> bool:
        """Whether left already is where a crossing would bring it."""
        return self.left.value > self.right.value if self.above else self.left.value < self.right.value

    @property
    def gap(self) -> float:
        """How far the lines are apart, relative to the larger; FAR where one has no value."""
        return _relative(self.left.value, self.right.value)


@dataclass(frozen=True, slots=True)
class Words:
    """A test in the component's own words: what is, and what would have to be."""

    now: str
    wanted: str
    gap: float = FAR


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A node that is or is not true, and says nothing of why."""

    gap: float = FAR


AccountKind = Literal["warmup", "long", "short", "opposite"]


@dataclass(frozen=True, slots=True)
class Account:
    """A reason that is in the account: before the first decision, or a position held since `bar`.

    For `warmup`, `bar` is the first bar at which a decision is taken. `opposite` is a position the other way that the
    execution keeps, as its `on_opposite` says.
    """

    kind: AccountKind
    bar: int
    gap: float = FAR


Test = Comparison | Crossing | Words | Unexplained | Account


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A condition in the way: the node that tests it, what it tests, and what it would have to be.

    The same tells of a condition that led to a decision; then it is as it was wanted.

    `source` is the node whose output a test in words is about, empty where it is about no single one.
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
