from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Self

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.runtime.results.result import RunOrigin, RunResult
from quantcrafter.engine.runtime.run_store.comparison import compare_runs
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.record import RunRecord
from tests.support.ledgers import million_run
from tests.support.results import result_of, walk_result

SPEC = "quantcrafter: 1\nname: walk\nindicators:\n  fast: {use: ta.SMA, timeperiod: 20}\n"


@pytest.fixture(autouse=True)
def home_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    return tmp_path


def run_of(seed: int = 1, *, every: int = 40) -> RunResult:
    origin = RunOrigin("walk.yaml", SPEC, spec_hash="abc", overrides=("run.cash=100000",))
    return replace(walk_result(seed=seed, every=every), origin=origin)


@pytest.mark.parametrize("columns", [True, False])
def test_a_kept_run_reads_back_and_lies_on_the_disk_once(home_dir: Path, *, columns: bool) -> None:
    run = run_of()
    run_id = RunHistory().add(run, columns=columns)
    assert RunHistory().get(run_id) == replace(RunRecord.of(run), id=run_id)
    found = RunHistory().open(run_id)
    assert (found.id, found.kept) == (run_id, "all" if columns else "tables")
    assert (found.trades, found.fills, found.equity) == (run.trades, run.fills, run.equity)
    assert (found.metrics, found.settings, found.text, found.symbols) == (run.metrics, run.settings, SPEC, run.symbols)
    assert (found.started, found.bars, found.data_hash) == (run.started, run.bars, run.data_hash)
    kept = "traces" if columns else "runs"
    assert sorted(path.name for path in home_dir.iterdir() if "-" not in path.name) == ["history.db", kept]
    assert [path.name for path in (home_dir / kept).iterdir()] == [run_id]


def test_what_of_a_run_is_not_kept_is_refused_with_what_is() -> None:
    history = RunHistory()
    run_id = history.add(run_of(), columns=False)
    kept = history.open(run_id)
    reads: tuple[Callable[[], object], ...] = (
        lambda: kept.ledger,
        lambda: kept.instruments,
        lambda: kept.orders,
        kept.to_json,
    )
    for read in reads:
        with pytest.raises(
            RunError, match=r"Only fills, trades and equity of the run in '.*' are saved\. Run it again"
        ):
            read()
    shutil.rmtree(history.folder / run_id)
    figures = history.open(run_id)
    assert (figures.kept, figures.metrics, figures.settings) == ("figures", kept.metrics, kept.settings)
    reads = (lambda: figures.trades, lambda: figures.ledger, lambda: figures.column("fast"))
    for read in reads:
        with pytest.raises(RunError, match=rf"Only the metrics of the run {run_id} are saved"):
            read()


def test_runs_are_listed_latest_first_and_found_by_place_and_beginning() -> None:
    history = RunHistory()
    ids = [history.add(run_of(seed)) for seed in range(1, 5)]
    assert [record.id for record in history.list()] == ids[::-1]
    assert [record.id for record in history.list(2)] == ids[:1:-1]
    assert history.get("last").id == ids[-1]
    assert history.get("last-2").id == ids[-3]
    unique = next(ids[0][:n] for n in range(1, 20) if sum(each.startswith(ids[0][:n]) for each in ids) == 1)
    assert history.get(unique).id == ids[0]


def test_ids_sort_by_age(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(2024, 12, 31, 23, 59, next(seconds), tzinfo=tz)

    seconds = iter((8, 9, 10))
    run = run_of()
    monkeypatch.setattr("quantcrafter.engine.runtime.run_store.history.datetime", Clock)
    ids = [RunHistory().add(run, columns=False) for _ in range(3)]
    assert ids == sorted(ids)
    assert [run_id[:14] for run_id in ids] == ["241231-235908-", "241231-235909-", "241231-235910-"]


@pytest.mark.parametrize("key", ["", "nothing", "last-7", "last--1", "%", "_"])
def test_an_unknown_run_is_a_clear_error(key: str) -> None:
    with pytest.raises(RunError, match="There is no run"):
        RunHistory().get(key)
    RunHistory().add(run_of())
    with pytest.raises(RunError, match="There is no run"):
        RunHistory().get(key)


def test_an_ambiguous_beginning_names_the_runs() -> None:
    history = RunHistory()
    ids = [history.add(run_of(seed)) for seed in (1, 2)]
    with pytest.raises(RunError) as error:
        history.get(ids[0][:2])
    assert all(run_id in str(error.value) for run_id in ids)


@pytest.mark.parametrize("columns", [True, False])
def test_deleting_takes_the_folder_too(*, columns: bool) -> None:
    history = RunHistory()
    first, second = (history.add(run_of(seed), columns=columns) for seed in (1, 2))
    assert history.delete(first) == first
    assert [record.id for record in history.list()] == [second]
    assert [path.name for path in (history.traces if columns else history.folder).iterdir()] == [second]


def test_pruning_keeps_the_latest_and_sweeps_what_dead_processes_left(home_dir: Path) -> None:
    history = RunHistory()
    ids = [history.add(run_of(), columns=False) for _ in range(4)]
    trial = home_dir / "traces" / "trials" / "1" / "a"
    trial.mkdir(parents=True)
    (home_dir / "runs" / "stale.npz").write_bytes(b"half")
    for place in ("runs/fresh", "runs/old", "traces/old"):
        (home_dir / place).mkdir()
    for place in ("runs/stale.npz", "runs/old", "traces/old", "traces/trials"):
        os.utime(home_dir / place, (time.time() - 7200, time.time() - 7200))
    assert history.prune(2) == 2
    assert [record.id for record in history.list()] == ids[:1:-1]
    assert sorted(path.name for path in (home_dir / "runs").iterdir()) == sorted([*ids[2:], "fresh"])
    assert [path.name for path in (home_dir / "traces").iterdir()] == ["trials"]
    assert trial.exists()
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
    with pytest.raises(RunError, match=r"can't be used: the file is damaged\. Move the file away"):
        RunHistory().add(run_of())
    with pytest.raises(RunError, match="Move the file away"):
        RunHistory().list()


def test_a_locked_history_gives_up_after_its_timeout(home_dir: Path) -> None:
    history = RunHistory(timeout_s=0.1)
    history.add(run_of())
    holder = sqlite3.connect(home_dir / "history.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(RunError, match=r"another program is using it\. Close that program, or try again later"):
            history.add(run_of())
    finally:
        holder.close()
    assert len(list((home_dir / "traces").iterdir())) == 1


def test_a_home_that_is_no_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(
        RunError, match=r"can't be used: a file or folder with that name already exists\. Set QUANTCRAFTER_HOME to"
    ):
        RunHistory(tmp_path / "file" / "history.db").add(run_of())


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions don't hold here")
def test_a_read_only_history_is_a_clear_error(home_dir: Path) -> None:
    RunHistory().add(run_of())
    home_dir.chmod(0o500)
    try:
        with pytest.raises(RunError, match="Check the permissions"):
            RunHistory().add(run_of())
    finally:
        home_dir.chmod(0o700)


def test_a_history_of_a_newer_version_is_left_alone(home_dir: Path) -> None:
    RunHistory().add(run_of())
    connection = sqlite3.connect(home_dir / "history.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RunError, match="has format 99"):
        RunHistory().list()


@pytest.mark.parametrize("columns", [True, False])
def test_a_folder_that_is_gone_leaves_the_rest_readable_and_a_damaged_one_is_named(*, columns: bool) -> None:
    history = RunHistory()
    run_id = history.add(run_of(), columns=columns)
    folder = (history.traces if columns else history.folder) / run_id
    data = folder / "data.bin"
    data.write_bytes(data.read_bytes()[:200])
    with pytest.raises(RunError, match=rf"run in '.*{run_id}' can't be read: .*is missing.*Run it again"):
        history.open(run_id)
    shutil.rmtree(folder)
    assert history.open(run_id).kept == "figures"
    assert history.open(run_id).metrics == run_of().metrics
    assert compare_runs(history.open(run_id), run_of()).added is None


def test_a_large_run_is_kept_quickly_and_whole() -> None:
    result = result_of(*million_run(200_000))
    history = RunHistory()
    begun = time.process_time()
    run_id = history.add(result, columns=False)
    assert time.process_time() - begun < 10
    assert (history.open(run_id).trades["pnl"] == result.trades["pnl"]).all()


def add_some(path: str, count: int) -> None:
    history = RunHistory(Path(path), timeout_s=60)
    for seed in range(count):
        history.add(run_of(seed), columns=bool(seed % 2))


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
    assert {history.open(run_id).kept for run_id in ids} == {"all", "tables"}


ENDLESS = """
import sys
from pathlib import Path
from quantcrafter.engine.runtime.run_store.history import RunHistory
from tests.support.results import walk_result
run = walk_result()
history = RunHistory(Path(sys.argv[1]))
while True:
    history.add(run)
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
    assert all(history.open(record.id).kept == "all" for record in records)
    history.add(run_of())


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
