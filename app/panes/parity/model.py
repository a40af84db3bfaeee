"""The rows of a comparison: engines, and differences."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont

from quantcrafter.app.panes.parity.words import cause_help, cause_name, result_of, subject, time_of
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.theme import current
from quantcrafter.engine.runtime.parity import EngineDifference, EngineOutcome, ParityReport

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class _Rows(QAbstractTableModel):
    """A table of texts."""

    right: frozenset[int] = frozenset()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.titles: tuple[str, ...] = ()
        self.texts: list[tuple[str, ...]] = []

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else len(self.texts)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else len(self.titles)

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.titles):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.titles[section]
        return self._side(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self.texts[index.row()][index.column()]
        return self._side(index.column()) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _side(self, column: int) -> Qt.AlignmentFlag:
        return _RIGHT if column in self.right else _LEFT


class EngineRows(_Rows):
    """One row for each engine."""

    right = frozenset({2, 3, 4, 5, 6})
    _result = 7

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._report: ParityReport | None = None

    def show(self, report: ParityReport | None) -> None:
        """Show another comparison."""
        self.beginResetModel()
        self._report = report
        self.titles = (
            tr("Engine"),
            tr("Version"),
            tr("Orders"),
            tr("Fills"),
            tr("Trades"),
            tr("Final equity"),
            tr("Seconds"),
            tr("Result"),
        )
        self.texts = [] if report is None else [_engine(outcome, report) for outcome in report.outcomes]
        if report is not None:
            self.texts += [(name, missing, "", "", "", "", "", tr("not compared")) for name, missing in _absent(report)]
        self.endResetModel()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.ForegroundRole and self._report is not None:
            return self._colour(index)
        return super().data(index, role)

    def _colour(self, index: Index) -> QColor | None:
        outcomes = self._report.outcomes if self._report is not None else ()
        if index.row() >= len(outcomes):
            return QColor(current().text_dim)
        if index.column() != self._result or index.row() == 0:
            return None
        return QColor(current().done if outcomes[index.row()].same else current().error)


def _engine(outcome: EngineOutcome, report: ParityReport) -> tuple[str, ...]:
    versions = ", ".join(f"{package} {number}" for package, number in outcome.versions.items())
    result, seconds = result_of(outcome, report), f"{outcome.seconds:.2f}"
    if outcome.final_equity is None:
        return outcome.name, versions, "", "", "", "", seconds, result
    counts = (f"{number:,}" for number in (outcome.orders, outcome.fills, outcome.trades))
    return outcome.name, versions, *counts, f"{outcome.final_equity:,.2f}", seconds, result


def _absent(report: ParityReport) -> list[tuple[str, str]]:
    return [
        (name, tr("Not installed. Install with: {command}", command=missing.partition(": ")[2]))
        for name, missing in report.left_out.items()
    ]


class DifferenceRows(_Rows):
    """One row for each difference; the first of each engine is highlighted."""

    right = frozenset({3})
    _cause = 1

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.differences: list[EngineDifference] = []

    def show(self, report: ParityReport | None) -> None:
        """Show another comparison."""
        self.beginResetModel()
        reference = "" if report is None else report.reference.name
        self.titles = (
            tr("Engine"),
            tr("Class"),
            tr("Instrument"),
            tr("Bar"),
            tr("Node"),
            tr("What"),
            reference,
            tr("Engine's side"),
            tr("Closed"),
        )
        outcomes = () if report is None else report.outcomes
        self.differences = [each for outcome in outcomes for each in outcome.differences]
        self.texts = [_row(each) for each in self.differences]
        self.endResetModel()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        first = self.differences[index.row()].cause is not None
        if role == Qt.ItemDataRole.ToolTipRole:
            if index.column() == self._cause:
                return cause_help(self.differences[index.row()].cause)
            return self.texts[index.row()][index.column()]
        if role == Qt.ItemDataRole.FontRole and first:
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ForegroundRole and not first:
            return QColor(current().text_dim)
        return super().data(index, role)


def _row(each: EngineDifference) -> tuple[str, ...]:
    return (
        each.engine,
        cause_name(each.cause),
        each.symbol,
        f"{each.bar:,}" if each.bar >= 0 else "",
        each.node,
        subject(each.what),
        translated(each.expected),
        translated(each.found),
        time_of(each),
    )
