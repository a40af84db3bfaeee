"""Quick-add: a search box over the canvas that lists what can be added, or what fits a dropped wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QIcon, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLabel,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.canvas.candidates import Offer, Wanted
from quantcrafter.app.canvas.popup_style import offer_icon, popup_style
from quantcrafter.app.canvas.ranking import rank
from quantcrafter.app.overlay import SearchOverlay
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.type_names import family_member, port_type_name

if TYPE_CHECKING:
    Index = QModelIndex | QPersistentModelIndex

SIZE = QSize(380, 372)
ROW_HEIGHT = 44
MARGIN = 8
ICON = 20


class OfferModel(QAbstractListModel):
    """The ranked offers; the display text is what a screen reader says."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.offers: tuple[Offer, ...] = ()

    def show(self, offers: tuple[Offer, ...]) -> None:
        """Replace the whole list."""
        self.beginResetModel()
        self.offers = offers
        self.endResetModel()

    def rowCount(self, _parent: Index | None = None) -> int:  # noqa: N802 - Qt's name
        return len(self.offers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        offer = self.offers[index.row()]
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return offer.title
        if role in {Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole}:
            return offer.summary
        return offer if role == Qt.ItemDataRole.UserRole else None


class OfferDelegate(QStyledItemDelegate):
    """Paints an offer: the family's icon, name and category on one line, its help below."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:  # noqa: N802 - Qt's name
        return QSize(1, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        offer: Offer = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        style = option.widget.style()  # type: ignore[attr-defined]
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)  # type: ignore[attr-defined]
        area: QRect = option.rect.adjusted(MARGIN, 4, -MARGIN, -4)  # type: ignore[attr-defined]
        place = QRect(area.left(), area.center().y() - ICON // 2, ICON, ICON)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        mode = QIcon.Mode.Selected if chosen else QIcon.Mode.Normal
        offer_icon(offer).paint(painter, place, mode=mode)
        self._texts(painter, option, area.adjusted(ICON + MARGIN, 0, 0, 0), offer)
        painter.restore()

    def _texts(self, painter: QPainter, option: QStyleOptionViewItem, area: QRect, offer: Offer) -> None:
        palette: QPalette = option.palette  # type: ignore[attr-defined]
        selected = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        strong = palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        faint = strong if selected else palette.color(QPalette.ColorRole.PlaceholderText)
        half = area.height() // 2
        top, bottom = area.adjusted(0, 0, 0, -half), area.adjusted(0, half, 0, 0)
        font = QFont(option.font)  # type: ignore[attr-defined]
        kind = offer.category if offer.role is None else family_member(offer.role)
        painter.setPen(faint)
        painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, kind)
        width = painter.fontMetrics().horizontalAdvance(kind) + MARGIN
        summary = painter.fontMetrics().elidedText(offer.summary, Qt.TextElideMode.ElideRight, bottom.width())
        painter.drawText(bottom, Qt.AlignmentFlag.AlignVCenter, summary)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(strong)
        title = painter.fontMetrics().elidedText(offer.title, Qt.TextElideMode.ElideRight, top.width() - width)
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter, title)


class QuickAdd(SearchOverlay):
    """The search itself. It lies over its parent, emits what was chosen once, and goes away."""

    chosen = Signal(object)
    """The Offer that was taken."""
    dismissed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._area = parent
        self.setObjectName("quickAdd")
        self.setAccessibleName(tr("Quick add"))
        self.setFixedSize(SIZE)
        self._offers: Sequence[Offer] = ()
        self._counts: Mapping[str, int] = {}
        self._wanted: Wanted | None = None
        self.model = OfferModel(self)
        self.title = QLabel()
        self.list = QListView()
        self.empty = QLabel(tr("No matches. Try another word, or fewer letters."))
        self._compose()
        self.hide()

    def _compose(self) -> None:
        self.search.setPlaceholderText(tr("Search by name or description"))
        self.search.setAccessibleName(tr("Search for a node"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._refresh)
        self.list.setModel(self.model)
        self.list.setItemDelegate(OfferDelegate(self.list))
        self.list.setAccessibleName(tr("Components to add"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.entered.connect(self.list.setCurrentIndex)
        self.list.clicked.connect(self._take)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(6)
        for widget in (self.title, self.search):
            layout.addWidget(widget)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.empty, 1)

    def open(self, offers: Sequence[Offer], counts: Mapping[str, int], at: QPoint, wanted: Wanted | None) -> None:
        """Show the offers near a place of the parent; `wanted` leaves only what fits a wire."""
        self._offers, self._counts, self._wanted = offers, counts, wanted
        self.setStyleSheet(popup_style("quickAdd"))
        self.title.setText(self._heading(wanted))
        self.search.clear()
        self._refresh()
        room = self._area.rect()
        x = max(4, min(at.x(), room.width() - self.width() - 4))
        y = max(4, min(at.y(), room.height() - self.height() - 4))
        self.move(x, y)
        self.show_over()

    @staticmethod
    def _heading(wanted: Wanted | None) -> str:
        if wanted is None:
            return tr("Add a node")
        if wanted.gives:
            return tr("Outputs: {type}", type=port_type_name(wanted.type))
        return tr("Accepts: {type}", type=port_type_name(wanted.type))

    def _refresh(self) -> None:
        self.model.show(rank(self._offers, self.search.text(), self._counts, self._wanted))
        found = bool(self.model.offers)
        self.list.setVisible(found)
        self.empty.setVisible(not found)
        if found:
            self.list.setCurrentIndex(self.model.index(0))
            self.list.scrollToTop()

    def _take(self, index: QModelIndex) -> None:
        if index.isValid() and self.isVisible():
            offer = self.model.offers[index.row()]
            self.hide()
            self.chosen.emit(offer)

    def dismiss(self) -> None:
        """Go away without a choice."""
        if self.isVisible():
            had_focus = self.has_focus
            self.hide()
            if had_focus:
                self._area.setFocus()
            self.dismissed.emit()

    def press_key(self, key: int) -> bool:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -6, Qt.Key.Key_PageDown: 6}
        if key in steps:
            row = self.list.currentIndex().row() + steps[Qt.Key(key)]
            self.list.setCurrentIndex(self.model.index(max(0, min(row, len(self.model.offers) - 1))))
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._take(self.list.currentIndex())
        elif key in {Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab}:
            self.dismiss()
        else:
            return False
        return True
