"""HistoryPane: every finished run, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMessageBox,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.panes.cells import RoomyCells
from quantcrafter.app.panes.history.model import PIN, HistoryModel
from quantcrafter.app.services.background import Background
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.runtime.run_store.cleanup import Usage, gb, measure
from quantcrafter.engine.runtime.run_store.comparison import RunComparison, compare_runs
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.record import RunRecord
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.trace_folders import trace_folder

MOST = 500
"""Runs that are listed; older ones stay in the history."""

_TWO = 2


class HistoryPane(QWidget):
    """Lists the runs of the current strategy, or all.

    The Qt signals: `compared` carries the requested `RunComparison`; `reopen_asked` the record whose strategy is
    to be opened as it was; `message` a sentence for the status bar.
    """

    compared = Signal(object)
    reopen_asked = Signal(object)
    message = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("History"))
        self.session: RunSession | None = None
        self._work = Background(self)
        self._reading = Background(self)
        self._all: list[RunRecord] = []
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._read)
        self.model = HistoryModel(self)
        self.whose = QComboBox()
        self.whose.setAccessibleName(tr("Runs to show"))
        for text in (tr("Runs of this strategy"), tr("Runs of all strategies")):
            self.whose.addItem(text)
        self.whose.currentIndexChanged.connect(self._choose)
        self.view = _view(self.model, self)
        self.usage = QLabel()
        self.usage.setContentsMargins(8, 3, 8, 3)
        self.usage.setForegroundRole(self.usage.palette().ColorRole.PlaceholderText)
        self.usage.setToolTip(
            tr(
                "Disk space used by stored runs. The oldest unpinned runs are deleted first. "
                "Change the limit in Settings."
            )
        )
        self.nothing = QLabel(tr("No finished run yet."), alignment=Qt.AlignmentFlag.AlignCenter)
        self.nothing.setForegroundRole(self.nothing.palette().ColorRole.PlaceholderText)
        self.show_button = self._button(tr("Show"), tr("Show this run in chart and tables"), self.show_run)
        self.compare_button = self._button(tr("Compare"), tr("Compare the two selected runs"), self.compare)
        self.reopen_button = self._button(
            tr("Open version"), tr("Open the strategy as it was in this run, in a new tab"), self.reopen
        )
        self.pin_button = self._button("", tr("Keep the selected runs regardless of the disk space limit"), self.pin)
        self.pin_button.setIcon(icon("pin"))
        self.delete_button = self._button(tr("Delete"), tr("Delete the selected runs"), self.delete)
        self._compose()
        self._refresh_buttons()

    def _compose(self) -> None:
        self._row = QHBoxLayout()
        self._row.setSpacing(6)
        for button in self._buttons():
            self._row.addWidget(button)
        self._line = line = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        line.setContentsMargins(6, 4, 6, 4)
        line.setSpacing(6)
        line.addWidget(self.whose)
        line.addStretch(1)
        line.addLayout(self._row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.view, 1)
        column.addWidget(self.nothing, 1)
        column.addWidget(self.usage)
        self.view.selectionModel().selectionChanged.connect(self._refresh_buttons)
        self.view.doubleClicked.connect(self.show_run)
        self.view.activated.connect(self.show_run)
        self.view.customContextMenuRequested.connect(self._menu)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for the width of the buttons alone: the choice of runs goes above them where there is no more."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), self._row.sizeHint().width() + self._margin()), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Lay the buttons below the choice of runs where they do not fit next to it."""
        asked = self.whose.sizeHint().width() + self._row.sizeHint().width() + 2 * self._line.spacing() + self._margin()
        directions = QBoxLayout.Direction
        wanted = directions.LeftToRight if asked <= event.size().width() else directions.TopToBottom
        if self._line.direction() != wanted:
            self._line.setDirection(wanted)
        super().resizeEvent(event)

    def _margin(self) -> int:
        margins = self._line.contentsMargins()
        return margins.left() + margins.right()

    def _buttons(self) -> tuple[QPushButton, ...]:
        return self.show_button, self.compare_button, self.reopen_button, self.pin_button, self.delete_button

    def _button(self, text: str, tip: str, call: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked=False: call())
        return button

    # ------------------------------------------------------------------ what is shown

    def set_session(self, session: RunSession | None) -> None:
        """Follow another strategy."""
        if self.session is not None:
            self.session.run_changed.disconnect(self.refresh)
        self.session = session
        if session is not None:
            session.run_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Read the history again, soon, beside the user interface."""
        run = self.session.run if self.session is not None else None
        self.model.mark(run.id if run is not None else "")
        self._soon.start()

    def _read(self) -> None:
        self._reading.run(lambda: (RunHistory().list(MOST), measure()), self._show, self.message.emit)

    def _show(self, found: tuple[list[RunRecord], Usage]) -> None:
        self._all, usage = found
        self.usage.setText(_usage_text(usage) if usage.runs or usage.used else "")
        self._choose()

    def _choose(self) -> None:
        kept = {record.id for record in self.selected()}
        run = self.session.run if self.session is not None else None
        records = self._all
        if self.whose.currentIndex() == 0 and run is not None:
            records = [each for each in records if each.damage or _same_strategy(each, run)]
        self.model.show(records)
        self.view.resizeColumnsToContents()
        self.view.setVisible(bool(records))
        self.nothing.setVisible(not records)
        for row, record in enumerate(records):
            if record.id in kept:
                self.view.selectRow(row)
        self._refresh_buttons()

    def selected(self) -> list[RunRecord]:
        """Return the selected runs, the latest first."""
        rows = sorted({index.row() for index in self.view.selectionModel().selectedRows()})
        return [self.model.records[row] for row in rows if row < len(self.model.records)]

    def _refresh_buttons(self) -> None:
        chosen = self.selected()
        whole = not any(record.damage for record in chosen)
        for button in (self.show_button, self.reopen_button):
            button.setEnabled(len(chosen) == 1 and whole)
        self.compare_button.setEnabled(len(chosen) == _TWO and whole)
        self.delete_button.setEnabled(bool(chosen))
        self.pin_button.setEnabled(bool(chosen))
        pinned = bool(chosen) and all(record.pinned for record in chosen)
        self.pin_button.setAccessibleName(tr("Unpin") if pinned else tr("Pin"))

    # ------------------------------------------------------------------ what is done

    def show_run(self) -> None:
        """Let every pane show the selected run."""
        chosen = self.selected()
        if len(chosen) != 1 or chosen[0].damage or self.session is None:
            return
        session, folder = self.session, trace_folder(chosen[0].id)
        if not folder.is_dir():
            self.message.emit(tr("The columns of this run are no longer stored. Select Open version and run it again."))
            return
        self._work.run(lambda: RunFolder.open(folder), session.show_run, self.message.emit)

    def compare(self) -> None:
        """Compare the two selected runs, the older one first."""
        chosen = self.selected()
        if len(chosen) == _TWO:
            later, earlier = chosen

            def both() -> RunComparison:
                history = RunHistory()
                return compare_runs(history.open(earlier.id), history.open(later.id))

            self._work.run(both, self.compared.emit, self.message.emit)

    def reopen(self) -> None:
        """Ask for the strategy of the selected run as it was."""
        chosen = self.selected()
        if len(chosen) == 1:
            self.reopen_asked.emit(chosen[0])

    def delete(self) -> None:
        """Delete the selected runs, after a question."""
        chosen = self.selected()
        if not chosen:
            return
        count = len(chosen)
        question = (
            tr("Permanently delete this run?") if count == 1 else tr("Permanently delete {count} runs?", count=count)
        )
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        if QMessageBox.question(self, "QuantCrafter", question, yes | no, no) != yes:
            return

        def remove() -> None:
            history = RunHistory()
            for record in chosen:
                history.delete(record.id)

        self._work.run(remove, lambda _none: self.refresh(), self.message.emit)

    def pin(self) -> None:
        """Let the selected runs stay, or, where all of them are pinned, go again."""
        chosen = self.selected()
        on = not all(record.pinned for record in chosen)

        def change() -> None:
            history = RunHistory()
            for record in chosen:
                history.pin(record.id, on=on)

        if chosen:
            self._work.run(change, lambda _none: self.refresh(), self.message.emit)

    def _menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        for button in self._buttons():
            action = menu.addAction(button.text() or button.accessibleName(), button.click)
            action.setEnabled(button.isEnabled())
        menu.exec(self.view.viewport().mapToGlobal(place))


def _same_strategy(record: RunRecord, run: RunFolder) -> bool:
    if run.file and record.file:
        return Path(record.file) == Path(run.file).absolute()
    return record.strategy == run.strategy


def _usage_text(usage: Usage) -> str:
    text = tr("Runs use {used} of {limit} GB", used=gb(usage.used), limit=gb(usage.limit))
    return tr("{text}; {count} pinned", text=text, count=usage.pinned) if usage.pinned else text


def _view(model: HistoryModel, parent: QWidget) -> QTableView:
    view = QTableView(parent)
    view.setModel(model)
    view.setItemDelegate(RoomyCells(view))
    view.setAccessibleName(tr("History"))
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    view.setAlternatingRowColors(True)
    view.setShowGrid(False)
    view.setTabKeyNavigation(False)
    view.setWordWrap(False)
    view.setFrameShape(QTableView.Shape.NoFrame)
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(view.fontMetrics().lineSpacing() + 8)
    view.horizontalHeader().setHighlightSections(False)
    view.horizontalHeader().setStretchLastSection(True)
    view.horizontalHeader().moveSection(PIN, 0)
    return view
