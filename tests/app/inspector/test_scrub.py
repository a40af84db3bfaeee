"""Numbers changed by dragging their names."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.inspector.editors.scrub import PIXELS_A_STEP, ScrubLabel
from quantcrafter.app.inspector.inspector import Inspector
from tests.support.mouse import move, press, release
from tests.support.open_documents import open_document

START = QPoint(5, 5)


def label_of(qtbot: QtBot, document: Document, node: str, field: str) -> tuple[Inspector, ScrubLabel]:
    inspector = Inspector(document)
    qtbot.addWidget(inspector)
    inspector.resize(320, 680)
    inspector.set_selection((node,))
    with qtbot.waitExposed(inspector):
        inspector.show()
    assert inspector.page is not None
    label = inspector.page.views[0].rows[(field,)].label
    assert isinstance(label, ScrubLabel)
    return inspector, label


def by(steps: int) -> QPoint:
    return START + QPoint(steps * PIXELS_A_STEP, 0)


def period(document: Document) -> int:
    return int(document.values["indicators"]["rsi"]["timeperiod"])


def test_dragging_a_name_changes_the_number_live_and_as_one_undo_step(qtbot: QtBot) -> None:
    document = open_document()
    before, start = document.text, period(document)
    inspector, label = label_of(qtbot, document, "rsi", "timeperiod")
    seen: list[int] = []
    document.subscribe(lambda _change: seen.append(period(document)))

    press(label, START)
    for steps in (3, 4, 9, 6):
        move(label, by(steps))
        QApplication.processEvents()
    release(label, by(6))

    assert seen == [start + 3, start + 4, start + 9, start + 6]
    assert period(document) == start + 6
    document.undo()
    assert document.text == before
    document.redo()
    assert period(document) == start + 6
    assert inspector.document is document


def test_moves_that_come_faster_than_they_are_dealt_with_are_one_change(qtbot: QtBot) -> None:
    document = open_document()
    start = period(document)
    _, label = label_of(qtbot, document, "rsi", "timeperiod")
    changes: list[int] = []
    document.subscribe(lambda _change: changes.append(period(document)))

    press(label, START)
    for steps in range(1, 40):
        move(label, by(steps))
    release(label, by(40))

    assert changes == [start + 39]
    document.undo()
    assert period(document) == start


def test_a_drag_stops_at_the_end_of_the_range_and_ctrl_makes_it_fast(qtbot: QtBot) -> None:
    document = open_document()
    start = period(document)
    _, label = label_of(qtbot, document, "rsi", "timeperiod")

    press(label, START)
    move(label, by(-500))
    release(label, by(-500))
    assert period(document) == 2

    press(label, START)
    move(label, by(3), Qt.KeyboardModifier.ControlModifier)
    release(label, by(3), Qt.KeyboardModifier.ControlModifier)
    assert period(document) == 32
    document.undo()
    document.undo()
    assert period(document) == start


def test_two_drags_are_two_undo_steps(qtbot: QtBot) -> None:
    document = open_document()
    start = period(document)
    _, label = label_of(qtbot, document, "rsi", "timeperiod")
    for _ in range(2):
        press(label, START)
        move(label, by(5))
        release(label, by(5))
    assert period(document) == start + 10
    document.undo()
    assert period(document) == start + 5


def test_a_click_on_a_name_changes_nothing(qtbot: QtBot) -> None:
    document = open_document()
    before = document.text
    _, label = label_of(qtbot, document, "rsi", "timeperiod")
    press(label, START)
    release(label, START)
    assert document.text == before
    assert not document.undo_label
