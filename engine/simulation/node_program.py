"""The step form of one node, executed bar by bar outside the bar loop: for a running strategy's newest bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.api.step_program import INSTRUCTION_DTYPE, StepProgram
from quantcrafter.engine.simulation.instructions import DIVIDE, LAG, calculated, remembered


class NodeProgram:
    """A program that doesn't read the position, with its memory; identical to the node's column form."""

    def __init__(self, program: StepProgram) -> None:
        names = INSTRUCTION_DTYPE.names or ()
        # Python takes less time for dicts, lists and its own numbers than for records, arrays and numpy's.
        self._rows: list[Any] = [dict(zip(names, row, strict=True)) for row in program.rows.tolist()]
        self._registers: list[float] = program.registers.tolist()
        self._state: Any = program.state.tolist()
        self._inputs = program.inputs
        self._outputs = list(program.outputs)

    def run(self, columns: Sequence[npt.NDArray[Any]]) -> FloatColumn:
        """Return the outputs at each of the next bars, shape (outputs, bars); `columns` contain the inputs there."""
        length = len(columns[0]) if columns else 0
        given = np.empty((length, len(self._outputs)))
        registers, state, rows = self._registers, self._state, self._rows
        wired = list(zip(self._inputs, columns, strict=True))
        for bar in range(length):
            for register, column in wired:
                registers[register] = float(column[bar])
            for row in rows:
                op, a, b = row["op"], registers[row["a"]], registers[row["b"]]
                if op == DIVIDE:  # by zero, too
                    registers[row["out"]] = float(np.float64(a) / b)
                elif op < LAG:
                    registers[row["out"]] = calculated(row, op, a, b)
                else:
                    registers[row["out"]] = remembered(row, op, a, b, state)
            given[bar] = [registers[out] for out in self._outputs]
        return given.T
