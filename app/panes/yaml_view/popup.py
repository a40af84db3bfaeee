"""The list of what may stand at the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.panes.yaml_view.completion import Completion
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current

_MOST_SHOWN = 9
_MOST_LISTED = 200
_WIDTH = 400
_HELP_LINES = 4
_PADDING = 8
_OFFER = Qt.ItemDataRole.UserRole


class CompletionPopup(QFrame):
    """A list below the cursor that never takes the focus. The editor forwards its keys.

    The Qt signal `chosen(Completion)` tells what to put in.
    """

    chosen = Signal(object)

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._owner = owner
        self._offers: list[Completion] = []
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setStyleSheet("QListWidget { border: none; border-radius: 0; padding: 0; }")
        self.list.setUniformItemSizes(True)
        self.list.setItemDelegate(_OfferPainter(self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(tr("Compatible components"))
        self.help = QLabel()
        self.help.setWordWrap(True)
        self.help.setTextFormat(Qt.TextFormat.PlainText)
        self.help.setContentsMargins(_PADDING, 5, _PADDING, 6)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self.list)
        column.addWidget(self.help)
        self.setFixedWidth(_WIDTH)
        self.list.currentRowChanged.connect(self._explain)
        self.list.itemClicked.connect(lambda _item: self._choose())

    def offer(self, offers: Sequence[Completion], at: QRect) -> None:
        """Show a list below (or above) a rectangle of the screen; hide when there is nothing."""
        self._offers = list(offers[:_MOST_LISTED])
        if not self._offers:
            self.hide()
            return
        self.list.setFont(self._owner.font())
        self.list.clear()
        for found in self._offers:
            item = QListWidgetItem(found.text.removesuffix(": "))
            item.setData(_OFFER, found)
            self.list.addItem(item)
        rows = min(_MOST_SHOWN, len(self._offers))
        frame = self.list.height() - self.list.viewport().height()
        self.list.setFixedHeight(rows * max(1, self.list.sizeHintForRow(0)) + max(0, frame))
        self.list.setCurrentRow(0)
        self._place(at)
        self.show()

    def texts(self) -> list[str]:
        """Return what is offered, in order."""
        return [found.text for found in self._offers]

    def current_text(self) -> str:
        """Return the offer that Enter would choose, "" when there is none."""
        row = self.list.currentRow()
        return self._offers[row].text if 0 <= row < len(self._offers) else ""

    def press(self, event: QKeyEvent) -> bool:
        """Take a key of the editor; return whether it was for the list."""
        if not self.isVisible() or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: _MOST_SHOWN,
            Qt.Key.Key_PageUp: -_MOST_SHOWN,
        }
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self._choose()
        elif event.key() == Qt.Key.Key_Escape:
            self.hide()
        elif event.key() in steps:
            self._walk(steps[Qt.Key(event.key())])
        else:
            return False
        return True

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 - Qt's
        """Paint ground and edge."""
        painter = QPainter(self)
        painter.setPen(QColor(current().border))
        painter.setBrush(QColor(current().raised))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _walk(self, step: int) -> None:
        """Go up or down the list; a single step goes round its ends."""
        count = self.list.count()
        row = self.list.currentRow() + step
        self.list.setCurrentRow(row % count if abs(step) == 1 else min(count - 1, max(0, row)))

    def _explain(self, row: int) -> None:
        text = self._offers[row].help() if 0 <= row < len(self._offers) else ""
        paragraph = " ".join(text.split("\n\n")[0].split())
        self.help.setText(paragraph)
        self.help.setVisible(bool(paragraph))
        most = self.help.fontMetrics().lineSpacing() * _HELP_LINES + 12
        self.help.setFixedHeight(min(most, self.help.heightForWidth(_WIDTH - 2)))
        self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(self.list.height() + (self.help.height() if self.help.text() else 0) + 2)

    def _choose(self) -> None:
        row = self.list.currentRow()
        self.hide()
        if 0 <= row < len(self._offers):
            self.chosen.emit(self._offers[row])

    def _place(self, at: QRect) -> None:
        self._fit()
        screen = self._owner.screen().availableGeometry()
        top = at.bottom() + 2
        if top + self.height() > screen.bottom():
            top = max(screen.top(), at.top() - self.height() - 2)
        self.move(QPoint(max(screen.left(), min(at.left() - _PADDING, screen.right() - _WIDTH)), top))


class _OfferPainter(QStyledItemDelegate):
    """Paints one offer: its text in its family's colour, the note about it dim at the right."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme = current()
        found: Completion = index.data(_OFFER)
        rect: QRect = option.rect  # type: ignore[attr-defined]  # the stubs leave the fields out
        state: QStyle.StateFlag = option.state  # type: ignore[attr-defined]
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setFont(option.font)  # type: ignore[attr-defined]
        painter.fillRect(rect, QColor(theme.accent_soft if chosen else theme.raised))
        inner = rect.adjusted(_PADDING, 0, -_PADDING, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(theme.family(found.family) if found.family else theme.text))
        name = found.text.removesuffix(": ")
        used = painter.fontMetrics().horizontalAdvance(name + "  ")
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignLeft, name)
        painter.setPen(QColor(theme.text_dim))
        room = inner.adjusted(used, 0, 0, 0)
        note = painter.fontMetrics().elidedText(found.note, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, middle | Qt.AlignmentFlag.AlignRight, note)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802 - Qt's name
        size = super().sizeHint(option, index)
        return QSize(size.width(), size.height() + 4)
