from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontInfo, QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantcrafter.app.panes.yaml_view.brackets import partner
from quantcrafter.app.panes.yaml_view.editor import CodeEditor, word_length
from quantcrafter.app.panes.yaml_view.highlighter import YamlHighlighter
from quantcrafter.app.panes.yaml_view.keys import toggle_comment
from quantcrafter.app.theme import current


@pytest.fixture
def editor(qtbot: QtBot) -> CodeEditor:
    made = CodeEditor()
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    return made


def write(editor: CodeEditor, text: str) -> None:
    """Show a text with the cursor at `|`, or `[|...|]` selected."""
    editor.setPlainText(text.replace("|", ""))
    first, last = text.index("|"), text.rindex("|")
    cursor = editor.textCursor()
    cursor.setPosition(first)
    cursor.setPosition(last - (last > first), QTextCursor.MoveMode.KeepAnchor)
    editor.setTextCursor(cursor)


def read(editor: CodeEditor) -> str:
    text, at = editor.content(), editor.textCursor().position()
    return f"{text[:at]}|{text[at:]}"


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("  a: 1|", Qt.Key.Key_Return, "  a: 1\n  |"),
        ("  a:|", Qt.Key.Key_Return, "  a:\n    |"),
        ("  a: {|", Qt.Key.Key_Return, "  a: {\n    |"),
        ("  a|: 1", Qt.Key.Key_Return, "  a\n  |: 1"),
        ("|  a: 1", Qt.Key.Key_Return, "\n|  a: 1"),
        ("|", Qt.Key.Key_Tab, "  |"),
        ("a|", Qt.Key.Key_Tab, "a |"),
        ("    |a", Qt.Key.Key_Backspace, "  |a"),
        ("   |a", Qt.Key.Key_Backspace, "  |a"),
        ("  ab|", Qt.Key.Key_Backspace, "  a|"),
        ("    a|", Qt.Key.Key_Backtab, "  a|"),
        ("  a: 1|", Qt.Key.Key_Home, "  |a: 1"),
        ("  |a: 1", Qt.Key.Key_Home, "|  a: 1"),
    ],
)
def test_keys_do_what_a_code_editor_does(editor: CodeEditor, before: str, key: Qt.Key, after: str) -> None:
    write(editor, before)
    QTest.keyClick(editor, key)
    assert read(editor) == after


def test_tab_indents_the_selected_lines_and_shift_tab_takes_it_back(editor: CodeEditor) -> None:
    write(editor, "|a\n\nb|\nc")
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.content() == "  a\n\n  b\nc"
    QTest.keyClick(editor, Qt.Key.Key_Backtab)
    assert editor.content() == "a\n\nb\nc"


def test_a_comment_is_toggled_at_the_depth_of_the_lines(editor: CodeEditor) -> None:
    write(editor, "|  a: 1\n    b: 2\n\n|c: 3")
    toggle_comment(editor)
    assert editor.content() == "  # a: 1\n  #   b: 2\n\nc: 3"
    toggle_comment(editor)
    assert editor.content() == "  a: 1\n    b: 2\n\nc: 3"


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("a: |{b: [1, 2]}", (3, 13)),
        ("a: {b: [1, 2]}|", (3, 13)),
        ("a: {b: |[1,\n 2]}", (7, 13)),
        ("a: {b: '|}'}", ()),
        ("a: |{b", ()),
        ("a|: {}", ()),
    ],
)
def test_the_partner_of_a_bracket_is_found(editor: CodeEditor, text: str, pair: tuple[int, ...]) -> None:
    highlighter = YamlHighlighter(editor.document(), current(), editor)
    write(editor, text)
    assert partner(highlighter.document(), editor.textCursor().position()) == pair


def test_the_font_is_monospaced_and_lines_do_not_wrap(editor: CodeEditor) -> None:
    assert QFontInfo(editor.font()).fixedPitch()
    assert editor.lineWrapMode() == CodeEditor.LineWrapMode.NoWrap


def test_the_gutter_grows_with_the_number_of_lines(editor: CodeEditor) -> None:
    narrow = editor.gutter.width()
    editor.setPlainText("\n" * 12_000)
    assert editor.gutter.width() > narrow
    assert editor.gutter.geometry().right() < editor.viewport().geometry().left()


def test_the_text_can_be_made_larger_and_smaller_within_reason(editor: CodeEditor) -> None:
    size = editor.font().pointSize()
    editor.zoom(1)
    assert editor.font().pointSize() == size + 1
    for _ in range(60):
        editor.zoom(-1)
    assert editor.font().pointSize() == 7


@pytest.mark.parametrize(("text", "length"), [("fast, slow", 4), ("'a b', c", 5), ("{a", 0), ("", 0), ("'open", 5)])
def test_a_word_ends_where_yaml_ends_it(text: str, length: int) -> None:
    assert word_length(text) == length
