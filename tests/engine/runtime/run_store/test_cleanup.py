"""The disk that runs take is bounded by one limit: the oldest go, pinned ones and those in view stay."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.cli.main import WRONG_INPUT, main
from quantcrafter.engine.runtime.results.result import RunOrigin
from quantcrafter.engine.runtime.run_store import cleanup
from quantcrafter.engine.runtime.run_store.cleanup import GB, clean, keep_gb, measure, set_keep_gb, usage_text
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.trace_folders import trace_folder, trial_folder
from quantcrafter.engine.storage.schema import columns_of
from tests.support.results import walk_result

KB = 1024
DEAD = 2**22 - 3
"""No process has this number: Linux gives none above 2^22."""


@pytest.fixture(autouse=True)
def home_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    return tmp_path


def fill(folder: Path, size: int, age_s: float) -> Path:
    folder.mkdir(parents=True)
    (folder / "column.npy").write_bytes(b"x" * size)
    then = time.time() - age_s
    os.utime(folder, (then, then))
    return folder


def kept_run(number: int, *, columns: int = 100 * KB) -> str:
    """Keep a run that is `number` hours old, with columns of so many bytes more; return its id."""
    run_id = RunHistory().add(walk_result(seed=number))
    folder = trace_folder(run_id)
    (folder / "column.npy").write_bytes(b"x" * columns)
    os.utime(folder, (time.time() - 3600.0 * number,) * 2)
    return run_id


def kept(run_id: str) -> str:
    return RunHistory().open(run_id).kept


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_everything_is_counted_by_kind() -> None:
    run_id = kept_run(1)
    without_columns = RunHistory().add(walk_result(), columns=False)
    fill(trial_folder("123", "a"), 5 * KB, 10)
    fill(trace_folder(f".{run_id}.{os.getpid()}.ab.part"), 7 * KB, 10)
    RunHistory().pin(run_id)

    usage = measure()

    assert usage.columns == size_of(trace_folder(run_id)) > 100 * KB
    assert usage.trials == 5 * KB
    assert usage.unfinished == 7 * KB
    assert usage.tables == size_of(RunHistory().folder / without_columns)
    assert usage.history >= RunHistory().path.stat().st_size
    assert (usage.runs, usage.pinned, usage.pinned_bytes) == (2, 1, usage.columns)
    assert usage.used == sum((usage.columns, usage.trials, usage.unfinished, usage.tables, usage.history))
    assert (
        usage_text(replace(usage, history=0, columns=int(1.2 * GB), limit=5 * GB)) == "Runs use 1.2 of 5 GB; 1 pinned"
    )


def test_columns_of_the_oldest_go_first_pinned_ones_and_those_in_view_stay_and_trades_remain() -> None:
    runs = [kept_run(number) for number in range(6, 0, -1)]
    history = RunHistory()
    history.pin(runs[0])
    used = measure().used

    gone = clean([trace_folder(runs[1])], limit=used - 150 * KB)

    assert [kept(run_id) for run_id in runs] == ["all", "all", "tables", "tables", "all", "all"]
    assert (gone.columns, gone.tables, gone.deleted) == (2, 0, 0)
    assert gone.freed == used - measure().used >= 150 * KB
    assert [record.id for record in history.list()] == runs[::-1]
    for seed, run_id in ((4, runs[2]), (3, runs[3])):
        run, found = walk_result(seed=seed), history.open(run_id)
        assert (found.trades, found.fills, found.equity) == (run.trades, run.fills, run.equity)
        assert (found.metrics, found.settings, found.bars) == (run.metrics, run.settings, run.bars)


def test_when_that_is_not_enough_trades_of_the_oldest_go_and_metrics_remain() -> None:
    runs = [kept_run(number) for number in range(4, 0, -1)]
    history = RunHistory()
    history.pin(runs[0])
    clean(limit=1_000)
    assert [kept(run_id) for run_id in runs[:1]] == ["all"]
    assert [record.id for record in history.list()] == [runs[3], runs[0]]  # rows go last, and the latest one stays
    assert kept(runs[3]) == "figures"
    runs = [kept_run(number) for number in range(4, 0, -1)]
    clean(limit=measure().used - 4 * 100 * KB)  # so that the columns of four go
    assert [kept(run_id) for run_id in runs] == ["tables"] * 4
    one = size_of(history.folder / runs[0])
    gone = clean(limit=measure().used - one - 1)
    assert (gone.columns, gone.tables, gone.deleted) == (0, 2, 0)
    assert [kept(run_id) for run_id in runs] == ["figures", "figures", "tables", "tables"]
    assert history.open(runs[0]).metrics == walk_result(seed=4).metrics


def test_a_damaged_run_goes_whole_and_its_row_stays() -> None:
    run_id = kept_run(1)
    (trace_folder(run_id) / "run.json").write_text("{")
    gone = clean(limit=measure().used - KB)
    assert (gone.columns, kept(run_id)) == (1, "figures")
    assert not list(RunHistory().folder.glob("*"))


def test_a_trial_goes_by_its_age_like_a_run() -> None:
    old = fill(trial_folder("999999999", "old"), 50 * KB, 9 * 3600)
    run_id = kept_run(2)
    assert clean(limit=measure().used - KB).trials == 1
    assert not old.exists()
    assert kept(run_id) == "all"


def test_the_latest_trial_of_a_program_that_runs_stays() -> None:
    trials = [fill(trial_folder(str(os.getpid()), name), 50 * KB, age) for name, age in (("a", 900), ("b", 90))]
    clean(limit=1)
    assert [trial.exists() for trial in trials] == [False, True]


def test_what_a_killed_run_left_goes_at_once_and_what_is_being_written_stays() -> None:
    dead = fill(trace_folder(f".run.{DEAD}.ab.part"), 10, 5)
    alive = fill(trace_folder(f".run.{os.getpid()}.cd.part"), 10, 5)
    old = fill(trace_folder(".run.ef.part"), 10, 7200)
    clean()
    assert [folder.exists() for folder in (dead, alive, old)] == [os.name == "nt", True, False]


def test_folders_of_no_run_go_once_they_are_old() -> None:
    kept_run(1)
    orphan, fresh = fill(trace_folder("gone"), 10, 7200), fill(trace_folder("new"), 10, 5)
    clean()
    assert not orphan.exists()
    assert fresh.exists()


def test_when_rows_alone_are_too_many_the_oldest_go_and_pinned_ones_stay() -> None:
    history = RunHistory()
    run = replace(walk_result(), origin=RunOrigin(text="x" * 100 * KB))
    runs = [history.add(run, columns=False) for _ in range(12)]
    for run_id in runs:
        shutil.rmtree(history.folder / run_id)
    history.pin(runs[0])

    gone = clean(limit=600 * KB)

    left = [each.id for each in history.list()]
    assert gone.deleted == 12 - len(left) > 0
    assert left[-1] == runs[0]
    assert left[0] == runs[-1]
    assert measure().used <= 700 * KB


def test_a_deleted_run_takes_its_columns_with_it() -> None:
    run_id = kept_run(1)
    RunHistory().delete(run_id)
    assert not trace_folder(run_id).exists()


def test_pruning_by_number_leaves_pinned_runs() -> None:
    runs = [kept_run(number) for number in (4, 3, 2, 1)]
    RunHistory().pin(runs[0])
    assert RunHistory().prune(1) == 2
    assert [record.id for record in RunHistory().list()] == [runs[3], runs[0]]


def test_the_limit_is_kept_and_a_wrong_one_is_refused(home_dir: Path) -> None:
    assert keep_gb() == cleanup.DEFAULT_GB
    set_keep_gb(0.5)
    assert keep_gb() == 0.5
    for wrong in (0.0, -1.0, float("nan"), float("inf"), 1e9):
        with pytest.raises(RunError, match=r"Runs can take 0\.01 to 1,000,000 GB, was"):
            set_keep_gb(wrong)
    assert keep_gb() == 0.5
    for text in ("{", "[]", '{"keep_gb": "5"}', '{"keep_gb": true}', "[" * 100_000):
        (home_dir / "runs.json").write_text(text)
        assert keep_gb() == cleanup.DEFAULT_GB


def test_a_history_that_cannot_be_read_loses_nothing() -> None:
    run_id = kept_run(1)
    RunHistory().path.write_bytes(b"no database" * 100)
    with pytest.raises(RunError, match="can't be used"):
        clean(limit=1)
    assert trace_folder(run_id).exists()


CLEANER = """
import sys
from quantcrafter.engine.runtime.run_store.cleanup import clean
print(sys.stdin.readline() and clean(limit=int(sys.argv[1])).columns)
"""


def test_two_processes_that_clean_at_once_take_no_more_than_one_would() -> None:
    runs = [kept_run(number) for number in range(8, 0, -1)]
    limit = measure().used - 350 * KB
    cleaners = [
        subprocess.Popen(
            [sys.executable, "-c", CLEANER, str(limit)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    counts = sorted(int(cleaner.communicate("go\n", timeout=60)[0]) for cleaner in cleaners)
    assert counts == [0, 3]
    assert [kept(run_id) for run_id in runs] == ["tables"] * 3 + ["all"] * 5


KILLED = """
import os, signal
from quantcrafter.engine.runtime.run_store import cleanup
def die(place):
    os.kill(os.getpid(), signal.SIGKILL)
cleanup.remove = die
cleanup.clean(limit=cleanup.measure().history + 10)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_who_is_killed_while_cleaning_leaves_no_half_run_and_the_next_one_ends_it(home_dir: Path) -> None:
    runs = [kept_run(number) for number in (3, 2, 1)]
    assert subprocess.run([sys.executable, "-c", KILLED], check=False).returncode < 0
    assert [trace_folder(run_id).exists() for run_id in runs] == [False] * 3
    assert len(RunHistory().list()) == 3
    clean()
    assert not list((home_dir / "traces").iterdir())
    assert not list((home_dir / "runs").iterdir())


OLD_TEXT = ("started", "strategy", "engine", "mode", "file", "spec_text", "spec_hash", "data_hash")
OLD_JSON = ("symbols", "overrides", "metrics", "settings", "timing")


def test_a_history_of_the_first_format_opens_with_all_its_rows_and_runs_can_be_pinned(home_dir: Path) -> None:
    columns = [f"{name} TEXT NOT NULL" for name in (*OLD_TEXT, *OLD_JSON)]
    columns += [f"{name} INTEGER NOT NULL" for name in ("bars", "warmup", "synthetic")]
    with sqlite3.connect(home_dir / "history.db") as old:
        old.execute(f"CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, {', '.join(columns)})")
        old.execute("PRAGMA user_version = 1")
        for number in range(3):
            texts = ["2026-01-02T03:04:05+00:00", "walk", "native", "backtest", "w.yaml", "x: 1", "a", "b"]
            values = [f"r{number}", *texts, '["AAPL"]', "[]", '{"sharpe": 1.5}', "{}", "{}", 10, 2, 0]
            names = ["id", *OLD_TEXT, *OLD_JSON, "bars", "warmup", "synthetic"]
            marks = ", ".join("?" * len(names))
            old.execute(f"INSERT INTO runs ({', '.join(names)}) VALUES ({marks})", values)  # noqa: S608 - our own names
    old.close()

    history = RunHistory()
    assert [(record.id, record.pinned, record.damage) for record in history.list()] == [
        ("r2", False, ""),
        ("r1", False, ""),
        ("r0", False, ""),
    ]
    assert history.get("r1").metrics == {"sharpe": 1.5}
    history.pin("r0")
    assert [record.pinned for record in history.list()] == [False, False, True]
    added = history.add(walk_result())
    history.pin(added)
    assert history.get(added).pinned
    (copy,) = home_dir.glob("history.db.v1-*.bak")
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT count(*) FROM runs").fetchone() == (3,)
        assert "pinned" not in columns_of(kept, "runs")


def test_a_history_that_was_brought_forward_has_the_columns_of_a_new_one(home_dir: Path, tmp_path: Path) -> None:
    test_a_history_of_the_first_format_opens_with_all_its_rows_and_runs_can_be_pinned(home_dir)
    with RunHistory().reading() as old, RunHistory(tmp_path / "new" / "history.db").reading() as new:
        assert columns_of(old, "runs") == columns_of(new, "runs")


OPENER = """
import sys
from quantcrafter.engine.runtime.run_store.history import RunHistory
sys.stdin.readline()
print(len(RunHistory().list()))
"""


def test_several_processes_bring_an_old_history_to_the_new_format_at_once(home_dir: Path) -> None:
    test_a_history_of_the_first_format_opens_with_all_its_rows_and_runs_can_be_pinned(home_dir)
    with sqlite3.connect(home_dir / "history.db") as old:
        old.execute("ALTER TABLE runs DROP COLUMN pinned")
        old.execute("PRAGMA user_version = 1")
    old.close()
    for copy in home_dir.glob("*.bak"):
        copy.unlink()
    openers = [
        subprocess.Popen([sys.executable, "-c", OPENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [opener.communicate("go\n", timeout=60)[0].strip() for opener in openers] == ["4"] * 3
    assert len(list(home_dir.glob("*.bak"))) == 1


def test_a_pinned_run_is_deleted_by_force_only(capsys: pytest.CaptureFixture[str]) -> None:
    run_id = kept_run(1)
    RunHistory().pin(run_id)

    assert main(["runs", "delete", "last"]) == WRONG_INPUT
    said = capsys.readouterr().err
    assert f"The run {run_id} is pinned and was not deleted. Unpin it with 'quantcrafter runs unpin {run_id}'" in said
    assert "--force" in said
    assert kept(run_id) == "all"

    assert main(["runs", "delete", "last", "--force"]) == 0
    assert RunHistory().list() == []


@pytest.mark.parametrize("command", ["clean", "usage"])
def test_pinned_runs_that_hold_more_than_the_limit_are_named_with_what_to_do(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = kept_run(1, columns=12_000 * KB)
    set_keep_gb(0.01)
    RunHistory().pin(run_id)

    assert main(["runs", command]) == 0
    said = capsys.readouterr().err
    assert (
        "over the limit: 1 pinned run of 0.01 GB can't be deleted. To unpin a run, use 'quantcrafter runs unpin ID'"
        in said
    )
    assert kept(run_id) == "all"

    RunHistory().pin(run_id, on=False)
    assert main(["runs", "clean"]) == 0
    assert "over the limit" not in capsys.readouterr().err
    assert not trace_folder(run_id).exists()
