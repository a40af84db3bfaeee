from __future__ import annotations

import os
from pathlib import Path

from quantcrafter.engine.runtime.run_store.trace_folders import (
    discard,
    forget_trials,
    prune_trials,
    trace_folder,
    trial_folder,
)


def make(folder: Path, age_s: float, size: int = 10) -> Path:
    folder.mkdir(parents=True)
    (folder / "column.npy").write_bytes(b"x" * size)
    then = folder.stat().st_mtime - age_s
    os.utime(folder, (then, then))
    return folder


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


def test_what_is_discarded_is_gone_whole_and_leaves_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", age_s=0)
    file = tmp_path / "run.npz"
    file.write_bytes(b"x")
    assert discard(folder)
    assert discard(file)
    assert discard(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
