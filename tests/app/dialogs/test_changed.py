from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.changed import ChangedAnswer, ChangedNotice


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


def test_with_unsaved_changes_the_bar_says_how_to_get_them_back_after_a_reload(qtbot: QtBot) -> None:
    notice, answers = _notice(qtbot, modified=True)
    assert "Undo restores your version" in notice.text.text()
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


@pytest.mark.parametrize("width", [1200, 800, 450, 300, 160])
def test_nothing_of_the_bar_is_cut_off_however_narrow(qtbot: QtBot, width: int) -> None:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    notice = ChangedNotice("golden_cross.yaml", modified=True)
    column.addWidget(notice)
    crowd = QWidget()
    crowd.setMinimumHeight(600)
    column.addWidget(crowd, 1)
    qtbot.addWidget(page)
    page.resize(width, 700)
    with qtbot.waitExposed(page):
        page.show()
    assert page.width() == width
    qtbot.waitUntil(lambda: notice.text.height() >= notice.text.heightForWidth(notice.text.width()))
    for button in (notice.reload_button, notice.keep_button):
        assert button.width() >= button.sizeHint().width()
        assert notice.rect().contains(button.geometry())
    assert notice.rect().contains(notice.text.geometry())
    lines = notice.text.height() / notice.text.fontMetrics().lineSpacing()
    assert width < 450 or lines < 3.5
    is_beside = notice.text.geometry().right() < notice.reload_button.x()
    assert is_beside == (width >= 800)
