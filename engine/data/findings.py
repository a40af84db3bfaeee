"""What is wrong with a source's bars, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quantcrafter.engine.api import Severity, TimeColumn
from quantcrafter.engine.api.message import Message, joined

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """Bars with the same error, or a guess (kind `guess`, without rows).

    `rows` and `times_ns` name the first few of them as the source counts its rows (the lines of a file), `count` is
    their total number. Bars with an error are rejected unless they may be repaired; `repair` is then the repair that
    was made.
    """

    kind: str
    count: int
    rows: tuple[int, ...]
    times_ns: tuple[int, ...]
    message: str
    severity: Severity = Severity.ERROR
    repair: str = ""

    @property
    def row(self) -> int:
        """The first row concerned, 0 if there is none."""
        return self.rows[0] if self.rows else 0

    @property
    def ts_ns(self) -> int:
        """The time of the first row concerned, in UTC ns, 0 if there is none."""
        return self.times_ns[0] if self.times_ns else 0

    def __str__(self) -> str:
        """Return the fault, how often it occurs, where first, and how it was repaired."""
        return joined([self.message, self.repair])

    def repaired(self, repair: str) -> Finding:
        """Return the finding as a repair that was made, which no longer refuses the bars."""
        return replace(self, severity=Severity.WARNING, repair=repair)


def remark(text: str) -> Finding:
    """Return a finding that only tells something, such as a guess."""
    return Finding("guess", 0, (), (), text, Severity.WARNING)


def finding(
    kind: str,
    subject: str,
    where: TimeColumn,
    rows: TimeColumn,
    time_ns: TimeColumn,
    *,
    severity: Severity = Severity.ERROR,
    detail: str = "",
) -> Finding:
    """Return the finding for the bars at index `where`; `subject` completes "12 bars ...", `detail` the first."""
    first = where[:_NAMED]
    named, times = tuple(rows[first].tolist()), tuple(time_ns[first].tolist())
    count = len(where)
    at = _first(named[0], clock(times[0]), detail)
    others = joined((Message("row {row}", row=row) for row in named[1:]), ", ")
    if count > len(named):
        others = Message("{rows} and {count:,} more", rows=others, count=count - len(named))
    where_text = Message("{first}; then {others}", first=at, others=others) if others else at
    message = (
        Message("1 bar {subject}: {where}.", subject=subject, where=where_text)
        if count == 1
        else Message("{count:,} bars {subject}: {where}.", count=count, subject=subject, where=where_text)
    )
    return Finding(kind, count, named, times, message, severity)


def _first(row: int, time: str, detail: str) -> Message:
    if detail:
        return Message("row {row} ({time}: {detail})", row=row, time=time, detail=detail)
    return Message("row {row} ({time})", row=row, time=time)


def clock(ts_ns: int) -> str:
    """Return a time in UTC as a readable text, as short as possible."""
    text = str(np.datetime64(ts_ns, "ns")).replace("T", " ")
    text = text.removesuffix(".000000000")
    return text.removesuffix(" 00:00:00") if text.endswith(" 00:00:00") else f"{text.removesuffix(':00')} UTC"
