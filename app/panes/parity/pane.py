"""ParityPane: compares the results of a strategy on several engines, with a table of differences."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.panes.cells import RoomyCells
from quantcrafter.app.panes.parity.model import DifferenceRows, EngineRows
from quantcrafter.app.panes.parity.words import verdict
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text, failure_text
from quantcrafter.app.session.engine_comparison import EngineComparison
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.api import RunError

_MARGIN = 8
_ROOM = 6


class ParityPane(QWidget):
    """Shows the results of each engine and every difference; a click on one selects its bar and node."""

    asked = Signal()
    """The strategy is to be compared."""
    cancel_asked = Signal()
    """The comparison in progress is to be cancelled."""
    node_asked = Signal(str)
    """Carries the node of a difference that was picked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: RunSession | None = None
        self._comparison: EngineComparison | None = None
        self.engines = EngineRows(self)
        self.differences = DifferenceRows(self)
        self.verdict = QLabel(wordWrap=True)
        self.hint = QLabel(wordWrap=True)
        self.hint.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.bar = QProgressBar(textVisible=True)
        self.compare = QPushButton(tr("Compare engines"))
        self.cancel = QPushButton(tr("Cancel"))
        self.save = QPushButton(tr("Save certificate..."))
        self.engine_view = _table(self.engines, tr("Engines"))
        self.difference_view = _table(self.differences, tr("Differences"))
        self.stack = QStackedWidget()
        self._lay_out()
        self._wire()
        self._show()

    def set_session(self, session: RunSession) -> None:
        """Show another strategy's comparison, and point at the bars of its run."""
        if self._session is not None:
            self._session.run_changed.disconnect(self._show_verdict)
            self._session.engines.changed.disconnect(self._show)
        self._session, self._comparison = session, session.engines
        session.run_changed.connect(self._show_verdict)
        session.engines.changed.connect(self._show)
        self._show()

    # ------------------------------------------------------------------ what is shown

    def _show(self) -> None:
        """Show the progress or the result of the comparison."""
        comparison = self._comparison
        running = comparison is not None and comparison.is_running
        report = None if comparison is None else comparison.report
        self.bar.setVisible(running)
        self.cancel.setVisible(running)
        self.compare.setEnabled(not running)
        self.save.setEnabled(report is not None and not running)
        if running:
            self._show_progress()
        else:
            self._show_report()
        self._show_verdict()

    def _show_progress(self) -> None:
        progress = None if self._comparison is None else self._comparison.progress
        if progress is None or progress.total <= 0:
            self.bar.setRange(0, 0)
            return
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)
        names = {"load": tr("Loading data"), "columns": tr("Computing columns")}
        self.bar.setFormat(f"{names.get(progress.stage, progress.stage)}: %p %")

    def _show_report(self) -> None:
        report = None if self._comparison is None else self._comparison.report
        self.engines.show(report)
        self.differences.show(report)
        self.stack.setCurrentIndex(0 if report is None else 1)
        self.difference_view.setVisible(self.differences.rowCount() > 0)
        for view in (self.engine_view, self.difference_view):
            view.resizeColumnsToContents()
            for column in range(view.model().columnCount()):
                view.setColumnWidth(column, min(view.columnWidth(column) + _ROOM, 320))
        rows = self.engines.rowCount()
        self.engine_view.clearSpans()
        for row in range(0 if report is None else len(report.outcomes), rows):
            self.engine_view.setSpan(row, 1, 1, self.engines.columnCount() - 2)  # the command that brings it is long
        height = self.engine_view.horizontalHeader().sizeHint().height()
        height += self.engine_view.horizontalScrollBar().sizeHint().height()  # in a narrow pane it would take a row
        self.engine_view.setFixedHeight(height + rows * self.engine_view.verticalHeader().defaultSectionSize() + 4)

    def _show_verdict(self) -> None:
        """Show the state of the comparison as text."""
        comparison = self._comparison
        report = None if comparison is None else comparison.report
        if comparison is not None and comparison.failure is not None:
            self.verdict.setText(failure_text(comparison.failure))
        elif comparison is not None and comparison.is_running:
            self.verdict.setText(tr("Comparing the engines"))
        else:
            self.verdict.setText("" if report is None else verdict(report))
        self.hint.setText(self._hint())
        self.hint.setVisible(bool(self.hint.text()))

    def _hint(self) -> str:
        report = None if self._comparison is None else self._comparison.report
        run = None if self._session is None else self._session.run
        if report is None:
            return ""
        if run is not None and run.spec_hash != report.spec_hash:
            return tr("The run shown is from a different version of the strategy than this comparison.")
        if run is None and not report.same:
            return tr("Run the strategy to see the bars of the differences in the chart.")
        return ""

    # ------------------------------------------------------------------ what is done

    def _picked(self, index: QModelIndex) -> None:
        """Go to the bar of a difference, and show its node."""
        if not 0 <= index.row() < len(self.differences.differences):
            return
        difference = self.differences.differences[index.row()]
        if difference.node:
            self.node_asked.emit(difference.node)
        if self._session is not None and difference.bar >= 0:
            self._session.go_to(difference.bar, instrument=max(difference.instrument, 0))

    def _save(self) -> None:
        """Ask for a file and write the certificate to it."""
        from quantcrafter.engine.runtime.parity.certificate import write_certificate

        report = None if self._comparison is None else self._comparison.report
        if report is None:
            return
        proposed = f"{Path(report.file).stem or 'strategy'}-parity.html"
        name, _ = QFileDialog.getSaveFileName(self, tr("Save certificate..."), proposed, "HTML (*.html)")
        if not name:
            return
        path = Path(name)
        try:
            write_certificate(path if path.suffix else path.with_suffix(".html"), report)
        except RunError as error:
            QMessageBox.warning(self, "QuantCrafter", error_text(error))

    # ------------------------------------------------------------------ making

    def _lay_out(self) -> None:
        self.verdict.setObjectName("verdict")
        font = self.verdict.font()
        font.setBold(True)
        self.verdict.setFont(font)
        head = QHBoxLayout()
        head.setContentsMargins(_MARGIN, _MARGIN // 2, _MARGIN, _MARGIN // 2)
        head.setSpacing(_ROOM)
        head.addWidget(self.verdict, 1)
        self.bar.setFixedWidth(220)
        for widget in (self.bar, self.cancel, self.save, self.compare):
            head.addWidget(widget)
        note = QHBoxLayout()
        note.setContentsMargins(_MARGIN, 0, _MARGIN, _MARGIN // 2)
        note.addWidget(self.hint, 1)
        tables = QWidget()
        column = QVBoxLayout(tables)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_MARGIN)
        column.addWidget(self.engine_view)
        column.addWidget(self.difference_view, 1)
        column.addStretch(0)
        self.stack.addWidget(self._empty())
        self.stack.addWidget(tables)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addLayout(note)
        whole.addWidget(self.stack, 1)

    @staticmethod
    def _empty() -> QWidget:
        text = QLabel(
            tr(
                "Run the strategy on every installed engine and compare orders, fills and "
                "equity. The first difference is shown with its bar, node and cause."
            ),
            wordWrap=True,
            alignment=Qt.AlignmentFlag.AlignCenter,
        )
        text.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        text.setMargin(24)
        return text

    def _wire(self) -> None:
        self.compare.clicked.connect(self.asked)
        self.cancel.clicked.connect(self.cancel_asked)
        self.save.clicked.connect(self._save)
        self.difference_view.clicked.connect(self._picked)
        self.difference_view.activated.connect(self._picked)


def _table(model: EngineRows | DifferenceRows, name: str) -> QTableView:
    view = QTableView()
    view.setModel(model)
    view.setAccessibleName(name)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setAlternatingRowColors(True)
    view.setShowGrid(False)
    view.setTabKeyNavigation(False)
    view.setWordWrap(False)
    view.setItemDelegate(RoomyCells(view))
    view.setFrameShape(QTableView.Shape.NoFrame)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    view.verticalHeader().setDefaultSectionSize(view.fontMetrics().lineSpacing() + 8)
    view.horizontalHeader().setHighlightSections(False)
    view.horizontalHeader().setStretchLastSection(True)
    return view
