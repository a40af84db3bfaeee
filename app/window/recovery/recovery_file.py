"""One swap file: the whole text of a strategy after its last edit, and reading what is left of one. No Qt."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quantcrafter.app.document.document import Document, DocumentChange
from quantcrafter.app.services.strategy_files import digest
from quantcrafter.engine.api.os_errors import fault

_log = logging.getLogger(__name__)
SWAP, BESIDE, TRIED = ".swap", ".new", ".tried"
_FORMAT = 1
_MAX_BYTES = 200_000_000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Found:
    """Unsaved work of a process that is gone.

    `path` is the file it belongs to, None for a strategy that was never saved; `saved_text` is what that file holds
    now, "" where there is none. `stale` tells that it is not what the work was made from, as another program wrote the
    file since; `is_saved` that the file holds the work already; `was_tried` that the program ended while it was being
    restored; `is_damaged` that its swap file is not as it was written.
    """

    key: str
    name: str
    edited_at: datetime
    text: str
    path: Path | None = None
    saved_text: str = ""
    stale: bool = False
    is_saved: bool = False
    was_tried: bool = False
    is_damaged: bool = False


class SwapFile:
    """The swap file of one document: there while the document has unsaved changes."""

    def __init__(self, document: Document, file: Path, name: str = "") -> None:
        self.document = document
        self.file = file
        self.name = name
        self._end: Callable[[], None] | None = document.subscribe(self._changed)
        self._saved = None if document.is_modified else digest(document.text)
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
        beside = self.file.with_suffix(BESIDE)
        try:
            beside.write_text(json.dumps(content), encoding="ascii")
            beside.replace(self.file)
        except OSError as error:
            _log.warning("The recovery file %s cannot be written: %s", self.file, fault(error, "home").cause)

    def distrust(self) -> None:
        """Note that the file holds what the work was not made from, until it is saved."""
        self._saved = None

    def close(self) -> None:
        """Stop following the document, which is closed in order; nothing of it remains here."""
        if self._end is not None:
            self._end()
            self._end = None
        self._remove()

    def _changed(self, change: DocumentChange) -> None:
        if change.kind == "saved":
            self._saved = digest(self.document.text)
        if self.document.is_modified:
            self.write()
        else:
            self._remove()

    def _remove(self) -> None:
        remove(self.file)
        remove(self.file.with_suffix(TRIED))


class DamagedError(Exception):
    """A swap file holds no text that could be offered."""


class NewerError(Exception):
    """A swap file was written by a later version of the program."""


def read_swap(file: Path) -> Found:
    """Return what a swap file holds, and how its strategy's file is now.

    Raises:
        DamagedError: there is no text in it.
        NewerError: it has a format that this version does not know.
        OSError: it cannot be read now.
    """
    content = _content(file)
    form, text = content.get("format"), content.get("text")
    if type(form) is int and form > _FORMAT:
        raise NewerError(f"its format is {form}, this version knows {_FORMAT}")
    if not isinstance(text, str):
        raise DamagedError("it holds no text")
    edited_at, path = _moment(content.get("time_ns")), _path(content.get("path"))
    is_whole = (
        content.get("digest") == digest(text)
        and edited_at is not None
        and isinstance(content.get("name"), str)
        and (path is not None or content.get("path") is None)
    )
    if edited_at is None:
        edited_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    name = str(content.get("name") or (path.name if path else "")).splitlines() or [""]
    saved_text, is_there = _text_of(path), path is not None and _is_there(path)
    return Found(
        key=file.name,
        name=name[0][:_LONGEST_NAME],
        edited_at=edited_at,
        text=text,
        path=path,
        saved_text=saved_text,
        stale=is_there and content.get("saved") != digest(saved_text),
        is_saved=is_there and saved_text == text,
        was_tried=file.with_suffix(TRIED).exists(),
        is_damaged=not is_whole,
    )


def _content(file: Path) -> dict[str, Any]:
    """Return the values in a swap file.

    Raises:
        DamagedError: it is no JSON object.
        OSError: it cannot be read now.
    """
    if not file.is_file() or file.stat().st_size > _MAX_BYTES:
        raise DamagedError("it is no file of this program")
    try:
        content = json.loads(file.read_text(encoding="ascii"))
    except (ValueError, RecursionError, MemoryError) as error:
        raise DamagedError(f"it is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise DamagedError("it is no JSON object")
    return content


def _moment(time_ns: Any) -> datetime | None:
    """Return a time since 1970 in nanoseconds as a moment, None where it is no such time."""
    if type(time_ns) not in (int, float):
        return None
    try:
        return datetime.fromtimestamp(time_ns / 1e9, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _path(text: Any) -> Path | None:
    """Return the path of a strategy file, None where the text cannot be one."""
    if not isinstance(text, str) or not text or "\0" in text:
        return None
    path = Path(text)
    return path if path.is_absolute() else None


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _text_of(path: Path | None) -> str:
    """Return what a file holds now, "" where it cannot be read."""
    try:
        return "" if path is None or not path.is_file() else path.read_bytes().decode("utf-8")
    except (OSError, ValueError):
        return ""


def remove(file: Path) -> None:
    """Remove a file, if it is there and can be removed."""
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
