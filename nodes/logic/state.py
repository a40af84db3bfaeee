"""Logic that keeps a state: value_when, latch, counter, once, phases."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from quantcrafter.engine.api import (
    AllOf,
    BoolColumn,
    Compared,
    ConditionInput,
    ConditionInputs,
    FloatColumn,
    Holds,
    Message,
    Output,
    PortType,
    Quantity,
    Question,
    Reason,
    Said,
    SeriesInput,
    StepForm,
    StepOutputs,
    StepValue,
    param,
    port,
)
from quantcrafter.nodes import kernels
from quantcrafter.nodes.logic.base import CATEGORY_MEMORY, ConditionLogic, SeriesLogic, WindowedLogic

_MAX_PHASES = 32


class ValueWhen(SeriesLogic):
    """Hold the value that a series had when the condition was last true.

    `occurrence` 0 is the last time, that of this bar included, 1 the time before it, and so on. Known at the bar's
    close. NaN until the condition has been true often enough, and while the series had no value at that bar. Depends on
    the whole history.
    """

    name = "value_when"
    loops = True
    category = CATEGORY_MEMORY

    input: SeriesInput = port("The series.")
    condition: ConditionInput = port("When its value is taken.")
    occurrence: int = param("How many times back: 0 is the last time.", default=0, ge=0, le=100)

    def lookback(self) -> None:
        return None

    def compute(self, input: FloatColumn, condition: BoolColumn) -> FloatColumn:  # noqa: A002 - the port's name
        return kernels.value_when(input, condition, self.occurrence)

    def steps(self, form: StepForm) -> StepOutputs:
        condition = form.input("condition")
        value = form.hold(form.input("input"), condition)
        for _ in range(self.occurrence):
            value = form.hold(form.lag(value, 1), condition)
        return value


class Latch(ConditionLogic):
    """Hold from the bar at which `set` is true until the one at which `reset` is.

    Where both are true at a bar, `priority` decides. Known at the bar's close. False before `set` was first true.
    Depends on the whole history.
    """

    name = "latch"
    loops = True
    category = CATEGORY_MEMORY

    set: ConditionInput = port("Switches it on.")
    reset: ConditionInput = port("Switches it off.")
    priority: Literal["reset", "set"] = param("Which one counts where both are true.", default="reset")

    def lookback(self) -> None:
        return None

    def compute(self, **inputs: BoolColumn) -> BoolColumn:
        return kernels.latched(inputs["set"], inputs["reset"], self.priority == "set")

    def steps(self, form: StepForm) -> StepOutputs:
        return form.latch(form.input("set"), form.input("reset"), on_first=self.priority == "set")

    def explain(self, question: Question) -> Reason:
        held = bool(
            self.compute(set=question.column("set").astype(np.bool_), reset=question.column("reset").astype(np.bool_))[
                -1
            ]
        )
        return Said(held, Message("on") if held else Message("off"), Message("set, and not reset since"), "set")


class Counter(SeriesLogic):
    """Count the bars at which the condition was true since `restart` was last true.

    A bar at which `restart` is true begins again at 0, and counts if the condition is true as well. Without `restart`,
    all bars since the first one count. Known at the bar's close. Depends on the whole history.
    """

    name = "counter"
    loops = True
    category = CATEGORY_MEMORY

    condition: ConditionInput = port("The condition whose bars are counted.")
    restart: ConditionInput | None = port("Begins again at 0, such as the output `new_day` of `session`.", default=None)

    def lookback(self) -> None:
        return None

    def compute(self, condition: BoolColumn, restart: BoolColumn | None = None) -> FloatColumn:
        return kernels.tally(condition, _or_never(restart, condition))

    def steps(self, form: StepForm) -> StepOutputs:
        return form.tally(form.input("condition"), _restart(form))


class Once(ConditionLogic):
    """Hold at the first bar only at which the condition is true since `restart` was last true.

    For once a trading day, connect the output `new_day` of `session` to `restart`; `calendar` has `new_week` and
    `new_month`. Without `restart` it holds once in the whole history. Known at the bar's close. Depends on the whole
    history.
    """

    name = "once"
    loops = True
    category = CATEGORY_MEMORY

    condition: ConditionInput = port("The condition.")
    restart: ConditionInput | None = port(
        "Lets it hold again, such as the output `new_day` of `session`.", default=None
    )

    def lookback(self) -> None:
        return None

    def compute(self, condition: BoolColumn, restart: BoolColumn | None = None) -> BoolColumn:
        first: BoolColumn = condition & (kernels.tally(condition, _or_never(restart, condition)) == 1.0)
        return first

    def steps(self, form: StepForm) -> StepOutputs:
        condition = form.input("condition")
        return condition & form.tally(condition, _restart(form)).equal(1.0)

    def explain(self, question: Question) -> Reason:
        condition = question.column("condition").astype(np.bool_)
        restart = question.column("restart").astype(np.bool_) if question.count("restart") else None
        count = float(kernels.tally(condition, _or_never(restart, condition))[-1])
        return AllOf((Holds("condition"), Compared(Quantity(Message("times since the restart"), count), "<=", 1.0)))


class Phases(WindowedLogic):
    """Follow conditions that must become true one after the other, each at a later bar than the one before.

    `phase` is the number of conditions that have been true so far, `done` is true at the bar of the last one. The next
    bar begins again at 0, as does a bar at which `restart` is true; at that bar the first condition may be true
    already. Known at the bar's close. Depends on the whole history.
    """

    name = "phases"
    loops = True
    category = CATEGORY_MEMORY
    outputs = (
        Output("phase", PortType.SERIES, "How many conditions have been true in order."),
        Output("done", PortType.CONDITION, "Whether the last condition became true at this bar."),
    )

    conditions: ConditionInputs = port("The conditions, in order.", min_length=1)
    restart: ConditionInput | None = port("Begins again at 0.", default=None)

    @model_validator(mode="after")
    def _are_few(self) -> Self:
        if len(self.conditions) > _MAX_PHASES:
            raise ValueError(
                Message("conditions must be at most {most}, were {count}", most=_MAX_PHASES, count=len(self.conditions))
            )
        return self

    def lookback(self) -> None:
        return None

    def compute(
        self, conditions: tuple[BoolColumn, ...], restart: BoolColumn | None = None
    ) -> tuple[FloatColumn, BoolColumn]:
        bits = np.zeros(len(conditions[0]), np.int64)
        for place, condition in enumerate(conditions):
            bits += condition.astype(np.int64) << place
        phase = kernels.advanced(bits, _or_never(restart, conditions[0]), len(conditions))
        return phase, phase == len(conditions)

    def steps(self, form: StepForm) -> StepOutputs:
        conditions = form.inputs("conditions")
        phase = form.advance(conditions, _restart(form))
        return phase, phase.equal(float(len(conditions)))

    def explain(self, question: Question) -> Reason | None:
        if question.output != "done":
            return None
        count = question.count("conditions")
        columns = tuple(question.column("conditions", index).astype(np.bool_) for index in range(count))
        restart = question.column("restart").astype(np.bool_) if question.count("restart") else None
        phase = float(self.compute(columns, restart)[0][-1])
        return Compared(Quantity(Message("conditions in order"), phase), ">=", float(count))


def _or_never(restart: BoolColumn | None, like: BoolColumn) -> BoolColumn:
    return np.zeros(len(like), np.bool_) if restart is None else restart


def _restart(form: StepForm) -> StepValue | float:
    wired = form.inputs("restart")
    return wired[0] if wired else 0.0
