"""Points of hosts and supervisors at which they are killed, by SIGKILL, and the plan that says when.

1. `watched` lets the functions of this process say which point they have reached; nothing else about them changes.
2. A plan is shared by all processes of an orchestrator. The process that reaches the point that is next in the plan
   kills itself or its counterpart: a host its supervisor, a supervisor one of its hosts.
3. Waits and sizes are made small, so that each point comes often: snapshots, compaction, rotation, back-off.
"""

from __future__ import annotations

import functools
import gc
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from quantcrafter.engine.api.foreign_process import leave_process
from quantcrafter.engine.feeds import clocked
from quantcrafter.engine.live import account_book, input_log, reconciliation, session_worker
from quantcrafter.engine.live.account_book import AccountBook
from quantcrafter.engine.live.broker_desk import BrokerDesk
from quantcrafter.engine.live.core import StrategyCore
from quantcrafter.engine.live.input_log import InputLog
from quantcrafter.engine.live.inputs import Report
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.orchestrator import supervisor, worker_log
from quantcrafter.engine.orchestrator.back_off import BackOff
from quantcrafter.engine.orchestrator.control import ControlServer
from quantcrafter.engine.orchestrator.orchestrator import Orchestrator
from quantcrafter.engine.orchestrator.supervisor import Supervisor
from quantcrafter.engine.orchestrator.worker_log import WorkerLogs

BEFORE, WITHIN, AFTER = "before", "within", "after"


def around(what: str) -> tuple[str, ...]:
    """Return the points around a write: before it, when it is written and not committed, and after it."""
    return tuple(f"{when} {what}" for when in (BEFORE, WITHIN, AFTER))


BEGIN = (*around("the values of the log"), *around("the anchor"))
"""Of a host that begins a worker, in the order in which they come."""
RUNNING = (
    *around("the input"),
    *around("the snapshot"),
    *around("the compaction"),
    "before the rotation", "within the rotation", "after the rotation", "after a bar is acted on",
)  # fmt: skip
"""Of a host whose workers run."""
OPENING = ("before the log is open", "after the log is open", "before status.json", "after status.json")
"""Of a host that starts a worker."""
TRADING = (
    *around("the input"),
    *around("the commands"),
    *around("the account"),
    "before the sending", "after the sending", "after the reports",
)  # fmt: skip
"""Of a host whose worker trades at a broker outside."""
STARTING = ("before the control socket", "before token", "before control.json", "after the control socket")
"""Of a supervisor that starts."""
SUPERVISING = ("before the host", "after the host", "before the state", "after the state")
"""Of a supervisor that starts hosts and hears of their workers: after each start of a host."""
DEATHS = ("before the death", "after the death")
"""Of a supervisor whose host has ended."""
HANDING_OVER = ("before the request", "before worker.json", "after worker.json", "after the request")
"""Of a supervisor that workers are handed over to, in the order in which they come."""
OF_SUPERVISORS = frozenset((*STARTING, *SUPERVISING, *DEATHS, *HANDING_OVER))

RARE = frozenset(
    (*BEGIN, *OPENING, *around("the compaction"), *STARTING, *SUPERVISING, *DEATHS, *HANDING_OVER)
)  # reached once in a while: the first time counts


@dataclass(frozen=True)
class Kill:
    """A kill: at which point, the `count`th time it is reached, and whether the supervisor is killed, or a host."""

    point: str
    count: int = 1
    supervisor: bool = False


class KillPlan:
    """The kills that are to come, in order; processes that are forked share how far it is."""

    def __init__(self) -> None:
        self._kills: tuple[Kill, ...] = ()
        self._at: Any = RawArray("q", 3)  # how many kills there were, what is left to count, the last supervisor
        self._parent = 0

    def begin(self, kills: Sequence[Kill]) -> None:
        """Begin with the first of some kills."""
        self._kills, self._at[2] = tuple(kills), 0
        self._go_to(0)

    @property
    def reached(self) -> int:
        """How many kills there were."""
        return int(self._at[0])

    def _go_to(self, number: int) -> None:
        self._at[0], self._at[1] = number, self._kills[number].count if number < len(self._kills) else 0

    def serve(self, parent: int) -> None:
        """Note that this process is a host of a supervisor."""
        self._parent = parent

    def point(self, name: str) -> None:
        """Note that this process is at a point; it may be the end of it."""
        number = self.reached
        if number >= len(self._kills) or self._kills[number].point != name:
            return
        if (name in OF_SUPERVISORS) == (self._parent > 0):
            return  # the same function in a process of the other kind
        if self._at[2] == (self._parent or os.getpid()):
            return  # its supervisor is being killed
        self._at[1] -= 1
        if self._at[1] > 0:
            return
        is_host, kills_supervisor = self._parent > 0, self._kills[number].supervisor
        hosts = [] if is_host or kills_supervisor else multiprocessing.active_children()
        if kills_supervisor or (not is_host and not hosts):
            self._at[2] = self._parent or os.getpid()  # from now on its hosts, which die with it, count for nothing
        self._go_to(number + 1)
        if is_host and kills_supervisor and os.getppid() == self._parent:
            os.kill(self._parent, signal.SIGKILL)
            while True:  # the system kills this process with its supervisor
                signal.pause()
        os.kill(hosts[-1].pid or 0 if hosts else os.getpid(), signal.SIGKILL)


# ------------------------------------------------------------------------------------------------------------ watching


def watched(plan: KillPlan) -> None:
    """Let this process, and those that are forked from it, tell the plan which points they reach."""
    doing = threading.local()
    for module in (input_log, account_book):
        _watch_transactions(module, plan, doing)
    writes: tuple[tuple[type, str, str], ...] = (
        (InputLog, "append", "the input"),
        (InputLog, "put_outputs", "the commands"),
        (InputLog, "keep", "the snapshot"),
        (InputLog, "compact", "the compaction"),
        (InputLog, "anchor", "the anchor"),
        (InputLog, "set_meta", "the values of the log"),
        (AccountBook, "put", "the account"),
    )
    for owner, name, what in writes:
        _name_writes(owner, name, what, doing)
    calls: tuple[tuple[type, str, str, str], ...] = (
        (StrategyCore, "apply", "", "after a bar is acted on"),
        (InputLog, "open", "before the log is open", "after the log is open"),
        (BrokerDesk, "_hand_over", "before the sending", "after the sending"),
        (worker_log._File, "rotate", "within the rotation", ""),
        (worker_log._File, "doRollover", "before the rotation", "after the rotation"),
        (ControlServer, "__init__", "before the control socket", "after the control socket"),
        (supervisor._HostProcess, "__init__", "before the host", "after the host"),
        (Supervisor, "_says", "before the state", "after the state"),
        (Supervisor, "_died", "before the death", "after the death"),
    )
    for owner, name, before, after in calls:
        _watch_calls(owner, name, plan, before, after)
    _watch_requests(plan)
    _watch_reports(plan)
    _watch_files(plan)
    _resume_after_alarms()
    _make_small()
    _fork_hosts(plan)


def _watch_transactions(module: Any, plan: KillPlan, doing: Any) -> None:
    original = module.transaction

    @contextmanager
    def transaction(connection: Any) -> Iterator[None]:
        what = getattr(doing, "what", "")
        if what:
            plan.point(f"{BEFORE} {what}")
        with original(connection):
            yield
            if what:
                plan.point(f"{WITHIN} {what}")
        if what:
            plan.point(f"{AFTER} {what}")

    module.transaction = transaction


def _name_writes(owner: type, name: str, what: str, doing: Any) -> None:
    """Let the transactions of a method be known by what it writes."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def writing(*arguments: Any, **options: Any) -> Any:
        doing.what = what
        try:
            return original(*arguments, **options)
        finally:
            doing.what = ""

    setattr(owner, name, writing)


def _watch_calls(owner: type, name: str, plan: KillPlan, before: str, after: str) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def told(*arguments: Any, **options: Any) -> Any:
        plan.point(before)
        result = original(*arguments, **options)
        plan.point(after)
        return result

    setattr(owner, name, told)


def _watch_requests(plan: KillPlan) -> None:
    original = Orchestrator.add

    def add(self: Orchestrator, configs: Sequence[Any]) -> None:
        if configs:
            plan.point("before the request")
        original(self, configs)
        if configs:
            plan.point("after the request")

    Orchestrator.add = add  # type: ignore[method-assign]


def _watch_reports(plan: KillPlan) -> None:
    original = BrokerDesk.inputs

    def inputs(self: BrokerDesk) -> Iterator[Any]:
        found = list(original(self))
        if any(isinstance(each, Report) for each in found):
            plan.point("after the reports")
        yield from found

    BrokerDesk.inputs = inputs  # type: ignore[method-assign]


def _watch_files(plan: KillPlan) -> None:
    original = Path.replace

    def replace(self: Path, target: Any) -> Path:
        plan.point(f"{BEFORE} {Path(target).name}")
        result = original(self, target)
        plan.point(f"{AFTER} {Path(target).name}")
        return result

    Path.replace = replace  # type: ignore[method-assign, assignment]


def _resume_after_alarms() -> None:
    """Do what a user does who sees an alarm: a stop or an exit did not arrive before a kill, and is refused."""
    original = SessionWorker.start

    def start(self: SessionWorker) -> bool:
        began = original(self)
        if self.core.gate.reducing:
            self.command("resume", "user")
        return began

    SessionWorker.start = start  # type: ignore[method-assign, assignment]


def _make_small() -> None:
    clocked.MOST_MOMENTS = 4
    reconciliation.SETTLE_S, reconciliation.EVERY_S = 0.005, 0.1
    session_worker.MOST_BARS = 30
    defaults: Any = SessionWorker.__init__.__kwdefaults__, WorkerLogs.__init__.__kwdefaults__
    defaults[0]["snapshot_steps"] = 20
    defaults[1]["most_bytes"] = 2_000
    BackOff.after = lambda *_: 0.0  # type: ignore[method-assign]


def _fork_hosts(plan: KillPlan) -> None:
    """Let supervisors fork their hosts from this warm process, instead of starting a Python for each."""
    fork = multiprocessing.get_context("fork")

    class ForkedHost(ForkProcess):
        """A host that has nothing of its supervisor, as one that was started anew."""

        def start(self) -> None:
            """Start, and note which files are the supervisor's."""
            self._files = [
                each for each in (int(path.name) for path in Path("/proc/self/fd").iterdir()) if _is_open(each)
            ]
            super().start()

        def run(self) -> None:
            """Give up what is the supervisor's, and serve."""
            gc.freeze()
            plan.serve(os.getppid())
            for name in (None, "quantcrafter"):
                logging.getLogger(name).handlers.clear()
            nothing = os.open(os.devnull, os.O_RDWR)
            for each in set(self._files) - {self._args[0].fileno()}:  # type: ignore[attr-defined]
                os.dup2(nothing, each)
            super().run()
            leave_process(0)

    forking = SimpleNamespace(Pipe=fork.Pipe, Process=ForkedHost)
    vars(supervisor)["multiprocessing"] = SimpleNamespace(get_context=lambda _: forking, Pipe=multiprocessing.Pipe)


def _is_open(descriptor: int) -> bool:
    """Return whether a file other than those of the terminal is open."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return descriptor > 2
