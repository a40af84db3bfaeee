from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from quantcrafter.app.window.recovery.dialog import RecoveryDialog
from quantcrafter.app.window.recovery.unsaved_work import Leftovers, RecoveryAnswer, UnsavedWork, counts, differences
from tests.support.children import children

SAVED = "name: A\nrun:\n  cash: 1\n"
EDITED = "name: A\nrun:\n  cash: 2\n  mode: backtest\n"
WHEN = datetime(2026, 1, 2, 15, 4, tzinfo=UTC)
CHANGED = UnsavedWork("one", "RSI pullback", WHEN, EDITED, Path("/strategies/rsi.yaml"), SAVED)
UNTITLED = UnsavedWork("two", "New strategy", WHEN, SAVED)


@pytest.fixture
def dialog(qtbot: QtBot) -> RecoveryDialog:
    made = RecoveryDialog([CHANGED, UNTITLED])
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_each_draft_shows_its_name_its_time_and_how_much_changed(dialog: RecoveryDialog) -> None:
    item = dialog.table.topLevelItem(0)
    assert item is not None
    assert item.text(0) == "RSI pullback"
    assert "26" in item.text(1)
    assert item.text(2).strip() == "+2  −1"  # noqa: RUF001 - a minus sign


def test_the_preview_shows_what_changed_in_colour(qtbot: QtBot, dialog: RecoveryDialog) -> None:
    text = dialog.preview.toPlainText()
    assert "-   cash: 1" in text
    assert "+   cash: 2" in text
    assert dialog.where.text() == str(Path("/strategies/rsi.yaml"))
    block = dialog.preview.document().findBlockByNumber(text.split("\n").index("+   cash: 2"))
    assert block.blockFormat().background().color() != QColor(Qt.GlobalColor.black)
    item = dialog.table.topLevelItem(1)
    place = dialog.table.visualItemRect(item).center()
    qtbot.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert dialog.where.text() == "Never saved to a file"
    assert "+ name: A" in dialog.preview.toPlainText()


def test_continue_restores_all_but_those_set_otherwise(qtbot: QtBot, dialog: RecoveryDialog) -> None:
    dialog.choices[1].setFocus()
    for _ in range(2):
        qtbot.keyClick(dialog.choices[1], Qt.Key.Key_Down)
    qtbot.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)
    assert dialog.answers == {"one": RecoveryAnswer.RESTORE, "two": RecoveryAnswer.DISCARD}


def test_closing_the_offer_decides_nothing(qtbot: QtBot, dialog: RecoveryDialog) -> None:
    dialog.choices[0].setFocus()
    qtbot.keyClick(dialog.choices[0], Qt.Key.Key_Down)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.answers == {"one": RecoveryAnswer.LATER, "two": RecoveryAnswer.LATER}


def test_work_that_ended_the_program_is_skipped_unless_set_otherwise(qtbot: QtBot) -> None:
    tried = UnsavedWork("one", "RSI pullback", WHEN, EDITED, Path("/strategies/rsi.yaml"), SAVED, was_tried=True)
    damaged = UnsavedWork("two", "Half", WHEN, SAVED, is_damaged=True)
    dialog = RecoveryDialog([tried, damaged])
    qtbot.addWidget(dialog)
    dialog.show()
    assert "closed while it restored" in dialog.warning.text()
    dialog.table.setCurrentItem(dialog.table.topLevelItem(1))
    assert "is damaged" in dialog.warning.text()
    qtbot.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)

    assert dialog.answers == {"one": RecoveryAnswer.LATER, "two": RecoveryAnswer.RESTORE}


def test_the_report_of_a_crash_can_be_copied(qtbot: QtBot, tmp_path: Path) -> None:
    report = tmp_path / "desktop-crash-1.txt"
    report.write_text("Fatal Python error: Segmentation fault\n")
    aside = tmp_path / "damaged" / "aa-1.swap"
    dialog = RecoveryDialog([UNTITLED], left=Leftovers((report,), (aside,), tmp_path / "desktop.unreadable.json"))
    qtbot.addWidget(dialog)
    dialog.show()
    shown = [label.text() for label in children(dialog.notice, QLabel)]
    assert str(report) in shown
    assert any("aa-1.swap" in text for text in shown)
    assert str(tmp_path / "desktop.unreadable.json") in shown
    qtbot.mouseClick(dialog.notice.buttons["copy"], Qt.MouseButton.LeftButton)

    assert QGuiApplication.clipboard().text() == "Fatal Python error: Segmentation fault\n"


def test_differences_leave_out_what_is_equal() -> None:
    assert [line.kind for line in differences(CHANGED)] == ["@", " ", " ", "-", "+", "+"]
    assert counts(CHANGED) == (2, 1)
    assert counts(UnsavedWork("x", "x", WHEN, SAVED, None, SAVED)) == (0, 0)
