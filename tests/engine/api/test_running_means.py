"""Two running means in one pass have the bits of TA-Lib's, in Python and compiled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.compiled import compile_kept, is_kept
from quantcrafter.engine.api.frozen import read_only
from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.api.running_means import PART, running_means
from quantcrafter.nodes.indicators.talib_import import functions
from tests.support.counts import sample


def prices(seed: int, count: int) -> FloatColumn:
    """Return prices in hundredths: none of their sums is exact."""
    steps = np.random.default_rng(seed).normal(0.0, 0.3, count)
    column: FloatColumn = read_only(np.round(np.abs(200.0 + np.cumsum(steps)) + 1.0, 2))
    return column


def means(values: FloatColumn, short: int, long: int) -> tuple[FloatColumn, FloatColumn]:
    found = np.empty(len(values)), np.empty(len(values))
    running_means(values, short, long, *found)
    return found


def assert_as_talib_has_it(values: FloatColumn, short: int, long: int) -> None:
    for period, mean in zip((short, long), means(values, short, long), strict=True):
        assert mean.tobytes() == functions().SMA(values, timeperiod=period).tobytes()


@settings(max_examples=sample(60, of=2_000), deadline=None)
@given(st.integers(0, 1 << 30), st.integers(2, 40), st.integers(0, 700), st.integers(0, 3 * PART))
def test_means_have_the_bits_of_talib(seed: int, short: int, more: int, further: int) -> None:
    assert_as_talib_has_it(prices(seed, short + more + further), short, short + more)


@pytest.mark.parametrize("periods", [(2, 3), (10, 30), (500, 1_500), (7, 7), (2, 6_000)])
def test_compiled_means_have_the_bits_of_talib(periods: tuple[int, int]) -> None:
    compile_kept(running_means, prices(0, 3), 2, 3, np.empty(3), np.empty(3))
    assert is_kept(running_means)
    assert_as_talib_has_it(prices(1, 6_000 + PART // 2), *periods)
