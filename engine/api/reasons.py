"""Reasons why an output is true at a bar: small values with which a component explains its output.

A component's `explain` returns a `Reason`: comparisons, crossings or texts, combined with `AllOf`, `AnyOf`, `AtLeast`
and `Negated`. It refers to ports by name, and the engine looks up their values. From the reasons, the engine finds the
inputs that led to a decision, and the smallest set of conditions that prevented one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quantcrafter.engine.api.bars import Bars
    from quantcrafter.engine.api.ports import FloatColumn

Operator = Literal[">", ">=", "<", "<=", "==", "!="]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that is not the value of a port, with its name: `Quantity("highest high before", 101.5)`."""

    label: str
    value: float


Term = str | float | Quantity
"""One side of a comparison: the name of an input port, a number, or a quantity of the component's own."""


@dataclass(frozen=True, slots=True)
class Compared:
    """True while left op right; false where either side has no value (NaN)."""

    left: Term
    op: Operator
    right: Term


@dataclass(frozen=True, slots=True)
class Crossed:
    """True at the bar at which left crosses above right (or below it).

    That is: the order is the opposite of that at the last bar before, at most `memory` bars ago, at which the two
    differed.
    """

    left: Term
    right: Term
    above: bool
    memory: int = 1000


@dataclass(frozen=True, slots=True)
class Holds:
    """True while the value of an input is true: a condition, a filter, or the `flag` of a signal.

    `index` is the position in a list port.
    """

    port: str
    index: int | None = None
    flag: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A test as texts: the current and the required value, such as "16:00" and "09:45 to 15:30".

    `port` and `index` identify the related input, if any.
    """

    held: bool
    now: str
    wanted: str
    port: str = ""
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """An output that this component can't produce with its settings: a short entry of a long-only advisor."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """True while all parts are; without parts always."""

    parts: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True while at least one part is; without parts never."""

    parts: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True while at least `count` parts are."""

    count: int
    parts: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """True while its part is not."""

    part: Reason


Reason = Compared | Crossed | Holds | Said | Never | AllOf | AnyOf | AtLeast | Negated


class Question(Protocol):
    """The question why `output` of a component has its value at `bar`.

    For a signal, `flag` is the flag in question. Inputs are available up to and including the bar. All methods raise
    LookupError for data that the run did not store.
    """

    output: str
    flag: int
    bar: int

    @property
    def symbol(self) -> str:
        """The instrument that is asked about."""
        ...

    def said(self, name: str) -> str:
        """Return what the file says of the instrument under the name of a value; '' for nothing."""
        ...

    def universe(self, port: str) -> Mapping[str, float]:
        """Return the finite values at a port of the instruments that count at the bar, by symbol in file order.

        For a component that sees the universe: those that it compares the instrument with, and the instrument itself.
        """
        ...

    def count(self, port: str) -> int:
        """Return how many wires a port has."""
        ...

    def number(self, port: str, index: int | None = None) -> float:
        """Return an input's value at the bar; NaN where it has none."""
        ...

    def column(self, port: str, index: int | None = None) -> FloatColumn:
        """Return an input's values up to and including the bar; flags for a signal."""
        ...

    def bars(self, port: str) -> Bars:
        """Return the bars of an input up to and including the bar."""
        ...
