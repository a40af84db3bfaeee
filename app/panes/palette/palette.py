"""Palette: search, browse, drag and add building blocks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDrag, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QLineEdit,
    QMenu,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.document.document import Document, DocumentChange
from quantcrafter.app.panes.palette.chip import drag_pixmap
from quantcrafter.app.panes.palette.index import Entry, PaletteIndex, block_entries, search
from quantcrafter.app.panes.palette.model import KEY, MIME, PaletteModel
from quantcrafter.app.panes.rows import RowTree
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme.icons import icon

_BATCH = 6
_PAUSE_MS = 10
_SETTLE_MS = 250
_LIST_KEYS = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)
LEAST_WIDTH = 180
"""Under this the names of the families are cut; in pixels."""


class Palette(QWidget):
    """Lists all installed components and the available blocks.

    The Qt signal `chosen` (role, use) asks to add one; `highlighted` tells which one is looked at, and `help_asked`
    that its help is wanted.
    """

    chosen = Signal(object, str)
    highlighted = Signal(object, str)
    help_asked = Signal(object, str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Components"))
        self.setMinimumWidth(LEAST_WIDTH)
        self.index = PaletteIndex(document.catalog)
        self.model = PaletteModel(self)
        self._blocks: tuple[Entry, ...] = ()
        self._open: set[str] = set()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._make_widgets()
        self._reading = self._timer(_PAUSE_MS, self._read_some)
        self._settle = self._timer(_SETTLE_MS, self._look_for_blocks)
        theme_changed.connect(self._show)
        self.set_document(document)
        self._reading.start()

    def _make_widgets(self) -> None:
        self.box = QLineEdit(self)
        self.box.setPlaceholderText(tr("Search the components"))
        self.box.setAccessibleName(tr("Search the components"))
        self.box.setClearButtonEnabled(True)
        self.box.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.box.installEventFilter(self)
        self.box.textChanged.connect(self._show)
        self.view = _View(self)
        self.view.setModel(self.model)
        self.view.activated.connect(self._choose)
        self.view.clicked.connect(self._toggle)
        self.view.expanded.connect(lambda index: self._note_fold(index, is_open=True))
        self.view.collapsed.connect(lambda index: self._note_fold(index, is_open=False))
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.selectionModel().currentChanged.connect(self._highlight)
        self.nothing = QLabel(self)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setWordWrap(True)
        self.nothing.setMargin(16)
        self.nothing.setForegroundRole(self.nothing.palette().ColorRole.PlaceholderText)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(4, 4, 4, 0)
        outer.setSpacing(4)
        outer.addWidget(self.box)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.nothing)
        outer.addLayout(self._stack, 1)

    def set_document(self, document: Document) -> None:
        """List the blocks of another document, and the components of its catalog."""
        self._unsubscribe()
        self.document = document
        self._unsubscribe = document.subscribe(self._on_change)
        self._blocks = block_entries(document)
        self._show()

    def focus_search(self) -> None:
        """Put the cursor into the search box, its text selected."""
        self.box.setFocus()
        self.box.selectAll()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's
        """Let the document go."""
        self._reading.stop()
        self._settle.stop()
        self._unsubscribe()
        super().closeEvent(event)

    def current(self) -> Entry | None:
        """Return the entry under the cursor of the list, the first found while searching."""
        found = self.model.entry(self.view.currentIndex())
        if found is None and self.box.text().strip():
            found = self.model.entry(self.model.index(0, 0))
        return found

    # ------------------------------------------------------------------ filling

    def _show(self) -> None:
        query = self.box.text().strip()
        self.view.setRootIsDecorated(not query)
        if not query:
            self.model.show_tree(self.index.entries, self._blocks)
            self._unfold()
            self._stack.setCurrentWidget(self.view)
            return
        found = search((*self.index.entries, *self._blocks), query)
        self.model.show_list(found, self._blocks)
        if found:
            self.view.setCurrentIndex(self.model.index(0, 0))
            self.view.scrollToTop()
        self.nothing.setText(tr("No matches for “{query}”.", query=query))
        self._stack.setCurrentWidget(self.view if found else self.nothing)

    def _read_some(self) -> None:
        self.index.read(_BATCH)
        if not self.index.is_complete or self.view.is_pressed:
            self._reading.start()
            return
        entry = self.current()
        self._show()
        self._go_to(entry)

    def _look_for_blocks(self) -> None:
        if self.view.is_pressed:
            self._settle.start()
            return
        blocks = block_entries(self.document)
        if blocks != self._blocks:
            self._blocks = blocks
            entry = self.current()
            self._show()
            self._go_to(entry)

    def _go_to(self, entry: Entry | None) -> None:
        for index in self._indexes(QModelIndex()):
            found = self.model.entry(index)
            if entry is not None and found is not None and (found.role, found.use) == (entry.role, entry.use):
                self.view.setCurrentIndex(index)
                return

    def _unfold(self) -> None:
        for index in list(self._indexes(QModelIndex())):
            if index.data(KEY) in self._open:
                self.view.setExpanded(index, True)

    def _indexes(self, parent: QModelIndex) -> list[QModelIndex]:
        found = []
        for row in range(self.model.rowCount(parent)):
            index = self.model.index(row, 0, parent)
            found += [index, *self._indexes(index)]
        return found

    def _note_fold(self, index: QModelIndex, *, is_open: bool) -> None:
        key = index.data(KEY)
        if not is_open:
            self._open.discard(key)
            return
        self._open.add(key)
        if not self.index.is_complete:
            self.index.read(len(self.index.entries))

    def _on_change(self, change: DocumentChange) -> None:
        if change.kind == "components":
            self.index = PaletteIndex(self.document.catalog)
            self._reading.start()
        self._settle.start()

    # ------------------------------------------------------------------ input

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's
        """Let the arrows go from the search box into the list, and Enter add what is found first."""
        if watched is self.box and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _LIST_KEYS:
                self._enter_list()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.view.currentIndex())
                return True
            if event.key() == Qt.Key.Key_Escape and self.box.text():
                self.box.clear()
                return True
        return super().eventFilter(watched, event)

    def _enter_list(self) -> None:
        row = 1 if self.box.text().strip() and self.model.rowCount() > 1 else 0
        index = self.view.currentIndex() if not self.box.text().strip() else self.model.index(row, 0)
        self.view.setCurrentIndex(index if index.isValid() else self.model.index(0, 0))
        self.view.setFocus()

    def _choose(self, index: QModelIndex) -> None:
        entry = self.model.entry(index)
        if entry is not None:
            self.chosen.emit(entry.role, entry.use)
        elif index.isValid():
            self.view.setExpanded(index, not self.view.isExpanded(index))

    def _toggle(self, index: QModelIndex) -> None:
        if self.model.entry(index) is None:
            self.view.setExpanded(index, not self.view.isExpanded(index))

    def _highlight(self, index: QModelIndex) -> None:
        entry = self.model.entry(index)
        if entry is not None:
            self.highlighted.emit(entry.role, entry.use)

    def _menu(self, place: QPoint) -> None:
        entry = self.model.entry(self.view.indexAt(place))
        if entry is None:
            return
        menu = QMenu(self)
        menu.addAction(icon("add"), tr("Add to the canvas"), lambda: self.chosen.emit(entry.role, entry.use))
        menu.addAction(icon("help"), tr("Show help"), lambda: self.help_asked.emit(entry.role, entry.use))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.view.viewport().mapToGlobal(place))

    def _timer(self, pause: int, act: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(pause)
        timer.timeout.connect(act)
        return timer


class _View(RowTree):
    """The tree, which drags a picture of the node to come."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Components"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._is_second_click = False
        self.is_pressed = False
        """Whether an entry is pressed or dragged: its row must stay until the button is released."""

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        """Keep the rows where they are until the button is released."""
        self.is_pressed = True
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        """Choose the entry; a family was opened or closed by the first click, which the second does not undo."""
        model, index = self.model(), self.indexAt(event.position().toPoint())
        self._is_second_click = isinstance(model, PaletteModel) and index.isValid() and model.entry(index) is None
        if not self._is_second_click:
            super().mouseDoubleClickEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's
        self.is_pressed = False
        if self._is_second_click:
            self._is_second_click = False
        else:
            super().mouseReleaseEvent(event)

    def startDrag(self, actions: Qt.DropAction) -> None:  # noqa: N802 - Qt's
        """Drag the entry under the cursor as a picture of its node."""
        del actions
        model = self.model()
        entry = model.entry(self.currentIndex()) if isinstance(model, PaletteModel) else None
        if entry is None:
            return
        drag = QDrag(self)
        drag.setMimeData(model.mimeData([self.currentIndex()]))
        drag.setPixmap(drag_pixmap(entry, self.devicePixelRatioF()))
        drag.setHotSpot(QPoint(16, 14))
        drag.exec(Qt.DropAction.CopyAction)
        self.is_pressed = False  # the drop took the release


__all__ = ["MIME", "Palette"]
