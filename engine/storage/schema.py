"""What a database of ours holds: its tables, their version, and the steps that bring an older version to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from quantcrafter.engine.api.message import Message

if TYPE_CHECKING:
    from sqlite_utils import Database

Step = Callable[["Database"], object]
"""Changes tables by `sqlite_utils`, such as `table.add_column` and `table.transform`, within a transaction."""


class SchemaError(Exception):
    """A database does not hold the tables that its version should have."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one kind of database.

    Args:
        version: this program's version, from 1.
        tables: how each table is made in a new file: `CREATE TABLE ...`, by the table's name.
        steps: by the version that each starts from, what brings its tables to the next one. There must be one for
            every version before this one.
    """

    version: int
    tables: Mapping[str, str]
    steps: Mapping[int, Step] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        missing = set(range(1, self.version)) - set(self.steps)
        if missing:
            raise ValueError(f"A step must lead on from every version before {self.version}; {min(missing)} has none.")

    def create(self, connection: sqlite3.Connection) -> None:
        """Make the tables of a new file."""
        for statement in self.tables.values():
            connection.execute(statement)

    def upgrade(self, connection: sqlite3.Connection, version: int) -> None:
        """Bring the tables of an older version to this one.

        Raises:
            SchemaError: a step fails on them, or columns are missing afterwards.
        """
        from sqlite_utils import Database  # it takes 0.2 s to import, and is needed once in the life of a file

        database = Database(connection, recursive_triggers=False, execute_plugins=False)
        for step in range(version, self.version):
            try:
                self.steps[step](database)
            except (sqlite3.Error, OSError, MemoryError):
                raise
            except Exception as error:
                raise SchemaError(Message("its tables are not those of format {version}", version=step)) from error
        self._check(connection, version)

    def _check(self, connection: sqlite3.Connection, version: int) -> None:
        """Compare the columns with those of a new file."""
        new = sqlite3.connect(":memory:", isolation_level=None)
        try:
            self.create(new)
            for table in self.tables:
                missing = columns_of(new, table) - columns_of(connection, table)
                if missing:
                    raise SchemaError(
                        Message(
                            "its tables are not those of format {version}: '{table}' lacks '{column}'",
                            version=version,
                            table=table,
                            column=min(missing),
                        )
                    )
        finally:
            new.close()


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of a table's columns; none where there is no such table."""
    return {str(row[0]) for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version that a database is stamped with; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
