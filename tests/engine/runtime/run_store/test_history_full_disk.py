"""A full disk is called one, wherever in the keeping of a run it fills, and nothing half-written stays."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.transaction import transaction
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from tests.support.results import walk_result

posix = pytest.mark.skipif(sys.platform == "win32", reason="the limit of a file's size is POSIX")


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Give a folder on a file system of its own, of so many kilobytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if not sys.platform.startswith("linux") or shutil.which("mount") is None:
        pytest.skip("only Linux makes such a disk")
    made = ["mount", "-t", "tmpfs", "-o", f"size={request.param}k", "tmpfs", str(place)]
    if subprocess.run(made, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("small_disk", [8, 24, 32, 40, 48, 56, 64, 72, 84], indirect=True)
@pytest.mark.parametrize("columns", [True, False])
def test_wherever_the_disk_fills_it_is_called_full_and_no_folder_without_a_run_stays(
    small_disk: Path, *, columns: bool
) -> None:
    history = RunHistory(small_disk / "history.db", timeout_s=0.1)
    with pytest.raises(
        RunError, match=r"can't be (used|saved in .*): the disk is full\. Free some space, or set QUANTCRAFTER_HOME"
    ):
        history.add(walk_result(20_000, every=20), columns=columns)
    assert list(small_disk.rglob("*.bin")) == []


@posix
@pytest.mark.parametrize("most", [100, 3_000, 9_000])
@pytest.mark.parametrize("keep", ["all", "tables"])
def test_a_run_that_cannot_be_written_whole_leaves_no_folder(
    tmp_path: Path, most: int, keep: Literal["all", "tables"]
) -> None:
    import resource

    run = walk_result(every=4)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(RunError, match="the file would be larger than is allowed here"):
            save_run(run, tmp_path / "run", keep)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_rollback_that_fails_keeps_the_error_that_ended_the_transaction(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None)

    def fail() -> None:
        with transaction(connection):
            connection.execute("CREATE TABLE a (x)")
            connection.execute("ROLLBACK")  # as SQLite does by itself on a full disk
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        fail()
    with transaction(connection):
        connection.execute("CREATE TABLE a (x)")
    assert not connection.in_transaction
    connection.close()


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_CANTOPEN])
def test_an_error_of_sqlite_is_judged_with_the_room_on_its_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    place = tmp_path / "none" / "history.db"
    assert "full" not in fault(error, "home", place=place).cause
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: usage._replace(free=4096))
    assert fault(error, "home", place=place).cause == "the disk is full"
    assert "full" not in fault(error, "home").cause
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    assert fault(error, "home", place=place).cause == "the file is damaged"
