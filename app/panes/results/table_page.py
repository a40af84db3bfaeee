"""A table of a run: filter, sort, copy, save, and the place in the run that a row stands for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMessageBox,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.panes.cells import RoomyCells
from quantcrafter.app.panes.results.columns import ShownTable
from quantcrafter.app.panes.results.model import SheetModel
from quantcrafter.app.panes.results.row_filter import FilterError
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import RunError
from quantcrafter.engine.stats.whole_files import write_whole

_TYPING_MS = 120
_MEASURED_ROWS = 60
_ROOM = 4


class TablePage(QWidget):
    """Shows a sheet; the Qt signal `chosen` carries instrument, bar and trade (None) of a row that was picked.

    Args:
        name: what the table is called, for screen readers and the file's proposed name.
        nothing: what to say when the run has no such row.
    """

    chosen = Signal(int, object, object)

    def __init__(self, name: str, nothing: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._nothing = nothing
        self.model = SheetModel(self)
        self.filter = QLineEdit(
            placeholderText=tr("Filter: words, or conditions such as pnl<0"), clearButtonEnabled=True
        )
        self.filter.setAccessibleName(tr("Filter rows"))
        self.filter.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.count = QLabel()
        self.count.setContentsMargins(6, 0, 4, 0)
        self.complaint = QLabel(wordWrap=True)
        self.complaint.hide()
        self.complaint.setObjectName("complaint")
        self.view = _View(self)
        self.view.setModel(self.model)
        self.view.setAccessibleName(name)
        self.empty = QLabel(nothing, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self.empty.setForegroundRole(self.empty.palette().ColorRole.PlaceholderText)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self._apply_filter)
        self._following = False
        self._fitted: tuple[object, ...] = ()
        self._compose()

    def _compose(self) -> None:
        copy = self._button("copy", tr("Copy rows"), self.copy)
        save = self._button("export", tr("Save as CSV..."), self.save)
        line = QHBoxLayout()
        line.setContentsMargins(6, 4, 6, 4)
        for widget in (self.filter, self.count, copy, save):
            line.addWidget(widget, 1 if widget is self.filter else 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.complaint)
        column.addWidget(self.view, 1)
        column.addWidget(self.empty, 1)
        self.filter.textChanged.connect(self._typing.start)
        self.view.selectionModel().currentRowChanged.connect(lambda current, _before: self._picked(current.row()))
        self.view.clicked.connect(lambda index: self._picked(index.row()))
        self.view.horizontalHeader().sortIndicatorChanged.connect(self._sort)

    def _button(self, sign: str, text: str, call: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(sign))
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.clicked.connect(call)
        return button

    def show_sheet(self, sheet: ShownTable | None) -> None:
        """Show the rows of another run; filter and order stay."""
        kinds = _kinds(sheet)
        self._following = True
        try:
            self.model.show(sheet)
        finally:
            self._following = False
        if sheet is not None and len(sheet.values) and kinds != self._fitted:
            self._fitted = kinds
            self.view.fit_columns()
        elif sheet is not None:
            self.view.widen_columns()
        self._show_counts()

    def follow(self, row: int | None) -> None:
        """Select a row of the sheet, as far as the filter shows it, without telling of it."""
        place = -1 if row is None else self.model.place_of(row)
        self._following = True
        try:
            if place < 0:
                self.view.clearSelection()
                self.view.selectionModel().clearCurrentIndex()
            else:
                mode = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
                self.view.selectionModel().setCurrentIndex(self.model.index(place, 0), mode)
                self.view.scrollTo(self.model.index(place, 0))
        finally:
            self._following = False

    def copy(self) -> None:
        """Put the selected rows on the clipboard, all of them if none is selected."""
        places = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        QGuiApplication.clipboard().setText(self.model.as_text(places or list(range(len(self.model.rows)))))

    def save(self) -> None:
        """Ask for a file and write the rows on the screen to it, in their order."""
        name, _ = QFileDialog.getSaveFileName(self, tr("Save as CSV..."), f"{self._name.lower()}.csv", "CSV (*.csv)")
        if name:
            path = Path(name)
            text = self.model.as_text(list(range(len(self.model.rows))), separator=",")
            try:
                write_whole(path if path.suffix else path.with_suffix(".csv"), text.encode(), tr("The table"))
            except RunError as error:
                QMessageBox.warning(self, "QuantCrafter", error_text(error))

    def _apply_filter(self) -> None:
        try:
            self.model.set_filter(self.filter.text())
        except FilterError as error:
            self.complaint.setText(str(error))
            self.complaint.show()
            return
        self.complaint.hide()
        self._show_counts()

    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        self.model.sort(column, order)

    def _show_counts(self) -> None:
        sheet = self.model.sheet
        total, shown = (0 if sheet is None else len(sheet.values)), len(self.model.rows)
        self.count.setText(f"{shown:,}" if shown == total else tr("{shown} of {total}", shown=shown, total=total))
        self.view.setVisible(total > 0)
        self.empty.setVisible(total == 0)

    def _picked(self, place: int) -> None:
        sheet = self.model.sheet
        if self._following or sheet is None or not 0 <= place < len(self.model.rows):
            return
        row = int(self.model.rows[place])
        self.chosen.emit(int(sheet.instrument[row]), int(sheet.bar[row]), row if sheet.trade else None)


def _kinds(sheet: ShownTable | None) -> tuple[object, ...]:
    """Return what decides how wide a table's columns have to be at least."""
    return () if sheet is None else (sheet.times.is_intraday, *(sheet.title(shown) for shown in sheet.shown))


class _View(QTableView):
    """The table itself."""

    def __init__(self, page: TablePage) -> None:
        super().__init__(page)
        self._page = page
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setItemDelegate(RoomyCells(self))
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setSortingEnabled(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().lineSpacing() + 8)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.horizontalHeader().setResizeContentsPrecision(_MEASURED_ROWS)
        self.horizontalHeader().sectionResized.connect(self._resized)
        self._fitting = False
        self._dragged: set[int] = set()

    def fit_columns(self) -> None:
        """Give the columns the width of their first rows."""
        self._dragged.clear()
        self._fit(least=0)

    def widen_columns(self) -> None:
        """Widen the columns whose first rows no longer fit; those that the user dragged stay as they are."""
        self._fit(least=1)

    def _fit(self, *, least: int) -> None:
        self._fitting = True
        for column in set(range(self.model().columnCount())) - self._dragged:
            wanted = max(self.sizeHintForColumn(column), self.horizontalHeader().sectionSizeHint(column)) + _ROOM
            self.setColumnWidth(column, max(wanted, self.columnWidth(column) * least))
        self._fitting = False

    def _resized(self, column: int, _before: int, _after: int) -> None:
        if not self._fitting:
            self._dragged.add(column)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        if event.matches(QKeySequence.StandardKey.Copy):
            self._page.copy()
            return
        super().keyPressEvent(event)
