"""The copy of a worker's log to a file of its own, a recording."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault, is_damage
from quantcrafter.engine.api.wording import shown_path


class DamagedLogError(RunError):
    """A worker's log is damaged."""

    code = "damaged_log"


def copy_log(connection: sqlite3.Connection, log: Path, out: Path) -> None:
    """Write a whole log to a new file, as it is now; make missing folders.

    Raises:
        DamagedLogError: the log is damaged.
        RunError: the file can't be written, or exists.
    """
    refuse_existing(out)
    beside = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.touch()  # SQLite doesn't say why it can't open a file
        with closing(sqlite3.connect(beside)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise DamagedLogError(_damaged(log))
        beside.replace(out)
    except (sqlite3.Error, OSError) as error:
        if is_damage(error):
            raise DamagedLogError(_damaged(log)) from error
        raise cannot_write(out, error) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def refuse_existing(out: Path) -> None:
    """Refuse to overwrite a file.

    Raises:
        RunError: it exists, or its folder can't be looked at.
    """
    try:
        exists = out.exists()
    except OSError as error:
        raise cannot_write(out, error) from error
    if exists:
        raise RunError(Message("'{path}' exists already. Give another name.", path=shown_path(out)))


def cannot_write(path: Path, error: Exception) -> RunError:
    """Return the error that a recording can't be written, with the cause and what to do."""
    cause, remedy = fault(error, "write", place=path)
    return RunError(
        Message(
            "The recording '{path}' can't be used: {cause}. {remedy}",
            path=shown_path(path),
            cause=cause,
            remedy=remedy,
        )
    )


def _damaged(log: Path) -> str:
    return Message("The log '{path}' is damaged.", path=shown_path(log))
