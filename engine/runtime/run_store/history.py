"""RunHistory: the finished runs of a user, in an SQLite file with one .npz of fills, trades and equity a run.

1. `add` picks an id and creates its .npz exclusively, which reserves the id among concurrent writers.
2. The row is inserted in one transaction; only runs with a row exist, so a process that dies in between leaves an
   unused .npz, which `prune` removes, and never a half run.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.transaction import transaction
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.runtime.run_store.comparison import Comparison, compare_runs
from quantcrafter.engine.runtime.run_store.history_rows import COLUMNS, SCHEMA, from_row, to_row
from quantcrafter.engine.runtime.run_store.record import Books, RunRecord, read_books, write_books
from quantcrafter.engine.runtime.run_store.retention import discard
from quantcrafter.engine.storage import Database

__all__ = ["Books", "Comparison", "RunHistory", "RunRecord", "compare_runs"]

_LAST = re.compile(r"^last(?:-([0-9]{1,9}))?$")
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ATTEMPTS = 20
_ORPHAN_AGE_S = 3600.0


class RunHistory:
    """Keeps finished runs, by default in `history.db` of the user's directory.

    A history that is locked, read-only or damaged raises a RunError that names the file, the reason and a remedy. A
    damaged row hides no other: it is listed with what can be read of it, and can be deleted.

    Args:
        path: the SQLite file; the folder `runs` beside it holds the books.
        timeout_s: how long to wait for another writer.
    """

    def __init__(self, path: Path | None = None, *, timeout_s: float = 5.0) -> None:
        self.path = home() / "history.db" if path is None else Path(path)
        self.folder = self.path.parent / "runs"
        self.traces = self.path.parent / "traces"
        self._database = Database(
            path=self.path,
            schema=SCHEMA,
            name="run history",
            place=self.path,
            error=RunError,
            if_damaged=Message("Move the file away; a new history begins with the next run."),
            timeout_s=timeout_s,
            write_ahead=True,
        )

    def add(self, record: RunRecord) -> str:
        """Keep a run and return its id: the time in UTC with two random letters, so that ids sort by age.

        Raises:
            RunError: the history cannot be written.
        """
        with self._open() as connection:
            self.folder.mkdir(parents=True, exist_ok=True)
            for _ in range(_ATTEMPTS):
                run_id = f"{datetime.now(UTC):%y%m%d-%H%M%S}-{''.join(secrets.choice(_ALPHABET) for _ in range(2))}"
                if self._keep(connection, replace(record, id=run_id)):
                    return run_id
        raise RunError(
            Message(
                "No free id for a run was found in '{path}' after {attempts} attempts. Try again.",
                path=self.path,
                attempts=_ATTEMPTS,
            )
        )

    def list(self, limit: int | None = 50) -> list[RunRecord]:
        """Return the latest runs first, without their books; None for all.

        Raises:
            RunError: the history cannot be read.
        """
        if not self.path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT {', '.join(COLUMNS)} FROM runs ORDER BY number DESC LIMIT ?",  # noqa: S608 - names of our own
                (-1 if limit is None else max(limit, 0),),
            )
            return [from_row(row) for row in rows]

    def get(self, key: str) -> RunRecord:
        """Return a run with its books, by its id, the beginning of it, `last`, or `last-1` for the one before.

        Raises:
            RunError: there is no such run, or several; or the history cannot be read.
        """
        record = self.find(key)
        if record.damage:
            raise RunError(
                Message(
                    "The run '{id}' in the history '{path}' is damaged: {damage}. "
                    "Delete it by `quantcrafter runs delete {id}`.",
                    id=record.id,
                    path=shown_path(self.path),
                    damage=record.damage,
                )
            )
        return replace(record, books=read_books(self._books_path(record.id)))

    def delete(self, key: str) -> str:
        """Delete a run with its books and columns, named as for `get`, and return its id; a damaged one too.

        Raises:
            RunError: there is no such run, or several; or the history cannot be written.
        """
        run_id = self.find(key).id
        with self._open() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        self.remove_files(run_id)
        return run_id

    def pin(self, key: str, *, on: bool = True) -> str:
        """Let a run stay whatever space runs use, or no longer; return its id.

        Raises:
            RunError: there is no such run, or several; or the history cannot be written.
        """
        run_id = self.find(key).id
        with self._open() as connection:
            connection.execute("UPDATE runs SET pinned = :on WHERE id = :id", {"on": int(on), "id": run_id})
        return run_id

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in autocommit mode.

        Raises:
            RunError: the history cannot be used.
        """
        with self._open() as connection:
            yield connection

    @contextmanager
    def held(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction: no other process adds, deletes or pins a run meanwhile.

        Raises:
            RunError: the history cannot be used.
        """
        with self._open() as connection, transaction(connection):
            yield connection

    def remove_files(self, run_id: str) -> None:
        """Delete the books and the columns of a run, as far as that can be done."""
        if _ID.fullmatch(run_id):  # the id of a damaged row must lead nowhere else
            discard(self._books_path(run_id))
            discard(self.traces / run_id)

    def prune(self, keep: int) -> int:
        """Delete all but the latest `keep` runs and return how many went; pinned ones stay.

        Books without a run, which a killed process may leave, go as well once they are an hour old.

        Raises:
            RunError: the history cannot be written, or `keep` is negative.
        """
        if keep < 0:
            raise RunError(Message("The number of runs to keep must be at least 0, was {keep}.", keep=keep))
        if not self.path.exists():
            return 0
        with self.held() as connection:
            latest = "SELECT id, pinned FROM runs ORDER BY number DESC LIMIT -1 OFFSET ?"
            old = [row[0] for row in connection.execute(f"SELECT id FROM ({latest}) WHERE NOT pinned", (keep,))]  # noqa: S608
            connection.executemany("DELETE FROM runs WHERE id = ?", [(run_id,) for run_id in old])
            kept = {row[0] for row in connection.execute("SELECT id FROM runs")}
        for run_id in old:
            self.remove_files(run_id)
        for path in self.folder.glob("*.npz"):
            with suppress(OSError):
                if path.stem not in kept and time.time() - path.stat().st_mtime > _ORPHAN_AGE_S:
                    path.unlink()
        return len(old)

    def _books_path(self, run_id: str) -> Path:
        return self.folder / f"{run_id}.npz"

    def find(self, key: str) -> RunRecord:
        """Return a run without its books, named as for `get`; of a damaged one what can be read.

        Raises:
            RunError: there is no such run, or several; or the history cannot be read.
        """
        last = _LAST.match(key)
        sql = f"SELECT {', '.join(COLUMNS)} FROM runs "  # noqa: S608 - names of our own
        values: tuple[int | str, ...]
        if last:
            sql += "ORDER BY number DESC LIMIT 1 OFFSET ?"
            values = (int(last[1] or 0),)
        else:
            sql += "WHERE substr(id, 1, ?) = ? ORDER BY id = ? DESC, number DESC LIMIT 6"
            values = (len(key), key, key)
        rows = []
        if self.path.exists() and key:
            with self._open() as connection:
                rows = connection.execute(sql, values).fetchall()
        records = [from_row(row) for row in rows]
        if not records:
            raise RunError(
                Message(
                    "There is no run '{key}' in the history '{path}'. `quantcrafter runs` lists them.",
                    key=key,
                    path=self.path,
                )
            )
        if len(records) > 1 and records[0].id != key:
            ids = ", ".join(record.id for record in records)
            raise RunError(
                Message("'{key}' is the beginning of several runs: {ids}. Give more of the id.", key=key, ids=ids)
            )
        return records[0]

    def _keep(self, connection: sqlite3.Connection, record: RunRecord) -> bool:
        """Write the record under its id, or return False when that is taken."""
        books_path = self._books_path(record.id)
        try:
            if record.books is not None:
                write_books(books_path, record.books)
        except FileExistsError:
            return False
        marks = ", ".join("?" * len(COLUMNS))
        try:
            connection.execute(f"INSERT INTO runs ({', '.join(COLUMNS)}) VALUES ({marks})", to_row(record))  # noqa: S608
        except BaseException as error:
            _remove(books_path)
            if isinstance(error, sqlite3.IntegrityError):
                return False
            raise
        return True

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in autocommit mode to a history that exists and has its table."""
        with self._database.open() as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            yield connection


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
