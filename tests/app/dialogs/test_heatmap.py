"""The heatmap finds its cells, marks the present setting, and tells by colours that differ in lightness."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.heatmap import Heatmap, HeatmapData, shade
from quantcrafter.app.theme.tokens import contrast
from tests.support import mouse

DATA = HeatmapData(
    columns=("10", "20", "30"),
    rows=("100", "200"),
    values=((1.0, 2.0, math.nan), (3.0, 4.0, 5.0)),
    texts=(("1.00", "2.00", ""), ("3.00", "4.00", "5.00")),
    column_title="fast.timeperiod",
    row_title="slow.timeperiod",
    now=(0, 1),
)


@pytest.fixture
def heatmap(qtbot: QtBot) -> Heatmap:
    heatmap = Heatmap()
    qtbot.addWidget(heatmap)
    heatmap.resize(560, 360)
    heatmap.show_data(DATA)
    heatmap.show()
    return heatmap


def middle(heatmap: Heatmap, row: int, column: int) -> QPoint:
    return heatmap.cell_rect(row, column).center().toPoint()


def test_a_click_gives_the_cell_that_is_seen_there(heatmap: Heatmap, qtbot: QtBot) -> None:
    for row in range(2):
        for column in range(3):
            with qtbot.waitSignal(heatmap.chosen) as chosen:
                QTest.mouseClick(heatmap, Qt.MouseButton.LeftButton, pos=middle(heatmap, row, column))
            assert chosen.args == [row, column]


def test_the_mouse_and_the_arrow_keys_point_at_cells(heatmap: Heatmap, qtbot: QtBot) -> None:
    with qtbot.waitSignal(heatmap.pointed) as pointed:
        mouse.hover(heatmap, middle(heatmap, 1, 2))
    assert pointed.args == [(1, 2)]
    QTest.keyClick(heatmap, Qt.Key.Key_Up)
    QTest.keyClick(heatmap, Qt.Key.Key_Left)
    assert heatmap.here == (0, 1)
    with qtbot.waitSignal(heatmap.chosen) as chosen:
        QTest.keyClick(heatmap, Qt.Key.Key_Return)
    assert chosen.args == [0, 1]


def test_better_cells_are_brighter_and_missing_ones_wear_no_colour_of_the_scale(heatmap: Heatmap) -> None:
    picture = heatmap.grab().toImage()

    def lightness(row: int, column: int) -> int:
        rect = heatmap.cell_rect(row, column)
        return picture.pixelColor(rect.topLeft().toPoint() + QPoint(9, 9)).lightness()

    order = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert [lightness(*cell) for cell in order] == sorted(lightness(*cell) for cell in order)
    missing = picture.pixelColor(heatmap.cell_rect(0, 2).topLeft().toPoint() + QPoint(9, 9))
    assert abs(missing.red() - missing.blue()) < 30


def test_the_scale_grows_in_lightness_all_the_way() -> None:
    shades = [shade(number / 20) for number in range(21)]
    ratios = [contrast("#000000", color) for color in shades]
    assert ratios == sorted(ratios)
    assert contrast(shades[0], shades[-1]) > 7
