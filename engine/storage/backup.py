"""Copy a database before its tables are changed."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path


def back_up(path: Path, version: int) -> Path:
    """Copy a database beside itself, all or nothing, and return the copy: `NAME.v1-20260131T120000.bak`.

    Raises:
        sqlite3.Error, OSError: it can't be copied; nothing is left then.
    """
    target = path.with_name(f"{path.name}.v{version}-{datetime.now(UTC):%Y%m%dT%H%M%S}.bak")
    beside = path.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(beside)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing next to it
        with beside.open("r+b") as stream:
            os.fsync(stream.fileno())
        beside.chmod(path.stat().st_mode & 0o7777)
        beside.replace(target)
    except BaseException:
        for end in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):
                beside.with_name(beside.name + end).unlink(missing_ok=True)
        raise
    return target
