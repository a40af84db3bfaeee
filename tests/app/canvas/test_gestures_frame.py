from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from tests.support import mouse
from tests.support.canvas import STRATEGY, Desk

FRAMED = STRATEGY + "frames:\n  averages: {at: [-20, -40], size: [240, 300], text: Two averages}\n"


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk(qtbot, FRAMED)
    yield made
    made.canvas.close()


def test_a_frame_is_put_around_the_selection_and_asks_for_its_text(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.canvas.select(("fast", "slow"))
    desk.canvas.add_frame()
    (frame,) = desk.canvas.graph.frames.values()
    body = desk.canvas.scene.frames[frame.id].body()
    assert body.contains(desk.canvas.scene.nodes["fast"].body())
    assert body.contains(desk.canvas.scene.nodes["slow"].body())
    editor = desk.canvas.naming.text_editor
    assert editor.isVisible()
    mouse.type_text(editor, "Averages")
    mouse.key(editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert desk.canvas.graph.frames[frame.id].text == "Averages"
    desk.document.undo()
    assert desk.undo_gives_back()
    assert desk.canvas.scene.frames == {}


def test_a_frame_carries_the_nodes_on_it_in_one_step(desk: Desk) -> None:
    start = desk.at(60, -28)
    desk.drag(start, start + QPoint(-40, -60))
    assert desk.canvas.graph.frames["averages"].x == -60
    assert "  fast: [-40, -60]\n  slow: [-40, 80]\n  cross: [300, 60]\n" in desk.text
    assert desk.undo_gives_back()
    assert desk.canvas.scene.frames["averages"].pos().toTuple() == (-20.0, -40.0)


def test_a_frame_is_resized_by_its_corner(desk: Desk) -> None:
    corner = desk.at(220 - 5, 260 - 5)
    desk.drag(corner, corner + QPoint(40, 20))
    frame = desk.canvas.graph.frames["averages"]
    assert (frame.width, frame.height) == (280, 320)
    assert desk.undo_gives_back()
    assert desk.canvas.scene.frames["averages"].rect().width() == 240


def test_escape_gives_a_frame_its_size_back(desk: Desk) -> None:
    corner = desk.at(220 - 5, 260 - 5)
    mouse.press(desk.viewport, corner)
    mouse.travel(desk.viewport, corner, corner + QPoint(40, 20))
    assert desk.canvas.scene.frames["averages"].rect().width() == 280
    mouse.key(desk.canvas.view, Qt.Key.Key_Escape)
    mouse.release(desk.viewport, corner)
    assert desk.canvas.scene.frames["averages"].rect().width() == 240
    assert desk.text == desk.before


def test_the_text_of_a_frame_is_edited_by_double_click_and_escape_leaves_it(desk: Desk) -> None:
    mouse.double_click(desk.viewport, desk.at(60, -28))
    editor = desk.canvas.naming.text_editor
    assert editor.isVisible()
    mouse.type_text(editor, "Slow and fast")
    mouse.key(editor, Qt.Key.Key_Escape)
    assert desk.text == desk.before
    mouse.double_click(desk.viewport, desk.at(60, -28))
    mouse.type_text(editor, "Slow and fast")
    mouse.click(desk.viewport, desk.empty())
    desk.canvas.view.setFocus()
    assert desk.canvas.graph.frames["averages"].text == "Slow and fast"
    assert desk.undo_gives_back()


def test_a_frame_is_deleted_and_its_nodes_stay(desk: Desk) -> None:
    mouse.click(desk.viewport, desk.at(60, -28))
    mouse.key(desk.canvas.view, Qt.Key.Key_Delete)
    assert desk.canvas.graph.frames == {}
    assert {"fast", "slow"} <= set(desk.canvas.graph.nodes)
    assert desk.undo_gives_back()
