"""The visible bars and the scales of values."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quantcrafter.app.charts.model.prices import (
    axis_texts,
    decimals_of,
    number_text,
    round_step,
    short_text,
    value_ticks,
)
from quantcrafter.app.charts.model.scales import LEAST_BARS, Scale, Window

COUNTS = st.integers(1, 1_000_000)


@given(COUNTS, st.lists(st.tuples(st.sampled_from(["pan", "zoom"]), st.floats(-1e6, 1e6)), max_size=8))
def test_some_bar_is_always_in_view_whatever_is_done(count: int, moves: list[tuple[str, float]]) -> None:
    window = Window.whole(count)
    for kind, amount in moves:
        if kind == "pan":
            window = window.panned(amount)
        else:
            window = window.zoomed(2 ** max(min(amount, 20), -20), window.left + window.width * 0.3)
        assert window.width >= LEAST_BARS * 0.999
        assert window.left < count
        assert window.right > -1


@given(st.integers(1000, 1_000_000), st.floats(0.3, 0.7), st.floats(1.1, 4))
def test_zooming_in_keeps_the_bar_under_the_cursor_where_it_is(count: int, share: float, factor: float) -> None:
    window = Window.whole(count)
    at = window.left + share * window.width
    zoomed = window.zoomed(factor, at)
    assert (at - zoomed.left) / zoomed.width == pytest.approx(share)
    assert zoomed.width == pytest.approx(window.width / factor)


def test_a_window_moves_only_as_far_as_it_takes_to_show_a_bar() -> None:
    window = Window(100, 200, 1000)
    assert window.showing(150) == window
    assert window.showing(300).right == pytest.approx(308)
    assert window.showing(50).left == pytest.approx(42)


@given(st.floats(0.001, 1e6), st.floats(1.0001, 1e3), st.booleans())
def test_a_scale_leads_back_from_pixels_to_values(low: float, ratio: float, log: bool) -> None:  # noqa: FBT001
    scale = Scale.fitting((low, low * ratio), 10, 310, log=log)
    for value in (low, low * math.sqrt(ratio), low * ratio):
        pixel = scale.pixels(value)
        assert 10 < pixel < 310
        assert scale.value(pixel) == pytest.approx(value)


def test_a_logarithmic_scale_spaces_doublings_evenly() -> None:
    scale = Scale.fitting((10, 80), 0, 300, log=True)
    steps = [scale.pixels(10 * 2**power) - scale.pixels(10 * 2 ** (power + 1)) for power in range(3)]
    assert steps == pytest.approx([steps[0]] * 3)


def test_a_scale_of_one_value_still_has_a_height() -> None:
    assert Scale.fitting((5, 5), 0, 100).pixels(5.0) == pytest.approx(50)
    assert Scale.fitting(None, 0, 100).high > Scale.fitting(None, 0, 100).low


def test_a_logarithmic_scale_needs_positive_values() -> None:
    assert not Scale.fitting((-1, 5), 0, 100, log=True).log


@given(st.floats(-100, 100), st.floats(0.2, 5))
def test_moving_and_stretching_a_scale_move_and_stretch_what_is_seen(pixels: float, factor: float) -> None:
    scale = Scale.fitting((10, 20), 0, 200)
    assert scale.moved(pixels).pixels(15.0) == pytest.approx(scale.pixels(15.0) + pixels)
    before = scale.pixels(12.0) - scale.pixels(18.0)
    stretched = scale.stretched(factor)
    assert stretched.pixels(12.0) - stretched.pixels(18.0) == pytest.approx(before * factor)


@given(st.floats(1e-6, 1e9), st.floats(2, 12))
def test_a_step_is_round_and_leaves_no_more_ticks_than_asked(span: float, most: float) -> None:
    step = round_step(span, most)
    assert span / step <= most * 1.0001
    assert f"{step:.1e}"[:3] in {"1.0", "2.0", "2.5", "5.0"}


@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e6))
def test_ticks_are_multiples_of_their_step_within_the_scale(low: float, span: float) -> None:
    assume(low + span > low)
    scale = Scale(low, low + span, 0, 200)
    values, step = value_ticks(scale, 6)
    assert all(scale.low - step * 1e-6 <= value <= scale.high + step * 1e-6 for value in values)
    assert all(value / step == pytest.approx(round(value / step), abs=1e-6) for value in values)


def test_texts_of_an_axis_tell_its_values_apart() -> None:
    assert axis_texts([97_500, 100_000, 102_500], 2500) == ["97.5k", "100.0k", "102.5k"]
    assert axis_texts([1_000_000, 2_000_000], 1_000_000) == ["1M", "2M"]
    assert axis_texts([1.05, 1.1], 0.05) == ["1.05", "1.10"]


def test_numbers_are_told_as_people_write_them() -> None:
    assert number_text(1234567.891, 2) == "1,234,567.89"
    assert number_text(-0.001, 2) == "0.00"
    assert number_text(float("nan"), 2) == "\N{EN DASH}"
    assert [short_text(value) for value in (12_300_000, 45_600, 0.00001234)] == ["12.3M", "45.6k", "1.23e-05"]
    assert [decimals_of(step) for step in (1, 0.5, 0.01, 0.00025)] == [0, 1, 2, 5]
