"""What the keys of a code editor do: indent, new line, comment."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextBlock, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit

from quantcrafter.app.panes.yaml_view.tokens import indent_of

STEP = "  "


def edit_by_key(editor: QPlainTextEdit, event: QKeyEvent) -> bool:
    """Do what a key means in a code editor; return whether it meant anything."""
    if editor.isReadOnly():
        return False
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    shift = modifiers == Qt.KeyboardModifier.ShiftModifier
    if not shift and modifiers != Qt.KeyboardModifier.NoModifier:
        return False
    cursor = editor.textCursor()
    if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        new_line(cursor)
    elif event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
        _tab(cursor, back=shift or event.key() == Qt.Key.Key_Backtab)
    elif event.key() == Qt.Key.Key_Backspace and _in_indent(cursor):
        for _ in range((cursor.positionInBlock() - 1) % len(STEP) + 1):
            cursor.deletePreviousChar()
    elif event.key() == Qt.Key.Key_Home:
        _smart_home(editor, keep=shift)
    else:
        return False
    editor.ensureCursorVisible()
    return True


def _tab(cursor: QTextCursor, *, back: bool) -> None:
    if back or cursor.hasSelection():
        shift_lines(cursor, deeper=not back)
    else:
        cursor.insertText(STEP[: len(STEP) - cursor.positionInBlock() % len(STEP)])


def new_line(cursor: QTextCursor) -> None:
    """Break the line; the new one is indented as the old one, deeper under a key without a value or in a bracket."""
    line = cursor.block().text()
    before = line[: cursor.positionInBlock()]
    indent = before[: indent_of(before)]
    bare = before.rstrip()
    if bare.endswith((":", "{", "[")):
        indent += STEP
    elif bare.lstrip().startswith("- ") and bare.endswith(":"):
        indent += STEP * 2
    cursor.beginEditBlock()
    cursor.insertText("\n" + indent)
    cursor.endEditBlock()


def toggle_comment(editor: QPlainTextEdit) -> None:
    """Turn the selected lines into comments, or back if all of them are."""
    cursor = editor.textCursor()
    lines = [block for block in _blocks(cursor) if block.text().strip()]
    if not lines:
        return
    commented = all(block.text().lstrip().startswith("#") for block in lines)
    depth = min(indent_of(block.text()) for block in lines)
    edit = QTextCursor(editor.document())
    edit.beginEditBlock()
    for block in lines:
        text = block.text()
        at = indent_of(text) if commented else depth
        edit.setPosition(block.position() + at)
        if commented:
            length = 2 if text[at : at + 2] == "# " else 1
            edit.setPosition(block.position() + at + length, QTextCursor.MoveMode.KeepAnchor)
            edit.removeSelectedText()
        else:
            edit.insertText("# ")
    edit.endEditBlock()


def shift_lines(cursor: QTextCursor, *, deeper: bool) -> None:
    """Indent the selected lines by two blanks more or less."""
    edit = QTextCursor(cursor.document())
    edit.beginEditBlock()
    for block in _blocks(cursor):
        text = block.text()
        edit.setPosition(block.position())
        if deeper and text.strip():
            edit.insertText(STEP)
        elif not deeper:
            blanks = min(len(STEP), indent_of(text))
            edit.setPosition(block.position() + blanks, QTextCursor.MoveMode.KeepAnchor)
            edit.removeSelectedText()
    edit.endEditBlock()


def _blocks(cursor: QTextCursor) -> list[QTextBlock]:
    """Return the lines that a selection touches; one that it ends before is not among them."""
    document = cursor.document()
    block, last = document.findBlock(cursor.selectionStart()), document.findBlock(cursor.selectionEnd())
    if last.position() == cursor.selectionEnd() and last.blockNumber() > block.blockNumber():
        last = last.previous()
    found = [block]
    while found[-1].blockNumber() < last.blockNumber():
        found.append(found[-1].next())
    return found


def _in_indent(cursor: QTextCursor) -> bool:
    column = cursor.positionInBlock()
    before = cursor.block().text()[:column]
    return not cursor.hasSelection() and column > 0 and before == " " * column


def _smart_home(editor: QPlainTextEdit, *, keep: bool) -> None:
    """Go to the first character of the line, or before its blanks when there already."""
    cursor = editor.textCursor()
    block = cursor.block()
    indent = indent_of(block.text())
    target = block.position() + (0 if cursor.positionInBlock() == indent else indent)
    cursor.setPosition(target, QTextCursor.MoveMode.KeepAnchor if keep else QTextCursor.MoveMode.MoveAnchor)
    editor.setTextCursor(cursor)
