from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from tests.support import mouse
from tests.support.canvas import STRATEGY, Desk

AWAY = QPoint(5000, 5000)
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
FILTERED = STRATEGY.replace("cross: {use: crossover, fast: fast", "cross: {use: crossover, fast: ema").replace(
    "\nadvisors:", "  ema: {use: ta.EMA, input: fast}\n\nadvisors:"
)


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk(qtbot)
    QCursor.setPos(AWAY)
    yield made
    made.canvas.close()


def selected(desk: Desk) -> tuple[str, ...]:
    return desk.canvas.stage.selection.nodes


def press(desk: Desk, code: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    mouse.key(desk.canvas.view, code, modifiers)


def test_arrows_walk_along_wires_and_between_neighbours(desk: Desk) -> None:
    press(desk, Qt.Key.Key_Right)
    assert selected(desk) == ("bars",)
    press(desk, Qt.Key.Key_Right)
    assert selected(desk) == ("slow",)
    press(desk, Qt.Key.Key_Up)
    assert selected(desk) == ("fast",)
    press(desk, Qt.Key.Key_Down)
    assert selected(desk) == ("slow",)
    press(desk, Qt.Key.Key_Right)
    press(desk, Qt.Key.Key_Right)
    assert selected(desk) == ("entry",)
    press(desk, Qt.Key.Key_Right)
    assert selected(desk) == ("entry",)
    press(desk, Qt.Key.Key_Left)
    assert selected(desk) == ("cross",)
    assert desk.text == desk.before


def test_ctrl_and_an_arrow_nudges(desk: Desk) -> None:
    desk.canvas.select(("size",))
    press(desk, Qt.Key.Key_Down, CONTROL)
    assert "  size: [300, 250]\n" in desk.text
    assert desk.undo_gives_back()


def test_what_is_up_and_downstream_is_selected(desk: Desk) -> None:
    mouse.click(desk.viewport, desk.title("cross"))
    press(desk, Qt.Key.Key_Left, CONTROL | SHIFT)
    assert selected(desk) == ("bars", "fast", "slow", "cross")
    desk.canvas.select(("fast",))
    press(desk, Qt.Key.Key_Right, CONTROL | SHIFT)
    assert selected(desk) == ("fast", "cross", "entry")


def test_delete_removes_nodes_with_their_wires(desk: Desk) -> None:
    mouse.click(desk.viewport, desk.title("fast"))
    press(desk, Qt.Key.Key_Delete)
    assert "fast:" not in desk.text.partition("advisors")[0]
    assert "cross: {use: crossover, slow: slow}" in desk.text
    assert desk.undo_gives_back()
    assert "fast" in desk.canvas.scene.nodes


def test_ctrl_delete_rejoins_what_the_node_stood_between(qtbot: QtBot) -> None:
    desk = Desk(qtbot, FILTERED)
    desk.canvas.select(("ema",))
    press(desk, Qt.Key.Key_Delete, CONTROL)
    assert "cross: {use: crossover, fast: fast, slow: slow}" in desk.text
    assert desk.undo_gives_back()


def test_bars_stay_and_that_is_said(desk: Desk) -> None:
    mouse.click(desk.viewport, desk.title("bars"))
    press(desk, Qt.Key.Key_Delete)
    assert desk.text == desk.before
    assert desk.messages == ["Inputs can't be removed here."]


def test_mute_and_bypass_are_two_things(desk: Desk) -> None:
    mouse.click(desk.viewport, desk.title("fast"))
    press(desk, Qt.Key.Key_M)
    assert desk.canvas.graph.nodes["fast"].mute
    press(desk, Qt.Key.Key_B)
    assert desk.canvas.graph.nodes["fast"].bypass
    press(desk, Qt.Key.Key_M)
    assert not desk.canvas.graph.nodes["fast"].mute
    for _ in range(3):
        desk.document.undo()
    assert desk.text == desk.before


def test_copy_and_paste_go_through_the_system_clipboard_as_yaml(desk: Desk) -> None:
    desk.canvas.select(("fast", "cross"))
    press(desk, Qt.Key.Key_C, CONTROL)
    clipboard = QGuiApplication.clipboard()
    assert "use: ta.SMA" in clipboard.text()
    press(desk, Qt.Key.Key_V, CONTROL)
    nodes = desk.canvas.graph.nodes
    added = selected(desk)
    assert len(added) == 2
    copy = next(node for node in added if nodes[node].use == "crossover")
    assert nodes[copy].values["fast"] in added
    assert nodes[copy].position == (330.0, 90.0)
    assert desk.undo_gives_back()


def test_nodes_are_pasted_where_the_mouse_is(desk: Desk) -> None:
    desk.canvas.select(("fast",))
    press(desk, Qt.Key.Key_C, CONTROL)
    QCursor.setPos(desk.viewport.mapToGlobal(desk.empty()))
    press(desk, Qt.Key.Key_V, CONTROL)
    (copy,) = selected(desk)
    assert desk.canvas.graph.nodes[copy].position == (0.0, 330.0)
    assert desk.undo_gives_back()


def test_pasting_twice_puts_nothing_exactly_on_something_else(desk: Desk) -> None:
    desk.canvas.select(("fast",))
    press(desk, Qt.Key.Key_C, CONTROL)
    press(desk, Qt.Key.Key_V, CONTROL)
    press(desk, Qt.Key.Key_V, CONTROL)
    places = [item.pos().toTuple() for item in desk.canvas.scene.nodes.values()]
    assert len(set(places)) == len(places)


def test_cut_takes_nodes_away_until_they_are_pasted(desk: Desk) -> None:
    desk.canvas.select(("size",))
    press(desk, Qt.Key.Key_X, CONTROL)
    assert "size" not in desk.canvas.graph.nodes
    after = desk.text
    press(desk, Qt.Key.Key_V, CONTROL)
    assert "size" in desk.canvas.graph.nodes
    assert desk.undo_gives_back(after)
    assert desk.undo_gives_back()


@pytest.mark.parametrize("foreign", ["hello, world", '{"nodes": [1, 2]}', "- a\n- b\n", "a: [", "\x00\x01"])
def test_foreign_text_is_refused_politely(desk: Desk, foreign: str) -> None:
    QGuiApplication.clipboard().setText(foreign)
    press(desk, Qt.Key.Key_V, CONTROL)
    assert desk.text == desk.before
    assert len(desk.messages) == 1
    assert desk.messages[0].endswith(".")


def test_an_empty_clipboard_is_said_to_be_empty(desk: Desk) -> None:
    QGuiApplication.clipboard().clear()
    press(desk, Qt.Key.Key_V, CONTROL)
    assert desk.messages == ["The clipboard contains nothing that can be pasted."]


def test_duplicate_keeps_what_the_node_reads_and_leaves_the_clipboard_alone(desk: Desk) -> None:
    QGuiApplication.clipboard().setText("mine")
    mouse.click(desk.viewport, desk.title("cross"))
    press(desk, Qt.Key.Key_D, CONTROL)
    (copy,) = selected(desk)
    assert desk.canvas.graph.nodes[copy].values["fast"] == "fast"
    assert QGuiApplication.clipboard().text() == "mine"
    assert desk.undo_gives_back()


def test_a_node_is_renamed_on_its_title(desk: Desk) -> None:
    mouse.double_click(desk.viewport, desk.title("fast"))
    editor = desk.canvas.naming.name_editor
    assert editor.isVisible()
    assert editor.text() == "fast"
    mouse.type_text(editor, "quick")
    mouse.key(editor, Qt.Key.Key_Return)
    assert not editor.isVisible()
    assert "quick: {use: ta.SMA" in desk.text
    assert "cross: {use: crossover, fast: quick, slow: slow}" in desk.text
    assert selected(desk) == ("quick",)
    assert desk.undo_gives_back()


def test_a_name_that_cannot_be_is_marked_in_place(desk: Desk) -> None:
    mouse.click(desk.viewport, desk.title("fast"))
    press(desk, Qt.Key.Key_F2)
    editor = desk.canvas.naming.name_editor
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
    assert desk.text == desk.before


def test_home_shows_everything(desk: Desk) -> None:
    desk.canvas.view.zoom_by(3.0)
    press(desk, Qt.Key.Key_Home)
    assert desk.canvas.view.visible_rect().contains(desk.canvas.scene.content_rect())


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("node", {"Rename...": "F2", "Mute: no output": "M", "Bypass: pass the input through": "B", "Delete": "Del"}),
        ("wire", {"Disconnect": "Del", "Show where the wire comes from": ""}),
        ("empty", {"Add a node...": "Ctrl+K", "Paste": "Ctrl+V", "Lay out automatically": "Ctrl+L"}),
    ],
)
def test_a_context_menu_lists_what_is_possible_with_its_keys(desk: Desk, place: str, wanted: dict[str, str]) -> None:
    wire = next(wire for wire in desk.canvas.graph.wires if wire.target == "entry")
    places = {
        "node": desk.title("fast"),
        "wire": desk.at(*desk.canvas.scene.wires[wire].points()[12]),
        "empty": desk.empty(),
    }
    at: QPoint = places[place]
    desk.canvas.view.customContextMenuRequested.emit(at)
    menu = desk.canvas.findChild(QMenu)
    assert menu is not None
    shown = dict(action.text().partition("\t")[::2] for action in menu.actions())
    assert wanted.items() <= shown.items()
    menu.close()


def test_return_edits_the_text_of_a_selected_frame(desk: Desk) -> None:
    desk.canvas.add_frame(desk.empty())
    mouse.key(desk.canvas.naming.text_editor, Qt.Key.Key_Escape)
    desk.canvas.view.setFocus()
    press(desk, Qt.Key.Key_Return)
    assert desk.canvas.naming.text_editor.isVisible()


def test_a_choice_of_the_context_menu_is_carried_out(desk: Desk) -> None:
    desk.canvas.view.customContextMenuRequested.emit(desk.title("fast"))
    menu = desk.canvas.findChild(QMenu)
    assert menu is not None
    next(action for action in menu.actions() if action.text().startswith("Mute")).trigger()
    assert desk.canvas.graph.nodes["fast"].mute
    menu.close()
