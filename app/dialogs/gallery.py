"""The template gallery: cards with pictures, a search, and the keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QLineEdit, QListView, QStackedLayout, QWidget

from quantcrafter.app.dialogs.card import CARD, PICTURE, TEMPLATE_ROLE, CardDelegate
from quantcrafter.app.dialogs.frame import DialogFrame
from quantcrafter.app.dialogs.templates import Template, all_templates, matching
from quantcrafter.app.dialogs.thumbnails import Thumbnails
from quantcrafter.app.services.i18n import tr

if TYPE_CHECKING:
    from quantcrafter.app.dialogs.thumbnails import PaintGraph
    from quantcrafter.engine.plugins import Registry

COLUMNS = 3


class GalleryDialog(DialogFrame):
    """Shows templates as cards; `template` is the one that was opened, None while none was."""

    def __init__(self, templates: Sequence[Template], paint: PaintGraph, parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            title=tr("New strategy"),
            intro=tr("Select a starting point. It opens as a copy; the original is not changed."),
        )
        self.template: Template | None = None
        self._templates = tuple(templates)
        self._thumbnails = Thumbnails(paint, PICTURE, self.devicePixelRatioF())
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search by name, indicator family, timeframe or symbol"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.search.setClearButtonEnabled(True)
        self.cards = QListView()
        self.model = QStandardItemModel()
        self._set_up_cards()
        self.nothing = QLabel()
        self.nothing.setTextFormat(Qt.TextFormat.PlainText)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.cards)
        self._stack.addWidget(self.nothing)
        self.body.addWidget(self.search)
        self.body.addLayout(self._stack, 1)
        roles = QDialogButtonBox.ButtonRole
        self.open_button = self.add_button(tr("Open a copy"), roles.AcceptRole, self._open_current, default=True)
        self.cancel_button = self.add_button(tr("Cancel"), roles.RejectRole, self.reject)
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.cards.doubleClicked.connect(self._open)
        self._thumbnails.ready.connect(lambda _id: self.cards.viewport().update())
        self.resize(COLUMNS * (CARD.width() + 12) + 70, 660)
        self._fill()
        self.search.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Let the arrow keys walk the cards while the search has the focus."""
        pressed = event.key() if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress else None
        if watched is self.search and pressed in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.cards.setFocus()
            return True
        return super().eventFilter(watched, event)

    def done(self, result: int) -> None:
        """Stop painting when the dialog closes."""
        self._thumbnails.stop()
        super().done(result)

    def _set_up_cards(self) -> None:
        cards = self.cards
        cards.setAccessibleName(tr("Templates"))
        cards.setModel(self.model)
        self._delegate = CardDelegate(self._thumbnails.picture)
        cards.setItemDelegate(self._delegate)
        cards.setViewMode(QListView.ViewMode.IconMode)
        cards.setMovement(QListView.Movement.Static)
        cards.setResizeMode(QListView.ResizeMode.Adjust)
        cards.setUniformItemSizes(True)
        cards.setSpacing(0)
        cards.setGridSize(QSize(CARD.width() + 12, CARD.height() + 12))
        cards.setMouseTracking(True)
        cards.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        cards.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        cards.setFrameShape(QListView.Shape.NoFrame)
        cards.setStyleSheet("QListView { border: none; background: transparent; }")

    def _fill(self) -> None:
        self.model.clear()
        found = matching(self._templates, self.search.text())
        for template in found:
            self.model.appendRow(_item(template))
        if found:
            self.cards.setCurrentIndex(self.model.index(0, 0))
        self.nothing.setText(tr("No matches for “{query}”.", query=self.search.text()))
        self._stack.setCurrentIndex(0 if found else 1)
        self.open_button.setEnabled(bool(found))

    def _open_current(self) -> None:
        self._open(self.cards.currentIndex())

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.template = index.data(TEMPLATE_ROLE)
            self.accept()


def choose_template(parent: QWidget | None, registry: Registry) -> Template | None:
    """Let the user pick a template; return it, or None on Cancel. Its `text` opens as an untitled copy."""
    from quantcrafter.app.dialogs.pictures import paint_graph

    dialog = GalleryDialog(all_templates(registry.strategies), paint_graph(registry), parent)
    dialog.exec()
    template = dialog.template
    dialog.deleteLater()
    return template


def _item(template: Template) -> QStandardItem:
    item = QStandardItem(template.name)
    item.setData(template, TEMPLATE_ROLE)
    tags = ", ".join(tag.text for tag in template.tags)
    words = "\n".join(part for part in (template.description, tags, template.source) if part)
    item.setToolTip(words)
    item.setData(f"{template.name}. {words}", Qt.ItemDataRole.AccessibleTextRole)
    return item
