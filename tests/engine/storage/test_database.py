from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.storage import Database, Schema
from quantcrafter.engine.storage.schema import Step, columns_of

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"
THIRD = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL, size REAL, day TEXT NOT NULL DEFAULT '')"


def add_day(database: Any) -> None:
    database["notes"].add_column("day", str, not_null_default="")


def rename_text(database: Any) -> None:
    database["notes"].add_column("size", float)
    database["notes"].transform(rename={"text": "body"})


def database_of(path: Path, version: int = 3, *, write_ahead: bool = True, **steps: Step) -> Database:
    day = NOTES[:-1] + ", day TEXT NOT NULL DEFAULT '')"
    return Database(
        path=path,
        schema=Schema(
            version,
            {"notes": {1: NOTES, 2: day, 3: THIRD}[version]},
            {1: steps.get("first", add_day), 2: steps.get("second", rename_text)},
        ),
        name="note book",
        place=path,
        error=RunError,
        if_damaged="Move it away.",
        timeout_s=20.0,
        write_ahead=write_ahead,
    )


def first_version(path: Path, *, write_ahead: bool = True) -> None:
    with database_of(path, 1, write_ahead=write_ahead).open() as connection:
        connection.executemany("INSERT INTO notes (text) VALUES (?)", [("one",), ("two",)])


def rows(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM notes ORDER BY id").fetchall()


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


@pytest.mark.parametrize("write_ahead", [True, False])
def test_an_old_database_passes_through_every_version_and_a_copy_of_it_stays(
    tmp_path: Path, *, write_ahead: bool
) -> None:
    path = tmp_path / "a b%20#?.db"  # what an address would take for something else
    first_version(path, write_ahead=write_ahead)

    with database_of(path, write_ahead=write_ahead).open() as connection:
        found = connection.execute("SELECT id, body, size, day FROM notes").fetchall()

    assert found == [(1, "one", None, ""), (2, "two", None, "")]
    assert version(path) == 3
    (copy,) = tmp_path.glob(f"{path.name}.v1-*.bak")
    assert (version(copy), rows(copy)) == (1, [(1, "one"), (2, "two")])
    with database_of(copy, 1).open() as connection:  # the program of that version can use it
        assert columns_of(connection, "notes") == {"id", "text"}
    with database_of(path, write_ahead=write_ahead).open():
        pass
    assert len(list(tmp_path.glob("*.bak"))) == 1


def test_an_old_database_and_a_new_one_have_the_same_columns(tmp_path: Path) -> None:
    first_version(tmp_path / "old.db")
    with database_of(tmp_path / "old.db").open() as old, database_of(tmp_path / "new.db").open() as new:
        assert columns_of(old, "notes") == columns_of(new, "notes")


@contextmanager
def as_a_killed_process_leaves_it(folder: Path, *, write_ahead: bool) -> Iterator[Path]:
    """Make a database of version 99; with a write-ahead log, version and rows stand in the log alone."""
    made = folder / "made" / "notes.db"
    made.parent.mkdir()
    first_version(made, write_ahead=write_ahead)
    left = folder / "left"
    with closing(sqlite3.connect(made, isolation_level=None)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("PRAGMA user_version = 99")
        writer.execute("INSERT INTO notes (text) VALUES ('three')")
        shutil.copytree(made.parent, left)
    (left / "notes.db-shm").unlink(missing_ok=True)
    yield left


@pytest.mark.parametrize("write_ahead", [True, False])
def test_a_database_of_a_newer_version_is_not_touched(tmp_path: Path, *, write_ahead: bool) -> None:
    with as_a_killed_process_leaves_it(tmp_path, write_ahead=write_ahead) as folder:
        assert (folder / "notes.db-wal").exists() == write_ahead
        before = content(folder)
        time.sleep(0.02)
        with (
            pytest.raises(RunError, match=r"has format 99, this version knows 3\. Install the newer"),
            database_of(folder / "notes.db").open(),
        ):
            pass
        assert content(folder) == before


def test_a_log_without_a_newer_version_is_played_back(tmp_path: Path) -> None:
    made = tmp_path / "made" / "notes.db"
    made.parent.mkdir()
    first_version(made)
    with closing(sqlite3.connect(made, isolation_level=None)) as writer:
        writer.execute("INSERT INTO notes (text) VALUES ('three')")
        shutil.copytree(made.parent, tmp_path / "left")
    with database_of(tmp_path / "left" / "notes.db").open() as connection:
        assert [row[0] for row in connection.execute("SELECT body FROM notes")] == ["one", "two", "three"]


def fail(database: Any) -> None:
    rename_text(database)
    raise KeyError("notes")


def full(database: Any) -> None:
    rename_text(database)
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


def forget(database: Any) -> None:
    """Leave the tables as they are, as a step with a mistake would."""


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (fail, r"can't be used: its tables are not those of format 2\. Move it away\."),
        (full, r"can't be used: the disk is full"),
        (forget, r"its tables are not those of format 1: 'notes' lacks 'body'"),
    ],
)
def test_a_step_that_fails_leaves_the_old_database_and_no_copy(
    tmp_path: Path, step: Callable[[Any], None], message: str
) -> None:
    path = tmp_path / "notes.db"
    first_version(path)
    with pytest.raises(RunError, match=message), database_of(path, second=step).open():
        pass
    assert (version(path), rows(path)) == (1, [(1, "one"), (2, "two")])
    assert [each.name for each in tmp_path.iterdir()] == ["notes.db"]


def test_a_copy_that_fails_leaves_the_old_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notes.db"
    first_version(path)

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RunError, match="the disk is full"), database_of(path).open():
        pass
    assert (version(path), rows(path)) == (1, [(1, "one"), (2, "two")])
    assert [each.name for each in tmp_path.iterdir()] == ["notes.db"]


def slow(database: Any) -> None:
    rename_text(database)
    time.sleep(0.2)


def open_slowly(path: str) -> None:
    with database_of(Path(path), second=slow).open() as connection:
        assert connection.execute("SELECT count(*) FROM notes WHERE body <> ''").fetchone()[0] == 2


def test_processes_that_find_an_old_database_at_once_change_it_once(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    first_version(path)
    context = multiprocessing.get_context("spawn")
    openers = [context.Process(target=open_slowly, args=(str(path),)) for _ in range(3)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join(60)
    assert [opener.exitcode for opener in openers] == [0, 0, 0]
    assert (version(path), len(rows(path))) == (3, 2)
    assert len(list(tmp_path.glob("*.bak"))) == 1


def die(database: Any) -> None:
    rename_text(database)
    os.kill(os.getpid(), signal.SIGKILL)


def open_and_die(path: str, write_ahead: bool) -> None:  # noqa: FBT001 - of a process
    with database_of(Path(path), second=die, write_ahead=write_ahead).open():
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
@pytest.mark.parametrize("write_ahead", [True, False])
def test_a_process_that_is_killed_half_way_leaves_the_old_database(tmp_path: Path, *, write_ahead: bool) -> None:
    path = tmp_path / "notes.db"
    first_version(path, write_ahead=write_ahead)
    victim = multiprocessing.get_context("spawn").Process(target=open_and_die, args=(str(path), write_ahead))
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    assert (version(path), rows(path)) == (1, [(1, "one"), (2, "two")])
    with database_of(path, write_ahead=write_ahead).open() as connection:
        assert [row[0] for row in connection.execute("SELECT body FROM notes")] == ["one", "two"]


def test_damaged_and_foreign_files_are_told_of_and_left(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"no database, but long enough to be taken for one" * 100)
    before = content(tmp_path)
    with (
        pytest.raises(RunError, match=r"can't be used: the file is damaged\. Move it away\."),
        database_of(path).open(),
    ):
        pass
    assert content(tmp_path) == before

    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title)")
    with (
        pytest.raises(RunError, match=r"it is a database of another program\. Move it away\."),
        database_of(path, write_ahead=False).open(),
    ):
        pass
    assert version(path) == 0


def test_a_schema_needs_a_step_from_every_earlier_version() -> None:
    with pytest.raises(ValueError, match=r"before 3; 2 has none"):
        Schema(3, {"notes": THIRD}, {1: add_day})
