"""Swap files: what was being edited survives the end of the process, however it comes. No Qt.

Each session (one running program) has a lock file in `home()/recovery`, held as long as the process lives: the system
gives it free when the process dies, so a swap file whose session can be locked belongs to nobody any more. After every
edit the whole text is written beside its swap file and renamed over it; a reader sees the old or the new, never half.
Nothing is flushed to the disk: what a process has handed to the system outlives the process, and waiting for the disk
at each keystroke would be felt. A swap file that a power failure tore is told by its checksum and left out.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from app.document.document import Change, Document
from app.services.files import digest
from app.services.locks import try_lock
from engine.api.home import home
from engine.api.os_errors import fault

_log = logging.getLogger(__name__)
_LOCK, _SWAP, _BESIDE = ".lock", ".swap", ".new"
_KEPT_NS = 60 * 24 * 3600 * 10**9
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Found:
    """Unsaved work of a process that is gone.

    `path` is the file it belongs to, None for a strategy that was never saved; `saved_text` is what that file holds
    now, "" where there is none. `stale` tells that another program wrote the file since it was opened.
    """

    key: str
    name: str
    edited_at: datetime
    text: str
    path: Path | None = None
    saved_text: str = ""
    stale: bool = False


class Recovery:
    """The swap files of one session, and what earlier sessions left behind."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else home() / "recovery"
        self._session = secrets.token_hex(8)
        self._count = 0
        self._swaps: list[Swap] = []
        self._lock: IO[bytes] | None = None

    def follow(self, document: Document, name: str = "") -> Swap:
        """Keep a swap file of a document from now on; `name` is what a user calls it while it has no file."""
        self._count += 1
        self._claim()
        swap = Swap(document, self.folder / f"{self._session}-{self._count}{_SWAP}", name)
        self._swaps.append(swap)
        return swap

    def find(self) -> tuple[Found, ...]:
        """Return the unsaved work that sessions which are gone left behind, the latest first.

        Left out is what its file holds already, and what is older than its file. What is of no use is removed.
        """
        found = []
        for path in self._abandoned():
            work, saved = _read(path)
            if work is None or self._is_over(work):
                path.unlink(missing_ok=True)
            elif not _is_older_than_its_file(work, saved):
                found.append(work)
        return tuple(sorted(found, key=lambda work: work.edited_at, reverse=True))

    def discard(self, found: Found) -> None:
        """Remove what was found, after it was restored or refused."""
        (self.folder / found.key).unlink(missing_ok=True)

    def close(self) -> None:
        """End the session in order: no swap file of it remains."""
        for swap in self._swaps:
            swap.close()
        self._swaps.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
            self._lock_path(self._session).unlink(missing_ok=True)

    def _is_over(self, work: Found) -> bool:
        """Return whether the work stands in its file, or is too old to be of interest."""
        age_ns = time.time_ns() - int(work.edited_at.timestamp() * 1e9)
        return (work.path is not None and work.saved_text == work.text) or age_ns > _KEPT_NS

    def _abandoned(self) -> Iterator[Path]:
        """Yield the swap files of sessions that are gone; their locks and half-written files are removed."""
        files = sorted(self.folder.glob("*")) if self.folder.is_dir() else []
        sessions = {file.name.partition("-")[0].partition(".")[0] for file in files} - {self._session}
        for session in sorted(sessions):
            if not self._is_gone(session):
                continue
            for file in files:
                if file.name.startswith(f"{session}-"):
                    if file.name.endswith(_SWAP):
                        yield file
                    elif file.name.endswith(_BESIDE):
                        file.unlink(missing_ok=True)

    def _is_gone(self, session: str) -> bool:
        path = self._lock_path(session)
        try:
            with path.open("r+b") as stream:
                if not try_lock(stream):
                    return False
        except FileNotFoundError:
            return True
        except OSError:
            return False
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return True

    def _claim(self) -> None:
        """Show to others that this session lives."""
        if self._lock is not None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._lock_path(self._session).open("w+b")
        except OSError as error:
            _log.warning("There will be no recovery files in %s: %s", self.folder, fault(error, "home").cause)
        else:
            try_lock(self._lock)

    def _lock_path(self, session: str) -> Path:
        return self.folder / f"{session}{_LOCK}"


class Swap:
    """The swap file of one document: there while the document has unsaved changes."""

    def __init__(self, document: Document, file: Path, name: str = "") -> None:
        self.document = document
        self.file = file
        self.name = name
        self._end: Callable[[], None] | None = document.subscribe(self._changed)
        self._saved = _stamp(document.path)
        if document.is_modified:
            self.write()

    def write(self) -> None:
        """Write the text as it is now; where that fails, a warning goes to the log and the edit goes on."""
        path = self.document.path
        content = {
            "format": _FORMAT,
            "path": None if path is None else str(path.absolute()),
            "name": path.name if path is not None else self.name,
            "saved": self._saved,
            "time_ns": time.time_ns(),
            "pid": os.getpid(),
            "digest": digest(self.document.text),
            "text": self.document.text,
        }
        beside = self.file.with_suffix(_BESIDE)
        try:
            beside.write_text(json.dumps(content), encoding="ascii")
            beside.replace(self.file)
        except OSError as error:
            _log.warning("The recovery file %s cannot be written: %s", self.file, fault(error, "home").cause)

    def close(self) -> None:
        """Stop following the document, which is closed in order; nothing of it remains here."""
        if self._end is not None:
            self._end()
            self._end = None
        self._remove()

    def _changed(self, change: Change) -> None:
        if change.kind == "saved":
            self._saved = _stamp(self.document.path)
        if self.document.is_modified:
            self.write()
        else:
            self._remove()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self.file.unlink(missing_ok=True)


def _stamp(path: Path | None) -> list[int] | None:
    """Return time of change and size of the file that a document was read from."""
    try:
        state = None if path is None else path.stat()
    except OSError:
        return None
    return None if state is None else [state.st_mtime_ns, state.st_size]


def _read(file: Path) -> tuple[Found | None, list[int] | None]:
    """Return what a swap file holds, None where it is not whole; and the stamp of the file that was being edited."""
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="ascii"))
        text, path = content["text"], content["path"]
        if content["format"] != _FORMAT or content["digest"] != digest(text):
            return None, None
        edited_at = datetime.fromtimestamp(content["time_ns"] / 1e9, UTC)
        saved = None if path is None else Path(path)
        stale = saved is not None and _stamp(saved) not in (None, content["saved"])
        return Found(file.name, str(content["name"]), edited_at, text, saved, _text_of(saved), stale), content["saved"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None, None


def _text_of(path: Path | None) -> str:
    """Return what a file holds now, "" where it cannot be read."""
    try:
        return "" if path is None else path.read_bytes().decode("utf-8")
    except (OSError, ValueError):
        return ""


def _is_older_than_its_file(work: Found, saved: list[int] | None) -> bool:
    """Return whether the file is another one than was being edited, and written after the last edit."""
    stamp = _stamp(work.path)
    return stamp is not None and stamp != saved and stamp[0] / 1e9 > work.edited_at.timestamp()
