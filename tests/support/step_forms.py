"""Running the step form of one component over columns, as the bar loop does."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Component, PortType, Signals, StepForm, StepProgram
from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.api.steps import Tape
from quantcrafter.engine.simulation.steps import Steps, run_program

_DTYPES = {PortType.SERIES: np.float64, PortType.CONDITION: np.bool_, PortType.FILTER: np.bool_}


def steps_of(program: StepProgram, columns: list[FloatColumn], length: int) -> Steps:
    """Return the arrays of a program over one instrument's columns."""
    return Steps(
        program.rows,
        program.registers[None, :].copy(),
        program.state[None, :].copy(),
        np.array(columns, np.float64).reshape(len(columns), length),
        np.array(program.inputs, np.int64),
        np.full((len(program.outputs), length), np.nan),
        np.array(program.outputs, np.int64),
        np.array([program.flags, program.allowed], np.int64),
        np.zeros(length, np.uint8),
        np.ones(length, np.bool_),
    )


def by_steps(component: Component, inputs: dict[str, Any], length: int) -> list[npt.NDArray[Any]] | None:
    """Return each output of a component's step form as the column it gives bar by bar; None where it has none."""
    tape = Tape()
    columns: list[FloatColumn] = []

    def wired(column: Any) -> Any:
        columns.append((column.flags if isinstance(column, Signals) else column).astype(np.float64))
        return tape.input(len(columns))

    values = {
        port.name: tuple(map(wired, inputs[port.name])) if port.many else wired(inputs[port.name])
        for port in type(component).inputs()
        if port.type is not PortType.BARS and port.name in inputs
    }
    made = component.steps(StepForm(tape, values))
    if made is None:
        return None
    outputs = made if isinstance(made, tuple) else (made,)
    steps = steps_of(tape.program(outputs), columns, length)
    with np.errstate(all="ignore"):
        for row in range(length):
            run_program(steps, 0, row)
    kinds = [_DTYPES.get(output.type, np.uint8) for output in component.outputs]
    return [column.astype(kind) for column, kind in zip(steps.outputs, kinds, strict=True)]
