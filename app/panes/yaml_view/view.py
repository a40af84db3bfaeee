"""The YAML view: the strategy's text, edited beside the canvas."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QKeyCombination, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QKeyEvent, QKeySequence, QPalette, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from quantcrafter.app.document.document import DocumentChange, DocumentLike
from quantcrafter.app.document.view import Scope
from quantcrafter.app.panes.yaml_view.banner import Banner
from quantcrafter.app.panes.yaml_view.completer import Completer
from quantcrafter.app.panes.yaml_view.cursor_context import node_at
from quantcrafter.app.panes.yaml_view.editor import CodeEditor
from quantcrafter.app.panes.yaml_view.find_bar import FindBar
from quantcrafter.app.panes.yaml_view.highlighter import YamlHighlighter
from quantcrafter.app.panes.yaml_view.keys import toggle_comment
from quantcrafter.app.panes.yaml_view.lines import FieldLines
from quantcrafter.app.panes.yaml_view.menu import EditorMenuLine, menu_of
from quantcrafter.app.panes.yaml_view.places import place_of_node
from quantcrafter.app.panes.yaml_view.popup import CompletionPopup
from quantcrafter.app.panes.yaml_view.sync import TextSync
from quantcrafter.app.panes.yaml_view.vocabulary import names_of, vocabulary
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.engine.api import Problem


class YamlView(QWidget):
    """Shows and edits a document's text.

    Qt signals: `cursor_line_changed(line)` counts from 1; `node_at_cursor(id, scope)` tells the node that the user went
    to, None where there is none. Both keep still while the text is changed or shown from elsewhere.
    """

    cursor_line_changed = Signal(int)
    node_at_cursor = Signal(object, object)

    def __init__(self, document: DocumentLike, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = CodeEditor()
        self.banner = Banner(self)
        self.find_bar = FindBar(self.editor, self)
        self._highlighter = YamlHighlighter(self.editor.document(), current(), self)
        self._sync = TextSync(self.editor, self, self)
        self._completer = Completer(self.editor, self)
        self._lines = FieldLines(self.editor.document())
        self._document = document
        self._uses: frozenset[str] = frozenset()
        self._line = 0
        self._node: tuple[str | None, Scope] = (None, ())
        self._quiet = self._stepping = False
        self._chords = self._make_chords()
        self._lay_out()
        self._wire()
        self._dress()
        self.set_document(document)

    @property
    def popup(self) -> CompletionPopup:
        """The list of what fits at the cursor."""
        return self._completer.popup

    # ------------------------------------------------------------------ interface for the window

    def set_document(self, document: DocumentLike) -> None:
        """Show another document from its beginning."""
        self._quiet = True
        self._completer.hide()
        self._document = self._completer.document = document
        self._uses = names_of(document.catalog)
        self._sync.set_document(document)
        self._quiet = False
        self._line, self._node = 0, (None, ())
        self._refresh(at_once=True)
        self._moved()

    def flush(self) -> None:
        """Hand what was typed to the document now; called before it is saved or edited elsewhere."""
        self._sync.flush()

    def reveal_line(self, line: int, column: int = 1) -> None:
        """Put the cursor at a line and column (from 1) and bring it into view; without telling of a node there."""
        self._quiet = True
        cursor = self.editor.textCursor()
        cursor.setPosition(self.editor.position_of(line, column))
        self.editor.setTextCursor(cursor)
        self.editor.show_line()
        self._quiet = False
        self._moved(notify=False)

    def line_of(self, node_id: str, scope: Scope = ()) -> int:
        """Return the line of a node's key, counted from 1; 0 where the text has no such node."""
        return place_of_node(self._lines, node_id, scope)[0]

    def reveal_node(self, node_id: str, scope: Scope = ()) -> None:
        """Put the cursor at a node's key, unless it is in that node already."""
        cursor = self.editor.textCursor()
        if node_at(self._lines, cursor.blockNumber(), self.editor.column()) == (node_id, scope):
            return
        line, column = place_of_node(self._lines, node_id, scope)
        if line:
            self.reveal_line(line, column)

    def open_find(self) -> None:
        """Open the search."""
        self.find_bar.begin()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the document alone from now on."""
        self._completer.hide()
        self._sync.set_document(None)
        theme_changed.disconnect(self._dress)
        super().closeEvent(event)

    # ------------------------------------------------------------------ inside

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.find_bar, self.editor, self.banner):
            column.addWidget(widget)
        self.setFocusProxy(self.editor)
        self.setAccessibleName(tr("YAML view"))

    def _make_chords(self) -> dict[str, Callable[[], None]]:
        """Return what keys mean in this view besides typing."""
        return {
            "Ctrl+Z": self._undo,
            "Ctrl+Shift+Z": self._redo,
            "Ctrl+Y": self._redo,
            "Ctrl+/": self._comment,
            "Ctrl+Space": self._completer.complete,
            "Ctrl+F": self.open_find,
            "F3": lambda: self.find_bar.go(forward=True),
            "Shift+F3": lambda: self.find_bar.go(forward=False),
            "Ctrl++": lambda: self.editor.zoom(1),
            "Ctrl+=": lambda: self.editor.zoom(1),
            "Ctrl+-": lambda: self.editor.zoom(-1),
        }

    def _wire(self) -> None:
        editor = self.editor
        editor.key_offered.connect(self._offered)
        editor.cursorPositionChanged.connect(self._moved)
        editor.gutter.clicked.connect(lambda row: self._go(row + 1, 1))
        editor.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        editor.customContextMenuRequested.connect(self._menu)
        editor.installEventFilter(self)
        editor.viewport().installEventFilter(self)
        self.banner.clicked.connect(self._go_to_mistake)
        self._sync.document_changed.connect(self._document_changed)
        self._sync.moved.connect(self._text_moved)
        theme_changed.connect(self._dress)

    def _dress(self) -> None:
        theme = current()
        palette = QPalette(self.editor.palette())
        palette.setColor(QPalette.ColorRole.Base, QColor(theme.field))
        palette.setColor(QPalette.ColorRole.Text, QColor(theme.text))
        palette.setColor(QPalette.ColorRole.Highlight, QColor(theme.accent_soft))
        palette.setColor(QPalette.ColorRole.HighlightedText, QColor(theme.text))
        self.editor.setPalette(palette)
        self.banner.dress()
        self._highlighter.set_theme(theme)
        self.editor.set_problems(self._document.problems)

    def _refresh(self, *, at_once: bool = False) -> None:
        """Show what the document says of its text: problems, names, whether it can be read."""
        self.editor.set_problems([problem for problem in self._document.problems if self._is_here(problem)])
        self._highlighter.set_vocabulary(vocabulary(self._document, self._uses))
        document = self._document
        self.banner.say(broken=not document.is_readable, drawn=document.was_readable, at_once=at_once)
        self.find_bar.refresh()

    def _is_here(self, problem: Problem) -> bool:
        path = self._document.path
        return problem.file in ("", str(path) if path is not None else "")

    def _document_changed(self, change: DocumentChange) -> None:
        if change.kind == "components":
            self._uses = names_of(self._document.catalog)
        if change.kind != "saved":
            self._refresh()

    def _text_moved(self, position: int) -> None:
        """Follow a change from elsewhere: where the user took a step back, the cursor goes to its place."""
        self._completer.hide()
        if self._stepping and position >= 0:
            cursor = self.editor.textCursor()
            cursor.setPosition(position)
            self.editor.setTextCursor(cursor)
            self.editor.ensureCursorVisible()

    def _moved(self, *, notify: bool = True) -> None:
        """Tell where the cursor is now."""
        if self._quiet:
            return
        cursor = self.editor.textCursor()
        row = cursor.blockNumber()
        if row + 1 != self._line:
            self._line = row + 1
            self.cursor_line_changed.emit(self._line)
        found, scope = node_at(self._lines, row, self.editor.column())
        node = (found or None, scope)
        if node != self._node:
            self._node = node
            if notify and self.editor.hasFocus():
                self.node_at_cursor.emit(*node)

    def _undo(self) -> None:
        self._step(self._document.undo)

    def _redo(self) -> None:
        self._step(self._document.redo)

    def _step(self, step: Callable[[], None]) -> None:
        self._sync.flush()
        self._stepping = True
        step()
        self._stepping = False

    def _go(self, line: int, column: int) -> None:
        """Go to a place as the user: its node is selected everywhere."""
        self.editor.setFocus()
        cursor = self.editor.textCursor()
        cursor.setPosition(self.editor.position_of(line, column))
        self.editor.setTextCursor(cursor)
        self.editor.show_line()

    def _go_to_mistake(self) -> None:
        first = next((problem for problem in self._document.problems if problem.line), None)
        if first is not None:
            self._go(first.line, first.column)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Let the popup and the view's own keys go before the editor's."""
        kind = event.type()
        if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and watched is self.editor:
            return self._press(event)
        if kind in (QEvent.Type.FocusOut, QEvent.Type.Hide) and watched is self.editor:
            self._completer.hide()
            self._sync.flush()
        elif kind in (QEvent.Type.MouseButtonPress, QEvent.Type.Wheel):
            self._completer.hide()
            if isinstance(event, QWheelEvent) and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.editor.zoom(1 if event.angleDelta().y() > 0 else -1)
                return True
        return super().eventFilter(watched, event)

    def _press(self, event: QKeyEvent) -> bool:
        if self._completer.press(event):
            return True
        meant = self._chords.get(_chord(event))
        if meant is not None:
            meant()
        elif event.key() == Qt.Key.Key_Escape and self.find_bar.isVisible():
            self.find_bar.finish()
        else:
            if not event.modifiers() & _CHORD_KEYS:
                self._completer.typed(event.text())
            return False
        return True

    def _offered(self, event: QKeyEvent) -> None:
        """Keep keys that mean something here from the window's shortcuts."""
        if _chord(event) in self._chords:
            event.accept()

    def _menu(self, position: QPoint) -> None:
        editor, chosen = self.editor, self.editor.textCursor().hasSelection()
        entries = (
            EditorMenuLine(tr("Undo"), "Ctrl+Z", self._undo, enabled=bool(self._document.undo_label)),
            EditorMenuLine(tr("Redo"), "Ctrl+Shift+Z", self._redo, enabled=bool(self._document.redo_label)),
            None,
            EditorMenuLine(tr("Cut"), "Ctrl+X", editor.cut, enabled=chosen),
            EditorMenuLine(tr("Copy"), "Ctrl+C", editor.copy, enabled=chosen),
            EditorMenuLine(tr("Paste"), "Ctrl+V", editor.paste, enabled=editor.canPaste()),
            EditorMenuLine(tr("Select all"), "Ctrl+A", editor.selectAll),
            None,
            EditorMenuLine(tr("Comment or uncomment"), "Ctrl+/", self._comment),
            EditorMenuLine(tr("Complete"), "Ctrl+Space", self._completer.complete),
            EditorMenuLine(tr("Find…"), "Ctrl+F", self.open_find),
        )
        menu_of(entries, self).popup(editor.viewport().mapToGlobal(position))

    def _comment(self) -> None:
        toggle_comment(self.editor)


_CHORD_KEYS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


def _chord(event: QKeyEvent) -> str:
    """Return key and modifiers as portable text, such as "Ctrl+Z"; the number pad's keys as the others."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return QKeySequence(QKeyCombination(modifiers, Qt.Key(event.key()))).toString()
