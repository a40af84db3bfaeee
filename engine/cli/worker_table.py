"""What the workers are doing, from the registry, their folders and the orchestrator, and as a table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from quantcrafter.engine.live.status_file import WorkerStatus
    from quantcrafter.engine.orchestrator.registry import RegisteredWorker

SHOWN = ("state", "mode", "strategy", "symbol", "position", "pnl_today", "feed_age_s", "started_at")
_NUMBERS = ("position", "pnl_today", "feed_age_s")


def every_worker(answer: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return the status of each worker by key, with `error`.

    Args:
        answer: what the orchestrator says of its workers; None if none is running.
    """
    from quantcrafter.engine.live.places import worker_folders, workers_folder
    from quantcrafter.engine.orchestrator.registry import registered_workers

    told: dict[str, Any] = {} if answer is None else answer["workers"]
    registered = registered_workers()
    keys = sorted({*worker_folders(), *registered, *told})
    return {key: _status_of(workers_folder() / key, registered.get(key), told.get(key)) for key in keys}


def _status_of(folder: Path, registered: RegisteredWorker | None, told: dict[str, Any] | None) -> dict[str, Any]:
    from quantcrafter.engine.live.status_file import read_status
    from quantcrafter.engine.orchestrator.orchestrator import is_alive

    found = read_status(folder)
    status = _before(registered) if found is None else _values(found)
    if told is not None and (found is None or not is_alive(found.state) or is_alive(told["state"])):
        status |= {"state": told["state"]} | ({"error": told["error"]} if told["error"] else {})
    return status


def _before(registered: RegisteredWorker | None) -> dict[str, Any]:
    """Return the status of a worker that has not run yet."""
    config = None if registered is None else registered.config
    return {
        "state": "created",
        "mode": None if config is None else config.mode,
        "strategy": None if config is None else config.strategy,
        "symbol": None if config is None else config.symbol,
        "strategy_hash": None if config is None else config.strategy_hash,
        "epoch": None,
        "started_at": None,
        "feed_age_s": None,
        "position": None,
        "pnl_today": None,
        "log_stream_url": None,
        "error": "",
    }


def _values(found: WorkerStatus) -> dict[str, Any]:
    age = None if found.last_input_at is None else max(0.0, (time.time_ns() - found.last_input_at) / 1e9)
    return {
        "state": found.state,
        "mode": found.mode,
        "strategy": found.strategy,
        "symbol": found.symbol,
        "strategy_hash": found.strategy_hash,
        "epoch": found.epoch,
        "started_at": moment(found.started_at),
        "feed_age_s": age,
        "position": found.position,
        "pnl_today": found.pnl_today,
        "log_stream_url": None,
        "error": found.error,
    }


def worker_table(workers: dict[str, dict[str, Any]]) -> Table:
    """Return a table of all workers."""
    from quantcrafter.engine.cli.console import table

    errors = any(values["error"] for values in workers.values())
    names = (*SHOWN, "error") if errors else SHOWN
    made = table(
        "worker", *(name.replace("_", " ") for name in names), right=tuple(n.replace("_", " ") for n in _NUMBERS)
    )
    for key, values in workers.items():
        made.add_row(key, *(shown(values[name]) for name in names))
    return made


def moment(ts_ns: int) -> str:
    """Return a time in UTC as text."""
    from quantcrafter.engine.data.labels import local_time

    return local_time(ts_ns, "UTC").isoformat()


def shown(value: Any) -> str:
    """Return a value for people."""
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
