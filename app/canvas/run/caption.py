"""Caption: says over the canvas which bar the values on it are of."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QLabel, QWidget

from quantcrafter.app.theme import current, themes

MARGIN = 14


class Caption(QLabel):
    """Lies in a view's lower left corner and lets the mouse through; it hides without a text."""

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self.setObjectName("run.caption")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        view.installEventFilter(self)
        themes.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def show_text(self, text: str) -> None:
        """Show a text; an empty one hides the caption."""
        self.setVisible(bool(text))
        if text:
            self.setText(text)
            self._place()

    def _restyle(self) -> None:
        theme = current()
        self.setStyleSheet(
            f"QLabel {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.border};"
            " border-radius: 11px; padding: 3px 12px; }"
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.adjustSize()
        self.resize(min(self.width(), self._view.width() - 2 * MARGIN), self.height())
        self.move(MARGIN, self._view.height() - self.height() - MARGIN)
        self.raise_()
