"""Candles of several bars, and Heikin-Ashi bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.charts.model.candles import CandleLevels, heikin_ashi
from tests.support.ledgers import walk_bars


@given(st.integers(1, 900), st.integers(1, 300), st.integers(0, 1000))
def test_a_candle_of_several_bars_is_what_a_longer_timeframe_would_show(count: int, most: int, seed: int) -> None:
    bars = walk_bars(count, seed=seed)
    candles = CandleLevels.of(bars).span(-0.5, count - 0.5, most)
    for number in range(len(candles.close)):
        own = slice(number * candles.step, (number + 1) * candles.step)
        assert candles.open[number] == bars.open[own][0]
        assert candles.close[number] == bars.close[own][-1]
        assert candles.high[number] == bars.high[own].max()
        assert candles.low[number] == bars.low[own].min()
        assert candles.volume[number] == pytest.approx(bars.volume[own].sum())


@given(st.integers(1, 400), st.integers(0, 1000))
def test_heikin_ashi_follows_its_recurrence(count: int, seed: int) -> None:
    bars = walk_bars(count, seed=seed)
    opened, high, low, close = heikin_ashi(bars.open, bars.high, bars.low, bars.close)
    expected = (bars.open[0] + bars.close[0]) / 2
    for bar in range(count):
        if bar:
            expected = (expected + close[bar - 1]) / 2
        assert opened[bar] == pytest.approx(expected, rel=1e-14)
        assert close[bar] == pytest.approx((bars.open[bar] + bars.high[bar] + bars.low[bar] + bars.close[bar]) / 4)
        assert high[bar] == max(bars.high[bar], opened[bar], close[bar])
        assert low[bar] == min(bars.low[bar], opened[bar], close[bar])


@given(st.integers(2, 300), st.data())
def test_heikin_ashi_knows_nothing_of_later_bars(count: int, data: st.DataObject) -> None:
    bars = walk_bars(count)
    end = data.draw(st.integers(1, count))
    whole = heikin_ashi(bars.open, bars.high, bars.low, bars.close)
    part = heikin_ashi(bars.open[:end], bars.high[:end], bars.low[:end], bars.close[:end])
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal(one[:end], other)
