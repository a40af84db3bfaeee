from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.simulation.financing import borrow_fee, split_lots
from quantcrafter.engine.simulation.sizing import kelly_percent, ratio_steps, streak_percent

DAY_NS = 86_400_000_000_000


def ring(*results: float) -> np.ndarray:
    column = np.zeros(8)
    column[: len(results)] = results
    return column


def test_kelly_of_two_wins_and_a_loss_of_half_their_size() -> None:
    assert kelly_percent(ring(0.1, 0.1, -0.05), 0, 3) == pytest.approx(50.0)


def test_kelly_without_losses_is_the_chance_and_without_wins_as_low_as_can_be() -> None:
    assert kelly_percent(ring(0.1, 0.0), 0, 2) == 50.0
    assert kelly_percent(ring(-0.1), 0, 1) == -math.inf
    assert kelly_percent(ring(0.0), 0, 1) == 0.0


def test_kelly_reads_a_ring_over_its_end() -> None:
    results = ring(-0.05, 0, 0, 0, 0, 0, 0.1, 0.1)
    assert kelly_percent(results, 6, 3) == pytest.approx(50.0)


@pytest.mark.parametrize(("profit", "steps"), [(-5, 1), (0, 1), (99.99, 1), (100, 2), (299.99, 2), (300, 3), (600, 4)])
def test_fixed_ratio_steps_are_reached_at_the_triangular_numbers(profit: float, steps: int) -> None:
    assert ratio_steps(profit, 100.0) == steps


@given(st.floats(0.01, 100), st.floats(1.01, 10), st.integers(0, 10_000), st.floats(0.01, 100))
@settings(deadline=None)
def test_a_streak_never_passes_its_cap_however_long_it_is(
    start: float, factor: float, streak: int, most: float
) -> None:
    percent = streak_percent(start, factor, streak, most)
    assert percent <= most
    if start * factor ** min(streak, 100) < most and streak < 100:
        assert percent == pytest.approx(start * factor**streak)


def test_a_year_of_borrowing_costs_the_percentage() -> None:
    assert borrow_fee(-10.0, 50.0, 3.0, 365 * DAY_NS) == pytest.approx(15.0)


@given(st.integers(-(10**9), 10**9), st.integers(1, 100), st.integers(1, 100))
@settings(deadline=None)
def test_a_split_gives_as_many_whole_lots_as_fractions_say(lots: int, numerator: int, denominator: int) -> None:
    exact = abs(lots) * Fraction(numerator, denominator)
    assert split_lots(lots, numerator / denominator) == math.copysign(math.floor(exact), lots)
