"""The registry of workers: what each is made of, and whether it is to run, in a file of its folder.

There is no other book of workers: an orchestrator that was killed finds here what it was to run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message, without_stop
from quantcrafter.engine.api.os_errors import LONGEST_CAUSE, fault
from quantcrafter.engine.api.wording import shortened, shown_path
from quantcrafter.engine.live.places import all_folders, workers_folder
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig
from quantcrafter.engine.spec.field_messages import explain

REGISTERED = "worker.json"
REMOVED = "removed"
"""An empty file in the folder of a worker that was removed with its row: it is not listed any more."""


@dataclass(frozen=True, slots=True)
class RegisteredWorker:
    """A worker, and whether it is to run."""

    config: WorkerConfig
    wanted: bool = True


def registered_workers() -> dict[str, RegisteredWorker]:
    """Return all registered workers by key, without those whose file can't be read (`unreadable_workers`)."""
    return {key: each for key, each in _every() if isinstance(each, RegisteredWorker)}


def registered_worker(key: str) -> RegisteredWorker | None:
    """Return a registered worker; None if there is none, or its file can't be read."""
    found = _read(workers_folder() / key / REGISTERED)
    return found if isinstance(found, RegisteredWorker) else None


def unreadable_workers() -> dict[str, str]:
    """Return by key why the file of a registered worker can't be read, and what to do."""
    return {key: each for key, each in _every() if isinstance(each, str)}


def _every() -> Iterator[tuple[str, RegisteredWorker | str | None]]:
    for folder in all_folders():
        yield folder.name, _read(folder / REGISTERED)


def _read(path: Path) -> RegisteredWorker | str | None:
    """Return what is registered, why it can't be read, or None if nothing is."""
    try:
        read: Any = json.loads(path.read_text(encoding="utf-8"))
        return RegisteredWorker(_config_of(read["config"], path.parent.name), read["wanted"] is True)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        reason = fault(error, "read").cause if isinstance(error, OSError) else _why(error)
        return Message(
            "'{path}' can't be read ({reason}), so the worker '{key}' doesn't run. Start its strategy file again, or "
            "remove that file.",
            path=shown_path(path),
            reason=shortened(reason, LONGEST_CAUSE),
            key=path.parent.name,
        )


def _why(error: Exception) -> str:
    """Return what is wrong with the content of a file."""
    match error:
        case UnicodeDecodeError():
            return Message("it is no text in UTF-8")
        case json.JSONDecodeError() | RecursionError():
            return Message("it is no JSON")
        case KeyError():
            return Message("'{name}' is missing", name=str(error.args[0]))
        case ValueError():
            return str(error)
        case _:
            return Message("it is not the configuration of a worker")


def _config_of(given: Any, key: str) -> WorkerConfig:
    """Return a configuration if it is one, of the worker with this key.

    Raises:
        TypeError, ValueError, KeyError: it is none.
    """
    values = {**given, "overrides": tuple(given["overrides"])}
    config = WorkerConfig(**values)  # refuses names that it doesn't know
    try:
        _types().validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(without_stop(explain(first, ".".join(map(str, first["loc"]))))) from error
    if config.key != key:
        raise ValueError(f"it is that of the worker '{config.key}'")
    return config


@cache
def _types() -> TypeAdapter[WorkerConfig]:
    return TypeAdapter(WorkerConfig)


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


def forget(key: str) -> None:
    """Remove a worker from the registry, and from the list of workers; its data stays."""
    unregister(key)
    folder = workers_folder() / key
    with suppress(OSError):  # it is listed then
        if folder.is_dir():
            (folder / REMOVED).touch()


def remember(key: str) -> None:
    """List a worker again that was forgotten."""
    with suppress(OSError):
        (workers_folder() / key / REMOVED).unlink(missing_ok=True)


def is_forgotten(key: str) -> bool:
    """Return whether a worker was removed with its row, and not started since."""
    return (workers_folder() / key / REMOVED).exists()
