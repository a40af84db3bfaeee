"""StoreJobs: what is done to the bar store, one thing after the other, with progress and cancel."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from quantcrafter.app.services.engine import Engine, Job
from quantcrafter.app.services.problems import failure_text
from quantcrafter.engine.api.home import home
from quantcrafter.engine.runtime.compute_process.jobs import Failure, Request
from quantcrafter.engine.runtime.compute_process.jobs.store import StoreListRequest

_SETTLE_MS = 400


class StoreJobs(QObject):
    """Sends jobs on the store to the data process, and keeps the list of series up to date.

    The Qt signal `listed` carries a tuple of Series; `working` what is being done and how much of it (0 to 1, -1 while
    unknown), with an empty text when nothing is; `failed` a message.
    """

    listed = Signal(object)
    working = Signal(str, float)
    failed = Signal(str)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._jobs: dict[Job, str] = {}
        self._engines: dict[Job, Engine] = {}
        self._listing: Job | None = None
        self._watch = QFileSystemWatcher(self)
        self._soon = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._soon.timeout.connect(self.refresh)
        self._watch.directoryChanged.connect(self._changed_on_disk)

    @property
    def is_busy(self) -> bool:
        """Whether something is being done to the store."""
        return bool(self._jobs)

    def refresh(self) -> None:
        """List the series again; also from now on whenever another program changes the store."""
        if not self._watch.directories():
            folder = home() / "bars"
            with suppress(OSError):  # without it the list is brought up to date when it is looked at
                folder.mkdir(parents=True, exist_ok=True)
                self._watch.addPath(str(folder))
        if self._listing is None or self._listing.is_over:
            job = self._listing = self._engine.submit(StoreListRequest())
            job.finished.connect(self.listed)
            job.failed.connect(self._fail)

    def do(self, request: Request, text: str, done: Callable[[Any], object], *, engine: Engine | None = None) -> Job:
        """Carry out a request; `text` says what it is, `done` is called with its result."""
        engine = engine or self._engine
        job = engine.submit(request)
        self._jobs[job], self._engines[job] = text, engine
        job.progressed.connect(lambda progress: self._tell(job, progress.share))
        job.finished.connect(done)
        job.failed.connect(self._fail)
        job.ended.connect(lambda: self._end(job))
        self._tell(job, -1.0)
        return job

    def cancel(self) -> None:
        """Stop everything that is being done; what is done already stays."""
        for job in tuple(self._jobs):
            self.cancel_job(job)

    def cancel_job(self, job: Job) -> None:
        """Stop one job; what is done already stays."""
        engine = self._engines.get(job)
        if engine is not None:
            engine.cancel(job)

    def _tell(self, job: Job, share: float) -> None:
        if next(iter(self._jobs), None) is job:
            self.working.emit(self._jobs[job], share)

    def _end(self, job: Job) -> None:
        self._jobs.pop(job, None)
        self._engines.pop(job, None)
        following = next(iter(self._jobs.values()), "")
        self.working.emit(following, -1.0)
        self.refresh()

    def _fail(self, failure: Failure) -> None:
        if not failure.is_cancelled:
            self.failed.emit(failure_text(failure))

    def _changed_on_disk(self, _folder: str) -> None:
        if not self._jobs:
            self._soon.start()
