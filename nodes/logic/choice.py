"""Choices between series: where, select."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import model_validator

from quantcrafter.engine.api import (
    BoolColumn,
    ConditionInput,
    ConditionInputs,
    FloatColumn,
    Message,
    SeriesInput,
    SeriesInputs,
    StepForm,
    StepOutputs,
    port,
)
from quantcrafter.nodes.logic.base import CATEGORY_CONDITIONS, SeriesLogic


class Where(SeriesLogic):
    """Give one series while the condition is true, and another one while it is not.

    Known at the bar's close, no warm-up. NaN where the chosen series has no value.
    """

    name = "where"
    category = CATEGORY_CONDITIONS

    condition: ConditionInput = port("The condition.")
    then: SeriesInput = port("While it is true: a series or a number.")
    otherwise: SeriesInput = port("While it is not: a series or a number.")

    def compute(self, condition: BoolColumn, then: FloatColumn, otherwise: FloatColumn) -> FloatColumn:
        return np.where(condition, then, otherwise)

    def steps(self, form: StepForm) -> StepOutputs:
        return form.select(form.input("condition"), form.input("then"), form.input("otherwise"))


class Select(SeriesLogic):
    """Give the series that belongs to the first condition that is true.

    `values` has one series or number for each of the `conditions`, in the same order; `otherwise` counts while none of
    them is true. Known at the bar's close, no warm-up. NaN where the chosen series has no value.
    """

    name = "select"
    category = CATEGORY_CONDITIONS

    conditions: ConditionInputs = port("The conditions; the first one that is true counts.", min_length=1)
    values: SeriesInputs = port("A series or a number for each condition.", min_length=1)
    otherwise: SeriesInput = port("While no condition is true: a series or a number.")

    @model_validator(mode="after")
    def _have_a_value_each(self) -> Self:
        if len(self.conditions) != len(self.values):
            raise ValueError(
                Message(
                    "values must be as many as conditions, {conditions}, were {values}",
                    conditions=len(self.conditions),
                    values=len(self.values),
                )
            )
        return self

    def compute(
        self, conditions: tuple[BoolColumn, ...], values: tuple[FloatColumn, ...], otherwise: FloatColumn
    ) -> FloatColumn:
        chosen = otherwise
        for condition, value in zip(reversed(conditions), reversed(values), strict=True):
            chosen = np.where(condition, value, chosen)
        return chosen

    def steps(self, form: StepForm) -> StepOutputs:
        chosen = form.input("otherwise")
        for condition, value in zip(reversed(form.inputs("conditions")), reversed(form.inputs("values")), strict=True):
            chosen = form.select(condition, value, chosen)
        return chosen
