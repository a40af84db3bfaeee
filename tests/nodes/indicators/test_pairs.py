"""Hedge ratios and mean reversion against numpy's least squares; the correlation of TA-Lib against numpy's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantcrafter.engine.api import FloatColumn
from quantcrafter.nodes.indicators.pairs import HedgeRatio, MeanReversion
from quantcrafter.nodes.indicators.talib_family import FAMILY
from quantcrafter.testing import wired

BARS = 30
RNG = np.random.default_rng(5)
SECOND = 50.0 * np.exp(np.cumsum(RNG.normal(0.0, 0.01, 400)))
FIRST = 7.0 + 1.4 * SECOND + np.convolve(RNG.normal(0.0, 0.3, 400), np.ones(5), "same")


def least_squares(first: FloatColumn, second: FloatColumn, *, intercept: bool) -> list[float]:
    """Return ratio, intercept and newest residual of a window, by numpy's solver."""
    columns = [second, np.ones(len(second))] if intercept else [second]
    solved = np.linalg.lstsq(np.column_stack(columns), first, rcond=None)[0]
    level = float(solved[1]) if intercept else 0.0
    return [float(solved[0]), level, float(first[-1] - level - solved[0] * second[-1])]


@pytest.mark.parametrize("scale", ["price", "log"])
@pytest.mark.parametrize("intercept", [True, False])
def test_the_hedge_ratio_is_that_of_numpy_s_least_squares(scale: str, *, intercept: bool) -> None:
    node = HedgeRatio(first="a", second="b", bars=BARS, scale=scale, intercept=intercept)
    found = np.array(node.compute(FIRST, SECOND))
    first, second = (FIRST, SECOND) if scale == "price" else (np.log(FIRST), np.log(SECOND))
    assert np.isnan(found[:, : BARS - 1]).all()
    for bar in range(BARS - 1, 400):
        window = slice(bar - BARS + 1, bar + 1)
        wanted = least_squares(first[window], second[window], intercept=intercept)
        assert found[:, bar] == pytest.approx(wanted, rel=1e-7, abs=1e-9)


def test_a_window_with_a_gap_or_without_movement_has_no_ratio() -> None:
    second = np.where(np.arange(400) == 100, np.nan, SECOND)
    ratio, level, residual = HedgeRatio(first="a", second="b", bars=BARS).compute(FIRST, second)
    assert np.isnan(ratio[100 : 100 + BARS]).all()
    assert not np.isnan(ratio[100 + BARS])
    for flat in HedgeRatio(first="a", second="b", bars=BARS).compute(FIRST, np.full(400, 0.1)):
        assert np.isnan(flat).all()
    assert np.isnan(level[100])
    assert np.isnan(residual[100])


def test_half_life_and_t_value_are_those_of_the_regression_of_changes_on_levels() -> None:
    spread = FIRST - 1.4 * SECOND
    half_life, t_value = MeanReversion(input="x", bars=BARS).compute(input=spread)
    assert np.isnan(half_life[:BARS]).all()
    assert np.isnan(t_value[:BARS]).all()
    for bar in range(BARS, 400):
        before, change = spread[bar - BARS : bar], np.diff(spread[bar - BARS : bar + 1])
        design = np.column_stack([before, np.ones(BARS)])
        solved = np.linalg.lstsq(design, change, rcond=None)[0]
        variance = np.sum((change - design @ solved) ** 2) / (BARS - 2)
        error = math.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0])
        assert t_value[bar] == pytest.approx(solved[0] / error, rel=1e-6)
        if -1.0 < solved[0] < 0.0:
            assert half_life[bar] == pytest.approx(-math.log(2.0) / math.log(1.0 + solved[0]), rel=1e-6)
        else:
            assert np.isnan(half_life[bar])


def test_an_autoregression_has_the_half_life_of_its_coefficient() -> None:
    values = np.empty(5_000)
    values[0] = 0.0
    for i, noise in enumerate(np.random.default_rng(1).normal(0.0, 1.0, 4_999)):
        values[i + 1] = 0.9 * values[i] + noise
    half_life, t_value = MeanReversion(input="x", bars=4_000).compute(input=values)
    assert half_life[-1] == pytest.approx(math.log(0.5) / math.log(0.9), rel=0.1)
    assert t_value[-1] < -10.0  # 0.1 / sqrt((1 - 0.9 ** 2) / 4,000) is 14.5


def test_the_rolling_correlation_is_talib_s() -> None:
    node = wired(FAMILY.build("ta.CORREL"), timeperiod=BARS)
    found = node.compute(input0=FIRST, input1=SECOND)
    for bar in range(BARS - 1, 400):
        window = slice(bar - BARS + 1, bar + 1)
        assert found[bar] == pytest.approx(np.corrcoef(FIRST[window], SECOND[window])[0, 1], rel=1e-6)
