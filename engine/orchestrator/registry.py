"""The registry of workers: what each is made of, and whether it is to run, in a file of its folder.

There is no other book of workers: an orchestrator that was killed finds here what it was to run.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig

log = logging.getLogger("quantcrafter.orchestrator")

REGISTERED = "worker.json"


@dataclass(frozen=True, slots=True)
class RegisteredWorker:
    """A worker, and whether it is to run."""

    config: WorkerConfig
    wanted: bool = True


def registered_workers() -> dict[str, RegisteredWorker]:
    """Return all registered workers by key; one whose file can't be read is left out, with a warning."""
    try:
        folders = sorted(workers_folder().iterdir())
    except FileNotFoundError:
        return {}
    found = ((folder.name, _read(folder / REGISTERED)) for folder in folders)
    return {key: each for key, each in found if each is not None}


def registered_worker(key: str) -> RegisteredWorker | None:
    """Return a registered worker; None if there is none, or its file can't be read."""
    return _read(workers_folder() / key / REGISTERED)


def _read(path: Path) -> RegisteredWorker | None:
    try:
        read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        config = WorkerConfig(**{**read["config"], "overrides": tuple(read["config"]["overrides"])})
        return RegisteredWorker(config, bool(read["wanted"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("The registered worker '%s' can't be read: %s", path, error)
        return None


def register(config: WorkerConfig, *, wanted: bool = True) -> None:
    """Register a worker, or change what is registered.

    Raises:
        RunError: it can't be written; what was registered stays.
    """
    path = config.folder / REGISTERED
    beside = path.with_name(f".{REGISTERED}.part")
    text = json.dumps({"wanted": wanted, "config": asdict(config)}, ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        cause, remedy = fault(error, "home")
        raise RunError(
            Message(
                "The worker '{key}' can't be registered in '{folder}': {cause}. {remedy}",
                key=config.key,
                folder=shown_path(path.parent),
                cause=cause,
                remedy=remedy,
            )
        ) from error


def want(key: str, *, wanted: bool) -> None:
    """Note whether a registered worker is to run.

    Raises:
        RunError: it can't be written.
    """
    known = registered_worker(key)
    if known is not None and known.wanted != wanted:
        register(known.config, wanted=wanted)


def unregister(key: str) -> None:
    """Remove a worker from the registry; its data stays."""
    (workers_folder() / key / REGISTERED).unlink(missing_ok=True)
