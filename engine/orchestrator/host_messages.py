"""What a supervisor and its hosts say to each other through their pipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantcrafter.engine.orchestrator.lifecycle import LifecycleEvent
from quantcrafter.engine.orchestrator.worker_config import ClassConfig, WorkerConfig

REMOVE = "remove"
"""The verb of a `CommandWorker` that ends a worker for good, unless it holds something."""


@dataclass(frozen=True, slots=True)
class StartWorker:
    """Start a worker. `number` stands for it in the host's beat."""

    number: int
    config: WorkerConfig | ClassConfig


@dataclass(frozen=True, slots=True)
class StopWorker:
    """Take a snapshot of a worker and close it; orders and positions stay as they are."""

    key: str


@dataclass(frozen=True, slots=True)
class CommandWorker:
    """Do what a user asks of a worker: a verb of `SessionWorker.command`. `number` stands for the question."""

    key: str
    verb: str
    number: int


@dataclass(frozen=True, slots=True)
class ReplaceWorker:
    """Let a worker go on as its changed configuration says, between two bars; with `preview` nothing is changed.

    `number` stands for the question.
    """

    config: WorkerConfig
    number: int
    preview: bool = False

    @property
    def key(self) -> str:
        """The worker's key."""
        return self.config.key


@dataclass(frozen=True, slots=True)
class EndHost:
    """Close all workers and end."""


HostOrder = StartWorker | StopWorker | CommandWorker | ReplaceWorker | EndHost


@dataclass(frozen=True, slots=True)
class WorkerSaid:
    """The state of a worker has changed.

    `error` says why it ended; `again` says that trying again later may help. `over` says that it has nothing more to
    do. `waits` says that the host starts it again by its schedule.
    """

    key: str
    state: str
    error: str = ""
    again: bool = False
    over: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True)
class WorkerStats:
    """What a worker of a class says of itself, as plain values."""

    key: str
    stats: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CommandDone:
    """What a user asked is in the worker's log, or `error` says why not."""

    key: str
    number: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class WorkerReplaced:
    """With what a worker goes on, as the answer to a `ReplaceWorker`; number 0 if nobody asked.

    `error` says why it is not what was asked for, `told` what becomes of position and orders.
    """

    key: str
    number: int
    config: WorkerConfig
    error: str = ""
    told: tuple[str, ...] = ()
    preview: bool = False


@dataclass(frozen=True, slots=True)
class WorkerNotices:
    """A notice of a worker, and how often it came; `severity` is that of `engine.notices`."""

    key: str
    severity: str
    text: str
    count: int


HostSaid = WorkerNotices | WorkerSaid | WorkerStats | CommandDone | WorkerReplaced | LifecycleEvent


class Beat:
    """What a host is doing at the moment, in memory that it shares with its supervisor.

    It is seen also when the host's Python code is stuck.
    """

    IDLE, STARTING, STEPPING = 0, 1, 2

    def __init__(self, shared: object) -> None:
        self._shared: list[int] = shared  # type: ignore[assignment] # an array of three numbers, shared

    def begin(self, number: int, doing: int, now_ns: int) -> None:
        """Say that a worker is being served from now on; number 0 is none."""
        self._shared[0] = 0
        self._shared[1] = now_ns
        self._shared[2] = doing
        self._shared[0] = number

    def read(self) -> tuple[int, int, int]:
        """Return the number of the worker, since when (nanoseconds of `time.monotonic_ns`), and what is done."""
        return self._shared[0], self._shared[1], self._shared[2]
