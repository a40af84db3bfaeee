"""The text field of the YAML view: a code editor without an undo of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QToolTip, QWidget

from quantcrafter.app.panes.yaml_view.brackets import partner
from quantcrafter.app.panes.yaml_view.gutter import Gutter, sentence
from quantcrafter.app.panes.yaml_view.keys import edit_by_key
from quantcrafter.app.panes.yaml_view.texts import TextChange, characters, units
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import Theme, current
from quantcrafter.engine.api import Problem, Severity

FONTS = ["JetBrains Mono", "Cascadia Mono", "SF Mono", "Menlo", "Consolas", "DejaVu Sans Mono", "Noto Sans Mono"]
_PARAGRAPH = "\u2029"
_SIZES_PT = range(7, 33)


class CodeEditor(QPlainTextEdit):
    """Edits plain text with line numbers, problem marks and bracket matching.

    It has no undo of its own: that is the document's. The Qt signal `key_offered(QKeyEvent)` lets the owner accept keys
    that would else be shortcuts of the window.
    """

    key_offered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setAccessibleName(tr("YAML text of the strategy"))
        self.setCursorWidth(2)
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setStyleSheet("CodeEditor { border: none; border-radius: 0; padding: 0; }")  # a pane, not a form's field
        self.setFont(code_font())
        self.gutter = Gutter(self)
        self._problems: dict[int, list[Problem]] = {}
        self._underlines: list[QTextEdit.ExtraSelection] = []
        self._found: list[QTextEdit.ExtraSelection] = []
        self.blockCountChanged.connect(self._make_room)
        self.updateRequest.connect(self._follow)
        self.cursorPositionChanged.connect(self.decorate)
        self._make_room()

    # ------------------------------------------------------------------ text

    def content(self) -> str:
        """Return the text, lines ended by a line feed, every character as it is."""
        return self.document().toRawText().replace(_PARAGRAPH, "\n")

    def apply(self, old: str, changes: Sequence[TextChange]) -> int:
        """Carry out changes of the text `old`; cursor, selection and what is in view stay with their text.

        Returns:
            The position behind the last change, or -1 when there is none.
        """
        wide = not old.isascii() and max(old, default="") > "\uffff"
        bar, across = self.verticalScrollBar(), self.horizontalScrollBar()
        top = QTextCursor(self.firstVisibleBlock())
        column = across.value()
        end = -1
        edit = QTextCursor(self.document())
        edit.beginEditBlock()
        for change in reversed(changes):
            start = units(old[: change.start]) if wide else change.start
            stop = start + units(old[change.start : change.end])
            edit.setPosition(start)
            edit.setPosition(stop, QTextCursor.MoveMode.KeepAnchor)
            edit.insertText(change.text)
            end = edit.position() if end < 0 else end + units(change.text) - (stop - start)
        edit.endEditBlock()
        bar.setValue(top.block().firstLineNumber())
        across.setValue(column)
        return end

    def position_of(self, line: int, column: int) -> int:
        """Return Qt's position of a line and column, both counted from 1; the nearest one there is."""
        block = self.document().findBlockByNumber(max(0, line - 1))
        if not block.isValid():
            block = self.document().lastBlock()
        return block.position() + units(block.text()[: max(0, column - 1)])

    def column(self) -> int:
        """Return how many characters of its line are before the cursor."""
        cursor = self.textCursor()
        return characters(cursor.block().text(), cursor.positionInBlock())

    def show_line(self) -> None:
        """Bring the cursor's line into view: to the middle, unless it is in view already."""
        if not self.viewport().rect().contains(self.cursorRect()):
            self.centerCursor()
        self.ensureCursorVisible()

    # ------------------------------------------------------------------ problems

    def problems_on(self, row: int) -> Sequence[Problem]:
        """Return the problems of a line, counted from 0."""
        return self._problems.get(row, ())

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Mark the places of problems."""
        found: dict[int, list[Problem]] = {}
        for problem in problems:
            if problem.line:
                found.setdefault(min(problem.line, self.blockCount()) - 1, []).append(problem)
        self._problems = found
        self._underlines = [self._underline(problem) for problem in problems if problem.line]
        self.decorate()
        self.gutter.update()

    def _underline(self, problem: Problem) -> QTextEdit.ExtraSelection:
        theme = current()
        cursor = QTextCursor(self.document())
        cursor.setPosition(self.position_of(problem.line, problem.column))
        text = cursor.block().text()
        start = min(cursor.positionInBlock(), len(text))
        length = word_length(text[start:])
        if not length and text:
            cursor.setPosition(cursor.block().position() + max(0, start - 1))
        cursor.setPosition(cursor.position() + max(length, 1 if text else 0), QTextCursor.MoveMode.KeepAnchor)
        form = QTextCharFormat()
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        form.setUnderlineColor(QColor(theme.error if problem.severity is Severity.ERROR else theme.warning))
        return extra(cursor, form)

    # ------------------------------------------------------------------ looks

    def show_found(self, cursors: Sequence[QTextCursor]) -> None:
        """Mark what a search found."""
        form = QTextCharFormat()
        form.setBackground(QColor(current().warning_soft))
        self._found = [extra(cursor, form) for cursor in cursors]
        self.decorate()

    def decorate(self) -> None:
        """Show the current line, the bracket pair at the cursor, what was found, and problems."""
        theme = current()
        line = QTextCharFormat()
        line.setBackground(QColor(theme.hover))
        line.setProperty(QTextFormat.Property.FullWidthSelection, True)
        cursor = self.textCursor()
        whole = QTextCursor(cursor)
        whole.clearSelection()
        marks = [] if cursor.hasSelection() else [extra(whole, line)]
        self.setExtraSelections([*marks, *self._found, *self._brackets(theme), *self._underlines])
        self.gutter.update()

    def _brackets(self, theme: Theme) -> list[QTextEdit.ExtraSelection]:
        pair = partner(self.document(), self.textCursor().position())
        form = QTextCharFormat()
        form.setBackground(QColor(theme.accent_soft))
        form.setFontWeight(QFont.Weight.Bold)
        marks = []
        for position in pair:
            cursor = QTextCursor(self.document())
            cursor.setPosition(position)
            cursor.setPosition(position + 1, QTextCursor.MoveMode.KeepAnchor)
            marks.append(extra(cursor, form))
        return marks

    def rows_in_view(self) -> Iterator[tuple[int, int]]:
        """Yield number and top of each line in view, in pixels of the gutter."""
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= self.viewport().height():
            yield block.blockNumber(), round(top)
            top += self.blockBoundingRect(block).height()
            block = block.next()

    def row_at(self, y: int) -> int:
        """Return the line at a height of the viewport, counted from 0."""
        return self.cursorForPosition(QPoint(0, y)).blockNumber()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the text, and a hint in an empty field."""
        super().paintEvent(event)
        if self.document().isEmpty():
            painter = QPainter(self.viewport())
            painter.setPen(QColor(current().text_dim))
            box = self.viewport().rect().adjusted(8, 6, -8, 0)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft), tr("Start with “quantcrafter: 1”."))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the gutter as high as the text."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        width = self.gutter.wanted_width()
        self.setViewportMargins(width, 0, 0, 0)
        inner = self.contentsRect()
        self.gutter.setGeometry(QRect(inner.left(), inner.top(), width, inner.height()))

    def _follow(self, rect: QRect, scrolled: int) -> None:
        if scrolled:
            self.gutter.scroll(0, scrolled)
        else:
            self.gutter.update(0, rect.y(), self.gutter.width(), rect.height())

    # ------------------------------------------------------------------ events

    def event(self, event: QEvent) -> bool:
        """Keep the keys of this field from becoming shortcuts of the window."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            self.key_offered.emit(event)
            if event.isAccepted():
                return True
        return super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Show what is wrong with the word under the mouse."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cursor = self.cursorForPosition(event.pos())
            marked = [mark for mark in self._underlines if self._covers(mark, cursor)]
            found = self.problems_on(cursor.blockNumber()) if marked else ()
            QToolTip.showText(event.globalPos(), sentence(found) if found else "", self)
            return True
        return super().viewportEvent(event)

    @staticmethod
    def _covers(mark: QTextEdit.ExtraSelection, cursor: QTextCursor) -> bool:
        span: QTextCursor = mark.cursor  # type: ignore[attr-defined]  # the stubs leave the fields out
        return span.selectionStart() <= cursor.position() <= span.selectionEnd()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Type, with the editor's own keys."""
        if edit_by_key(self, event):
            event.accept()
        else:
            super().keyPressEvent(event)

    def zoom(self, steps: int) -> None:
        """Make the font larger or smaller by points."""
        size = self.font().pointSize() + steps
        if size in _SIZES_PT:
            font = self.font()
            font.setPointSize(size)
            self.setFont(font)
            self._make_room()


def code_font() -> QFont:
    """Return the first monospace font of `FONTS` that is there, or the system's own."""
    there = set(QFontDatabase.families())
    fallback = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    name = next((font for font in FONTS if font in there), fallback.family())
    font = QFont([name, fallback.family()])
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    font.setPointSize(max(9, fallback.pointSize()))
    return font


def word_length(text: str) -> int:
    """Return how many characters the word or quoted text at the beginning of `text` has."""
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return end + 1 if end > 0 else len(text)
    for number, char in enumerate(text):
        if char.isspace() or char in ",[]{}:":
            return number
    return len(text)


def extra(cursor: QTextCursor, form: QTextCharFormat) -> QTextEdit.ExtraSelection:
    """Return a decoration of the text that a cursor selects."""
    made = QTextEdit.ExtraSelection()
    made.cursor = cursor  # type: ignore[attr-defined]  # the stubs leave the fields out
    made.format = form  # type: ignore[attr-defined]
    return made
