"""What is written on nodes that are shown zoomed out."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.items.scene_style import SceneStyle
from quantcrafter.app.canvas.items.zoomed_out import FAIR, LARGEST, LEAST, far_texts, halved

WIDTH, HEIGHT = 176.0, 60.0
"""The room on a node with one row of ports."""


@pytest.fixture
def looks(qtbot: QtBot) -> SceneStyle:  # noqa: ARG001 - fonts need the application
    return SceneStyle()


def test_near_enough_a_name_has_its_parameters_below_it(looks: SceneStyle) -> None:
    texts = far_texts("rate", "60 · close", WIDTH, HEIGHT + 40, looks, 0.6)

    assert (texts.lines, texts.second, texts.pixels) == (("rate",), "60 · close", LARGEST)


def test_far_away_the_parameters_make_room_for_a_name_that_can_be_read(looks: SceneStyle) -> None:
    texts = far_texts("rate", "60 · close", WIDTH, HEIGHT, looks, 0.34)

    assert (texts.lines, texts.second) == (("rate",), "")
    assert texts.pixels >= FAIR


def test_a_long_name_takes_two_lines_before_it_is_cut(looks: SceneStyle) -> None:
    texts = far_texts("leader_average", "100", WIDTH, HEIGHT + 30, looks, 0.3)

    assert texts.lines == ("leader_", "average")
    assert texts.pixels >= LEAST


def test_only_what_fits_in_no_way_is_cut(looks: SceneStyle) -> None:
    texts = far_texts("a" * 60, "", WIDTH, HEIGHT, looks, 0.3)

    assert len(texts.lines) == 1
    assert texts.lines[0].endswith("…")


@pytest.mark.parametrize("scale", [0.25, 0.34, 0.43, 0.6])
@pytest.mark.parametrize("name", ["x", "leader_up", "weekly_trend_filter", "averages"])
def test_what_is_written_lies_within_the_node(looks: SceneStyle, name: str, scale: float) -> None:
    from PySide6.QtGui import QFont

    texts = far_texts(name, "trade · up", WIDTH, HEIGHT, looks, scale)
    _, metrics = looks.far_font(texts.pixels, scale, QFont.Weight.DemiBold)

    assert max(metrics.horizontalAdvance(line) for line in texts.lines) <= WIDTH
    assert len(texts.lines) == 1 or metrics.height() * len(texts.lines) <= HEIGHT


def test_a_name_is_halved_where_it_has_a_mark() -> None:
    assert halved("weekly_trend_filter") == ("weekly_", "trend_filter")
    assert halved("averages") == ("averages",)
