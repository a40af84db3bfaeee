"""StoreReload: keeps the workers of an orchestrator equal to a store of strategies, while it runs.

1. A look compares the rows with the workers, and asks for what is missing. It depends on what is there, and not on what
   was there before: what did not work is tried again.
2. A worker whose row has changed is changed between two bars. If the new strategy can't carry its position and orders,
   the one before it goes on, and the problem of the row says why.
3. A store that can't be read changes nothing, and neither does one that is suddenly empty. What is missing after that,
   while other rows are back, goes on until a command removes it (`missing_rows`). Rows that a command removed are noted
   in the store, so that the last one can be removed too.
4. A worker that holds something is not removed, unless its row was removed with the word to flatten it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import QuantCrafterError, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.live.input_log import LOG
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.status_file import read_status
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.live.worker_folder import put_aside
from quantcrafter.engine.orchestrator.host_messages import REMOVE
from quantcrafter.engine.orchestrator.missing_rows import MissingRows
from quantcrafter.engine.orchestrator.orchestrator import Orchestrator
from quantcrafter.engine.orchestrator.registry import forget, registered_worker, registered_workers
from quantcrafter.engine.orchestrator.row_config import OWN_BROKERS, RowRules, config_of_row, file_named
from quantcrafter.engine.orchestrator.supervisor import AskedCommand, AskedReplacement, SupervisedWorker
from quantcrafter.engine.orchestrator.worker_config import ClassConfig, WorkerConfig, reason_of_error
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.store.rows import StoreError, StrategyRow
from quantcrafter.engine.store.store import Removal, StoreEntry, StrategyStore

log = logging.getLogger("quantcrafter.store")

TICK_S = 0.2
"""How often workers are looked at while something is on its way."""
LOOK_S = 1.0
"""How often they are looked at otherwise: one that was killed may have gone on with an earlier row."""
FAILED_S = 1.0
"""How soon a store that can't be read is read again."""
HOLDS_S = 1.0
"""How soon a worker whose row is gone is asked again whether it still holds something."""
AGAIN_S = 30.0
"""How soon what was refused is tried again."""

_LOST = Message(
    "The file of the strategy store is missing. What runs goes on: restore the file from a backup, or put the "
    "strategies into the store again."
)
_EMPTY = Message(
    "The strategy store has no strategies any more. What runs goes on: 'quantcrafter store remove' removes a strategy, "
    "and 'quantcrafter stop' stops it."
)
Config = WorkerConfig | ClassConfig


@dataclass(slots=True)
class _Made:
    """The configuration of a row, or why there is none; it holds for as long as row and file are the same."""

    digest: str
    stamp: tuple[int, int] | None
    config: Config | None = None
    problem: str = ""
    made_s: float = 0.0


@dataclass(slots=True)
class _Side:
    """What is known of one row beside the worker: what was last asked for, and what became of it."""

    made: _Made | None = None
    started: str = ""
    """The version of the row that was started: a worker that a user has stopped is not started again by it."""
    asked: AskedReplacement | None = None
    version: str = ""
    refused: str = ""
    refused_s: float = 0.0
    removal: AskedCommand | None = None
    flattened: bool = False


@dataclass(slots=True)
class _Told:
    """What the status says: replaced as a whole by each look."""

    rows: int = 0
    read_at: float | None = None
    error: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


class StoreReload:
    """Keeps workers equal to a store, in a thread, from `start` to `close`.

    Args:
        orchestrator: runs the workers.
        store: has the rows.
        rules: what rows run with, and what they may do.
        user_id: whose rows; those of all users if empty.
        every_s: after how many seconds rows are read again, also if no change was noticed.
        registry: the installed components; loaded when they are needed.
    """

    def __init__(
        self,
        orchestrator: Orchestrator,
        store: StrategyStore,
        rules: RowRules,
        *,
        user_id: str = "",
        every_s: float = 60.0,
        registry: Registry | None = None,
    ) -> None:
        self._orchestrator, self._store, self._rules = orchestrator, store, rules
        self._user_id, self._every_s, self._registry = user_id, every_s, registry
        self._sides: dict[str, _Side] = {}
        self._rows: dict[str, StoreEntry] = {}
        self._removals: dict[str, Removal] = {}
        self._read_at: float | None = None
        self._told, self._knows_registered = _Told(), False
        self._missing = MissingRows()
        self._soon_s = every_s
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look, in a thread."""
        self._thread = threading.Thread(target=self._watch, name="store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more. The workers go on."""
        self._ends.set()
        self._store.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(10.0)

    def status(self) -> dict[str, Any]:
        """Return what is known of the store: `place`, `rows`, `read_at` (UTC seconds), `error`, `problems` by key."""
        told = self._told
        return {
            "place": self._store.place,
            "rows": told.rows,
            "read_at": told.read_at,
            "error": told.error,
            "problems": dict(told.problems),
        }

    def _watch(self) -> None:
        while not self._ends.is_set():
            try:
                self.look()
                until = time.monotonic() + self._every_s
                while not self._ends.is_set() and not self._store.wait(min(self._soon_s, until - time.monotonic())):
                    if time.monotonic() >= until:
                        break
                    self._compare()
            except StoreError as error:
                self._failed(str(error))
                self._ends.wait(FAILED_S)
            except Exception:
                log.exception("%s", Message("The strategies could not be compared with the store; it is tried again."))
                self._ends.wait(FAILED_S)

    def _failed(self, error: str) -> None:
        if self._ends.is_set():
            return
        self._missing.doubt()
        if error != self._told.error:
            log.warning("%s", error)
        told = self._told
        self._told = _Told(told.rows, told.read_at, error, told.problems)

    # ------------------------------------------------------------------ a look

    def look(self) -> None:
        """Read the store, compare rows and workers, and ask for what is missing.

        Raises:
            StoreError: the store can't be read; nothing is changed.
        """
        self._missing.seen(self._store.identity())
        entries = [each for each in self._store.list() if self._is_ours(each)]
        self._removals = self._store.removals()
        self._rows, self._read_at = {each.key: each for each in entries}, time.time()
        self._compare()

    def _compare(self) -> None:
        """Compare the rows as they were read last with the workers, and ask for what is missing."""
        self._soon_s = min(self._every_s, LOOK_S)
        workers, rows = self._orchestrator.workers(), self._rows
        gone, error = self._managed(workers) - rows.keys(), ""
        unmeant = gone - self._removals.keys()
        if unmeant and not rows:
            self._missing.doubt()
            error = str(_EMPTY if self._missing.has_store else _LOST)
        missing = self._missing.of(unmeant)
        gone -= missing.keys()
        if any(each.row is None and not each.values.get("strategy_key") for each in rows.values()):
            gone = gone & self._removals.keys()  # a row that lost its strategy key may be that of a worker
        problems = {key: self._tried(key, workers.get(key)) for key in (*rows, *gone)} | missing
        self._tell(
            _Told(len(rows), self._read_at, error, {key: problems[key] for key in sorted(problems) if problems[key]})
        )

    def _tried(self, key: str, worker: SupervisedWorker | None) -> str:
        """Make a row so, or what is left of one that is gone; return what is wrong with it, or ''."""
        try:
            return self._row(self._rows[key], worker) if key in self._rows else self._gone(key, worker)
        except QuantCrafterError as error:
            self._hurry(FAILED_S)
            return reason_of_error(error)
        except Exception as error:  # one row is no reason to leave the others alone
            self._hurry(FAILED_S)
            problem = f"{type(error).__name__}: {error}"
            if self._told.problems.get(key) != problem:
                log.exception("%s", Message("The row '{key}' could not be compared with its worker.", key=key))
            return problem

    def _hurry(self, seconds: float) -> None:
        """Compare again that soon, also if no change is noticed."""
        self._soon_s = min(self._soon_s, seconds)

    def _is_ours(self, entry: StoreEntry) -> bool:
        return not self._user_id or entry.values.get("user_id") == self._user_id

    def _managed(self, workers: Mapping[str, SupervisedWorker]) -> set[str]:
        """Return the keys of all workers that came from a store, also by an orchestrator before this one."""
        if not self._knows_registered:
            self._knows_registered = True
            self._sides = {key: _Side() for key, each in registered_workers().items() if each.config.row}
        return {key for key, each in workers.items() if each.config.row} | self._sides.keys()

    def _tell(self, told: _Told) -> None:
        """Log what is news, and let the status say it."""
        before = self._told
        if told.error and told.error != before.error:
            log.warning("%s", told.error)
        for key, problem in told.problems.items():
            if before.problems.get(key) != problem:
                log.warning("%s: %s", key, problem)
        self._told = told

    # ------------------------------------------------------------------ a row

    def _row(self, entry: StoreEntry, worker: SupervisedWorker | None) -> str:
        """Make a row so; return what is wrong with it, or ''."""
        if entry.row is None:
            return entry.problem
        side = self._sides.get(entry.key)
        if side is None:
            if problem := _foreign(entry.key, worker):
                return problem
            side = self._sides[entry.key] = _Side()
        if not entry.row.enabled:
            return self._disabled(entry.key, side, worker)
        made = self._made(entry.row, side)
        if made.config is None:
            return made.problem
        return self._run(entry.key, made.config, side, worker)

    def _disabled(self, key: str, side: _Side, worker: SupervisedWorker | None) -> str:
        side.started = side.refused = ""
        if worker is not None and worker.wanted:
            log.info("%s: %s", key, Message("It is disabled in the store, and stopped."))
            self._orchestrator.stop([key])
        held = _held(key)
        return str(Message("It is disabled. {holds} Nothing manages that now.", holds=held)) if held else ""

    def _made(self, row: StrategyRow, side: _Side) -> _Made:
        """Return the configuration of a row."""
        made, stamp = side.made, self._stamp(row)
        is_same = made is not None and (made.digest, made.stamp) == (row.digest, stamp)
        if made is not None and is_same and (made.config is not None or time.monotonic() < made.made_s + AGAIN_S):
            return made
        made = _Made(row.digest, stamp, made_s=time.monotonic())
        try:
            if self._registry is None:
                self._registry = load_registry()
            made.config = config_of_row(row, self._registry, self._rules)
        except (QuantCrafterError, ValueError, OSError) as error:
            made.problem = reason_of_error(error)
        except Exception as error:
            log.exception("%s", Message("The row '{key}' could not be read.", key=row.key))
            made.problem = f"{type(error).__name__}: {error}"
        side.made = made
        return made

    def _stamp(self, row: StrategyRow) -> tuple[int, int] | None:
        """Return what changes with the file that a row names; None for other rows."""
        if row.holds_text or not (row.strategy or row.strategy_key.endswith((".yaml", ".yml"))):
            return None
        with suppress(RunError, OSError, ValueError):
            status = Path(file_named(row.strategy or row.strategy_key, self._rules.folders)).stat()
            return status.st_mtime_ns, status.st_size
        return None

    def _run(self, key: str, config: Config, side: _Side, worker: SupervisedWorker | None) -> str:
        """Have a row's worker run as it says; return why it doesn't."""
        side.removal, side.flattened = None, False
        if worker is not None and worker.host and not worker.wanted:  # it is ending
            self._hurry(TICK_S)
        elif worker is None or (not worker.wanted and side.started != config.row):
            self._add(config, side)
        elif not worker.wanted or worker.config.row == config.row:
            self._changed(key, side)
            side.refused, side.started = "", config.row
            if worker.state is WorkerState.STARTING:
                self._hurry(TICK_S)
            if worker.is_failed and worker.config.row == config.row:
                return str(Message("Its worker has failed: {error}", error=worker.error))
        elif isinstance(config, ClassConfig) or isinstance(worker.config, ClassConfig):
            self._orchestrator.remove(key)  # a class is started anew: it keeps its own state
            side.started = ""
            self._hurry(TICK_S)
        elif worker.host:
            return self._replace(config, side)
        elif side.started != config.row:
            self._add(config, side)
        elif worker.is_failed:
            return self._after_failure(config, side, worker)
        return ""

    def _after_failure(self, config: WorkerConfig, side: _Side, worker: SupervisedWorker) -> str:
        """Let a changed row begin anew where the strategy before it fails, if nothing is lost by that."""
        held = _held(config.key)
        if held or config.broker.partition(":")[0] not in OWN_BROKERS:
            return str(
                Message(
                    "It can't take over, because the strategy before it fails: {error} {holds}",
                    error=worker.error,
                    holds=held,
                )
            )
        log.info("%s: %s", config.key, Message("It begins anew: the strategy before it fails."))
        put_aside(config.folder)
        self._add(config, side)
        return ""

    def _add(self, config: Config, side: _Side) -> None:
        log.info("%s: %s", config.key, Message("It is started, as the store has it."))
        self._orchestrator.add([config])
        side.started = config.row
        self._hurry(TICK_S)

    @staticmethod
    def _changed(key: str, side: _Side) -> None:
        """Say that a worker has gone on with its changed row."""
        asked, side.asked = side.asked, None
        if asked is not None and asked.is_done and not asked.error:
            log.info("%s: %s", key, Message("It is changed, as the store has it. {told}", told=" ".join(asked.told)))

    def _replace(self, config: WorkerConfig, side: _Side) -> str:
        """Have a worker go on with a changed row; return why it doesn't."""
        if side.asked is not None and not side.asked.is_done:
            self._hurry(TICK_S)
            return side.refused
        if side.asked is not None and side.version == config.row:
            if side.asked.error:
                side.refused = str(
                    Message("It goes on as it was before the row was changed: {error}", error=side.asked.error)
                )
                side.refused_s = time.monotonic()
            side.asked = None
        is_refused = side.refused and side.version == config.row
        if is_refused and time.monotonic() < side.refused_s + AGAIN_S:
            self._hurry(AGAIN_S)
            return side.refused
        if not is_refused:
            side.refused = ""
        with suppress(RunError):  # it has ended just now: the next look knows
            side.asked, side.version = self._orchestrator.replace(config), config.row
        self._hurry(TICK_S)
        return side.refused

    # ------------------------------------------------------------------ a row that is gone

    def _gone(self, key: str, worker: SupervisedWorker | None) -> str:
        """Remove the worker of a row that is gone; return why it isn't."""
        side = self._sides.setdefault(key, _Side())
        side.started = ""
        runs = worker is not None and worker.wanted and isinstance(worker.config, WorkerConfig) and worker.host
        if runs and side.removal is None:
            side.removal = self._orchestrator.ask(key, REMOVE)
        if side.removal is not None and not side.removal.wait(0.0):
            self._hurry(TICK_S)
            return self._told.problems.get(key, "")
        asked, side.removal = side.removal, None
        held = _held(key) if asked is None else asked.error
        if not held:
            self._forget(key)
            return ""
        if asked is None:
            is_coming = worker is not None and worker.wanted and not worker.is_failed and not worker.over
            return _kept(held) if is_coming else _left(held)
        self._hurry(HOLDS_S)
        removal = self._removals.get(key)
        if removal is None or not removal.flatten:
            return _kept(held)
        if not side.flattened:
            self._orchestrator.ask(key, "flatten")
            side.flattened = True
        return str(Message("Its row was removed, and its position is being closed. {holds}", holds=held))

    def _forget(self, key: str) -> None:
        log.info("%s: %s", key, Message("It is removed, as in the store. Its log stays in its folder."))
        self._orchestrator.remove(key)
        forget(key)
        self._sides.pop(key, None)


def _held(key: str) -> str:
    """Return what a worker held when it was heard last, as a sentence; '' for nothing."""
    status = read_status(workers_folder() / key)
    held = {} if status is None else status.positions or ({status.symbol: status.position} if status.position else {})
    what = ", ".join(f"{quantity:g} {symbol}" for symbol, quantity in held.items())
    return str(Message("It holds {what}.", what=what)) if what else ""


def _kept(holds: str) -> str:
    return str(
        Message(
            "Its row was removed, but it goes on. {holds} It ends when that is closed, as by 'quantcrafter kill "
            "flatten'; or put the row back.",
            holds=holds,
        )
    )


def _left(holds: str) -> str:
    return str(
        Message(
            "Its row was removed, and its worker is not running. {holds} Nothing manages that. Put the row back, and "
            "let it run until that is closed; or close the position at the broker, and remove the worker's folder.",
            holds=holds,
        )
    )


def _foreign(key: str, worker: SupervisedWorker | None) -> str:
    """Return what is wrong where a worker with the key of a row was started with a file."""
    if worker is not None:
        is_foreign = not worker.config.row
    else:
        known = registered_worker(key)
        is_foreign = known is not None and not known.config.row and (workers_folder() / key / LOG).exists()
    if not is_foreign:
        return ""
    return str(
        Message(
            "A worker '{key}' was started with a file. Give the row another strategy key, or remove the folder of that "
            "worker.",
            key=key,
        )
    )
