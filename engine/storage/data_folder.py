"""Back up the data folder while everything runs, and restore it.

1. Databases are copied by SQLite, each as of one moment, with what is in their write-ahead log; others as they are.
2. What belongs to running processes or can be made again is left out: locks, sockets, addresses, caches.
3. The archive is written beside its place and renamed, so that it is whole or not there. Only its owner can read it: it
   has tokens.
4. Restoring writes nothing over a file that exists.
"""

from __future__ import annotations

import io
import os
import secrets
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path

_SQLITE = b"SQLite format 3\0"
_BESIDE = ("-wal", "-shm", "-journal")
_LEFT_OUT = frozenset({"cache", "locks"})
"""Folders of the data folder that can be made again."""
_OF_PROCESSES = frozenset({"lock", "control.json", "control.sock", "token", "api.json", "heartbeat"})
"""Files that belong to running processes, in any folder."""


def back_up_folder(folder: Path, out: Path) -> int:
    """Write a `.tar.gz` of a data folder, all or nothing, and return how many files it has.

    Raises:
        RunError: there is nothing to back up, or it can't be written or read.
    """
    files = sorted(_files(folder, out.absolute()))
    if not files:
        raise RunError(Message("There is nothing to back up: '{folder}' has no files.", folder=shown_path(folder)))
    beside = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    count = 0
    try:
        descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with (
            os.fdopen(descriptor, "wb") as stream,
            tarfile.open(fileobj=stream, mode="w:gz") as archive,
            tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".backup-") as aside,
        ):
            for file in files:
                count += _add(archive, file, file.relative_to(folder).as_posix(), Path(aside) / "copy")
        with beside.open("r+b") as written:
            os.fsync(written.fileno())
        beside.replace(out)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        cause, remedy = fault(error) if isinstance(error, OSError) else (str(error), "")
        raise RunError(
            Message(
                "The backup '{file}' can't be made: {cause}. {remedy}", file=shown_path(out), cause=cause, remedy=remedy
            )
        ) from error
    return count


def restore_folder(archive: Path, folder: Path) -> int:
    """Put the files of a backup into a data folder, and return how many they are.

    Raises:
        RunError: it is no backup, a file of it exists already, or it can't be read or written. A file that exists is
            not changed.
    """
    try:
        with tarfile.open(archive, "r:gz") as opened:
            members = [tarfile.data_filter(each, str(folder)) for each in opened.getmembers()]
            if any(not each.isfile() for each in members):
                raise RunError(Message("'{file}' is no backup of QuantCrafter.", file=shown_path(archive)))
            there = next((each.name for each in members if (folder / each.name).exists()), None)
            if there is not None:
                raise RunError(
                    Message(
                        "'{file}' exists in the data folder '{folder}', and a backup replaces nothing. Move that "
                        "folder away, or restore into another one: set QUANTCRAFTER_HOME.",
                        file=there,
                        folder=shown_path(folder),
                    )
                )
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for each in members:
                opened.extract(each, folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise RunError(
            Message(
                "'{file}' is no whole backup: {cause}. Take another one.", file=shown_path(archive), cause=str(error)
            )
        ) from error
    except OSError as error:
        cause, remedy = fault(error)
        raise RunError(
            Message(
                "'{file}' can't be restored: {cause}. {remedy}", file=shown_path(archive), cause=cause, remedy=remedy
            )
        ) from error
    return len(members)


def _files(folder: Path, out: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        here = Path(top)
        if here == folder:
            folders[:] = [each for each in folders if each not in _LEFT_OUT]
        for name in names:
            path = here / name
            is_ours = name not in _OF_PROCESSES and not name.endswith(_BESIDE) and not name.endswith(".part")
            if is_ours and path.is_file() and not path.is_symlink() and path.absolute() != out:
                yield path


def _add(archive: tarfile.TarFile, file: Path, name: str, aside: Path) -> int:
    """Add a file; return 0 if it is gone meanwhile."""
    try:
        with file.open("rb") as stream:
            is_database = stream.read(len(_SQLITE)) == _SQLITE
            if not is_database:
                stream.seek(0)
                info = archive.gettarinfo(arcname=name, fileobj=stream)
                content = stream.read()  # a log may grow meanwhile
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
                return 1
    except FileNotFoundError:
        return 0
    with (
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(aside)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    aside.chmod(0o600)
    archive.add(aside, arcname=name)
    aside.unlink()
    return 1
