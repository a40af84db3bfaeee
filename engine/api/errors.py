"""The errors that users can get, and the located problems of validation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quantcrafter.engine.api.wording import shortened

_LONGEST = {"message": 300, "remedy": 700, "path": 200}
LONGEST_ERROR = 2_000
"""Maximum length of an error's message; a list of bad bars takes several lines."""


class Severity(StrEnum):
    """The severity of a problem: an error stops the run, a warning doesn't."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of validation.

    `message` has subject, constraint and actual value; `remedy` is the solution. `line` and `column` count from 1 and
    are 0 if the finding has no location in a file. `path` is the location in the document, such as
    `indicators.fast.timeperiod`. `more` is above 0 only for the finding that represents those omitted from a long list.
    """

    code: str
    message: str
    remedy: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    node: str = ""
    field: str = ""
    severity: Severity = Severity.ERROR
    more: int = 0

    def __post_init__(self) -> None:
        """Omit the middle of a very long text, such as a name of 60,000 characters."""
        for name, longest in _LONGEST.items():
            text = getattr(self, name)
            if len(text) > longest:
                object.__setattr__(self, name, shortened(text, longest))

    def __str__(self) -> str:
        """Return `file:line:column: severity: message remedy`, without unknown parts."""
        place = ":".join([self.file, *([str(self.line), str(self.column)] if self.line else [])]).strip(":")
        text = f"{self.message} {self.remedy}".strip()
        return f"{place}: {self.severity}: {text}" if place else f"{self.severity}: {text}"


class QuantCrafterError(Exception):
    """Base of every error that QuantCrafter raises on purpose.

    Args:
        message: subject, constraint, actual value and remedy, in one or two sentences.
        node: id of the node concerned, if any.
        field: name of the node's field concerned, if any.
    """

    code = "error"

    def __init__(self, message: str, *, node: str = "", field: str = "") -> None:
        super().__init__(message if isinstance(self, SpecError) else shortened(message, LONGEST_ERROR))
        self.node = node
        self.field = field


class SpecError(QuantCrafterError):
    """A strategy file is wrong; `problems` holds every finding, in file order."""

    code = "spec"

    def __init__(self, problems: tuple[Problem, ...] | list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DataError(QuantCrafterError):
    """Market data is unavailable, or is refused; the message names symbol, source and row."""

    code = "data"


class PluginError(QuantCrafterError):
    """A plugin cannot be used; the message names it."""

    code = "plugin"


class ComponentError(QuantCrafterError):
    """A component raised an exception or returned the wrong shape or type; the message names node and bar."""

    code = "component"


class RunError(QuantCrafterError):
    """A run cannot be executed as asked, or failed on the way."""

    code = "run"


class RunCancelledError(RunError):
    """The run was cancelled by its owner."""

    code = "cancelled"
