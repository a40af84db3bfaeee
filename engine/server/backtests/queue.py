"""The queue of backtests: what was asked for, how far it is, and what became of it."""

from __future__ import annotations

import logging
import multiprocessing
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, Literal

from quantcrafter.engine.api import RunError
from quantcrafter.engine.server.backtests.run_process import AskedRun, execute
from quantcrafter.engine.server.users import ApiUser

log = logging.getLogger("quantcrafter.api")

_MOST_WAITING, _MOST_OF_USER = 100, 20
_MOST_KEPT = 1_000
_POLL_S = 0.1
_END_S = 10.0

RunState = Literal["queued", "running", "done", "failed", "cancelled"]


class UnknownRunError(RunError):
    """There is no such run, or the user may not see it."""

    code = "unknown_run"


class FullQueueError(RunError):
    """Too many runs are waiting."""

    code = "full_queue"


@dataclass(eq=False)
class QueuedRun:
    """A backtest of the queue; `run_id` is that in the history once it is done."""

    user: str
    asked: AskedRun
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    state: RunState = "queued"
    stage: str = ""
    done: int = 0
    total: int = 0
    run_id: str | None = None
    error: str = ""
    problems: list[dict[str, Any]] = field(default_factory=list)
    is_cancelled: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "id": self.key,
            "user": self.user or "owner",
            "created_at": self.created_at,
            "state": self.state,
            "progress": {"stage": self.stage, "done": self.done, "total": self.total},
            "run_id": self.run_id,
            "error": self.error,
            "problems": self.problems,
        }

    def take(self, said: Mapping[str, Any]) -> None:
        """Note what its process said."""
        if "stage" in said:
            self.stage, self.done, self.total = said["stage"], said["done"], said["total"]
        elif "run_id" in said:
            self.state, self.run_id = "done", said["run_id"]
        elif "cancelled" in said:
            self.state = "cancelled"
        else:
            self.state, self.error, self.problems = "failed", said["error"], said["problems"]


class RunQueue:
    """Runs backtests one after the other. Methods can be called in any thread."""

    def __init__(self) -> None:
        self._runs: dict[str, QueuedRun] = {}
        self._lock = threading.Lock()
        self._added = threading.Event()
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, user: ApiUser, asked: AskedRun) -> QueuedRun:
        """Queue a backtest.

        Raises:
            FullQueueError: too many are waiting.
        """
        with self._lock:
            if sum(each.state == "queued" for each in self._runs.values()) >= _MOST_WAITING:
                raise FullQueueError(f"{_MOST_WAITING} runs are waiting already. Try again later.")
            if not user.is_owner:
                own = sum(each.state == "queued" and each.user == user.name for each in self._runs.values())
                if own >= _MOST_OF_USER:
                    raise FullQueueError(f"{_MOST_OF_USER} of your runs are waiting already. Try again later.")
            made = QueuedRun(user.name, asked)
            self._runs[made.key] = made
            over = [key for key, each in self._runs.items() if each.state not in ("queued", "running")]
            for key in over[: max(0, len(self._runs) - _MOST_KEPT)]:
                del self._runs[key]
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="runs", daemon=True)
                self._thread.start()
        self._added.set()
        return made

    def of(self, user: ApiUser) -> list[QueuedRun]:
        """Return the runs that a user sees, oldest first."""
        with self._lock:
            return [each for each in self._runs.values() if user.is_owner or each.user == user.name]

    def get(self, user: ApiUser, key: str) -> QueuedRun:
        """Return a run that a user sees.

        Raises:
            UnknownRunError: there is none.
        """
        found = next((each for each in self.of(user) if each.key == key), None)
        if found is None:
            raise UnknownRunError(f"There is no run '{key[:80]}'.")
        return found

    def cancel(self, user: ApiUser, key: str) -> QueuedRun:
        """End a run, or don't begin it; one that is over stays as it is.

        Raises:
            UnknownRunError: there is none.
        """
        found = self.get(user, key)
        with self._lock:
            found.is_cancelled = True
            if found.state == "queued":
                found.state = "cancelled"
        return found

    def close(self) -> None:
        """End what runs."""
        self._ends.set()
        self._added.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._ends.is_set():
            with self._lock:
                found = next((each for each in self._runs.values() if each.state == "queued"), None)
                if found is not None:
                    found.state = "running"
                else:
                    self._added.clear()
            if found is None:
                self._added.wait()
                continue
            try:
                self._execute(found)
            except Exception:
                log.exception("A run of the queue has failed: %s", found.key)
                found.state, found.error = "failed", "The run has failed; the API's log says why."

    def _execute(self, found: QueuedRun) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=execute, args=(theirs, found.asked), daemon=True)
        process.start()
        theirs.close()
        with ours:
            self._follow(found, ours)
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join()

    def _follow(self, found: QueuedRun, connection: Connection) -> None:
        asked_at: float | None = None
        while found.state == "running":
            try:
                if connection.poll(_POLL_S):
                    found.take(connection.recv())
                if (found.is_cancelled or self._ends.is_set()) and asked_at is None:
                    connection.send("cancel")
                    asked_at = time.monotonic()
            except (EOFError, OSError):
                found.state, found.error = "failed", "The process of the run has ended without a result."
                return
            if asked_at is not None and time.monotonic() - asked_at > _END_S:
                found.state = "cancelled"  # it is killed
