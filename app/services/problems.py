"""What validation finds, and why something failed, in the language in use. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantcrafter.app.services.i18n import translated
from quantcrafter.engine.api import Problem, Severity, SpecError
from quantcrafter.engine.api.message import joined

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.compute_process.jobs import Failure


def problem_text(problem: Problem) -> str:
    """Return what is wrong and what to do about it."""
    return translated(joined([problem.message, problem.remedy]))


def error_text(error: Exception) -> str:
    """Return what one of our errors says; of a strategy with several mistakes, the first."""
    if isinstance(error, SpecError) and error.problems:
        return problem_text(_first(error.problems))
    return translated(str(error))


def failure_text(failure: Failure) -> str:
    """Return why a job failed: the first mistake of a wrong strategy, else the error as text."""
    if failure.problems:
        return problem_text(_first(failure.problems))
    return translated(failure.message)


def _first(problems: tuple[Problem, ...]) -> Problem:
    return next((each for each in problems if each.severity is Severity.ERROR), problems[0])
