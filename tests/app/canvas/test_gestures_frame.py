from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from tests.support import mouse
from tests.support.canvas import STRATEGY, CanvasEditor

FRAMED = STRATEGY + "frames:\n  averages: {at: [-20, -40], size: [240, 300], text: Two averages}\n"


@pytest.fixture
def canvas_editor(qtbot: QtBot) -> Iterator[CanvasEditor]:
    made = CanvasEditor(qtbot, FRAMED)
    yield made
    made.canvas.close()


def test_a_frame_is_put_around_the_selection_and_asks_for_its_text(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(qtbot)
    canvas_editor.canvas.select(("fast", "slow"))
    canvas_editor.canvas.add_frame()
    (frame,) = canvas_editor.canvas.graph.frames.values()
    body = canvas_editor.canvas.scene.frames[frame.id].body()
    assert body.contains(canvas_editor.canvas.scene.nodes["fast"].body())
    assert body.contains(canvas_editor.canvas.scene.nodes["slow"].body())
    editor = canvas_editor.canvas.naming.text_editor
    assert editor.isVisible()
    mouse.type_text(editor, "Averages")
    mouse.key(editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert canvas_editor.canvas.graph.frames[frame.id].text == "Averages"
    canvas_editor.document.undo()
    assert canvas_editor.undo_gives_back()
    assert canvas_editor.canvas.scene.frames == {}


def test_a_frame_carries_the_nodes_on_it_in_one_step(canvas_editor: CanvasEditor) -> None:
    start = canvas_editor.at(60, -28)
    canvas_editor.drag(start, start + QPoint(-40, -60))
    assert canvas_editor.canvas.graph.frames["averages"].x == -60
    assert "  fast: [-40, -60]\n  slow: [-40, 80]\n  cross: [300, 60]\n" in canvas_editor.text
    assert canvas_editor.undo_gives_back()
    assert canvas_editor.canvas.scene.frames["averages"].pos().toTuple() == (-20.0, -40.0)


def test_a_frame_is_resized_by_its_corner(canvas_editor: CanvasEditor) -> None:
    corner = canvas_editor.at(220 - 5, 260 - 5)
    canvas_editor.drag(corner, corner + QPoint(40, 20))
    frame = canvas_editor.canvas.graph.frames["averages"]
    assert (frame.width, frame.height) == (280, 320)
    assert canvas_editor.undo_gives_back()
    assert canvas_editor.canvas.scene.frames["averages"].rect().width() == 240


def test_escape_gives_a_frame_its_size_back(canvas_editor: CanvasEditor) -> None:
    corner = canvas_editor.at(220 - 5, 260 - 5)
    mouse.press(canvas_editor.viewport, corner)
    mouse.travel(canvas_editor.viewport, corner, corner + QPoint(40, 20))
    assert canvas_editor.canvas.scene.frames["averages"].rect().width() == 280
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Escape)
    mouse.release(canvas_editor.viewport, corner)
    assert canvas_editor.canvas.scene.frames["averages"].rect().width() == 240
    assert canvas_editor.text == canvas_editor.before


def test_the_text_of_a_frame_is_edited_by_double_click_and_escape_leaves_it(canvas_editor: CanvasEditor) -> None:
    mouse.double_click(canvas_editor.viewport, canvas_editor.at(60, -28))
    editor = canvas_editor.canvas.naming.text_editor
    assert editor.isVisible()
    mouse.type_text(editor, "Slow and fast")
    mouse.key(editor, Qt.Key.Key_Escape)
    assert canvas_editor.text == canvas_editor.before
    mouse.double_click(canvas_editor.viewport, canvas_editor.at(60, -28))
    mouse.type_text(editor, "Slow and fast")
    mouse.click(canvas_editor.viewport, canvas_editor.empty())
    canvas_editor.canvas.view.setFocus()
    assert canvas_editor.canvas.graph.frames["averages"].text == "Slow and fast"
    assert canvas_editor.undo_gives_back()


def test_a_frame_is_deleted_and_its_nodes_stay(canvas_editor: CanvasEditor) -> None:
    mouse.click(canvas_editor.viewport, canvas_editor.at(60, -28))
    mouse.key(canvas_editor.canvas.view, Qt.Key.Key_Delete)
    assert canvas_editor.canvas.graph.frames == {}
    assert {"fast", "slow"} <= set(canvas_editor.canvas.graph.nodes)
    assert canvas_editor.undo_gives_back()
