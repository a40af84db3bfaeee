"""The workers as the API shows them, and what it asks of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import RunError
from quantcrafter.engine.live.api_files import log_stream_url
from quantcrafter.engine.live.input_log import is_running
from quantcrafter.engine.live.inputs import VERBS
from quantcrafter.engine.live.places import unknown_worker, workers_folder
from quantcrafter.engine.orchestrator.control import STATUS_S, ask
from quantcrafter.engine.orchestrator.orchestrator import put_kill_file, request_of
from quantcrafter.engine.orchestrator.registry import registered_workers
from quantcrafter.engine.orchestrator.worker_config import LIVE
from quantcrafter.engine.orchestrator.worker_listing import every_worker, is_alive
from quantcrafter.engine.server.users import ApiUser

_FRESH_S, _HUNG_FRESH_S = 0.25, 2.0
_ANSWER_S = 20.0  # the orchestrator itself waits up to 15 s for a worker
KILL_VERBS = ("no-entries", "cancel", "flatten", "stop")


class UnknownWorkerError(RunError):
    """There is no such worker."""

    code = "unknown_worker"


class ForbiddenError(RunError):
    """The user may not see a worker; it need not exist."""

    code = "forbidden"


class NotRunningError(RunError):
    """No orchestrator is running."""

    code = "not_running"


@dataclass(frozen=True, slots=True)
class SeenWorkers:
    """All workers at a moment, by key, with the user of each.

    `pid` is that of the orchestrator, None if none answers; `no_answer` says why one that runs doesn't answer.
    """

    at_s: float
    workers: dict[str, dict[str, Any]]
    users: dict[str, str | None]
    wanted: dict[str, bool]
    events: list[dict[str, Any]]
    pid: int | None
    hosts: dict[str, int]
    store: dict[str, Any] | None
    no_answer: str = ""


class WorkerDesk:
    """Looks at the workers, at most a few times a second, and asks things of them. Called in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: SeenWorkers | None = None

    def seen(self) -> SeenWorkers:
        """Return the workers as they were at most a quarter of a second ago.

        If the orchestrator hangs, they are what their own files say.
        """
        with self._lock:
            fresh_s = _HUNG_FRESH_S if self._seen is not None and self._seen.no_answer else _FRESH_S
            if self._seen is None or time.monotonic() - self._seen.at_s > fresh_s:
                answer, no_answer = None, ""
                try:
                    answer = ask("status", within_s=STATUS_S)
                except RunError as error:
                    no_answer = str(error)
                known = registered_workers()
                found = {} if answer is None else answer
                self._seen = SeenWorkers(
                    at_s=time.monotonic(),
                    workers=every_worker(answer),
                    users={key: each.config.user_id for key, each in known.items()},
                    wanted={key: each.wanted for key, each in known.items()},
                    events=list(found.get("events", ())),
                    pid=found.get("pid"),
                    hosts=dict(found.get("hosts", {})),
                    store=found.get("store"),
                    no_answer=no_answer,
                )
            return self._seen

    def forget(self) -> None:
        """Look again at the next call."""
        with self._lock:
            self._seen = None

    def visible(self, user: ApiUser, base: str) -> dict[str, dict[str, Any]]:
        """Return the workers that a user sees, by key, with the address of each log.

        Args:
            user: who looks.
            base: the address of the API as the user knows it.
        """
        seen = self.seen()
        return {
            key: {**each, "log_stream_url": log_stream_url(key, base=base, reader=user.name)}
            for key, each in seen.workers.items()
            if user.may_see(key, seen.users.get(key))
        }

    def check(self, user: ApiUser, key: str) -> Path:
        """Return the folder of a worker that a user sees.

        Raises:
            ForbiddenError: the user doesn't see it, or wouldn't if it existed.
            UnknownWorkerError: there is none.
        """
        seen = self.seen()
        if key not in seen.workers:
            if user.is_owner:
                raise UnknownWorkerError(str(unknown_worker(key, list(seen.workers))))
            raise ForbiddenError("You don't see this worker.")
        if not user.may_see(key, seen.users.get(key)):
            raise ForbiddenError("You don't see this worker.")
        return workers_folder() / key

    # ------------------------------------------------------------------ what is asked of them

    def command(self, user: ApiUser, keys: Sequence[str] | None, verb: str) -> dict[str, str]:
        """Have workers do something; return by key why one has not done so, '' if it has.

        Args:
            user: who asks.
            keys: the workers; all that the user sees and that run, if None.
            verb: `pause`, `resume`, or one of the kill switch, which reaches workers by a file if the orchestrator
                doesn't answer.

        Raises:
            RunError: the user doesn't see one, there is no such verb, or no orchestrator is running.
        """
        if verb not in VERBS:
            raise RunError(f"There is no verb '{verb}'; there are {', '.join(VERBS)}.")
        for key in keys or ():
            self.check(user, key)
        if keys is None:
            seen = self.seen()
            keys = [
                key
                for key, each in seen.workers.items()
                if is_alive(each["state"]) and user.may_see(key, seen.users.get(key))
            ]
        if not keys:
            return {}
        if verb in KILL_VERBS and self.seen().no_answer:
            return {key: _killed_by_file(key, verb) for key in keys}
        try:
            return dict(self._ask("command", command=verb, workers=list(keys))["answers"])
        except RunError:
            if verb not in KILL_VERBS:
                raise
            return {key: _killed_by_file(key, verb) for key in keys}

    def stop(self, user: ApiUser, key: str) -> None:
        """Stop a worker; orders and positions stay as they are.

        Raises:
            RunError: the user doesn't see it, or no orchestrator is running.
        """
        self.check(user, key)
        self._ask("stop", workers=[key])

    def start(self, user: ApiUser, key: str) -> None:
        """Start a worker that was stopped.

        Raises:
            RunError: the user doesn't see it, it trades real money, or no orchestrator is running.
        """
        self.check(user, key)
        found = registered_workers().get(key)
        if found is None:
            raise UnknownWorkerError(f"The worker '{key}' is not registered.")
        if found.config.mode == LIVE:
            raise RunError(f"The worker '{key}' trades real money. Start it on the command line, with --live.")
        self._ask("add", workers=request_of([found.config]))

    def _ask(self, verb: str, **values: Any) -> dict[str, Any]:
        try:
            answer = ask(verb, within_s=_ANSWER_S, **values)
        finally:
            self.forget()
        if answer is None:
            raise NotRunningError("No orchestrator is running. 'quantcrafter start' starts one.")
        return answer


def _killed_by_file(key: str, verb: str) -> str:
    """Put a kill file into the folder of a worker, if it runs; return why not, or an empty text."""
    folder = workers_folder() / key
    if not is_running(folder):
        return f"The worker '{key}' is not running."
    try:
        put_kill_file(folder, verb)
    except RunError as error:
        return str(error)
    return ""
