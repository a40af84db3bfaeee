"""The process of a worker that is a Python class: its `run` has the main thread, and orders come in another one."""

from __future__ import annotations

import importlib
import json
import logging
import math
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.foreign_process import leave_process
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.live.status_file import WorkerStatus, write_status
from quantcrafter.engine.live.worker import ALIVE, WorkerState
from quantcrafter.engine.orchestrator.factories import made_by
from quantcrafter.engine.orchestrator.host import prepare_process
from quantcrafter.engine.orchestrator.host_messages import (
    Beat,
    CommandDone,
    CommandWorker,
    EndHost,
    StartWorker,
    StopWorker,
    WorkerSaid,
    WorkerStats,
)
from quantcrafter.engine.orchestrator.worker_config import ClassConfig

log = logging.getLogger("quantcrafter.host")

_LOOK_S = 0.5


def serve_class(orders: Connection, beat: Any, rest: str, parent: int) -> None:
    """Run the worker of the first order until it ends or is stopped. The entry point of the process.

    Args:
        orders: the pipe to the supervisor.
        beat: memory for a `Beat`.
        rest: the log for what belongs to no worker.
        parent: the process of the supervisor.
    """
    logs = prepare_process(rest, parent)
    try:
        order = orders.recv()
    except (EOFError, OSError):
        leave_process(0)
    if not isinstance(order, StartWorker) or not isinstance(order.config, ClassConfig):
        return
    config = order.config
    with logs.serving(config.folder):
        logs.serve_all(config.folder)
        _ClassProcess(orders, Beat(beat), config).run()
    logs.close()


class _ClassProcess:
    def __init__(self, orders: Connection, beat: Beat, config: ClassConfig) -> None:
        self._orders, self._beat, self._config = orders, beat, config
        self._worker: Any = None
        self._stops = threading.Event()
        self._started_ns = time.time_ns()
        self._error = ""
        self._lock = threading.Lock()
        self._is_over = False

    def run(self) -> None:
        """Make the worker and run it."""
        config = self._config
        threading.Thread(target=self._read, name="orders", daemon=True).start()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        try:
            config.folder.mkdir(parents=True, exist_ok=True)
            self._say(WorkerState.STARTING)
            worker = made_by(class_at(config.path), config.symbol, config.strategy_key, config.user_id, config.params)
            if hasattr(worker, "load_state"):
                worker.load_state()
            self._worker = worker
            log.info("The worker began.")
            if not self._stops.is_set():
                self._say(WorkerState.RUNNING)
                worker.run()
        except BaseException as error:
            log.exception("The worker has failed.")
            self._error = f"{type(error).__name__}: {error}"
            self._say(WorkerState.ERROR)
            return
        log.info("The worker is stopped.")
        self._say(WorkerState.STOPPED, over=not self._stops.is_set())

    def _read(self) -> None:
        while True:
            try:
                order = self._orders.recv()
            except (EOFError, OSError):
                leave_process(0)  # the supervisor has ended
            if isinstance(order, CommandWorker):
                text = Message("The worker '{key}' is a class of its own: it can only be stopped.", key=order.key)
                self._orders.send(CommandDone(order.key, order.number, str(text)))
            if isinstance(order, (StopWorker, EndHost)) and not self._stops.is_set():
                self._stops.set()
                try:
                    if self._worker is not None:
                        self._worker.stop()
                except Exception:
                    log.exception("Stopping the worker has failed.")

    def _watch(self) -> None:
        """Tell what the worker says of itself."""
        while True:
            self._beat.begin(0, Beat.IDLE, time.monotonic_ns())
            if self._worker is not None:
                with self._lock:
                    if self._is_over:
                        return
                    self._write(self._state())
                stats = getattr(self._worker, "get_stats", dict)
                with suppress(Exception):
                    self._orders.send(WorkerStats(self._config.key, plain(stats())))
            time.sleep(_LOOK_S)

    def _state(self) -> WorkerState:
        try:
            state = WorkerState(str(getattr(self._worker.state, "value", self._worker.state)))
        except (AttributeError, ValueError):
            return WorkerState.RUNNING
        return state if state in ALIVE else WorkerState.RUNNING

    def _say(self, state: WorkerState, *, over: bool = False) -> None:
        with self._lock:
            self._is_over = state not in ALIVE
            self._write(state)
        self._orders.send(WorkerSaid(self._config.key, str(state), self._error, over=over))

    def _write(self, state: WorkerState) -> None:
        if getattr(self._worker, "writes_status", False):
            return
        config, position = self._config, 0.0
        with suppress(Exception):
            position = float(self._worker.get_position())
        status = WorkerStatus(
            str(state),
            config.mode,
            config.strategy_key,
            config.symbol,
            "",
            0,
            self._started_ns,
            time.time_ns(),
            position,
            error=self._error,
        )
        write_status(config.folder, status)


def class_at(path: str) -> Any:
    """Return the class at `module:Class`.

    Raises:
        RunError: there is none.
    """
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise RunError(
            Message("The class '{path}' can't be imported: {error}.", path=path, error=str(error).rstrip("."))
        ) from error
    return found


def path_of_class(cls: Any) -> str:
    """Return the place of a class as `module:Class`.

    Raises:
        RunError: another process can't import it.
    """
    path = f"{cls.__module__}:{cls.__qualname__}"
    if "<" in path:
        raise RunError(
            Message("The class '{path}' can't be imported by another process. Define it in a module.", path=path)
        )
    return path


def plain(value: Any) -> Any:
    """Return a value as JSON has it; what JSON doesn't have becomes text, and what is no number None."""
    match value:
        case bool() | int() | str() | None:
            return value
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(each) for each in value]
    try:
        return plain(json.loads(json.dumps(float(value))))
    except (TypeError, ValueError):
        return str(value)
