"""What holds for every component: it knows no future, remembers what it says, and gives the same in all its forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import (
    Bars,
    Component,
    DataNode,
    ExecutionLogic,
    MoneyManager,
    PortType,
    PositionNode,
    RiskManager,
)
from quantcrafter.testing.columns import Columns, columns_of, cut_inputs, step_columns
from quantcrafter.testing.market import random_bars, random_inputs

MEMORY_DIGITS = 1e-9
"""How far, relative to the largest value, a value from the remembered bars alone may be off: `lookback` promises nine
digits."""

_NODE = "tested"


def check_component(component: Component, *, seeds: Iterable[int] = range(5), length: int = 300) -> None:
    """Make every check that applies to a component, over random data of each seed.

    The parameters are written and read back. A component that gives columns, which execution, risk and money don't, is
    checked for causality and its warm-up, with and without gaps in the data; for its memory, if `lookback` says how
    long it is and `length` is enough; and the step form against the columns, if it has one.

    Raises:
        AssertionError: a check failed; it names the component, the output and the bar.
        ComponentError: `on_bar` raised.
    """
    assert_round_trip(component)
    if isinstance(component, DataNode | PositionNode | RiskManager | MoneyManager | ExecutionLogic):
        return
    lookback = component.lookback()
    for seed in seeds:
        bars = random_bars(length, seed)
        for missing in (0.0, 0.02):
            inputs = random_inputs(component, bars, seed, missing=missing)
            assert_causal(component, bars, inputs)
            assert_warmup(component, bars, inputs)
            if lookback is not None and lookback + 2 < length:
                assert_memory(component, bars, inputs)
            if type(component).overrides("steps") and step_columns(component, bars, inputs) is not None:
                assert_both_forms(component, bars, inputs)


def assert_causal(
    component: Component, bars: Bars, inputs: dict[str, Any] | None = None, cuts: Iterable[int] | None = None
) -> None:
    """Assert that what a component gives for the first bars is, to the last bit, the beginning of what all bars give.

    Without `inputs` the columns at its ports are random. `cuts` are the numbers of bars to try: by default none, one,
    two, and several up to all but one.

    Raises:
        AssertionError: a value changed when later bars were added, or a column has another length than the bars.
    """
    n = len(bars)
    given = random_inputs(component, bars, 1) if inputs is None else inputs
    full = columns_of(component, bars, given)
    for name, column in zip(_names(component, full), full, strict=True):
        assert len(column) == n, f"{component!r}: output '{name}' must have {n} values, one a bar, has {len(column)}."
    for count in sorted({0, 1, 2, n // 3, n // 2, n - 1} & set(range(n + 1))) if cuts is None else cuts:
        short = columns_of(component, bars.slice(0, count), cut_inputs(given, 0, count))
        for name, whole, part in zip(_names(component, full), full, short, strict=True):
            same = _same(whole[:count], part)
            bar = int(np.argmin(same)) if len(same) else 0
            assert same.all(), (
                f"{component!r}: output '{name}' at bar {bar} must not depend on later bars. It is {part[bar]} with "
                f"{count} bars and {whole[bar]} with {n}."
            )


def assert_memory(
    component: Component,
    bars: Bars,
    inputs: dict[str, Any] | None = None,
    *,
    last: int = 40,
    tolerance: float = MEMORY_DIGITS,
) -> None:
    """Assert that the values at the last bars need no more than `lookback()` bars before each.

    `tolerance` is relative to the largest of these values. Fewer than `last` bars are looked at where there are only so
    many after the lookback.

    Raises:
        AssertionError: they differ when only so many bars are given, `lookback` is None, or there are too few bars.
    """
    lookback = component.lookback()
    assert lookback is not None, f"{component.name} must say how far it looks back. Give it a method 'lookback'."
    last = min(last, len(bars) - lookback - 2)
    assert last >= 0, f"{component!r} needs more than {lookback + 1} bars, was given {len(bars)}. Give more."
    given = random_inputs(component, bars, 1) if inputs is None else inputs
    start = len(bars) - lookback - 1 - last
    full = columns_of(component, bars, given)
    window = columns_of(component, bars.slice(start, len(bars)), cut_inputs(given, start, len(bars)))
    for name, whole, part in zip(_names(component, full), full, window, strict=True):
        recent, again = (column[-1 - last :].astype(np.float64) for column in (whole, part))
        what = f"{component!r}: output '{name}' must depend on no more than the {lookback} bars before the newest"
        assert (np.isnan(recent) == np.isnan(again)).all(), f"{what}, but with these alone other bars have no value."
        scale = float(np.nanmax(np.abs(recent), initial=1e-300))
        off = float(np.nanmax(np.abs(recent - again), initial=0.0)) / scale
        assert off <= tolerance, f"{what}, but with these alone it differs by {off:.1e} of its size."


def assert_warmup(component: Component, bars: Bars, inputs: dict[str, Any] | None = None) -> None:
    """Assert that a series has no value at the first `warmup()` bars, as said, where its inputs are complete.

    Raises:
        AssertionError: an output that is a series has a value earlier.
    """
    given = random_inputs(component, bars, 1) if inputs is None else inputs
    warmup = component.warmup()
    for output, column in zip(component.outputs, columns_of(component, bars, given), strict=False):
        if output.type is PortType.SERIES:
            early = np.flatnonzero(~np.isnan(column[:warmup]))
            assert not len(early), (
                f"{component!r}: output '{output.name}' must be NaN at the first {warmup} bars, as 'warmup' says, but "
                f"is {column[early[0]]} at bar {early[0]}."
            )


def assert_both_forms(component: Component, bars: Bars, inputs: dict[str, Any] | None = None) -> None:
    """Assert that the step form gives, bar by bar, the same bits as the columns; NaN is NaN whatever its bits are.

    Raises:
        AssertionError: a value differs, or there is no step form.
    """
    given = random_inputs(component, bars, 1) if inputs is None else inputs
    stepped = step_columns(component, bars, given)
    assert stepped is not None, f"{component!r} must have a step form. Give it a method 'steps'."
    columns = columns_of(component, bars, given)
    for name, column, steps in zip(_names(component, columns), columns, stepped, strict=True):
        assert column.dtype == steps.dtype, f"{component.name}: output '{name}' is {column.dtype}, not {steps.dtype}."
        wrong = np.flatnonzero(_bits(column) != _bits(steps))
        assert not len(wrong), (
            f"{component!r}: output '{name}' must be the same in both forms. At bar {wrong[0]} it is "
            f"{column[wrong[0]]} as a column and {steps[wrong[0]]} by steps."
        )


def assert_round_trip(component: Component) -> None:
    """Assert that the component, written to a strategy file and read again, is equal.

    Raises:
        AssertionError: it is another, or what was written is refused.
    """
    from pydantic import ValidationError

    from quantcrafter.engine.spec.document import StrategyFile

    document = StrategyFile.loads(f"quantcrafter: 1\nlogic: {{{_NODE}: {{}}}}\n")
    document.set(("logic", _NODE), component.model_dump(mode="json"))
    written = StrategyFile.loads(document.dumps()).value["logic"][_NODE]
    try:
        again = type(component).model_validate(written)
    except ValidationError as error:
        faults = "; ".join(f"'{'.'.join(map(str, each['loc']))}': {each['msg']}" for each in error.errors())
        raise AssertionError(f"{component!r} is refused when it is read from a file. {faults}.") from error
    assert again == component, f"{component!r} must be the same when it is read from a file, but is {again!r}."


def _names(component: Component, columns: Columns) -> list[str]:
    """Return a name for each column: those of the outputs; what is more is the strength of a signal."""
    names = [output.name for output in component.outputs]
    return [*names, *["strength"] * (len(columns) - len(names))][: len(columns)]


def _same(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if left.dtype != np.float64:
        return np.asarray(left == right)
    return np.asarray((left == right) | (np.isnan(left) & np.isnan(right)))


def _bits(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the bits of each value; all NaN are one."""
    if column.dtype != np.float64:
        return column
    return np.where(np.isnan(column), np.nan, column).view(np.int64)
