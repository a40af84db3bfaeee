"""Logs of workers: lines of JSON, in a file of each worker, which is rotated.

A record belongs to the worker that is being served in its thread; what belongs to none goes into a log of the process.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

LOG_FILE = "worker.log"
MOST_BYTES = 5_000_000
"""How large a log becomes before it is rotated."""
OLDER = 4
"""How many older files of a log are kept."""


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON: timestamp (UTC), level, message and where it was logged."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = "\n".join([text, "".join(traceback.format_exception(record.exc_info[1])).rstrip()])
        return _line(
            datetime.fromtimestamp(record.created, UTC),
            record.levelname,
            text,
            (record.name, record.module, record.funcName or "", record.lineno),
        )


def _line(when: datetime, level: str, message: str, place: tuple[str, str, str, int]) -> str:
    name, module, function, number = place
    fields = {
        "timestamp": when.isoformat(timespec="milliseconds"),
        "level": level,
        "message": message,
        "logger_name": name,
        "module": module,
        "func_name": function,
        "line_no": number,
    }
    return json.dumps(fields, ensure_ascii=False)


class _File(RotatingFileHandler):
    """A log that is opened with its first record. A full disk loses lines of a log, and is no reason to stop."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        super().__init__(path, maxBytes=most_bytes, backupCount=OLDER, encoding="utf-8", errors="replace", delay=True)
        self.setFormatter(JsonLines())

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as logging names it
        """Leave it out."""

    def close(self) -> None:
        """Close it; what a full disk doesn't take is left out."""
        with suppress(OSError):
            super().close()


class WorkerLogs(logging.Handler):
    """Writes each record to the log of its worker.

    Args:
        rest: the log for records that belong to no worker.
        most_bytes: how large a log becomes before it is rotated.
    """

    def __init__(self, rest: Path, *, most_bytes: int = MOST_BYTES) -> None:
        super().__init__(logging.INFO)
        self._rest, self._most_bytes = rest, most_bytes
        self._files: dict[Path, _File] = {}
        self._here = threading.local()

    @contextmanager
    def serving(self, folder: Path) -> Iterator[None]:
        """Let records of this thread belong to the worker of a folder."""
        before = getattr(self._here, "path", None)
        self._here.path = folder / LOG_FILE
        try:
            yield
        finally:
            self._here.path = before

    def serve_all(self, folder: Path) -> None:
        """Let records of all threads belong to one worker."""
        self._rest = folder / LOG_FILE

    def emit(self, record: logging.LogRecord) -> None:
        path = getattr(self._here, "path", None) or self._rest
        if path not in self._files:
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
            self._files[path] = _File(path, self._most_bytes)
        self._files[path].handle(record)

    def forget(self, folder: Path) -> None:
        """Close the log of a worker; a later record opens it again."""
        found = self._files.pop(folder / LOG_FILE, None)
        if found is not None:
            found.close()

    def close(self) -> None:
        for each in self._files.values():
            each.close()
        self._files.clear()
        super().close()


def note_in(folder: Path, message: str, *, level: str = "WARNING") -> None:
    """Add a line to the log of a worker that this process doesn't serve."""
    line = _line(datetime.now(UTC), level, message, ("quantcrafter.orchestrator", "supervisor", "", 0))
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOG_FILE).open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(line + "\n")


# ------------------------------------------------------------------------------------------------------------- reading


def last_lines(log_file: Path, count: int) -> list[str]:
    """Return up to `count` of the last lines of a log, oldest first; its older files are read as needed."""
    found: deque[str] = deque()
    for path in (log_file, *(log_file.with_name(f"{log_file.name}.{number}") for number in range(1, OLDER + 1))):
        if len(found) >= count:
            break
        with suppress(OSError), path.open(encoding="utf-8", errors="replace") as stream:
            lines = deque((line.rstrip("\n") for line in stream), maxlen=count - len(found))
            found.extendleft(reversed(lines))
    return list(found)


class LogFollower:
    """Reads what is added to a log from now on, across rotations.

    Args:
        log_file: the log; it need not exist yet.
        tail: how many lines of the past come first.
    """

    def __init__(self, log_file: Path, *, tail: int = 0) -> None:
        self._path = log_file
        self._stream: IO[bytes] | None = None
        self._rest = b""
        self._past: list[str] = []
        with suppress(OSError):
            self._stream = self._path.open("rb")
            if tail:
                self._past = self._tail(self._stream.read(), tail)
            else:
                self._stream.seek(0, 2)

    def _tail(self, read: bytes, tail: int) -> list[str]:
        """Return the last whole lines of what the log has so far, and of its older files."""
        *whole, self._rest = read.split(b"\n")
        past = [line.decode("utf-8", "replace") for line in whole[-tail:]]
        older = self._path.with_name(f"{self._path.name}.1")
        if len(past) < tail and not self._is_another():
            past = last_lines(older, tail - len(past)) + past
        return past

    def lines(self) -> list[str]:
        """Return the whole lines that were added since the last call."""
        read = b"" if self._stream is None else self._stream.read()
        if not read and self._is_another():
            self.close()
            with suppress(OSError):
                self._stream = self._path.open("rb")
                read = self._stream.read()
        *whole, self._rest = (self._rest + read).split(b"\n")
        past, self._past = self._past, []
        return past + [line.decode("utf-8", "replace") for line in whole]

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _is_another(self) -> bool:
        """Return whether the log is another file than the one that is open."""
        try:
            return self._stream is None or os.fstat(self._stream.fileno()).st_ino != self._path.stat().st_ino
        except OSError:
            return False
