"""InstrumentList: the instruments of a strategy with many of them, as a list that can be searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtWidgets import QAbstractItemView, QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.instrument_names import entry_name
from quantcrafter.app.inspector import typed_values
from quantcrafter.app.inspector.content import content
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import Severity

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_ROWS = 8


class InstrumentRows(QAbstractListModel):
    """A row an instrument, read from the document when it is painted."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._entries: list[Any] = []
        self._faults: dict[int, Severity] = {}
        self.reload()

    def reload(self) -> None:
        """Show the document as it is now."""
        listed = content(self._document).get("instruments")
        entries = listed if isinstance(listed, list) else []
        same = len(entries) == len(self._entries)
        if not same:
            self.beginResetModel()
        self._entries = entries
        self._faults = _faults(self._document)
        if not same:
            self.endResetModel()
        elif entries:
            self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return entry_text(self._entries[index.row()])
        if role == Qt.ItemDataRole.DecorationRole and index.row() in self._faults:
            is_error = self._faults[index.row()] is Severity.ERROR
            return icon("error" if is_error else "warning", current().error if is_error else current().warning)
        return None


class InstrumentList(QWidget):
    """A search field over a list; the Qt signal `chosen(int)` carries the place of the instrument in front."""

    chosen = Signal(int)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = InstrumentRows(document, self)
        self._found = QSortFilterProxyModel(self)
        self._found.setSourceModel(self.rows)
        self._found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.search = QLineEdit(self)
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._search)
        self.view = QListView(self)
        self.view.setModel(self._found)
        self.view.setUniformItemSizes(True)
        self.view.setAccessibleName(tr("Instruments"))
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setFixedHeight(_ROWS * (self.view.fontMetrics().lineSpacing() + 6))
        self.view.selectionModel().currentChanged.connect(self._chosen)
        self.count = QLabel(self)
        self.count.setForegroundRole(self.count.palette().ColorRole.PlaceholderText)
        box = QVBoxLayout(self)
        box.setContentsMargins(10, 2, 10, 2)
        box.setSpacing(4)
        for part in (self.search, self.view, self.count):
            box.addWidget(part)
        self.refresh()

    @property
    def current(self) -> int:
        """The place of the instrument in front, -1 where there is none."""
        index = self.view.currentIndex()
        return self._found.mapToSource(index).row() if index.isValid() else -1

    def choose(self, row: int) -> None:
        """Bring an instrument to the front; a search that hides it is given up."""
        row = min(max(row, 0), self.rows.rowCount() - 1)
        if not self._found.mapFromSource(self.rows.index(row)).isValid():
            self.search.clear()
        index = self._found.mapFromSource(self.rows.index(row))
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index)

    def refresh(self) -> None:
        """Show the document as it is now; the place in front stays, or a new last instrument comes to the front."""
        before, known = self.current, self.rows.rowCount()
        self.rows.reload()
        count = self.rows.rowCount()
        if count > known:
            self.choose(count - 1 if known else 0)
        elif self.current != before or before < 0:
            self.choose(before)
        self.search.setPlaceholderText(tr("Search {count} instruments", count=f"{count:,}"))
        self._count()

    def _search(self, text: str) -> None:
        self._found.setFilterFixedString(text.strip())
        self._count()
        if self.current < 0 and self._found.rowCount():
            self.view.setCurrentIndex(self._found.index(0, 0))

    def _count(self) -> None:
        shown, count = self._found.rowCount(), self.rows.rowCount()
        self.count.setText(tr("{shown} of {count}", shown=f"{shown:,}", count=f"{count:,}"))
        self.count.setVisible(shown != count)

    def _chosen(self) -> None:
        if self.current >= 0:
            self.chosen.emit(self.current)


def entry_text(entry: Any) -> str:
    """Return what a list says of an instrument: its symbol, its data and its timeframe."""
    if not isinstance(entry, Mapping):
        return tr("Instrument")
    shown = (typed_values.show(entry[name]) for name in ("data", "timeframe") if name in entry)
    return "  ·  ".join(text for text in (entry_name(entry), *shown) if text) or tr("Instrument")


def _faults(document: Document) -> dict[int, Severity]:
    """Return the gravest finding about each instrument that has one."""
    found: dict[int, Severity] = {}
    for problem in document.problems:
        section, _, rest = problem.path.partition(".")
        place = rest.partition(".")[0]
        if section == "instruments" and place.isdecimal():
            row = int(place)
            found[row] = min(found.get(row, problem.severity), problem.severity)
    return found
