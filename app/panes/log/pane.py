"""LogPane: the log of the current strategy, with its filters."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from quantcrafter.app.panes.log.model import LogFilter, LogModel
from quantcrafter.app.panes.log.view import LogView
from quantcrafter.app.services import strategy_files
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.session.log_lines import LogEntry, RunLog
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.runtime.results.run_view import RunView

FLUSH_MS = 50
LATEST, ALL = -1, -2
_RUNS_LISTED = 20


class LogPane(QWidget):
    """Shows what runs had to say. New lines are taken over all together, some 20 times per second.

    A click on a line that belongs to a bar goes there.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = LogModel(self)
        self.view = LogView(self.model, self)
        self.runs = QComboBox()
        self.levels = QComboBox()
        self.search = QLineEdit()
        self.pause = _button("pause", tr("Pause"), checkable=True)
        self.clear = _button("delete", tr("Clear the log"))
        self.save = _button("save", tr("Save the lines shown..."))
        self.state = QLabel()
        self._session: RunSession | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._flush_soon = QTimer(self, singleShot=True, interval=FLUSH_MS)
        self._flush_soon.timeout.connect(self._flush)
        self._lay_out()
        self._wire()
        self._set_log(RunLog())

    # ------------------------------------------------------------------ what is shown

    def set_session(self, session: RunSession) -> None:
        """Show another strategy's log, and point at the bars of its run."""
        self._session = session
        self._set_log(session.log)

    def _set_log(self, log: RunLog) -> None:
        self._unsubscribe()
        self._unsubscribe = log.subscribe(self._heard)
        self.model.log = log
        self._list_runs()
        self._choose()
        self.view.go_to_end()

    def flush(self) -> None:
        """Show now what is there."""
        self._flush_soon.stop()
        self._flush()

    def _heard(self) -> None:
        if not self._flush_soon.isActive():
            self._flush_soon.start()

    def _flush(self) -> None:
        if len(self.model.log.titles) != self._listed:
            self._list_runs()
            self._choose()
        if self.pause.isChecked() or not self.isVisible():
            self._show_counts()
            return
        self.view.flush()
        self._show_counts()

    def _show_counts(self) -> None:
        """Show the number of lines, or of the waiting ones."""
        shown, waiting = self.model.rowCount(), self.model.waiting
        if self.pause.isChecked() and waiting:
            self.state.setText(tr("Paused. New lines: {count}", count=f"{waiting:,}"))
        else:
            self.state.setText(tr("Lines: {count}", count=f"{shown:,}"))

    # ------------------------------------------------------------------ filters

    def _list_runs(self) -> None:
        """List the runs, the latest first; the choice stays."""
        chosen = self.runs.currentData()
        titles = self.model.log.titles
        self._listed = len(titles)
        self.runs.blockSignals(True)
        self.runs.clear()
        self.runs.addItem(tr("Latest run"), LATEST)
        self.runs.addItem(tr("All runs"), ALL)
        for run in sorted(titles, reverse=True)[:_RUNS_LISTED]:
            self.runs.addItem(titles[run], run)
        self.runs.setCurrentIndex(max(self.runs.findData(chosen), 0))
        self.runs.blockSignals(False)

    def _choose(self) -> None:
        """Filter as the boxes say."""
        run = self.runs.currentData()
        if run == LATEST:
            run = max(self.model.log.titles, default=None)
        elif run == ALL:
            run = None
        self.model.set_filter(LogFilter(run, self.levels.currentData(), self.search.text().strip().casefold()))
        self._show_counts()

    # ------------------------------------------------------------------ what is done with lines

    def _pick(self, row: int) -> None:
        """Go to the bar of a line."""
        entry, session = self.model.entry(row), self._session
        if entry is None or session is None:
            return
        with session.reading() as run:
            bar = None if run is None else _bar_of(entry, run)
            if bar is not None:
                session.go_to(bar, instrument=entry.line.instrument)

    def _clear(self) -> None:
        self.model.log.clear()
        self.flush()

    def _save(self) -> None:
        """Write the lines that are shown to a file."""
        name, _ = QFileDialog.getSaveFileName(self, tr("Save the log"), "run.log", tr("Logs (*.log *.txt)"))
        if name:
            lines = (self.model.text(row) for row in range(self.model.rowCount()))
            strategy_files.write(Path(name), "".join(f"{line}\n" for line in lines))

    # ------------------------------------------------------------------ making

    def _lay_out(self) -> None:
        self.runs.setAccessibleName(tr("Run to show"))
        self.levels.setAccessibleName(tr("Log levels"))
        for text, level in (
            (tr("Everything"), logging.DEBUG),
            (tr("Info and higher"), logging.INFO),
            (tr("Warnings and errors"), logging.WARNING),
            (tr("Errors only"), logging.ERROR),
        ):
            self.levels.addItem(text, level)
        self.levels.setCurrentIndex(1)
        self.search.setPlaceholderText(tr("Filter by text or node"))
        self.search.setAccessibleName(tr("Filter by text or node"))
        self.search.setClearButtonEnabled(True)
        self.state.setForegroundRole(self.state.palette().ColorRole.PlaceholderText)
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 4)
        row.setSpacing(4)
        for widget in (self.runs, self.levels):
            widget.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            row.addWidget(widget)
        row.addWidget(self.search, 1)
        row.addWidget(self.state)
        for button in (self.pause, self.clear, self.save):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.view, 1)

    def _wire(self) -> None:
        self._listed = 0
        self.runs.currentIndexChanged.connect(self._choose)
        self.levels.currentIndexChanged.connect(self._choose)
        self.search.textChanged.connect(self._choose)
        self.pause.toggled.connect(lambda _on: self.flush())
        self.clear.clicked.connect(self._clear)
        self.save.clicked.connect(self._save)
        self.view.picked.connect(self._pick)
        theme_changed.connect(self.view.viewport().update)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's
        """Show what came while the pane was out of sight."""
        super().showEvent(event)
        self.flush()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's
        """Let the log go."""
        self._flush_soon.stop()
        self._unsubscribe()
        super().closeEvent(event)


def _bar_of(entry: LogEntry, run: RunView) -> int | None:
    """Return the bar that a line speaks of in the run that is shown; by its time, as the line may be of another run."""
    line = entry.line
    if line.instrument >= len(run.instruments):
        return None
    bars = run.instruments[line.instrument].bars
    if line.ts_ns is None:
        return line.bar if line.bar >= 0 else None
    if 0 <= line.bar < len(bars) and bars.open_ns[line.bar] <= line.ts_ns <= bars.close_ns[line.bar]:
        return line.bar
    return int(np.searchsorted(bars.close_ns, line.ts_ns))


def _button(name: str, text: str, *, checkable: bool = False) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(name))
    button.setIconSize(QSize(16, 16))
    button.setAutoRaise(True)
    button.setCheckable(checkable)
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
