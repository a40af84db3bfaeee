"""Supervisors of small workers in real host processes, and a feed whose faults a file switches on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.orchestrator.supervisor import Limits, SupervisedWorker, Supervisor
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.runtime.running.load_graph import load_text

PATIENCE_S = 60.0
"""How long a test waits for a condition: only a failure waits so long."""
SLOW = "replay:400000x"
"""A day in 0.2 seconds."""

FAULTY = '''
import time
from pathlib import Path
from quantcrafter.engine.feeds.stored import StoredFeed

class FaultyFeed(StoredFeed):
    """Stored bars; raises, hangs or ends its process as the file `flag` says."""
    name = "faulty"
    place = "flag"
    flag: str = ""

    @classmethod
    def from_place(cls, text):
        return cls(flag=text, speed="400000x")

    def open(self, subscriptions, base_dir=""):
        connection = super().open(subscriptions, base_dir)
        plain = connection.poll

        def poll(timeout_s):
            flag = Path(self.flag)
            word = flag.read_text() if flag.exists() else ""
            if word == "raise":
                raise ValueError("the line is broken")
            while word == "hang":
                time.sleep(0.05)
            return plain(timeout_s)

        connection.poll = poll
        return connection

@hookimpl
def register_feeds():
    return [FaultyFeed]
'''


def config_of(text: str, key: str, registry: Registry, feed: str = SLOW) -> WorkerConfig:
    """Return the configuration of a worker of a strategy's text."""
    return WorkerConfig.of(load_text(text, registry), key, feed=feed, broker="paper", mode="paper")


@contextmanager
def supervised(*configs: WorkerConfig, step_s: float = 60.0, **options: Any) -> Iterator[Supervisor]:
    """Give a supervisor of some workers, which is closed in the end."""
    supervisor = Supervisor(limits=Limits(step_s=step_s), **options)
    try:
        for config in configs:
            supervisor.start(config)
        yield supervisor
    finally:
        supervisor.close()


def until(supervisor: Supervisor, condition: Callable[[], object]) -> None:
    """Let a supervisor work until a condition is met."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, {key: (w.state, w.error) for key, w in supervisor.workers().items()}
        supervisor.look(0.05)


def worker(supervisor: Supervisor, key: str) -> SupervisedWorker:
    """Return what a supervisor knows of a worker."""
    return supervisor.workers()[key]


def runs(supervisor: Supervisor, *keys: str) -> bool:
    """Return whether workers are running."""
    return all(worker(supervisor, key).state is WorkerState.RUNNING for key in keys)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and is not waited for doesn't."""
    with suppress(FileNotFoundError, ProcessLookupError):
        if os.path.isdir("/proc/self"):  # noqa: PTH112 - a folder of the system
            return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
        os.kill(pid, 0)
        return True
    return False


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition is met."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)
