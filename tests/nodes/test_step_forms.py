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
from quantcrafter.engine.api import Advisor, Component, Filter, Logic, PositionNode
from quantcrafter.engine.api.universe import UniverseNode
from quantcrafter.nodes import advisors, filters, logic
from quantcrafter.nodes.advisors.lines import Crossover
from quantcrafter.nodes.logic.conditions import CrossesAbove, CrossesBelow
from quantcrafter.testing import assert_both_forms, cases, make_bars, random_bars
from tests.support.builtin_nodes import variants
from tests.support.columns import inputs_for

ALL: tuple[type[Component], ...] = (*logic.COMPONENTS, *advisors.COMPONENTS, *filters.COMPONENTS)
BY_TIME_AND_BARS = {
    "session",
    "opening_range",
    "calendar",
    "constant",
    "time_of_day",
    "weekday",
    "breakout",
    "time_window",
    "weekdays",
    "event_calendar",
    "signal_file",
}
"""Nodes that read bars alone, so that nothing wired to them can depend on the position: they are columns always."""
FORMED = tuple(
    cls for cls in ALL if cls.name not in BY_TIME_AND_BARS and not issubclass(cls, (PositionNode, UniverseNode))
)
CROSSING = (CrossesAbove, CrossesBelow, Crossover)
LENGTH = 120
PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


def test_every_logic_node_advisor_and_filter_that_reads_more_than_bars_has_a_step_form() -> None:
    for cls in ALL:
        if cls.name in BY_TIME_AND_BARS:
            assert {port.type.value for port in cls.inputs()} == {"bars"}
        elif issubclass(cls, UniverseNode):  # computed for all instruments at once, before the bar loop
            assert cls.across is not UniverseNode.across
            assert not cls.overrides("steps")
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
        assert_both_forms(component, bars, inputs_for(component, bars, seed, price=price, missing=missing))


@pytest.mark.parametrize("cls", FORMED, ids=lambda cls: cls.name)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_step_form_gives_the_columns_bits_on_any_numbers(cls: type[Component], data: st.DataObject) -> None:
    for component in variants(cls):
        assert_both_forms(component, *data.draw(cases(component, max_size=40, any_numbers=True)))


@pytest.mark.slow
@pytest.mark.parametrize("cls", CROSSING, ids=lambda cls: cls.name)
def test_a_step_form_forgets_a_side_when_the_column_does(cls: type[Component]) -> None:
    close = 100.0 + np.repeat([1.0, 0.0, -1.0, 0.0, 1.0, -1.0], [3, 999, 2, 1000, 2, 2])
    for component in variants(cls):
        inputs = {name: np.full(len(close), 100.0) for name in inputs_for(component, random_bars(2, 1), 1)}
        first = next(iter(inputs))
        assert_both_forms(component, make_bars(close), {**inputs, first: close})


def test_the_documented_node_of_a_plugin_gives_the_same_both_ways() -> None:
    text = PAGE.read_text(encoding="utf-8")
    code = next(part for part in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def steps" in part)
    names: dict[str, Any] = {name: getattr(quantcrafter, name) for name in quantcrafter.__all__} | {"np": np}
    exec(compile(code, str(PAGE), "exec", dont_inherit=True), names)  # noqa: S102 - our own page
    component = names["Drift"](input="bars.close", bars=3, threshold=0.1)
    for seed in range(5):
        bars = random_bars(80, seed)
        assert_both_forms(component, bars, inputs_for(component, bars, seed, missing=0.05))
