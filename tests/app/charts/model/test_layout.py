"""How panels share the height."""

from __future__ import annotations

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from quantcrafter.app.charts.model.layout import PanelSpec, arrange, resized

SPECS = (
    PanelSpec("price", 4, 140, 100),
    PanelSpec("strip:a", 0, 16, 30, fixed=True),
    PanelSpec("plot:rsi", 1.6, 52, 60),
    PanelSpec("equity", 1.7, 52, 40),
    PanelSpec("drawdown", 0.9, 40, 20),
)


@given(st.integers(1, 2500))
@example(1001)  # lines between two pixels
def test_panels_lie_one_below_the_other_and_fill_the_height(height: int) -> None:
    places, left_out = arrange(SPECS, height, {})
    assert [*(place.key for place in places), *left_out].count("price") == 1
    assert {place.key for place in places} | set(left_out) == {spec.key for spec in SPECS}
    assert places[0].top == 0
    assert abs(places[-1].bottom - height) <= 1
    for above, below in itertools.pairwise(places):
        assert above.bottom < below.top <= above.bottom + 2


def test_the_least_important_panels_go_first_when_room_is_short() -> None:
    assert arrange(SPECS, 400, {})[1] == ()
    assert arrange(SPECS, 290, {})[1] == ("drawdown",)
    assert set(arrange(SPECS, 250, {})[1]) == {"drawdown", "strip:a"}
    assert [place.key for place in arrange(SPECS, 60, {})[0]] == ["price"]


@given(st.integers(-900, 900))
def test_dragging_a_divider_moves_it_as_far_as_both_sides_allow(pixels: int) -> None:
    places, _ = arrange(SPECS, 700, {})
    weights = resized(places, SPECS, 2, pixels)
    moved, _ = arrange(SPECS, 700, weights)
    assert moved[2].height >= 51
    assert moved[3].height >= 51
    assert abs(moved[0].bottom - places[0].bottom) <= 2
    if abs(pixels) < 20:
        assert abs(moved[2].bottom - places[2].bottom - pixels) <= 2


def test_a_strip_keeps_its_height() -> None:
    places, _ = arrange(SPECS, 700, {})
    assert resized(places, SPECS, 0, 30) == resized(places, SPECS, 0, 0)
