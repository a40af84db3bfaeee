"""EventBatcher: sends a process's events in batches of limited rate and size.

1. Progress replaces unsent progress of the same job; log lines are collected.
2. A thread sends the events, at most `RATE` times a second; the end of a job is sent immediately.
3. A batch holds at most `LINES` log lines. Writers of more lines wait, so that memory is bounded on both sides.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from quantcrafter.engine.runtime.compute_process.job_messages import (
    Batch,
    Done,
    Event,
    Failed,
    Logged,
    Progressed,
    Ready,
    Started,
)
from quantcrafter.engine.runtime.compute_process.jobs.contract import LogLine

RATE = 30
LINES = 2_000
WAITING_LINES = 20_000


class EventBatcher:
    """Collects events of the job's thread and passes them to `send` in another thread.

    Args:
        send: called with each batch, in a separate thread.
    """

    def __init__(self, send: Callable[[Batch], None]) -> None:
        self._send = send
        self._change = threading.Condition()
        self._events: deque[Event] = deque()
        self._progress: Progressed | None = None
        self._lines: deque[tuple[int, LogLine]] = deque()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def post(self, event: Ready | Started | Done | Failed) -> None:
        """Send an event soon, after all previous ones."""
        with self._change:
            self._settle(everything=True)
            self._events.append(event)
            self._change.notify_all()

    def progress(self, event: Progressed) -> None:
        """Send how far a job is, unless it is further by then."""
        with self._change:
            self._progress = event
            self._change.notify_all()

    def log(self, job: int, line: LogLine, cancelled: Callable[[], bool]) -> None:
        """Send a line of a job's log; wait while too many are pending and the job is not `cancelled`."""
        with self._change:
            while len(self._lines) >= WAITING_LINES and not self._closed and not cancelled():
                self._change.wait(0.05)
            self._lines.append((job, line))
            if len(self._lines) == 1:
                self._change.notify_all()

    def close(self) -> None:
        """Send what is left, and stop."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._thread.join(1.0)

    def _settle(self, *, everything: bool) -> None:
        """Move progress and log lines (all of them, or one batch) to the events."""
        if self._progress is not None:
            self._events.append(self._progress)
            self._progress = None
        while self._lines:
            job = self._lines[0][0]
            taken: list[LogLine] = []
            while self._lines and self._lines[0][0] == job and len(taken) < LINES:
                taken.append(self._lines.popleft()[1])
            self._events.append(Logged(job, tuple(taken)))
            if not everything:
                break

    def _take(self) -> Batch:
        """Return the next batch: everything up to the first `LINES` log lines."""
        if not self._events:
            self._settle(everything=False)
        batch: list[Event] = []
        while self._events:
            event = self._events.popleft()
            batch.append(event)
            if isinstance(event, Logged) and len(event.lines) == LINES:
                break
        self._change.notify_all()
        return tuple(batch)

    def _is_urgent(self) -> bool:
        """Return whether the next batch has the end of a job in it."""
        for event in self._events:
            if isinstance(event, Done | Failed):
                return True
            if isinstance(event, Logged) and len(event.lines) == LINES:
                return False
        return self._closed

    def _run(self) -> None:
        last = 0.0
        while True:
            with self._change:
                while not (self._events or self._progress or self._lines):
                    if self._closed:
                        return
                    self._change.wait()
                slot = last + 1 / RATE
                while not self._is_urgent() and (left := slot - time.monotonic()) > 0:
                    self._change.wait(left)
                batch = self._take()
            last = time.monotonic()
            try:
                self._send(batch)
            except OSError:  # the owner is gone; the process ends by its other pipe
                return
