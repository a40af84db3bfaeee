"""A program of steps for the simulation: op codes over registers, and its results.

`quantcrafter.engine.api.steps` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import BoolColumn, FlagColumn, FloatColumn


class Op(IntEnum):
    """The operation of an instruction on its inputs `a` and `b`. Those from LAG on have state; see `StepForm`."""

    KNOWN = 0
    ADD = 1
    SUBTRACT = 2
    MULTIPLY = 3
    DIVIDE = 4
    LEAST = 5
    MOST = 6
    MAGNITUDE = 7
    FINITE = 8
    ABOVE = 9
    AT_LEAST = 10
    EQUAL = 11
    BOTH = 12
    EITHER = 13
    NOT = 14
    CHOOSE = 15
    JOIN_FLAGS = 16
    MEET_FLAGS = 17
    FLOOR = 18
    ROOT = 19
    LOG = 20
    EXP = 21
    LAG = 22
    CROSS = 23
    AGE = 24
    COUNT = 25
    HIGHEST_SINCE = 26
    STANCE = 27
    GROWTH = 28
    RANK = 29
    ZSCORE = 30
    VOLATILITY = 31
    HOLD = 32
    LATCH = 33
    TALLY = 34
    ADVANCE = 35


class Known(IntEnum):
    """The values of the position and the account that a step can read at a close, after the bar's fills and valuation.

    `Position` and `Account`, the nodes, document each. Without a position, its values are NaN or 0.
    """

    SIDE = 0
    QUANTITY = 1
    ENTRY_PRICE = 2
    LAST_ENTRY_PRICE = 3
    BARS = 4
    ENTRIES = 5
    OPEN_CASH = 6
    OPEN_PERCENT = 7
    HIGHEST = 8
    LOWEST = 9
    LAST_TRADE_PERCENT = 10
    ENTRIES_MADE = 11
    EQUITY = 12
    CASH = 13
    DRAWDOWN_PERCENT = 14
    OPEN_POSITIONS = 15
    UNIT_PRICE = 16
    UNIT_PERCENT = 17
    OPEN_R = 18
    LAST_TRADE_R = 19


class Given(IntEnum):
    """A column that the engine gives a program.

    The trading day of each bar; and the factor and offset by which prices of columns become prices as traded.
    """

    DAY = 0
    PRICE_SCALE = 1
    PRICE_OFFSET = 2


INSTRUCTION_DTYPE = np.dtype(
    [
        ("op", np.int64),
        ("out", np.int64),
        ("a", np.int64),
        ("b", np.int64),
        ("state", np.int64),
        ("size", np.int64),
        ("value", np.float64),
        ("more", np.float64),
    ],
    align=True,
)
"""One instruction: registers read and written, the start of its state, a whole number and two other numbers."""


@dataclass(frozen=True)
class StepProgram:
    """A program for the simulation.

    Args:
        rows: its instructions (`INSTRUCTION_DTYPE`); those that read the position come first.
        registers: their contents before the first bar: the constants.
        state: the state before the first bar.
        inputs: the register of each column that it reads.
        outputs: the register of each value that is recorded.
        flags: the register of the combined signals; -1 where a column gives them.
        allowed: the register of the filters' verdict; -1 where a column gives it.
        further: both of these for each execution of the job but the first; none where columns give all of them.
    """

    rows: npt.NDArray[Any]
    registers: FloatColumn
    state: FloatColumn
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    flags: int = -1
    allowed: int = -1
    further: tuple[tuple[int, int], ...] = ()

    @property
    def heads(self) -> tuple[tuple[int, int], ...]:
        """The registers of signals and filter results for each execution; for omitted ones, both come from columns."""
        return (self.flags, self.allowed), *self.further

    def __post_init__(self) -> None:
        """Reject registers that don't exist: the compiled loop doesn't check them."""
        used = [*self.inputs, *self.outputs, *(register for head in self.heads for register in head)]
        used += [int(number) for name in ("out", "a", "b") for number in self.rows[name]]
        if used and not -1 <= min(used) <= max(used) < len(self.registers):
            raise ValueError(
                Message(
                    "a program of {count} registers uses register {most}", count=len(self.registers), most=max(used)
                )
            )


@dataclass(frozen=True)
class StepRecord:
    """The results of a program: for each instrument, the recorded values, of shape (k, n), and flags and filter mask.

    The latter have shape (executions, n).
    """

    values: tuple[FloatColumn, ...]
    flags: tuple[FlagColumn, ...]
    allowed: tuple[BoolColumn, ...]
