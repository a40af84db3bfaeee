"""What readers of a worker follow: its log, and its events; one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic_core import to_json

from quantcrafter.engine.live.events import events_of
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.orchestrator.worker_log import LogFollower
from quantcrafter.engine.server.streams import TAIL

_LATE = 200
"""For how many inputs back outputs are looked for: they are written after their input."""


class LogLines:
    """The lines of a log. What is no object of JSON is wrapped, so that readers get nothing else."""

    def __init__(self, path: Path, *, tail: int = TAIL) -> None:
        self._follower = LogFollower(path, tail=tail)

    def lines(self) -> list[str]:
        """Return the lines that are new."""
        return [object_line(each) for each in self._follower.lines() if each]

    def close(self) -> None:
        """Close the file."""
        self._follower.close()


def object_line(line: str) -> str:
    """Return a line as an object of JSON."""
    try:
        if line.startswith("{") and isinstance(json.loads(line), dict):
            return line
    except (ValueError, RecursionError):
        pass
    return json.dumps({"timestamp": None, "level": "INFO", "message": line}, ensure_ascii=False)


class EventLines:
    """The events of a worker, as `quantcrafter events --json` prints them."""

    def __init__(self, folder: Path, *, tail: int = TAIL) -> None:
        self._path, self._tail = folder / LOG, tail
        self._stamp: tuple[int, ...] = ()
        self._begin = 0
        self._told: dict[int, int] = {}

    def lines(self) -> list[str]:
        """Return the events that are new.

        Raises:
            RunError: the log can't be read.
        """
        stamp = tuple(_stamps(self._path))
        if stamp == self._stamp or not self._path.is_file():
            return []
        is_first = self._stamp[:1] != stamp[:1]  # of this file: a worker that begins anew has another one
        with InputLog.read(self._path) as log:
            if is_first:
                self._begin, self._told = max(0, log.last_seq - _LATE), {}
            newest = max(self._told, default=0)
            found = list(self._new(log, max(self._begin, newest - _LATE)))
        self._stamp = stamp
        self._told = {seq: count for seq, count in self._told.items() if seq > newest - 2 * _LATE}
        return found[-self._tail :] if is_first else found

    def _new(self, log: InputLog, after: int) -> Iterator[str]:
        counts: dict[int, int] = {}
        for event in events_of(log, after):
            seq = event["seq"]
            counts[seq] = counts.get(seq, 0) + 1
            if counts[seq] > self._told.get(seq, 0):
                yield to_json(event).decode()
        self._told |= counts

    def close(self) -> None:
        """There is nothing to close: the log is opened for each look."""


def _stamps(path: Path) -> Iterator[int]:
    for each in (path, path.with_name(f"{path.name}-wal")):
        try:
            status = each.stat()
        except OSError:
            yield 0
        else:
            yield from (status.st_ino, status.st_mtime_ns, status.st_size)
