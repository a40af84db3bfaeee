"""What a node does bar by bar inside the bar loop equals its column, to the bit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quantcrafter
from quantcrafter.engine.api import Advisor, Component, Filter, Logic, PositionNode, Signals
from quantcrafter.nodes import advisors, filters, logic
from quantcrafter.nodes.advisors.lines import Crossover
from quantcrafter.nodes.logic.conditions import CrossesAbove, CrossesBelow
from tests.support.builtin_nodes import variants
from tests.support.causality import columns_of
from tests.support.columns import inputs_for, random_bars
from tests.support.step_forms import by_steps

ALL: tuple[type[Component], ...] = (*logic.COMPONENTS, *advisors.COMPONENTS, *filters.COMPONENTS)
BY_TIME_AND_BARS = {
    "constant",
    "time_of_day",
    "weekday",
    "breakout",
    "time_window",
    "weekdays",
    "event_calendar",
}
"""Nodes that read bars alone, so that nothing wired to them can depend on the position: they are columns always."""
FORMED = tuple(cls for cls in ALL if cls.name not in BY_TIME_AND_BARS and not issubclass(cls, PositionNode))
CROSSING = (CrossesAbove, CrossesBelow, Crossover)
LENGTH = 120
PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
PLAIN = (0.0, -0.0, 1.0, -1.0, 2.5, np.nan, np.inf, -np.inf, 1e308, 5e-324, 99.0, 101.0)


def assert_equal(component: Component, inputs: dict[str, Any], length: int) -> None:
    stepped = by_steps(component, inputs, length)
    assert stepped is not None
    with np.errstate(all="ignore"):
        columns = columns_of(component.compute(**inputs))
    for number, (column, bars) in enumerate(zip(columns, stepped, strict=True)):
        assert column.dtype == bars.dtype
        wrong = np.flatnonzero(bits(column) != bits(bars))
        at = wrong[:1]
        assert not len(wrong), f"{component!r}: output {number} at {at}: {column[at]}, by steps {bars[at]}"


def bits(column: np.ndarray) -> np.ndarray:
    """Return the bits of each value; all NaN are one."""
    if column.dtype != np.float64:
        return column
    return np.where(np.isnan(column), np.nan, column).view(np.int64)


def test_every_logic_node_advisor_and_filter_that_reads_more_than_bars_has_a_step_form() -> None:
    for cls in ALL:
        if cls.name in BY_TIME_AND_BARS:
            assert {port.type.value for port in cls.inputs()} == {"bars"}
        else:
            assert cls.overrides("steps"), f"{cls.name} has no step form"
    assert {Logic, Advisor, Filter} <= {base for cls in FORMED for base in cls.__mro__}


@pytest.mark.parametrize("cls", FORMED, ids=lambda cls: cls.name)
@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1000),
    price=st.sampled_from([1e-6, 1.0, 100.0, 1e9]),
    missing=st.sampled_from([0.0, 0.02, 0.3]),
    flat=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_a_step_form_gives_the_columns_bits_on_prices(
    cls: type[Component], seed: int, price: float, missing: float, flat: float
) -> None:
    bars = random_bars(LENGTH, seed, price=price, flat=flat)
    for component in variants(cls):
        assert_equal(component, inputs_for(component, bars, seed, price=price, missing=missing), LENGTH)


@pytest.mark.parametrize("cls", FORMED, ids=lambda cls: cls.name)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_step_form_gives_the_columns_bits_on_any_numbers(cls: type[Component], data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 40))
    bars = random_bars(length, 1)
    number = st.sampled_from(PLAIN) | st.floats(width=64)
    for component in variants(cls):
        inputs = inputs_for(component, bars, data.draw(st.integers(0, 99)))
        for name, value in inputs.items():
            if isinstance(value, np.ndarray) and value.dtype == np.float64:
                drawn = data.draw(st.lists(number, min_size=length, max_size=length))
                inputs[name] = np.array(drawn, np.float64)
            elif isinstance(value, tuple) and isinstance(value[0], Signals):
                flags = st.lists(st.integers(0, 15), min_size=length, max_size=length)
                inputs[name] = tuple(Signals(np.array(data.draw(flags), np.uint8)) for _ in value)
        assert_equal(component, inputs, length)


@pytest.mark.slow
@pytest.mark.parametrize("cls", CROSSING, ids=lambda cls: cls.name)
def test_a_step_form_forgets_a_side_when_the_column_does(cls: type[Component]) -> None:
    close = 100.0 + np.repeat([1.0, 0.0, -1.0, 0.0, 1.0, -1.0], [3, 999, 2, 1000, 2, 2])
    for component in variants(cls):
        inputs = {name: np.full(len(close), 100.0) for name in inputs_for(component, random_bars(2, 1), 1)}
        first = next(iter(inputs))
        assert_equal(component, {**inputs, first: close}, len(close))


def test_the_documented_node_of_a_plugin_gives_the_same_both_ways() -> None:
    text = PAGE.read_text(encoding="utf-8")
    code = next(part for part in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def steps" in part)
    names: dict[str, Any] = {**vars(quantcrafter), "np": np}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 - our own page
    component = names["Drift"](input="bars.close", bars=3, threshold=0.1)
    for seed in range(5):
        bars = random_bars(80, seed)
        assert_equal(component, inputs_for(component, bars, seed, missing=0.05), 80)
