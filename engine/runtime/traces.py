"""Where the traces of runs lie, and which of them stay: `traces/` of the user's directory, one folder a run.

The traces of runs in the history are named by the run's id. Trials, which the history does not keep, lie in
`traces/trials/`, apart for each program that has any. Old traces go; what the history itself keeps of a run (metrics,
books, file) stays.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection
from pathlib import Path

from engine.api.home import home

KEPT_RUNS = 200
KEPT_BYTES = 8 * 1024**3
ALWAYS_KEPT = 5
"""So many stay, however large they are."""
KEPT_TRIALS = 6
_UNFINISHED_AGE_S = 3600.0
_FORGOTTEN_AGE_S = 2 * 86_400.0


def trace_folder(run_id: str) -> Path:
    """Return the folder of a run of the history; it need not exist (any more)."""
    return home() / "traces" / run_id


def trial_folder(owner: str, name: str) -> Path:
    """Return the folder of a trial of a program; `owner` tells programs that run at the same time apart."""
    return home() / "traces" / "trials" / owner / name


def prune_traces(in_use: Collection[Path] = (), *, runs: int = KEPT_RUNS, limit: int = KEPT_BYTES) -> int:
    """Delete the oldest traces beyond `runs` in number or `limit` bytes altogether, and return how many went.

    Those that somebody looks at (`in_use`) stay.
    """
    folder = home() / "traces"
    found = [each for each in _folders(folder) if each.name != "trials"]
    total = gone = 0
    for number, each in enumerate(found):
        total += _size(each)
        too_many = number >= runs or (total > limit and number >= ALWAYS_KEPT)
        if too_many and each not in in_use:
            gone += _remove(each)
    _remove_unfinished(folder)
    return gone


def prune_trials(owner: str, in_use: Collection[Path] = (), *, keep: int = KEPT_TRIALS) -> int:
    """Delete all but the latest trials of a program, and return how many went; those `in_use` stay."""
    folder = home() / "traces" / "trials" / owner
    gone = sum(_remove(each) for each in _folders(folder)[keep:] if each not in in_use)
    _remove_unfinished(folder)
    return gone


def forget_trials(owner: str = "") -> None:
    """Delete the trials of a program that ends; and those of others that nobody touched for days."""
    folder = home() / "traces" / "trials"
    for each in _folders(folder):
        if each.name == owner or _age(each) > _FORGOTTEN_AGE_S:
            _remove(each)


def _folders(folder: Path) -> list[Path]:
    """Return the whole folders of a folder, the latest first."""
    if not folder.is_dir():
        return []
    found = [(_age(each), each) for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")]
    return [each for _, each in sorted(found)]


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")


def _size(folder: Path) -> int:
    try:
        return sum(each.stat().st_size for each in folder.iterdir())
    except OSError:
        return 0


def _remove(folder: Path) -> int:
    """Delete a folder, as far as that can be done: Windows keeps files that are being read."""
    shutil.rmtree(folder, ignore_errors=True)
    return int(not folder.exists())


def _remove_unfinished(folder: Path) -> None:
    """Delete what a killed process left half-written."""
    for each in folder.glob(".*.part") if folder.is_dir() else ():
        if _age(each) > _UNFINISHED_AGE_S:
            _remove(each)
