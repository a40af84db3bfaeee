"""The finished runs as rows."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from quantcrafter.app.services.i18n import known, tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.runtime.run_store.record import RunRecord
from quantcrafter.engine.stats.metric_catalog import METRICS

Index = QModelIndex | QPersistentModelIndex
FIGURES = ("total_return_pct", "net_profit", "max_drawdown_pct", "sharpe", "trades")
_METRICS = tuple(next(metric for metric in METRICS if metric.key == key) for key in FIGURES)
_SIGNED = ("total_return_pct", "net_profit")
_NO_PARENT = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WORDS = 4
PIN = _WORDS + len(_METRICS)
"""The column of the pin; the view shows it first."""


class HistoryModel(QAbstractTableModel):
    """Shows records, the latest first. `shown_id` is the run that the other panes show; it stands out."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.records: list[RunRecord] = []
        self.shown_id = ""

    def show(self, records: list[RunRecord]) -> None:
        """Show other records."""
        self.beginResetModel()
        self.records = records
        self.endResetModel()

    def mark(self, run_id: str) -> None:
        """Let another run stand out."""
        if run_id != self.shown_id:
            self.shown_id = run_id
            if self.records:
                last = self.index(len(self.records) - 1, self.columnCount() - 1)
                self.dataChanged.emit(self.index(0, 0), last)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else len(self.records)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else PIN + 1

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if section == PIN:
            return tr("Pinned") if role == Qt.ItemDataRole.ToolTipRole else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if section < _WORDS else _RIGHT
        if role == Qt.ItemDataRole.DisplayRole:
            titles = (tr("When"), tr("Strategy"), tr("Instruments"), tr("Engine"))
            return titles[section] if section < _WORDS else known(_METRICS[section - _WORDS].label)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        record, column = self.records[index.row()], index.column()
        if column == PIN:
            return _mark(record, role)
        return self._cell(record, column, role)

    def _cell(self, record: RunRecord, column: int, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(record, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if column < _WORDS else _RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return _about(record)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._color(record, column)
        return None

    def _text(self, record: RunRecord, column: int) -> str:
        if column >= _WORDS:
            metric = _METRICS[column - _WORDS]
            return metric.text(record.metrics.get(metric.key))
        when = record.started.astimezone().strftime("%Y-%m-%d %H:%M:%S") if record.started.timestamp() else ""
        strategy = tr("{name} (damaged)", name=record.strategy).strip() if record.damage else record.strategy
        return (when, strategy, ", ".join(record.symbols), record.engine)[column]

    def _color(self, record: RunRecord, column: int) -> QColor | None:
        if column >= _WORDS and FIGURES[column - _WORDS] in _SIGNED:
            value = record.metrics.get(FIGURES[column - _WORDS])
            return None if not value else QColor(current().done if value > 0 else current().error)
        return QColor(current().accent) if record.id == self.shown_id else None


def _about(record: RunRecord) -> str:
    damage = tr("Damaged: {what}. Delete the run.", what=record.damage) if record.damage else ""
    return "\n".join(part for part in (record.id, record.file, *record.overrides, damage) if part)


def _mark(record: RunRecord, role: int) -> Any:
    """Return the pin of a run that stays, or the sign of one that is damaged."""
    if role == Qt.ItemDataRole.DecorationRole and record.damage:
        return icon("error", current().error)
    if role == Qt.ItemDataRole.DecorationRole and record.pinned:
        return icon("pin")
    if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
        if record.damage:
            return tr("Damaged: {what}. Delete the run.", what=record.damage)
        return tr("Pinned: kept regardless of the disk space limit.") if record.pinned else None
    return None
