"""What an output's being true depends on at one bar: small values by which a component explains itself.

A component's `explain` returns a `Reason`: leaves that say a comparison, a crossing or words, put together by
`AllOf`, `AnyOf`, `AtLeast` and `Negated`. Ports are named, the engine looks up what they read. From it the engine finds
which inputs led to a decision, and the fewest conditions that stood in the way of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from quantcrafter.engine.api.bars import Bars
    from quantcrafter.engine.api.ports import FloatColumn

Operator = Literal[">", ">=", "<", "<=", "==", "!="]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that no port brings as it is, with what to call it: `Quantity("highest high before", 101.5)`."""

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

    That is: the two stand so at this bar, and stood the other way round at the last bar before, at most `memory` bars
    ago, at which they differed.
    """

    left: Term
    right: Term
    above: bool
    memory: int = 1000


@dataclass(frozen=True, slots=True)
class Holds:
    """True while what an input brings holds: a condition, a filter, or the `flag` of a signal.

    `index` is the place in a port that takes a list.
    """

    port: str
    index: int | None = None
    flag: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A test in words: what is (`now`) and what would have to be (`wanted`), such as "16:00" and "09:45 to 15:30".

    `port` and `index` name the input it is about, if any.
    """

    held: bool
    now: str
    wanted: str
    port: str = ""
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """What this component, as it is set, cannot give at all: a short entry of an advisor that trades long only."""


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
    """What a component is asked: why is `output` as it is at `bar`. For a signal, `flag` is the one flag meant.

    Inputs are given as they stood, up to and including the bar. All raise LookupError for what the run did not keep.
    """

    output: str
    flag: int
    bar: int

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
