"""Conditions: compare, between, crosses above and below, and, or, not."""

from __future__ import annotations

from operator import ge, gt, le, lt
from typing import Literal

import numpy as np

from quantcrafter.engine.api import (
    AllOf,
    AnyOf,
    BoolColumn,
    Compared,
    ConditionInput,
    ConditionInputs,
    Crossed,
    FloatColumn,
    Holds,
    Negated,
    Question,
    Reason,
    SeriesInput,
    StepForm,
    StepOutputs,
    StepValue,
    param,
    port,
)
from quantcrafter.nodes.kernels import SIDE_MEMORY, crosses
from quantcrafter.nodes.logic.base import CATEGORY_CONDITIONS, ConditionLogic


class Compare(ConditionLogic):
    """Compare two series, or a series and a number: left op right.

    `op` is ">", ">=", "<", "<=", "==" or "!="; write it in quotes. "==" and "!=" compare exactly, without a
    tolerance. Known at the bar's close, no warm-up. False where either side is NaN, whatever the comparison.
    """

    name = "compare"
    category = CATEGORY_CONDITIONS

    left: SeriesInput = port("The left side: a series or a number.")
    op: Literal[">", ">=", "<", "<=", "==", "!="] = param('The comparison: ">", ">=", "<", "<=", "==" or "!=".')
    right: SeriesInput = port("The right side: a series or a number.")

    def compute(self, left: FloatColumn, right: FloatColumn) -> BoolColumn:
        if self.op == "!=":
            return (left < right) | (left > right)
        return _COMPARISONS[self.op](left, right)

    def steps(self, form: StepForm) -> StepOutputs:
        left, right = form.input("left"), form.input("right")
        if self.op in ("==", "!="):
            return left.equal(right) if self.op == "==" else left.differs(right)
        held: StepValue = _ORDERS[self.op](left, right)
        return held

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - the inputs say it all
        return Compared("left", self.op, "right")


class Between(ConditionLogic):
    """Hold while a series lies between two others, both ends included.

    Known at the bar's close, no warm-up. False where any of the three is NaN.
    """

    name = "between"
    category = CATEGORY_CONDITIONS

    input: SeriesInput = port("The series.")
    lower: SeriesInput = port("The lower end: a series or a number.")
    upper: SeriesInput = port("The upper end: a series or a number.")

    def compute(self, **inputs: FloatColumn) -> BoolColumn:
        return (inputs["lower"] <= inputs["input"]) & (inputs["input"] <= inputs["upper"])

    def steps(self, form: StepForm) -> StepOutputs:
        value = form.input("input")
        return (form.input("lower") <= value) & (value <= form.input("upper"))

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - the inputs say it all
        return AllOf((Compared("input", ">=", "lower"), Compared("input", "<=", "upper")))


class _Crossing(ConditionLogic):
    category = CATEGORY_CONDITIONS

    left: SeriesInput = port("The line that crosses.")
    right: SeriesInput = port("The line or the level that is crossed.")

    def warmup(self) -> int:
        return 1

    def lookback(self) -> int:
        return SIDE_MEMORY


class CrossesAbove(_Crossing):
    """Hold at the bar at which left crosses above right.

    That is: left is above right at this bar, and was below it at the last bar before at which the two differed. A touch
    in between therefore doesn't hide or repeat a crossing. Bars without a value on one side count as a touch; there is
    no crossing before both lines had a value, and a side is forgotten after 1,000 bars of touching. Known at the bar's
    close; warm-up one bar.
    """

    name = "crosses_above"
    loops = True

    def compute(self, left: FloatColumn, right: FloatColumn) -> BoolColumn:
        return crosses(left, right, 1, 0, SIDE_MEMORY).view(np.bool_)

    def steps(self, form: StepForm) -> StepOutputs:
        return form.cross(form.input("left"), form.input("right"), SIDE_MEMORY, above=1)

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - the inputs say it all
        return Crossed("left", "right", above=True, memory=SIDE_MEMORY)


class CrossesBelow(_Crossing):
    """Hold at the bar at which left crosses below right.

    That is: left is below right at this bar, and was above it at the last bar before at which the two differed. A touch
    in between therefore doesn't hide or repeat a crossing. Bars without a value on one side count as a touch; there is
    no crossing before both lines had a value, and a side is forgotten after 1,000 bars of touching. Known at the bar's
    close; warm-up one bar.
    """

    name = "crosses_below"
    loops = True

    def compute(self, left: FloatColumn, right: FloatColumn) -> BoolColumn:
        return crosses(left, right, 0, 1, SIDE_MEMORY).view(np.bool_)

    def steps(self, form: StepForm) -> StepOutputs:
        return form.cross(form.input("left"), form.input("right"), SIDE_MEMORY, below=1)

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - the inputs say it all
        return Crossed("left", "right", above=False, memory=SIDE_MEMORY)


class And(ConditionLogic):
    """Hold while all conditions hold. Known at the bar's close, no warm-up."""

    name = "and"
    category = CATEGORY_CONDITIONS

    conditions: ConditionInputs = port("The conditions.", min_length=1)

    def compute(self, conditions: tuple[BoolColumn, ...]) -> BoolColumn:
        held: BoolColumn = np.logical_and.reduce(conditions)
        return held

    def steps(self, form: StepForm) -> StepOutputs:
        return form.all(form.inputs("conditions"))

    def explain(self, question: Question) -> Reason:
        return AllOf(tuple(Holds("conditions", index) for index in range(question.count("conditions"))))


class Or(ConditionLogic):
    """Hold while at least one condition holds. Known at the bar's close, no warm-up."""

    name = "or"
    category = CATEGORY_CONDITIONS

    conditions: ConditionInputs = port("The conditions.", min_length=1)

    def compute(self, conditions: tuple[BoolColumn, ...]) -> BoolColumn:
        held: BoolColumn = np.logical_or.reduce(conditions)
        return held

    def steps(self, form: StepForm) -> StepOutputs:
        return form.any(form.inputs("conditions"))

    def explain(self, question: Question) -> Reason:
        return AnyOf(tuple(Holds("conditions", index) for index in range(question.count("conditions"))))


class Not(ConditionLogic):
    """Hold while the condition does not.

    Known at the bar's close, no warm-up. A comparison without a value is False, so its opposite is True here: to be
    safe in the warm-up, use the opposite comparison instead.
    """

    name = "not"
    category = CATEGORY_CONDITIONS

    input: ConditionInput = port("The condition.")

    def compute(self, **inputs: BoolColumn) -> BoolColumn:
        return ~inputs["input"]

    def steps(self, form: StepForm) -> StepOutputs:
        return ~form.input("input")

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - the input says it all
        return Negated(Holds("input"))


_ORDERS = {">": gt, ">=": ge, "<": lt, "<=": le}
_COMPARISONS = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal, "==": np.equal}
