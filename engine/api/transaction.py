"""A SQLite transaction that reports the error that ended it, even if the rollback fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit the changes, or undo them if an exception is raised; no other process writes meanwhile.

    On a full disk, SQLite rolls back by itself, and a rollback can fail for the same reason as the changes; the first
    error is raised then.

    Args:
        connection: in autocommit mode (`isolation_level=None`).

    Raises:
        sqlite3.Error: the transaction cannot be begun or committed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise
