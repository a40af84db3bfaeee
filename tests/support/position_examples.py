"""Conditions on the position in worked examples: `exit_long: position.bars >= 3`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from quantcrafter.engine.api import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    EngineJob,
    Given,
    Ledger,
    StepForm,
    StepValue,
)
from quantcrafter.engine.api.steps import Tape
from quantcrafter.nodes.logic.position import AccountReading, PositionReading

LEGS = {"enter_long": ENTER_LONG, "exit_long": EXIT_LONG, "enter_short": ENTER_SHORT, "exit_short": EXIT_SHORT}
OPERATORS: dict[str, Callable[[Any, Any], StepValue]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": StepValue.equal,
    "!=": StepValue.differs,
}
NODES = (PositionReading(), AccountReading())
NAMES = [f"{node.name}.{output.name}" for node in NODES for output in node.outputs]
"""What an example may say, in the order in which it is recorded."""


def with_conditions(job: EngineJob, conditions: dict[str, str]) -> EngineJob:
    """Return a job whose signals, besides those of its rows, and whose filter follow from the position.

    `conditions` gives the leg of a signal, or `allow`, a comparison of an output with a number.
    """
    tape = Tape()
    form = StepForm(tape, {})
    made: list[StepValue] = []
    for node in NODES:
        outputs = node.steps(form)
        assert isinstance(outputs, tuple)
        made += outputs
    values = dict(zip(NAMES, made, strict=True))

    def held(text: str) -> StepValue:
        name, sign, number = text.split()
        return OPERATORS[sign](values[name], float(number))

    flags = form.flags({LEGS[leg]: held(text) for leg, text in conditions.items() if leg in LEGS})
    flags = form.join_flags(tape.input("flags"), flags)
    allowed = tape.input("allowed") & held(conditions["allow"]) if "allow" in conditions else None
    program = tape.program(made, [(flags, allowed)])
    instruments = []
    for each in job.instruments:
        days = each.bars.close_ns // 86_400_000_000_000
        given: dict[object, Any] = {"flags": each.flags, "allowed": each.allowed, Given.DAY: days}
        given |= {Given.PRICE_SCALE: np.ones(len(days)), Given.PRICE_OFFSET: np.zeros(len(days))}
        columns = tuple(np.asarray(given[source], np.float64) for source in tape.sources)
        instruments.append(replace(each, step_columns=columns))
    return replace(job, instruments=tuple(instruments), steps=program)


def seen(ledger: Ledger, name: str) -> list[float]:
    """Return what the first instrument's program saw of the position at each close."""
    assert ledger.steps is not None
    column: list[float] = ledger.steps.values[0][NAMES.index(name)].tolist()
    return column
