"""Detects changes of open files by other programs: by system notifications, or else by polling."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import Empty, SimpleQueue

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from quantcrafter.app.services.strategy_files import digest
from quantcrafter.engine.api import PathRefusedError, open_regular

POLL_MS = 5_000
SETTLE_MS = 150
COLLECT_MS = 20
GONE_LOOKS = 3


class FileChange(StrEnum):
    """What happened to a file: other content, other content in a new file of that name, gone, back as it was."""

    CHANGED = "changed"
    REPLACED = "replaced"
    DELETED = "deleted"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look at a file found: identity, size and time, and the digest of its content; None when it is gone."""

    stamp: tuple[int, int, int] | None
    content: str | None


@dataclass(slots=True, eq=False)
class _Watched:
    """A file and what is known of it; `gone` counts the looks in a row that found nothing."""

    path: Path
    content: str
    sight: Sight | None = None
    gone: int = 0


class FileWatch(QObject):
    """Watches files, and emits the Qt signal `changed(path, kind)` when one is not what it was.

    A file counts as changed when its content did: touching it, or saving what is known already, is no change. An
    editor that renames a new file over the old one is noticed, and the new one watched on. Files are looked at in a
    thread, so that a slow network drive holds nothing up, and every `poll_ms` even if the system tells nothing.
    """

    changed = Signal(object, str)

    def __init__(self, parent: QObject | None = None, *, poll_ms: int = POLL_MS, settle_ms: int = SETTLE_MS) -> None:
        super().__init__(parent)
        self._files: dict[Path, _Watched] = {}
        self._system = QFileSystemWatcher(self)
        self._system.fileChanged.connect(self._heard)
        self._system.directoryChanged.connect(self._heard_of_folder)
        self._settle = QTimer(self, singleShot=True, interval=settle_ms)
        self._settle.timeout.connect(self._look_at_heard)
        self._heard_of: set[Path] = set()
        self._poll = QTimer(self, interval=poll_ms)
        self._poll.timeout.connect(self._look_at_all)
        self._collect = QTimer(self, interval=COLLECT_MS)
        self._collect.timeout.connect(self._take_answers)
        self._requests: SimpleQueue[_Watched | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[_Watched, Sight | None]] = SimpleQueue()
        self._asked: set[Path] = set()
        self._thread: threading.Thread | None = None

    def watch(self, path: Path, text: str) -> None:
        """Watch a file whose content is known to be `text`: as opened, or as just saved."""
        self._files[path] = _Watched(path, digest(text))
        self._asked.discard(path)
        self._listen(path)
        if self._thread is None:
            queues = self._requests, self._answers
            self._thread = threading.Thread(target=_look_on, args=queues, name="file-watch", daemon=True)
            self._thread.start()
        self._poll.start()
        self._ask(path)

    def unwatch(self, path: Path) -> None:
        """Watch a file no longer."""
        if self._files.pop(path, None) is None:
            return
        self._asked.discard(path)
        self._system.removePath(str(path))
        if not any(other.parent == path.parent for other in self._files):
            self._system.removePath(str(path.parent))
        if not self._files:
            self._poll.stop()

    def close(self) -> None:
        """Stop watching, for good."""
        for path in list(self._files):
            self.unwatch(path)
        self._settle.stop()
        self._collect.stop()
        if self._thread is not None:
            self._requests.put(None)
            self._thread = None

    def _listen(self, path: Path) -> None:
        """Ask the system for news of a file and of its folder; a rename over the file ends the former."""
        listening = {*self._system.files(), *self._system.directories()}
        wanted = [str(place) for place in (path, path.parent) if str(place) not in listening]
        if wanted:
            self._system.addPaths(wanted)

    def _heard(self, name: str) -> None:
        self._heard_of.add(Path(name))
        self._settle.start()

    def _heard_of_folder(self, name: str) -> None:
        folder = Path(name)
        self._heard_of.update(path for path in self._files if path.parent == folder)
        self._settle.start()

    def _look_at_heard(self) -> None:
        heard, self._heard_of = self._heard_of, set()
        for path in heard:
            self._ask(path)

    def _look_at_all(self) -> None:
        for path in self._files:
            self._ask(path)

    def _ask(self, path: Path) -> None:
        """Check a file; if a check is in progress, it may have been too early, so check again afterwards."""
        if path not in self._files:
            return
        if path in self._asked:
            self._heard_of.add(path)
            return
        self._asked.add(path)
        self._requests.put(self._files[path])
        self._collect.start()

    def _take_answers(self) -> None:
        """Take what the thread found, until nothing is asked any more."""
        with contextlib.suppress(Empty):
            while True:
                self._compare(*self._answers.get_nowait())
        if not self._asked:
            self._collect.stop()

    def _compare(self, watched: _Watched, sight: Sight | None) -> None:
        """Report changes of a file; a deleted file must be missing several times, as a save may be in progress."""
        path = watched.path
        if self._files.get(path) is not watched:  # unwatched meanwhile, or saved since: what was seen is old
            return
        self._asked.discard(path)
        if path in self._heard_of:
            self._settle.start()
        if sight is None:
            return
        before, watched.sight = watched.sight, sight
        if sight.content is None:
            watched.gone += 1
            if watched.gone < GONE_LOOKS:
                self._heard(str(path))
            elif watched.gone == GONE_LOOKS:
                self.changed.emit(path, FileChange.DELETED.value)
            return
        was_gone, watched.gone = watched.gone >= GONE_LOOKS, 0
        self._listen(path)
        if sight.content != watched.content:
            watched.content = sight.content
            self.changed.emit(path, (_kind(before, sight)).value)
        elif was_gone:
            self.changed.emit(path, FileChange.RESTORED.value)


def _kind(before: Sight | None, now: Sight) -> FileChange:
    same_file = before is None or before.stamp is None or now.stamp is None or before.stamp[0] == now.stamp[0]
    return FileChange.CHANGED if same_file else FileChange.REPLACED


def _look_on(requests: SimpleQueue[_Watched | None], answers: SimpleQueue[tuple[_Watched, Sight | None]]) -> None:
    """Run in the thread: look at files until told to stop.

    It knows the queues only: a thread that holds the last reference to a QObject destroys it on the wrong thread.
    """
    while (watched := requests.get()) is not None:
        answers.put((watched, look(watched.path, watched.sight)))


def look(path: Path, last: Sight | None = None) -> Sight | None:
    """Return what a file is now, None if that cannot be told.

    When its identity, size and time are those of `last`, it is not read again.
    """
    try:
        path.stat()
        with open_regular(path) as stream:
            status = path.stat()
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            if last is not None and last.stamp == stamp:
                return last
            return Sight(stamp, hashlib.file_digest(stream, "sha256").hexdigest())
    except (FileNotFoundError, NotADirectoryError):
        return Sight(None, None)
    except (OSError, PathRefusedError):
        return None
