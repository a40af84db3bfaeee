"""The host process: one loop that serves many workers.

1. The supervisor starts it by `multiprocessing`'s spawn and passes its end of a pipe. A thread reads the orders from
   it. When the supervisor has ended for any reason, the process ends at once: what was committed is in the workers'
   logs.
2. The loop takes a step of each worker in turn. One that raises is closed and reported; the others go on.
3. Before each step it notes in shared memory which worker it serves: if that hangs, the supervisor sees it.
4. A worker whose feed follows the real time is closed outside the hours of its schedule, and started again in time. A
   feed with a clock of its own stands still while its worker is closed, so such a worker is not closed. The positions
   of both are closed before the end of a session if the schedule has it so.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from quantcrafter.engine.api import QuantCrafterError, TryAgainError
from quantcrafter.engine.api.foreign import MOST_LINES, ForeignCall, listen
from quantcrafter.engine.api.foreign_process import leave_process
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.hours_side import WorkerHours
from quantcrafter.engine.live.input_log import LOG
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.live.worker_folder import put_aside
from quantcrafter.engine.orchestrator.host_messages import (
    REMOVE,
    Beat,
    CommandDone,
    CommandWorker,
    EndHost,
    HostOrder,
    HostSaid,
    ReplaceWorker,
    StartWorker,
    StopWorker,
    WorkerReplaced,
    WorkerSaid,
)
from quantcrafter.engine.orchestrator.lifecycle import LifecycleEvent, LifecycleManager
from quantcrafter.engine.orchestrator.notice_tray import NoticeTray
from quantcrafter.engine.orchestrator.replacing import Replacement, as_logged, replace_strategy, what_holds
from quantcrafter.engine.orchestrator.schedule import schedule_of
from quantcrafter.engine.orchestrator.scheduled_hours import hours_of
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig, make_worker, reason_of_error
from quantcrafter.engine.orchestrator.worker_log import WorkerLogs
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.sessions.strategy_session import Host

log = logging.getLogger("quantcrafter.host")

WAIT_S = 0.02
"""How long the loop waits when no worker has anything to do."""
SCHEDULE_S = 1.0
"""How often schedules are looked at."""

MOST_FILES = 65_536
"""How many files a host may have open, if the system allows it."""

_PR_SET_PDEATHSIG = 1


def serve(orders: Connection, beat: Any, rest: str, parent: int) -> None:
    """Serve workers until the supervisor says that it is enough, or ends.

    The entry point of the process.

    Args:
        orders: the pipe to the supervisor.
        beat: memory for a `Beat`.
        rest: the log for what belongs to no worker.
        parent: the process of the supervisor.
    """
    logs = prepare_process(rest, parent)
    queue: SimpleQueue[HostOrder] = SimpleQueue()
    wake = threading.Event()
    threading.Thread(target=_read, args=(orders, queue, wake), name="orders", daemon=True).start()
    WorkerHost(orders.send, Beat(beat), logs, load_registry).run(queue, wake)
    logs.close()


def prepare_process(rest: str, parent: int) -> WorkerLogs:
    """Let this process end with its supervisor, and log what it does; return the logs."""
    # What is sent to the whole group, as by Ctrl-C or systemd, reaches the supervisor too, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave_it)  # not ignored, which programs that plugins start would inherit
    _end_with(parent)
    _allow_files()
    logs = WorkerLogs(Path(rest))
    root = logging.getLogger()
    root.addHandler(logs)
    root.setLevel(logging.INFO)
    listen(_Heard())
    return logs


def _leave_it(*_: object) -> None:
    """Leave a signal to the supervisor."""


def _read(orders: Connection, queue: SimpleQueue[HostOrder], wake: threading.Event) -> None:
    while True:
        try:
            queue.put(orders.recv())
        except (EOFError, OSError):
            leave_process(0)  # the supervisor has ended
        wake.set()


def _end_with(parent: int) -> None:
    """Let the system end this process with its parent, also while it is stuck in other than Python code."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        leave_process(0)


def _allow_files() -> None:
    """Allow as many open files as the system lets us have: each worker has four."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
        if soft != resource.RLIM_INFINITY and soft < most:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@dataclass(slots=True)
class _Served:
    worker: SessionWorker
    order: StartWorker
    told: str


class WorkerHost:
    """Serves workers in one thread.

    Args:
        say: tells the supervisor something.
        beat: notes which worker is served.
        logs: the workers' logs.
        registry: loads the installed components, when the first worker is started.
        clock: gives the time for schedules, in UTC nanoseconds.
    """

    def __init__(
        self,
        say: Callable[[HostSaid], object],
        beat: Beat,
        logs: WorkerLogs,
        registry: Callable[[], Registry],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._say, self._beat, self._logs, self._load = say, beat, logs, registry
        self._notices = NoticeTray(say)
        self._registry: Registry | None = None
        self._shared = Host()
        self._served: dict[str, _Served] = {}
        self._waiting: list[StartWorker] = []
        self._held: dict[str, StartWorker] = {}
        self._asked: list[CommandWorker | ReplaceWorker] = []
        self._clock, self._lifecycle = clock, LifecycleManager(clock=clock)
        self._told: LifecycleEvent | None = None
        self._looked_s = 0.0

    def run(self, queue: SimpleQueue[HostOrder], wake: threading.Event) -> None:
        """Serve until `EndHost` comes."""
        while True:
            wake.clear()
            while not queue.empty():
                order = queue.get()
                if isinstance(order, EndHost):
                    self.close()
                    return
                self.take(order)
            if not self.turn():
                wake.wait(WAIT_S)

    def take(self, order: StartWorker | StopWorker | CommandWorker | ReplaceWorker) -> None:
        """Carry out an order; a worker is started in the next turn."""
        if isinstance(order, StartWorker):
            if order.config.key not in self._served:
                self._waiting.append(order)
            return
        if isinstance(order, (CommandWorker, ReplaceWorker)):
            self._asked.append(order)
            return
        self._waiting = [each for each in self._waiting if each.config.key != order.key]
        self._held.pop(order.key, None)
        self._lifecycle.forget(order.key)
        served = self._served.get(order.key)
        if served is None:
            self._say(WorkerSaid(order.key, str(WorkerState.STOPPED)))
            return
        self._finish(served)

    def turn(self) -> bool:
        """Take a step of each worker, start one of those that wait, and return whether there was anything to do."""
        busy = False
        if time.monotonic() - self._looked_s >= SCHEDULE_S:
            self._looked_s = time.monotonic()
            try:
                self._by_schedule()
            except Exception:
                log.exception("The schedules could not be looked at; this is tried again.")
        for served in tuple(self._served.values()):
            busy = self._step(served) or busy
        self._beat.begin(0, Beat.IDLE, time.monotonic_ns())
        if self._waiting:
            self._start(self._waiting.pop(0))
            busy = True
        self._carry_out()
        self._notices.pass_on()
        return busy

    def close(self) -> None:
        """Close all workers."""
        self._waiting = []
        for served in tuple(self._served.values()):
            self._finish(served)
        self._notices.pass_on(now=True)

    # ------------------------------------------------------------------ commands

    def _carry_out(self) -> None:
        """Do what users ask of workers; what is asked of one that is to be started waits until it is."""
        asked, self._asked = self._asked, []
        for each in asked:
            if any(order.config.key == each.key for order in self._waiting):
                self._asked.append(each)
            elif isinstance(each, ReplaceWorker):
                self._say(self._replaced(each))
            else:
                self._say(CommandDone(each.key, each.number, self._command(each)))

    def _command(self, asked: CommandWorker) -> str:
        """Do what a user asks of a worker; return why it can't be done, or ''."""
        served = self._opened(asked.key)
        if served is None:
            return str(Message("The worker '{key}' is not running.", key=asked.key))
        if asked.verb == REMOVE:
            holds = what_holds(served.worker.core)
            if not holds:
                self._finish(served, over=True)
            return holds
        with self._serving(served.order.number, Beat.STEPPING, served.worker.folder):
            log.info("A user asks: %s.", asked.verb)
            try:
                served.worker.command(asked.verb, "user")
            except (QuantCrafterError, ValueError) as error:
                if served.worker.state is WorkerState.ERROR:
                    del self._served[asked.key]
                    self._failed(asked.key, served.worker, error)
                return reason_of_error(error)
            except BaseException as error:  # noqa: BLE001 - whatever a worker does ends with that worker
                del self._served[asked.key]
                self._failed(asked.key, served.worker, error)
                return f"{type(error).__name__}: {error}"
        self._tell(served)
        return ""

    def _opened(self, key: str) -> _Served | None:
        """Return a worker that is served; one that waits for its hours is opened for this alone."""
        served, held = self._served.get(key), self._held.pop(key, None)
        if served is None and held is not None:
            self._start(held, at_once=True)
            served = self._served.get(key)
        return served

    def _replaced(self, asked: ReplaceWorker) -> WorkerReplaced:
        """Let a worker go on with a changed configuration."""
        key, served = asked.key, self._opened(asked.key)
        if served is None or self._registry is None or not isinstance(served.order.config, WorkerConfig):
            why = str(Message("The worker '{key}' is not running.", key=key))
            return WorkerReplaced(key, asked.number, asked.config, why, preview=True)
        worker, old, new = served.worker, served.order.config, asked.config
        with self._serving(served.order.number, Beat.STARTING, worker.folder):
            try:
                found = replace_strategy(worker, old, new, self._registry, self._hours_of, preview=asked.preview)
            except Exception as error:  # noqa: BLE001 - whatever a strategy does, the one before it goes on
                why = reason_of_error(error)
                if worker.state is WorkerState.ERROR:
                    del self._served[key]
                    self._failed(key, worker, error)
                else:
                    log.warning("The strategy is not changed, and goes on as it was. %s", why)
                return WorkerReplaced(key, asked.number, old, why, preview=asked.preview)
        if not asked.preview:
            self._go_on_with(served, StartWorker(served.order.number, new), found)
        return WorkerReplaced(key, asked.number, new, "", found.told, asked.preview)

    def _hours_of(self, graph: BoundGraph) -> WorkerHours | None:
        return hours_of(graph, self._clock, self._lifecycle.tables)

    def _go_on_with(self, served: _Served, order: StartWorker, found: Replacement) -> None:
        """Serve a worker by its changed configuration; open it again, or anew, if that is what it takes."""
        key, worker = served.worker.key, served.worker
        self._lifecycle.forget(key)
        if not (found.reopens or found.is_anew):
            self._served[key] = replace(served, order=order)
            self._keep_schedule(order, worker)
            return
        self._finish(served, waits=True)
        if found.is_anew:
            put_aside(worker.folder)
        self._waiting.insert(0, order)

    # ------------------------------------------------------------------ schedules

    def _by_schedule(self) -> None:
        """Close the workers whose hours are over, and start those whose hours have come."""
        for key, state in self._lifecycle.wanted().items():
            served = self._served.get(key)
            if served is not None and not state.runs:
                with self._logs.serving(served.worker.folder):
                    log.info("The schedule stops the worker (%s).", state.phase)
                self._held[key] = served.order
                self._finish(served, waits=True)
            elif served is None and state.runs and key in self._held:
                self._waiting.append(self._held.pop(key))
        events = self._lifecycle.events()
        for event in events[events.index(self._told) + 1 :] if self._told in events else events:
            self._say(event)
            self._told = event

    def _waits(self, order: StartWorker, worker: SessionWorker) -> bool:
        """Return whether the schedule of a worker forbids its start now; then it waits."""
        if not self._keep_schedule(order, worker):
            return False
        state = self._lifecycle.wanted()[worker.key]
        if state.runs:
            return False
        log.info("The worker waits for the hours of its schedule (%s).", state.phase)
        self._held[worker.key] = order
        has_run = (worker.folder / LOG).exists()
        self._say(WorkerSaid(worker.key, str(WorkerState.STOPPED if has_run else WorkerState.CREATED), waits=True))
        return True

    def _keep_schedule(self, order: StartWorker, worker: SessionWorker) -> bool:
        """Let the lifecycle know the schedule of a worker; return whether it has one that starts and closes it."""
        schedule = schedule_of(worker.strategy)
        by_hours = isinstance(order.config, WorkerConfig) and order.config.by_hours
        if schedule.hours is None or worker.feed.own_clock or not by_hours:
            return False
        self._lifecycle.set_schedule(worker.key, schedule)
        return True

    # ------------------------------------------------------------------ one worker

    def _start(self, order: StartWorker, *, at_once: bool = False) -> None:
        """Start a worker; unless `at_once`, one whose hours have not come waits."""
        config, worker = order.config, None
        if not isinstance(config, WorkerConfig):
            self._failed(config.key, None, ValueError("a class runs in a process of its own"))
            return
        with self._serving(order.number, Beat.STARTING, config.folder):
            self._say(WorkerSaid(config.key, str(WorkerState.STARTING)))
            try:
                if self._registry is None:
                    self._registry = self._load()
                order, config = self._by_log(order, config)
                told = self._notices.listener(config.key)
                worker = make_worker(
                    config, self._registry, self._shared, load_bars, told, self._clock, self._lifecycle.tables
                )
                if not at_once and self._waits(order, worker):
                    return
                began = worker.start()
            except BaseException as error:  # noqa: BLE001 - whatever a worker does ends with that worker
                self._failed(config.key, worker, error)
                return
            if began:
                log.info("The worker began.")
            else:
                log.info("The worker goes on after %s steps.", f"{worker.core.session.steps:,}")
        self._served[config.key] = _Served(worker, order, "")
        self._tell(self._served[config.key])

    def _by_log(self, order: StartWorker, config: WorkerConfig) -> tuple[StartWorker, WorkerConfig]:
        """Let a worker of a store whose row has changed go on with the strategy of its log, until that is changed."""
        found = as_logged(config)
        if found is None:
            put_aside(config.folder)
            self._say(WorkerReplaced(config.key, 0, config))  # with the log went what was registered
            return order, config
        if found != config:
            self._say(WorkerReplaced(config.key, 0, found))
        return replace(order, config=found), found

    def _step(self, served: _Served) -> bool:
        worker = served.worker
        with self._serving(served.order.number, Beat.STEPPING, worker.folder):
            try:
                count = worker.step(0.0)
            except BaseException as error:  # noqa: BLE001 - the same
                del self._served[worker.key]
                self._failed(worker.key, worker, error)
                return True
            if worker.has_ended:
                log.info("The worker has nothing more to do.")
        if worker.has_ended:
            self._finish(served, over=True)
        else:
            self._tell(served)
        return count > 0

    def _tell(self, served: _Served) -> None:
        state = str(served.worker.state)
        if state != served.told:
            served.told = state
            self._say(WorkerSaid(served.worker.key, state))

    def _finish(self, served: _Served, *, over: bool = False, waits: bool = False) -> None:
        """Close a worker that has not failed."""
        worker = served.worker
        del self._served[worker.key]
        with self._serving(served.order.number, Beat.STEPPING, worker.folder):
            try:
                worker.close()
            except BaseException as error:  # noqa: BLE001 - the same
                self._failed(worker.key, worker, error)
                return
            log.info("The worker is stopped.")
        self._logs.forget(worker.folder)
        self._say(WorkerSaid(worker.key, str(WorkerState.STOPPED), over=over, waits=waits))

    def _failed(self, key: str, worker: SessionWorker | None, error: BaseException) -> None:
        self._held.pop(key, None)
        self._lifecycle.forget(key)
        again = isinstance(error, TryAgainError)
        if isinstance(error, (QuantCrafterError, ValueError)):
            reason = reason_of_error(error)
            log.error("The worker has failed: %s", reason)
        else:
            reason = f"{type(error).__name__}: {error}"
            log.error("The worker has failed.", exc_info=error)
        if worker is not None:
            try:
                worker.close()
            except BaseException as failure:  # noqa: BLE001 - it is closed as far as possible
                log.error("Closing the worker has failed: %r", failure)  # noqa: TRY400 - the first error matters
        self._say(WorkerSaid(key, str(WorkerState.ERROR), reason, again=again))

    @contextmanager
    def _serving(self, number: int, doing: int, folder: Path) -> Iterator[None]:
        self._beat.begin(number, doing, time.monotonic_ns())
        with self._logs.serving(folder):
            yield
        self._beat.begin(0, Beat.IDLE, time.monotonic_ns())


class _Heard:
    """Logs the output and the duration of third-party code in the log of the worker that calls it."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}

    def printed(self, call: ForeignCall | None, text: str, *, warning: bool) -> None:
        """Log a line that was printed, or a warning; of many lines the first."""
        who = call.who if call is not None else Message("A plugin")
        count = self._lines[who] = self._lines.get(who, 0) + 1
        if count <= MOST_LINES:
            log.log(logging.WARNING if warning else logging.INFO, "%s: %s", who, text)
        elif count == MOST_LINES + 1:
            log.warning("%s prints more than %s lines; the rest is omitted.", who, f"{MOST_LINES:,}")

    def slow(self, call: ForeignCall, seconds: float) -> None:
        """Log that a call has taken so long."""
        log.warning("%s has been %s for %.0f s.", call.who, call.doing, seconds)

    def interrupted(self) -> bool:
        """Return False: the supervisor handles Ctrl-C."""
        return False

    def restore(self) -> None:
        """Do nothing: the process has no settings of its own."""
