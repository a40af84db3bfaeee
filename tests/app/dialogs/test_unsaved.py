from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.unsaved import UnsavedAnswer, UnsavedDialog


@pytest.fixture
def dialog(qtbot: QtBot) -> UnsavedDialog:
    made = UnsavedDialog(["RSI pullback", "golden_cross.yaml"])
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_every_strategy_is_named(dialog: UnsavedDialog) -> None:
    assert [dialog.names.item(row).text() for row in range(dialog.names.count())] == [
        "RSI pullback",
        "golden_cross.yaml",
    ]
    assert dialog.names.verticalScrollBar().maximum() == 0


def test_enter_saves(qtbot: QtBot, dialog: UnsavedDialog) -> None:
    assert dialog.save_button.text() == "Save all"
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.answer is UnsavedAnswer.SAVE


def test_discarding_takes_a_click_of_its_own(qtbot: QtBot, dialog: UnsavedDialog) -> None:
    qtbot.mouseClick(dialog.discard_button, Qt.MouseButton.LeftButton)
    assert dialog.answer is UnsavedAnswer.DISCARD


def test_escape_and_closing_cancel(qtbot: QtBot, dialog: UnsavedDialog) -> None:
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.answer is UnsavedAnswer.CANCEL


def test_one_strategy_is_spoken_of_as_one(qtbot: QtBot) -> None:
    dialog = UnsavedDialog(["RSI pullback"])
    qtbot.addWidget(dialog)
    assert dialog.save_button.text() == "Save"
