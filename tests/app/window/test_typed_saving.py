"""What is typed in the inspector and not yet finished with Enter is saved, or said to be refused; never left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.dialogs.unsaved import UnsavedDialog
from app.window.main_window import MainWindow
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.modal import answering, choosing

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return copy_example("golden_cross", tmp_path)


@pytest.fixture
def window(qtbot: QtBot, file: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, file) as window:
        yield window


def type_period(window: MainWindow, text: str) -> QLineEdit:
    """Type into the period of the node `fast`, without Enter."""
    tab_of(window).canvas.select(("fast",))
    QApplication.processEvents()
    inspector = window.docks.inspector
    assert inspector.page is not None
    view = next(view for view in inspector.page.views if ("timeperiod",) in view.rows)
    view.focus(("timeperiod",))
    line = view.rows["timeperiod",].editor.findChild(QLineEdit)
    assert isinstance(line, QLineEdit)
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)
    window.refresh_actions()
    return line


def press_save(_window: MainWindow, line: QLineEdit) -> None:
    QTest.keyClick(line, Qt.Key.Key_S, CONTROL)


def press_save_all(_window: MainWindow, line: QLineEdit) -> None:
    QTest.keyClick(line, Qt.Key.Key_S, CONTROL | ALT)


def choose_in_menu(window: MainWindow, _line: QLineEdit) -> None:
    window.action_set.actions["file.save"].trigger()


def press_in_toolbar(window: MainWindow, _line: QLineEdit) -> None:
    action = window.action_set.actions["file.save"]
    button = next(
        each
        for each in window.findChildren(QWidget)
        if isinstance(each, QToolButton) and each.defaultAction() is action
    )
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def close_and_save(_window: MainWindow, line: QLineEdit) -> None:
    with answering(UnsavedDialog, lambda dialog: dialog.save_button.click()):
        QTest.keyClick(line, Qt.Key.Key_W, CONTROL)


def close_window_and_save(window: MainWindow, _line: QLineEdit) -> None:
    with answering(UnsavedDialog, lambda dialog: dialog.save_button.click()):
        window.close()


WAYS = [press_save, press_save_all, choose_in_menu, press_in_toolbar, close_and_save, close_window_and_save]


@pytest.mark.parametrize("save", WAYS)
def test_a_number_typed_without_enter_is_saved(
    window: MainWindow, file: Path, save: Callable[[MainWindow, QLineEdit], None]
) -> None:
    save(window, type_period(window, "7"))
    assert "timeperiod: 7}" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("save", WAYS)
def test_a_number_that_is_refused_is_shown_and_nothing_is_saved(
    window: MainWindow, file: Path, save: Callable[[MainWindow, QLineEdit], None]
) -> None:
    before = file.read_text(encoding="utf-8")
    line = type_period(window, "-4")
    save(window, line)
    assert file.read_text(encoding="utf-8") == before
    assert window.status.currentMessage().startswith("Not saved. ")
    assert window.tabs.count() == 1
    assert window.focusWidget() in {line, line.parentWidget()}  # it has the focus again once the window is active
    assert line.text() == "-4"


def test_a_number_typed_without_enter_is_saved_under_another_name(window: MainWindow, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    line = type_period(window, "7")
    with answering(QFileDialog, choosing(other)):
        QTest.keyClick(line, Qt.Key.Key_S, CONTROL | SHIFT)
    assert "timeperiod: 7}" in other.read_text(encoding="utf-8")


@pytest.mark.parametrize("action", ["file.save_as", "file.export_yaml", "file.export_bare_yaml"])
def test_no_name_is_asked_for_while_a_number_is_refused(window: MainWindow, action: str) -> None:
    line = type_period(window, "-4")
    window.action_set.trigger(action)
    assert window.status.currentMessage().startswith("Not saved. ")
    assert line.hasFocus()


def test_a_number_typed_without_enter_is_exported(window: MainWindow, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    type_period(window, "7")
    with answering(QFileDialog, choosing(other)):
        window.action_set.trigger("file.export_yaml")
    assert "timeperiod: 7}" in other.read_text(encoding="utf-8")


def test_saving_all_saves_the_others_while_a_number_is_refused(window: MainWindow, file: Path, tmp_path: Path) -> None:
    second = copy_example("rsi_pullback", tmp_path / "other")
    other = window.desk.open(second)
    other.document.set_text(other.document.text + "\n# more\n")
    first = next(tab for tab in window.tabs.all() if tab is not other)
    window.tabs.setCurrentWidget(first)
    before = file.read_text(encoding="utf-8")
    press_save_all(window, type_period(window, "-4"))
    assert second.read_text(encoding="utf-8").endswith("# more\n")
    assert file.read_text(encoding="utf-8") == before
    assert window.status.currentMessage().startswith("Not saved. ")


def test_saving_all_says_that_there_is_nothing_to_save(window: MainWindow) -> None:
    window.action_set.trigger("file.save_all")
    assert window.status.currentMessage() == "There are no unsaved changes."


def test_a_file_that_another_program_deleted_is_written_again_without_a_change(window: MainWindow, file: Path) -> None:
    before = file.read_text(encoding="utf-8")
    file.unlink()
    QTest.keyClick(window, Qt.Key.Key_S, CONTROL)
    assert file.read_text(encoding="utf-8") == before
