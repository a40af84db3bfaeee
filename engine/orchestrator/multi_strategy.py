"""MultiStrategyOrchestrator: strategies by symbol and key, from Python or from a store, run by an orchestrator.

1. `add_strategy` and the rows of the store say what is wanted; `sync_workers` makes it so. A store that can't be read,
   or is suddenly empty, changes nothing that runs.
2. A strategy key is a path, or what `find_strategy` finds: a strategy file, or a class of vnpy or backtrader.
3. A strategy of another engine is a class of `worker_factories`. Classes run in processes of their own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import QuantCrafterError, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.live.api_files import log_stream_url
from quantcrafter.engine.live.status_file import WorkerStatus, read_status
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.orchestrator.class_host import path_of_class
from quantcrafter.engine.orchestrator.lifecycle import LifecycleManager
from quantcrafter.engine.orchestrator.orchestrator import Orchestrator
from quantcrafter.engine.orchestrator.own_classes.lookup import find_strategy
from quantcrafter.engine.orchestrator.registry import unregister
from quantcrafter.engine.orchestrator.row_config import CLASS_ENGINES, class_config
from quantcrafter.engine.orchestrator.schedule import schedule_of
from quantcrafter.engine.orchestrator.strategy_config import StrategyConfig
from quantcrafter.engine.orchestrator.supervisor import Limits, SupervisedWorker
from quantcrafter.engine.orchestrator.worker_config import (
    ClassConfig,
    WorkerConfig,
    broker_named,
    check_engine,
    feed_named,
    mode_of,
)
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.engines import OWN_ENGINE
from quantcrafter.engine.runtime.running.load_graph import load_graph

log = logging.getLogger("quantcrafter.orchestrator")

Row = Mapping[str, Any]
"""A strategy in a store: `user_id, symbol, strategy_key, enabled, engine, engine_class, params`."""


class MultiStrategyOrchestrator:
    """Runs many strategies in host processes. Every argument may be left out.

    Args:
        worker_factories: by engine, the class of its workers, called with symbol, strategy key, user and the params.
        mongo_uri: a MongoDB with the rows of strategies; needs pymongo.
        mongo_db: its database.
        config_collection: its collection.
        user_id: whose strategies; those of all users if left out.
        auto_reload_interval: how often the store is read, in seconds; 0 for never.
        feed: where bars of strategy files come from, as on the command line.
        broker: who fills their orders.
        strategies_folder: where strategy files are; `strategies` in the data folder if left out.
        strategies: what strategy keys mean: a file, a class as `package.module.Class`, or a mapping with `engine` and
            `engine_class`.
        import_paths: modules and folders to which imports of classes are narrowed further than by the user's list.
        store: returns the rows of strategies, instead of a MongoDB.
        limits: how long things may take.
    """

    def __init__(  # noqa: PLR0913 - as its users call it; most are left out
        self,
        worker_factories: Mapping[str, Callable[..., Any]] | None = None,
        mongo_uri: str | None = None,
        mongo_db: str | None = None,
        config_collection: str | None = None,
        user_id: str | None = None,
        auto_reload_interval: float = 60.0,
        *,
        feed: str = "replay:60x",
        broker: str = "paper",
        strategies_folder: Path | None = None,
        strategies: Mapping[str, Any] | None = None,
        import_paths: Sequence[str] = (),
        store: Callable[[], Sequence[Row]] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.user_id, self.auto_reload_interval = user_id, auto_reload_interval
        self._factories = dict(worker_factories or {})
        self._feed, self._broker = feed, broker
        self._strategies = strategies_folder
        self._known, self._import_paths = dict(strategies or {}), tuple(import_paths)
        self._limits = limits
        self._store = store
        if store is None and mongo_uri is not None:
            self._store = _mongo(
                mongo_uri, mongo_db or "quantcrafter", config_collection or "watchlist_strategies", user_id
            )
        self._lifecycle = LifecycleManager()
        self._own: dict[str, Row] = {}
        self._stored: dict[str, Row] = {}
        self._orchestrator: Orchestrator | None = None
        self._thread: threading.Thread | None = None
        self._ends = threading.Event()
        self._lock = threading.RLock()

    # ------------------------------------------------------------------ what is wanted

    def add_strategy(
        self,
        symbol: str,
        strategy_key: str,
        engine: str = OWN_ENGINE,
        params: Mapping[str, Any] | None = None,
        enabled: bool = True,  # noqa: FBT001, FBT002 - as its users call it
    ) -> str:
        """Add a strategy, and run it if the orchestrator is started; return the key of its worker.

        Args:
            symbol: its instrument.
            strategy_key: the strategy's name, as `find_strategy` knows it; a path; or what the class knows.
            engine: one of `worker_factories`; else `native`, or the engine that a class is written for.
            params: values of a strategy file by path, such as `{"run.cash": 5000}`, or arguments of the class.
            enabled: whether it is to run.

        Raises:
            RunError: there is no such engine or file.
            SpecError: the file has errors.
            RunError: symbol or strategy key is no text.
        """
        row = {
            "user_id": self.user_id,
            "symbol": symbol,
            "strategy_key": strategy_key,
            "enabled": enabled,
            "engine": engine,
            "params": dict(params or {}),
        }
        _check_names(symbol, strategy_key)
        config = self._config_of(row)
        with self._lock:
            self._own[config.key] = row
            if enabled and self._orchestrator is not None:
                self._orchestrator.add([config])
        return config.key

    def remove_strategy(self, symbol: str, strategy_key: str | None = None) -> None:
        """Stop a strategy and forget it; its log stays. Its orders are not touched.

        Args:
            symbol: its instrument, or the key of its worker if `strategy_key` is left out.
            strategy_key: the strategy's name.

        Raises:
            RunError: there is no such strategy, or it holds a position.
        """
        _check_names(symbol, "" if strategy_key is None else strategy_key)
        key = symbol if strategy_key is None else StrategyConfig(symbol, strategy_key, self.user_id).key
        with self._lock:
            if key not in self._own:
                remedy = did_you_mean(key, self._own) or Message("It was not added by 'add_strategy'.")
                raise RunError(Message("There is no strategy '{key}'. {remedy}", key=key, remedy=remedy))
            config = self._config_of(self._own[key])
            status = read_status(config.folder)
            if status is not None and status.position:
                raise RunError(
                    Message(
                        "The strategy '{key}' holds {position:g} of {symbol}, so it is not removed. Close the position "
                        "first.",
                        key=key,
                        position=status.position,
                        symbol=status.symbol,
                    )
                )
            del self._own[key]
            self._lifecycle.forget(key)
            if self._orchestrator is not None:
                self._orchestrator.remove(key)
            unregister(key)

    def load_configurations(self) -> list[Row]:
        """Return the rows of all strategies: those of the store, then those that were added.

        Raises:
            Exception: whatever the store raises.
        """
        with self._lock:
            stored = [] if self._store is None else [dict(row) for row in self._store()]
            return [*stored, *self._own.values()]

    def sync_workers(self) -> None:
        """Start and stop workers as the store has it now. A store that fails or is suddenly empty changes nothing."""
        if self._store is None:
            return
        with self._lock:
            try:
                rows = {key: row for row in self._store() if (key := self._key_of(row)) and row.get("enabled", True)}
            except Exception as error:  # noqa: BLE001 - whatever the store does, the workers go on
                log.warning("The strategies can't be read, and go on as they are: %s", error)
                return
            if not rows and self._stored:
                log.warning("The store has no strategies any more. They go on as they are; stop them by 'stop_all'.")
                return
            before, self._stored = self._stored, rows
            if self._orchestrator is not None:
                self._start(key for key in rows if rows[key] != before.get(key))
                for key in before.keys() - rows.keys() - self._own.keys():
                    self._orchestrator.remove(key)
                    self._lifecycle.forget(key)

    # ------------------------------------------------------------------ life

    def start_all(self) -> None:
        """Run all strategies, in a thread and in host processes, until `stop_all`.

        Raises:
            RunError: the workers of the data folder are run by another process already, or can't be registered.
        """
        with self._lock:
            if self._orchestrator is not None:
                return
            self._ends.clear()
            self._orchestrator = Orchestrator(limits=self._limits).open()
            self._thread = threading.Thread(
                target=self._run, args=(self._orchestrator,), name="orchestrator", daemon=True
            )
            self._start(key for key, row in self._own.items() if row["enabled"])
            self._thread.start()
            self.sync_workers()

    def stop_all(self) -> None:
        """Stop all strategies. Orders and positions stay as they are; `start_all` continues them."""
        self._ends.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        with self._lock:
            self._orchestrator = self._thread = None
            self._stored = {}

    def _run(self, orchestrator: Orchestrator) -> None:
        threading.Thread(target=self._reload, name="reload", daemon=True).start()
        try:
            orchestrator.run(self._ends.is_set)
        finally:
            orchestrator.close()  # in this thread: on Linux, hosts end with the thread that started them

    def _reload(self) -> None:
        while self.auto_reload_interval > 0 and not self._ends.wait(self.auto_reload_interval):
            self.sync_workers()

    def _start(self, keys: Any) -> None:
        """Start strategies; one that can't be started doesn't keep the others from it."""
        for key in list(keys):
            row = self._stored.get(key) or self._own[key]
            try:
                config = self._config_of(row)
                if self._orchestrator is not None:
                    self._orchestrator.add([config])
            except QuantCrafterError as error:
                log.error("The strategy '%s' can't be started: %s", key, error)  # noqa: TRY400 - a user's mistake

    # ------------------------------------------------------------------ what there is

    def get_status(self) -> dict[str, Any]:
        """Return what runs, as plain values.

        `workers` has `alive`, `state`, `stats`, `error` and `log_stream_url` of each worker by key.
        """
        with self._lock:
            supervised = {} if self._orchestrator is None else self._orchestrator.workers()
            events = () if self._orchestrator is None else self._orchestrator.events()
            rows = {**self._stored, **self._own}
        workers = {key: _about(worker) for key, worker in supervised.items()}
        alive = sum(each["alive"] for each in workers.values())
        return {
            "total_workers": len(workers),
            "active_configs": sum(bool(row.get("enabled", True)) for row in rows.values()),
            "workers": workers,
            "lifecycle": {
                "active_workers": alive,
                "stopped_workers": len(workers) - alive,
                "auto_start": True,
                "auto_stop": True,
                "is_trading_time": self._lifecycle.get_status()["is_trading_time"],
                "last_events": [event.to_json() for event in events],
            },
        }

    # ------------------------------------------------------------------ rows

    def _key_of(self, row: Row) -> str:
        return StrategyConfig.of(row, self.user_id).key

    def _config_of(self, row: Row) -> WorkerConfig | ClassConfig:
        wanted = StrategyConfig.of(row, self.user_id)
        key, engine = wanted.key, wanted.engine
        if engine in self._factories:
            path = path_of_class(self._factories[engine])
            self._lifecycle.set_schedule(key)
            return ClassConfig(key, path, wanted.symbol, wanted.strategy_key, wanted.user_id, wanted.params)
        if engine not in (OWN_ENGINE, *CLASS_ENGINES):
            known = ", ".join(sorted({OWN_ENGINE, *CLASS_ENGINES, *self._factories}))
            raise RunError(
                Message("There are no workers of the engine '{engine}'; there are {known}.", engine=engine, known=known)
            )
        registry = load_registry()
        found = find_strategy(
            wanted.strategy_key,
            registry,
            symbol=wanted.symbol,
            params=wanted.params,
            engine="" if engine == OWN_ENGINE else engine,
            engine_class=wanted.engine_class,
            known=self._known,
            folder=self._strategies,
        )
        if found.path is None:
            config = class_config(
                key,
                wanted.symbol,
                found.key,
                found.engine_class,
                found.engine,
                wanted.params,
                self._feed,
                self._import_paths,
            )
            self._lifecycle.set_schedule(key)
            return replace(config, user_id=wanted.user_id)
        graph = load_graph(found.path, registry, list(found.overrides))
        check_engine(graph, registry)
        self._lifecycle.set_schedule(key, schedule_of(graph))
        feed, broker = feed_named(self._feed, registry), broker_named(self._broker, registry)
        mode = mode_of(graph, None, feed, broker, live=False)
        return WorkerConfig.of(graph, key, feed=self._feed, broker=self._broker, mode=mode)


def _check_names(symbol: object, strategy_key: object) -> None:
    """Refuse names that are no text, which callers without types may give.

    Raises:
        RunError: one isn't.
    """
    for what, value in ((Message("The symbol"), symbol), (Message("The strategy key"), strategy_key)):
        if not isinstance(value, str):
            raise RunError(
                Message("{what} of a strategy must be text, was {value}. Name one.", what=what, value=repr(value))
            )


def _about(worker: SupervisedWorker) -> dict[str, Any]:
    found = read_status(worker.config.folder)
    return {
        "alive": worker.state not in (WorkerState.CREATED, WorkerState.STOPPED, WorkerState.ERROR),
        "state": str(worker.state),
        "stats": dict(worker.stats) or _figures(found),
        "error": worker.error,
        "log_stream_url": log_stream_url(worker.config.key),
    }


def _figures(found: WorkerStatus | None) -> dict[str, Any]:
    return {} if found is None else {"position": found.position, "pnl_today": found.pnl_today}


def _mongo(uri: str, database: str, collection: str, user_id: str | None) -> Callable[[], Sequence[Row]]:
    """Return a function that reads the rows of a MongoDB.

    Raises:
        RunError: pymongo is not installed.
    """
    try:
        import pymongo  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise RunError(
            Message("Strategies of a MongoDB need pymongo, which is not installed: pip install pymongo")
        ) from error
    client: Any = pymongo.MongoClient(uri, serverSelectionTimeoutMS=5_000)
    wanted = {} if user_id is None else {"user_id": user_id}
    return lambda: list(client[database][collection].find(wanted))
