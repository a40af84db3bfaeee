"""What the workers are doing, from the registry, their folders and the orchestrator, as plain values."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from quantcrafter.engine.data.labels import local_time
from quantcrafter.engine.live.api_files import base_url, log_stream_url
from quantcrafter.engine.live.places import worker_folders, workers_folder
from quantcrafter.engine.live.status_file import WorkerStatus, read_status
from quantcrafter.engine.live.worker import ALIVE, WorkerState
from quantcrafter.engine.orchestrator.registry import (
    RegisteredWorker,
    is_forgotten,
    registered_workers,
    unreadable_workers,
)


def every_worker(answer: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return the status of each worker by key, with `error`.

    Args:
        answer: what the orchestrator says of its workers; None if none is running.
    """
    told: dict[str, Any] = {} if answer is None else answer["workers"]
    registered, unreadable = registered_workers(), unreadable_workers()
    left = {key for key in worker_folders() if not is_forgotten(key)}
    keys = sorted({*left, *registered, *unreadable, *told})
    found = {key: _status_of(workers_folder() / key, registered.get(key), told.get(key)) for key in keys}
    for key, reason in unreadable.items():
        if not is_alive(found[key]["state"]):
            found[key] |= {"state": str(WorkerState.ERROR), "error": reason}
    base = base_url()
    if base is not None:
        for key, each in found.items():
            each["log_stream_url"] = log_stream_url(key, base=base)
    return found


def is_alive(state: str) -> bool:
    """Return whether a worker in a state does something."""
    return WorkerState(state) in ALIVE


def _status_of(folder: Path, registered: RegisteredWorker | None, told: dict[str, Any] | None) -> dict[str, Any]:
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
        "started_at": local_time(found.started_at, "UTC").isoformat(),
        "feed_age_s": age,
        "position": found.position,
        "pnl_today": found.pnl_today,
        "log_stream_url": None,
        "error": found.error,
    }
