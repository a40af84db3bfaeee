"""`notify` and `assert`: conditions whose bars are recorded with a text."""

from __future__ import annotations

from typing import ClassVar, Literal

from quantcrafter.engine.api import (
    BoolColumn,
    ConditionInput,
    Holds,
    Negated,
    NoticeNode,
    Output,
    PortType,
    Question,
    Reason,
    StepForm,
    StepOutputs,
    param,
    port,
)
from quantcrafter.nodes.logic.base import CATEGORY_CONDITIONS


class _Noted(NoticeNode):
    """What both share: known at the bar's close, no warm-up."""

    def lookback(self) -> int:
        return 0


class Notify(_Noted):
    """Record the bars at which a condition is true, with a text, as for an alarm.

    It doesn't change what is traded. Runs list the notices with their times in the results, in the report and in JSON;
    a session returns each as it happens. With `every` change, a bar counts at which the condition becomes true, with
    bar each at which it is. Known at the bar's close, no warm-up. Bars on which the condition isn't complete yet don't
    count.
    """

    name = "notify"
    category = CATEGORY_CONDITIONS
    outputs = (Output("value", PortType.CONDITION, "The condition."),)
    kind: ClassVar[str] = "notice"

    condition: ConditionInput = port("The condition.")

    def compute(self, condition: BoolColumn) -> BoolColumn:
        return condition

    def steps(self, form: StepForm) -> StepOutputs:
        return form.input("condition")

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - the input says it all
        return Holds("condition")


class Assert(_Noted):
    """Check that a condition is true at every bar, and record where it isn't.

    With `action` count, the run goes on and lists the failures like notices; with stop, a backtest ends with an error
    that names the first one. A session returns each failure and goes on. With `every` change, a failure counts when it
    begins, with bar at each bar. Known at the bar's close, no warm-up. Bars on which the condition isn't complete yet
    don't count.
    """

    name = "assert"
    category = CATEGORY_CONDITIONS
    outputs = (Output("failed", PortType.CONDITION, "Whether the condition isn't true at this bar."),)
    kind: ClassVar[str] = "failure"

    condition: ConditionInput = port("The condition that must hold.")
    action: Literal["count", "stop"] = param("count: record failures. stop: end the backtest.", default="count")

    @property
    def stops(self) -> bool:
        return self.action == "stop"

    def compute(self, condition: BoolColumn) -> BoolColumn:
        return ~condition

    def steps(self, form: StepForm) -> StepOutputs:
        return ~form.input("condition")

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - the input says it all
        return Negated(Holds("condition"))
