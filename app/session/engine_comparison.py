"""EngineComparison: an open strategy on several engines: asked for, in progress, or with its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from quantcrafter.app.services.engine import Job
    from quantcrafter.engine.runtime.compute_process.job_messages import Progressed
    from quantcrafter.engine.runtime.compute_process.jobs import Failure
    from quantcrafter.engine.runtime.parity import ParityReport


class EngineComparison(QObject):
    """The latest comparison of one strategy.

    `report` is its outcome and stays until the next one has an outcome; `failure` says why the latest failed.
    """

    changed = Signal()
    """A comparison began, went on, or ended."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job: Job | None = None
        self.report: ParityReport | None = None
        self.failure: Failure | None = None

    @property
    def is_running(self) -> bool:
        """Whether one is in progress, or waits for its turn."""
        return self.job is not None

    @property
    def progress(self) -> Progressed | None:
        """How far the one in progress is."""
        return None if self.job is None else self.job.progress

    def follow(self, job: Job) -> None:
        """Show this comparison from now on."""
        self.job = job
        self.failure = None
        job.progressed.connect(self.changed)
        job.finished.connect(self._finish)
        job.failed.connect(self._fail)
        self.changed.emit()

    def _finish(self, report: ParityReport) -> None:
        self.job, self.report = None, report
        self.changed.emit()

    def _fail(self, failure: Failure) -> None:
        self.job = None
        self.failure = None if failure.is_cancelled else failure
        self.changed.emit()
