"""The list of problems."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.panes.problems import Problems
from tests.support.open_documents import PULLBACK, open_document

FAULTY = PULLBACK.replace("percent: 10}", "percent: 200}").replace("filters: [uptrend, days]", "filters: [uptrend]")


def show(qtbot: QtBot, document: Document) -> Problems:
    problems = Problems(document)
    qtbot.addWidget(problems)
    problems.resize(900, 200)
    problems.show()
    qtbot.waitExposed(problems)
    return problems


def rows(problems: Problems) -> list[list[str]]:
    model = problems.model
    return [[model.index(row, column).data() for column in range(4)] for row in range(model.rowCount())]


def test_findings_stand_in_file_order_with_remedy_node_and_place(qtbot: QtBot) -> None:
    problems = show(qtbot, open_document(FAULTY))
    assert problems.counts == (1, 1)
    warning, error = rows(problems)
    assert warning[0] == "Node 'days' has no effect: no execution node uses it."
    assert warning[1:] == ["Wire it or remove it.", "days", "14:3"]
    assert "percent" in error[0]
    assert error[2:] == ["stop", "16:38"]
    spoken = problems.model.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Error: ")


def test_none_says_so(qtbot: QtBot) -> None:
    problems = show(qtbot, open_document())
    assert problems.nothing.isVisible()
    assert not problems.view.isVisible()


def test_the_list_and_its_counts_follow_the_document(qtbot: QtBot) -> None:
    document = open_document(FAULTY)
    problems = show(qtbot, document)
    with qtbot.waitSignal(problems.count_changed) as signal:
        document.do(SetValues("stop", {"percent": 10}), label="Fix")
    assert signal.args == [0, 1]
    assert len(rows(problems)) == 1


def test_a_click_and_enter_go_to_the_problem(qtbot: QtBot) -> None:
    document = open_document(FAULTY)
    problems = show(qtbot, document)
    place = problems.view.visualRect(problems.model.index(1, 0)).center()
    with qtbot.waitSignal(problems.activated) as signal:
        QTest.mouseClick(problems.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert signal.args == [document.problems[1]]
    QTest.keyClick(problems.view, Qt.Key.Key_Up)
    with qtbot.waitSignal(problems.activated) as signal:
        QTest.keyClick(problems.view, Qt.Key.Key_Return)
    assert signal.args == [document.problems[0]]


def test_a_row_is_copied_with_its_place(qtbot: QtBot) -> None:
    problems = show(qtbot, open_document(FAULTY))
    problems.view.setCurrentIndex(problems.model.index(0, 0))
    QTest.keyClick(problems.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "14:3: warning: Node 'days' has no effect" in QGuiApplication.clipboard().text()


def test_text_that_is_no_yaml_is_a_problem_too(qtbot: QtBot) -> None:
    document = open_document()
    problems = show(qtbot, document)
    with qtbot.waitSignal(problems.count_changed) as signal:
        document.set_text("name: [")
    assert signal.args is not None
    assert signal.args[0] >= 1
