"""The list of what may stand at the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.panes.yaml_view.completion import Completion
from app.services.i18n import tr
from app.theme import current

_MOST_SHOWN = 9
_MOST_LISTED = 200
_WIDTH = 380
_HELP_LINES = 4


class CompletionPopup(QFrame):
    """A list below the cursor that never takes the focus; the editor hands its keys on.

    The Qt signal `chosen(Completion)` tells what to put in.
    """

    chosen = Signal(object)

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFrameShape(QFrame.Shape.Box)
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(tr("What fits here"))
        self.help = QLabel()
        self.help.setWordWrap(True)
        self.help.setTextFormat(Qt.TextFormat.PlainText)
        self.help.setContentsMargins(8, 5, 8, 6)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.list)
        column.addWidget(self.help)
        self.list.currentRowChanged.connect(self._explain)
        self.list.itemClicked.connect(lambda _item: self._choose())
        self._offers: list[Completion] = []
        self._owner = owner

    def offer(self, offers: Sequence[Completion], at: QRect) -> None:
        """Show a list below (or above) a rectangle of the screen; hide when there is nothing."""
        self._offers = list(offers[:_MOST_LISTED])
        if not self._offers:
            self.hide()
            return
        self.list.clear()
        for found in self._offers:
            self.list.addItem(self._item(found))
        self.list.setFont(self._owner.font())
        self.list.setCurrentRow(0)
        self._place(at)
        self.show()

    def texts(self) -> list[str]:
        """Return what is offered, in order."""
        return [found.text for found in self._offers]

    def press(self, event: QKeyEvent) -> bool:
        """Take a key of the editor; return whether it was for the list."""
        if not self.isVisible() or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        row, last = self.list.currentRow(), self.list.count() - 1
        step = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: _MOST_SHOWN,
            Qt.Key.Key_PageUp: -_MOST_SHOWN,
        }
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self._choose()
        elif event.key() == Qt.Key.Key_Escape:
            self.hide()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and (row + step[Qt.Key(event.key())]) not in range(
            last + 1
        ):
            self.list.setCurrentRow(0 if event.key() == Qt.Key.Key_Down else last)
        elif event.key() in step:
            self.list.setCurrentRow(min(last, max(0, row + step[Qt.Key(event.key())])))
        else:
            return False
        return True

    def _item(self, found: Completion) -> QListWidgetItem:
        note = f"   {found.note}" if found.note else ""
        item = QListWidgetItem(f"{found.text.removesuffix(': ')}{note}")
        if found.family:
            item.setForeground(QColor(current().family(found.family)))
        return item

    def _explain(self, row: int) -> None:
        text = self._offers[row].help() if 0 <= row < len(self._offers) else ""
        paragraph = " ".join(text.split("\n\n")[0].split())
        self.help.setText(paragraph)
        self.help.setVisible(bool(paragraph))

    def _choose(self) -> None:
        row = self.list.currentRow()
        self.hide()
        if 0 <= row < len(self._offers):
            self.chosen.emit(self._offers[row])

    def _place(self, at: QRect) -> None:
        rows = min(_MOST_SHOWN, self.list.count())
        self.list.setFixedHeight(rows * max(1, self.list.sizeHintForRow(0)) + 4)
        height = self.list.height() + self.help.fontMetrics().lineSpacing() * _HELP_LINES + 14
        self.setFixedSize(QSize(_WIDTH, height))
        screen = self._owner.screen().availableGeometry()
        top = at.bottom() + 2
        if top + height > screen.bottom():
            top = max(screen.top(), at.top() - height - 2)
        self.move(QPoint(max(screen.left(), min(at.left(), screen.right() - _WIDTH)), top))
