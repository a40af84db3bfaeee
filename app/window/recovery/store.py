"""Swap files: what was being edited survives the end of the process, however it comes. No Qt.

Each session (one running program) has a lock file in `home()/recovery`, held as long as the process lives: the system
gives it free when the process dies, so a swap file whose session can be locked belongs to nobody any more. After every
edit the whole text is written beside its swap file and renamed over it; a reader sees the old or the new, never half.
Nothing is flushed to the disk: what a process has handed to the system outlives the process, and waiting for the disk
at each keystroke would be felt. What a power failure tore is told by its checksum.

A swap file goes only when its work is saved, undone or discarded by the user. A damaged one whose text can be read is
offered as damaged; any other is moved into `recovery/damaged`. While work is being restored, a mark stands next to it:
if the program ends then, the next start knows which work may have ended it.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from quantcrafter.app.document.document import Document
from quantcrafter.app.window.recovery.recovery_file import (
    BESIDE,
    SWAP,
    TRIED,
    DamagedError,
    Found,
    NewerError,
    SwapFile,
    read_swap,
    remove,
)
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.locks import try_lock
from quantcrafter.engine.api.os_errors import fault

_log = logging.getLogger(__name__)
_LOCK = ".lock"
_DAMAGED = "damaged"


class Recovery:
    """The swap files of one session, and what earlier sessions left behind."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else home() / "recovery"
        self._session = secrets.token_hex(8)
        self._count = 0
        self._swaps: list[SwapFile] = []
        self._lock: IO[bytes] | None = None
        self._aside: list[Path] = []

    def follow(self, document: Document, name: str = "") -> SwapFile:
        """Keep a swap file of a document from now on; `name` is what a user calls it while it has no file."""
        self._count += 1
        self._claim()
        swap = SwapFile(document, self.folder / f"{self._session}-{self._count}{SWAP}", name)
        self._swaps.append(swap)
        return swap

    def forget(self, swap: SwapFile) -> None:
        """Remove the swap file of a document that is closed in order, and release the document."""
        swap.close()
        if swap in self._swaps:
            self._swaps.remove(swap)

    def find(self) -> tuple[Found, ...]:
        """Return the unsaved work that sessions which are gone left behind, the latest first.

        Left out is only what its file holds already: work on a file that was written since is offered as `stale`. What
        cannot be read is set aside.
        """
        found: dict[tuple[object, str], Found] = {}
        for file in self._abandoned():
            try:
                work = read_swap(file)
            except NewerError as error:
                _log.warning("The recovery file '%s' is left alone: %s", file, error)
            except (DamagedError, OSError) as error:
                self._set_aside(file, str(error))
            else:
                if work.is_saved:
                    self.discard(work)
                else:
                    self._add(found, work)
        return tuple(sorted(found.values(), key=lambda work: work.edited_at, reverse=True))

    def set_aside(self) -> tuple[Path, ...]:
        """Return the damaged files that `find` has set aside."""
        return tuple(self._aside)

    def begin(self, found: Found, swap: SwapFile | None = None) -> None:
        """Mark that work is about to be restored, and the swap file that will hold it then."""
        for file in (self.folder / found.key, *([] if swap is None else [swap.file])):
            with contextlib.suppress(OSError):
                file.with_suffix(TRIED).touch()

    def succeed(self, found: Found, swap: SwapFile | None = None) -> None:
        """Take the marks away: the work is restored, and the program lives. The old swap file goes."""
        self.discard(found)
        if swap is not None:
            remove(swap.file.with_suffix(TRIED))

    def discard(self, found: Found) -> None:
        """Remove what was found, after it was restored or refused."""
        remove(self.folder / found.key)
        remove((self.folder / found.key).with_suffix(TRIED))

    def close(self) -> None:
        """End the session in order: no swap file of it remains."""
        for swap in self._swaps:
            swap.close()
        self._swaps.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
            self._lock_path(self._session).unlink(missing_ok=True)

    def _add(self, found: dict[tuple[object, str], Found], work: Found) -> None:
        """Add work, unless the same is there twice, as when the program ended while it restored it."""
        there = found.setdefault((work.path or work.name, work.text), work)
        if there is work:
            return
        late, early = (work, there) if work.edited_at > there.edited_at else (there, work)
        found[work.path or work.name, work.text] = replace(late, was_tried=late.was_tried or early.was_tried)
        self.discard(early)
        if early.was_tried:
            self.begin(late)

    def _set_aside(self, file: Path, reason: str) -> None:
        """Move a damaged file out of the way; nothing of it is lost."""
        place = self.folder / _DAMAGED / file.name
        try:
            place.parent.mkdir(exist_ok=True)
            file.replace(place)
        except OSError as error:
            _log.warning("The damaged recovery file '%s' cannot be set aside: %s", file, error)
            place = file
        _log.warning("The recovery file '%s' is damaged (%s); it is kept as '%s'", file.name, reason, place)
        self._aside.append(place)

    def _abandoned(self) -> Iterator[Path]:
        """Yield the swap files of sessions that are gone; their locks and half-written files are removed."""
        try:
            files = sorted(file for file in self.folder.glob("*") if file.name != _DAMAGED)
        except OSError as error:
            _log.warning("The recovery files in %s cannot be listed: %s", self.folder, error)
            return
        sessions = {file.name.partition("-")[0].partition(".")[0] for file in files} - {self._session}
        for session in sorted(sessions):
            if not self._is_gone(session):
                continue
            for file in files:
                if file.name.startswith(f"{session}-"):
                    if file.name.endswith(SWAP):
                        yield file
                    elif file.name.endswith(BESIDE):
                        remove(file)

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
