"""Filters over columns: volatility_band, trend, condition."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from quantcrafter.engine.api import (
    AllOf,
    BoolColumn,
    Compared,
    ConditionInput,
    FloatColumn,
    Holds,
    Message,
    Quantity,
    Question,
    Reason,
    SeriesInput,
    StepForm,
    StepOutputs,
    param,
    port,
)
from quantcrafter.nodes.filters.base import WindowedFilter

_MAX_BARS = 100_000


class VolatilityBand(WindowedFilter):
    """Hold while a measure of volatility lies within a band, both ends included.

    Connect ATR, NATR, a standard deviation or any other line; set `minimum`, `maximum` or both. Known at the bar's
    close, no warm-up of its own. Where the line has no value (NaN) it does not hold: group trade then blocks every
    entry, group block allows every entry.
    """

    name = "volatility_band"
    category = "Market"

    input: SeriesInput = port("The measure of volatility, such as a node of ta.NATR.")
    minimum: float | None = param("The minimum; no limit if left out.", default=None)
    maximum: float | None = param("The maximum; no limit if left out.", default=None)

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise ValueError(Message("minimum, maximum or both must be given, both were left out"))
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(
                Message(
                    "minimum must be at most maximum, {maximum:g}, was {minimum:g}",
                    maximum=self.maximum,
                    minimum=self.minimum,
                )
            )
        return self

    def compute(self, **inputs: FloatColumn) -> BoolColumn:
        line = inputs["input"]
        held = ~np.isnan(line)
        if self.minimum is not None:
            held &= line >= self.minimum
        if self.maximum is not None:
            held &= line <= self.maximum
        return held

    def steps(self, form: StepForm) -> StepOutputs:
        line = form.input("input")
        held = form.has_value(line)
        if self.minimum is not None:
            held &= line >= self.minimum
        if self.maximum is not None:
            held &= line <= self.maximum
        return held

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - the input says it all
        ends = ((">=", self.minimum), ("<=", self.maximum))
        return AllOf(tuple(Compared("input", op, end) for op, end in ends if end is not None))  # type: ignore[arg-type]


class Trend(WindowedFilter):
    """Hold while the price is on the trend's side of its average.

    up: the line is above the average; down: below it. With `slope_bars` above 0 the average must also have risen
    (fallen) over that many bars, which are the warm-up. Known at the bar's close. Where a value is missing (NaN) it
    does not hold.
    """

    name = "trend"
    category = "Market"

    input: SeriesInput = port("The price.", default="bars.close")
    average: SeriesInput = port("Its average, such as a node of ta.SMA.")
    direction: Literal["up", "down"] = param("Which trend to ask for.", default="up")
    slope_bars: int = param(
        "Bars over which the average itself must move; 0 to ask nothing of it.",
        default=0,
        unit="bars",
        ge=0,
        le=_MAX_BARS,
    )

    def warmup(self) -> int:
        return self.slope_bars

    def compute(self, **inputs: FloatColumn) -> BoolColumn:
        sign = 1.0 if self.direction == "up" else -1.0
        line, average = sign * inputs["input"], sign * inputs["average"]
        held = line > average
        if self.slope_bars:
            held[: self.slope_bars] = False
            held[self.slope_bars :] &= average[self.slope_bars :] > average[: -self.slope_bars]
        return held

    def steps(self, form: StepForm) -> StepOutputs:
        sign = 1.0 if self.direction == "up" else -1.0
        line, average = form.input("input") * sign, form.input("average") * sign
        held = line > average
        if self.slope_bars:
            held &= average > form.lag(average, self.slope_bars)
        return held

    def explain(self, question: Question) -> Reason:
        beyond: Literal[">", "<"] = ">" if self.direction == "up" else "<"
        parts: list[Reason] = [Compared("input", beyond, "average")]
        if self.slope_bars:
            average = question.column("average")
            before = average[-1 - self.slope_bars] if len(average) > self.slope_bars else np.nan
            parts.append(Compared("average", beyond, Quantity("average before", float(before))))
        return AllOf(tuple(parts))


class Condition(WindowedFilter):
    """Hold while a condition does. Known at the bar's close, no warm-up."""

    name = "condition"
    category = "Rules"

    input: ConditionInput = port("The condition.")

    def compute(self, **inputs: BoolColumn) -> BoolColumn:
        return inputs["input"]

    def steps(self, form: StepForm) -> StepOutputs:
        return form.input("input")

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - the input says it all
        return Holds("input")
