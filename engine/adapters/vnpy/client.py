"""The client of the vnpy process: starts it, sends it jobs one at a time, and ends it.

1. It starts in a folder of the user's directory that holds `.vntrader`, where vnpy then keeps its settings.
2. It sends a message once vnpy is imported; a Qt module in it would end the run.
3. It receives a job, and sends progress and the ledger. A cancelled job ends the process; the next one starts another.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from quantcrafter.engine.adapters.vnpy.worker_messages import Answer, Hello, Refusal, WorkerProgress, WorkerRequest
from quantcrafter.engine.api.engine import ClassJob, EngineJob
from quantcrafter.engine.api.errors import ComponentError, QuantCrafterError, RunCancelledError, RunError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path

_START_TIMEOUT_S = 120.0
_END_TIMEOUT_S = 5.0
_LOOK_EVERY_S = 0.1
_ENDED = object()


def settings_folder() -> Path:
    """Return the folder in which the vnpy process runs; vnpy's own settings are in `.vntrader` below it."""
    return home() / "vnpy"


class VnpyProcess:
    """A process that has imported vnpy and runs one job after the other."""

    def __init__(self) -> None:
        folder = settings_folder()
        try:
            (folder / ".vntrader").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            cause, remedy = fault(error, "home")
            text = Message(
                "vnpy needs a folder for its settings, but '{folder}' can't be made: {cause}. {remedy}",
                folder=shown_path(folder),
                cause=cause,
                remedy=remedy,
            )
            raise RunError(text) from error
        self._process = subprocess.Popen(
            [sys.executable, "-m", "quantcrafter.engine.adapters.vnpy.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, **_places()},
            start_new_session=True,  # Ctrl-C is ours to handle
        )
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="vnpy-reader", daemon=True)
        self._reader.start()
        self.hello = self._welcome()

    @property
    def alive(self) -> bool:
        """Whether it is ready for a job."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def call(self, kind: str, job: EngineJob | ClassJob) -> Any:
        """Run a job and return its result.

        Raises:
            RunError: the job failed, or the process died; ComponentError if a component failed.
            RunCancelledError: `job.cancelled()` returned True; the process is ended.
        """
        with self._lock:
            self._send(WorkerRequest(kind, replace(job, progress=_silent, cancelled=_never)))
            while True:
                message = self._next(job.cancelled)
                if isinstance(message, WorkerProgress):
                    job.progress(message.done, message.total)
                elif isinstance(message, Answer):
                    return message.result
                else:
                    raise self._failure(message)

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        if self.alive:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _welcome(self) -> Hello:
        message = self._next(_never, _START_TIMEOUT_S)
        if not isinstance(message, Hello):
            self.close()
            raise self._failure(message)
        if message.qt_modules:
            self.close()
            raise RunError(
                Message(
                    "vnpy must run without Qt, but loaded {qt_modules}. Reinstall vnpy.",
                    qt_modules=", ".join(message.qt_modules),
                )
            )
        return message

    def _send(self, request: WorkerRequest) -> None:
        stream = self._process.stdin
        try:
            payload = pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            raise RunError(
                Message(
                    "The run can't be handed to the vnpy process: {error}. Classes of a plugin must be found by "
                    "their module's name; use another engine, or install the plugin as a package.",
                    error=error,
                )
            ) from error
        try:
            if stream is not None:
                stream.write(payload)
                stream.flush()
        except OSError as error:
            raise self._failure(_ENDED) from error

    def _next(self, cancelled: Callable[[], bool], timeout_s: float = float("inf")) -> Any:
        waited = 0.0
        while True:
            if cancelled():
                self.close()
                raise RunCancelledError(Message("The run was cancelled."))
            try:
                return self._messages.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                waited += _LOOK_EVERY_S
                if waited > timeout_s:
                    self.close()
                    raise RunError(
                        Message(
                            "The vnpy process didn't start within {timeout_s:.0f} s. Try again.", timeout_s=timeout_s
                        )
                    ) from None

    def _read(self) -> None:
        stream = self._process.stdout
        try:
            while stream is not None:
                self._messages.put(pickle.load(stream))  # noqa: S301 - our own process
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self._messages.put(_ENDED)

    def _failure(self, message: Any) -> QuantCrafterError:
        if isinstance(message, Refusal):
            kind = ComponentError if message.code == ComponentError.code else RunError
            text = joined([message.message, message.traceback], "\n")
            return kind(text, node=message.node, field=message.field)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_TIMEOUT_S)
        code = self._process.poll()
        return RunError(
            Message("The vnpy process ended unexpectedly (exit code {code}). Run again; nothing was saved.", code=code)
        )


class _Shared:
    """The process that strategy files share: one at a time, for one user directory."""

    def __init__(self) -> None:
        self._process: VnpyProcess | None = None
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def get(self) -> VnpyProcess:
        with self._lock:
            if self._process is None or not self._process.alive or self._folder != settings_folder():
                self._close()
                self._process, self._folder = VnpyProcess(), settings_folder()
            return self._process

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


_shared = _Shared()
atexit.register(_shared.close)


def shared_process() -> VnpyProcess:
    """Return the running vnpy process, or start it."""
    return _shared.get()


def end_shared_process() -> None:
    """End the shared process, if there is one; the next run starts another."""
    _shared.close()


def _places() -> dict[str, str]:
    """Return what the environment says of places, in absolute paths: the process runs in another folder."""
    places = {"PYTHONPATH": os.pathsep.join(str(Path(entry or ".").absolute()) for entry in sys.path)}
    for name in ("QUANTCRAFTER_HOME", "NUMBA_CACHE_DIR"):
        if os.environ.get(name):
            places[name] = str(Path(os.environ[name]).expanduser().absolute())
    return places


def _silent(done: int, total: int) -> None:
    """Stand in for a callable that cannot leave this process."""


def _never() -> bool:
    return False
