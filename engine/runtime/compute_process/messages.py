"""What passes between the engine process and its owner: requests one way, batches of events the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quantcrafter.engine.runtime.compute_process.jobs.contract import Failure, LogLine, Request


@dataclass(frozen=True, slots=True)
class Submit:
    """Carry a request out, after those before it; its events carry the number of the job."""

    job: int
    request: Request


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop a job, or leave it out."""

    job: int


Order = Submit | Cancel


@dataclass(frozen=True, slots=True)
class Ready:
    """The process can take requests, or (`compiled`) has its machine code as well."""

    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """A job's turn has come."""

    job: int


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a job is.

    `share` is how much of the whole job is done, from 0 to 1; `left_s` the seconds it will still take, None as long as
    that cannot be told.
    """

    job: int
    stage: str
    done: int
    total: int
    share: float = 0.0
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """Lines of a job's log."""

    job: int
    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A job is finished; its result."""

    job: int
    result: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """A job came to nothing."""

    job: int
    failure: Failure


Event = Ready | Started | Progressed | Logged | Done | Failed
Batch = tuple[Event, ...]
