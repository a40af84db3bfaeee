"""Orchestrator: runs the registered workers of a data folder. There is one for each folder.

1. `open` takes the folder's lock, and starts the workers that the registry wants: those that ran when the orchestrator
   before it was killed.
2. `run` supervises them. Requests come by the control socket meanwhile, in other threads.
3. `close` stops the workers, and leaves them registered.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, Self

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.locks import try_lock
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.live.inputs import VERBS
from quantcrafter.engine.live.kill_switch import KILL
from quantcrafter.engine.live.places import folder_of
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.notices.notice import NoticeSeverity, OperatorNotice
from quantcrafter.engine.notices.outlet import NoticeOutlet, WarningsAsNotices
from quantcrafter.engine.orchestrator.control import ControlServer
from quantcrafter.engine.orchestrator.host_messages import WorkerNotices
from quantcrafter.engine.orchestrator.lifecycle import LifecycleEvent
from quantcrafter.engine.orchestrator.registry import register, registered_workers, remember, unreadable_workers, want
from quantcrafter.engine.orchestrator.supervisor import (
    AskedCommand,
    AskedReplacement,
    Limits,
    SupervisedWorker,
    Supervisor,
    orchestrator_folder,
)
from quantcrafter.engine.orchestrator.worker_config import LIVE, ClassConfig, WorkerConfig
from quantcrafter.engine.orchestrator.worker_log import WorkerLogs

log = logging.getLogger("quantcrafter.orchestrator")

OWN_LOG = "orchestrator.log"
COMMAND_S = 15.0
"""How long a command to a worker may take, in seconds, until it is in its log."""


class RunsAlreadyError(RunError):
    """Another process is the orchestrator of the data folder."""

    code = "runs_already"


class StoreSide(Protocol):
    """What keeps the workers equal to a store, as far as the orchestrator is asked about it."""

    def status(self) -> dict[str, Any]:
        """Return what is known of the store, as plain values."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Orchestrator:
    """The registered workers of the data folder, in host processes.

    Args:
        limits: how long things may take.
        most_hosts: how many shared host processes there are at most; the number of processors if left out.
        outlet: sends notices, from `open` to `close`; None for none.
    """

    def __init__(
        self, *, limits: Limits | None = None, most_hosts: int | None = None, outlet: NoticeOutlet | None = None
    ) -> None:
        self._supervisor = Supervisor(
            limits=limits or Limits(),
            most_hosts=most_hosts,
            changed=self._changed,
            replaced=_replaced,
            noticed=self._noticed,
        )
        self._outlet = outlet
        self._store: StoreSide | None = None
        self._stack = ExitStack()
        self._ends = threading.Event()

    # ------------------------------------------------------------------ life

    def open(self) -> Self:
        """Take the data folder, listen for requests, and start what the registry wants.

        Raises:
            RunsAlreadyError: another process has it.
            RunError: its files can't be written.
        """
        folder = made_folder()
        with ExitStack() as stack:
            try:
                lock = stack.enter_context((folder / "lock").open("ab"))
                if not try_lock(lock):
                    raise RunsAlreadyError(
                        Message(
                            "The workers of '{folder}' are run by another process already.",
                            folder=shown_path(folder.parent),
                        )
                    )
                self._keep_log(stack)
                self._send_notices(stack)
                server = ControlServer(self.handle)
            except OSError as error:
                raise folder_failure(folder, error) from error
            stack.callback(server.close)
            self._stack = stack.pop_all()
        for reason in unreadable_workers().values():
            log.warning("%s", reason)
        for each in registered_workers().values():
            if each.wanted:
                self._supervisor.start(each.config)
        return self

    def _keep_log(self, stack: ExitStack) -> None:
        logs = WorkerLogs(orchestrator_folder() / OWN_LOG)
        ours = logging.getLogger("quantcrafter")
        before = ours.level
        ours.addHandler(logs)
        ours.setLevel(logging.INFO)
        stack.callback(logs.close)
        stack.callback(ours.removeHandler, logs)
        stack.callback(ours.setLevel, before)

    def _send_notices(self, stack: ExitStack) -> None:
        if self._outlet is None:
            return
        ours, handler = logging.getLogger("quantcrafter"), WarningsAsNotices(self._outlet)
        self._outlet.start()
        stack.callback(self._outlet.close)
        ours.addHandler(handler)
        stack.callback(ours.removeHandler, handler)

    def run(self, ended: Callable[[], bool] = lambda: False, show: Callable[[], object] = lambda: None) -> None:
        """Keep the workers running until `ended` returns True, or a request says that it is enough.

        Args:
            ended: is asked several times a second.
            show: is called as often.
        """
        while not ended() and not self._ends.is_set():
            self._supervisor.look()
            if self._outlet is not None:
                self._outlet.turned()
            show()

    def close(self, *, keep_wanted: bool = False) -> None:
        """Stop all workers and give up the data folder.

        Args:
            keep_wanted: leave in the registry that the workers are to run, as when the computer is shut down.
        """
        if self._store is not None:
            self._store.close()
        running = [key for key, each in self._supervisor.workers().items() if each.wanted]
        self._supervisor.close()
        try:
            for key in running if not keep_wanted else ():
                _unwant(key)
        finally:
            self._stack.close()

    def _noticed(self, said: WorkerNotices) -> None:
        if self._outlet is not None:
            notice = OperatorNotice(self._shown(said.key), NoticeSeverity(said.severity), said.text)
            self._outlet.tell(notice, said.count)

    def _shown(self, key: str) -> str:
        """Return the key of a worker, with a word where it trades real money."""
        worker = self._supervisor.workers().get(key)
        is_live = worker is not None and isinstance(worker.config, WorkerConfig) and worker.config.mode == LIVE
        return f"{key} [LIVE]" if is_live else key

    def _changed(self, worker: SupervisedWorker) -> None:
        log.info("%s: %s", worker.config.key, f"{worker.state} {worker.error}".rstrip())
        if worker.state is WorkerState.ERROR and self._outlet is not None:
            text = str(Message("The worker has failed: {error}", error=worker.error))
            self._outlet.tell(OperatorNotice(self._shown(worker.config.key), NoticeSeverity.ALARM, text))
        if worker.over and worker.wanted:
            worker.wanted = False
            _unwant(worker.config.key)

    # ------------------------------------------------------------------ what can be asked for

    def add(self, configs: Sequence[WorkerConfig | ClassConfig]) -> None:
        """Register workers and start them; one that runs already goes on. Classes are not registered, only started.

        Raises:
            RunError: they can't be registered.
        """
        for config in configs:
            known = self._supervisor.workers().get(config.key)
            if isinstance(config, WorkerConfig) and (known is None or not known.host or not known.wanted):
                register(config)
            remember(config.key)
            self._supervisor.start(config)

    def stop(self, keys: Sequence[str]) -> None:
        """Stop workers; orders and positions stay as they are.

        Raises:
            RunError: there is no such worker.
        """
        for key in keys:
            if key not in self._supervisor.workers():
                folder_of_worker(key)
        for key in keys:
            want(key, wanted=False)
            self._supervisor.stop(key)

    def command(self, keys: Sequence[str], verb: str) -> dict[str, str]:
        """Have workers do what a user asks; return by key why one has not done so, '' if it has.

        A command that is not done in time is carried out once the worker responds. In doubt there are no entries: for a
        kill verb, a file `kill` is put into the worker's folder then.

        Raises:
            RunError: there is no such worker or verb.
        """
        if verb not in VERBS:
            raise RunError(Message("There is no verb '{verb}'; there are {known}.", verb=verb, known=", ".join(VERBS)))
        answers, asked = {}, {}
        for key in keys:
            try:
                asked[key] = self._supervisor.command(key, verb)
            except RunError as error:
                folder_of_worker(key)
                answers[key] = str(error)
        until = time.monotonic() + COMMAND_S
        for key, each in asked.items():
            if each.wait(max(0.0, until - time.monotonic())):
                answers[key] = each.error
            else:
                answers[key] = self._in_doubt(key, verb)
        return answers

    def _in_doubt(self, key: str, verb: str) -> str:
        if verb not in ("pause", "resume"):
            put_kill_file(folder_of_worker(key), verb)
        return str(Message("The worker '{key}' does not respond; it is done once it does.", key=key))

    def ask(self, key: str, verb: str) -> AskedCommand:
        """Have a worker do what a user asks, or `REMOVE`, without waiting for it.

        Raises:
            RunError: the worker is not running.
        """
        return self._supervisor.command(key, verb)

    def replace(self, config: WorkerConfig, *, preview: bool = False) -> AskedReplacement:
        """Let a worker go on with a changed configuration, between two bars; with `preview` nothing is changed.

        Raises:
            RunError: the worker is not running.
        """
        return self._supervisor.replace(config, preview=preview)

    def follow(self, store: StoreSide) -> None:
        """Show what keeps the workers equal to a store in the status, and end it at the end."""
        self._store = store

    def remove(self, key: str) -> None:
        """Stop a worker, if there is one, and forget it."""
        want(key, wanted=False)
        self._supervisor.stop(key, forget=True)

    def workers(self) -> dict[str, SupervisedWorker]:
        """Return what is known of each worker that was started."""
        return self._supervisor.workers()

    def events(self) -> tuple[LifecycleEvent, ...]:
        """Return what the schedules of workers led to lately, oldest first."""
        return self._supervisor.events()

    def status(self) -> dict[str, Any]:
        """Return the state of each started worker, as plain values, the processes, and what schedules led to."""
        workers = {
            key: {"state": str(each.state), "error": each.error, "wanted": each.wanted, "host": each.host}
            for key, each in self._supervisor.workers().items()
        }
        store = None if self._store is None else self._store.status()
        return {
            "workers": workers,
            "pid": os.getpid(),
            "hosts": self._supervisor.host_pids(),
            "events": [each.to_json() for each in self.events()],
            "store": store,
            "notices": None if self._outlet is None else self._outlet.status(),
        }

    def _preview(self, values: Mapping[str, Any]) -> dict[str, Any]:
        asked = self.replace(_config_from(values), preview=True)
        if not asked.wait(COMMAND_S):
            raise RunError(Message("The worker '{key}' does not respond.", key=values["key"]))
        return {"told": list(asked.told), "refused": asked.error}

    def handle(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a request of the control socket; `verb` says what it is.

        Raises:
            RunError: it is unknown, or can't be done.
        """
        match request.get("verb"):
            case "add":
                self.add([_config_from(each) for each in request["workers"]])
            case "stop":
                self.stop(request["workers"])
            case "command":
                keys = request["workers"] or [key for key, each in self.workers().items() if each.wanted]
                return {"answers": self.command(keys, str(request["command"]))}
            case "preview":
                return self._preview(request["worker"])
            case "end":
                self._ends.set()
            case "status":
                return self.status()
            case verb:
                raise RunError(
                    Message("The orchestrator knows no request '{verb}'. Restart it after an update.", verb=str(verb))
                )
        return {}


def _config_from(values: Mapping[str, Any]) -> WorkerConfig:
    return WorkerConfig(**{**values, "overrides": tuple(values["overrides"])})


def _replaced(worker: SupervisedWorker) -> None:
    """Register with what a worker goes on; its log knows the same."""
    if isinstance(worker.config, WorkerConfig):
        try:
            register(worker.config, wanted=worker.wanted)
        except RunError as error:
            log.warning("%s: %s", worker.config.key, error)


def _unwant(key: str) -> None:
    """Note that a worker is not to run; where that can't be written, as on a full disk, the next start continues it."""
    try:
        want(key, wanted=False)
    except RunError as error:
        log.warning("The next start continues the worker '%s', as this can't be noted: %s", key, error)


def made_folder() -> Path:
    """Return the folder of the orchestrator, which is made if it doesn't exist.

    Raises:
        RunError: it can't be.
    """
    folder = orchestrator_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise folder_failure(folder, error) from error
    return folder


def is_taken(folder: Path) -> bool:
    """Return whether a process is the orchestrator of a folder, or is about to be."""
    try:
        with (folder / "lock").open("ab") as lock:
            return not try_lock(lock)
    except OSError:
        return False


def folder_failure(folder: Path, error: OSError) -> RunError:
    """Return the error that the folder of the orchestrator can't be used."""
    cause, remedy = fault(error, "home")
    return RunError(
        Message(
            "The orchestrator can't use its folder '{folder}': {cause}. {remedy}",
            folder=shown_path(folder),
            cause=cause,
            remedy=remedy,
        )
    )


def folder_of_worker(key: str) -> Path:
    """Return the folder of a worker that is registered or has run.

    Raises:
        RunError: there is none.
    """
    known = registered_workers()
    return known[key].config.folder if key in known else folder_of(key)


def put_kill_file(folder: Path, verb: str) -> Path:
    """Put a file `kill` with a verb into the folder of a worker, and return it.

    Raises:
        RunError: it can't be written.
    """
    path = folder / KILL
    try:
        path.write_text(verb, encoding="utf-8")
    except OSError as error:
        cause, remedy = fault(error, "home")
        raise RunError(
            Message("'{path}' can't be written: {cause}. {remedy}", path=shown_path(path), cause=cause, remedy=remedy)
        ) from error
    return path


def request_of(configs: Sequence[WorkerConfig]) -> list[dict[str, Any]]:
    """Return configurations as the request `add` has them."""
    return [asdict(config) for config in configs]
