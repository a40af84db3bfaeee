from __future__ import annotations

import os
from pathlib import Path

from engine.runtime.traces import forget_trials, prune_traces, prune_trials, trace_folder, trial_folder


def make(folder: Path, age_s: float, size: int = 10) -> Path:
    folder.mkdir(parents=True)
    (folder / "column.npy").write_bytes(b"x" * size)
    then = folder.stat().st_mtime - age_s
    os.utime(folder, (then, then))
    return folder


def test_the_oldest_traces_go_first_and_those_in_use_stay() -> None:
    folders = [make(trace_folder(f"run{number}"), age_s=100 * number) for number in range(6)]

    assert prune_traces([folders[5]], runs=3) == 2

    assert [folder.exists() for folder in folders] == [True, True, True, False, False, True]


def test_traces_are_limited_in_bytes_but_the_latest_stay() -> None:
    folders = [make(trace_folder(f"run{number}"), age_s=100 * number, size=1000) for number in range(8)]

    prune_traces(limit=2500)

    assert [folder.exists() for folder in folders] == [True] * 5 + [False] * 3


def test_trials_are_pruned_apart_from_runs_and_apart_for_each_program() -> None:
    run = make(trace_folder("run"), age_s=1e6)
    other = make(trial_folder("other", "old"), age_s=900)
    mine = [make(trial_folder("me", f"t{number}"), age_s=100 * number) for number in range(4)]

    assert prune_trials("me", [mine[3]], keep=2) == 1

    assert [folder.exists() for folder in mine] == [True, True, False, True]
    assert run.exists()
    assert other.exists()
    forget_trials("me")
    assert not any(folder.exists() for folder in mine)
    assert other.exists()


def test_what_a_killed_process_left_half_written_goes_once_it_is_old() -> None:
    old = make(trace_folder(".run.ab12.part"), age_s=7200)
    fresh = make(trace_folder(".run.cd34.part"), age_s=10)

    prune_traces()

    assert not old.exists()
    assert fresh.exists()
