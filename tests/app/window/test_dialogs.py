from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from quantcrafter.app import theme
from quantcrafter.app.data.source_dialog import SourceDialog
from quantcrafter.app.dialogs.about import AboutDialog
from quantcrafter.app.dialogs.gallery import GalleryDialog
from quantcrafter.app.dialogs.settings import SettingsDialog
from quantcrafter.app.dialogs.shortcuts import ID_ROLE, ShortcutsDialog
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.shell import Shell
from quantcrafter.app.window.startup.application import make_application
from quantcrafter.app.window.startup.start_steps import Start
from tests.support.children import children
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.modal import answering

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("golden_cross", tmp_path)) as desktop:
        yield desktop


def test_settings_show_their_theme_at_once_and_cancel_takes_it_back(desktop: Desktop) -> None:
    seen = []

    def try_dark(dialog: SettingsDialog) -> None:
        dialog.theme.setCurrentIndex(dialog.theme.findData("dark"))
        seen.append(theme.current())
        dialog.reject()

    desktop.looks.set_theme("light")
    with answering(SettingsDialog, try_dark):
        QTest.keyClick(desktop.window, Qt.Key.Key_Comma, CONTROL)

    assert seen == [theme.DARK]
    assert theme.current() is theme.LIGHT
    assert desktop.settings.theme == "light"


def test_settings_are_kept_and_used(desktop: Desktop) -> None:
    def choose(dialog: SettingsDialog) -> None:
        dialog.yaml_place.setCurrentIndex(dialog.yaml_place.findData("hidden"))
        dialog.language.setCurrentIndex(dialog.language.findData("ru"))
        dialog.minimap.setChecked(False)
        dialog.accept()

    with answering(SettingsDialog, choose):
        desktop.shell.actions.trigger("edit.settings")

    assert not tab_of(desktop).yaml.isVisible()
    assert not tab_of(desktop).canvas.minimap.is_on
    remembered = Settings()
    assert (remembered.yaml_place, remembered.language, remembered.minimap) == ("hidden", "ru", False)
    assert "restart" in desktop.shell.status.currentMessage()


def test_keys_changed_in_the_editor_work_at_once_and_at_the_next_start(desktop: Desktop, qtbot: QtBot) -> None:
    def change(dialog: ShortcutsDialog) -> None:
        dialog.model.set_keys("edit.select_all", "Ctrl+Alt+U")
        dialog.accept()

    with answering(ShortcutsDialog, change):
        desktop.shell.actions.trigger("help.shortcuts")
    desktop.window.activateWindow()
    qtbot.waitUntil(desktop.window.isActiveWindow)
    QTest.keyClick(tab_of(desktop).canvas.view, Qt.Key.Key_U, CONTROL | Qt.KeyboardModifier.AltModifier)

    qtbot.waitUntil(lambda: len(desktop.shell.front.selection) == 6)
    assert Settings().shortcuts == {"edit.select_all": "Ctrl+Alt+U"}


def _press_in_editor(action_id: str, *keys: Qt.Key) -> Callable[[ShortcutsDialog], None]:
    """Return a person who finds an action in the shortcut editor, presses keys for it (none clears them) and OK."""

    def edit(dialog: ShortcutsDialog) -> None:
        rows = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
        row = next(row for row in rows if row.data(0, ID_ROLE) == action_id)
        dialog.table.scrollToItem(row)
        place = dialog.table.visualItemRect(row).center()
        QTest.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        dialog.keys.clear()
        for key in keys:
            QTest.keyClick(dialog.keys, key)
        QTest.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)

    return edit


def test_a_key_changed_in_the_editor_is_changed_on_the_canvas_and_in_both_menus(desktop: Desktop) -> None:
    with answering(ShortcutsDialog, _press_in_editor("node.mute", Qt.Key.Key_Q)):
        desktop.shell.actions.trigger("help.shortcuts")
    canvas = tab_of(desktop).canvas
    canvas.select(("fast",))
    canvas.view.setFocus()

    QTest.keyClick(canvas.view, Qt.Key.Key_M)
    assert not canvas.graph.nodes["fast"].mute
    QTest.keyClick(canvas.view, Qt.Key.Key_Q)
    assert canvas.graph.nodes["fast"].mute

    in_node_menu = desktop.shell.actions.actions["node.mute"].shortcut().toString()
    at = canvas.view.mapFromScene(canvas.scene.nodes["fast"].sceneBoundingRect().center())
    canvas.view.customContextMenuRequested.emit(at)
    menu = canvas.findChild(QMenu)
    line = menu.findChild(QAction, "node.mute")
    assert (in_node_menu, line.text()) == ("Q", "Unmute\tQ")
    menu.close()
    assert Settings().shortcuts == {"node.mute": "Q"}


@pytest.mark.parametrize(
    ("action_id", "keys", "held"),
    [
        ("edit.delete", (Qt.Key.Key_Delete, Qt.Key.Key_Backspace), Qt.KeyboardModifier.NoModifier),
        ("edit.duplicate", (Qt.Key.Key_D,), CONTROL),
        ("node.bypass", (Qt.Key.Key_B,), Qt.KeyboardModifier.NoModifier),
        ("arrange.nudge_down", (Qt.Key.Key_Down,), CONTROL),
    ],
)
def test_a_key_taken_away_in_the_editor_does_nothing_on_the_canvas(
    desktop: Desktop, action_id: str, keys: tuple[Qt.Key, ...], held: Qt.KeyboardModifier
) -> None:
    tab = tab_of(desktop)
    before = tab.document.text

    def press_all() -> None:
        tab.canvas.select(("fast",))
        tab.canvas.view.setFocus()
        desktop.shell.actions.refresh()
        for key in keys:
            QTest.keyClick(tab.canvas.view, key, held)

    with answering(ShortcutsDialog, _press_in_editor(action_id)):
        desktop.shell.actions.trigger("help.shortcuts")
    press_all()
    assert tab.document.text == before

    desktop.settings.shortcuts = {}
    desktop.shell.actions.apply_shortcuts()
    press_all()
    assert tab.document.text != before


def test_a_letter_of_the_canvas_is_only_a_letter_in_a_search_box(desktop: Desktop, qtbot: QtBot) -> None:
    tab = tab_of(desktop)
    tab.canvas.select(("fast",))
    desktop.window.activateWindow()
    box = desktop.docks.palette.box
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)

    QTest.keyClicks(box, "bm")

    assert box.text() == "bm"
    node = tab.canvas.graph.nodes["fast"]
    assert not node.mute
    assert not node.bypass


def test_the_gallery_opens_a_copy_that_has_no_file_yet(desktop: Desktop) -> None:
    def take(dialog: GalleryDialog) -> None:
        QTest.keyClicks(dialog.search, "RSI pullback")
        QTest.mouseClick(dialog.open_button, Qt.MouseButton.LeftButton)

    with answering(GalleryDialog, take):
        QTest.keyClick(desktop.window, Qt.Key.Key_N, CONTROL | SHIFT)

    assert desktop.tabs.count() == 2
    assert tab_of(desktop).path is None
    assert not tab_of(desktop).needs_saving
    assert "rsi" in tab_of(desktop).document.graph().nodes


def test_about_says_what_it_is(desktop: Desktop) -> None:
    titles: list[str] = []

    def read(dialog: AboutDialog) -> None:
        titles.append(dialog.windowTitle())
        dialog.reject()

    with answering(AboutDialog, read):
        desktop.shell.actions.trigger("help.about")

    assert titles == ["About QuantCrafter"]


def test_the_tour_comes_with_the_first_strategy_and_only_once(qtbot: QtBot) -> None:
    make_application("light")
    shell = Shell(Settings())
    start = Start(shell, [])
    desktop = shell.desktop
    with qtbot.waitExposed(desktop.window):
        desktop.window.show()
    qtbot.waitUntil(lambda: not start.steps)
    assert desktop.shell.welcome.isVisible()

    button = desktop.shell.welcome.findChild(QPushButton, "welcome.file.new")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: Settings().tour_done)

    skip = next(button for button in children(desktop.window, QPushButton) if button.text() == "Skip the tour")
    qtbot.mouseClick(skip, Qt.MouseButton.LeftButton)
    desktop.file_controller.new()
    QApplication.processEvents()
    assert not skip.isVisible()
    desktop.shell.shut()
    desktop.window.deleteLater()


def test_the_data_dialog_is_called_by_the_symbol_that_is_typed_in_it(desktop: Desktop, qtbot: QtBot) -> None:
    seen: list[str] = []

    def act(dialog: SourceDialog) -> None:
        seen.append(dialog.heading.text())
        dialog.draft.set(("symbol",), "IBM")
        dialog.form.changed.emit()
        seen.extend((dialog.heading.text(), dialog.windowTitle()))
        dialog.reject()

    with answering(SourceDialog, act):
        desktop.data_controller.choose_instrument(0)
    qtbot.wait(0)
    assert seen == ["Data of AAPL", "Data of IBM", "Data of IBM"]
