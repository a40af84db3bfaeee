"""A process that has everything imported, and forks commands of the program in some milliseconds.

It is the parent of all processes that come of them, also of hosts whose supervisor was killed, so it knows when none is
left.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from quantcrafter.engine.api.foreign_process import leave_process
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.plugins import load_registry
from tests.support.kill_points import Kill, KillPlan, watched
from tests.support.live_cases import STOPPED, Case

PATIENCE_S = 60.0
_PR_SET_CHILD_SUBREAPER = 36
_IMPORTS = (
    "quantcrafter.engine.brokers.paper",
    "quantcrafter.engine.cli.orchestrating",
    "quantcrafter.engine.cli.start",
    "quantcrafter.engine.live.session_worker",
    "quantcrafter.engine.orchestrator.orchestrator",
)


class WarmProcess:
    """A warm process for one data folder.

    Args:
        home: the data folder.
        said: where its processes write what they print.
        site: a folder with plugin packages, if there are any.
    """

    def __init__(self, home: Path, said: Path, site: Path | None = None) -> None:
        self.home, self.said = home, said
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, str(home), str(said), site and str(site)))
        self._process.start()
        theirs.close()
        self._ask("warm")

    def _ask(self, verb: str, *values: Any) -> Any:
        self._pipe.send((verb, *values))
        assert self._pipe.poll(PATIENCE_S), f"the warm process doesn't answer: {verb}"
        return self._pipe.recv()

    def plan(self, kills: Sequence[Kill]) -> None:
        """Begin with some kills; nothing may run."""
        self._ask("plan", tuple(kills))

    def run(self, *arguments: str) -> int:
        """Run a command of the program, and return its process."""
        return int(self._ask("run", arguments))

    def reached(self) -> int:
        """Return how many of the planned kills there were."""
        return int(self._ask("reached"))

    def ends(self) -> dict[int, int]:
        """Return how the processes ended that have ended: the exit code, or minus the signal."""
        return dict(self._ask("ends"))

    def is_alive(self, process: int) -> bool:
        """Return whether a process that was run has not ended."""
        return process not in self.ends()

    def wait_for_all(self) -> None:
        """Wait until no process is left."""
        end_s = time.monotonic() + PATIENCE_S
        while self._ask("is_any_left"):
            assert time.monotonic() < end_s, "a process did not end with its supervisor"
            time.sleep(0.002)  # processes tell nobody but their parent that they have ended

    def kill_all(self) -> None:
        """Kill what is left of a test that has failed."""
        self._ask("kill_all")

    def close(self) -> None:
        """End it."""
        self._pipe.close()
        self._process.join(PATIENCE_S)
        self._process.close()


def _serve(pipe: Connection, home: str, said: str, site: str | None) -> None:
    """Answer requests, until the test ends."""
    os.environ["QUANTCRAFTER_HOME"] = home
    sys.path[:0] = [] if site is None else [site]
    plan = KillPlan()
    _warm(plan)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    parent = _Parent(plan, said, pipe)
    with contextlib.suppress(EOFError):
        while True:
            verb, *values = pipe.recv()
            pipe.send(getattr(parent, verb)(*values))


class _Parent:
    """Runs commands in children, and knows how they ended."""

    def __init__(self, plan: KillPlan, said: str, pipe: Connection) -> None:
        self._plan, self._said, self._pipe = plan, said, pipe
        self._running: set[int] = set()
        self._ends: dict[int, int] = {}

    def warm(self) -> None:
        """Say that it is ready."""

    def plan(self, kills: Sequence[Kill]) -> None:
        self._plan.begin(kills)

    def run(self, arguments: Sequence[str]) -> int:
        """Run a command of the program in a child."""
        process = os.fork()
        if process:
            self._running.add(process)
            return process
        code = 70
        try:
            self._pipe.close()
            target = os.open(self._said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for each in (1, 2):
                os.dup2(target, each)
            code = main(list(arguments))
        finally:
            leave_process(code)

    def reached(self) -> int:
        return self._plan.reached

    def ends(self) -> dict[int, int]:
        self.is_any_left()
        return self._ends

    def is_any_left(self) -> bool:
        """Note what has ended; return whether a process is left."""
        while True:
            try:
                process, code = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if process == 0:
                return True
            if process in self._running:
                self._ends[process] = os.waitstatus_to_exitcode(code)

    def kill_all(self) -> None:
        for process in self._running - set(self.ends()):
            os.kill(process, signal.SIGKILL)


def _warm(plan: KillPlan) -> None:
    """Load what is installed, and let a strategy run once, which imports the rest."""
    for name in _IMPORTS:
        importlib.import_module(name)
    Case.of(STOPPED, load_registry()).core()
    watched(plan)
    gc.collect()
    gc.freeze()
