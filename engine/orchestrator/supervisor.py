"""Supervisor: keeps host processes running, and the workers in them.

1. `start` and `stop` say what is wanted; `look`, called again and again in one thread, makes it so. Only that thread
   starts processes, since on Linux they end with the thread that started them.
2. Each worker is put into the host with the fewest workers; there is one host for each `PER_HOST` workers, up to the
   number of processors.
3. A host that has died is started again with its workers, after a wait that becomes longer with each failure. A worker
   that was being served at two such ends gets a host of its own.
4. A host in which one call takes too long is ended. The worker that was being served gets a host of its own, and is
   started again after a wait; the others go on at once.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.orchestrator.back_off import BackOff
from quantcrafter.engine.orchestrator.class_host import serve_class
from quantcrafter.engine.orchestrator.host import serve
from quantcrafter.engine.orchestrator.host_messages import (
    Beat,
    CommandDone,
    CommandWorker,
    EndHost,
    HostOrder,
    HostSaid,
    ReplaceWorker,
    StartWorker,
    StopWorker,
    WorkerNotices,
    WorkerReplaced,
    WorkerSaid,
    WorkerStats,
)
from quantcrafter.engine.orchestrator.lifecycle import MOST_EVENTS, LifecycleEvent
from quantcrafter.engine.orchestrator.worker_config import ClassConfig, WorkerConfig
from quantcrafter.engine.orchestrator.worker_log import note_in

log = logging.getLogger("quantcrafter.supervisor")

PER_HOST = 100
"""With how many workers in each host another host is started."""

_ENVIRONMENT = {"NUMPY_MADVISE_HUGEPAGE": "0"}
"""Of hosts: many small arrays take a third less memory without huge pages."""
_RETRY_FIRST_S, _RETRY_MOST_S = 5.0, 300.0
_LASTING_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds, before they count as hanging.

    `step_s` is the limit for a step of a worker, `start_s` for its start, which may compile and load data, and `end_s`
    for a host to close all its workers.
    """

    step_s: float = 60.0
    start_s: float = 600.0
    end_s: float = 60.0


class AskedCommand:
    """What a user asked of a worker, until the worker has it in its log."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self.error = ""
        self._done = threading.Event()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is done; return False if it isn't in time."""
        return self._done.wait(timeout_s)

    def finish(self, error: str) -> None:
        """Note that it is done, or why not."""
        self.error = error
        self._done.set()


class AskedReplacement(AskedCommand):
    """A changed configuration that was asked for; `told` says in the end what becomes of position and orders."""

    def __init__(self) -> None:
        super().__init__("replace")
        self.told: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether there is an answer."""
        return self.wait(0.0)


@dataclass(eq=False, slots=True)
class SupervisedWorker:
    """What a supervisor knows of a worker; `host` is the name of the host that it is in, '' for none."""

    config: WorkerConfig | ClassConfig
    number: int
    stats: Mapping[str, Any] = field(default_factory=dict)
    wanted: bool = True
    state: WorkerState = WorkerState.CREATED
    error: str = ""
    over: bool = False
    host: str = ""
    alone: bool = False
    forgotten: bool = False
    asked: dict[int, AskedCommand] = field(default_factory=dict)
    replacing: dict[int, AskedReplacement] = field(default_factory=dict)
    ends: int = 0
    not_before_s: float = 0.0
    started_s: float = 0.0
    back_off: BackOff = field(default_factory=lambda: BackOff(_RETRY_FIRST_S, _RETRY_MOST_S))

    @property
    def is_failed(self) -> bool:
        """Whether it has ended with an error that trying again doesn't help."""
        return self.state is WorkerState.ERROR and self.not_before_s == 0.0


class _HostProcess:
    """One host, from its start to its end."""

    def __init__(self, name: str, *, of_class: bool = False) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.beat: Any = RawArray("q", 3)
        Beat(self.beat).begin(0, Beat.STARTING, time.monotonic_ns())
        self.pipe, theirs = spawn.Pipe()
        self.started_s = time.monotonic()
        rest = str(orchestrator_folder() / f"{name}.log")
        self.process = spawn.Process(
            target=serve_class if of_class else serve,
            args=(theirs, self.beat, rest, os.getpid()),
            name=f"quantcrafter-{name}",
            daemon=True,
        )
        with _environment():
            self.process.start()
        atexit.register(self.kill)  # the library would ask it to end, and wait for that
        theirs.close()
        self.is_ending = False
        self._orders: SimpleQueue[HostOrder | None] = SimpleQueue()
        threading.Thread(target=self._send, name=f"orders of {name}", daemon=True).start()

    def send(self, order: HostOrder) -> None:
        """Send an order, without waiting until the host reads it. What a dead host doesn't get, the next one does."""
        self.is_ending = self.is_ending or isinstance(order, EndHost)
        self._orders.put(order)

    def _send(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while (order := self._orders.get()) is not None:
                self.pipe.send(order)

    def said(self) -> Iterator[HostSaid]:
        """Yield what it has said."""
        with contextlib.suppress(EOFError, OSError):
            while self.pipe.poll(0):
                yield self.pipe.recv()

    def kill(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.join()

    def close(self) -> None:
        """Give up what is left of an ended one."""
        atexit.unregister(self.kill)
        self._orders.put(None)
        self.process.join()
        self.pipe.close()
        self.process.close()


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@dataclass(eq=False, slots=True)
class _Slot:
    """A place for a host: one that has died is followed by another one in the same place."""

    name: str
    alone: bool = False
    process: _HostProcess | None = None
    not_before_s: float = 0.0
    back_off: BackOff = field(default_factory=BackOff)


class Supervisor:
    """Keeps workers running in host processes.

    `start`, `stop` and `workers` can be called in any thread, the others in one only.

    Args:
        limits: how long things may take.
        most_hosts: how many hosts there are at most, apart from those with one worker that hung or crashed.
        changed: is called after the state of a worker has changed, in the thread that calls `look`.
        replaced: is called after a worker has gone on with another configuration, in that thread.
        noticed: is called with each notice of a worker, in that thread.
    """

    def __init__(
        self,
        *,
        limits: Limits = Limits(),
        most_hosts: int | None = None,
        changed: Callable[[SupervisedWorker], object] = lambda _: None,
        replaced: Callable[[SupervisedWorker], object] = lambda _: None,
        noticed: Callable[[WorkerNotices], object] = lambda _: None,
    ) -> None:
        self._limits, self._changed, self._replaced, self._noticed = limits, changed, replaced, noticed
        self._most_hosts = most_hosts or os.cpu_count() or 1
        self._workers: dict[str, SupervisedWorker] = {}
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.RLock()
        self._numbers = 0
        self._events: deque[LifecycleEvent] = deque(maxlen=MOST_EVENTS)
        self._woken, self._wake = multiprocessing.Pipe(duplex=False)

    # ------------------------------------------------------------------ what is wanted

    def start(self, config: WorkerConfig | ClassConfig) -> None:
        """Have a worker run; one that runs already goes on as it is, one that has failed is tried again."""
        with self._lock:
            known = self._workers.get(config.key)
            if known is None:
                self._numbers += 1
                known = self._workers[config.key] = SupervisedWorker(config, self._numbers)
            elif not known.host or not known.wanted:
                known.config = config
                if not known.host:
                    known.state, known.error, known.over, known.not_before_s = WorkerState.CREATED, "", False, 0.0
            known.alone = known.alone or isinstance(config, ClassConfig)
            known.wanted, known.forgotten = True, False
        self._wake_up()

    def stop(self, key: str, *, forget: bool = False) -> None:
        """Have a worker stopped, and forgotten then if this is asked for."""
        with self._lock:
            if key in self._workers:
                self._workers[key].wanted = False
                self._workers[key].forgotten = forget
        self._wake_up()

    def command(self, key: str, verb: str) -> AskedCommand:
        """Have a worker do what a user asks; it is asked again if its host ends before it has done so.

        Raises:
            RunError: the worker is not running.
        """
        with self._lock:
            worker = self._workers.get(key)
            if worker is None or not worker.wanted or worker.is_failed or worker.over:
                raise RunError(Message("The worker '{key}' is not running.", key=key))
            self._numbers += 1
            asked = worker.asked[self._numbers] = AskedCommand(verb)
            host = self._slots[worker.host].process if worker.host else None
            if host is not None:
                host.send(CommandWorker(key, verb, self._numbers))
        return asked

    def replace(self, config: WorkerConfig, *, preview: bool = False) -> AskedReplacement:
        """Let a worker go on with a changed configuration, between two bars; with `preview` nothing is changed.

        Raises:
            RunError: the worker is in no host now.
        """
        with self._lock:
            worker = self._workers.get(config.key)
            host = self._slots[worker.host].process if worker is not None and worker.host else None
            if worker is None or host is None or not worker.wanted:
                raise RunError(Message("The worker '{key}' is not running.", key=config.key))
            self._numbers += 1
            asked = worker.replacing[self._numbers] = AskedReplacement()
            host.send(ReplaceWorker(config, self._numbers, preview))
        return asked

    def workers(self) -> dict[str, SupervisedWorker]:
        """Return all workers by key."""
        with self._lock:
            return dict(self._workers)

    def events(self) -> tuple[LifecycleEvent, ...]:
        """Return what the schedules of workers led to lately, oldest first."""
        with self._lock:
            return tuple(self._events)

    def host_pids(self) -> dict[str, int]:
        """Return the process of each host that runs, by its name."""
        with self._lock:
            found = ((slot.name, slot.process) for slot in self._slots.values())
            return {name: host.process.pid or 0 for name, host in found if host is not None}

    def _wake_up(self) -> None:
        with contextlib.suppress(OSError), self._lock:
            if not self._woken.poll(0):
                self._wake.send(None)

    # ------------------------------------------------------------------ making it so

    def look(self, timeout_s: float = 0.2) -> None:
        """See what the hosts say and do, and make what is wanted so; wait up to `timeout_s` for something to happen."""
        running = [slot.process for slot in self._slots.values() if slot.process is not None]
        pipes: list[Connection] = [each.pipe for each in running]
        wait([self._woken, *pipes, *(each.process.sentinel for each in running)], timeout_s)
        with self._lock:
            while self._woken.poll(0):
                self._woken.recv()
            for slot in tuple(self._slots.values()):
                self._hear(slot)
            self._place()

    def close(self) -> None:
        """Stop all workers and end all hosts; those that don't end in time are killed."""
        with self._lock:
            for each in self._workers.values():
                each.wanted = False
            slots = [slot for slot in self._slots.values() if slot.process is not None]
        for slot in slots:
            if slot.process is not None:
                slot.process.send(EndHost())
        until = time.monotonic() + self._limits.end_s
        for slot in slots:
            host = slot.process
            while host is not None and host.process.exitcode is None and time.monotonic() < until:
                wait([host.pipe, host.process.sentinel], max(0.0, until - time.monotonic()))
                self._take(host.said())
            if host is not None:
                self._take(host.said())
                host.kill()
                host.close()
            slot.process = None
        self._slots.clear()
        self._woken.close()
        self._wake.close()

    def _hear(self, slot: _Slot) -> None:
        host = slot.process
        if host is None:
            return
        self._take(host.said())
        if host.process.exitcode is not None:
            self._take(host.said())
            self._died(slot, host)
            return
        number, since_ns, doing = Beat(host.beat).read()
        if Beat(host.beat).read() != (number, since_ns, doing):
            return
        lasted_s = (time.monotonic_ns() - since_ns) / 1e9
        limit_s = self._limits.start_s if doing == Beat.STARTING else self._limits.step_s
        if lasted_s > limit_s:
            self._hangs(slot, host, number, limit_s)

    def _take(self, said: Iterable[HostSaid]) -> None:
        for each in said:
            if isinstance(each, LifecycleEvent):
                self._events.append(each)
                continue
            if isinstance(each, WorkerNotices):
                self._noticed(each)
                continue
            worker = self._workers.get(each.key)
            if worker is None:
                continue
            if isinstance(each, WorkerStats):
                worker.stats = each.stats
            elif isinstance(each, CommandDone):
                if each.number in worker.asked:
                    worker.asked.pop(each.number).finish(each.error)
            elif isinstance(each, WorkerReplaced):
                self._goes_on(worker, each)
            else:
                self._says(worker, each)

    def _goes_on(self, worker: SupervisedWorker, said: WorkerReplaced) -> None:
        """Note with which configuration a worker goes on."""
        if not said.preview:
            worker.config = said.config
            self._replaced(worker)
        asked = worker.replacing.pop(said.number, None)
        if asked is not None:
            asked.told = said.told
            asked.finish(said.error)

    def _says(self, worker: SupervisedWorker, said: WorkerSaid) -> None:
        worker.state, worker.error, worker.over = WorkerState(said.state), said.error, said.over
        if worker.state in (WorkerState.ERROR, WorkerState.STOPPED) and not said.waits:
            worker.host = ""
            worker.not_before_s = 0.0
            self._give_up_replacing(worker)
            if said.again:
                worker.not_before_s = time.monotonic() + worker.back_off.after(time.monotonic() - worker.started_s)
        self._changed(worker)

    def _died(self, slot: _Slot, host: _HostProcess) -> None:
        """Let the workers of a host that has ended be started again."""
        code, (number, _, _) = host.process.exitcode, Beat(host.beat).read()
        if (host.is_ending or code == 0) and not self._in(slot.name):
            slot.process = None
            host.close()
            return
        lasted_s = time.monotonic() - host.started_s
        wait_s = slot.back_off.after(lasted_s)
        slot.process, slot.not_before_s = None, time.monotonic() + wait_s
        host.close()
        text = Message("The host process ended unexpectedly (exit code {code}). It is started again.", code=code)
        log.warning("%s: %s", slot.name, text)
        for worker in self._in(slot.name):
            note_in(worker.config.folder, text)
            self._out(worker, WorkerState.STOPPED if worker.wanted else worker.state)
            if worker.number == number:
                worker.ends = 1 if lasted_s > _LASTING_S else worker.ends + 1
                worker.alone = worker.alone or worker.ends > 1

    def _hangs(self, slot: _Slot, host: _HostProcess, number: int, limit_s: float) -> None:
        """End a host in which a call takes too long."""
        host.kill()
        host.close()
        slot.process = None
        slot.not_before_s = 0.0
        text = Message(
            "The worker did not respond for {limit:g} s. Its host process was ended, and the worker is started again.",
            limit=limit_s,
        )
        for worker in self._in(slot.name):
            if worker.number != number:
                self._out(worker, WorkerState.STOPPED)
                continue
            log.warning("%s: %s", worker.config.key, text)
            note_in(worker.config.folder, text, level="ERROR")
            worker.alone = True
            self._out(worker, WorkerState.ERROR, text)
            worker.not_before_s = time.monotonic() + worker.back_off.after(time.monotonic() - worker.started_s)

    @staticmethod
    def _give_up_replacing(worker: SupervisedWorker) -> None:
        """Answer what was asked of a host that a worker is no longer in."""
        for asked in worker.replacing.values():
            asked.finish(str(Message("The worker ended meanwhile.")))
        worker.replacing.clear()

    def _out(self, worker: SupervisedWorker, state: WorkerState, error: str = "") -> None:
        self._give_up_replacing(worker)
        worker.host, worker.state, worker.error = "", state, error
        worker.not_before_s = 0.0
        self._changed(worker)

    def _in(self, name: str) -> list[SupervisedWorker]:
        return [each for each in self._workers.values() if each.host == name]

    # ------------------------------------------------------------------ places

    def _place(self) -> None:
        now_s = time.monotonic()
        self._workers = {key: each for key, each in self._workers.items() if each.host or not each.forgotten}
        for worker in self._workers.values():
            if worker.host:
                if not worker.wanted and worker.state is not WorkerState.STOPPING:
                    self._send_stop(worker)
            elif worker.wanted and not worker.is_failed and not worker.over and now_s >= worker.not_before_s:
                self._put(worker, now_s)
        for slot in tuple(self._slots.values()):
            host = slot.process
            if slot.alone and host is not None and not host.is_ending and not self._in(slot.name):
                host.send(EndHost())

    def _send_stop(self, worker: SupervisedWorker) -> None:
        host = self._slots[worker.host].process
        worker.state = WorkerState.STOPPING
        self._changed(worker)
        if host is not None:
            host.send(StopWorker(worker.config.key))

    def _put(self, worker: SupervisedWorker, now_s: float) -> None:
        slot = self._slot_for(worker)
        if now_s < slot.not_before_s:
            return
        if slot.process is None:
            try:
                slot.process = _HostProcess(slot.name, of_class=isinstance(worker.config, ClassConfig))
            except OSError as error:  # no memory, or too many processes or files
                slot.not_before_s = now_s + slot.back_off.after(0.0)
                log.error("%s can't be started, and is tried again: %s", slot.name, error)  # noqa: TRY400 - the system's
                return
        worker.host, worker.state, worker.error = slot.name, WorkerState.STARTING, ""
        worker.started_s, worker.not_before_s = now_s, 0.0
        self._changed(worker)
        slot.process.send(StartWorker(worker.number, worker.config))
        for number, asked in worker.asked.items():
            slot.process.send(CommandWorker(worker.config.key, asked.verb, number))

    def _slot_for(self, worker: SupervisedWorker) -> _Slot:
        if worker.alone:
            name = f"host-of-{worker.number}"
            return self._slots.setdefault(name, _Slot(name, alone=True))
        shared = [slot for slot in self._slots.values() if not slot.alone]
        least = min(shared, key=lambda slot: len(self._in(slot.name)), default=None)
        if least is None or (len(self._in(least.name)) >= PER_HOST and len(shared) < self._most_hosts):
            name = f"host-{len(shared) + 1}"
            least = self._slots[name] = _Slot(name)
        return least


def orchestrator_folder() -> Path:
    """Return the folder of the orchestrator's own files; it need not exist."""
    return home() / "orchestrator"
