from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import Component
from quantcrafter.testing import assert_causal, assert_memory, columns_of, random_bars
from quantcrafter.testing.columns import cut_inputs
from tests.support.builtin_nodes import HAND_WRITTEN, TALIB_NAMES, talib_component, variants
from tests.support.columns import inputs_for

SHAPES = st.tuples(
    st.integers(0, 1000),
    st.sampled_from([1e-6, 1.0, 100.0, 1e9]),
    st.sampled_from([0.0, 0.02, 0.3]),
    st.sampled_from([0.0, 0.3, 1.0]),
)


def check(component: Component, shape: tuple[int, float, float, float], length: int, cuts: list[int]) -> None:
    seed, price, missing, flat = shape
    bars = random_bars(length, seed, price=price, flat=flat)
    assert_causal(component, bars, inputs_for(component, bars, seed, price=price, missing=missing), cuts)


@pytest.mark.parametrize("cls", HAND_WRITTEN, ids=lambda cls: cls.name)
@settings(max_examples=15, deadline=None)
@given(shape=SHAPES, cuts=st.lists(st.integers(0, 160), min_size=3, max_size=3))
def test_a_node_says_the_same_about_the_past_when_the_future_is_added(
    cls: type[Component], shape: tuple[int, float, float, float], cuts: list[int]
) -> None:
    for component in variants(cls):
        check(component, shape, 160, [*cuts, 0, 1, 2])


@pytest.mark.parametrize("name", TALIB_NAMES)
@settings(max_examples=4, deadline=None)
@given(shape=SHAPES, cut=st.integers(1, 260))
def test_a_talib_indicator_says_the_same_about_the_past_when_the_future_is_added(
    name: str, shape: tuple[int, float, float, float], cut: int
) -> None:
    for seed in (None, shape[0], shape[0] + 1):
        check(talib_component(name, seed), shape, 260, [0, 1, cut, 259])


@pytest.mark.parametrize("cls", HAND_WRITTEN, ids=lambda cls: cls.name)
def test_a_node_forgets_after_its_lookback(cls: type[Component]) -> None:
    for component in variants(cls):
        if component.lookback() is not None:
            bars = random_bars(2400, 5)
            for missing in (0.0, 0.02):
                inputs = inputs_for(component, bars, 5, missing=missing)
                assert_memory(component, bars, inputs, last=40, tolerance=1e-12)


@pytest.mark.parametrize("cls", [cls for cls in HAND_WRITTEN if cls.by_bar], ids=lambda cls: cls.name)
def test_a_node_that_needs_the_newest_bar_alone_gives_the_same_bits_from_it(cls: type[Component]) -> None:
    for component in variants(cls):
        for step_ns in (60_000_000_000, 3_600_000_000_000, 86_400_000_000_000):
            bars = random_bars(800, 7, step_ns=step_ns)
            inputs = inputs_for(component, bars, 7, missing=0.02)
            alone = [
                columns_of(component, bars.slice(bar, bar + 1), cut_inputs(inputs, bar, bar + 1)) for bar in range(800)
            ]
            for number, whole in enumerate(columns_of(component, bars, inputs)):
                assert np.concatenate([each[number] for each in alone]).tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", TALIB_NAMES)
def test_a_talib_indicator_forgets_after_its_lookback(name: str) -> None:
    for seed in (None, 11, 12):
        component = talib_component(name, seed)
        lookback = component.lookback()
        if lookback is None:
            continue
        length = lookback + 600
        for data in (1, 2):
            bars = random_bars(length, data, flat=0.0)
            assert_memory(component, bars, inputs_for(component, bars, data), last=50, tolerance=1e-11)


@pytest.mark.parametrize("name", TALIB_NAMES)
def test_a_talib_indicator_begins_where_its_warmup_ends(name: str) -> None:
    for seed in (None, 21):
        component = talib_component(name, seed)
        bars = random_bars(1500, 3, flat=0.0)
        inputs = inputs_for(component, bars, 3)
        if "input" in inputs:
            inputs["input"][:7] = np.nan
        lead = 7 if "input" in inputs else 0
        for column in columns_of(component, bars, inputs):
            if component.category != "Candlestick patterns":
                assert np.isnan(column[: lead + component.warmup()]).all()
