from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QHelpEvent, QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import AddNode, RenameNode, SetValues
from quantcrafter.app.panes.yaml_view import YamlView
from quantcrafter.app.panes.yaml_view.highlighter import YamlHighlighter
from quantcrafter.app.theme import DARK, LIGHT, apply, current
from quantcrafter.engine.api import Role
from quantcrafter.engine.plugins import load_registry

EXAMPLE = Path("resources/examples/rsi_pullback.yaml").read_text(encoding="utf-8")
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier

Open = Callable[..., YamlView]


@pytest.fixture
def opened(qtbot: QtBot) -> Open:
    def open_view(text: str = EXAMPLE) -> YamlView:
        view = YamlView(Document(text, load_registry()))
        qtbot.addWidget(view)
        view.resize(800, 500)
        view.show()
        view.editor.setFocus()
        qtbot.waitUntil(view.editor.hasFocus)
        return view

    return open_view


def document_of(view: YamlView) -> Document:
    document = view._document
    assert isinstance(document, Document)
    return document


def put_cursor(view: YamlView, behind: str) -> None:
    text = view.editor.content()
    cursor = view.editor.textCursor()
    cursor.setPosition(text.index(behind) + len(behind))
    view.editor.setTextCursor(cursor)


def type_text(qtbot: QtBot, view: YamlView, text: str) -> None:
    QTest.keyClicks(view.editor, text)
    qtbot.waitUntil(lambda: document_of(view).text == view.editor.content())


def test_the_text_of_the_document_is_shown_as_it_is(opened: Open) -> None:
    view = opened()
    assert view.editor.content() == EXAMPLE
    assert not document_of(view).is_modified


def test_typing_a_parameter_reaches_the_graph(qtbot: QtBot, opened: Open) -> None:
    view = opened()
    put_cursor(view, "timeperiod: 2")
    type_text(qtbot, view, "1")
    assert document_of(view).graph().nodes["rsi"].values["timeperiod"] == 21


def test_line_ends_and_byte_order_mark_survive_typing(qtbot: QtBot, opened: Open) -> None:
    raw = "\ufeff" + EXAMPLE.replace("\n", "\r\n")
    view = opened(raw)
    put_cursor(view, "timeperiod: 2")
    QTest.keyClicks(view.editor, "1")
    expected = raw.replace("timeperiod: 2}", "timeperiod: 21}")
    qtbot.waitUntil(lambda: document_of(view).text == expected)


def test_an_error_is_marked_in_the_gutter_and_its_tip_says_message_and_remedy(qtbot: QtBot, opened: Open) -> None:
    view = opened()
    put_cursor(view, "timeperiod: 2")
    QTest.keyClick(view.editor, Qt.Key.Key_Backspace)
    type_text(qtbot, view, "1")
    row = view.line_of("rsi") - 1
    top = dict(view.editor.rows_in_view())[row]
    middle = QPoint(10, top + view.editor.fontMetrics().height() // 2)
    image = view.editor.gutter.grab().toImage()
    assert image.pixelColor(middle) == QColor(current().error)
    clean = QPoint(10, middle.y() - 3 * view.editor.fontMetrics().height())
    assert image.pixelColor(clean) == QColor(current().panel)
    QApplication.sendEvent(
        view.editor.gutter, QHelpEvent(QEvent.Type.ToolTip, middle, view.editor.gutter.mapToGlobal(middle))
    )
    assert "timeperiod" in QToolTip.text()
    assert document_of(view).problems[0].remedy in QToolTip.text()
    assert view.editor.gutter.tip_at(clean) == ""


def test_the_faulty_value_itself_has_a_wavy_underline(opened: Open) -> None:
    view = opened(EXAMPLE.replace("timeperiod: 2}", "timeperiod: -7}"))
    wavy = [
        mark.cursor.selectedText()
        for mark in cast("list[Any]", view.editor.extraSelections())
        if mark.format.underlineStyle() == QTextCharFormat.UnderlineStyle.WaveUnderline
    ]
    assert wavy == ["-7"]


def test_a_change_made_on_the_canvas_leaves_cursor_selection_and_scroll_where_they_are(opened: Open) -> None:
    view = opened(EXAMPLE + "# end\n" * 100)
    put_cursor(view, "entry: {use: market")
    cursor = view.editor.textCursor()
    cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, 6)
    view.editor.setTextCursor(cursor)
    bar = view.editor.verticalScrollBar()
    bar.setValue(12)
    first = view.editor.firstVisibleBlock().text()
    document = document_of(view)
    document.do(
        AddNode(Role.INDICATOR, "slow", "ta.SMA", {"input": "bars.close", "timeperiod": 50}, (0, 0)), label="Add"
    )
    document.do(RenameNode("rsi", "strength"), SetValues("average", {"timeperiod": 150}), label="Edit")
    assert view.editor.content() == document.text
    assert view.editor.textCursor().selectedText() == "market"
    assert view.editor.firstVisibleBlock().text() == first
    assert bar.value() > 12


def test_invalid_text_keeps_the_graph_and_says_so(qtbot: QtBot, opened: Open) -> None:
    view = opened()
    document = document_of(view)
    graph = document.graph()
    put_cursor(view, "average: {use: ta.SMA")
    type_text(qtbot, view, ": {{")
    assert not document.is_readable
    assert document.graph() == graph
    qtbot.waitUntil(view.banner.isVisible)
    assert view.banner.text.text() == "The text is not valid YAML. The canvas shows the last valid state"
    QTest.mouseClick(view.banner.button, Qt.MouseButton.LeftButton)
    assert view.editor.textCursor().blockNumber() + 1 == document.problems[0].line
    for _ in range(4):
        QTest.keyClick(view.editor, Qt.Key.Key_Z, CONTROL)
    assert document.is_readable
    assert view.banner.isHidden()


def test_undo_takes_back_what_was_done_on_the_canvas_and_in_the_text(qtbot: QtBot, opened: Open) -> None:
    view = opened()
    document = document_of(view)
    document.do(SetValues("average", {"timeperiod": 150}), label="Set")
    put_cursor(view, "timeperiod: 2")
    type_text(qtbot, view, "1")
    QTest.keyClick(view.editor, Qt.Key.Key_Z, CONTROL)
    assert document.graph().nodes["rsi"].values["timeperiod"] == 2
    assert document.graph().nodes["average"].values["timeperiod"] == 150
    QTest.keyClick(view.editor, Qt.Key.Key_Z, CONTROL)
    assert view.editor.content() == document.text == EXAMPLE
    QTest.keyClick(view.editor, Qt.Key.Key_Z, CONTROL | SHIFT)
    QTest.keyClick(view.editor, Qt.Key.Key_Y, CONTROL)
    assert document.graph().nodes["rsi"].values["timeperiod"] == 21
    assert view.editor.content() == document.text


def test_undo_at_once_after_typing_loses_no_key(opened: Open) -> None:
    view = opened()
    put_cursor(view, "timeperiod: 2")
    QTest.keyClicks(view.editor, "1")
    QTest.keyClick(view.editor, Qt.Key.Key_Z, CONTROL)
    assert view.editor.content() == EXAMPLE
    assert document_of(view).redo_label


def test_undo_brings_the_cursor_to_what_changed(opened: Open) -> None:
    view = opened()
    document_of(view).do(SetValues("average", {"timeperiod": 150}), label="Set")
    put_cursor(view, "quantcrafter")
    QTest.keyClick(view.editor, Qt.Key.Key_Z, CONTROL)
    assert view.editor.textCursor().blockNumber() + 1 == view.line_of("average")


def test_the_node_at_the_cursor_is_told_when_the_user_goes_there(opened: Open) -> None:
    view = opened()
    found: list[object] = []
    lines: list[int] = []
    view.node_at_cursor.connect(lambda node, scope: found.append((node, scope)))
    view.cursor_line_changed.connect(lines.append)
    put_cursor(view, "  dip: {use")
    assert found == [("dip", ())]
    assert lines == [view.line_of("dip")]
    QTest.keyClick(view.editor, Qt.Key.Key_End)
    assert len(found) == 1
    QTest.keyClick(view.editor, Qt.Key.Key_Home, CONTROL)
    assert found[-1] == (None, ())


def test_what_is_shown_on_request_is_not_told_back(opened: Open) -> None:
    view = opened()
    found: list[object] = []
    view.node_at_cursor.connect(lambda node, _scope: found.append(node))
    view.reveal_node("target")
    assert view.editor.textCursor().block().text().startswith("  target:")
    view.reveal_line(3, 5)
    assert (view.editor.textCursor().blockNumber(), view.editor.textCursor().positionInBlock()) == (2, 4)
    assert found == []


def test_revealing_the_node_the_cursor_is_in_moves_nothing(opened: Open) -> None:
    view = opened()
    put_cursor(view, "timeperiod: 2")
    place = view.editor.textCursor().position()
    view.reveal_node("rsi")
    assert view.editor.textCursor().position() == place


def test_a_line_far_away_comes_into_view(opened: Open) -> None:
    view = opened(EXAMPLE + "# end\n" * 500)
    view.reveal_line(400)
    assert 399 in dict(view.editor.rows_in_view())


def test_find_counts_and_walks_the_places(qtbot: QtBot, opened: Open) -> None:
    view = opened()
    QTest.keyClick(view.editor, Qt.Key.Key_F, CONTROL)
    assert view.find_bar.isVisible()
    qtbot.waitUntil(view.find_bar.field.hasFocus)
    QTest.keyClicks(view.find_bar.field, "timeperiod")
    assert view.find_bar.count.text() == "1 / 2"
    assert view.editor.textCursor().selectedText() == "timeperiod"
    first = view.editor.textCursor().position()
    QTest.keyClick(view.find_bar.field, Qt.Key.Key_Return)
    assert view.find_bar.count.text() == "2 / 2"
    QTest.keyClick(view.find_bar.field, Qt.Key.Key_Return)
    assert view.editor.textCursor().position() == first
    QTest.keyClick(view.find_bar.field, Qt.Key.Key_Return, SHIFT)
    assert view.find_bar.count.text() == "2 / 2"
    QTest.keyClicks(view.find_bar.field, "zz")
    assert view.find_bar.count.text() == "No results"
    QTest.keyClick(view.find_bar.field, Qt.Key.Key_Escape)
    assert view.find_bar.isHidden()
    qtbot.waitUntil(view.editor.hasFocus)


def test_upper_case_in_the_wish_makes_case_matter(opened: Open) -> None:
    view = opened()
    view.open_find()
    view.find_bar.field.setText("rsi pull")
    assert view.find_bar.count.text() == "1 / 1"
    view.find_bar.field.setText("rSi")
    assert view.find_bar.count.text() == "No results"


def test_the_wish_is_what_is_selected(opened: Open) -> None:
    view = opened()
    put_cursor(view, "\n  rs")
    cursor = view.editor.textCursor()
    cursor.select(QTextCursor.SelectionType.WordUnderCursor)
    view.editor.setTextCursor(cursor)
    view.open_find()
    assert view.find_bar.field.text() == "rsi"


def test_completion_offers_components_and_puts_the_choice_in(qtbot: QtBot, opened: Open) -> None:
    view = opened()
    put_cursor(view, "timeperiod: 200}")
    QTest.keyClick(view.editor, Qt.Key.Key_Return)
    QTest.keyClicks(view.editor, "quick: {use: ")
    qtbot.waitUntil(view.popup.isVisible)
    assert "ta.EMA" in view.popup.texts()
    QTest.keyClicks(view.editor, "EM")
    qtbot.waitUntil(lambda: view.popup.texts()[0] == "ta.EMA")
    QTest.keyClick(view.editor, Qt.Key.Key_Return)
    assert view.editor.textCursor().block().text() == "  quick: {use: ta.EMA"
    assert view.popup.isHidden()
    QTest.keyClicks(view.editor, ", inp")
    qtbot.waitUntil(lambda: view.popup.isVisible() and view.popup.texts()[0] == "input: ")
    QTest.keyClick(view.editor, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: "average" in view.popup.texts())
    assert view.popup.isVisible()
    assert "dip" not in view.popup.texts()
    QTest.keyClicks(view.editor, "av")
    qtbot.waitUntil(lambda: view.popup.texts() == ["average"])
    QTest.keyClick(view.editor, Qt.Key.Key_Return)
    type_text(qtbot, view, "}")
    assert document_of(view).graph().nodes["quick"].values["input"] == "average"
    assert document_of(view).is_readable


def test_control_space_offers_what_fits_and_escape_closes_it(qtbot: QtBot, opened: Open) -> None:
    view = opened()
    put_cursor(view, "mode: ")
    for _ in "return":
        QTest.keyClick(view.editor, Qt.Key.Key_Delete)
    QTest.keyClick(view.editor, Qt.Key.Key_Space, CONTROL)
    qtbot.waitUntil(view.popup.isVisible)
    assert "return" in view.popup.texts()
    QTest.keyClick(view.editor, Qt.Key.Key_Down)
    QTest.keyClick(view.editor, Qt.Key.Key_Escape)
    assert view.popup.isHidden()


def test_enter_behind_a_word_that_is_typed_out_ends_the_line(qtbot: QtBot, opened: Open) -> None:
    view = opened("quantcrafter: 1\nindicators:\n  fast:\n    use: ta.SMA\n    input: bars.close\n")
    put_cursor(view, "bars.close")
    QTest.keyClick(view.editor, Qt.Key.Key_Return)
    QTest.keyClicks(view.editor, "use: ta.STOCH")
    qtbot.waitUntil(view.popup.isVisible)
    QTest.keyClick(view.editor, Qt.Key.Key_Return)
    assert view.popup.isHidden()
    assert view.editor.textCursor().block().text() == "    "


def test_two_views_of_a_document_follow_each_other(qtbot: QtBot, opened: Open) -> None:
    first = opened()
    second = YamlView(document_of(first))
    qtbot.addWidget(second)
    put_cursor(first, "timeperiod: 2")
    type_text(qtbot, first, "1")
    assert second.editor.content() == first.editor.content()


def test_another_document_takes_its_place(opened: Open) -> None:
    view = opened()
    before = document_of(view)
    put_cursor(view, "timeperiod: 2")
    QTest.keyClicks(view.editor, "1")
    other = Document("quantcrafter: 1\n", load_registry())
    view.set_document(other)
    assert before.graph().nodes["rsi"].values["timeperiod"] == 21
    assert view.editor.content() == other.text
    before.undo()
    assert view.editor.content() == other.text


def test_a_closed_view_lets_go_of_the_document(qapp: QApplication, opened: Open) -> None:
    view = opened()
    document = document_of(view)
    view.close()
    assert document._listeners == []
    document.do(SetValues("rsi", {"timeperiod": 3}), label="Set")
    apply(qapp, "light")


def test_words_are_coloured_by_what_they_are(opened: Open) -> None:
    view = opened(EXAMPLE.replace("use: percent_target", "use: percent_tarjet"))

    def color(needle: str, skip: int = 0) -> str:
        position = view.editor.content().index(needle) + skip
        block = view.editor.document().findBlock(position)
        form = view._highlighter.format_at(block, position - block.position())
        return form.foreground().color().name()

    theme = current()
    assert color("# Mean") == theme.code_comment
    assert color("indicators:") == theme.code_key
    assert color("rsi: {") == theme.family("indicators")
    assert color("input: rsi", 7) == theme.family("indicators")
    assert color("[dip]", 1) == theme.family("advisors")
    assert color("[uptrend]", 1) == theme.family("filters")
    assert color("mode: return", 6) == theme.text
    assert color("100000") == theme.code_number
    assert color("percent_tarjet") == theme.error
    assert color("ta.RSI") == theme.code_keyword


def test_a_reference_changes_colour_when_its_node_goes(qtbot: QtBot, opened: Open) -> None:
    view = opened()

    def dip_color() -> str:
        position = view.editor.content().index("[dip]") + 1
        block = view.editor.document().findBlock(position)
        return view._highlighter.format_at(block, position - block.position()).foreground().color().name()

    assert dip_color() == current().family("advisors")
    put_cursor(view, "  dip")
    type_text(qtbot, view, "s")
    assert dip_color() == current().text


def test_the_colours_follow_the_theme(opened: Open) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    view = opened()
    apply(application, "dark")
    assert view.editor.grab().toImage().pixelColor(view.width() - 40, 200).lightness() < 60
    block = view.editor.document().findBlockByNumber(2)
    assert view._highlighter.format_at(block, 0).foreground().color().name() == DARK.code_key
    apply(application, "light")
    assert view._highlighter.format_at(block, 0).foreground().color().name() == LIGHT.code_key


def test_emoji_do_not_shift_what_is_typed_or_marked(qtbot: QtBot, opened: Open) -> None:
    view = opened(EXAMPLE.replace("# Mean", "# 😀😀 Mean").replace("name: RSI pullback", "name: RSI 😀"))
    document = document_of(view)
    document.do(SetValues("average", {"timeperiod": 150}), label="Set")
    assert view.editor.content() == document.text
    cursor = view.editor.textCursor()
    cursor.setPosition(view.editor.position_of(view.line_of("rsi"), 1))
    view.editor.setTextCursor(cursor)
    QTest.keyClick(view.editor, Qt.Key.Key_End)
    view.editor.insertPlainText(" # 😀")
    type_text(qtbot, view, "!")
    assert document.is_readable


def test_an_empty_document_hints_at_its_beginning(opened: Open) -> None:
    view = opened("")
    assert view.banner.isVisible()
    assert view.editor.problems_on(0)
    view.grab()


def test_the_context_menu_offers_the_documents_undo(opened: Open) -> None:
    view = opened()
    document_of(view).do(SetValues("rsi", {"timeperiod": 3}), label="Set")
    view._menu(QPoint(5, 5))
    menu = QApplication.activePopupWidget()
    assert menu is not None
    titles = [action.text().partition("\t")[0] for action in menu.actions() if action.isEnabled()]
    assert titles[0] == "Undo"
    assert "Redo" not in titles
    menu.actions()[0].trigger()
    menu.close()
    assert document_of(view).text == EXAMPLE


def test_a_key_in_a_large_file_colours_its_own_line_only(
    qtbot: QtBot, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    coloured: list[str] = []
    original = YamlHighlighter.highlightBlock

    def count(self: YamlHighlighter, text: str) -> None:
        coloured.append(text)
        original(self, text)

    monkeypatch.setattr(YamlHighlighter, "highlightBlock", count)
    view = opened(EXAMPLE + "# a comment\n" * 5_000)
    put_cursor(view, "average: {use: ta.SMA, input: bars.close")
    coloured.clear()
    for text in ("1", ", x: {", '"'):
        type_text(qtbot, view, text)
    assert 0 < len(coloured) < 60
