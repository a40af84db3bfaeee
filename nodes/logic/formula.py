"""`formula`: an expression over series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from pydantic import field_validator, model_validator

from quantcrafter.engine.api import FloatColumn, Message, SeriesInput, StepForm, StepOutputs, param, port
from quantcrafter.engine.api.units import SeriesUnit
from quantcrafter.nodes.logic.base import CATEGORY_ARITHMETIC, SeriesLogic
from quantcrafter.nodes.logic.expression import NAMES, Columns, ExpressionSteps, calculated, checked, depth, names_in
from quantcrafter.nodes.logic.formula_units import units_of


class Formula(SeriesLogic):
    """Calculate an expression over the series connected to `a` to `h`, such as "(a - b) / b * 100".

    The expression has numbers, `a` to `h`, parentheses, + - * / and ** (to the power of a whole number from 2 to 8),
    comparisons (< <= > >= == !=) and `and`, `or`, `not`, which give 1 or 0, the functions abs, min, max, sqrt, log
    (natural), exp, floor, ceil and where(condition, then, otherwise), and `a[1]` for the value of one bar before.
    Known at the bar's close; the first bars have no value if the formula looks back. NaN where a series that it needs
    has no value, and where a result is not a finite number, as in a division by zero or the root of a number below 0.
    A comparison with NaN gives 0; NaN counts as not true. A warning tells where series of different units are added or
    compared, such as a price and a volume, as far as their units are known.
    """

    name = "formula"
    loops = True
    category = CATEGORY_ARITHMETIC

    formula: str = param('The expression, such as "(a - b) / b * 100".')
    a: SeriesInput = port("The series or number that is called a.")
    b: SeriesInput | None = port("The series or number that is called b.", default=None)
    c: SeriesInput | None = port("The series or number that is called c.", default=None)
    d: SeriesInput | None = port("The series or number that is called d.", default=None, advanced=True)
    e: SeriesInput | None = port("The series or number that is called e.", default=None, advanced=True)
    f: SeriesInput | None = port("The series or number that is called f.", default=None, advanced=True)
    g: SeriesInput | None = port("The series or number that is called g.", default=None, advanced=True)
    h: SeriesInput | None = port("The series or number that is called h.", default=None, advanced=True)

    @field_validator("formula")
    @classmethod
    def _is_an_expression(cls, text: str) -> str:
        checked(text)
        return text

    @model_validator(mode="after")
    def _uses_what_is_connected(self) -> Self:
        used = names_in(checked(self.formula))
        given = [self.__dict__[name] is not None for name in NAMES]
        for name, is_given in zip(NAMES, given, strict=True):
            if name in used and not is_given:
                raise ValueError(Message("the formula uses '{name}', which is not connected", name=name))
            if is_given and name not in used:
                raise ValueError(Message("'{name}' is connected, but the formula doesn't use it", name=name))
        return self

    def warmup(self) -> int:
        return depth(checked(self.formula))

    def output_unit(self, inputs: Mapping[str, SeriesUnit | None]) -> SeriesUnit | None:
        return units_of(checked(self.formula), inputs)[0]

    def mixed_units(self, inputs: Mapping[str, SeriesUnit | None]) -> Sequence[tuple[SeriesUnit, SeriesUnit]]:
        return units_of(checked(self.formula), inputs)[1]

    def compute(self, **inputs: FloatColumn) -> FloatColumn:
        length = len(next(iter(inputs.values())))
        with np.errstate(all="ignore"):
            result: FloatColumn = calculated(checked(self.formula), inputs, Columns(length))
        return result

    def steps(self, form: StepForm) -> StepOutputs:
        values = {name: wired[0] for name in NAMES if (wired := form.inputs(name))}
        result: StepOutputs = calculated(checked(self.formula), values, ExpressionSteps(form))
        return result
