"""Nobody overwrites anybody: a save over a file that another program wrote asks first, with both versions in view."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.conflict import ConflictDialog
from quantcrafter.app.dialogs.unsaved import UnsavedDialog
from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.recovery.dialog import RecoveryDialog
from quantcrafter.app.window.recovery.store import Recovery
from quantcrafter.app.window.recovery.unsaved_work import RecoveryAnswer
from quantcrafter.engine.plugins import load_registry
from tests.support.desktop import copy_example, open_window, tab_of
from tests.support.modal import answering, answering_in_turn, choosing, pressing

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return copy_example("golden_cross", tmp_path)


@pytest.fixture
def desktop(qtbot: QtBot, file: Path) -> Iterator[Desktop]:
    with open_window(qtbot, file) as desktop:
        yield desktop


def type_mine(desktop: Desktop) -> None:
    document = tab_of(desktop).document
    document.set_text(document.text.replace("timeperiod: 50", "timeperiod: 21"))


def write_theirs(file: Path) -> str:
    """Change a file as another program does, in its place and with its old times; return the text."""
    before = file.stat()
    text = file.read_text(encoding="utf-8").replace("timeperiod: 200", "timeperiod: 150")
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    return text


def press_save(desktop: Desktop) -> None:
    desktop.shell.actions.refresh()
    desktop.shell.actions.trigger("file.save")


def test_saving_over_a_file_that_another_program_wrote_shows_both_and_cancel_touches_neither(
    desktop: Desktop, file: Path
) -> None:
    type_mine(desktop)
    theirs = write_theirs(file)
    seen: list[str] = []

    def look(dialog: ConflictDialog) -> None:
        seen.extend([dialog.ours.editor.toPlainText(), dialog.theirs.editor.toPlainText(), dialog.place.text()])
        QTest.keyClick(dialog, Qt.Key.Key_Escape)

    with answering(ConflictDialog, look):
        press_save(desktop)

    assert "timeperiod: 21" in seen[0]
    assert "timeperiod: 150" not in seen[0]
    assert "timeperiod: 150" in seen[1]
    assert "timeperiod: 21" not in seen[1]
    assert seen[2] == "Difference 1 of 1"
    assert file.read_text(encoding="utf-8") == theirs
    assert tab_of(desktop).needs_saving


def test_the_question_comes_again_at_the_next_save(desktop: Desktop, file: Path) -> None:
    type_mine(desktop)
    theirs = write_theirs(file)
    for _ in range(2):
        with answering(ConflictDialog, lambda dialog: dialog.reject()):
            press_save(desktop)
    assert file.read_text(encoding="utf-8") == theirs


def test_overwrite_writes_mine(desktop: Desktop, file: Path) -> None:
    type_mine(desktop)
    write_theirs(file)
    with answering(ConflictDialog, lambda dialog: dialog.overwrite_button.click()):
        press_save(desktop)
    assert "timeperiod: 21" in file.read_text(encoding="utf-8")
    assert not tab_of(desktop).needs_saving


def test_a_file_that_changes_again_while_the_question_stands_is_asked_about_again(desktop: Desktop, file: Path) -> None:
    type_mine(desktop)
    write_theirs(file)
    third = "quantcrafter: 1\nname: third\n"
    shown: list[str] = []

    def overwrite_late(dialog: ConflictDialog) -> None:
        file.write_text(third, encoding="utf-8")
        dialog.overwrite_button.click()

    def look(dialog: ConflictDialog) -> None:
        shown.append(dialog.theirs.editor.toPlainText())
        dialog.reject()

    with answering_in_turn((ConflictDialog, overwrite_late), (ConflictDialog, look)):
        press_save(desktop)
    assert "name: third" in shown[0]
    assert file.read_text(encoding="utf-8") == third


def test_taking_theirs_keeps_mine_one_undo_away(desktop: Desktop, file: Path) -> None:
    type_mine(desktop)
    theirs = write_theirs(file)
    with answering(ConflictDialog, lambda dialog: dialog.reload_button.click()):
        press_save(desktop)
    assert tab_of(desktop).document.text == theirs
    assert not tab_of(desktop).needs_saving
    tab_of(desktop).document.undo()
    assert "timeperiod: 21" in tab_of(desktop).document.text
    press_save(desktop)
    assert "timeperiod: 21" in file.read_text(encoding="utf-8")


def test_saving_mine_as_a_copy_leaves_theirs(desktop: Desktop, file: Path, tmp_path: Path) -> None:
    type_mine(desktop)
    theirs = write_theirs(file)
    with answering_in_turn(
        (ConflictDialog, lambda dialog: dialog.copy_button.click()),
        (QFileDialog, choosing(tmp_path / "mine")),
    ):
        press_save(desktop)
    assert file.read_text(encoding="utf-8") == theirs
    assert "timeperiod: 21" in (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    assert tab_of(desktop).path == tmp_path / "mine.yaml"


def test_what_another_program_wrote_alike_is_no_conflict(desktop: Desktop, file: Path) -> None:
    type_mine(desktop)
    file.write_text(tab_of(desktop).document.text, encoding="utf-8")
    press_save(desktop)
    assert not tab_of(desktop).needs_saving


def test_two_windows_on_one_file_do_not_overwrite_each_other(qtbot: QtBot, desktop: Desktop, file: Path) -> None:
    with open_window(qtbot, file) as second:
        document = tab_of(second).document
        document.set_text(document.text.replace("Golden cross", "BBB"))
        type_mine(desktop)
        assert desktop.file_controller.save(tab_of(desktop))
        mine = file.read_text(encoding="utf-8")
        with answering(ConflictDialog, lambda dialog: dialog.reject()):
            assert not second.file_controller.save(tab_of(second))
        assert file.read_text(encoding="utf-8") == mine


def test_a_deleted_file_is_written_again(desktop: Desktop, file: Path) -> None:
    type_mine(desktop)
    file.unlink()
    press_save(desktop)
    assert "timeperiod: 21" in file.read_text(encoding="utf-8")


def test_a_conflict_behind_a_link_asks_and_the_link_stays(qtbot: QtBot, file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    with open_window(qtbot, link) as desktop:
        type_mine(desktop)
        write_theirs(file)
        with answering(ConflictDialog, lambda dialog: dialog.overwrite_button.click()):
            press_save(desktop)
    assert link.is_symlink()
    assert "timeperiod: 21" in file.read_text(encoding="utf-8")


def test_theirs_that_is_no_text_is_told_and_not_lost(desktop: Desktop, file: Path) -> None:
    type_mine(desktop)
    file.write_bytes(b"\xff\xfe\x00binary")
    seen: list[bool] = []

    def look(dialog: ConflictDialog) -> None:
        seen.append(dialog.reload_button.isEnabled())
        dialog.reject()

    with answering(ConflictDialog, look):
        press_save(desktop)
    assert seen == [False]
    assert file.read_bytes() == b"\xff\xfe\x00binary"


def test_closing_with_save_stops_at_a_conflict(desktop: Desktop, file: Path) -> None:
    type_mine(desktop)
    theirs = write_theirs(file)
    with answering_in_turn(
        (UnsavedDialog, lambda dialog: dialog.save_button.click()),
        (ConflictDialog, lambda dialog: dialog.reject()),
    ):
        desktop.window.close()
    assert desktop.window.isVisible()
    assert tab_of(desktop).needs_saving
    assert file.read_text(encoding="utf-8") == theirs


def test_save_all_saves_the_others_when_one_cannot_be_saved(desktop: Desktop, file: Path, tmp_path: Path) -> None:
    second = copy_example("rsi_pullback", tmp_path / "other")
    desktop.file_controller.open(second)
    for tab in desktop.tabs.all():
        tab.document.set_text(tab.document.text + "\n# more\n")
    file.unlink()
    file.mkdir()
    told: list[str] = []

    def read(box: QMessageBox) -> None:
        told.append(box.text())
        box.accept()

    with answering(QMessageBox, read):
        assert not desktop.file_controller.save_all()
    assert "it is a folder" in told[0]
    assert second.read_text(encoding="utf-8").endswith("# more\n")


def test_save_as_onto_its_own_file_asks_too(desktop: Desktop, file: Path) -> None:
    type_mine(desktop)
    theirs = write_theirs(file)
    with answering_in_turn(
        (QFileDialog, choosing(file)),
        (QMessageBox, pressing(QMessageBox.StandardButton.Yes)),
        (ConflictDialog, lambda dialog: dialog.reject()),
    ):
        QTest.keyClick(desktop.window, Qt.Key.Key_S, CONTROL | SHIFT)
    assert file.read_text(encoding="utf-8") == theirs


@pytest.mark.parametrize("crashes", [1, 2])
@pytest.mark.parametrize("seconds", [10**9, 4 * 10**9])
def test_work_on_a_file_that_changed_after_it_is_offered_with_a_word_and_asks_when_it_is_saved(
    qtbot: QtBot, file: Path, seconds: int, crashes: int
) -> None:
    abandoned = Recovery()
    document = Document.open(file, load_registry())
    abandoned.follow(document)
    document.do(SetValues("fast", {"timeperiod": 21}), label="Set timeperiod")
    theirs = write_theirs(file)
    os.utime(file, (seconds, seconds))
    kill(abandoned)
    warnings: list[str] = []

    def restore(dialog: RecoveryDialog) -> None:
        warnings.append(dialog.warning.text())
        dialog.choices[0].setCurrentIndex(dialog.choices[0].findData(RecoveryAnswer.RESTORE.value))
        dialog.ok_button.click()

    for crash in range(crashes):
        with open_window(qtbot) as desktop:
            with answering(RecoveryDialog, restore):
                desktop.recovery_controller.offer()
            assert "timeperiod: 21" in tab_of(desktop).document.text
            assert tab_of(desktop).needs_saving
            if crash < crashes - 1:
                crash_now(desktop)
                continue
            shown: list[str] = []

            def look(dialog: ConflictDialog, shown: list[str] = shown) -> None:
                shown.extend([dialog.ours.editor.toPlainText(), dialog.theirs.editor.toPlainText()])
                dialog.reject()

            with answering(ConflictDialog, look):
                press_save(desktop)
            assert "timeperiod: 21" in shown[0]
            assert "timeperiod: 150" in shown[1]
    assert file.read_text(encoding="utf-8") == theirs
    assert len(warnings) == crashes
    assert all("The file has changed since then." in warning for warning in warnings)


def kill(recovery: Recovery) -> None:
    """Leave a session's files as the end of its process does."""
    lock = recovery._lock
    assert lock is not None
    lock.close()


def crash_now(desktop: Desktop) -> None:
    """Leave the recovery files of a window as a crash does."""
    store = desktop.recovery_controller._store
    kill(store)
    desktop.recovery_controller._on_trial.clear()
    desktop.recovery_controller._settling.stop()
    for swap in store._swaps:
        assert swap._end is not None
        swap._end()
    desktop.recovery_controller._swaps.clear()
    store._swaps.clear()
    store._lock = None
