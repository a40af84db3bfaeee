from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.dialogs.changed import ChangedAnswer, ChangedNotice


def _notice(qtbot: QtBot, *, modified: bool = False, missing: bool = False) -> tuple[ChangedNotice, list[object]]:
    notice = ChangedNotice("rsi.yaml", modified=modified, missing=missing)
    qtbot.addWidget(notice)
    answers: list[object] = []
    notice.answered.connect(answers.append)
    notice.show()
    qtbot.waitExposed(notice)
    return notice, answers


def test_a_changed_file_is_named_and_can_be_reloaded(qtbot: QtBot) -> None:
    notice, answers = _notice(qtbot)
    assert "rsi.yaml" in notice.text.text()
    qtbot.mouseClick(notice.reload_button, Qt.MouseButton.LeftButton)
    assert answers == [ChangedAnswer.RELOAD]
    assert not notice.isVisible()


def test_with_unsaved_changes_the_button_says_what_a_reload_costs(qtbot: QtBot) -> None:
    notice, answers = _notice(qtbot, modified=True)
    assert notice.reload_button.text() == "Reload and lose my changes"
    qtbot.mouseClick(notice.keep_button, Qt.MouseButton.LeftButton)
    assert answers == [ChangedAnswer.KEEP]


def test_escape_keeps_what_is_open(qtbot: QtBot) -> None:
    notice, answers = _notice(qtbot)
    notice.setFocus()
    qtbot.keyClick(notice, Qt.Key.Key_Escape)
    assert answers == [ChangedAnswer.KEEP]


def test_a_file_that_is_gone_cannot_be_reloaded(qtbot: QtBot) -> None:
    notice, _ = _notice(qtbot, missing=True)
    assert not notice.reload_button.isVisible()
    assert "deleted or moved" in notice.text.text()
