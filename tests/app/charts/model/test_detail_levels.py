"""A level of detail says the same as the bars it stands for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantcrafter.app.charts.model.detail_levels import FlagLevels, RangeLevels, SumLevels, bucket_range, bucket_step

NUMBERS = st.one_of(st.floats(-1e9, 1e9), st.just(float("nan")), st.just(float("inf")), st.just(float("-inf")))
COLUMNS = st.integers(1, 1500).flatmap(lambda count: arrays(np.float64, count, elements=NUMBERS))
STEPS = st.integers(0, 11).map(lambda power: 2**power)


def plain(values: np.ndarray, step: int, function: str) -> list[float]:
    """Return each bucket's value, by a loop in plain Python."""
    functions: dict[str, Callable[[list[float]], float]] = {"min": min, "max": max, "sum": sum}
    found = []
    for start in range(0, len(values), step):
        known = [value for value in values[start : start + step].tolist() if np.isfinite(value)]
        found.append(functions[function](known) if known else float("nan"))
    return found


@given(COLUMNS, STEPS)
def test_no_level_loses_a_least_or_a_greatest_value(values: np.ndarray, step: int) -> None:
    levels = RangeLevels(values)
    span = levels.span(-0.5, len(values) - 0.5, max(len(values) // step, 1))
    np.testing.assert_array_equal(span.low, plain(values, span.step, "min"))
    np.testing.assert_array_equal(span.high, plain(values, span.step, "max"))


@given(COLUMNS, st.floats(-50, 1600), st.floats(0, 800), st.integers(1, 400))
def test_a_span_covers_the_visible_bars_in_no_more_buckets_than_asked(
    values: np.ndarray, left: float, width: float, most: int
) -> None:
    span = RangeLevels(values).span(left, left + width, most)
    assert len(span.low) <= most + 2
    inside = [bar for bar in range(len(values)) if left <= bar <= left + width]
    for bar in inside:
        assert span.first <= bar // span.step < span.first + len(span.low)


@given(COLUMNS)
def test_the_extremes_of_all_bars_are_those_of_the_column(values: np.ndarray) -> None:
    known = values[np.isfinite(values)]
    expected = (known.min(), known.max()) if len(known) else None
    assert RangeLevels(values).extremes(-1, len(values)) == expected


@given(
    st.integers(1, 1500).flatmap(lambda n: arrays(np.float64, n, elements=st.sampled_from([0.0, 1, 7, 2**20]))), STEPS
)
def test_sums_are_those_of_the_bars(values: np.ndarray, step: int) -> None:
    count = -(-len(values) // step)
    assert SumLevels(values).sums(step, 0, count).tolist() == plain(values, step, "sum")


@given(st.integers(1, 1500).flatmap(lambda n: arrays(np.uint8, n, elements=st.integers(0, 15))), STEPS)
def test_every_flag_of_a_bucket_is_kept(values: np.ndarray, step: int) -> None:
    count = -(-len(values) // step)
    expected = [int(np.bitwise_or.reduce(values[at : at + step])) for at in range(0, len(values), step)]
    assert FlagLevels(values).flags(step, 0, count).tolist() == expected


def test_a_condition_is_one_flag() -> None:
    assert FlagLevels(np.array([True, False, True])).flags(1, 0, 3).tolist() == [1, 0, 1]


@given(st.floats(-1e4, 1e4), st.floats(0.1, 1e4), st.floats(-30, 30))
def test_buckets_stay_where_they_are_while_the_view_moves(left: float, width: float, move: float) -> None:
    step = bucket_step(width, 100)
    before = bucket_range(left, left + width, step, 5000)
    after = bucket_range(left + move, left + move + width, step, 5000)
    shared = set(range(*before)) & set(range(*after))
    assert shared or before[0] == before[1] or after[0] == after[1] or abs(move) >= width or step > abs(move)


def test_no_bars_give_no_buckets() -> None:
    span = RangeLevels(np.zeros(0)).span(0, 10, 10)
    assert len(span.low) == 0
    assert RangeLevels(np.zeros(0)).extremes(0, 10) is None
