"""The engine process: it executes requests from one pipe one after another, and sends events through another.

1. The owner starts it with `multiprocessing`'s spawn, and passes the ends of two pipes.
2. A thread reads the orders: requests are queued, a cancelled job is marked. When the owner has ended for any reason,
   the pipe closes and the process ends immediately.
3. The simulator's machine code is loaded by a separate thread; on a new machine another process compiles it first.
   Jobs that start meanwhile run interpreted.
4. Jobs run in the main thread. Their events are sent by the EventBatcher, at most 30 batches per second.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Hashable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, Protocol, runtime_checkable

from quantcrafter.engine.api import Session, Timeframe
from quantcrafter.engine.api.foreign import MOST_LINES, ForeignCall, listen
from quantcrafter.engine.api.foreign_process import leave_process
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.waiting import COMPILE, IMPORT, listen_to_waits
from quantcrafter.engine.runtime.compute_process.event_batcher import EventBatcher
from quantcrafter.engine.runtime.compute_process.jit_preload import JitPreload
from quantcrafter.engine.runtime.compute_process.job_messages import (
    Batch,
    CancelJob,
    Done,
    Failed,
    Order,
    Progressed,
    Ready,
    Started,
    SubmitJob,
)
from quantcrafter.engine.runtime.compute_process.jobs.contract import CANCELLED, INSTRUMENTS, Failure, LogLine
from quantcrafter.engine.runtime.compute_process.progress_estimate import ProgressEstimate

log = logging.getLogger(__name__)

NICE = 5
"""Jobs have a lower priority than the desktop; POSIX only."""

_CANCELLED = Failure(CANCELLED, Message("The job was cancelled."))


def serve(orders: Connection, events: Connection, *, compiles: bool = True) -> None:
    """Carry out what comes by `orders` and tell of it by `events`, until the owner closes its end.

    The entry point of the spawned process. A process that runs no strategies doesn't need to compile.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal goes to the owner, which ends this process
    if sys.platform != "win32":
        os.nice(NICE)
    service = Service(orders, events)
    listen(Heard(service))
    service.run(compiles=compiles)


class Service:
    """The process' main loop.

    Args:
        orders: where orders come from.
        events: where batches of events go.
    """

    def __init__(self, orders: Connection, events: Connection) -> None:
        self._orders = orders
        self._queue: SimpleQueue[SubmitJob] = SimpleQueue()
        self._cancelled: set[int] = set()
        self._memory: dict[Hashable, Any] = {}
        self._pace = ProgressEstimate()
        self.context: Context | None = None

        def send(batch: Batch) -> None:
            events.send(batch)

        self._batcher = EventBatcher(send)

    def run(self, *, compiles: bool = True) -> None:
        """Take jobs one after the other, for ever."""
        threading.Thread(target=self._read, name="orders", daemon=True).start()
        self._batcher.post(Ready())
        listen_to_waits(self._report_wait)
        if compiles:
            JitPreload(lambda: self._batcher.post(Ready(compiled=True))).start()
        while True:
            self._execute(self._queue.get())

    def _report_wait(self, reason: str) -> None:
        """Report that the job waits; waits of other threads don't matter."""
        if self.context is not None and threading.current_thread() is threading.main_thread():
            self.context.progress(reason, 0, 1)

    def _read(self) -> None:
        while True:
            try:
                order: Order = self._orders.recv()
            except (EOFError, OSError):
                leave_process(0)  # the owner has ended: the result of the computation is not needed
            if isinstance(order, CancelJob):
                self._cancelled.add(order.job)
            else:
                self._queue.put(order)

    def _execute(self, order: SubmitJob) -> None:
        job, request = order.job, order.request
        context = self.context = Context(job, self._batcher, self._pace, self._cancelled, self._memory)
        self._batcher.post(Started(job))
        try:
            if context.cancelled():
                self._batcher.post(Failed(job, _CANCELLED))
                return
            self._pace.begin(request.kind)
            with context.listening():
                result = request.execute(context)
        except BaseException as error:  # noqa: BLE001 - whatever a job does ends with that job
            self._batcher.post(Failed(job, Failure.of(error)))
        else:
            self._pace.end()
            self._batcher.post(Done(job, result))
        finally:
            self.context = None
            self._cancelled.discard(job)


class Heard:
    """Logs the output and the duration of third-party code in the job's log (`engine.api.foreign.Listener`)."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lines: dict[tuple[int, str], int] = {}

    def printed(self, call: ForeignCall | None, text: str, *, warning: bool) -> None:
        """Log a line that was printed, or a warning; of many lines the first."""
        who = call.who if call is not None else Message("A plugin")
        context = self._service.context
        place = (context.job if context is not None else 0, who)
        count = self._lines[place] = self._lines.get(place, 0) + 1
        if count <= MOST_LINES:
            line = (
                Message("{who} warns: {text}", who=who, text=text)
                if warning
                else Message("{who} prints: {text}", who=who, text=text)
            )
            self._log(call, line, warning=warning)
        elif count == MOST_LINES + 1:
            self._log(
                call,
                Message(
                    "{who} prints more than {most_lines:,} lines; the rest is omitted.", who=who, most_lines=MOST_LINES
                ),
                warning=True,
            )

    def slow(self, call: ForeignCall, seconds: float) -> None:
        """Log that a call has taken so long."""
        self._log(
            call,
            Message("{who} has been {doing} for {seconds:.0f} s.", who=call.who, doing=call.doing, seconds=seconds),
            warning=True,
        )

    def interrupted(self) -> bool:
        """Return False: the owner handles Ctrl-C."""
        return False

    def restore(self) -> None:
        """Do nothing: the process has no settings of its own."""

    def _log(self, call: ForeignCall | None, text: str, *, warning: bool) -> None:
        level = logging.WARNING if warning else logging.INFO
        context = self._service.context
        if context is None:
            log.log(level, text)
        else:
            context.log(LogLine(level, text, node=call.node if call is not None else ""))


class Context:
    """The JobContext of the process."""

    def __init__(
        self,
        job: int,
        batcher: EventBatcher,
        estimate: ProgressEstimate,
        cancelled: set[int],
        memory: dict[Hashable, Any],
    ) -> None:
        self.job = job
        self.memory = memory
        self._batcher = batcher
        self._pace = estimate
        self._share = 0.0
        self._cancelled = cancelled

    def progress(self, stage: str, done: int, total: int) -> None:
        """Tell that `done` of `total` of a stage is done."""
        if stage in (IMPORT, COMPILE):
            self._pace.wait()
            left_s = None
        else:
            self._share, left_s = self._pace.step(stage, done, total)
        self._batcher.progress(Progressed(self.job, stage, done, total, self._share, left_s))

    def log(self, line: LogLine) -> None:
        """Write a line into the job's log."""
        self._batcher.log(self.job, line, self.cancelled)

    def cancelled(self) -> bool:
        """Return whether the job is to stop."""
        return self.job in self._cancelled

    def listening(self) -> _Listening:
        """Return a context in which all log records of the program are added to the job's log."""
        return _Listening(self)


class _Listening(logging.Handler):
    """Passes log records of the program and of components on to a job's log, while it is entered."""

    def __init__(self, context: Context) -> None:
        super().__init__(logging.INFO)
        self._context = context
        self._thread = threading.get_ident()

    def __enter__(self) -> None:
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(logging.INFO)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record that the job's own thread made."""
        if record.thread != self._thread:
            return
        place = {name: getattr(record, name) for name in ("ts_ns", "bar", "node") if hasattr(record, name)}
        number = self._context.memory.get(INSTRUMENTS, {}).get(getattr(record, "symbol", ""), 0)
        line = LogLine(record.levelno, record.getMessage(), instrument=number, time=_time_of(record), **place)
        self._context.log(line)


def _time_of(record: logging.LogRecord) -> str:
    """Return when the bar of a component's record closed, as people read it; nothing for other records."""
    if not isinstance(record, _BarRecord):
        return ""
    from quantcrafter.engine.data.labels import close_label

    return close_label(record.open_ns, record.ts_ns, record.timeframe, record.session)


@runtime_checkable
class _BarRecord(Protocol):
    """What `BarLog` adds to a record."""

    open_ns: int
    ts_ns: int
    timeframe: Timeframe
    session: Session
