"""Editors of what is typed: text, times, dates, durations, lists, paths of files."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QPlainTextEdit, QToolButton, QWidget

from quantcrafter.app.inspector import typed_values
from quantcrafter.app.inspector.editors.base import Editor, guard_wheel
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import RunError
from quantcrafter.engine.runtime.running.allowed_folders import allow_folder


class EscapableLine(QLineEdit):
    """A line that takes back what was typed on Escape; without anything typed Escape goes on to the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = ""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        if event.key() == Qt.Key.Key_Escape and self.text() != self.shown:
            self.setText(self.shown)
            self.selectAll()
            self.editingFinished.emit()
            return
        super().keyPressEvent(event)


class TextEditor(Editor):
    """Base of editors that have a line to type into; a text that was typed stays until it is taken over."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = EscapableLine(self)
        self.line.setMinimumWidth(32)
        self.box = QHBoxLayout(self)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(2)
        self.setFocusProxy(self.line)
        self._sent: str | None = None

    def listen(self) -> None:
        """Begin to report what is typed."""
        self.line.editingFinished.connect(self.finish)

    def show_value(self, value: Any, *, various: bool) -> None:
        text = "" if various else typed_values.show(value)
        self.line.setPlaceholderText(tr("(multiple values)") if various else self.hint())
        self._sent = None
        if text == self.line.shown and self.line.text() == text:
            return
        self.line.shown = text
        if self.line.text() != text:
            place = self.line.cursorPosition()
            self._put(text)
            self.line.setCursorPosition(min(place, len(text)) if self.is_typed_into() else 0)

    def is_typed_into(self) -> bool:
        """Return whether keys go into the line."""
        return any(part is not None and part.hasFocus() for part in (self.line, self.line.focusProxy()))

    def hint(self) -> str:
        """Return what stands in the empty line."""
        return ""

    def draft(self) -> str | None:
        return self.line.text() if self.line.text() != self.line.shown else None

    def set_draft(self, text: str) -> None:
        self._put(text)
        self._sent = text

    def finish(self) -> None:
        draft = self.draft()
        if draft is not None and draft != self._sent:
            self._sent = draft
            self.typed.emit(draft)
        elif draft is None and self._sent is not None:
            self._sent = None
            self.typed.emit(self.line.text())

    def _put(self, text: str) -> None:
        self.line.setText(text)


class LineEditor(TextEditor):
    """A plain line."""

    def __init__(self, hint: str = "", parent: QWidget | None = None) -> None:
        self._hint = hint
        super().__init__(parent)
        self.box.addWidget(self.line)
        self.line.setPlaceholderText(hint)
        self.listen()

    def hint(self) -> str:
        return self._hint


class SuggestEditor(TextEditor):
    """A line with suggestions to pick from, such as the usual timeframes."""

    def __init__(self, suggestions: Sequence[str], hint: str = "", parent: QWidget | None = None) -> None:
        self._hint = hint
        super().__init__(parent)
        self.combo = QComboBox(self)
        guard_wheel(self.combo)
        self.combo.setEditable(True)
        self.combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.combo.addItems(list(suggestions))
        self.combo.setLineEdit(self.line)
        self.combo.setCurrentIndex(-1)
        self.combo.setCompleter(None)  # type: ignore[arg-type] # Qt takes None for "no completer"
        self.combo.setMinimumContentsLength(4)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.activated.connect(lambda _index: self.finish())
        self.box.addWidget(self.combo)
        self.setFocusProxy(self.combo)
        self.listen()

    def hint(self) -> str:
        return self._hint

    def _put(self, text: str) -> None:
        self.combo.setEditText(text)


class PathEditor(LineEditor):
    """A line for a file's path, with a button that looks for it; below the strategy's folder the path is relative."""

    def __init__(self, folder: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(tr("No file chosen"), parent)
        self._folder = folder
        self.browse = QToolButton(self)
        self.browse.setIcon(icon("open"))
        self.browse.setAutoRaise(True)
        self.browse.setFixedSize(QSize(24, 24))
        self.browse.setToolTip(tr("Locate the file"))
        self.browse.setAccessibleName(tr("Locate the file"))
        self.browse.clicked.connect(self._look)
        self.box.addWidget(self.browse)

    def take(self, path: Path) -> None:
        """Write the path of a file that was chosen."""
        if self._folder is not None and path.is_relative_to(self._folder):
            path = path.relative_to(self._folder)
        self.line.setText(path.as_posix())
        self.finish()

    def _look(self) -> None:
        start = str(self._folder) if self._folder is not None else ""
        name, _ = QFileDialog.getOpenFileName(self, tr("Choose a file"), start)
        if name:
            self._allow(Path(name))
            self.take(Path(name))

    def _allow(self, path: Path) -> None:
        """Let strategies read a file that the user picks by hand, wherever it lies."""
        if self._folder is None or not path.is_relative_to(self._folder):
            with contextlib.suppress(RunError):  # the strategy's own question says what is wrong
                allow_folder(path)


class LongTextEditor(Editor):
    """A text of several lines, taken over when it is left or by Ctrl+Enter."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.area = _Area(self)
        self.area.setTabChangesFocus(True)
        self.area.setFixedHeight(self.area.fontMetrics().lineSpacing() * 3 + 12)
        self.area.left.connect(self.finish)
        self._shown = ""
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.area)
        self.setFocusProxy(self.area)

    def show_value(self, value: Any, *, various: bool) -> None:
        text = "" if various else typed_values.show(value)
        self.area.setPlaceholderText(tr("(multiple values)") if various else "")
        self._shown = text
        if self.area.toPlainText() != text:
            self.area.setPlainText(text)

    def draft(self) -> str | None:
        return self.area.toPlainText() if self.area.toPlainText() != self._shown else None

    def set_draft(self, text: str) -> None:
        self.area.setPlainText(text)

    def finish(self) -> None:
        draft = self.draft()
        if draft is not None:
            self.typed.emit(draft)


class _Area(QPlainTextEdit):
    """Says when it has been left, or Ctrl+Enter was pressed."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's
        super().focusOutEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.left.emit()
            return
        super().keyPressEvent(event)
