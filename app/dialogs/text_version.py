"""Version: one of two texts that are shown side by side."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QFontDatabase, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from quantcrafter.app.dialogs.conflict_text import span
from quantcrafter.app.dialogs.frame import section
from quantcrafter.app.panes.yaml_view.texts import units
from quantcrafter.app.theme import current

_CONTEXT = 3


class Version(QWidget):
    """A version under its name: the lines that differ stand out, and a gap stands where the other has more lines."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.editor = QPlainTextEdit()
        self.editor.setReadOnly(True)
        self.editor.setAccessibleName(name)
        self.editor.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.editor.setFont(_code_font(self.editor.font()))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(section(name))
        column.addWidget(self.editor, 1)

    def fill(self, lines: list[tuple[str | None, str | None]]) -> None:
        """Show the first of each two lines, None for a gap, and let what differs from the second stand out."""
        self.editor.setPlainText("\n".join(line or "" for line, _ in lines))
        theme = current()
        marks = []
        for row, (line, other) in enumerate(lines):
            if line == other:
                continue
            start = self.editor.document().findBlockByNumber(row).position()
            marks.append(_mark(self.editor, start, start, theme.divider if line is None else theme.warning_soft))
            if line is not None and other is not None:
                first, last = span(line, other)
                places = start + units(line[:first]), start + units(line[:last])
                marks.append(_mark(self.editor, *places, theme.accent_soft))
        self.editor.setExtraSelections(marks)

    def go_to(self, row: int) -> None:
        """Bring a row into view, with a few lines above it."""
        self.editor.setTextCursor(QTextCursor(self.editor.document().findBlockByNumber(row)))
        self.editor.verticalScrollBar().setValue(max(row - _CONTEXT, 0))


def _mark(editor: QPlainTextEdit, start: int, end: int, color: str) -> QTextEdit.ExtraSelection:
    """Return a background from one place to another, or over the whole row where they are the same."""
    made = QTextEdit.ExtraSelection()
    form = QTextCharFormat()
    form.setBackground(QColor(color))
    form.setProperty(QTextFormat.Property.FullWidthSelection, start == end)
    cursor = QTextCursor(editor.document())
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    made.format, made.cursor = form, cursor  # type: ignore[attr-defined]  # not in the stubs
    return made


def _code_font(like: QFont) -> QFont:
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPointSizeF(like.pointSizeF())
    return font


def scroll_together(one: Version, other: Version) -> None:
    """Let two versions scroll as one from now on, as far as one line of each stands beside the other."""
    for bars in (
        (one.editor.verticalScrollBar(), other.editor.verticalScrollBar()),
        (one.editor.horizontalScrollBar(), other.editor.horizontalScrollBar()),
    ):
        bars[0].valueChanged.connect(bars[1].setValue)
        bars[1].valueChanged.connect(bars[0].setValue)
