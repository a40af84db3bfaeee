"""What the advisors share."""

from __future__ import annotations

from typing import Literal

import numpy as np

from quantcrafter.engine.api import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    Advisor,
    BoolColumn,
    FlagColumn,
    Never,
    Output,
    PortType,
    Question,
    Reason,
    StepForm,
    StepValue,
    param,
)

LEGS = (ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT)


class SignalAdvisor(Advisor):
    """Base of all advisors here: one signal column of flags.

    It reads its warm-up and the newest bar; what remembers more says so.
    """

    outputs = (Output("signal", PortType.SIGNAL, "Entries and exits."),)

    def lookback(self) -> int | None:
        return self.warmup()


class DirectedAdvisor(SignalAdvisor):
    """Base of advisors that trade long, short or both."""

    direction: Literal["long", "short", "both"] = param(
        "Which signals to give: long only, short only, or both.", default="long"
    )

    @property
    def mask(self) -> int:
        """The flags that the direction lets through."""
        masks = {"long": ENTER_LONG | EXIT_LONG, "short": ENTER_SHORT | EXIT_SHORT}
        return masks.get(self.direction, sum(LEGS))

    def explain(self, question: Question) -> Reason | None:
        return self.leg(question) if question.flag & self.mask else Never()

    def leg(self, question: Question) -> Reason | None:  # noqa: ARG002 - an advisor may answer
        """Return what one flag depends on, of those that the direction lets through."""
        return None


def flag_column(legs: tuple[BoolColumn | None, ...], mask: int) -> FlagColumn:
    """Put the legs enter long, exit long, enter short, exit short into flags, shape (n,); keep those in `mask`.

    A leg that is not in the mask may be missing.
    """
    pairs = zip(LEGS, legs, strict=True)
    first, *others = (leg.view(np.uint8) * np.uint8(flag) for flag, leg in pairs if flag & mask and leg is not None)
    flags: FlagColumn = first
    for other in others:
        flags |= other
    return flags


def flag_value(form: StepForm, legs: tuple[StepValue | None, ...], mask: int) -> StepValue:
    """Put the legs into flags as `flag_column` does; a leg may be missing."""
    pairs = zip(LEGS, legs, strict=True)
    return form.flags({flag: leg for flag, leg in pairs if flag & mask and leg is not None})
