"""The rows of a table in the order and the choice that the user wants them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from quantcrafter.app.panes.results.columns import Shown, ShownTable
from quantcrafter.app.panes.results.row_filter import rows_that_match
from quantcrafter.app.theme import current
from quantcrafter.engine.api.csv_text import csv_text
from quantcrafter.engine.stats.tables import Table, plain_list

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class SheetModel(QAbstractTableModel):
    """Shows a sheet. `rows` are the sheet's rows on the screen, in their order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sheet: ShownTable | None = None
        self.rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._filter = ""
        self._order: tuple[int, Qt.SortOrder] | None = None

    def show(self, sheet: ShownTable | None) -> None:
        """Show another sheet, filtered and sorted as before."""
        self.beginResetModel()
        self.sheet = sheet
        self._arrange()
        self.endResetModel()

    def set_filter(self, text: str) -> None:
        """Leave the rows that match.

        Raises:
            FilterError: the filter cannot be understood; the rows stay as they are.
        """
        if self.sheet is not None:
            rows_that_match(self.sheet, text)
        self._filter = text
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; what has no value comes last."""
        self._order = None if column < 0 else (column, order)
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    def place_of(self, row: int) -> int:
        """Return where a row of the sheet stands on the screen, -1 if it is filtered away."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else -1

    def as_text(self, places: list[int], *, separator: str = "\t") -> str:
        """Return rows as separated values with a header of column names.

        Times are text in the zone of the instrument's exchange, which `time_zone` names.
        """
        if self.sheet is None:
            return ""
        columns = self.sheet.file_columns(self.rows[places])
        rows = zip(*(plain_list(column) for column in Table(columns).columns.values()), strict=True)
        return csv_text(columns, rows, separator)

    def _arrange(self) -> None:
        if self.sheet is None:
            self.rows = np.empty(0, np.int64)
            return
        rows = np.flatnonzero(rows_that_match(self.sheet, self._filter))
        if self._order is not None:
            column, order = self._order
            keys = _sort_keys(self.sheet.values[self.sheet.shown[column].name][rows])
            last = np.isnan(keys) if keys.dtype.kind == "f" else np.zeros(len(keys), np.bool_)
            if order == Qt.SortOrder.DescendingOrder:
                ranks = np.unique(keys, return_inverse=True)[1]
                placed = np.lexsort((-ranks, last))
            else:
                placed = np.lexsort((keys, last))
            rows = rows[placed]
        self.rows = rows

    # ------------------------------------------------------------------ Qt's side

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() or self.sheet is None else len(self.sheet.shown)

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if self.sheet is None or orientation != Qt.Orientation.Horizontal or section >= len(self.sheet.shown):
            return None
        shown = self.sheet.shown[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.sheet.title(shown)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if shown.numeric else _LEFT
        return shown.name if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.sheet is None or not index.isValid():
            return None
        shown = self.sheet.shown[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if shown.numeric else _LEFT
        if role == Qt.ItemDataRole.DisplayRole:
            return self.sheet.text(shown, int(self.rows[index.row()]))
        if role == Qt.ItemDataRole.ForegroundRole and shown.signed:
            value = self._value(shown, index.row())
            return None if not value else QColor(current().done if value > 0 else current().error)
        return None

    def _value(self, shown: Shown, place: int) -> Any:
        if self.sheet is None:
            return None
        value = self.sheet.values[shown.name][self.rows[place]]
        return value.item() if isinstance(value, np.generic) else value


def _sort_keys(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return what sorts as the values do: objects that may be None as numbers."""
    if values.dtype.kind == "O":
        return np.array([np.nan if value is None else float(value) for value in values])
    return values
