"""Strategy files on disk: read as they are, written all or nothing. No Qt."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import re
import secrets
import time
from pathlib import Path

from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.problems import problem_text
from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.api.home import usual_modes
from quantcrafter.engine.api.locks import writing
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.spec import ProblemLog, StrategyFile, format_version, version_of_text
from quantcrafter.engine.spec.limits import MAX_FILE_BYTES
from quantcrafter.engine.spec.read_text import read_text

SUFFIX = ".yaml"
_UNFINISHED_FOR_S = 3600.0
_UNSAFE = re.compile(r"[^\w-]+")
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])")
_LONGEST_STEM = 60
_MOST_COMPARED = 16 * MAX_FILE_BYTES
"""A file that was opened here is smaller; of a larger one no more is read to see that it is another."""


class FileError(QuantCrafterError):
    """A file cannot be read or written; the message names it and says what to do."""

    code = "file"

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(message)


def digest(text: str) -> str:
    """Return what identifies the content of a file that holds `text`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(path: Path) -> str:
    """Return the text of a strategy file: line ends as they are, a byte order mark as its first character.

    Raises:
        FileError: it is missing, no file, not readable, too large, or not UTF-8.
    """
    log = ProblemLog()
    text = read_text(path, log)
    if text is None:
        problem = log.problems[0]
        where = tr(" (line {line}, column {column})", line=problem.line, column=problem.column) if problem.line else ""
        raise FileError(path, f"{path.name}{where}: {problem_text(problem)}")
    return text


def read_strategy(path: Path) -> str:
    """Return the text of a strategy file that this version can open; see `read`.

    Raises:
        FileError: it cannot be read, or is of a newer format than this version knows.
    """
    text = read(path)
    version, current = version_of_text(text), format_version()
    if version is not None and version > current:
        raise FileError(
            path,
            tr(
                "'{name}' needs a newer version of QuantCrafter: its format is {version}, and "
                "this version reads {current}. The file was not opened.",
                name=path.name,
                version=version,
                current=current,
            ),
        )
    return text


class ChangedError(FileError):
    """A file holds what its writer has not seen; `theirs` is its text, or None if it can't be shown."""

    code = "file_changed"

    def __init__(self, path: Path, content: bytes) -> None:
        self.content = hashlib.sha256(content).hexdigest()
        try:
            self.theirs: str | None = content.decode("utf-8") if len(content) <= MAX_FILE_BYTES else None
        except UnicodeDecodeError:
            self.theirs = None
        super().__init__(path, tr("'{name}' was changed by another program. It was not saved.", name=path.name))


def write(path: Path, text: str, *, known: str | None = None) -> None:
    """Replace a file's content, all or nothing: whoever reads it, and whenever we die, finds the old or the new text.

    The text is written beside the file, brought to the disk, and renamed over it. The file's mode and, as far as the
    system allows, its owner stay; a symbolic link stays one.

    Args:
        path: the file.
        text: what it is to hold.
        known: the `digest` of the content that may be replaced, "" for none. It is compared with the file at the last
            moment, while no other window of ours writes. If left out, whatever is there is replaced.

    Raises:
        ChangedError: the file holds neither what is known nor `text`; nothing is written.
        FileError: it cannot be written; what was there is still there.
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise FileError(
            path,
            tr("'{name}' can't be saved: line {line} contains an incomplete character.", name=path.name, line=line),
        ) from error
    try:
        target = path.resolve()
        _refuse_unwritable(path, target)
        _sweep(target)
        with writing(target):
            _replace(path, target, data, known)
    except (OSError, RuntimeError) as error:
        raise FileError(path, _sentence(path, error)) from error


def suggested_name(title: str) -> str:
    """Return a file name for a strategy called `title`, good on every system."""
    stem = _UNSAFE.sub("_", title.strip().lower()).strip("_-")[:_LONGEST_STEM].rstrip("_-")
    if not stem:
        stem = "strategy"
    return f"{stem}_strategy{SUFFIX}" if _RESERVED.fullmatch(stem) else f"{stem}{SUFFIX}"


def with_suffix(path: Path) -> Path:
    """Return a path to save under: `.yaml` behind a name that has no YAML suffix."""
    return path if path.suffix.lower() in (".yaml", ".yml") else path.with_name(path.name + SUFFIX)


def without_layout(text: str) -> str:
    """Return a strategy's text without positions and frames: what matters to a run, a review or a diff.

    Raises:
        SpecError: the text is no YAML mapping.
    """
    file = StrategyFile.loads(text)
    for section in ("layout", "frames"):
        if (section,) in file:
            file.remove((section,))
    return file.text


def _refuse_unwritable(path: Path, target: Path) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not target.exists():
        return
    if not target.is_file():
        raise FileError(path, tr("'{name}' is not a file. Save under another name.", name=path.name))
    if not target.stat().st_mode & 0o222 or not os.access(target, os.W_OK):
        message = tr("'{name}' is read-only. Save under another name, or make the file writable.", name=path.name)
        raise FileError(path, message)


def _replace(path: Path, target: Path, data: bytes, known: str | None) -> None:
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.saving")
    try:
        with usual_modes(beside), beside.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        _dress_like(target, beside)
        if known is not None:
            _refuse_changed(path, target, data, known)
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _refuse_changed(path: Path, target: Path, data: bytes, known: str) -> None:
    """Raise ChangedError if a file holds what is not known; a file that is gone has nothing to lose."""
    try:
        with target.open("rb") as stream:
            there = stream.read(_MOST_COMPARED + 1)
    except FileNotFoundError:
        return
    if there != data and hashlib.sha256(there).hexdigest() != known:
        raise ChangedError(path, there)


def _dress_like(target: Path, beside: Path) -> None:
    """Give a new file the owner and the mode of the one that it will replace, as far as the system allows."""
    if not target.exists():
        return
    status = target.stat()
    if hasattr(os, "chown"):
        ours = beside.stat()
        with contextlib.suppress(OSError):
            if status.st_gid != ours.st_gid:
                os.chown(beside, -1, status.st_gid)
            if status.st_uid != ours.st_uid:
                os.chown(beside, status.st_uid, -1)
    beside.chmod(status.st_mode & 0o7777)


def _sync_folder(folder: Path) -> None:
    """Bring the rename itself to the disk; file systems that cannot are left alone."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sweep(target: Path) -> None:
    """Remove what a save that was killed long ago left behind."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.saving"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _UNFINISHED_FOR_S:
                left.unlink()


def _sentence(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return tr("'{name}' can't be saved: its folder no longer exists. Save it elsewhere.", name=path.name)
    cause, remedy = fault(error)
    what = tr("'{name}' can't be saved: {reason}.", name=path.name, reason=translated(cause))
    return f"{what} {translated(remedy)}"
