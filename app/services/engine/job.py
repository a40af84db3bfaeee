"""Job: one request to the engine process, from the queue to its end."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.compute_process.job_messages import Progressed
    from quantcrafter.engine.runtime.compute_process.jobs import Failure, Request


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(QObject):
    """A request that was submitted; it ends by exactly one of `finished` and `failed`, and then by `ended`.

    Keep a reference to it for as long as its Qt signals are wanted.

    Args:
        number: tells jobs apart; later ones have higher numbers.
        request: what was asked for.
        idle: all others go first.
    """

    started = Signal()
    progressed = Signal(object)
    """Carries a `Progressed`."""
    logged = Signal(object)
    """Carries a tuple of `LogLine`."""
    finished = Signal(object)
    """Carries the job's result."""
    failed = Signal(object)
    """Carries a `Failure`; a cancelled job fails as well, with `is_cancelled`."""
    ended = Signal()

    def __init__(self, number: int, request: Request, *, idle: bool = False) -> None:
        super().__init__()
        self.number = number
        self.request = request
        self.idle = idle
        self.state = JobState.QUEUED
        self.cancelling = False
        self.progress: Progressed | None = None
        self._progress_at = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the job has ended."""
        return self.state not in (JobState.QUEUED, JobState.RUNNING)

    @property
    def silent_s(self) -> float:
        """How long ago the progress was reported, in seconds."""
        return time.monotonic() - self._progress_at if self.progress is not None else 0.0

    def begin(self) -> None:
        """Note that the job's turn has come."""
        self.state = JobState.RUNNING
        self.started.emit()

    def advance(self, progress: Progressed) -> None:
        """Note how far the job is."""
        self.progress = progress
        self._progress_at = time.monotonic()
        self.progressed.emit(progress)

    def finish(self, result: object) -> None:
        """End with a result."""
        self.state = JobState.DONE
        self.finished.emit(result)
        self.ended.emit()

    def fail(self, failure: Failure) -> None:
        """End without one."""
        self.state = JobState.CANCELLED if failure.is_cancelled else JobState.FAILED
        self.failed.emit(failure)
        self.ended.emit()
