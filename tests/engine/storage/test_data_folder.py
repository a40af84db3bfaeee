"""A backup of the data folder is consistent while it is written to, and is restored whole or not at all."""

from __future__ import annotations

import io
import sqlite3
import tarfile
import threading
from contextlib import closing
from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.storage.data_folder import back_up_folder, restore_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    (made / "workers" / "a").mkdir(parents=True)
    (made / "cache").mkdir()
    (made / "cache" / "code").write_text("again")
    (made / "workers" / "a" / "lock").write_text("")
    (made / "workers" / "a" / "worker.json").write_text("{}")
    with closing(sqlite3.connect(made / "workers" / "a" / "log.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE pairs (a INTEGER, b INTEGER)")
        database.commit()
    return made


def test_a_backup_of_a_log_that_is_written_to_has_each_transaction_whole_and_what_was_committed(
    folder: Path, tmp_path: Path
) -> None:
    log, ends, committed = folder / "workers" / "a" / "log.db", threading.Event(), [0]

    def write() -> None:
        with closing(sqlite3.connect(log)) as database:
            while not ends.is_set():
                database.execute("INSERT INTO pairs VALUES (?, 0)", (committed[0],))
                database.execute("UPDATE pairs SET b = a WHERE a = ?", (committed[0],))
                database.commit()
                committed[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while committed[0] < 50:
            pass
        before = committed[0]
        count = back_up_folder(folder, tmp_path / "b.tar.gz")
    finally:
        ends.set()
        thread.join()
    assert count == 2
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o777 == 0o600
    assert restore_folder(tmp_path / "b.tar.gz", tmp_path / "new") == 2
    assert sorted(p.relative_to(tmp_path / "new").as_posix() for p in (tmp_path / "new").rglob("*") if p.is_file()) == [
        "workers/a/log.db",
        "workers/a/worker.json",
    ]
    with closing(sqlite3.connect(tmp_path / "new" / "workers" / "a" / "log.db")) as database:
        rows = database.execute("SELECT a, b FROM pairs ORDER BY a").fetchall()
    assert len(rows) >= before
    assert rows == [(number, number) for number in range(len(rows))]


def test_a_backup_replaces_no_file_of_the_data_folder(folder: Path, tmp_path: Path) -> None:
    back_up_folder(folder, tmp_path / "b.tar.gz")
    (folder / "workers" / "a" / "worker.json").write_text("later")
    (folder / "workers" / "a" / "log.db").unlink()
    with pytest.raises(RunError, match=r"workers/a/worker\.json' exists"):
        restore_folder(tmp_path / "b.tar.gz", folder)
    assert (folder / "workers" / "a" / "worker.json").read_text() == "later"
    assert not (folder / "workers" / "a" / "log.db").exists()


def test_what_is_no_whole_backup_is_refused_and_writes_nothing_outside(folder: Path, tmp_path: Path) -> None:
    whole = tmp_path / "b.tar.gz"
    back_up_folder(folder, whole)
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[:-200])
    (tmp_path / "text.tar.gz").write_text("no archive")
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("../outside")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    for name in ("cut", "text", "evil"):
        with pytest.raises(RunError, match="no whole backup"):
            restore_folder(tmp_path / f"{name}.tar.gz", tmp_path / "new")
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "new").exists()


def test_a_backup_that_fails_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.db").write_bytes(b"SQLite format 3\0" + b"\0" * 100)
    with pytest.raises(RunError, match="can't be made"):
        back_up_folder(folder, tmp_path / "b.tar.gz")
    assert [each.name for each in tmp_path.iterdir()] == ["data"]
    with pytest.raises(RunError, match="nothing to back up"):
        back_up_folder(tmp_path / "none", tmp_path / "b.tar.gz")
