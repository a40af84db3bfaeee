from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.changed import ChangedNotice
from quantcrafter.app.dialogs.unsaved import UnsavedDialog
from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.recovery.dialog import RecoveryDialog
from quantcrafter.app.window.recovery.store import Recovery
from quantcrafter.engine.plugins import load_registry
from tests.support.children import child
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.modal import answering, choosing

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return copy_example("golden_cross", tmp_path)


@pytest.fixture
def desktop(qtbot: QtBot, file: Path) -> Iterator[Desktop]:
    with open_window(qtbot, file) as desktop:
        yield desktop


def change(desktop: Desktop) -> None:
    tab_of(desktop).document.do(SetValues("fast", {"timeperiod": 21}), label="Set timeperiod")


def test_closing_unsaved_work_asks_and_cancel_keeps_it(desktop: Desktop, file: Path) -> None:
    change(desktop)

    with answering(UnsavedDialog, lambda dialog: QTest.keyClick(dialog, Qt.Key.Key_Escape)):
        QTest.keyClick(desktop.window, Qt.Key.Key_W, CONTROL)

    assert desktop.tabs.count() == 1
    assert "timeperiod: 21" in tab_of(desktop).document.text
    assert "timeperiod: 21" not in file.read_text(encoding="utf-8")


def test_closing_unsaved_work_can_save_it(desktop: Desktop, file: Path) -> None:
    change(desktop)

    with answering(UnsavedDialog, lambda dialog: dialog.save_button.click()):
        QTest.keyClick(desktop.window, Qt.Key.Key_W, CONTROL)

    assert desktop.tabs.count() == 0
    assert "timeperiod: 21" in file.read_text(encoding="utf-8")


def test_closing_unsaved_work_can_discard_it(desktop: Desktop, file: Path) -> None:
    before = file.read_text(encoding="utf-8")
    change(desktop)

    with answering(UnsavedDialog, lambda dialog: dialog.discard_button.click()):
        QTest.keyClick(desktop.window, Qt.Key.Key_W, CONTROL)

    assert desktop.tabs.count() == 0
    assert file.read_text(encoding="utf-8") == before
    assert Recovery().find() == ()


def test_closing_the_window_asks_for_all_unsaved_strategies_at_once(desktop: Desktop, tmp_path: Path) -> None:
    desktop.file_controller.open(copy_example("rsi_pullback", tmp_path / "other"))
    for tab in desktop.tabs.all():
        tab.document.set_text(tab.document.text + "\n# more\n")
    asked: list[str] = []

    def refuse(dialog: UnsavedDialog) -> None:
        asked.extend(dialog.names.item(row).text() for row in range(dialog.names.count()))
        dialog.reject()

    with answering(UnsavedDialog, refuse):
        desktop.window.close()

    assert asked == ["golden_cross", "rsi_pullback"]
    assert desktop.window.isVisible()


def test_an_untouched_strategy_closes_without_a_question(desktop: Desktop) -> None:
    QTest.keyClick(desktop.window, Qt.Key.Key_W, CONTROL)

    assert desktop.tabs.count() == 0


def test_save_as_writes_another_file_and_goes_on_with_it(desktop: Desktop, file: Path, tmp_path: Path) -> None:
    change(desktop)
    before = file.read_text(encoding="utf-8")
    with answering(QFileDialog, choosing(tmp_path / "copy")):
        QTest.keyClick(desktop.window, Qt.Key.Key_S, CONTROL | SHIFT)

    assert tab_of(desktop).path == tmp_path / "copy.yaml"
    assert "timeperiod: 21" in (tmp_path / "copy.yaml").read_text(encoding="utf-8")
    assert file.read_text(encoding="utf-8") == before
    assert desktop.tabs.tabText(0) == "copy"


def test_open_by_dialog_shows_the_chosen_file(desktop: Desktop, tmp_path: Path) -> None:
    other = copy_example("rsi_pullback", tmp_path / "other")

    with answering(QFileDialog, choosing(other)):
        QTest.keyClick(desktop.window, Qt.Key.Key_O, CONTROL)

    assert tab_of(desktop).path == other


def test_a_file_that_cannot_be_opened_is_told_in_words(desktop: Desktop, tmp_path: Path) -> None:
    told: list[str] = []

    def read(box: QMessageBox) -> None:
        told.append(box.text())
        box.accept()

    with answering(QMessageBox, read):
        desktop.file_controller.open_all([tmp_path / "missing.yaml"])

    assert "missing.yaml" in told[0]
    assert desktop.tabs.count() == 1


def test_a_save_that_fails_is_told_in_words_and_loses_nothing(desktop: Desktop, file: Path, qtbot: QtBot) -> None:
    change(desktop)
    qtbot.waitUntil(desktop.shell.actions.actions["file.save"].isEnabled)
    file.unlink()
    file.mkdir()

    with answering(QMessageBox, lambda box: box.accept()):
        QTest.keyClick(desktop.window, Qt.Key.Key_S, CONTROL)

    assert tab_of(desktop).needs_saving
    assert "timeperiod: 21" in tab_of(desktop).document.text


def test_a_file_changed_by_another_program_is_loaded_again_when_nothing_is_lost(
    desktop: Desktop, file: Path, qtbot: QtBot
) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace("timeperiod: 50", "timeperiod: 33"), encoding="utf-8")

    qtbot.waitUntil(lambda: "timeperiod: 33" in tab_of(desktop).document.text)

    assert not tab_of(desktop).needs_saving


def test_a_file_changed_by_another_program_asks_before_unsaved_work_is_lost(
    desktop: Desktop, file: Path, qtbot: QtBot
) -> None:
    change(desktop)
    file.write_text(file.read_text(encoding="utf-8").replace("timeperiod: 200", "timeperiod: 150"), encoding="utf-8")
    tab = tab_of(desktop)
    qtbot.waitUntil(lambda: tab.findChild(ChangedNotice) is not None)
    notice = child(tab, ChangedNotice)
    assert "timeperiod: 21" in tab.document.text

    qtbot.mouseClick(notice.reload_button, Qt.MouseButton.LeftButton)

    assert "timeperiod: 150" in tab.document.text
    assert "timeperiod: 21" not in tab.document.text
    tab.document.undo()
    assert "timeperiod: 21" in tab.document.text


def test_unsaved_work_of_a_killed_session_is_offered_and_restored(qtbot: QtBot, file: Path) -> None:
    abandoned = Recovery()
    document = Document.open(file, load_registry())
    abandoned.follow(document)
    document.do(SetValues("fast", {"timeperiod": 21}), label="Set timeperiod")
    # What the system does when the process dies: the lock is free, the swap file stays.
    lock = abandoned._lock
    assert lock is not None
    lock.close()

    with open_window(qtbot) as desktop:
        with answering(RecoveryDialog, lambda dialog: dialog.ok_button.click()):
            desktop.recovery_controller.offer()

        tab = tab_of(desktop)
        assert tab.path == file
        assert "timeperiod: 21" in tab.document.text
        assert tab.needs_saving
        tab.document.undo()
        assert tab.document.text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["quantcrafter: 1\nname: [never, closed\n", "just words\n", "a: b: c\n"])
def test_restored_text_that_was_never_valid_shows_an_empty_canvas_and_says_so(qtbot: QtBot, text: str) -> None:
    abandoned = Recovery()
    document = Document.new(load_registry())
    abandoned.follow(document, "Draft")
    document.set_text(text)
    lock = abandoned._lock
    assert lock is not None
    lock.close()

    with open_window(qtbot) as desktop:
        with answering(RecoveryDialog, lambda dialog: dialog.ok_button.click()):
            desktop.recovery_controller.offer()

        tab = tab_of(desktop)
        assert tab.document.text == text
        assert tab.needs_saving
        assert tab.document.graph().nodes == {}
        qtbot.waitUntil(tab.yaml.banner.isVisible)
        assert tab.yaml.banner.text.text() == "The text is not valid YAML. The canvas is empty until the text is valid"
        tab.document.set_text("quantcrafter: 1\n")
        assert "bars" in tab.document.graph().nodes


def test_a_window_closed_in_order_leaves_nothing_to_recover(qtbot: QtBot, file: Path) -> None:
    with open_window(qtbot, file) as desktop:
        change(desktop)

    assert Recovery().find() == ()


def test_exports_write_the_text_with_and_without_layout_and_pictures(desktop: Desktop, tmp_path: Path) -> None:
    for action, name in (
        ("file.export_yaml", "with.yaml"),
        ("file.export_bare_yaml", "bare.yaml"),
        ("file.export_png", "graph.png"),
        ("file.export_svg", "graph.svg"),
    ):
        with answering(QFileDialog, choosing(tmp_path / name)):
            desktop.shell.actions.trigger(action)

    assert "layout:" in (tmp_path / "with.yaml").read_text(encoding="utf-8")
    assert "layout:" not in (tmp_path / "bare.yaml").read_text(encoding="utf-8")
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "graph.svg").read_text(encoding="utf-8")
