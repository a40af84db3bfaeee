"""A small label next to the mouse pointer that explains what would happen, or why nothing would."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QWidget

from quantcrafter.app.theme import current

AWAY = QPoint(16, 20)
WIDEST = 380


class Hint(QLabel):
    """Lies over the canvas and lets the mouse through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._area = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setWordWrap(True)
        self.setMaximumWidth(WIDEST)
        self.hide()

    def show_text(self, text: str, at: QPoint, *, bad: bool = False) -> None:
        """Show a text beside a place of the parent; an empty one hides the label."""
        if not text:
            self.hide()
            return
        theme = current()
        back, line = (theme.error_soft, theme.error) if bad else (theme.raised, theme.border)
        self.setStyleSheet(
            f"QLabel {{ background: {back}; color: {theme.text}; border: 1px solid {line};"
            " border-radius: 4px; padding: 4px 7px; }"
        )
        self.setText(text)
        self.setMinimumWidth(min(WIDEST, self.fontMetrics().horizontalAdvance(text) + 22))
        self.adjustSize()
        room = self._area.rect()
        place = at + AWAY
        x = max(0, min(place.x(), room.width() - self.width()))
        y = place.y() if place.y() + self.height() <= room.height() else at.y() - AWAY.y() - self.height()
        self.move(x, max(0, y))
        self.show()
        self.raise_()
