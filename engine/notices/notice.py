"""What a notice is: whom it is about, how severe it is, and its text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoticeSeverity(StrEnum):
    """How severe a notice is. An alarm means that a person has to look at once."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"

    @property
    def rank(self) -> int:
        """Its place among the severities, 0 for the least."""
        return _RANKS[self]


_RANKS = {each: number for number, each in enumerate(NoticeSeverity)}


@dataclass(frozen=True, slots=True)
class OperatorNotice:
    """A notice for operators; `about` is the key of a worker, or what else it is about.

    Two that are equal are the same notice, sent once with a count.
    """

    about: str
    severity: NoticeSeverity
    text: str

    def line(self, count: int = 1) -> str:
        """Return it as a line, with how often it came."""
        times = f" ({count:,} times)" if count > 1 else ""
        return f"{self.about}: {self.text}{times}"
