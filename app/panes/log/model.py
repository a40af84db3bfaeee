"""The log as a table for Qt: the lines that pass the filter, brought up to date by one reset a flush."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.session.log_lines import LogEntry, RunLog
from quantcrafter.app.theme import current

Index = QModelIndex | QPersistentModelIndex
TIME, LEVEL, NODE, TEXT = range(4)
_NO_PARENT = QModelIndex()


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines to show: of one run (None: of all), of at least a level, with a text in message or node.

    The text may be in English or in the language in use.
    """

    run: int | None = None
    level: int = logging.INFO
    text: str = ""

    def passes(self, entry: LogEntry) -> bool:
        """Return whether a line is to be shown."""
        line = entry.line
        if line.level < self.level or (self.run is not None and entry.run != self.run):
            return False
        if not self.text or self.text in line.text.casefold() or self.text in line.node.casefold():
            return True
        return not self.text.isascii() and self.text in translated(line.text).casefold()


class LogModel(QAbstractTableModel):
    """The rows of the log; nothing changes but in `flush` and when log or filter are set."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.log = RunLog()
        self.filter = LogFilter()
        self._numbers: list[int] = []
        self._skip = 0
        self._seen = 0

    def set_log(self, log: RunLog) -> None:
        """Show another log."""
        self.log = log
        self.set_filter(self.filter)

    def set_filter(self, chosen: LogFilter) -> None:
        """Show other lines of the log."""
        self.beginResetModel()
        self.filter = chosen
        self._numbers, self._skip = [], 0
        self._seen = self.log.first
        self._take()
        self.endResetModel()

    def flush(self) -> int:
        """Show what came since the last time, and drop what went; return how many rows went at the top."""
        if self._seen == self.log.end and not (self._rows() and self._numbers[self._skip] < self.log.first):
            return 0
        before = self._skip
        self.beginResetModel()
        self._take()
        gone = self._skip - before
        if self._skip > len(self._numbers) // 2:
            del self._numbers[: self._skip]
            self._skip = 0
        self.endResetModel()
        return gone

    @property
    def waiting(self) -> int:
        """How many lines of the log were not looked at yet."""
        return self.log.end - max(self._seen, self.log.first)

    def entry(self, row: int) -> LogEntry | None:
        """Return the line of a row."""
        if not 0 <= row < self._rows():
            return None
        number = self._numbers[self._skip + row]
        return self.log[number] if number >= self.log.first else None

    def number(self, row: int) -> int:
        """Return the line number of a row; it stays the same while the line is held."""
        return self._numbers[self._skip + row]

    def row_of(self, number: int) -> int | None:
        """Return the row of a line number."""
        from bisect import bisect_left

        place = bisect_left(self._numbers, number, lo=self._skip)
        return place - self._skip if place < len(self._numbers) and self._numbers[place] == number else None

    def text(self, row: int) -> str:
        """Return a row as text, its columns apart by tabs."""
        entry = self.entry(row)
        if entry is None:
            return ""
        return "\t".join((entry.line.time, level_name(entry.line.level), entry.line.node, translated(entry.line.text)))

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else self._rows()

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else TEXT + 1

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (tr("Bar"), tr("Level"), tr("Node"), tr("Message"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        wanted = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ForegroundRole, Qt.ItemDataRole.ToolTipRole)
        entry = self.entry(index.row()) if wanted else None
        if entry is None:
            return None
        column = index.column()
        if role == Qt.ItemDataRole.ForegroundRole:
            return _color(entry.line.level, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return translated(entry.line.text) if column == TEXT else None
        return _cell(entry, column)

    def _rows(self) -> int:
        return len(self._numbers) - self._skip

    def _take(self) -> None:
        """Filter the new lines, and skip the rows whose lines are gone."""
        passes, log = self.filter.passes, self.log
        self._numbers.extend(number for number in range(max(self._seen, log.first), log.end) if passes(log[number]))
        self._seen = log.end
        while self._skip < len(self._numbers) and self._numbers[self._skip] < log.first:
            self._skip += 1


def _cell(entry: LogEntry, column: int) -> str:
    if column == TIME:
        return entry.line.time
    if column == LEVEL:
        return level_name(entry.line.level)
    return entry.line.node if column == NODE else translated(entry.line.text)


def level_name(level: int) -> str:
    """Return what a level is called."""
    if level >= logging.ERROR:
        return tr("Error")
    if level >= logging.WARNING:
        return tr("Warning")
    return tr("Info") if level >= logging.INFO else tr("Detail")


def _color(level: int, column: int) -> QColor | None:
    theme = current()
    if level >= logging.ERROR:
        return QColor(theme.error)
    if level >= logging.WARNING:
        return QColor(theme.warning)
    return QColor(theme.text_dim) if level < logging.INFO or column in (TIME, LEVEL, NODE) else None
