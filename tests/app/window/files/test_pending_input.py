"""What is typed in the inspector and not yet finished with Enter is saved, or said to be refused; never left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.unsaved import UnsavedDialog
from quantcrafter.app.window.desktop import Desktop
from tests.support.children import children
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.modal import answering, choosing

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return copy_example("golden_cross", tmp_path)


@pytest.fixture
def desktop(qtbot: QtBot, file: Path) -> Iterator[Desktop]:
    with open_window(qtbot, file) as desktop:
        yield desktop


def type_period(desktop: Desktop, text: str) -> QLineEdit:
    """Type into the period of the node `fast`, without Enter."""
    tab_of(desktop).canvas.select(("fast",))
    QApplication.processEvents()
    inspector = desktop.docks.inspector
    assert inspector.page is not None
    view = next(view for view in inspector.page.views if ("timeperiod",) in view.rows)
    view.focus(("timeperiod",))
    line = view.rows["timeperiod",].editor.findChild(QLineEdit)
    assert isinstance(line, QLineEdit)
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)
    desktop.shell.refresher.soon()
    return line


def press_save(_window: Desktop, line: QLineEdit) -> None:
    QTest.keyClick(line, Qt.Key.Key_S, CONTROL)


def press_save_all(_window: Desktop, line: QLineEdit) -> None:
    QTest.keyClick(line, Qt.Key.Key_S, CONTROL | ALT)


def choose_in_menu(desktop: Desktop, _line: QLineEdit) -> None:
    desktop.shell.actions.actions["file.save"].trigger()


def press_in_toolbar(desktop: Desktop, _line: QLineEdit) -> None:
    action = desktop.shell.actions.actions["file.save"]
    button = next(
        each
        for each in children(desktop.window, QWidget)
        if isinstance(each, QToolButton) and each.defaultAction() is action
    )
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def close_and_save(_window: Desktop, line: QLineEdit) -> None:
    with answering(UnsavedDialog, lambda dialog: dialog.save_button.click()):
        QTest.keyClick(line, Qt.Key.Key_W, CONTROL)


def close_window_and_save(desktop: Desktop, _line: QLineEdit) -> None:
    with answering(UnsavedDialog, lambda dialog: dialog.save_button.click()):
        desktop.window.close()


WAYS = [press_save, press_save_all, choose_in_menu, press_in_toolbar, close_and_save, close_window_and_save]


@pytest.mark.parametrize("save", WAYS)
def test_a_number_typed_without_enter_is_saved(
    desktop: Desktop, file: Path, save: Callable[[Desktop, QLineEdit], None]
) -> None:
    save(desktop, type_period(desktop, "7"))
    assert "timeperiod: 7}" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("save", WAYS)
def test_a_number_that_is_refused_is_shown_and_nothing_is_saved(
    desktop: Desktop, file: Path, save: Callable[[Desktop, QLineEdit], None]
) -> None:
    before = file.read_text(encoding="utf-8")
    line = type_period(desktop, "-4")
    save(desktop, line)
    assert file.read_text(encoding="utf-8") == before
    assert desktop.shell.status.currentMessage().startswith("Not saved. ")
    assert desktop.tabs.count() == 1
    # It has the focus again once the window is active.
    assert desktop.window.focusWidget() in {line, line.parentWidget()}
    assert line.text() == "-4"


def test_a_number_typed_without_enter_is_saved_under_another_name(desktop: Desktop, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    line = type_period(desktop, "7")
    with answering(QFileDialog, choosing(other)):
        QTest.keyClick(line, Qt.Key.Key_S, CONTROL | SHIFT)
    assert "timeperiod: 7}" in other.read_text(encoding="utf-8")


@pytest.mark.parametrize("action", ["file.save_as", "file.export_yaml", "file.export_bare_yaml"])
def test_no_name_is_asked_for_while_a_number_is_refused(desktop: Desktop, action: str) -> None:
    line = type_period(desktop, "-4")
    desktop.shell.actions.trigger(action)
    assert desktop.shell.status.currentMessage().startswith("Not saved. ")
    assert line.hasFocus()


def test_a_number_typed_without_enter_is_exported(desktop: Desktop, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    type_period(desktop, "7")
    with answering(QFileDialog, choosing(other)):
        desktop.shell.actions.trigger("file.export_yaml")
    assert "timeperiod: 7}" in other.read_text(encoding="utf-8")


def test_saving_all_saves_the_others_while_a_number_is_refused(desktop: Desktop, file: Path, tmp_path: Path) -> None:
    second = copy_example("rsi_pullback", tmp_path / "other")
    other = desktop.file_controller.open(second)
    other.document.set_text(other.document.text + "\n# more\n")
    first = next(tab for tab in desktop.tabs.all() if tab is not other)
    desktop.tabs.setCurrentWidget(first)
    before = file.read_text(encoding="utf-8")
    press_save_all(desktop, type_period(desktop, "-4"))
    assert second.read_text(encoding="utf-8").endswith("# more\n")
    assert file.read_text(encoding="utf-8") == before
    assert desktop.shell.status.currentMessage().startswith("Not saved. ")


def test_saving_all_says_that_there_is_nothing_to_save(desktop: Desktop) -> None:
    desktop.shell.actions.trigger("file.save_all")
    assert desktop.shell.status.currentMessage() == "There are no unsaved changes."


def test_a_file_that_another_program_deleted_is_written_again_without_a_change(desktop: Desktop, file: Path) -> None:
    before = file.read_text(encoding="utf-8")
    file.unlink()
    QTest.keyClick(desktop.window, Qt.Key.Key_S, CONTROL)
    assert file.read_text(encoding="utf-8") == before
