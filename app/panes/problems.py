"""Problems: every finding of validation, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QGuiApplication, QIcon, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QTableView,
    QWidget,
)

from quantcrafter.app.document.document import Document, DocumentChange
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import Problem, Severity

Index = QModelIndex | QPersistentModelIndex
_SETTLE_MS = 120
FOLDER = "folder"
"""The code of problems of a folder that the strategy may not read; to activate one is to be asked about it."""
_MESSAGE, _REMEDY, _NODE, _PLACE = range(4)
_LEAST_HEIGHT = 34
"""One line: in a small window the canvas needs the room."""
_NO_PARENT = QModelIndex()


class Problems(QWidget):
    """The list of findings.

    The Qt signal `activated` carries the problem that was clicked or entered; `count_changed` carries the numbers of
    errors and warnings.
    """

    activated = Signal(object)
    count_changed = Signal(int, int)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Problems"))
        self.counts = (0, 0)
        self.model = _Model(self)
        self.view = _View(self)
        self.view.setModel(self.model)
        self.view.dress()
        self.view.clicked.connect(self._activate)
        self.view.activated.connect(self._activate)
        self.nothing = _nothing(self)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.nothing)
        self._stack.addWidget(self.view)
        self._unsubscribe: Callable[[], None] = lambda: None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.refresh)
        theme_changed.connect(self.model.layoutChanged)
        self.set_document(document)

    def set_document(self, document: Document) -> None:
        """List another document's problems."""
        self._unsubscribe()
        self.document = document
        self._unsubscribe = document.subscribe(self._on_change)
        self.refresh()

    def refresh(self) -> None:
        """Show what validation finds now; the row under the cursor stays while its problem does."""
        self._settle.stop()
        problems = self.document.problems
        if problems != self.model.problems:
            kept = self.model.problem(self.view.currentIndex())
            self.model.show(problems)
            same = next((row for row, other in enumerate(problems) if _alike(other, kept)), None)
            if same is not None:
                self.view.setCurrentIndex(self.model.index(same, 0))
        self._stack.setCurrentWidget(self.view if problems else self.nothing)
        errors = sum(problem.severity is Severity.ERROR for problem in problems)
        counts = (errors, len(problems) - errors)
        if counts != self.counts:
            self.counts = counts
            self.count_changed.emit(*counts)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's
        """Let the document go."""
        self._settle.stop()
        self._unsubscribe()
        super().closeEvent(event)

    def _activate(self, index: QModelIndex) -> None:
        problem = self.model.problem(index)
        if problem is not None:
            self.activated.emit(problem)

    def _on_change(self, change: DocumentChange) -> None:
        del change
        if not self._settle.isActive():
            self._settle.start()


class _Model(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.problems: tuple[Problem, ...] = ()

    def show(self, problems: tuple[Problem, ...]) -> None:
        self.beginResetModel()
        self.problems = problems
        self.endResetModel()

    def problem(self, index: Index) -> Problem | None:
        return self.problems[index.row()] if index.isValid() else None

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else len(self.problems)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802 - Qt's
        return 0 if parent.isValid() else _PLACE + 1

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (tr("Problem"), tr("What to do"), tr("Node"), tr("Line"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        problem = self.problem(index)
        if problem is None:
            return None
        texts = (translated(problem.message), _remedy(problem), problem.node, _place(problem))
        if role == Qt.ItemDataRole.DisplayRole:
            return texts[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, texts[:2]))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{_severity(problem)}: {texts[0]}" if index.column() == _MESSAGE else texts[index.column()]
        return _look(problem, index.column(), role)


class _View(QTableView):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Problems"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setIconSize(QSize(15, 15))
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setMinimumHeight(_LEAST_HEIGHT)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().lineSpacing() + 9)

    def dress(self) -> None:
        """Give the columns their widths."""
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in (_MESSAGE, _REMEDY):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.setColumnWidth(_NODE, 90)
        self.setColumnWidth(_PLACE, 64)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        model = self.model()
        problem = model.problem(self.currentIndex()) if isinstance(model, _Model) else None
        if problem is not None and event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(str(problem))
            return
        super().keyPressEvent(event)


def _nothing(parent: QWidget) -> QWidget:
    shown = QWidget(parent)
    text = QLabel(tr("No problems"), shown)
    text.setForegroundRole(text.palette().ColorRole.PlaceholderText)
    sign = QLabel(shown)
    sign.setPixmap(icon("done", current().done).pixmap(QSize(18, 18)))
    box = QHBoxLayout(shown)
    box.addStretch(1)
    box.addWidget(sign)
    box.addWidget(text)
    box.addStretch(1)
    return shown


def _look(problem: Problem, column: int, role: int) -> QIcon | QColor | None:
    """Return the icon of a problem, and the colour of what can be clicked."""
    if role == Qt.ItemDataRole.DecorationRole and column == _MESSAGE:
        wrong = problem.severity is Severity.ERROR
        return icon("error", current().error) if wrong else icon("warning", current().warning)
    if role == Qt.ItemDataRole.ForegroundRole and column == _REMEDY and problem.code == FOLDER:
        return QColor(current().accent)
    return None


def _remedy(problem: Problem) -> str:
    """Return what to do; a folder is allowed by a click on its problem, without the command line."""
    return tr("Allow this file...") if problem.code == FOLDER else translated(problem.remedy)


def _place(problem: Problem) -> str:
    return f"{problem.line}:{problem.column}" if problem.line else ""


def _severity(problem: Problem) -> str:
    return tr("Error") if problem.severity is Severity.ERROR else tr("Warning")


def _alike(one: Problem, other: Problem | None) -> bool:
    return other is not None and (one.code, one.path, one.message) == (other.code, other.path, other.message)
