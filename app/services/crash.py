"""Reports of crashes in compiled code, where no Python code can write one any more. No Qt.

While the program runs, `faulthandler` holds a file in `logs/`; when the process crashes, it writes there where each
thread was. The file is locked as long as the process lives, so that the next start knows a crash from a second window.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import platform
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.locks import try_lock

_log = logging.getLogger(__name__)
_RUNNING = ".running"
_END_OF_HEADING = b"----\n"


class CrashFile:
    """What this process writes into when it crashes; it is gone when the process ends in order."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self.path = _folder() / f"desktop-crash-{now:%Y%m%d-%H%M%S}-{os.getpid()}-{secrets.token_hex(2)}{_RUNNING}"
        self._stream: IO[bytes] | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("w+b", buffering=0)
            try_lock(self._stream)
            heading = f"{now:%Y-%m-%d %H:%M:%S} UTC, Python {platform.python_version()} on {platform.platform()}\n"
            self._stream.write(heading.encode() + _END_OF_HEADING)
            faulthandler.enable(self._stream, all_threads=True)
        except OSError as error:
            _log.warning("A crash will leave no report: '%s' cannot be written: %s", self.path, error)

    def close(self) -> None:
        """End in order: there is nothing to report."""
        if self._stream is None:
            return
        faulthandler.disable()
        self._stream.close()
        self._stream = None
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def crash_reports() -> tuple[Path, ...]:
    """Return the reports of crashes that nobody was told of yet, the latest first; each is returned once.

    What processes left that were killed without a word is removed.
    """
    found = []
    for path in sorted(_folder().glob(f"desktop-crash-*{_RUNNING}"), reverse=True):
        try:
            if (report := _take(path)) is not None:
                found.append(report)
        except OSError as error:
            _log.warning("The crash report '%s' cannot be read: %s", path, error)
    return tuple(found)


def _take(path: Path) -> Path | None:
    """Give a report its final name and return it; None if its process lives, or had nothing to say."""
    with path.open("r+b") as stream:
        if not try_lock(stream):
            return None
        stream.seek(0)
        report_text = stream.read().partition(_END_OF_HEADING)[2].strip()
    if not report_text:
        path.unlink(missing_ok=True)
        return None
    return path.replace(path.with_suffix(".txt"))


def _folder() -> Path:
    return home() / "logs"
