"""Database: an SQLite file with a version.

1. The version is read without touching the file; a newer one than this program's is refused.
2. An older file is copied beside itself and brought to this program's version, both in one transaction: no other
   process writes meanwhile, and one that is killed leaves the file as it was. The copy stays.
3. Two processes that find the same old file: the second one waits, and finds that there is nothing left to do.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import CauseAndRemedy, fault, is_damage, is_in_use
from quantcrafter.engine.api.transaction import transaction
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.storage.backup import back_up
from quantcrafter.engine.storage.peek import stamped_version
from quantcrafter.engine.storage.schema import Schema, SchemaError, version_of

_WAIT_S = 0.02


@dataclass(frozen=True, slots=True)
class Database:
    """A database file, with its schema and the texts for its errors.

    Args:
        path: the file.
        schema: its tables.
        name: what it is to the user, such as `run history`.
        place: what errors name: the file, or its folder.
        error: the class of errors.
        if_damaged: the remedy where the file is damaged.
        timeout_s: how long to wait for another writer.
        write_ahead: whether changes go to a write-ahead log, which lets others read while one writes.
    """

    path: Path
    schema: Schema
    name: str
    place: Path
    error: type[QuantCrafterError]
    if_damaged: str
    timeout_s: float
    write_ahead: bool = False

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in autocommit mode to a file that exists and has the tables of this version.

        Raises:
            QuantCrafterError: of the class `error`: the file is of a newer version, or can't be used.
        """
        connection: sqlite3.Connection | None = None
        try:
            self._refuse_newer(stamped_version(self.path))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=self.timeout_s, isolation_level=None)
            connection.execute("PRAGMA synchronous = FULL")
            self._prepare(connection)
            yield connection
        except (sqlite3.Error, OSError, SchemaError) as error:
            raise self.failure(error) from error
        finally:
            if connection is not None:
                connection.close()

    def failure(self, error: Exception) -> QuantCrafterError:
        """Return the error that tells why the file can't be used, and what to do."""
        if isinstance(error, SchemaError):
            cause, remedy = CauseAndRemedy(str(error), self.if_damaged)
        else:
            cause, remedy = fault(error, "home", place=self.path)
            remedy = self.if_damaged if is_damage(error) else remedy
        return self.error(
            Message(
                "The {name} '{place}' can't be used: {cause}. {remedy}",
                name=self.name,
                place=shown_path(self.place),
                cause=cause,
                remedy=remedy,
            )
        )

    def _refuse_newer(self, version: int) -> None:
        if version > self.schema.version:
            raise self.error(
                Message(
                    "The {name} '{place}' has format {version}, this version knows "
                    "{version_2}. Install the newer QuantCrafter that made it, or set QUANTCRAFTER_HOME to "
                    "another folder.",
                    name=self.name,
                    place=shown_path(self.place),
                    version=version,
                    version_2=self.schema.version,
                )
            )

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = version_of(connection)
        self._refuse_newer(version)
        if version == self.schema.version:
            return
        if self.write_ahead:
            _switch_to_wal(connection, self.timeout_s)
        copy: Path | None = None
        try:
            with transaction(connection):
                version = version_of(connection)  # another process may have been faster
                self._refuse_newer(version)
                if version == self.schema.version:
                    return
                if version:
                    copy = back_up(self.path, version)
                    self.schema.upgrade(connection, version)
                else:
                    self._create(connection)
                connection.execute(f"PRAGMA user_version = {self.schema.version}")
        except BaseException:
            if copy is not None:
                with suppress(OSError, sqlite3.Error):
                    if version_of(connection) == version:  # the file is as it was
                        copy.unlink()
            raise

    def _create(self, connection: sqlite3.Connection) -> None:
        if connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise SchemaError(Message("it is a database of another program"))
        self.schema.create(connection)


def _switch_to_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Turn on the write-ahead log; SQLite does not wait for other writers here by itself."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_in_use(error) or time.monotonic() > deadline:
                raise
            time.sleep(_WAIT_S)
        else:
            return
