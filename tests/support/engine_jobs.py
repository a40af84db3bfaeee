"""Jobs that the engine process executes for tests: they behave well or badly in one way each."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import ClassVar

from quantcrafter.engine.api import ComponentError, RunCancelledError
from quantcrafter.engine.runtime.compute_process.jobs import JobContext, LogLine, Request


@dataclass(frozen=True)
class Count(Request):
    """Count up in steps, each of which takes a while; return the last number."""

    kind: ClassVar[str] = "count"

    steps: int = 1
    step_s: float = 0.0

    def execute(self, context: JobContext) -> int:
        return count(self, context)


@dataclass(frozen=True)
class Stubborn(Request):
    """Compute for a long time without ever looking at `cancelled`."""

    kind: ClassVar[str] = "be_stubborn"

    def execute(self, context: JobContext) -> None:
        return be_stubborn(self, context)


@dataclass(frozen=True)
class Chatty(Request):
    """Write lines into the log."""

    kind: ClassVar[str] = "chat"

    lines: int = 1000

    def execute(self, context: JobContext) -> int:
        return chat(self, context)


@dataclass(frozen=True)
class Faulty(Request):
    """Raise: one of our errors with its node, or one that nobody expected."""

    kind: ClassVar[str] = "fail"

    expected: bool = True

    def execute(self, context: JobContext) -> None:
        return fail(self, context)


def count(request: Count, context: JobContext) -> int:
    logging.getLogger("tests.engine_jobs").info("counting to %s", request.steps)
    for step in range(request.steps):
        if context.cancelled():
            raise RunCancelledError("The count was cancelled.")
        time.sleep(request.step_s)
        context.progress("count", step + 1, request.steps)
    context.memory["counted"] = context.memory.get("counted", 0) + request.steps
    return int(context.memory["counted"])


def be_stubborn(_request: Stubborn, context: JobContext) -> None:
    context.progress("sleep", 0, 1)
    time.sleep(300)


def chat(request: Chatty, context: JobContext) -> int:
    for number in range(request.lines):
        context.log(LogLine(logging.INFO, f"line {number}", bar=number))
    return request.lines


def fail(request: Faulty, _context: JobContext) -> None:
    if request.expected:
        raise ComponentError("Node 'slow' (ta.SMA) failed on 3 bars.", node="slow", field="timeperiod")
    raise ZeroDivisionError("division by zero")
