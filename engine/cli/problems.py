"""Print the findings of validation: `file:line:column: error: message remedy`, and on a terminal the line itself."""

from __future__ import annotations

import math
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import PathRefusedError, Problem, Severity, open_regular
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.console import is_terminal, paint, printable, terminal_width
from quantcrafter.engine.spec.limits import MAX_FILE_BYTES

_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33"}
_INDENT = "    "
_LEAD = 12


def has_errors(problems: Iterable[Problem]) -> bool:
    """Return whether any of the problems prevents a run."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def count(problems: Sequence[Problem]) -> str:
    """Return `2 errors, 1 warning`."""
    parts = []
    for severity in Severity:
        number = sum(max(1, problem.more) for problem in problems if problem.severity is severity)
        if number:
            parts.append(f"{number:,} {severity}{'s' if number > 1 else ''}")
    return ", ".join(parts)


def print_problems(problems: Iterable[Problem]) -> None:
    """Print every problem on stderr."""
    sources: dict[str, list[str]] = {}
    for problem in problems:
        sys.stderr.write(_styled(problem) + "\n")
        if is_terminal(sys.stderr):
            sys.stderr.write(excerpt(problem, sources, terminal_width()))


def as_json(problem: Problem) -> dict[str, Any]:
    """Return the problem for JSON: its code and parameters don't change when its texts are reworded."""
    return {**asdict(problem), "severity": str(problem.severity), "parameters": _parameters(problem)}


def _parameters(problem: Problem) -> dict[str, Any]:
    """Return the parameters of the message, the remedy and nested messages, with numbers as numbers."""
    found: dict[str, Any] = {}
    for text in (problem.remedy, problem.message):  # the message last: its values have priority
        if isinstance(text, Message):
            found |= _named(text)
    return {name: _plain(value) for name, value in found.items()}


def _named(text: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in text.parameters.items():
        if isinstance(value, Message) and value.parameters:
            found = _named(value) | found
        else:
            found[name] = value
    return found


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str.__str__(value) if isinstance(value, str) else value


def excerpt(problem: Problem, sources: dict[str, list[str]], width: int) -> str:
    """Return the source line with a caret under the column, or '' when it cannot be shown.

    Args:
        problem: with a file, a line and a column.
        sources: the lines of files that were already read; the file is added.
        width: columns of the terminal; a long line is cut around the caret.
    """
    if not (problem.file and problem.line and problem.column):
        return ""
    if problem.file not in sources:
        try:
            with open_regular(Path(problem.file)) as file:
                text = file.read(MAX_FILE_BYTES).decode("utf-8-sig", errors="replace")
            sources[problem.file] = text.split("\n")
        except (OSError, PathRefusedError):
            sources[problem.file] = []
    lines = sources[problem.file]
    if problem.line > len(lines):
        return ""
    line = printable(lines[problem.line - 1].rstrip("\r").replace("\t", " "))
    column = min(problem.column - 1, len(line))
    room = max(width - len(_INDENT) - 1, _LEAD * 2)
    start = max(0, column - room + _LEAD) if len(line) > room else 0
    shown = line[start : start + room]
    blank = "".join("  " if unicodedata.east_asian_width(c) in "WF" else " " for c in shown[: column - start])
    return f"{_INDENT}{shown}\n{_INDENT}{blank}{paint('^', '1;32', sys.stderr)}\n"


def _styled(problem: Problem) -> str:
    text = printable(str(problem))
    label = f"{problem.severity}: "
    before, found, after = text.partition(label)
    if not found:
        return text
    place, colour = paint(before, "1", sys.stderr) if before else "", _COLOURS[problem.severity]
    return f"{place}{paint(label.strip(), colour, sys.stderr)} {after}"
