"""The table of the bar store: one row a series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QIcon

from quantcrafter.app.data.texts import size_text
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.data.labels import bar_label
from quantcrafter.engine.data.store import Series

Index = QModelIndex | QPersistentModelIndex
SORT_ROLE = Qt.ItemDataRole.UserRole
SYMBOL, TIMEFRAME, FIRST, LAST, BARS, GAPS, SIZE, SOURCE, UPDATED = range(9)
_NUMBERS = {BARS, GAPS, SIZE}
_NO_PARENT = QModelIndex()


class SeriesModel(QAbstractTableModel):
    """The series of the store as rows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.series: tuple[Series, ...] = ()

    def show(self, series: Sequence[Series]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.series = tuple(series)
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else len(self.series)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else UPDATED + 1

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return _titles()[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        series, column = self.series[index.row()], index.column()
        gives: dict[int, Callable[[], Any]] = {
            Qt.ItemDataRole.DisplayRole: lambda: _texts(series)[column],
            SORT_ROLE: lambda: _keys(series)[column],
            Qt.ItemDataRole.TextAlignmentRole: lambda: _alignment(column),
            Qt.ItemDataRole.ToolTipRole: lambda: _tip(series, column),
            Qt.ItemDataRole.DecorationRole: lambda: _sign(series, column),
        }
        return gives[role]() if role in gives else None


class SeriesRows(QSortFilterProxyModel):
    """The rows sorted by what they mean, and those only in which every word of the filter occurs."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(SORT_ROLE)
        self._words: list[str] = []

    def look_for(self, text: str) -> None:
        """Show the rows alone that have these words in symbol, timeframe or source."""
        self._words = text.casefold().split()
        self.invalidateFilter()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:  # noqa: ARG002, N802 - Qt's
        model = self.sourceModel()
        if not isinstance(model, SeriesModel):
            return True
        series = model.series[row]
        text = f"{series.symbol} {series.timeframe} {series.source}".casefold()
        return all(word in text for word in self._words)


def _titles() -> tuple[str, ...]:
    return (
        tr("Symbol"),
        tr("Timeframe"),
        tr("First bar"),
        tr("Last bar"),
        tr("Bars"),
        tr("Gaps"),
        tr("Size"),
        tr("Source"),
        tr("Changed"),
    )


def _texts(series: Series) -> tuple[str, ...]:
    return (
        series.symbol,
        str(series.timeframe),
        bar_label(series.first_ns, series.timeframe, series.session, named=True),
        bar_label(series.last_ns, series.timeframe, series.session, named=True),
        f"{series.count:,}",
        tr("{gaps} ({missing} bars)", gaps=f"{series.gaps:,}", missing=f"{series.missing:,}") if series.gaps else "",
        size_text(series.size),
        tr("generated") if series.synthetic else ", ".join(_short(name) for name in reversed(series.sources)),
        series.updated[:10],
    )


def _keys(series: Series) -> tuple[Any, ...]:
    return (
        series.symbol.casefold(),
        series.timeframe.nominal_ns / 1e9,
        series.first_ns / 1e9,
        series.last_ns / 1e9,
        series.count,
        series.missing,
        series.size,
        series.source,
        series.updated,
    )


def _tip(series: Series, column: int) -> str | None:
    if column == SOURCE:
        further = tr("Further columns: {names}", names=", ".join(series.columns)) if series.columns else ""
        currency = tr("Currency: {currency}", currency=series.known_currency) if series.known_currency else ""
        return "\n".join(filter(None, (*reversed(series.sources), further, currency)))
    if column == GAPS and series.gaps:
        return tr("Missing bars: {missing}, gaps: {gaps}", missing=f"{series.missing:,}", gaps=f"{series.gaps:,}")
    return None


def _sign(series: Series, column: int) -> QIcon | None:
    return icon("warning", current().warning) if column == GAPS and series.gaps else None


def _short(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
