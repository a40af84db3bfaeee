"""A plugin's actions and panes in a running window: they are there, they work, and they go with the plugin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox, QPlainTextEdit
from pytestqt.qtbot import QtBot

from quantcrafter.app.actions.all_actions import all_actions
from quantcrafter.app.dialogs.plugins import NAME_ROLE, PluginsDialog
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.engine.api import MENUS
from tests.support.actions import no_targets
from tests.support.children import child, children
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.modal import answering
from tests.support.plugin_packages import install, plugin_site

pytestmark = pytest.mark.logs_errors  # what fails here on purpose is logged

NOTES = """
from quantcrafter import DesktopAction, DesktopPane, hookimpl

SEEN = []

def count(desktop):
    desktop.say(f"{len(desktop.selection)} of {desktop.path.stem}")

def sign(desktop):
    desktop.set_text(desktop.text + "# signed\\n", "Sign")

def fail(desktop):
    raise ValueError("no licence")

def leave(desktop):
    raise SystemExit(3)

def is_usable(desktop):
    return desktop.text is not None and bool(desktop.selection)

def is_never_known(desktop):
    raise KeyError("usable")

@hookimpl
def register_actions():
    return [
        DesktopAction("notes.count", "Count what is selected", count, shortcut="Ctrl+Alt+N", enabled=is_usable),
        DesktopAction("notes.sign", "Sign the strategy", sign, menu="edit"),
        DesktopAction("notes.fail", "Fail", fail),
        DesktopAction("notes.leave", "Leave", leave),
        DesktopAction("notes.greedy", "Save it all", count, shortcut="Ctrl+S"),
        DesktopAction("notes.unknown", "Never known", count, enabled=is_never_known),
    ]

def make(desktop):
    from PySide6.QtWidgets import QPlainTextEdit

    notes = QPlainTextEdit()
    notes.setObjectName("notes")

    def show():
        notes.setPlainText(", ".join(desktop.selection))

    desktop.subscribe(show)
    show()
    return notes

@hookimpl
def register_panes():
    return [
        DesktopPane("notes.selected", "Selected nodes", make),
        DesktopPane("notes.broken", "Broken pane", lambda desktop: 1 / 0),
        DesktopPane("notes.text", "No widget", lambda desktop: "text"),
    ]
"""


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    with plugin_site(tmp_path, monkeypatch) as site:
        install(site, "qc-notes", NOTES)
        with open_window(qtbot, copy_example("golden_cross", tmp_path)) as desktop:
            yield desktop


def entries(desktop: Desktop, menu: str) -> list[str]:
    return [action.text() for action in desktop.shell.actions.menus[menu].actions() if not action.isSeparator()]


def switch(desktop: Desktop, *, enabled: bool) -> None:
    def act(dialog: PluginsDialog) -> None:
        rows = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
        dialog.table.setCurrentItem(next(row for row in rows if row.data(0, NAME_ROLE) == "qc-notes"))
        assert dialog.enabled.isChecked() is not enabled
        dialog.enabled.click()
        dialog.accept()

    with answering(PluginsDialog, act):
        desktop.shell.actions.trigger("help.plugins")


def complaint(desktop: Desktop, action: str) -> str:
    texts: list[str] = []

    def act(box: QMessageBox) -> None:
        texts.append(box.text())
        box.accept()

    with answering(QMessageBox, act):
        desktop.shell.actions.trigger(action)
    return texts[0]


def test_an_action_is_in_its_menu_and_in_the_list_of_all_actions_and_runs_by_its_keys(
    desktop: Desktop, qtbot: QtBot
) -> None:
    assert "Count what is selected" in entries(desktop, "plugins")
    assert "Sign the strategy" in entries(desktop, "edit")
    assert desktop.shell.actions.menus["plugins"].menuAction().isVisible()
    count = desktop.shell.actions.actions["plugin.notes.count"]
    qtbot.waitUntil(lambda: not count.isEnabled())

    tab_of(desktop).canvas.select(("fast", "slow"))
    qtbot.waitUntil(count.isEnabled)
    desktop.window.activateWindow()
    QTest.keyClick(desktop.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)

    assert desktop.shell.status.currentMessage() == "2 of golden_cross"
    desktop.shell.show_command_palette()
    desktop.shell.command_palette.search.setText("Count what")
    assert desktop.shell.command_palette.titles()[0] == "Count what is selected"


def test_a_change_of_the_text_is_one_step_that_is_named_and_undone(desktop: Desktop) -> None:
    document = tab_of(desktop).document
    before = document.text

    desktop.shell.actions.trigger("plugin.notes.sign")

    assert document.text == before + "# signed\n"
    assert document.undo_label == "Sign"
    document.undo()
    assert document.text == before


@pytest.mark.parametrize(
    ("action", "reason"),
    [("notes.fail", "'Fail': ValueError: no licence"), ("notes.leave", "'Leave': SystemExit: 3")],
)
def test_an_action_that_raises_is_named_with_its_plugin_and_the_window_goes_on(
    action: str, reason: str, desktop: Desktop
) -> None:
    text = complaint(desktop, f"plugin.{action}")

    assert text == f"Plugin 'qc-notes' failed in {reason}"
    desktop.shell.actions.trigger("edit.select_all")
    assert len(desktop.shell.front.selection) > 3


def test_an_action_that_cannot_say_whether_it_can_be_used_is_off_and_holds_up_no_other(
    desktop: Desktop, qtbot: QtBot
) -> None:
    tab_of(desktop).canvas.select(("fast",))
    qtbot.waitUntil(desktop.shell.actions.actions["plugin.notes.count"].isEnabled)

    assert not desktop.shell.actions.actions["plugin.notes.unknown"].isEnabled()


def test_keys_that_are_taken_stay_with_who_has_them(desktop: Desktop) -> None:
    assert desktop.shell.actions.registry.keys("plugin.notes.greedy") == ()
    assert desktop.shell.actions.registry.conflicts("", "Ctrl+S")[0].id == "file.save"


def test_a_pane_is_made_when_it_is_first_seen_and_follows_the_selection(desktop: Desktop, qtbot: QtBot) -> None:
    assert desktop.window.findChild(QPlainTextEdit, "notes") is None
    assert "Selected nodes" in entries(desktop, "view/panes")

    desktop.shell.actions.trigger("view.notes.selected")
    qtbot.waitUntil(lambda: desktop.window.findChild(QPlainTextEdit, "notes") is not None)
    notes = child(desktop.window, QPlainTextEdit, "notes")
    tab_of(desktop).canvas.select(("slow",))

    qtbot.waitUntil(lambda: notes.toPlainText() == "slow")
    assert desktop.docks.is_shown("notes.selected")


@pytest.mark.parametrize(
    ("pane", "reason"),
    [
        ("notes.broken", "Plugin 'qc-notes' failed in 'Broken pane': ZeroDivisionError: division by zero"),
        ("notes.text", "Plugin 'qc-notes' must return a QWidget as the pane 'No widget', returned str."),
    ],
)
def test_a_pane_that_cannot_be_made_says_why_in_its_place(
    pane: str, reason: str, desktop: Desktop, qtbot: QtBot
) -> None:
    desktop.docks.show(pane)

    frame = desktop.docks.frames[pane]
    qtbot.waitUntil(lambda: any(label.text() == reason for label in children(frame, QLabel)))


def test_all_of_a_plugin_goes_when_it_is_disabled_and_comes_back(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.docks.show("notes.selected")
    qtbot.waitUntil(lambda: desktop.window.findChild(QPlainTextEdit, "notes") is not None)
    before = set(desktop.shell.actions.actions)

    switch(desktop, enabled=False)

    assert "Sign the strategy" not in entries(desktop, "edit")
    assert not desktop.shell.actions.menus["plugins"].menuAction().isVisible()
    assert not [name for name in desktop.docks.docks if name.startswith("notes.")]
    desktop.shell.show_command_palette()
    desktop.shell.command_palette.search.setText("Count what is selected")
    assert "Count what is selected" not in desktop.shell.command_palette.titles()
    desktop.shell.command_palette.dismiss()
    qtbot.waitUntil(lambda: desktop.window.findChild(QPlainTextEdit, "notes") is None)
    tab_of(desktop).canvas.select(("slow",))
    desktop.looks.reset_layout()

    switch(desktop, enabled=True)

    assert set(desktop.shell.actions.actions) == before
    assert "Sign the strategy" in entries(desktop, "edit")
    assert desktop.shell.actions.menus["plugins"].menuAction().isVisible()
    desktop.docks.show("notes.selected")
    qtbot.waitUntil(lambda: desktop.window.findChild(QPlainTextEdit, "notes") is not None)


def test_a_plugin_names_the_same_menus_as_the_window_has() -> None:
    registry = all_actions(Settings(), no_targets())

    assert tuple(menu.id for menu in registry.menus if not menu.parent) == MENUS
