"""A strategy class of another engine, bar by bar: what a worker drives, and what comes out of it.

A class that is driven in this way is a function of its bars: given the same ones again, it is where it was. So a worker
keeps the bars and needs no more to go on after a restart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.settings import Commission

PLAIN = (bool, int, float, str)
"""What is shown of a strategy's own variables."""


@dataclass(frozen=True, slots=True)
class ClassTerms:
    """What a strategy class runs with: cash and commission of its account, and the instrument's tick and lot."""

    cash: float = 100_000.0
    commission: Commission = field(default_factory=Commission)
    tick_size: float = 0.01
    lot_size: float = 1.0


@dataclass(frozen=True, slots=True)
class ClassEvent:
    """Something that a class did: `kind` is `submit`, `filled`, `cancelled`, `expired` or `rejected`.

    `order` counts the class's orders from 0 on, `body` has plain values such as side, quantity and price.
    """

    kind: str
    order: int
    body: Mapping[str, Any] = field(default_factory=dict)


class SteppedClass(ABC):
    """A strategy class that is given its bars one by one. Used by one thread."""

    @abstractmethod
    def open(self, history: Bars) -> None:
        """Make the strategy, and let it see the bars before its first one; it can't trade on them.

        Raises:
            RunError: it raised.
        """

    @abstractmethod
    def take(self, bar: Bars) -> Sequence[ClassEvent]:
        """Give it the next bar, and return what happened, in order.

        Raises:
            RunError: it raised.
        """

    @property
    @abstractmethod
    def position(self) -> float:
        """The quantity that it holds, negative if short."""

    @property
    @abstractmethod
    def equity(self) -> float:
        """Its cash and the value of its position at the last close."""

    @abstractmethod
    def variables(self) -> dict[str, Any]:
        """Return its own variables that are plain values, by name."""

    @abstractmethod
    def close(self) -> None:
        """End it. Repeated calls have no effect."""


def own_variables(strategy: object) -> dict[str, Any]:
    """Return the attributes of an object that are plain values and not private."""
    return {
        name: value for name, value in vars(strategy).items() if not name.startswith("_") and isinstance(value, PLAIN)
    }
