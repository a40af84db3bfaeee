"""Which worker a strategy file has, and the folders of all workers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import did_you_mean, shown_path
from quantcrafter.engine.live.input_log import LOG, InputLog, has_log

_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_KEPT = 60
"""How many letters of a name a key has at most."""


def workers_folder() -> Path:
    """Return the folder of all workers of the user's data folder; it need not exist."""
    return home() / "workers"


def all_folders() -> list[Path]:
    """Return what is in the folder of all workers, sorted.

    Raises:
        RunError: it can't be read.
    """
    folder = workers_folder()
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        cause, remedy = fault(error, "home")
        raise RunError(
            Message(
                "The folder of the workers '{folder}' can't be used: {cause}. {remedy}",
                folder=shown_path(folder),
                cause=cause,
                remedy=remedy,
            )
        ) from error


def worker_folders() -> dict[str, Path]:
    """Return the folder of each worker that has a log, by its key.

    Raises:
        RunError: they can't be read.
    """
    return {each.name: each for each in all_folders() if (each / LOG).exists()}


def unknown_worker(key: str, known: Sequence[str]) -> RunError:
    """Return the error that there is no worker of this key, with those that there are."""
    remedy = did_you_mean(key, known) or (
        Message("There are {known}.", known=", ".join(known)) if known else Message("There are none.")
    )
    return RunError(Message("There is no worker '{key}'. {remedy}", key=key, remedy=remedy))


def folder_of(key: str) -> Path:
    """Return the folder of a worker.

    Raises:
        RunError: there is no such worker.
    """
    known = worker_folders()
    if key not in known:
        raise unknown_worker(key, list(known))
    return known[key]


def folders_for(files: Sequence[Path], user_id: str | None = None) -> list[Path]:
    """Return the folder of each strategy file's worker: named as the file, apart from others of the same name.

    With a user, the name begins with it: each user has a worker of their own.

    Raises:
        RunError: a log in such a folder can't be read.
    """
    owners: dict[Path, str] = {}
    found = []
    for file in files:
        path = str(file.absolute())
        name = f"{user_id}_{file.stem}" if user_id else file.stem
        plain = workers_folder() / (_OTHER.sub("_", name)[:_KEPT].strip(".") or "strategy")
        owner = owners.setdefault(plain, _owner_of(plain) or path)
        digest = hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
        found.append(plain if owner == path else plain.with_name(f"{plain.name}-{digest}"))
    return found


def _owner_of(folder: Path) -> str:
    """Return the strategy file of a worker, '' if its folder has no log."""
    if not has_log(folder / LOG):
        return ""
    with InputLog.read(folder / LOG) as log:
        return str(log.meta().get("file", ""))
