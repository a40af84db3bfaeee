"""A bar with a sentence and buttons: side by side where there is room, the buttons below where there is not."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QWidget

MOST_LINES = 2
"""Lines that a sentence may take beside the buttons; a longer one gets the full width."""


class FoldingBar(QFrame):
    """A bar that is never wider than its widest button asks for. Add to `words` and `buttons`."""

    folds = True

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self.row.setSpacing(8)
        self.words = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.buttons = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.text = QLabel(text)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.words.addWidget(self.text, 1)
        self.row.addLayout(self.words, 1)
        self.row.addLayout(self.buttons)
        self.setAccessibleName(text)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for no more width than the widest button has."""
        hint = super().minimumSizeHint()
        if not self.folds:
            return hint
        return QSize(min(hint.width(), max(self._widths(), default=0) + self._margin()), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Lay the buttons beside the sentence, below it, or one below the other."""
        if self.folds:
            self._fold(event.size().width() - self._margin())
        super().resizeEvent(event)

    def _fold(self, room: int) -> None:
        widths = self._widths()
        taken = sum(widths) + self.row.spacing() * len(widths)
        line = self.text.fontMetrics().horizontalAdvance(self.text.text())
        beside = taken + line / MOST_LINES <= room
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        others = (self.words.itemAt(index).widget() for index in range(self.words.count()))
        signs = sum(each.sizeHint().width() + self.words.spacing() for each in others if each not in (None, self.text))
        self.text.setMinimumHeight(max(0, self.text.heightForWidth(room - signs - (taken if beside else 0))))
        _turn(self.row, across if beside else down)
        _turn(self.buttons, across if beside or taken <= room else down)
        self.buttons.setAlignment(Qt.AlignmentFlag.AlignVCenter if beside else Qt.AlignmentFlag.AlignRight)

    def _widths(self) -> list[int]:
        widgets = (self.buttons.itemAt(index).widget() for index in range(self.buttons.count()))
        return [each.sizeHint().width() for each in widgets if each is not None and not each.isHidden()]

    def _margin(self) -> int:
        margins = self.row.contentsMargins()
        return margins.left() + margins.right()


def _turn(layout: QBoxLayout, direction: QBoxLayout.Direction) -> None:
    if layout.direction() != direction:
        layout.setDirection(direction)
