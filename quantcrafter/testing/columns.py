"""What a component gives over whole columns, in each of its forms: `compute`, `on_bar`, and `steps`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import Bars, Component, PortType, Signals, StepForm, StepProgram
from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.api.steps import StepValue, Tape
from quantcrafter.engine.api.universe import UniverseNode
from quantcrafter.engine.graph.across import Members, across, moments_of
from quantcrafter.engine.graph.bar_events import loop_on_bar

Columns = list[npt.NDArray[Any]]

_DTYPES = {PortType.SERIES: np.float64, PortType.CONDITION: np.bool_, PortType.FILTER: np.bool_}


def columns_of(component: Component, bars: Bars, inputs: dict[str, Any]) -> Columns:
    """Return each column that `compute`, or else `on_bar`, gives; a signal's flags, and its strength if it has one.

    `inputs` are by port, as `random_inputs` makes them. `on_bar` is asked at every bar of `bars`, with a state that is
    empty at the first.

    Raises:
        ComponentError: `on_bar` raised.
    """
    with np.errstate(all="ignore"):
        if isinstance(component, UniverseNode):
            return among_others(component, bars, inputs)
        if type(component).overrides("compute"):
            result = component.compute(**inputs)
        else:
            result = loop_on_bar(component, "tested", bars, inputs)
    if isinstance(result, Signals):
        return [result.flags, *([] if result.strength is None else [result.strength])]
    return [np.asarray(column) for column in result] if isinstance(result, tuple) else [np.asarray(result)]


SYMBOLS = ("FIRST", "TESTED", "OFTEN", "SELDOM")
"""The instruments among which a component that sees the universe is tested."""


def among_others(component: UniverseNode, bars: Bars, inputs: dict[str, Any]) -> Columns:
    """Return what a component gives that sees the universe: the tested instrument is the second of four.

    The others have values made of its own, some of them equal, and lack bars: which, depends on the times alone.

    Raises:
        ComponentError: `across` raised, or returned something else.
    """
    minute = bars.open_ns // 60_000_000_000
    kept = [minute % 3 > 0, np.ones(len(bars), np.bool_), minute % 7 > 0, minute % 5 == 0]
    closes = [bars.close_ns[each] for each in kept]
    columns = [
        {port: _varied(value, number - 1, rows) for port, value in inputs.items()} for number, rows in enumerate(kept)
    ]
    members = Members(SYMBOLS, {getattr(component, "within", ""): ("a", "a", "b", "a")})
    tables = across(component, "tested", members, moments_of(bars.close_ns), closes, columns)
    return [np.ascontiguousarray(table[:, 1]) for table in tables]


def _varied(value: Any, by: int, rows: npt.NDArray[np.bool_]) -> Any:
    """Return rows of a column; of another instrument, each value moved and rounded."""
    if isinstance(value, tuple):
        return tuple(_varied(each, by, rows) for each in value)
    if not by:
        return value[rows]
    return (~value if value.dtype == np.bool_ else np.round(value * (1.0 + by / 100.0), 1))[rows]


def step_columns(component: Component, bars: Bars, inputs: dict[str, Any]) -> Columns | None:
    """Return each output of the step form as the column that it gives bar by bar; None where there is no step form."""
    from quantcrafter.engine.simulation.steps import run_program

    tape = Tape()
    columns: dict[Any, FloatColumn] = {}

    def value_of(source: Any, column: Any) -> StepValue:
        columns[source] = (column.flags if isinstance(column, Signals) else np.asarray(column)).astype(np.float64)
        return tape.input(source)

    def bars_of(port: str) -> Any:
        return lambda name: value_of((port, name), inputs[port].column(name))

    ports = [port for port in type(component).inputs() if port.name in inputs]
    values = {
        port.name: tuple(value_of((port.name, number), each) for number, each in enumerate(inputs[port.name]))
        if port.many
        else value_of((port.name, 0), inputs[port.name])
        for port in ports
        if port.type is not PortType.BARS
    }
    market = {port.name: bars_of(port.name) for port in ports if port.type is PortType.BARS}
    made = component.steps(StepForm(tape, values, market))
    if made is None:
        return None
    outputs = made if isinstance(made, tuple) else (made,)
    steps = _steps_of(tape.program(outputs), [columns[source] for source in tape.sources], len(bars))
    with np.errstate(all="ignore"):
        for row in range(len(bars)):
            run_program(steps, 0, row)
    kinds = [_DTYPES.get(output.type, np.uint8) for output in component.outputs]
    return [column.astype(kind) for column, kind in zip(steps.outputs, kinds, strict=True)]


def cut(value: Any, start: int, stop: int) -> Any:
    """Return rows `start` to `stop` of a column, bars, signals or a tuple of them."""
    if isinstance(value, Bars):
        return value.slice(start, stop)
    if isinstance(value, Signals):
        return Signals(value.flags[start:stop], None if value.strength is None else value.strength[start:stop])
    if isinstance(value, tuple):
        return tuple(cut(part, start, stop) for part in value)
    return value[start:stop]


def cut_inputs(inputs: dict[str, Any], start: int, stop: int) -> dict[str, Any]:
    """Return rows `start` to `stop` of the column at each port."""
    return {name: cut(value, start, stop) for name, value in inputs.items()}


def _steps_of(program: StepProgram, columns: list[FloatColumn], length: int) -> Any:
    from quantcrafter.engine.simulation.steps import Steps

    return Steps(
        program.rows,
        program.registers[None, :].copy(),
        program.state[None, :].copy(),
        np.array(columns, np.float64).reshape(len(columns), length),
        np.array(program.inputs, np.int64),
        np.full((len(program.outputs), length), np.nan),
        np.array(program.outputs, np.int64),
        np.array(program.heads, np.int64),
        np.zeros(length, np.uint8),
        np.zeros((len(program.heads), length), np.uint8),
        np.ones((len(program.heads), length), np.bool_),
    )
