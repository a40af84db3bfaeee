"""RawRows: the first lines of a file as they are there, and above each column what it is taken for."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from quantcrafter.app.data.import_model import FURTHER
from quantcrafter.app.inspector.editors.base import guard_wheel
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.data.providers.glance import Glance

_LEAST_WIDTH = 84
_LEAST_ROWS = 4


class _Picker(QComboBox):
    """A list of roles that arrow keys open: to step through them would take each from the column that has it."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """Open the list instead of going through it."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.showPopup()
        else:
            super().keyPressEvent(event)


class RawRows(QTableWidget):
    """Shows a Glance. The Qt signal `picked` carries a column, from 0, and the role that was chosen for it, or ''."""

    picked = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.glance = Glance()
        self.pickers: list[QComboBox] = []
        self.setAccessibleName(tr("First lines of the file"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setWordWrap(False)
        self.setMinimumHeight(_LEAST_ROWS * self.verticalHeader().defaultSectionSize())
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def show_glance(self, glance: Glance) -> None:
        """Show the first lines of another file, or of the same one cut in another way."""
        roles = {place: role for role, place in glance.roles}
        if glance == self.glance and self.pickers:
            for column, box in enumerate(self.pickers):
                box.setCurrentIndex(max(box.findData(roles.get(column, "")), 0))
            return
        self.glance = glance
        width = max(map(len, glance.rows), default=0)
        self.clear()
        self.setRowCount(len(glance.rows) + 1 if width else 0)
        self.setColumnCount(width)
        self.setVerticalHeaderLabels(["", *(str(number) for number in range(1, len(glance.rows) + 1))])
        self.pickers = [self._picker(column, roles.get(column, "")) for column in range(width)]
        for number, row in enumerate(glance.rows, 1):
            for column, cell in enumerate(row):
                self.setItem(number, column, QTableWidgetItem(cell))
        self.resizeColumnsToContents()
        for column in range(width):
            self.setColumnWidth(column, max(self.columnWidth(column), _LEAST_WIDTH))

    def _picker(self, column: int, role: str) -> QComboBox:
        box = _Picker(self)
        guard_wheel(box)
        names = role_names()
        if role and role not in dict(names):
            box.addItem(tr("Further column: {name}", name=role), role)
        for name, text in names:
            box.addItem(text, name)
        box.setCurrentIndex(max(box.findData(role), 0))
        box.setAccessibleName(tr("Column {number}", number=column + 1))
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.activated.connect(lambda _index: self.picked.emit(column, box.currentData()))
        self.setCellWidget(0, column, box)
        return box


def role_names() -> tuple[tuple[str, str], ...]:
    """Return what a column may be, with its words; '' for none of these, FURTHER for one that gets a name."""
    return (
        ("", "\N{EN DASH}"),
        ("time", tr("Time")),
        ("date", tr("Date")),
        ("open", tr("Open price")),
        ("high", tr("High")),
        ("low", tr("Low")),
        ("close", tr("Close price")),
        ("volume", tr("Volume")),
        ("symbol", tr("Symbol")),
        ("split", tr("Split")),
        ("dividend", tr("Dividend")),
        ("adjusted_close", tr("Adjusted close")),
        ("spread", tr("Spread")),
        ("open_interest", tr("Open interest")),
        (FURTHER, tr("Further column")),
    )
