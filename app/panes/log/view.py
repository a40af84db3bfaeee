"""The table of log lines: fixed row height, follows the end while it is in sight."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from quantcrafter.app.panes.log.model import LEVEL, NODE, TEXT, TIME, LogModel
from quantcrafter.app.services.i18n import tr

_MOST_KEPT = 200


class LogView(QTableView):
    """Shows a LogModel. The Qt signal `picked` carries the row that was clicked or entered."""

    picked = Signal(int)

    def __init__(self, model: LogModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setAccessibleName(tr("Log"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF())
        self.setFont(font)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(1)
        rows.setDefaultSectionSize(self.fontMetrics().lineSpacing() + 4)
        columns = self.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        columns.setStretchLastSection(True)
        wide = self.fontMetrics().horizontalAdvance
        for column, sample in ((TIME, "0000-00-00 00:00"), (LEVEL, tr("Warning")), (NODE, "a_longer_name")):
            self.setColumnWidth(column, wide(sample) + 22)
        columns.setSectionResizeMode(TEXT, QHeaderView.ResizeMode.Stretch)
        self.clicked.connect(lambda index: self.picked.emit(index.row()))
        self.activated.connect(lambda index: self.picked.emit(index.row()))

    def flush(self) -> None:
        """Take over new lines; the end stays in sight if it was, else what is in sight does."""
        bar = self.verticalScrollBar()
        at_end, value = bar.value() >= bar.maximum(), bar.value()
        chosen = self.selectionModel().selectedRows()[:_MOST_KEPT]
        kept = [self._model.number(index.row()) for index in chosen]
        current = self.currentIndex()
        now = self._model.number(current.row()) if current.isValid() else None
        gone = self._model.flush()
        self._select(kept, now)
        if at_end:
            self.scrollToBottom()
        else:
            bar.setValue(max(value - gone, 0))

    def go_to_end(self) -> None:
        """Show the latest line."""
        self.scrollToBottom()

    def selected_text(self) -> str:
        """Return the selected lines as text."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return "\n".join(self._model.text(row) for row in rows)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.selected_text())
            return
        super().keyPressEvent(event)

    def _select(self, numbers: list[int], now: int | None) -> None:
        """Select lines again after a reset."""
        chosen = QItemSelection()
        for number in numbers:
            row = self._model.row_of(number)
            if row is not None:
                chosen.select(self._model.index(row, TIME), self._model.index(row, TEXT))
        if chosen.count():
            self.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.Select)
        row = None if now is None else self._model.row_of(now)
        if row is not None:
            flag = QItemSelectionModel.SelectionFlag.NoUpdate
            self.selectionModel().setCurrentIndex(self._model.index(row, TEXT), flag)
