"""The table of the data pane."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from quantcrafter.app.data.series_model import SOURCE, SYMBOL, UPDATED, SeriesRows
from quantcrafter.app.panes.cells import RoomyCells
from quantcrafter.app.services.i18n import tr

_LEAST = {SYMBOL: 90, SOURCE: 110}


class SeriesTable(QTableView):
    """Rows of series that can be sorted and selected.

    The Qt signal `looked_at` tells of a double click or Enter on a row; `menu_asked` carries a place on the screen.
    """

    looked_at = Signal()
    menu_asked = Signal(QPoint)

    def __init__(self, rows: SeriesRows, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Series of bars"))
        self.setModel(rows)
        self.setItemDelegate(RoomyCells(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setIconSize(QSize(14, 14))
        self.setSortingEnabled(True)
        self.sortByColumn(SYMBOL, Qt.SortOrder.AscendingOrder)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().lineSpacing() + 9)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setStretchLastSection(True)
        self.doubleClicked.connect(lambda _index: self.looked_at.emit())
        self._fitted = False

    def fit_once(self) -> None:
        """Give the columns the width of what is in them, the first time that there is something."""
        if self._fitted or not self.model().rowCount():
            return
        self._fitted = True
        self.resizeColumnsToContents()
        for column in range(UPDATED + 1):
            self.setColumnWidth(column, max(self.columnWidth(column) + 8, _LEAST.get(column, 0)))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 - Qt's
        """Ask for a menu about the selected rows."""
        if self.selectionModel().hasSelection():
            self.menu_asked.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """Enter looks at the row; Delete goes on to the pane."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.looked_at.emit()
            return
        if event.key() == Qt.Key.Key_Delete:
            event.ignore()
            return
        super().keyPressEvent(event)
