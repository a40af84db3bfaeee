"""RunHistory: the finished runs of a user: an SQLite file with a row for each, which points to its folder by its id.

1. `add` picks an id and writes the run's folder, whole or not at all, which reserves the id among other writers.
2. The row is inserted in one transaction; only runs with a row exist, so a process that dies in between leaves an
   unused folder, which `prune` removes, and never a half run.

A folder in `traces` has everything, one in `runs` fills, trades and equity alone. A run is in one of them, or, when it
was deleted to save space, in none: its row stays, with metrics and strategy.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.transaction import transaction
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.runtime.run_store.history_rows import COLUMNS, SCHEMA, from_row, to_row
from quantcrafter.engine.runtime.run_store.record import RunRecord
from quantcrafter.engine.runtime.run_store.run_figures import RunFigures, read_tables
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.run_store.trace_folders import TRIALS, UNFINISHED_AGE_S, age, discard
from quantcrafter.engine.storage import Database

_LAST = re.compile(r"^last(?:-([0-9]{1,9}))?$")
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ATTEMPTS = 20


class RunHistory:
    """Keeps finished runs, by default in `history.db` of the user's directory.

    A history that is locked, read-only or damaged raises a RunError that names the file, the reason and a remedy. A
    damaged row hides no other: it is listed with what can be read of it, and can be deleted.

    Args:
        path: the SQLite file; the folders of the runs are next to it, in `traces` and `runs`.
        timeout_s: how long to wait for another writer.
    """

    def __init__(self, path: Path | None = None, *, timeout_s: float = 5.0) -> None:
        self.path = home() / "history.db" if path is None else Path(path)
        self.folder = self.path.parent / "runs"
        self.traces = self.path.parent / "traces"
        self._database = Database(
            path=self.path,
            schema=SCHEMA,
            name=Message("run history"),
            place=self.path,
            error=RunError,
            if_damaged=Message("Move the file away; a new history begins with the next run."),
            timeout_s=timeout_s,
            write_ahead=True,
        )

    def add(self, run: RunView, *, columns: bool = True) -> str:
        """Keep a finished run and return its id: the time in UTC with two random letters, so that ids sort by age.

        Args:
            run: the run, with its columns.
            columns: keep bars and columns as well as fills, trades and equity.

        Raises:
            RunError: the history or the folder cannot be written.
        """
        record = RunRecord.of(run)
        with self._open() as connection:
            for _ in range(_ATTEMPTS):
                run_id = f"{datetime.now(UTC):%y%m%d-%H%M%S}-{''.join(secrets.choice(_ALPHABET) for _ in range(2))}"
                if self._keep(connection, replace(record, id=run_id), run, columns=columns):
                    return run_id
        raise RunError(
            Message(
                "No free id for a run was found in '{path}' after {attempts} attempts. Try again.",
                path=self.path,
                attempts=_ATTEMPTS,
            )
        )

    def list(self, limit: int | None = 50) -> list[RunRecord]:
        """Return the rows of the latest runs, latest first; None for all.

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
        """Return a run's row, by its id, the beginning of it, `last`, or `last-1` for the one before.

        Raises:
            RunError: there is no such run, or several; its row is damaged; or the history cannot be read.
        """
        record = self.find(key)
        if record.damage:
            raise RunError(
                Message(
                    "The run '{id}' in the history '{path}' is damaged: {damage}. Delete it with `quantcrafter "
                    "runs delete {id}`.",
                    id=record.id,
                    path=shown_path(self.path),
                    damage=record.damage,
                )
            )
        return record

    def open(self, key: str) -> RunView:
        """Return what is kept of a run (`RunView.kept`), named as for `get`.

        Raises:
            RunError: as of `get`; or what is kept is damaged.
        """
        record = self.get(key)
        if not _ID.fullmatch(record.id):  # it must lead nowhere else
            return RunFigures(record)
        for folder in self._folders(record.id):
            if folder.is_dir():
                return RunFolder.open(folder)
        return RunFigures(record, read_tables(self._old_tables(record.id)))

    def delete(self, key: str) -> str:
        """Delete a run with its folder, named as for `get`, and return its id; a damaged one too.

        Raises:
            RunError: there is no such run, or several; or the history cannot be written.
        """
        run_id = self.find(key).id
        with self._open() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        self.remove_files(run_id)
        return run_id

    def pin(self, key: str, *, on: bool = True) -> str:
        """Pin or unpin a run and return its id; pinned runs are kept regardless of the disk space.

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
        """Delete the folder of a run, as far as that can be done."""
        if _ID.fullmatch(run_id):  # the id of a damaged row must lead nowhere else
            for place in (*self._folders(run_id), self._old_tables(run_id)):
                discard(place)

    def prune(self, keep: int) -> int:
        """Delete all but the latest `keep` runs and return how many were deleted; pinned ones are kept.

        Folders without a run, which a killed process may leave, go as well once they are an hour old.

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
        for place in (*self.folder.glob("*"), *self.traces.glob("*")):
            if _ID.fullmatch(place.stem) and place.stem not in {*kept, TRIALS} and age(place) > UNFINISHED_AGE_S:
                discard(place)
        return len(old)

    def _folders(self, run_id: str) -> tuple[Path, Path]:
        """Return where the folder of a run may be: one with everything, or one with fills, trades and equity."""
        return self.traces / run_id, self.folder / run_id

    def _old_tables(self, run_id: str) -> Path:
        """Return where versions before kept fills, trades and equity."""
        return self.folder / f"{run_id}.npz"

    def find(self, key: str) -> RunRecord:
        """Return a run's row, named as for `get`; of a damaged one what can be read.

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
                Message("'{key}' matches several runs: {ids}. Give more characters of the id.", key=key, ids=ids)
            )
        return records[0]

    def _keep(self, connection: sqlite3.Connection, record: RunRecord, run: RunView, *, columns: bool) -> bool:
        """Write the run's folder and its row under its id, or return False when that is taken."""
        places = (*self._folders(record.id), self._old_tables(record.id))
        if any(place.exists() for place in places):
            return False
        folder = places[0] if columns else places[1]
        try:
            save_run(run, folder, "all" if columns else "tables")
        except RunError:
            if folder.exists():  # another writer was faster
                return False
            raise
        marks = ", ".join("?" * len(COLUMNS))
        try:
            connection.execute(f"INSERT INTO runs ({', '.join(COLUMNS)}) VALUES ({marks})", to_row(record))  # noqa: S608
        except BaseException as error:
            discard(folder)
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
