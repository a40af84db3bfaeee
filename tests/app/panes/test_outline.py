"""The outline: what it lists, says, and lets be done."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.panes.outline import NODE, Outline
from quantcrafter.app.panes.rows import ASIDE, BADGE, SECOND
from tests.support.open_documents import PULLBACK, WITH_BLOCK, open_document


def show(qtbot: QtBot, document: Document) -> Outline:
    outline = Outline(document)
    qtbot.addWidget(outline)
    outline.resize(280, 600)
    outline.show()
    qtbot.waitExposed(outline)
    return outline


def index_of(outline: Outline, node: str) -> QModelIndex:
    found = outline.model.match(
        outline.model.index(0, 0), NODE, node, 1, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive
    )
    return found[0]


def listed(outline: Outline) -> dict[str, list[str]]:
    model = outline.model
    tops = [model.index(row, 0) for row in range(model.rowCount())]
    return {top.data(): [model.index(row, 0, top).data() for row in range(model.rowCount(top))] for top in tops}


def click(outline: Outline, node: str, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    place = outline.view.visualRect(index_of(outline, node)).center()
    QTest.mouseClick(outline.view.viewport(), Qt.MouseButton.LeftButton, modifiers, place)


def test_nodes_stand_below_their_sections_in_file_order(qtbot: QtBot) -> None:
    assert listed(show(qtbot, open_document())) == {
        "Inputs": ["bars"],
        "Indicators": ["rsi", "average"],
        "Advisors": ["dip"],
        "Filters": ["uptrend", "days"],
        "Risk": ["stop", "target"],
        "Position sizing": ["size"],
        "Execution": ["entry"],
    }


def test_a_row_shows_component_wires_and_problems(qtbot: QtBot) -> None:
    outline = show(qtbot, open_document(PULLBACK.replace("percent: 10}", "percent: 200}")))
    dip = index_of(outline, "dip")
    assert (dip.data(), dip.data(ASIDE), dip.data(SECOND)) == ("dip", "levels", "input ← rsi")
    assert index_of(outline, "entry").data(SECOND).startswith("signals ← dip, filters ← uptrend, filters ← days")
    assert index_of(outline, "stop").data(BADGE) == "error"
    assert dip.data(BADGE) is None


def test_a_screen_reader_hears_role_component_inputs_and_problems(qtbot: QtBot) -> None:
    outline = show(qtbot, open_document(PULLBACK.replace("percent: 10}", "percent: 200}")))
    spoken = index_of(outline, "stop").data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("stop, Risk rule percent_stop. Error: ")
    spoken = index_of(outline, "uptrend").data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "uptrend, Filter trend. input reads bars.close. average reads average."
    assert outline.view.accessibleName()


def test_selection_goes_both_ways_without_an_echo(qtbot: QtBot) -> None:
    outline = show(qtbot, open_document())
    with qtbot.waitSignal(outline.selected) as signal:
        click(outline, "dip")
    assert signal.args == [("dip",)]
    with qtbot.waitSignal(outline.selected) as signal:
        click(outline, "rsi", Qt.KeyboardModifier.ControlModifier)
    assert signal.args == [("rsi", "dip")]
    with qtbot.assertNotEmitted(outline.selected):
        outline.set_selection(("stop", "target"))
    assert outline.selection() == ("stop", "target")


def test_f2_renames_and_wires_follow(qtbot: QtBot) -> None:
    document = open_document()
    outline = show(qtbot, document)
    click(outline, "rsi")
    QTest.keyClick(outline.view, Qt.Key.Key_F2)
    editor = outline.view.findChild(QLineEdit)
    assert editor is not None
    assert editor.text() == "rsi"
    editor.selectAll()
    QTest.keyClicks(editor, "strength")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "strength: {use: ta.RSI" in document.text)
    assert "input: strength" in document.text
    assert outline.selection() == ("strength",)


def test_a_taken_name_is_refused_with_the_reason(qtbot: QtBot) -> None:
    document = open_document()
    outline = show(qtbot, document)
    click(outline, "rsi")
    QTest.keyClick(outline.view, Qt.Key.Key_F2)
    editor = outline.view.findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, "average")
    with qtbot.waitSignal(outline.message) as signal:
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert "already" in str(signal.args)
    assert document.text == PULLBACK
    assert index_of(outline, "rsi").data() == "rsi"


def test_delete_removes_what_is_selected_but_never_the_bars(qtbot: QtBot) -> None:
    document = open_document()
    outline = show(qtbot, document)
    outline.set_selection(("bars", "target"))
    QTest.keyClick(outline.view, Qt.Key.Key_Delete)
    assert "target" not in document.text
    assert "risk: [stop]" in document.text
    assert listed(outline)["Risk"] == ["stop"]
    document.undo()
    qtbot.waitUntil(lambda: listed(outline)["Risk"] == ["stop", "target"])


def test_a_change_of_values_keeps_selection_and_folds(qtbot: QtBot) -> None:
    document = open_document()
    outline = show(qtbot, document)
    outline.set_selection(("stop",))
    filters = outline.model.index(3, 0)
    outline.view.collapse(filters)
    document.do(SetValues("dip", {"input": "average"}), label="Rewire")
    qtbot.waitUntil(lambda: index_of(outline, "dip").data(SECOND) == "input ← average")
    assert outline.selection() == ("stop",)
    assert not outline.view.isExpanded(outline.model.index(3, 0))


def test_the_inside_of_a_block_is_walked(qtbot: QtBot) -> None:
    outline = show(qtbot, open_document(WITH_BLOCK))
    assert index_of(outline, "strange").data(ASIDE) == "not_here (not installed)"
    outline.set_scope(("blocks", "gate"))
    assert listed(outline) == {"Inputs": ["bars", "price"], "Indicators": ["average"], "Logic": ["above"]}


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_goes_to_the_node(qtbot: QtBot, key: Qt.Key) -> None:
    outline = show(qtbot, open_document())
    click(outline, "dip")
    with qtbot.waitSignal(outline.activated) as signal:
        QTest.keyClick(outline.view, key)
    assert signal.args == ["dip"]
