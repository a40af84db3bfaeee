"""Keeps a text field and a document the same."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from quantcrafter.app.document.document import DocumentChange, DocumentLike
from quantcrafter.app.panes.yaml_view.editor import CodeEditor
from quantcrafter.app.panes.yaml_view.texts import carried, patches, shown

_QUICK_S = 0.1
_PATIENCE = 2.0
_LONGEST_MS = 800


class TextSync(QObject):
    """Hands what is typed to the document, and what the document became elsewhere to the field.

    Typed text is applied as soon as the pending keys are processed. Where the document takes long for it (a very
    large file), it waits for a pause of about twice as long, so that typing stays fluent.

    Qt signals: `document_changed(DocumentChange)` after every change of the document, with the field as it then is;
    `moved(position)` tells where the text was changed from elsewhere, in Qt's units.
    """

    document_changed = Signal(object)
    moved = Signal(int)

    def __init__(self, editor: CodeEditor, origin: object, parent: QObject) -> None:
        super().__init__(parent)
        self._editor = editor
        self._origin = origin
        self._document: DocumentLike | None = None
        self._end: Callable[[], None] | None = None
        self._shown = ""
        self._taking = False
        self._pending = False
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self.flush)
        editor.document().contentsChange.connect(self._typed)

    def set_document(self, document: DocumentLike | None) -> None:
        """Show another document; what was typed for the one before reaches that first."""
        self.flush()
        if self._end is not None:
            self._end()
        self._document, self._end = document, None
        self._shown = shown(document.text) if document is not None else ""
        self._taking = True
        self._editor.setPlainText(self._shown)
        self._taking = False
        if document is not None:
            self._end = document.subscribe(self._changed)

    def flush(self) -> None:
        """Hand over what was typed and has not been yet."""
        self._timer.stop()
        if not self._pending or self._document is None:
            return
        self._pending = False
        typed = self._editor.content()
        text = carried(self._document.text, typed)
        self._shown = typed
        began = time.perf_counter()
        self._document.set_text(text, origin=self._origin)
        took = time.perf_counter() - began
        self._timer.setInterval(0 if took < _QUICK_S else min(_LONGEST_MS, round(1000 * _PATIENCE * took)))

    def _typed(self, _position: int, removed: int, added: int) -> None:
        if not self._taking and (removed or added):
            self._pending = True
            self._timer.start()

    def _changed(self, change: DocumentChange) -> None:
        """Bring the field to the document's text. Typed text that the document has not seen yet gives way."""
        if self._document is None:
            return
        text = shown(self._document.text)
        old = self._editor.content() if self._pending else self._shown
        if text != old:
            self._pending = False
            self._timer.stop()
            self._taking = True
            end = self._editor.apply(old, patches(old, text))
            self._taking = False
            self._shown = text
            self.moved.emit(end)
        self.document_changed.emit(change)
