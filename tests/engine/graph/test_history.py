"""Histories grow at their end, are shared, and refuse what can't be the next bar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api import (
    NEW_YORK_STOCKS,
    ROUND_THE_CLOCK,
    Bar,
    Bars,
    CorporateActions,
    DataError,
    Session,
    Timeframe,
)
from quantcrafter.engine.data.resample import resample
from quantcrafter.engine.graph.history import BarHistory, Growing, HistoryCache, bar_of
from quantcrafter.testing import make_bars, random_bars
from tests.support.counts import sample

MINUTE = 60_000_000_000


def grown(bars: Bars, start: int = 0) -> BarHistory:
    history = BarHistory(bars.slice(0, start))
    for index in range(start, len(bars)):
        history.append(bar_of(bars, index))
    return history


def test_a_history_that_grew_bar_by_bar_is_the_one_that_was_there_at_once() -> None:
    bars = random_bars(3_000, 1)
    history = grown(bars, 40)
    assert history.bars().content_hash == bars.content_hash
    assert history.fingerprint == BarHistory(bars).fingerprint
    assert history.bars(1_234).content_hash == bars.slice(0, 1_234).content_hash


def test_prices_as_traded_and_corporate_actions_grow_with_the_adjusted_prices() -> None:
    bars = random_bars(100, 2)
    split = np.where(np.arange(100) == 60, 2.0, 1.0)
    traded = replace(random_bars(100, 3), actions=CorporateActions(split, np.zeros(100)))
    adjusted = replace(bars, traded=traded)
    history = grown(adjusted, 10)
    again = history.bars()
    assert again.traded is not None
    assert again.traded.content_hash == traded.content_hash
    assert history.fingerprint == BarHistory(adjusted).fingerprint
    assert history.fingerprint != BarHistory(bars).fingerprint


def test_views_stay_as_they_are_while_the_history_grows_and_cannot_be_written_to() -> None:
    bars = random_bars(3_000, 4)
    history = BarHistory(bars.slice(0, 1_000))
    early = history.bars()
    before = early.close.copy()
    for index in range(1_000, 3_000):
        history.append(bar_of(bars, index))
    assert (early.close == before).all()
    with pytest.raises(ValueError, match="read-only"):
        early.close[0] = 1.0


def test_a_column_grows_without_moving_at_each_value() -> None:
    column, moved, last = Growing(np.zeros(0)), 0, None
    for value in range(100_000):
        column.append(float(value))
        address = column.view(1).__array_interface__["data"][0]
        moved += address != last
        last = address
    assert moved < 20
    assert (column.view(100_000) == np.arange(100_000.0)).all()


GOOD = Bar(100 * MINUTE, 101 * MINUTE, 10.0, 11.0, 9.0, 10.5, 5.0)
WRONG = {
    "a price that is none": (replace(GOOD, high=float("nan")), "prices above 0"),
    "a negative price": (replace(GOOD, low=-1.0), "prices above 0"),
    "a close above the high": (replace(GOOD, close=12.0), "between low and high"),
    "a negative volume": (replace(GOOD, volume=-1.0), "volume of 0 or more"),
    "no length": (replace(GOOD, close_ns=100 * MINUTE), "must open before it closes"),
    "an earlier one": (replace(GOOD, open_ns=MINUTE, close_ns=2 * MINUTE), "must come after the last one"),
    "a split out of nothing": (replace(GOOD, split=2.0), "adjust: actions"),
    "prices as traded out of nothing": (replace(GOOD, traded=GOOD), "must not have a second bar"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bar_that_cannot_be_the_next_one_is_refused_and_changes_nothing(name: str) -> None:
    bar, told = WRONG[name]
    history = BarHistory(make_bars([10.0, 11.0], first_open_ns=50 * MINUTE))
    before = history.fingerprint
    with pytest.raises(DataError, match="A bar of TEST that closes at 1970-01-01") as raised:
        history.append(bar)
    assert told in str(raised.value)
    assert (len(history), history.fingerprint) == (2, before)
    history.append(GOOD)


@settings(max_examples=sample(8, of=500), deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["5m", "1h", "4h", "1d", "2d", "1w", "1mo", "1m"]),
    st.sampled_from([MINUTE, 20 * MINUTE]),
    st.floats(0, 0.9),
    st.sampled_from([NEW_YORK_STOCKS, ROUND_THE_CLOCK]),
)
def test_longer_bars_are_known_when_a_batch_of_the_bars_so_far_has_them(
    seed: int, timeframe: str, step_ns: int, gaps: float, session: Session
) -> None:
    random = np.random.default_rng(seed)
    made = random_bars(1_500, seed, step_ns=step_ns)
    rows = np.flatnonzero(random.random(len(made)) >= gaps)
    names = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    columns = {name: getattr(made, name)[rows] for name in names}
    bars = replace(made, session=session, timeframe=Timeframe.parse(f"{step_ns // MINUTE}m"), **columns)
    target = Timeframe.parse(timeframe)
    if target.nominal_ns % step_ns or target.nominal_ns < step_ns:
        return
    history = BarHistory(bars.slice(0, int(random.integers(0, len(bars)))))
    longer = history.resampled(target)
    shown = random.integers(0, len(bars) + 1, 25)
    for index in range(len(history), len(bars)):
        history.append(bar_of(bars, index))
    for count in sorted(int(each) for each in shown):
        expected = resample(bars.slice(0, count), target)
        assert longer.history.bars(longer.count(count)).content_hash == expected.content_hash, count


def test_strategies_that_ask_for_the_same_source_share_its_history() -> None:
    cache, bars = HistoryCache(), random_bars(300, 6)
    first = cache.history("A", bars.slice(0, 100))
    longer = cache.history("A", bars.slice(0, 200))
    assert longer is first
    assert len(first) == 200
    assert cache.history("A", bars.slice(0, 50)) is first
    assert cache.history("B", bars.slice(0, 50)) is not first
    assert cache.history("A", bars.slice(10, 50)) is not first
    other = replace(bars, close=bars.close + 0.0, high=bars.high + 1.0)
    assert cache.history("A", other.slice(0, 50)) is not first


def test_a_bar_that_another_strategy_brought_is_taken_once_and_must_be_the_same() -> None:
    bars = random_bars(12, 7)
    history = BarHistory(bars.slice(0, 10))
    for _ in range(2):
        history.take(10, bar_of(bars, 10))
        history.take(11, bar_of(bars, 11))
    assert len(history) == 12
    with pytest.raises(DataError, match="differs from the one that another strategy was given"):
        history.take(11, replace(bar_of(bars, 11), volume=0.5))
