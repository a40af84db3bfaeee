from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.data.align import align, as_of

TIMES = st.lists(st.integers(0, 1000), unique=True).map(lambda items: np.array(sorted(items), dtype=np.int64))


@given(TIMES, TIMES)
def test_only_closed_bars_are_seen_and_the_last_of_them(source: np.ndarray, target: np.ndarray) -> None:
    for index, moment in zip(as_of(source, target).tolist(), target.tolist(), strict=True):
        closed = [place for place, close in enumerate(source.tolist()) if close <= moment]
        assert index == (closed[-1] if closed else -1)


def test_before_the_first_bar_there_is_no_value_and_no_signal() -> None:
    index = np.array([-1, 0, 0, 1])
    np.testing.assert_array_equal(align(np.array([1.5, 2.5]), index), [np.nan, 1.5, 1.5, 2.5])
    assert align(np.array([True, True]), index).tolist() == [False, True, True, True]
    flags = align(np.array([3, 4], dtype=np.uint8), index)
    assert flags.tolist() == [0, 3, 3, 4]
    assert flags.dtype == np.uint8


def test_the_fill_can_be_chosen_and_the_source_stays_as_it_was() -> None:
    column = np.array([1.0, 2.0])
    assert align(column, np.array([-1, 1]), fill=0.0).tolist() == [0.0, 2.0]
    assert column.tolist() == [1.0, 2.0]


def test_an_empty_source_gives_fills_only() -> None:
    index = as_of(np.array([], dtype=np.int64), np.array([1, 2]))
    assert np.isnan(align(np.array([]), index)).all()
