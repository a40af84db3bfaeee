"""Writing result files whole: beside the target first, then renamed onto it; several of them together or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.home import usual_modes
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path


@dataclass
class FileBatch:
    """Files that are written, and wait beside their places for `commit`."""

    _waiting: list[_Waiting] = field(default_factory=list)

    def add(self, waiting: _Waiting) -> None:
        """Take in a file."""
        self._waiting.append(waiting)

    def commit(self) -> None:
        """Put every file in its place, or none.

        Raises:
            RunError: one cannot be put there; those before it are taken back.
        """
        waiting, self._waiting = self._waiting, []
        several = len(waiting) > 1
        placed: list[tuple[_Waiting, Path | None]] = []
        try:
            for each in waiting:
                placed.append((each, each.backup() if several else None))
                each.place()
        except RunError:
            for each, backup in reversed(placed):
                each.take_back(backup)
            raise
        finally:
            for each in waiting:
                each.discard()
            for _, backup in placed:
                _forget(backup)

    def discard(self) -> None:
        """Delete what waits."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.discard()


@dataclass
class _Waiting:
    """A file beside its place. What is not a file, such as a device or a pipe, is written to when it is placed."""

    path: str | Path
    target: Path
    what: str
    temporary: Path | None
    content: bytes = b""
    is_placed: bool = False

    def place(self) -> None:
        try:
            if self.temporary is None:
                with self.target.open("wb") as stream:
                    stream.write(self.content)
            else:
                self.temporary.replace(self.target)
        except (OSError, ValueError) as error:
            raise _refused(self.what, self.path, error) from error
        self.is_placed = True

    def backup(self) -> Path | None:
        """Return another name of what is in its place now, or None where there is nothing, or no second name."""
        if self.temporary is None or not self.target.exists():
            return None
        kept = _beside(self.target)
        try:
            os.link(self.target, kept)
        except (OSError, NotImplementedError, AttributeError):
            return None
        _open_files.add(kept)
        return kept

    def take_back(self, backup: Path | None) -> None:
        with contextlib.suppress(OSError):
            if backup is not None:
                backup.replace(self.target)
            elif self.is_placed and self.temporary is not None:
                self.target.unlink(missing_ok=True)

    def discard(self) -> None:
        _forget(self.temporary)


_batch: ContextVar[FileBatch | None] = ContextVar("batch", default=None)
_open_files: set[Path] = set()


@contextlib.contextmanager
def together() -> Iterator[FileBatch]:
    """Let `write_whole` put nothing in its place before the batch's `commit`; what is not committed is deleted."""
    batch = FileBatch()
    token = _batch.set(batch)
    try:
        yield batch
    finally:
        _batch.reset(token)
        batch.discard()


def write_whole(path: str | Path, content: bytes, what: str) -> Path:
    """Write `content` so that a reader sees the old file or the new one, never a part; make missing folders.

    Raises:
        RunError: the file cannot be written; the message begins with `what` it is.
    """
    try:
        target = Path(path).expanduser()
    except RuntimeError as error:  # there is no such user
        text = Message(
            "{what} can't be written to '{path}': there is no user of that name. Correct the path.",
            what=what,
            path=shown_path(path),
        )
        raise RunError(text) from error
    try:
        if target.is_symlink():
            target = target.resolve()
        waiting = _Waiting(path, target, what, None, content)
        if not target.exists() or target.is_file():
            waiting = _Waiting(path, target, what, _written(target, content))
        elif target.is_dir():
            raise _refused(what, path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    except (OSError, ValueError) as error:
        raise _refused(what, path, error) from error
    batch = _batch.get() or FileBatch()
    batch.add(waiting)
    if batch is not _batch.get():
        batch.commit()
    return target


def discard_all() -> None:
    """Delete all that waits beside its place: the process ends at once."""
    for path in tuple(_open_files):
        _forget(path)


def _written(target: Path, content: bytes) -> Path:
    temporary = _beside(target)
    with usual_modes(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    _open_files.add(temporary)
    try:
        with usual_modes(target), temporary.open("xb") as stream:
            stream.write(content)
    except BaseException:
        _forget(temporary)
        raise
    return temporary


def _beside(target: Path) -> Path:
    return target.parent / f".{target.name[:100]}.{secrets.token_hex(4)}.part"


def _forget(path: Path | None) -> None:
    if path is not None:
        with contextlib.suppress(OSError, ValueError):
            path.unlink(missing_ok=True)
        _open_files.discard(path)


def _refused(what: str, path: str | Path, error: Exception) -> RunError:
    cause, remedy = fault(error)
    return RunError(
        Message(
            "{what} can't be written to '{path}': {cause}. {remedy}",
            what=what,
            path=shown_path(path),
            cause=cause,
            remedy=remedy,
        )
    )
