"""Previewer: requests previews from the data process, one at a time, the latest request first."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from quantcrafter.app.services.engine import Engine, Job
from quantcrafter.engine.runtime.compute_process.jobs import Failure
from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview, PreviewRequest

SETTLE_MS = 250


class Previewer(QObject):
    """Gets previews. A new request replaces the one in progress.

    The Qt signal `seen` carries a Preview; `busy` tells whether one is awaited.
    """

    seen = Signal(object)
    busy = Signal(bool)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._request: PreviewRequest | None = None
        self._job: Job | None = None
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self._send)

    @property
    def is_busy(self) -> bool:
        """Whether a preview is awaited."""
        return self._settle.isActive() or self._job is not None

    def request(self, request: PreviewRequest, *, at_once: bool = False) -> None:
        """Request a preview; of several requests in quick succession, only the last one is sent."""
        self._request = request
        self._drop()
        if at_once:
            self._settle.stop()
            self._send()
        else:
            self._settle.start()
        self.busy.emit(True)

    def stop(self) -> None:
        """Cancel the current preview."""
        self._settle.stop()
        self._drop()
        self.busy.emit(False)

    def _drop(self) -> None:
        """Cancel the current preview: its result is no longer needed."""
        job, self._job = self._job, None
        if job is not None and not job.is_over:
            self._engine.cancel(job)

    def _send(self) -> None:
        request = self._request
        if request is None:
            return
        job = self._job = self._engine.submit(request, first=True)
        job.finished.connect(lambda result: self._take(job, result))
        job.failed.connect(lambda failure: self._fail(job, failure))

    def _take(self, job: Job, result: Preview) -> None:
        if job is self._job:
            self._job = None
            self.busy.emit(self.is_busy)
            self.seen.emit(result)

    def _fail(self, job: Job, failure: Failure) -> None:
        if job is self._job and isinstance(job.request, PreviewRequest):
            self._take(job, Preview(job.request.symbol, failure.message))
