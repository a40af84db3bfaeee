from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from tests.support import mouse
from tests.support.canvas import STRATEGY, CanvasEditor

AWAY = QPoint(5000, 5000)
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
FILTERED = STRATEGY.replace("cross: {use: crossover, fast: fast", "cross: {use: crossover, fast: ema").replace(
    "\nadvisors:", "  ema: {use: ta.EMA, input: fast}\n\nadvisors:"
)


@pytest.fixture
def canvas_editor(qtbot: QtBot) -> Iterator[CanvasEditor]:
    made = CanvasEditor(qtbot)
    QCursor.setPos(AWAY)
    yield made
    made.canvas.close()


def selected(canvas_editor: CanvasEditor) -> tuple[str, ...]:
    return canvas_editor.canvas.context.selection.nodes


def press(canvas_editor: CanvasEditor, code: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    mouse.key(canvas_editor.canvas.view, code, modifiers)


def test_arrows_walk_along_wires_and_between_neighbours(canvas_editor: CanvasEditor) -> None:
    press(canvas_editor, Qt.Key.Key_Right)
    assert selected(canvas_editor) == ("bars",)
    press(canvas_editor, Qt.Key.Key_Right)
    assert selected(canvas_editor) == ("slow",)
    press(canvas_editor, Qt.Key.Key_Up)
    assert selected(canvas_editor) == ("fast",)
    press(canvas_editor, Qt.Key.Key_Down)
    assert selected(canvas_editor) == ("slow",)
    press(canvas_editor, Qt.Key.Key_Right)
    press(canvas_editor, Qt.Key.Key_Right)
    assert selected(canvas_editor) == ("entry",)
    press(canvas_editor, Qt.Key.Key_Right)
    assert selected(canvas_editor) == ("entry",)
    press(canvas_editor, Qt.Key.Key_Left)
    assert selected(canvas_editor) == ("cross",)
    assert canvas_editor.text == canvas_editor.before


def test_ctrl_and_an_arrow_nudges(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.select(("size",))
    press(canvas_editor, Qt.Key.Key_Down, CONTROL)
    assert "  size: [300, 250]\n" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_what_is_up_and_downstream_is_selected(canvas_editor: CanvasEditor) -> None:
    mouse.click(canvas_editor.viewport, canvas_editor.title("cross"))
    press(canvas_editor, Qt.Key.Key_Left, CONTROL | SHIFT)
    assert selected(canvas_editor) == ("bars", "fast", "slow", "cross")
    canvas_editor.canvas.select(("fast",))
    press(canvas_editor, Qt.Key.Key_Right, CONTROL | SHIFT)
    assert selected(canvas_editor) == ("fast", "cross", "entry")


def test_delete_removes_nodes_with_their_wires(canvas_editor: CanvasEditor) -> None:
    mouse.click(canvas_editor.viewport, canvas_editor.title("fast"))
    press(canvas_editor, Qt.Key.Key_Delete)
    assert "fast:" not in canvas_editor.text.partition("advisors")[0]
    assert "cross: {use: crossover, slow: slow}" in canvas_editor.text
    assert canvas_editor.undo_gives_back()
    assert "fast" in canvas_editor.canvas.scene.nodes


def test_ctrl_delete_rejoins_what_the_node_stood_between(qtbot: QtBot) -> None:
    canvas_editor = CanvasEditor(qtbot, FILTERED)
    canvas_editor.canvas.select(("ema",))
    press(canvas_editor, Qt.Key.Key_Delete, CONTROL)
    assert "cross: {use: crossover, fast: fast, slow: slow}" in canvas_editor.text
    assert canvas_editor.undo_gives_back()


def test_bars_stay_and_that_is_said(canvas_editor: CanvasEditor) -> None:
    mouse.click(canvas_editor.viewport, canvas_editor.title("bars"))
    press(canvas_editor, Qt.Key.Key_Delete)
    assert canvas_editor.text == canvas_editor.before
    assert canvas_editor.messages == ["Inputs can't be removed here."]


def test_mute_and_bypass_are_two_things(canvas_editor: CanvasEditor) -> None:
    mouse.click(canvas_editor.viewport, canvas_editor.title("fast"))
    press(canvas_editor, Qt.Key.Key_M)
    assert canvas_editor.canvas.graph.nodes["fast"].mute
    press(canvas_editor, Qt.Key.Key_B)
    assert canvas_editor.canvas.graph.nodes["fast"].bypass
    press(canvas_editor, Qt.Key.Key_M)
    assert not canvas_editor.canvas.graph.nodes["fast"].mute
    for _ in range(3):
        canvas_editor.document.undo()
    assert canvas_editor.text == canvas_editor.before


def test_copy_and_paste_go_through_the_system_clipboard_as_yaml(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.select(("fast", "cross"))
    press(canvas_editor, Qt.Key.Key_C, CONTROL)
    clipboard = QGuiApplication.clipboard()
    assert "use: ta.SMA" in clipboard.text()
    press(canvas_editor, Qt.Key.Key_V, CONTROL)
    nodes = canvas_editor.canvas.graph.nodes
    added = selected(canvas_editor)
    assert len(added) == 2
    copy = next(node for node in added if nodes[node].use == "crossover")
    assert nodes[copy].values["fast"] in added
    assert nodes[copy].position == (330.0, 90.0)
    assert canvas_editor.undo_gives_back()


def test_nodes_are_pasted_where_the_mouse_is(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.select(("fast",))
    press(canvas_editor, Qt.Key.Key_C, CONTROL)
    QCursor.setPos(canvas_editor.viewport.mapToGlobal(canvas_editor.empty()))
    press(canvas_editor, Qt.Key.Key_V, CONTROL)
    (copy,) = selected(canvas_editor)
    assert canvas_editor.canvas.graph.nodes[copy].position == (0.0, 330.0)
    assert canvas_editor.undo_gives_back()


def test_pasting_twice_puts_nothing_exactly_on_something_else(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.select(("fast",))
    press(canvas_editor, Qt.Key.Key_C, CONTROL)
    press(canvas_editor, Qt.Key.Key_V, CONTROL)
    press(canvas_editor, Qt.Key.Key_V, CONTROL)
    places = [item.pos().toTuple() for item in canvas_editor.canvas.scene.nodes.values()]
    assert len(set(places)) == len(places)


def test_cut_takes_nodes_away_until_they_are_pasted(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.select(("size",))
    press(canvas_editor, Qt.Key.Key_X, CONTROL)
    assert "size" not in canvas_editor.canvas.graph.nodes
    after = canvas_editor.text
    press(canvas_editor, Qt.Key.Key_V, CONTROL)
    assert "size" in canvas_editor.canvas.graph.nodes
    assert canvas_editor.undo_gives_back(after)
    assert canvas_editor.undo_gives_back()


@pytest.mark.parametrize("foreign", ["hello, world", '{"nodes": [1, 2]}', "- a\n- b\n", "a: [", "\x00\x01"])
def test_foreign_text_is_refused_politely(canvas_editor: CanvasEditor, foreign: str) -> None:
    QGuiApplication.clipboard().setText(foreign)
    press(canvas_editor, Qt.Key.Key_V, CONTROL)
    assert canvas_editor.text == canvas_editor.before
    assert len(canvas_editor.messages) == 1
    assert canvas_editor.messages[0].endswith(".")


def test_an_empty_clipboard_is_said_to_be_empty(canvas_editor: CanvasEditor) -> None:
    QGuiApplication.clipboard().clear()
    press(canvas_editor, Qt.Key.Key_V, CONTROL)
    assert canvas_editor.messages == ["The clipboard contains nothing that can be pasted."]


def test_duplicate_keeps_what_the_node_reads_and_leaves_the_clipboard_alone(canvas_editor: CanvasEditor) -> None:
    QGuiApplication.clipboard().setText("mine")
    mouse.click(canvas_editor.viewport, canvas_editor.title("cross"))
    press(canvas_editor, Qt.Key.Key_D, CONTROL)
    (copy,) = selected(canvas_editor)
    assert canvas_editor.canvas.graph.nodes[copy].values["fast"] == "fast"
    assert QGuiApplication.clipboard().text() == "mine"
    assert canvas_editor.undo_gives_back()


def test_a_node_is_renamed_on_its_title(canvas_editor: CanvasEditor) -> None:
    mouse.double_click(canvas_editor.viewport, canvas_editor.title("fast"))
    editor = canvas_editor.canvas.naming.name_editor
    assert editor.isVisible()
    assert editor.text() == "fast"
    mouse.type_text(editor, "quick")
    mouse.key(editor, Qt.Key.Key_Return)
    assert not editor.isVisible()
    assert "quick: {use: ta.SMA" in canvas_editor.text
    assert "cross: {use: crossover, fast: quick, slow: slow}" in canvas_editor.text
    assert selected(canvas_editor) == ("quick",)
    assert canvas_editor.undo_gives_back()


def test_a_name_that_cannot_be_is_marked_in_place(canvas_editor: CanvasEditor) -> None:
    mouse.click(canvas_editor.viewport, canvas_editor.title("fast"))
    press(canvas_editor, Qt.Key.Key_F2)
    editor = canvas_editor.canvas.naming.name_editor
    mouse.type_text(editor, "slow")
    mouse.key(editor, Qt.Key.Key_Return)
    assert editor.isVisible()
    assert editor.toolTip() == "A node named 'slow' already exists."
    mouse.type_text(editor, " 2")
    assert editor.toolTip() == ""
    mouse.key(editor, Qt.Key.Key_Return)
    assert "letters, digits and underscores" in editor.toolTip()
    mouse.key(editor, Qt.Key.Key_Escape)
    assert not editor.isVisible()
    assert canvas_editor.text == canvas_editor.before


def test_home_shows_everything(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.view.zoom_by(3.0)
    press(canvas_editor, Qt.Key.Key_Home)
    assert canvas_editor.canvas.view.visible_rect().contains(canvas_editor.canvas.scene.content_rect())


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("node", {"Rename...": "F2", "Mute: no output": "M", "Bypass: pass the input through": "B", "Delete": "Del"}),
        ("wire", {"Disconnect": "Del", "Show where the wire comes from": ""}),
        ("empty", {"Add a node...": "Ctrl+K", "Paste": "Ctrl+V", "Lay out automatically": "Ctrl+L"}),
    ],
)
def test_a_context_menu_lists_what_is_possible_with_its_keys(
    canvas_editor: CanvasEditor, place: str, wanted: dict[str, str]
) -> None:
    wire = next(wire for wire in canvas_editor.canvas.graph.wires if wire.target == "entry")
    places = {
        "node": canvas_editor.title("fast"),
        "wire": canvas_editor.at(*canvas_editor.canvas.scene.wires[wire].points()[12]),
        "empty": canvas_editor.empty(),
    }
    at: QPoint = places[place]
    canvas_editor.canvas.view.customContextMenuRequested.emit(at)
    menu = canvas_editor.canvas.findChild(QMenu)
    assert menu is not None
    shown = dict(action.text().partition("\t")[::2] for action in menu.actions())
    assert wanted.items() <= shown.items()
    menu.close()


def test_return_edits_the_text_of_a_selected_frame(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.add_frame(canvas_editor.empty())
    mouse.key(canvas_editor.canvas.naming.text_editor, Qt.Key.Key_Escape)
    canvas_editor.canvas.view.setFocus()
    press(canvas_editor, Qt.Key.Key_Return)
    assert canvas_editor.canvas.naming.text_editor.isVisible()


def test_a_choice_of_the_context_menu_is_carried_out(canvas_editor: CanvasEditor) -> None:
    canvas_editor.canvas.view.customContextMenuRequested.emit(canvas_editor.title("fast"))
    menu = canvas_editor.canvas.findChild(QMenu)
    assert menu is not None
    next(action for action in menu.actions() if action.text().startswith("Mute")).trigger()
    assert canvas_editor.canvas.graph.nodes["fast"].mute
    menu.close()
