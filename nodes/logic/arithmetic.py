"""Arithmetic over series: constant, arithmetic, absolute, lag, change."""

from __future__ import annotations

from collections.abc import Callable
from operator import add, mul, sub, truediv
from typing import Any, Literal

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    BarsInput,
    FloatColumn,
    SeriesInput,
    StepForm,
    StepOutputs,
    StepValue,
    param,
    port,
)
from quantcrafter.nodes.logic.base import CATEGORY_ARITHMETIC, MAX_BARS, SeriesLogic


class Constant(SeriesLogic):
    """Give the same number at every bar.

    A series port also accepts a number; a node is useful if several ports share the same number. Known at every bar, no
    warm-up.
    """

    name = "constant"
    category = CATEGORY_ARITHMETIC

    value: float = param("The number.")
    bars: BarsInput = port("The bars that give the column its length.", default="bars", advanced=True)

    def compute(self, bars: Bars) -> FloatColumn:
        return np.full(len(bars), self.value)


class Arithmetic(SeriesLogic):
    """Combine two series, or a series and a number: left op right.

    `op` is "+", "-", "*", "/", "min" or "max"; write the signs in quotes. Known at the bar's close, no warm-up. NaN
    where either side is NaN, and where the result is not a finite number, as in a division by zero.
    """

    name = "arithmetic"
    category = CATEGORY_ARITHMETIC

    left: SeriesInput = port("The left side: a series or a number.")
    op: Literal["+", "-", "*", "/", "min", "max"] = param('What to do: "+", "-", "*", "/", "min" or "max".')
    right: SeriesInput = port("The right side: a series or a number.")

    def compute(self, left: FloatColumn, right: FloatColumn) -> FloatColumn:
        with np.errstate(all="ignore"):
            return _finite(_OPERATIONS[self.op](left, right))

    def steps(self, form: StepForm) -> StepOutputs:
        left, right = form.input("left"), form.input("right")
        operations: dict[str, Callable[[Any, Any], StepValue]] = {
            "+": add,
            "-": sub,
            "*": mul,
            "/": truediv,
            "min": form.least,
            "max": form.most,
        }
        return form.finite(operations[self.op](left, right))


class Absolute(SeriesLogic):
    """Return the absolute value of a series. Known at the bar's close, no warm-up; NaN stays NaN."""

    name = "absolute"
    category = CATEGORY_ARITHMETIC

    input: SeriesInput = port("The series.")

    def compute(self, **inputs: FloatColumn) -> FloatColumn:
        return np.abs(inputs["input"])

    def steps(self, form: StepForm) -> StepOutputs:
        return abs(form.input("input"))


class Lag(SeriesLogic):
    """Give the value of some bars ago.

    Known at the bar's close. The first `bars` bars have no value (NaN).
    """

    name = "lag"
    category = CATEGORY_ARITHMETIC

    input: SeriesInput = port("The series.")
    bars: int = param("How many bars back.", default=1, unit="bars", ge=1, le=MAX_BARS)

    def warmup(self) -> int:
        return self.bars

    def compute(self, **inputs: FloatColumn) -> FloatColumn:
        return _shifted(inputs["input"], self.bars)

    def steps(self, form: StepForm) -> StepOutputs:
        return form.lag(form.input("input"), self.bars)


class Change(SeriesLogic):
    """Measure how far a series has moved over some bars.

    `difference`: now - then. `percent`: 100 x (now / then - 1). `ratio`: now / then. Known at the bar's close. The
    first `bars` bars have no value (NaN); NaN also where a ratio would divide by zero.
    """

    name = "change"
    category = CATEGORY_ARITHMETIC

    input: SeriesInput = port("The series.")
    bars: int = param("Over how many bars.", default=1, unit="bars", ge=1, le=MAX_BARS)
    kind: Literal["difference", "percent", "ratio"] = param("How to measure.", default="difference")

    def warmup(self) -> int:
        return self.bars

    def compute(self, **inputs: FloatColumn) -> FloatColumn:
        now = inputs["input"]
        then = _shifted(now, self.bars)
        with np.errstate(all="ignore"):
            if self.kind == "difference":
                return _finite(now - then)
            ratio = _finite(now / then)
            return ratio if self.kind == "ratio" else _finite(100 * (ratio - 1))

    def steps(self, form: StepForm) -> StepOutputs:
        now = form.input("input")
        then = form.lag(now, self.bars)
        if self.kind == "difference":
            return form.finite(now - then)
        ratio = form.finite(now / then)
        return ratio if self.kind == "ratio" else form.finite((ratio - 1.0) * 100.0)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {"+": add, "-": sub, "*": mul, "/": truediv}
_OPERATIONS: dict[str, Callable[[FloatColumn, FloatColumn], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "min": lambda left, right: np.minimum(left, right) + 0.0,
    "max": lambda left, right: np.maximum(left, right) + 0.0,
}
"""Which of 0 and -0 is the smaller one depends on the processor, so there is no -0."""


def _finite(values: FloatColumn) -> FloatColumn:
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)


def _shifted(values: FloatColumn, bars: int) -> FloatColumn:
    out = np.full(len(values), np.nan)
    out[bars:] = values[:-bars]
    return out
