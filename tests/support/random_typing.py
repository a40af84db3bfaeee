"""Random edits in the YAML view, made by keys as a user makes them."""

from __future__ import annotations

import random

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from quantcrafter.app.panes.yaml_view.editor import CodeEditor
from quantcrafter.app.window.tabs.tab import StrategyTab

KINDS = {"type": 50, "keys": 22, "paste": 10, "undo": 8, "redo": 4, "cut": 4, "reset": 2}
"""How often each is drawn, of a hundred."""
_PIECES = (
    *"'\"[]{}:-#&*!|>%@`,?~ \t",
    *("''", '""', "\n", "\n  ", "\n    ", "\n\t", ": ''", ': ""', "- - ", "use: ", "{use: ta.RSI, input: bars.close}"),
    *("bars", "bars.close", "fast", "null", "true", "1e308", "-1", "nan", ".inf", "2020-01-01", "|\n  a", ">\n"),
    *(
        "é",
        "名",
        "🎉",
        "👩\u200d👩\u200d👧",
        "\u202e",
        "e\u0301",
        "\u2028",
        "\u00a0",
        "&a ",
        "*a",
        "<<: *a",
        "---\n",
        "...\n",
    ),
)
_PASTES = (
    "x:\n  a: ''\n",
    'x:\n  a: ""\n',
    "x:\n  a: '\n",
    "indicators:\n  again: {use: ta.RSI, input: bars.close}\n",
    "\r\na: b\r\n",
    "[" * 300,
    "a: &a [x, x]\nb: *a\n",
    "\ttabs:\t''\n",
    "long: " + "x" * 20_000 + "\n",
    "\x00\x07\ufeff",
    "",
)
_KEYS = (
    *(Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Up),
    *(Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Escape),
)
_CONTROL, _PLAIN = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


def choose(tab: StrategyTab, rng: random.Random) -> str:
    """Put the cursor somewhere, half of the times; return the kind of the next edit."""
    tab.place_yaml("beside")
    editor = tab.yaml.editor
    editor.setFocus()
    last = editor.document().characterCount() - 1
    if rng.random() < 0.5:
        cursor = editor.textCursor()
        cursor.setPosition(rng.randint(0, last))
        if rng.random() < 0.3:
            cursor.setPosition(min(cursor.position() + rng.randrange(200), last), QTextCursor.MoveMode.KeepAnchor)
        editor.setTextCursor(cursor)
    return rng.choices(list(KINDS), list(KINDS.values()))[0]


def make(tab: StrategyTab, kind: str, rng: random.Random, good: str) -> None:
    """Make an edit of a kind; `good` is a text to go back to now and then, so that the canvas has a graph to follow."""
    editor = tab.yaml.editor
    if kind == "type":
        _type(editor, rng.choice(_PIECES))
    elif kind == "keys":
        for _ in range(rng.choice((1, 1, 3, 20))):
            QTest.keyClick(editor, rng.choice(_KEYS))
    elif kind == "paste":
        QApplication.clipboard().setText(rng.choice(_PASTES))
        QTest.keyClick(editor, Qt.Key.Key_V, _CONTROL)
    elif kind == "cut":
        QTest.keyClick(editor, Qt.Key.Key_X, _CONTROL)
    elif kind == "reset":
        tab.document.set_text(good)
    else:
        for _ in range(rng.choice((1, 1, 5))):
            QTest.keyClick(editor, Qt.Key.Key_Z if kind == "undo" else Qt.Key.Key_Y, _CONTROL)


def _type(editor: CodeEditor, text: str) -> None:
    for char in text:
        if char == "\n":
            QTest.keyClick(editor, Qt.Key.Key_Return)
        elif char.isascii():
            QTest.keyClicks(editor, char)
        else:
            QTest.sendKeyEvent(QTest.KeyAction.Click, editor, Qt.Key.Key_unknown, char, _PLAIN)
