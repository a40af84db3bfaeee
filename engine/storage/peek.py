"""Read the version of a database without touching it or what is next to it.

Opening an SQLite file the usual way writes: a write-ahead log is made, played back or removed, and a journal that a
killed process left is rolled back. A file of a newer version must stay as it is, so its version is read first.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing, suppress
from pathlib import Path

from quantcrafter.engine.storage.schema import version_of

_HEADER, _FRAME = 32, 24
_MAGIC = (0x377F0682, 0x377F0683)
_VERSION_AT = 60
"""Where the version stands on the first page."""


def stamped_version(path: Path) -> int:
    """Return the version of a database file as far as can be told without touching it; 0 where it can't."""
    found = 0
    with suppress(OSError, ValueError, sqlite3.Error):
        if path.stat().st_size:
            # Through SQLite, because closing a file opened by this process would release the locks that the process has
            # on it.
            address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            with closing(sqlite3.connect(address, uri=True)) as connection:
                found = version_of(connection)
    with suppress(OSError, ValueError, struct.error):
        found = max(found, _logged_version(path.with_name(f"{path.name}-wal")))
    return found


def _logged_version(log: Path) -> int:
    """Return the version that the latest committed first page of a write-ahead log has; 0 where there is none."""
    committed = latest = 0
    end = log.stat().st_size
    with log.open("rb") as stream:
        header = stream.read(_HEADER)
        if len(header) < _HEADER:
            return 0
        magic, _, size, _, *salt = struct.unpack(">6I", header[:24])
        if magic not in _MAGIC:
            return 0
        while len(frame := stream.read(_FRAME)) == _FRAME:
            page, pages_after_commit, *marks = struct.unpack(">4I", frame[:16])
            after = stream.tell() + size
            if marks != salt or after > end:
                break
            if page == 1:
                latest = struct.unpack_from(">I", stream.read(_VERSION_AT + 4), _VERSION_AT)[0]
            stream.seek(after)
            if pages_after_commit:
                committed = latest
    return committed
