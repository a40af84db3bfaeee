"""How rows of palette and outline are painted: icon, title with an aside, a second line, a count, a badge."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPainter, QPalette
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon

Index = QModelIndex | QPersistentModelIndex

SECOND = int(Qt.ItemDataRole.UserRole) + 100
"""The text of the second line; rows without it (None) are one line high."""
ASIDE = SECOND + 1
"""A dim text behind the title."""
COUNT = SECOND + 2
"""A dim text at the right end."""
BADGE = SECOND + 3
"""`error` or `warning`: a mark at the right end."""

_ICON = 18
_PAD = 6


class RowDelegate(QStyledItemDelegate):
    """Paints one row from its roles."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802 - Qt's
        line = QFontMetrics(option.font).lineSpacing()  # type: ignore[attr-defined] # missing in the stubs
        return QSize(80, 2 * line + 6 if index.data(SECOND) is not None else line + 10)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:  # noqa: N802 - Qt's
        del option, index
        return QLineEdit(parent)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:  # noqa: N802 - Qt's
        del index
        place: QRect = option.rect  # type: ignore[attr-defined] # missing in the stubs
        editor.setGeometry(place.adjusted(_ICON + _PAD, 1, -_PAD, -1))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        theme = current()
        font: QFont = option.font  # type: ignore[attr-defined] # missing in the stubs
        whole: QRect = option.rect  # type: ignore[attr-defined] # missing in the stubs
        state: QStyle.StateFlag = option.state  # type: ignore[attr-defined] # missing in the stubs
        picked = bool(state & QStyle.StateFlag.State_Selected)
        if picked or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(whole, QColor(theme.accent_soft if picked else theme.hover))
        box = whole.adjusted(4, 0, -_PAD, 0)
        sign = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(sign, QIcon) and not sign.isNull():
            sign.paint(painter, QRect(box.left(), box.top() + (box.height() - _ICON) // 2, _ICON, _ICON))
            box.setLeft(box.left() + _ICON + _PAD)
        box = self._paint_end(painter, font, index, box)
        second = index.data(SECOND)
        if second is not None:
            middle = box.top() + box.height() // 2
            small = QFont(font)
            small.setPointSizeF(max(6.0, small.pointSizeF() * 0.88))
            paint_text(
                painter, small, theme.text_dim, QRect(box.left(), middle, box.width(), box.bottom() - middle), second
            )
            box = QRect(box.left(), box.top() + 2, box.width(), middle - box.top() - 2)
        self._paint_title(painter, font, index, box)
        painter.restore()

    def _paint_end(self, painter: QPainter, font: QFont, index: Index, box: QRect) -> QRect:
        """Paint badge and count, and return what is left of the box."""
        theme = current()
        badge, count = index.data(BADGE), index.data(COUNT)
        if badge:
            color = theme.error if badge == "error" else theme.warning
            place = QRect(box.right() - _ICON + 2, box.top() + (box.height() - _ICON) // 2, _ICON - 2, _ICON - 2)
            icon(badge, color).paint(painter, place)
            box.setRight(place.left() - 4)
        if count is not None:
            painter.setFont(font)
            painter.setPen(QColor(theme.text_dim))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(count))
            box.setRight(box.right() - QFontMetrics(font).horizontalAdvance(str(count)) - _PAD)
        return box

    def _paint_title(self, painter: QPainter, font: QFont, index: Index, box: QRect) -> None:
        theme = current()
        own = index.data(Qt.ItemDataRole.FontRole) or font
        width = paint_text(painter, own, theme.text, box, str(index.data(Qt.ItemDataRole.DisplayRole)))
        aside = index.data(ASIDE)
        if aside:
            paint_text(painter, font, theme.text_dim, box.adjusted(width + _PAD, 0, 0, 0), str(aside))


def paint_text(painter: QPainter, font: QFont, color: str, box: QRect, text: str) -> int:
    """Paint a text on one line, shortened where it does not fit; return its width."""
    painter.setFont(font)
    painter.setPen(QColor(color))
    metrics = QFontMetrics(font)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, box.width()))
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
    return metrics.horizontalAdvance(shown)


class RowTree(QTreeView):
    """A tree of such rows, without header and frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.setIndentation(14)
        self.setMouseTracking(True)
        self.setItemDelegate(RowDelegate(self))
        self.setExpandsOnDoubleClick(False)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        theme_changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Highlight, QColor(current().accent_soft))
        self.setPalette(palette)
