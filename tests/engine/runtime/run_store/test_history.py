from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Self

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.runtime.results.result import Origin
from quantcrafter.engine.runtime.run_store.history import RunHistory, RunRecord, compare_runs
from tests.support.ledgers import million_run
from tests.support.results import result_of, walk_result

SPEC = "quantcrafter: 1\nname: walk\nindicators:\n  fast: {use: ta.SMA, timeperiod: 20}\n"


@pytest.fixture(autouse=True)
def home_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    return tmp_path


def record_of(seed: int = 1, *, every: int = 40) -> RunRecord:
    origin = Origin("walk.yaml", SPEC, spec_hash="abc", overrides=("run.cash=100000",))
    return RunRecord.from_result(replace(walk_result(seed=seed, every=every), origin=origin))


def test_a_kept_run_reads_back_whole(home_dir: Path) -> None:
    record = record_of()
    run_id = RunHistory().add(record)
    found = RunHistory().get(run_id)
    assert found == replace(record, id=run_id)
    assert found.books is not None
    assert record.books is not None
    assert found.books.trades == record.books.trades
    assert found.books.fills == record.books.fills
    assert found.books.equity == record.books.equity
    assert sorted(path.name for path in home_dir.iterdir() if "-" not in path.name) == ["history.db", "runs"]


def test_runs_are_listed_latest_first_and_found_by_place_and_beginning() -> None:
    history = RunHistory()
    ids = [history.add(record_of(seed)) for seed in range(1, 5)]
    assert [record.id for record in history.list()] == ids[::-1]
    assert [record.id for record in history.list(2)] == ids[:1:-1]
    assert history.get("last").id == ids[-1]
    assert history.get("last-2").id == ids[-3]
    unique = next(ids[0][:n] for n in range(1, 20) if sum(each.startswith(ids[0][:n]) for each in ids) == 1)
    assert history.get(unique).id == ids[0]
    assert history.list()[0].books is None


def test_ids_sort_by_age(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(2024, 12, 31, 23, 59, next(seconds), tzinfo=tz)

    seconds = iter((8, 9, 10))
    record = record_of()
    monkeypatch.setattr("quantcrafter.engine.runtime.run_store.history.datetime", Clock)
    ids = [RunHistory().add(record) for _ in range(3)]
    assert ids == sorted(ids)
    assert [run_id[:14] for run_id in ids] == ["241231-235908-", "241231-235909-", "241231-235910-"]


@pytest.mark.parametrize("key", ["", "nothing", "last-7", "last--1", "%", "_"])
def test_an_unknown_run_is_a_clear_error(key: str) -> None:
    with pytest.raises(RunError, match="There is no run"):
        RunHistory().get(key)
    RunHistory().add(record_of())
    with pytest.raises(RunError, match="There is no run"):
        RunHistory().get(key)


def test_an_ambiguous_beginning_names_the_runs() -> None:
    history = RunHistory()
    ids = [history.add(record_of(seed)) for seed in (1, 2)]
    with pytest.raises(RunError) as error:
        history.get(ids[0][:2])
    assert all(run_id in str(error.value) for run_id in ids)


def test_deleting_takes_the_books_too(home_dir: Path) -> None:
    history = RunHistory()
    first, second = (history.add(record_of(seed)) for seed in (1, 2))
    assert history.delete(first) == first
    assert [record.id for record in history.list()] == [second]
    assert [path.stem for path in (home_dir / "runs").iterdir()] == [second]


def test_pruning_keeps_the_latest_and_sweeps_what_dead_processes_left(home_dir: Path) -> None:
    history = RunHistory()
    ids = [history.add(record_of()) for _ in range(4)]
    stale, fresh = home_dir / "runs" / "stale.npz", home_dir / "runs" / "fresh.npz"
    for path in (stale, fresh):
        path.write_bytes(b"half")
    os.utime(stale, (time.time() - 7200, time.time() - 7200))
    assert history.prune(2) == 2
    assert [record.id for record in history.list()] == ids[:1:-1]
    assert sorted(path.stem for path in (home_dir / "runs").iterdir()) == sorted([*ids[2:], "fresh"])
    with pytest.raises(RunError, match="at least 0, was -1"):
        history.prune(-1)


def test_reading_a_history_that_does_not_exist_makes_no_file(home_dir: Path) -> None:
    assert RunHistory().list() == []
    assert RunHistory().prune(3) == 0
    with pytest.raises(RunError):
        RunHistory().get("last")
    assert list(home_dir.iterdir()) == []


def test_a_corrupt_history_says_so_and_what_to_do(home_dir: Path) -> None:
    (home_dir / "history.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(RunError, match=r"cannot be used: the file is damaged\. Move the file away"):
        RunHistory().add(record_of())
    with pytest.raises(RunError, match="Move the file away"):
        RunHistory().list()


def test_a_locked_history_gives_up_after_its_timeout(home_dir: Path) -> None:
    history = RunHistory(timeout_s=0.1)
    history.add(record_of())
    holder = sqlite3.connect(home_dir / "history.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(RunError, match=r"another program is using it\. Close that program, or try again later"):
            history.add(record_of())
    finally:
        holder.close()
    assert len(list((home_dir / "runs").iterdir())) == 1


def test_a_home_that_is_no_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match=r"cannot be used: there is something of that name .* Set QUANTCRAFTER_HOME to"):
        RunHistory(tmp_path / "file" / "history.db").add(record_of())


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not hold here")
def test_a_read_only_history_is_a_clear_error(home_dir: Path) -> None:
    RunHistory().add(record_of())
    home_dir.chmod(0o500)
    try:
        with pytest.raises(RunError, match="Check the permissions"):
            RunHistory().add(record_of())
    finally:
        home_dir.chmod(0o700)


def test_a_history_of_a_newer_version_is_left_alone(home_dir: Path) -> None:
    RunHistory().add(record_of())
    connection = sqlite3.connect(home_dir / "history.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RunError, match="has format 99"):
        RunHistory().list()


def test_missing_books_leave_the_rest_readable_and_damaged_ones_are_named(home_dir: Path) -> None:
    history = RunHistory()
    run_id = history.add(record_of())
    path = home_dir / "runs" / f"{run_id}.npz"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(RunError, match="cannot be read"):
        history.get(run_id)
    path.unlink()
    assert history.get(run_id).books is None
    assert compare_runs(history.get(run_id), record_of()).added is None


def test_large_books_are_kept_quickly_and_whole() -> None:
    result = result_of(*million_run(200_000))
    history = RunHistory()
    begun = time.process_time()
    run_id = history.add(RunRecord.from_result(result))
    assert time.process_time() - begun < 10
    books = history.get(run_id).books
    assert books is not None
    assert (books.trades["pnl"] == result.trades["pnl"]).all()


def add_some(path: str, count: int) -> None:
    history = RunHistory(Path(path), timeout_s=60)
    for seed in range(count):
        history.add(record_of(seed))


def test_several_processes_add_runs_at_once(home_dir: Path) -> None:
    path = home_dir / "shared" / "history.db"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=add_some, args=(str(path), 5)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    history = RunHistory(path)
    ids = [record.id for record in history.list()]
    assert len(set(ids)) == 15
    assert all(history.get(run_id).books is not None for run_id in ids)


ENDLESS = """
import sys
from pathlib import Path
from quantcrafter.engine.runtime.run_store.history import RunHistory, RunRecord
from tests.support.results import walk_result
record = RunRecord.from_result(walk_result())
history = RunHistory(Path(sys.argv[1]))
while True:
    history.add(record)
    print("added", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_killing_a_writer_leaves_a_readable_history(home_dir: Path) -> None:
    path = home_dir / "history.db"
    for delay in (0.0, 0.013):
        with subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[4]
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(delay)
            writer.send_signal(signal.SIGKILL)
    history = RunHistory()
    records = history.list(None)
    assert len(records) >= 2
    assert all(history.get(record.id).books is not None for record in records)
    history.add(record_of())


def test_importing_the_history_does_not_import_slow_libraries() -> None:
    slow = ("sqlite_utils", "polars", "plotly", "pandas", "numba")
    code = (
        "import sys, quantcrafter.engine.runtime.run_store.history;"
        f"print([name for name in {slow} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4]
    )
    assert done.stdout.strip() == "[]"
