"""Offers what fits at the cursor while one types, and puts the choice in."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QTextCursor

from quantcrafter.app.document.document import DocumentLike
from quantcrafter.app.panes.yaml_view.completion import Completion, completions
from quantcrafter.app.panes.yaml_view.cursor_context import CursorContext, context_at
from quantcrafter.app.panes.yaml_view.editor import CodeEditor
from quantcrafter.app.panes.yaml_view.lines import FieldLines
from quantcrafter.app.panes.yaml_view.popup import CompletionPopup
from quantcrafter.app.panes.yaml_view.texts import units


class Completer(QObject):
    """Opens a CompletionPopup on demand, and by itself behind `use: `, at fields and at references."""

    def __init__(self, editor: CodeEditor, parent: QObject) -> None:
        super().__init__(parent)
        self._editor = editor
        self._lines = FieldLines(editor.document())
        self.document: DocumentLike | None = None
        self.popup = CompletionPopup(editor)
        self.popup.chosen.connect(self._insert)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._offer_typed)

    def press(self, event: QKeyEvent) -> bool:
        """Take a key before the editor does; return whether it was for the popup.

        Enter behind a word that is typed out ends the line, as it would without a popup.
        """
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and self.popup.isVisible() and self.popup.current_text() == self._context().word:
            self.popup.hide()
            return False
        return self.popup.press(event)

    def typed(self, text: str) -> None:
        """Note that a key put text in; the popup opens, follows or closes once the text has settled."""
        erased = text in ("\b", "\x7f") and self.popup.isVisible()
        if erased or text.isalnum() or (text and text in "._/ ,["):
            self._soon.start()
        else:
            self.popup.hide()

    def complete(self) -> None:
        """Offer everything that fits, also where nothing has been typed."""
        self._show(self._context())

    def hide(self) -> None:
        """Offer nothing any more."""
        self._soon.stop()
        self.popup.hide()

    def _context(self) -> CursorContext:
        return context_at(self._lines, self._editor.textCursor().blockNumber(), self._editor.column())

    def _offer_typed(self) -> None:
        context = self._context()
        before = self._editor.textCursor().block().text()[: context.start]
        in_value = context.key or (context.section and len(context.inner) > 2)  # noqa: PLR2004 - a value, or an item of a list
        if context.word or (in_value and before.endswith((" ", "["))):
            self._show(context)
        else:
            self.popup.hide()

    def _show(self, context: CursorContext) -> None:
        if self.document is None:
            return
        offers = completions(context, self.document)
        if len(offers) == 1 and offers[0].text.strip().removesuffix(":") == context.word:
            offers = []
        place = self._editor.cursorRect()
        corner = self._editor.viewport().mapToGlobal(place.topLeft())
        self.popup.offer(offers, QRect(corner, place.size()))

    def _insert(self, found: Completion) -> None:
        context = self._context()
        cursor = self._editor.textCursor()
        block = cursor.block()
        line = block.text()
        end = self._editor.column()
        while end < len(line) and (line[end].isalnum() or line[end] in "_./"):
            end += 1
        text = found.text
        if text.endswith(": ") and line[end:].startswith(":"):
            text = text[:-2]
        cursor.setPosition(block.position() + units(line[: context.start]))
        cursor.setPosition(block.position() + units(line[:end]), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)
        self._editor.setTextCursor(cursor)
        if text.endswith(": "):
            self._soon.start()
