"""What can still be read of a damaged log, and a recording of it.

Inputs are read in their order until one can't be. What came out of them, snapshots and books are taken as far as they
belong to those inputs; the rest is made again when the recording is replayed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.labels import local_time
from quantcrafter.engine.live.input_log import log_database
from quantcrafter.engine.live.inputs import read_input
from quantcrafter.engine.live.log_copy import cannot_write, refuse_existing

_WITH_SEQ = ("inputs", "outputs", "snapshots", "books")


@dataclass(frozen=True, slots=True)
class ReadablePart:
    """The inputs of a damaged log that can be read: how many, the number of the last one, and when it was seen."""

    count: int = 0
    last: int = 0
    last_ns: int = 0

    def told(self) -> str:
        """Return it as a sentence."""
        if not self.count:
            return Message("Nothing of it can be read.")
        return Message(
            "{count} inputs of it can be read, up to {time} UTC.",
            count=f"{self.count:,}",
            time=local_time(self.last_ns, "UTC").isoformat(" ", "seconds"),
        )


def readable_part(path: Path) -> ReadablePart:
    """Return what can be read of a log."""
    found = ReadablePart()
    with suppress(sqlite3.Error), closing(_opened(path)) as connection:
        for seq, kind, ts_ns, body in _rows(connection, "inputs"):
            try:
                read_input(kind, body)
            except RunError:
                break
            found = ReadablePart(found.count + 1, seq, ts_ns)
    return found


def save_readable(path: Path, out: Path) -> ReadablePart:
    """Write what can be read of a damaged log to a recording, and return what it is.

    Raises:
        RunError: nothing can be read, or the file can't be written, or exists.
    """
    part = readable_part(path)
    if not part.count:
        raise RunError(Message("Nothing can be read of the log '{path}'.", path=shown_path(path)))
    refuse_existing(out)
    beside = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.touch()
        with closing(_opened(path)) as source, log_database(beside).open() as target:
            for table in ("meta", "histories", *_WITH_SEQ):
                for row in _rows(source, table):
                    if table not in _WITH_SEQ or row[0] <= part.last:
                        target.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
            target.execute("PRAGMA journal_mode = DELETE")
        beside.replace(out)
    except (sqlite3.Error, OSError) as error:
        raise cannot_write(out, error) from error
    finally:
        for name in (beside, *(beside.with_name(beside.name + end) for end in ("-wal", "-shm"))):
            with suppress(OSError):
                name.unlink(missing_ok=True)
    return part


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[Any]:
    """Yield the rows of a table in the order of its key, up to the first that can't be read."""
    key = {"meta": "name", "histories": "anchor, name, upto", "outputs": "seq, n"}.get(table, "seq")
    with suppress(sqlite3.DatabaseError):
        yield from connection.execute(f"SELECT * FROM {table} ORDER BY {key}")  # noqa: S608 - ours
