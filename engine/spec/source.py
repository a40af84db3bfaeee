"""Where things stand in a file, and the log that collects what is wrong with them."""

from __future__ import annotations

import re
import reprlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property

from quantcrafter.engine.api.errors import Problem, Severity, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean, shortened
from quantcrafter.engine.spec.limits import MAX_PROBLEMS

_LINE_BREAK = re.compile(r"\r\n|\r|\n")

_repr = reprlib.Repr()
LONGEST_SHOWN = 80
_repr.maxstring = _repr.maxother = _repr.maxlong = 60


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; line and column count from 1 and are 0 where there is none."""

    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(eq=False)
class Source:
    """A text with its name; `located` is False for texts without lines to point at, such as `--set` values.

    `original` is the text in the file, where this one was migrated from it: places are told as they are in the file.
    """

    file: str
    text: str
    located: bool = True
    original: str | None = None

    @cached_property
    def line_starts(self) -> list[int]:
        """Return the offset of every line's first character."""
        return [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))]

    def place(self, offset: int) -> Place:
        """Return line and column of a character offset."""
        if not self.located:
            return Place(self.file)
        line = bisect_right(self.line_starts, offset)
        column = offset - self.line_starts[line - 1] + 1
        if self.original is None:
            return Place(self.file, line, column)
        there, is_same = self._lines_in_file[line - 1]
        return Place(self.file, there, column if is_same else 1)

    @cached_property
    def _lines_in_file(self) -> list[tuple[int, bool]]:
        """Return for each line where it stands in the file, and whether it is the same there."""
        before, after = _LINE_BREAK.split(self.original or ""), _LINE_BREAK.split(self.text)
        found: list[tuple[int, bool]] = []
        for kind, start, end, first, last in SequenceMatcher(None, before, after).get_opcodes():
            found += [(max(1, min(start + row + 1, end)), kind == "equal") for row in range(last - first)]
        return found


def shown(value: object) -> str:
    """Return `value` as a message shows it: as YAML would have it for the common cases, and never long."""
    if value is None:
        return Message("empty")
    if isinstance(value, bool):
        return str(value).lower()
    return shortened(_repr.repr(value), LONGEST_SHOWN)


@dataclass(eq=False)
class Suggester:
    """Finds names that look like a misspelt one; gives up after a number of tries, so that no file can stall it."""

    budget: int = MAX_PROBLEMS

    def __call__(self, word: object, names: Iterable[str]) -> str:
        """Return `Did you mean 'x'?`, or nothing."""
        if self.budget <= 0 or not isinstance(word, str):
            return ""
        self.budget -= 1
        return did_you_mean(word, names)


def further(count: int, file: str = "", severity: Severity = Severity.ERROR) -> Problem:
    """Return the problem that stands for those left out of a list."""
    what = (
        Message("There is 1 more problem.")
        if count == 1
        else Message("There are {count:,} more problems.", count=count)
    )
    return Problem("too_many", what, Message("Correct these first."), file, severity=severity, more=count)


@dataclass(eq=False)
class ProblemLog:
    """Collects problems; past MAX_PROBLEMS it only counts them."""

    problems: list[Problem] = field(default_factory=list)
    suggest: Suggester = field(default_factory=Suggester)
    dropped: int = 0
    _seen: set[Problem] = field(default_factory=set)

    def add(
        self,
        code: str,
        message: str,
        remedy: str = "",
        *,
        at: Place,
        path: str = "",
        node: str = "",
        field: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note one problem; the same one twice counts once."""
        if len(self.problems) >= MAX_PROBLEMS:
            self.dropped += 1
            return
        problem = Problem(code, message, remedy, at.file, at.line, at.column, path, node, field, severity)
        if problem not in self._seen:
            self._seen.add(problem)
            self.problems.append(problem)

    def in_order(self) -> list[Problem]:
        """Return the problems in file order: the files as first met, within each by line and column."""
        order: dict[str, int] = {}
        for problem in self.problems:
            order.setdefault(problem.file, len(order))
        found = sorted(self.problems, key=lambda p: (order[p.file], p.line, p.column))
        if self.dropped:
            file = found[0].file
            found.append(further(self.dropped, file))
        return found

    def raise_if_any(self) -> None:
        """Raise SpecError with everything collected, if there is anything."""
        if self.problems:
            raise SpecError(self.in_order())
