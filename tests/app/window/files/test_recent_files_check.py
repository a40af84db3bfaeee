from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QPalette
from pytestqt.qtbot import QtBot

from quantcrafter.app.services.settings import Settings
from quantcrafter.app.window.files import recent_files_check as recent_look
from quantcrafter.app.window.files.recent_files_check import RecentLook
from tests.support.desktop import copy_example, open_window


def test_a_recent_file_that_is_gone_is_greyed_in_the_list_and_in_the_menu(qtbot: QtBot, tmp_path: Path) -> None:
    there, gone = copy_example("golden_cross", tmp_path), copy_example("rsi_pullback", tmp_path)
    Settings().recent = [str(there), str(gone)]
    gone.unlink()

    with open_window(qtbot) as desktop:
        menu = desktop.shell.actions.menus["file/recent"]
        qtbot.waitUntil(lambda: [action.isEnabled() for action in menu.actions()] == [True, False])

        colours = [desktop.shell.welcome.recent.item(row).foreground().color() for row in range(2)]
        grey = desktop.shell.welcome.palette().color(QPalette.ColorRole.PlaceholderText)
        assert [colour == grey for colour in colours] == [False, True]
        assert "no longer exists" in desktop.shell.welcome.recent.item(1).toolTip()
        assert desktop.shell.welcome.recent.item(0).data(Qt.ItemDataRole.UserRole) == str(there)
        listed = desktop.shell.welcome.recent
        assert listed.visualItemRect(listed.item(0)).height() >= 2 * listed.fontMetrics().height() + 10

        copy_example("rsi_pullback", tmp_path)
        desktop.shell.actions.menus["file"].aboutToShow.emit()
        qtbot.waitUntil(lambda: all(action.isEnabled() for action in menu.actions()))


def test_a_look_that_never_ends_neither_holds_the_window_nor_is_begun_twice(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive, asked = threading.Event(), []

    def dead_drive(paths: tuple[str, ...]) -> frozenset[str]:
        asked.append(paths)
        drive.wait(20)
        return frozenset(paths)

    monkeypatch.setattr(recent_look, "missing_of", dead_drive)
    parent = QObject()
    found: list[frozenset[str]] = []
    look = RecentLook(found.append, parent)
    look.look(["/net/a"])
    look.look(["/net/b"])
    qtbot.waitUntil(lambda: len(asked) == 1)
    assert look.is_looking

    with qtbot.waitSignal(parent.destroyed):
        parent.deleteLater()
    del look, parent
    gc.collect()
    drive.set()
    for thread in threading.enumerate():
        if thread.name == "recent files":
            thread.join(5)

    assert asked == [("/net/a",)]
    assert found == []
