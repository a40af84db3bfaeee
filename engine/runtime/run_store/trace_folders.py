"""Where runs lie with their columns: `traces/` of the user's directory, one folder a run.

The folders of runs in the history are named by the run's id. Trials, which the history does not keep, are in
`traces/trials/`, apart for each program that has any. `engine.runtime.run_store.cleanup` says which of them stay.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from quantcrafter.engine.api.home import home

TRIALS = "trials"
KEPT_TRIALS = 6
UNFINISHED_AGE_S = 3600.0
"""What was written or deleted half is older than that when nobody can be at it any more."""
_FORGOTTEN_AGE_S = 2 * 86_400.0


def trace_folder(run_id: str) -> Path:
    """Return the folder of a run of the history; it need not exist (any more)."""
    return home() / "traces" / run_id


def trial_folder(owner: str, name: str) -> Path:
    """Return the folder of a trial of a program; `owner` tells programs that run at the same time apart."""
    return home() / "traces" / TRIALS / owner / name


def unfinished(place: Path) -> Path:
    """Return a name beside a file or folder for one that is being written or deleted, and tells who is at it."""
    return place.with_name(f".{place.name}.{os.getpid()}.{secrets.token_hex(4)}.part")


def discard(place: Path) -> bool:
    """Delete a file or folder whole: it is renamed first, so that whoever dies leaves no half of it under its name.

    Returns whether it is gone from its name; Windows keeps files that are being read.
    """
    beside = unfinished(place)
    try:
        place.rename(beside)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    remove(beside)
    return True


def remove(place: Path) -> None:
    """Delete a file or folder, as far as that can be done."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with suppress(OSError):
            place.unlink(missing_ok=True)


def is_abandoned(place: Path) -> bool:
    """Return whether nobody writes or deletes an unfinished folder any more: its process is gone, or it is old."""
    return age(place) > UNFINISHED_AGE_S or not is_alive(place.name.rsplit(".", 3)[-3:][0])


def prune_trials(owner: str, in_use: Collection[Path] = (), *, keep: int = KEPT_TRIALS) -> int:
    """Delete all but the latest trials of a program, and return how many went; those `in_use` stay."""
    folder = home() / "traces" / TRIALS / owner
    return sum(discard(each) for each in folders(folder)[keep:] if each not in in_use)


def forget_trials(owner: str = "") -> None:
    """Delete the trials of a program that ends; and those of others that nobody touched for days."""
    folder = home() / "traces" / TRIALS
    for each in folders(folder):
        if each.name == owner or age(each) > _FORGOTTEN_AGE_S:
            remove(each)


def folders(folder: Path) -> list[Path]:
    """Return the whole folders of a folder, the latest first."""
    if not folder.is_dir():
        return []
    found = [(age(each), each) for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")]
    return [each for _, each in sorted(found)]


def age(place: Path) -> float:
    """Return the seconds since a file or folder was changed, infinite where there is none."""
    try:
        return time.time() - place.stat().st_mtime
    except OSError:
        return float("inf")


def is_alive(pid: str) -> bool:
    """Return whether a process may be running; True where that cannot be told."""
    if os.name == "nt" or not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
