"""The search in the text: a bar with a field, the count, and the way to the next and previous place."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from quantcrafter.app.panes.yaml_view.editor import CodeEditor
from quantcrafter.app.panes.yaml_view.texts import units
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon

_MOST_SHOWN = 1_000


class FindBar(QFrame):
    """Searches a CodeEditor as one types; upper case in the wish makes case matter. The Qt signal `closed` ends it."""

    closed = Signal()

    def __init__(self, editor: CodeEditor, parent: QWidget) -> None:
        super().__init__(parent)
        self._editor = editor
        self._places: list[tuple[int, int]] = []
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("Find"))
        self.field.setAccessibleName(tr("Find in the text"))
        self.field.setClearButtonEnabled(True)
        self.count = QLabel()
        self.count.setMinimumWidth(self.count.fontMetrics().horizontalAdvance("0000 / 0000"))
        self.count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.previous_button = self._button(tr("Previous (Shift+Enter)"), "chevron-up")
        self.next_button = self._button(tr("Next (Enter)"), "chevron-down")
        self.close_button = self._button(tr("Close (Escape)"), "close")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 6, 4)
        row.setSpacing(4)
        row.addWidget(self.field, 1)
        for widget in (self.count, self.previous_button, self.next_button, self.close_button):
            row.addWidget(widget)
        self.field.textChanged.connect(self._search)
        self.previous_button.clicked.connect(lambda: self.go(forward=False))
        self.next_button.clicked.connect(lambda: self.go(forward=True))
        self.close_button.clicked.connect(self.finish)
        self.hide()

    def begin(self) -> None:
        """Show the bar, with what is selected as the wish."""
        selected = self._editor.textCursor().selectedText()
        self.show()
        if selected and "\u2029" not in selected:
            self.field.setText(selected)
        self.field.setFocus()
        self.field.selectAll()
        self.refresh()

    def finish(self) -> None:
        """Hide the bar and go back to the text."""
        self.hide()
        self._editor.show_found([])
        self._editor.setFocus()
        self.closed.emit()

    def refresh(self) -> None:
        """Search again, after the text changed; the cursor stays."""
        if not self.isVisible():
            return
        self._find_all()
        self._show()

    def go(self, *, forward: bool) -> None:
        """Select the next or previous place, round the end of the text."""
        if self.isHidden():
            self.begin()
        if not self._places:
            return
        cursor = self._editor.textCursor()
        if forward:
            at = cursor.selectionEnd()
            found = next((place for place in self._places if place[0] >= at), self._places[0])
        else:
            at = cursor.selectionStart()
            found = next((place for place in reversed(self._places) if place[1] <= at), self._places[-1])
        self._select(found)
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Go on by Enter, back by Shift+Enter, away by Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.finish()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.go(forward=not event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        else:
            super().keyPressEvent(event)

    def _search(self) -> None:
        """Find all places, and go to the first one from the cursor on."""
        self._find_all()
        start = self._editor.textCursor().selectionStart()
        if self._places:
            self._select(next((place for place in self._places if place[0] >= start), self._places[0]))
        self._show()

    def _find_all(self) -> None:
        wish = self.field.text()
        text = self._editor.content()
        if not wish:
            self._places = []
            return
        flags = re.NOFLAG if wish != wish.lower() else re.IGNORECASE
        spans = [match.span() for match in re.finditer(re.escape(wish), text, flags)]
        wide = not text.isascii() and max(text, default="") > "\uffff"
        self._places = [(units(text[:a]), units(text[:b])) for a, b in spans] if wide else spans

    def _select(self, place: tuple[int, int]) -> None:
        cursor = self._editor.textCursor()
        cursor.setPosition(place[0])
        cursor.setPosition(place[1], QTextCursor.MoveMode.KeepAnchor)
        self._editor.setTextCursor(cursor)

    def _show(self) -> None:
        cursor = self._editor.textCursor()
        own = (cursor.selectionStart(), cursor.selectionEnd())
        total = len(self._places)
        if not self.field.text():
            self.count.setText("")
        elif not total:
            self.count.setText(tr("No results"))
        else:
            number = self._places.index(own) + 1 if own in self._places else 0
            self.count.setText(f"{number} / {total}" if number else str(total))
        marks = []
        for start, end in self._places[:_MOST_SHOWN]:
            mark = QTextCursor(self._editor.document())
            mark.setPosition(start)
            mark.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            marks.append(mark)
        self._editor.show_found(marks)

    def _button(self, tip: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setIcon(icon(name))
        return button
