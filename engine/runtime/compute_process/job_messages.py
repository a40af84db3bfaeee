"""Messages between the engine process and its owner: requests in one direction, batches of events in the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quantcrafter.engine.runtime.compute_process.jobs.contract import Failure, LogLine, Request


@dataclass(frozen=True, slots=True)
class SubmitJob:
    """Execute a request after the previous ones; its events contain the number of the job."""

    job: int
    request: Request


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Stop a job, or skip it."""

    job: int


Order = SubmitJob | CancelJob


@dataclass(frozen=True, slots=True)
class Ready:
    """The process is ready for requests, or (`compiled`) also has its machine code."""

    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """A job has started."""

    job: int


@dataclass(frozen=True, slots=True)
class Progressed:
    """The progress of a job.

    `share` is how much of the whole job is done, from 0 to 1; `left_s` the remaining seconds, None while unknown.
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
    """A job failed."""

    job: int
    failure: Failure


Event = Ready | Started | Progressed | Logged | Done | Failed
Batch = tuple[Event, ...]
