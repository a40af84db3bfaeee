"""Input and output of a job: request, context, log lines, failure."""

from __future__ import annotations

import traceback
from collections.abc import Hashable, MutableMapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from quantcrafter.engine.api.errors import Problem, QuantCrafterError, RunCancelledError, SpecError
from quantcrafter.engine.api.foreign import described, text_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import os_error_text

CANCELLED = RunCancelledError.code
UNEXPECTED = "unexpected"
ENDED = "engine_ended"
INSTRUMENTS = "instruments"
"""Key of a context's memory: the numbers of the instruments by symbol, for the log messages of components."""


class Request:
    """Base of all requests to the engine process; a frozen dataclass that can be pickled.

    `kind` groups similar jobs: the durations of their stages are used to estimate those of the next one.
    """

    kind: ClassVar[str]

    def execute(self, context: JobContext) -> Any:
        """Do the job and return its result, which can be pickled.

        Raises:
            RunCancelledError: the owner stopped it.
            QuantCrafterError: it failed.
        """
        raise NotImplementedError(type(self).__name__)


class LogLine(NamedTuple):
    """A line of a job's log: level as in `logging`, and its location, as far as known.

    `ts_ns` is the time of the bar (UTC), `bar` its number among the instrument's own bars, -1 if there is none.
    `time` is how people read it: in the zone of the instrument's exchange.
    """

    level: int
    text: str
    ts_ns: int | None = None
    instrument: int = 0
    bar: int = -1
    node: str = ""
    time: str = ""


class JobContext(Protocol):
    """The interface of a job to its owner: report progress, write the log, and check whether to stop."""

    @property
    def memory(self) -> MutableMapping[Hashable, Any]:
        """Data that jobs keep in the process for later jobs, such as loaded bars."""
        ...

    def progress(self, stage: str, done: int, total: int) -> None:
        """Report that `done` of `total` of a stage is done; cheap enough to call often."""
        ...

    def log(self, line: LogLine) -> None:
        """Write a line into the job's log."""
        ...

    def cancelled(self) -> bool:
        """Return whether the job must stop; it then raises RunCancelledError."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a job failed.

    Args:
        code: that of the error, such as `spec`, `data`, `component` or `cancelled`; `unexpected` for an error that is
            not one of ours, `engine_ended` when the process ended.
        message: the error as text.
        node: id of the node concerned, if any.
        field: name of the node's field concerned, if any.
        problems: every finding of validation, if the strategy is wrong.
        trace: the traceback of an unexpected error.
    """

    code: str
    message: str
    node: str = ""
    field: str = ""
    problems: tuple[Problem, ...] = ()
    trace: str = ""

    @property
    def is_cancelled(self) -> bool:
        """Whether the job was stopped by its owner."""
        return self.code == CANCELLED

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Return the failure for an exception."""
        if isinstance(error, QuantCrafterError):
            problems = error.problems if isinstance(error, SpecError) else ()
            return cls(error.code, text_of(error), error.node, error.field, problems)
        if isinstance(error, MemoryError):
            return cls(
                "memory", Message("There is not enough memory for this. Use fewer bars, or close other programs.")
            )
        if isinstance(error, OSError) and error.errno:
            return cls(UNEXPECTED, os_error_text(error), trace="".join(traceback.format_exception(error)))
        return cls(UNEXPECTED, described(error), trace="".join(traceback.format_exception(error)))
