"""Units of a formula: its result's, and what of different units it adds or compares."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from quantcrafter.engine.api.units import NUMBER, SeriesUnit
from quantcrafter.nodes.logic.expression import NAMES, calculated


@dataclass(frozen=True, slots=True)
class Measured:
    """A value of which only the unit is known, None if not even that; a `constant` goes with any unit.

    `mixed` gathers the pairs of different units that are added or compared.
    """

    unit: SeriesUnit | None
    mixed: list[tuple[SeriesUnit, SeriesUnit]] = field(default_factory=list)
    constant: bool = False

    def with_unit(self, unit: SeriesUnit | None) -> Measured:
        return Measured(unit, self.mixed)

    def beside(self, other: Measured) -> Measured:
        """Return the sum, or one of both: their units should be the same."""
        if self.constant or other.constant:
            return other if self.constant else self
        if self.unit is None or other.unit is None:
            return self.with_unit(None)
        if self.unit != other.unit:
            self.mixed.append((self.unit, other.unit))
            return self.with_unit(None)
        return self

    def _product(self, other: Measured | float, power: float) -> Measured:
        if not isinstance(other, Measured):
            return self
        if self.constant and other.constant:
            return self
        if self.unit is None or other.unit is None:
            return self.with_unit(None)
        return self.with_unit(self.unit.times(other.unit, power))

    __add__ = __sub__ = beside

    def __mul__(self, other: Measured | float) -> Measured:
        return self._product(other, 1.0)

    def __truediv__(self, other: Measured | float) -> Measured:
        return self._product(other, -1.0)


class FormulaUnits:
    """Carries a formula out with units in place of values."""

    def __init__(self) -> None:
        self.mixed: list[tuple[SeriesUnit, SeriesUnit]] = []

    def of(self, unit: SeriesUnit | None) -> Measured:
        return Measured(unit, self.mixed)

    def number(self, value: float) -> Measured:  # noqa: ARG002 - any number has the same unit
        return Measured(NUMBER, self.mixed, constant=True)

    def lag(self, value: Measured, bars: int) -> Measured:  # noqa: ARG002 - of whatever bar
        return value

    def finite(self, value: Measured) -> Measured:
        return value

    def compare(self, op: str, left: Measured, right: Measured) -> Measured:  # noqa: ARG002 - however they are compared
        left.beside(right)
        return self.of(NUMBER)

    def truth(self, value: Measured) -> Measured:  # noqa: ARG002 - 1 or 0
        return self.of(NUMBER)

    def both(self, left: Measured, right: Measured) -> Measured:  # noqa: ARG002 - 1 or 0
        return self.of(NUMBER)

    def either(self, left: Measured, right: Measured) -> Measured:  # noqa: ARG002 - 1 or 0
        return self.of(NUMBER)

    def negated(self, value: Measured) -> Measured:  # noqa: ARG002 - 1 or 0
        return self.of(NUMBER)

    def where(self, condition: Measured, then: Measured, otherwise: Measured) -> Measured:  # noqa: ARG002 - one of both
        return then.beside(otherwise)

    def least(self, left: Measured, right: Measured) -> Measured:
        return left.beside(right)

    def most(self, left: Measured, right: Measured) -> Measured:
        return left.beside(right)

    def magnitude(self, value: Measured) -> Measured:
        return value

    def floor(self, value: Measured) -> Measured:
        return value

    def root(self, value: Measured) -> Measured:
        return value if value.constant or value.unit is None else value.with_unit(value.unit.to_the(0.5))

    def log(self, value: Measured) -> Measured:
        return value if value.constant else self.of(NUMBER)

    def exp(self, value: Measured) -> Measured:
        return value if value.constant else self.of(NUMBER)


def units_of(
    tree: ast.expr, inputs: Mapping[str, SeriesUnit | None]
) -> tuple[SeriesUnit | None, tuple[tuple[SeriesUnit, SeriesUnit], ...]]:
    """Return the unit of a checked expression, None if it isn't known, and the different ones it adds or compares."""
    units = FormulaUnits()
    result: Measured = calculated(tree, {name: units.of(inputs.get(name)) for name in NAMES}, units)
    return result.unit, tuple(dict.fromkeys(units.mixed))
