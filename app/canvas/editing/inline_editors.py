"""Temporary editors over the canvas: a node's or block's name, the text of a frame."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from quantcrafter.app.canvas.hint import Hint
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current

LEAST_WIDTH = 170
NAME_HEIGHT = 28


PASSING = {
    Qt.FocusReason.PopupFocusReason,
    Qt.FocusReason.MenuBarFocusReason,
    Qt.FocusReason.ActiveWindowFocusReason,
}
"""Why the focus may go for a moment: a menu is open, another window is in front."""


class NameEditor(QLineEdit):
    """Asks for a name: Enter or a click elsewhere takes it, Esc does not.

    `accept` returns why a name will not do, or '' when it is taken. After Enter the reason is shown in place; after a
    click elsewhere the editor is gone, and the Qt signal `refused` carries the reason.
    """

    refused = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._area = parent
        self._accept: Callable[[str], str] | None = None
        self._hint = Hint(parent)
        self.textEdited.connect(lambda: self._mark(""))
        self.hide()

    def ask(self, text: str, label: str, area: QRect, accept: Callable[[str], str]) -> None:
        """Open over an area of the parent, with a text to change."""
        self._accept = accept
        self.setAccessibleName(label)
        self.setPlaceholderText(label)
        self.setToolTip("")
        self._mark("")
        self.setGeometry(area.x(), area.y(), max(area.width(), LEAST_WIDTH), max(area.height(), NAME_HEIGHT))
        self.setText(text)
        self.selectAll()
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def _take(self) -> str:
        """Submit the name and close; return why it was rejected."""
        accept, self._accept = self._accept, None
        refusal = accept(self.text().strip()) if accept is not None else ""
        if refusal:
            self._accept = accept
            self._mark(refusal)
        else:
            self.leave()
        return refusal

    def finish(self) -> None:
        """Close, and accept the name if it is valid."""
        if self._accept is not None and self.text().strip():
            refusal = self._take()
            if refusal:
                self.refused.emit(refusal)
        self.leave()

    def _mark(self, refusal: str) -> None:
        color = current().error if refusal else current().accent
        self.setStyleSheet(f"QLineEdit {{ border: 2px solid {color}; }}")
        self.setToolTip(refusal)
        self._hint.show_text(refusal, self.geometry().bottomLeft(), bad=True)

    def leave(self) -> None:
        """Close without a change."""
        self._accept = None
        self._hint.hide()
        if self.isVisible():
            had_focus = self.hasFocus()
            self.hide()
            if had_focus:
                self._area.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._take()
            event.accept()  # else the canvas below would take the key for its own
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.leave()
            event.accept()
            return True
        left = isinstance(event, QFocusEvent) and event.lostFocus() and event.reason() not in PASSING
        done = super().event(event)
        if left:
            self._finish_soon()
        return done

    def _finish_soon(self) -> None:
        """Close now, and take the name once the click that ends this is dealt with: what it hits may be made again."""
        accept, text = self._accept, self.text().strip()
        self.leave()

        def take() -> None:
            refusal = accept(text) if accept is not None and text else ""
            if refusal:
                self.refused.emit(refusal)

        QTimer.singleShot(0, self, take)


class MultilineEditor(QPlainTextEdit):
    """Asks for several lines: Ctrl+Enter or a click elsewhere takes them, Esc does not."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._area = parent
        self._accept: Callable[[str], object] | None = None
        self.setAccessibleName(tr("Text of the frame"))
        self.setToolTip(tr("Press Ctrl+Enter to apply the text, Esc to discard it"))
        self.installEventFilter(self)
        self.hide()

    def ask(self, text: str, area: QRect, accept: Callable[[str], object]) -> None:
        """Open over an area of the parent, with a text to change."""
        self._accept = accept
        self.setPlainText(text)
        self.selectAll()
        self.setGeometry(area.x(), area.y(), max(area.width(), LEAST_WIDTH), area.height())
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def leave(self, *, taking: bool) -> None:
        """Close. With `taking`, apply the text."""
        accept, self._accept = self._accept, None
        if self.isVisible():
            had_focus = self.hasFocus()
            self.hide()
            if had_focus:
                self._area.setFocus()
        if accept is not None and taking:
            accept(self.toPlainText().strip())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            if event.key() == Qt.Key.Key_Escape:
                self.leave(taking=False)
                return True
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and control:
                self.leave(taking=True)
                return True
        if isinstance(event, QFocusEvent) and event.lostFocus() and event.reason() not in PASSING:
            self.leave(taking=True)
        return super().eventFilter(watched, event)
