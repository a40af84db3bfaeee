"""The trades of breakouts, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from quantcrafter.nodes.logic.breakouts import BreakoutOutcome
from tests.support.jobs import make_bars

NAN = np.nan


def outcome(rows: Sequence[Sequence[float]], *, multiple: float = 2.0, **lines: Any) -> Any:
    """Return side and last result over bars of open, high, low and close; a line is one number or one for each bar."""
    node = BreakoutOutcome(**{name: name for name in lines}, stop_multiple=multiple)
    columns = {name: np.broadcast_to(np.asarray(line, np.float64), len(rows)).copy() for name, line in lines.items()}
    side, last = node.compute(make_bars(rows), **columns)
    return side.tolist(), [None if np.isnan(value) else round(float(value), 9) for value in last]


def test_a_long_trade_is_followed_from_the_breakout_to_its_exit_line() -> None:
    rows = [(100, 101, 99, 100), (100, 102, 99, 101), (101, 106, 100, 105), (105, 106, 98, 99), (99, 100, 98, 99)]
    assert outcome(rows, upper=[102, 102, 110, 110, 110], exit_long=[90, 95, 99, 97, 97]) == (
        [0, 1, 1, 0, 0],
        [None, None, None, pytest.approx(100 * (99 - 102) / 102), pytest.approx(100 * (99 - 102) / 102)],
    )


def test_a_bar_that_opens_beyond_a_line_is_entered_and_left_at_its_open() -> None:
    rows = [(100, 101, 99, 100), (104, 108, 103, 107), (90, 91, 89, 90)]
    assert outcome(rows, upper=102, exit_long=95) == ([0, 1, 0], [None, None, pytest.approx(100 * (90 - 104) / 104)])


def test_a_stop_comes_before_a_farther_exit_line_and_counts_the_range_before_the_entry() -> None:
    rows = [(100, 101, 99, 100), (100, 101, 96, 97), (97, 104, 97, 103)]
    # Short at 98 with a stop of two ranges of 2.5 above it; the range of the entry's own bar doesn't matter.
    assert outcome(rows, lower=98, exit_short=110, atr=[2.5, 9, 9]) == (
        [0, -1, 0],
        [None, None, pytest.approx(-100 * 5 / 98)],
    )


def test_a_close_beyond_the_stop_ends_the_trade_in_the_bar_of_its_entry() -> None:
    rows = [(100, 101, 99, 100), (100, 103, 96, 97), (97, 103, 96, 102.5)]
    assert outcome(rows, upper=102, atr=2.0) == ([0, 0, 1], [None, -3.921568627, -3.921568627])


def test_of_two_lines_in_one_bar_the_one_nearer_to_the_open_counts() -> None:
    rows = [(100, 101, 99, 100), (100, 103, 96, 99)]
    assert outcome(rows, upper=102, lower=97)[0] == [0, 1]
    assert outcome(rows, upper=102, lower=99)[0] == [0, -1]
    assert outcome(rows, upper=100, lower=100)[0] == [0, 1]


def test_without_lines_nothing_is_followed() -> None:
    rows = [(100, 101, 99, 100)] * 3
    assert outcome(rows) == ([0, 0, 0], [None] * 3)
    assert outcome(rows, upper=[NAN] * 3, exit_long=99) == ([0, 0, 0], [None] * 3)
