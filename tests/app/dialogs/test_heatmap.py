"""The heatmap finds its cells, marks the present setting, and tells by colours that differ in lightness."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.heatmap import Heatmap, HeatmapData, shade
from quantcrafter.app.theme.colors import contrast
from tests.support import mouse

GAP = 6
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
    qtbot.waitExposed(heatmap)
    settle()
    return heatmap


def viewport(heatmap: Heatmap) -> QWidget:
    assert heatmap.surface is not None
    found: QWidget = heatmap.surface.viewport()
    return found


def settle() -> None:
    """Let the layout of the plot take place, which pyqtgraph does when it is idle."""
    for _ in range(5):
        QApplication.processEvents()


def middle(heatmap: Heatmap, row: int, column: int) -> QPoint:
    return heatmap.cell_rect(row, column).center().toPoint()


def test_a_click_gives_the_cell_that_is_seen_there(heatmap: Heatmap, qtbot: QtBot) -> None:
    for row in range(2):
        for column in range(3):
            with qtbot.waitSignal(heatmap.chosen) as chosen:
                QTest.mouseClick(viewport(heatmap), Qt.MouseButton.LeftButton, pos=middle(heatmap, row, column))
            assert chosen.args == [row, column]


def test_the_mouse_and_the_arrow_keys_point_at_cells(heatmap: Heatmap, qtbot: QtBot) -> None:
    with qtbot.waitSignal(heatmap.pointed) as pointed:
        mouse.hover(viewport(heatmap), middle(heatmap, 1, 2))
    assert pointed.args == [(1, 2)]
    QTest.keyClick(heatmap, Qt.Key.Key_Up)
    QTest.keyClick(heatmap, Qt.Key.Key_Left)
    assert heatmap.here == (0, 1)
    with qtbot.waitSignal(heatmap.chosen) as chosen:
        QTest.keyClick(heatmap, Qt.Key.Key_Return)
    assert chosen.args == [0, 1]


def test_better_cells_are_brighter_and_missing_ones_wear_no_colour_of_the_scale(heatmap: Heatmap) -> None:
    picture = viewport(heatmap).grab().toImage()

    def lightness(row: int, column: int) -> int:
        rect = heatmap.cell_rect(row, column)
        return picture.pixelColor(rect.topLeft().toPoint() + QPoint(9, 9)).lightness()

    order = [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert [lightness(*cell) for cell in order] == sorted(lightness(*cell) for cell in order)
    missing = picture.pixelColor(heatmap.cell_rect(0, 2).topLeft().toPoint() + QPoint(9, 9))
    assert abs(missing.red() - missing.blue()) < 30


def test_zooming_and_panning_keep_cells_and_pointer_together(heatmap: Heatmap, qtbot: QtBot) -> None:
    before = heatmap.cell_rect(0, 1)
    QTest.keyClick(heatmap, Qt.Key.Key_Plus)
    QTest.keyClick(heatmap, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    settle()
    after = heatmap.cell_rect(0, 1)
    assert after.width() > before.width() * 1.1
    assert after.height() > before.height() * 1.1
    inside = after.intersected(QRectF(viewport(heatmap).rect())).center().toPoint()
    with qtbot.waitSignal(heatmap.chosen) as chosen:
        QTest.mouseClick(viewport(heatmap), Qt.MouseButton.LeftButton, pos=inside)
    assert chosen.args == [0, 1]
    QTest.keyClick(heatmap, Qt.Key.Key_Home)
    settle()
    assert abs(heatmap.cell_rect(0, 1).width() - before.width()) < 1


def test_the_title_of_the_columns_is_not_cut_and_the_scale_stands_apart(heatmap: Heatmap) -> None:
    assert heatmap.surface is not None
    plot = heatmap.surface.getPlotItem()
    title = plot.getAxis("bottom").label
    margin = title.document().documentMargin()
    lowest = title.mapRectToScene(title.boundingRect()).bottom() - margin
    assert lowest <= viewport(heatmap).height()
    (scale,) = (item for item in plot.childItems() if type(item).__name__ == "ColorBarItem")
    cells = plot.getViewBox()
    assert scale.sceneBoundingRect().left() - cells.sceneBoundingRect().right() >= GAP


def test_a_drag_is_no_click(heatmap: Heatmap) -> None:
    chosen: list[tuple[int, int]] = []
    heatmap.chosen.connect(lambda row, column: chosen.append((row, column)))
    start = middle(heatmap, 0, 0)
    mouse.drag(viewport(heatmap), [start, start + QPoint(60, 0)])
    assert chosen == []


def test_other_data_and_other_themes_are_drawn_anew(heatmap: Heatmap) -> None:
    one_row = replace(DATA, rows=("",), row_title="", values=(DATA.values[1],), texts=(DATA.texts[1],), now=None)
    heatmap.show_data(replace(one_row, low_is_better=True))
    settle()
    picture = viewport(heatmap).grab().toImage()
    cells = [heatmap.cell_rect(0, column) for column in range(3)]
    shades = [picture.pixelColor(cell.topLeft().toPoint() + QPoint(9, 9)).lightness() for cell in cells]
    assert shades == sorted(shades, reverse=True), "low is better, and so brighter"
    heatmap.show_data(None)
    assert heatmap.nothing.isVisible()
    heatmap.show_data(DATA)
    assert not heatmap.nothing.isVisible()


def test_the_scale_grows_in_lightness_all_the_way() -> None:
    shades = [shade(number / 20) for number in range(21)]
    ratios = [contrast("#000000", color) for color in shades]
    assert ratios == sorted(ratios)
    assert contrast(shades[0], shades[-1]) > 7
