"""Engine: the queue of jobs, and the process that carries them out, started again whenever it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from quantcrafter.app.services.engine.job import Job
from quantcrafter.app.services.engine.process import EngineProcess
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.runtime.compute_process.job_messages import (
    Batch,
    CancelJob,
    Done,
    Event,
    Failed,
    Logged,
    Progressed,
    Ready,
    Started,
    SubmitJob,
)
from quantcrafter.engine.runtime.compute_process.jobs import Failure, Request
from quantcrafter.engine.runtime.compute_process.jobs.contract import CANCELLED, ENDED

log = logging.getLogger(__name__)

OBEY_MS = 2_000
"""How long a cancelled job may take to stop; then the process is killed."""
ATTEMPTS = 3


class Engine(QObject):
    """Carries out jobs one after another in a separate process.

    The queue is kept here: when the process ends, by a fault or by kill, the job that was running fails with a
    message, a fresh process is started, and the others follow.

    Args:
        parent: the owner in Qt's sense.
        compiles: whether the process gets the simulator ready, which one that is to run no strategies does without.
    """

    changed = Signal()
    """A job came, began or ended; or the process became ready."""
    broke = Signal(str)
    """The process ended by itself; carries what to tell the user."""

    def __init__(self, parent: QObject | None = None, *, compiles: bool = True) -> None:
        super().__init__(parent)
        self._compiles = compiles
        self._process: EngineProcess | None = None
        self._queue: list[Job] = []
        self._running: Job | None = None
        self._last_number = 0
        self._bad_starts = 0
        self._is_up = self._is_old = False
        self._is_closed = False
        self.is_compiled = False

    @property
    def pid(self) -> int | None:
        """The process' number, None while there is none."""
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> Job | None:
        """The job that is being executed."""
        return self._running

    @property
    def waiting(self) -> tuple[Job, ...]:
        """The jobs after it, in order."""
        return tuple(self._queue)

    def start(self) -> None:
        """Start the process, if there is none."""
        if self._process is None and not self._is_closed:
            process = self._process = EngineProcess(self, compiles=self._compiles)
            process.arrived.connect(self._take)
            process.ended.connect(self._ended)
            process.start()

    def submit(self, request: Request, *, first: bool = False, idle: bool = False) -> Job:
        """Queue a request and return its job.

        `first` puts it before those that wait; an `idle` one lets all others pass, those as well that come later.
        """
        self._last_number += 1
        job = Job(self._last_number, request, idle=idle)
        place = next((number for number, other in enumerate(self._queue) if other.idle), len(self._queue))
        self._queue.insert(0 if first else len(self._queue) if idle else place, job)
        self.start()
        QTimer.singleShot(0, self, self._next)  # the caller can connect the job's signals first
        return job

    def cancel(self, job: Job) -> None:
        """Stop a job: one that waits is gone at once, one that runs within two seconds."""
        if job in self._queue:
            self._queue.remove(job)
            job.fail(_cancelled())
            self.changed.emit()
        elif job is self._running and not job.cancelling and self._process is not None:
            job.cancelling = True
            self._process.send(CancelJob(job.number))
            QTimer.singleShot(OBEY_MS, self, lambda: self._insist(job))
            self.changed.emit()

    def cancel_all(self) -> None:
        """Stop every job."""
        for job in (*self._queue, *([self._running] if self._running else [])):
            self.cancel(job)

    def renew(self) -> None:
        """Go on in a fresh process, which loads plugins again; a job that is being executed ends in the present one."""
        if self._process is not None and not self._is_old:
            self._is_old = True
            self._next()

    def close(self) -> None:
        """End the process; jobs get no signals any more."""
        self._is_closed = True
        self._queue.clear()
        self._running = None
        if self._process is not None:
            self._process.close()
            self._process = None

    # ------------------------------------------------------------------ messages of the process

    def _next(self) -> None:
        if self._running is None and self._is_old and self._process is not None:
            self._process.kill()  # `_ended` starts the next one
        elif self._running is None and self._queue and self._process is not None:
            self._running = self._queue.pop(0)
            self._process.send(SubmitJob(self._running.number, self._running.request))
        self.changed.emit()

    def _take(self, batch: Batch) -> None:
        if self.sender() is self._process:
            for event in batch:
                self._deal(event)

    def _deal(self, event: Event) -> None:
        if isinstance(event, Ready):
            self._is_up, self._bad_starts = True, 0
            self.is_compiled = self.is_compiled or event.compiled
            self.changed.emit()
            return
        job = self._running
        if job is None or job.number != event.job:
            return
        if isinstance(event, Started):
            job.begin()
            self.changed.emit()
        elif isinstance(event, Progressed):
            job.advance(event)
        elif isinstance(event, Logged):
            job.logged.emit(event.lines)
        elif isinstance(event, Done):
            self._end(job.finish, event.result)
        elif isinstance(event, Failed):
            self._end(job.fail, event.failure)

    def _end(self, how: Callable[[Any], None], what: object) -> None:
        """End the running job, and go on with the next one even if somebody who was told of it fails."""
        self._running = None
        QTimer.singleShot(0, self, self._next)
        how(what)

    # ------------------------------------------------------------------ when it ends

    def _insist(self, job: Job) -> None:
        if job is self._running and self._process is not None:
            log.warning("job %s does not stop: the engine process is killed", job.number)
            self._process.kill()

    def _ended(self, code: int | None) -> None:
        """Bury the process, fail its job, and start a fresh one."""
        process = self._process
        if process is None or self.sender() is not process:
            return
        self._process = None
        process.close()
        process.deleteLater()
        if self._is_old and self._running is None:
            self._is_old = self._is_up = self.is_compiled = False
            self.start()
            QTimer.singleShot(0, self, self._next)
            return
        self._bad_starts += not self._is_up
        self._is_up = self._is_old = self.is_compiled = False
        job, message = self._running, _message(code)
        if self._bad_starts < ATTEMPTS:
            self.start()
        if job is None or not job.cancelling:
            log.error("%s", message)
            self.broke.emit(message)
        if job is not None:
            self._end(job.fail, _cancelled() if job.cancelling else Failure(ENDED, message))
        if self._process is None:
            self._give_up(message)

    def _give_up(self, message: str) -> None:
        """Fail what waits: the process does not even start. The next job tries again."""
        self._bad_starts = 0
        waiting, self._queue = self._queue, []
        for job in waiting:
            job.fail(Failure(ENDED, message))
        self.changed.emit()


def _cancelled() -> Failure:
    return Failure(CANCELLED, tr("Cancelled"))


def _message(code: int | None) -> str:
    if code is None:
        return tr("The engine process can't be started. Free some memory, then run again.")
    if code == -9:  # noqa: PLR2004 - SIGKILL
        return tr(
            "The engine process was ended by the system or by another program (signal 9). "
            "The system may have run out of memory. The process was restarted. Run again, "
            "with fewer bars if memory ran out."
        )
    how = tr("signal {number}", number=-code) if code < 0 else tr("exit code {number}", number=code)
    return tr("The engine process ended unexpectedly ({how}). It was restarted. Run again.", how=how)
