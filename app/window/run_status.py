"""RunStatus: the part of the status bar that shows the progress of a run, with a button to cancel it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon
from quantcrafter.app.window.run_words import stage_name, time_left

if TYPE_CHECKING:
    from quantcrafter.app.services.engine import Job

STEPS = 1000
ENDLESS = ("libraries", "compile")
"""Stages of which nobody knows how far they are."""
BAR_SIZE = QSize(120, 12)


class RunStatus(QWidget):
    """Shows the job that is being executed, and otherwise how the current strategy stands to its last run."""

    cancel_clicked = Signal()
    run_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(BAR_SIZE)
        self.bar.setAccessibleName(tr("Progress of the run"))
        self.cancel = QToolButton()
        self.cancel.setIcon(icon("stop"))
        self.cancel.setIconSize(QSize(14, 14))
        self.cancel.setAutoRaise(True)
        self.cancel.setToolTip(tr("Cancel the run"))
        self.cancel.setAccessibleName(tr("Cancel the run"))
        self.cancel.clicked.connect(self.cancel_clicked)
        self.result = QToolButton()
        self.result.setAutoRaise(True)
        self.result.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.result.clicked.connect(self.run_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self.text, self.bar, self.cancel, self.result):
            row.addWidget(widget)
        self.show_nothing()

    def show_job(self, job: Job, name: str, waiting: int) -> None:
        """Show how far a job is; `name` says whose it is when that is not the current strategy."""
        stage = stage_name(job.progress.stage if job.progress is not None else "")
        parts = [
            f"{name}: {tr('Cancelling')}" if name and job.cancelling else tr("Cancelling") if job.cancelling else "",
            "" if job.cancelling else f"{name}: {stage}" if name else stage,
            "" if job.cancelling else time_left(job.progress, job.silent_s),
            tr("{count} waiting", count=waiting) if waiting else "",
        ]
        self.text.setText("  \N{MIDDLE DOT}  ".join(filter(None, parts)))
        known = job.progress is None or job.progress.stage not in ENDLESS
        self.bar.setRange(0, STEPS if known else 0)  # Qt shows a bar without an end as busy
        self.bar.setValue(round(STEPS * job.progress.share) if job.progress is not None and known else 0)
        self.cancel.setEnabled(not job.cancelling)
        self._show(busy=True)

    def show_result(self, *, stale: bool) -> None:
        """Show whether the last run is up to date."""
        self.result.setIcon(icon("warning" if stale else "done"))
        self.result.setText(tr("Out of date") if stale else tr("Up to date"))
        self.result.setToolTip(
            tr("The strategy was changed after its last run. Click to run it again.")
            if stale
            else tr("The results match the current strategy.")
        )
        self._show(busy=False)

    def show_nothing(self) -> None:
        """Show that nothing was run."""
        self._show(busy=False)
        self.result.hide()

    def _show(self, *, busy: bool) -> None:
        for widget in (self.text, self.bar, self.cancel):
            widget.setVisible(busy)
        self.result.setVisible(not busy)
