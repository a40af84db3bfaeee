from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.shortcut_list import Command, ShortcutList
from quantcrafter.app.dialogs.shortcuts import ShortcutsDialog

COMMANDS = (
    Command("save", "Save", "Ctrl+S", "Ctrl+S"),
    Command("undo", "Undo", "Ctrl+Z", "Ctrl+Z"),
    Command("fit", "Zoom to the whole graph", "F", "G"),
    Command("about", "About", "", ""),
)
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def dialog(qtbot: QtBot) -> ShortcutsDialog:
    made = ShortcutsDialog(COMMANDS)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def _rows(dialog: ShortcutsDialog) -> list[tuple[str, ...]]:
    items = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
    return [tuple(item.text(column) for column in range(3)) for item in items if item is not None]


def _pick(qtbot: QtBot, dialog: ShortcutsDialog, row: int) -> None:
    item = dialog.table.topLevelItem(row)
    place = dialog.table.visualItemRect(item).center()
    qtbot.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_every_action_is_listed_with_its_keys(dialog: ShortcutsDialog) -> None:
    assert _rows(dialog)[:3] == [
        ("Save", "Ctrl+S", ""),
        ("Undo", "Ctrl+Z", ""),
        ("Zoom to the whole graph", "G", "Changed"),
    ]


def test_pressed_keys_become_the_actions_own(qtbot: QtBot, dialog: ShortcutsDialog) -> None:
    _pick(qtbot, dialog, 0)
    dialog.keys.clear()
    qtbot.keyClick(dialog.keys, Qt.Key.Key_K, CONTROL)
    assert _rows(dialog)[0] == ("Save", "Ctrl+K", "Changed")
    qtbot.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.overrides == {"save": "Ctrl+K", "fit": "G"}


def test_a_conflict_is_named_in_place_and_cannot_be_accepted(qtbot: QtBot, dialog: ShortcutsDialog) -> None:
    _pick(qtbot, dialog, 1)
    dialog.keys.clear()
    qtbot.keyClick(dialog.keys, Qt.Key.Key_S, CONTROL)
    assert "“Save”" in dialog.conflict.text()
    assert _rows(dialog)[0][2] == "Also: Undo"
    assert _rows(dialog)[1][2] == "Also: Save"
    assert not dialog.ok_button.isEnabled()
    qtbot.mouseClick(dialog.reset_button, Qt.MouseButton.LeftButton)
    assert dialog.conflict.text().strip() == ""
    assert dialog.ok_button.isEnabled()


def test_reset_all_gives_every_action_its_keys_back(qtbot: QtBot, dialog: ShortcutsDialog) -> None:
    qtbot.mouseClick(dialog.reset_all_button, Qt.MouseButton.LeftButton)
    assert _rows(dialog)[2] == ("Zoom to the whole graph", "F", "")
    assert dialog.overrides == {}
    assert not dialog.reset_all_button.isEnabled()


def test_the_search_finds_actions_by_name_and_by_keys(qtbot: QtBot, dialog: ShortcutsDialog) -> None:
    qtbot.keyClicks(dialog.search, "ctrl z")
    assert [row[0] for row in _rows(dialog)] == ["Undo"]
    dialog.search.clear()
    qtbot.keyClicks(dialog.search, "graph")
    assert [row[0] for row in _rows(dialog)] == ["Zoom to the whole graph"]
    qtbot.keyClicks(dialog.search, "xyz")
    assert dialog.nothing.isVisible()
    assert not dialog.keys.isEnabled()


def test_keys_can_be_taken_away(qtbot: QtBot, dialog: ShortcutsDialog) -> None:
    _pick(qtbot, dialog, 0)
    dialog.keys.clear()
    assert _rows(dialog)[0] == ("Save", "", "Changed")
    assert dialog.overrides["save"] == ""


def test_the_same_keys_written_otherwise_are_no_change_but_a_conflict() -> None:
    model = ShortcutList([Command("a", "A", "Ctrl+Shift+P", "Shift+Ctrl+P"), Command("b", "B", "", "")])
    assert model.overrides() == {}
    model.set_keys("b", "shift+ctrl+p")
    assert [rival.id for rival in model.conflicts("a")] == ["b"]


def test_a_key_that_begins_another_actions_two_keys_is_a_conflict() -> None:
    model = ShortcutList([Command("a", "A", "", "Ctrl+K, Ctrl+C"), Command("b", "B", "", "Ctrl+K")])
    assert model.has_conflicts
    model.set_keys("b", "Ctrl+K, Ctrl+D")
    assert not model.has_conflicts
