"""The step form of a component: what it does at one bar, as a short program that runs inside the bar loop.

Columns are computed before a run, so they can't know the position. What depends on the position runs bar by bar: each
node adds instructions to one program over registers (float64), which the simulation executes at every close. A
condition is 1 or 0, a signal its flags as a number. State lasts from bar to bar: previous values, counters, and rings
that hold a window. The same operations are compiled once for all strategies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.step_program import INSTRUCTION_DTYPE, Given, Known, Op, StepProgram


@dataclass(frozen=True, slots=True, eq=False)
class StepValue:
    """What an instruction gives at each bar. Operators make further instructions, for floats and conditions alike.

    `+ - * /` follow IEEE: a division by zero gives infinity, which `StepForm.finite` makes NaN. Comparisons are 0 where
    a side is NaN; `equal` and `differs` take the place of `==` and `!=`. `& | ~` are and, or, not.
    """

    tape: Tape
    register: int

    def __add__(self, other: StepValue | float) -> StepValue:
        return self.tape.emit(Op.ADD, self, other)

    def __sub__(self, other: StepValue | float) -> StepValue:
        return self.tape.emit(Op.SUBTRACT, self, other)

    def __mul__(self, other: StepValue | float) -> StepValue:
        return self.tape.emit(Op.MULTIPLY, self, other)

    def __truediv__(self, other: StepValue | float) -> StepValue:
        return self.tape.emit(Op.DIVIDE, self, other)

    def __radd__(self, other: float) -> StepValue:
        return self.tape.emit(Op.ADD, other, self)

    def __rsub__(self, other: float) -> StepValue:
        return self.tape.emit(Op.SUBTRACT, other, self)

    def __rmul__(self, other: float) -> StepValue:
        return self.tape.emit(Op.MULTIPLY, other, self)

    def __rtruediv__(self, other: float) -> StepValue:
        return self.tape.emit(Op.DIVIDE, other, self)

    def __neg__(self) -> StepValue:
        return self.tape.emit(Op.MULTIPLY, self, -1.0)

    def __abs__(self) -> StepValue:
        return self.tape.emit(Op.MAGNITUDE, self)

    def __gt__(self, other: StepValue | float) -> StepValue:
        return self.tape.emit(Op.ABOVE, self, other)

    def __ge__(self, other: StepValue | float) -> StepValue:
        return self.tape.emit(Op.AT_LEAST, self, other)

    def __lt__(self, other: StepValue | float) -> StepValue:
        return self.tape.emit(Op.ABOVE, other, self)

    def __le__(self, other: StepValue | float) -> StepValue:
        return self.tape.emit(Op.AT_LEAST, other, self)

    def __and__(self, other: StepValue) -> StepValue:
        return self.tape.emit(Op.BOTH, self, other)

    def __or__(self, other: StepValue) -> StepValue:
        return self.tape.emit(Op.EITHER, self, other)

    def __invert__(self) -> StepValue:
        return self.tape.emit(Op.NOT, self)

    def equal(self, other: StepValue | float) -> StepValue:
        """Return whether both are the same number."""
        return self.tape.emit(Op.EQUAL, self, other)

    def differs(self, other: StepValue | float) -> StepValue:
        """Return whether both are numbers, and not the same."""
        return (self > other) | (self < other)


@dataclass(eq=False)
class Tape:
    """A program as it grows, one node after the other."""

    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _registers: list[float] = field(default_factory=list)
    _state: list[float] = field(default_factory=list)
    _places: dict[int, int] = field(default_factory=dict)
    _numbers: dict[str, StepValue] = field(default_factory=dict)
    _inputs: dict[Any, StepValue] = field(default_factory=dict)
    _known: dict[Known, StepValue] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[Any, ...]:
        """What each input was called by, in order."""
        return tuple(self._inputs)

    def number(self, value: float) -> StepValue:
        """Return a constant."""
        name = repr(float(value))  # tells 0.0 from -0.0
        if name not in self._numbers:
            self._numbers[name] = self._register(float(value))
        return self._numbers[name]

    def input(self, source: Any) -> StepValue:
        """Return the value of a column, which `source` names; equal names are one input."""
        if source not in self._inputs:
            self._inputs[source] = self._register()
        return self._inputs[source]

    def known(self, what: Known) -> StepValue:
        """Return something of the position or the account."""
        if what not in self._known:
            self._known[what] = self._register()
        return self._known[what]

    def emit(
        self,
        op: Op,
        a: StepValue | float,
        b: StepValue | float = 0.0,
        value: float = 0.0,
        more: float = 0.0,
        size: int = 0,
        state: Sequence[float] = (),
        shares: StepValue | None = None,
    ) -> StepValue:
        """Add an instruction and return what it gives.

        `state` is what it remembers before the first bar; `shares` is the value of an instruction whose state it uses.
        """
        first, second = (each if isinstance(each, StepValue) else self.number(each) for each in (a, b))
        if first.tape is not self or second.tape is not self:
            raise ValueError(Message("values of two programs can't be combined"))
        out = self._register()
        place = len(self._state) if shares is None else self._places[shares.register]
        self._places[out.register] = place
        self._rows.append((op, out.register, first.register, second.register, place, size, value, more))
        self._state += state
        return out

    def program(
        self, outputs: Sequence[StepValue], heads: Sequence[tuple[StepValue | None, StepValue | None]] = ()
    ) -> StepProgram:
        """Return the program, which records `outputs`, and after them what it knew of the position.

        `heads` has the combined signals and the filters' verdict of each execution; None where a column gives them.
        """
        recorded = [*outputs, *(value for value in self._known.values() if value not in outputs)]
        known = [(Op.KNOWN, value.register, 0, 0, 0, int(what), 0.0, 0.0) for what, value in self._known.items()]
        registers = [tuple(-1 if each is None else each.register for each in head) for head in heads] or [(-1, -1)]
        (flags, allowed), *further = registers
        return StepProgram(
            np.array([*known, *self._rows], INSTRUCTION_DTYPE),
            np.array(self._registers, np.float64),
            np.array(self._state, np.float64),
            tuple(value.register for value in self._inputs.values()),
            tuple(value.register for value in recorded),
            flags,
            allowed,
            tuple((first, second) for first, second in further),
        )

    def _register(self, value: float = math.nan) -> StepValue:
        self._registers.append(value)
        return StepValue(self, len(self._registers) - 1)


class StepForm:
    """What a component's `steps` is given: its inputs as values, and the operations to make further ones of.

    Every operation is executed at every bar of the instrument, in the order in which `steps` asks for it.
    """

    def __init__(
        self,
        tape: Tape,
        inputs: Mapping[str, StepValue | tuple[StepValue, ...]],
        bars: Mapping[str, Callable[[str], StepValue]] | None = None,
    ) -> None:
        self._tape = tape
        self._inputs = inputs
        self._bars = bars or {}

    # ------------------------------------------------------------------ what there is

    def input(self, port: str) -> StepValue:
        """Return what an input port brings.

        Raises:
            LookupError: nothing is wired to it, or it takes a list or bars.
        """
        value = self._inputs.get(port)
        if not isinstance(value, StepValue):
            raise LookupError(port)  # noqa: TRY004 - of the port, not of its type
        return value

    def inputs(self, port: str) -> tuple[StepValue, ...]:
        """Return what an input port that takes a list brings; nothing where nothing is wired."""
        values = self._inputs.get(port, ())
        return values if isinstance(values, tuple) else (values,)

    def bars(self, port: str, column: str) -> StepValue:
        """Return a column, such as `close`, of the bars that an input port brings.

        Raises:
            LookupError: no bars are wired to it.
        """
        return self._bars[port](column)

    def number(self, value: float) -> StepValue:
        """Return a constant."""
        return self._tape.number(value)

    def known(self, what: Known) -> StepValue:
        """Return something of the position or the account, as it is at the close."""
        return self._tape.known(what)

    def given(self, what: Given) -> StepValue:
        """Return a column that the engine gives."""
        return self._tape.input(what)

    # ------------------------------------------------------------------ at one bar

    def finite(self, value: StepValue) -> StepValue:
        """Return the value, NaN where it is infinite."""
        return self._tape.emit(Op.FINITE, value)

    def least(self, a: StepValue | float, b: StepValue | float) -> StepValue:
        """Return the smaller of two; NaN where one is, never -0."""
        return self._tape.emit(Op.LEAST, a, b)

    def most(self, a: StepValue | float, b: StepValue | float) -> StepValue:
        """Return the greater of two; NaN where one is, never -0."""
        return self._tape.emit(Op.MOST, a, b)

    def floor(self, value: StepValue) -> StepValue:
        """Return the greatest whole number that is at most the value, never -0."""
        return self._tape.emit(Op.FLOOR, value)

    def root(self, value: StepValue) -> StepValue:
        """Return the square root; NaN of a number below 0."""
        return self._tape.emit(Op.ROOT, value)

    def log(self, value: StepValue) -> StepValue:
        """Return the natural logarithm; NaN unless the value is above 0 and finite."""
        return self._tape.emit(Op.LOG, value)

    def exp(self, value: StepValue) -> StepValue:
        """Return e to the power of the value; infinite above 709, 0 below -745."""
        return self._tape.emit(Op.EXP, value)

    def has_value(self, value: StepValue) -> StepValue:
        """Return whether it is a number, not NaN."""
        return value.equal(value)

    def all(self, conditions: Sequence[StepValue]) -> StepValue:
        """Return whether all of one or more conditions hold."""
        held, *others = conditions
        for each in others:
            held &= each
        return held

    def any(self, conditions: Sequence[StepValue]) -> StepValue:
        """Return whether one of one or more conditions holds."""
        held, *others = conditions
        for each in others:
            held |= each
        return held

    def flags(self, legs: Mapping[int, StepValue]) -> StepValue:
        """Return a signal: each flag where its condition holds."""
        joined = self.number(0.0)
        for flag, condition in legs.items():
            joined = self._tape.emit(Op.JOIN_FLAGS, joined, self.choose(condition, flag))
        return joined

    def choose(self, condition: StepValue, number: float) -> StepValue:
        """Return a number where a condition holds, else 0."""
        return self._tape.emit(Op.CHOOSE, condition, value=number)

    def select(self, condition: StepValue, then: StepValue | float, otherwise: StepValue | float) -> StepValue:
        """Return `then` where a condition holds, else `otherwise`."""
        kept = self._tape.emit(Op.HOLD, otherwise, 1.0, state=[math.nan])
        return self._tape.emit(Op.HOLD, then, condition, shares=kept)

    def join_flags(self, a: StepValue, b: StepValue) -> StepValue:
        """Return the flags that either signal has."""
        return self._tape.emit(Op.JOIN_FLAGS, a, b)

    def meet_flags(self, a: StepValue, b: StepValue | float) -> StepValue:
        """Return the flags that both signals have."""
        return self._tape.emit(Op.MEET_FLAGS, a, b)

    # ------------------------------------------------------------------ with a memory

    def lag(self, value: StepValue, bars: int, before: float = math.nan) -> StepValue:
        """Return the value of `bars` (1 or more) bars ago; `before` during the first of them."""
        return self._tape.emit(Op.LAG, value, size=bars, state=[0.0, *([before] * bars)])

    def cross(
        self, left: StepValue | float, right: StepValue | float, memory: int, *, above: int = 0, below: int = 0
    ) -> StepValue:
        """Return `above` at a bar at which left crosses above right, `below` where it crosses below, else 0.

        A bar crosses when the two differ at it, and stood the other way round at the last bar before, at most `memory`
        ago, at which they differed.
        """
        return self._tape.emit(Op.CROSS, left, right, float(above), float(below), memory, [0.0, 0.0])

    def age(self, begins: StepValue, ends: StepValue | float = 0.0) -> StepValue:
        """Return the bars since `begins` last held, 0 at that bar; NaN before, and from when `ends` holds on."""
        return self._tape.emit(Op.AGE, begins, ends, state=[math.nan])

    def count(self, condition: StepValue, bars: int) -> StepValue:
        """Return at how many of the last `bars` bars a condition held; NaN while there were fewer."""
        return self._tape.emit(Op.COUNT, condition, size=bars, state=[0.0, 0.0, 0.0, *([0.0] * bars)])

    def highest_since(self, value: StepValue, condition: StepValue) -> StepValue:
        """Return the highest value since a condition last held, that bar included; NaN before the first time."""
        return self._tape.emit(Op.HIGHEST_SINCE, value, condition, state=[0.0, math.nan])

    def hold(self, value: StepValue, condition: StepValue) -> StepValue:
        """Return the value of the bar at which a condition last held; NaN before the first time."""
        return self._tape.emit(Op.HOLD, value, condition, state=[math.nan])

    def recall(self, before: float = math.nan) -> StepValue:
        """Return what `keep` was given for it at the bar before; `before` at the first bar."""
        return self._tape.emit(Op.HOLD, 0.0, 0.0, state=[before])

    def keep(self, recalled: StepValue, value: StepValue) -> None:
        """Let a recalled value be this one at the next bar."""
        self._tape.emit(Op.HOLD, value, 1.0, shares=recalled)

    def latch(self, on: StepValue, off: StepValue, *, on_first: bool = False) -> StepValue:
        """Return whether `on` held since `off` last did; where both hold, `off` counts unless `on_first`."""
        return self._tape.emit(Op.LATCH, on, off, float(on_first), state=[0.0])

    def tally(self, condition: StepValue, restart: StepValue | float = 0.0) -> StepValue:
        """Return at how many bars a condition held since `restart` last did, that bar included."""
        return self._tape.emit(Op.TALLY, condition, restart, state=[0.0])

    def advance(self, conditions: Sequence[StepValue], restart: StepValue | float = 0.0) -> StepValue:
        """Return how many of 1 to 32 conditions have held in order, each at a later bar than the one before.

        After the bar of the last, and at a bar at which `restart` holds, it begins again from 0.
        """
        bits = self.number(0.0)
        for place, condition in enumerate(conditions):
            bits += self.choose(condition, float(1 << place))
        return self._tape.emit(Op.ADVANCE, bits, restart, size=len(conditions), state=[0.0])

    def stance(self, signal: StepValue) -> StepValue:
        """Return ENTER_LONG while a signal's last entry was long, ENTER_SHORT while short, 0 while out."""
        return self._tape.emit(Op.STANCE, signal, state=[0.0])

    def growth(self, total: StepValue, period: StepValue) -> StepValue:
        """Return by how much a total has grown since `period` (such as the day) last changed."""
        return self._tape.emit(Op.GROWTH, total, period, state=[math.nan, 0.0, 0.0])

    def rank(self, value: StepValue, bars: int) -> StepValue:
        """Return the percentile rank of the value among the last `bars`, as the node `rank` does."""
        return self._tape.emit(Op.RANK, value, size=bars, state=[0.0, 0.0, *([math.nan] * bars)])

    def zscore(self, value: StepValue, bars: int) -> StepValue:
        """Return how many standard deviations the value is above the mean of the last `bars`, as `zscore` does."""
        return self._tape.emit(Op.ZSCORE, value, size=bars, state=[0.0, 0.0, *([math.nan] * bars)])

    def volatility(self, price: StepValue, bars: int, bars_per_year: float) -> StepValue:
        """Return the annual volatility of the last `bars` log returns in percent, as the node `volatility` does."""
        state = [0.0, 0.0, math.nan, *([math.nan] * bars)]
        return self._tape.emit(Op.VOLATILITY, price, value=bars_per_year, size=bars, state=state)


StepOutputs = StepValue | tuple[StepValue, ...] | None
"""What `Component.steps` returns: one value, one for each output, or None where there is no step form."""
