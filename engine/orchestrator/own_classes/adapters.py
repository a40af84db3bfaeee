"""`VnpyWorkerAdapter` and `BacktraderWorkerAdapter`: classes written for these engines as workers."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantcrafter.engine.adapters.classes.stepping import ClassTerms, SteppedClass, own_variables
from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.worker import StrategyWorker, WorkerState
from quantcrafter.engine.orchestrator.own_classes.class_worker import BarClassWorker
from quantcrafter.engine.orchestrator.own_classes.importing import import_class
from quantcrafter.engine.orchestrator.own_classes.kept_variables import keep_variables, restore_variables
from quantcrafter.engine.orchestrator.worker_config import feed_named
from quantcrafter.engine.runtime.strategy_classes.class_run import ClassSource, class_graph

if TYPE_CHECKING:
    from quantcrafter.engine.plugins import Registry

log = logging.getLogger("quantcrafter.live")

_WAIT_S = 0.5


def _registry(given: Registry | None) -> Registry:
    from quantcrafter.engine.plugins import load_registry

    return load_registry() if given is None else given


class BacktraderWorkerAdapter(BarClassWorker):
    """A `backtrader.Strategy` as a worker, on a live feed. Its orders fill by backtrader's own broker.

    Args:
        symbol: the instrument.
        strategy_key: the name of the strategy.
        engine_class_path: the class, such as `my_strategies.SmaCross`; it must be allowed (`quantcrafter engines
            allow`).
        params: its parameters.
        user_id: whose it is.
        feed: where bars come from, as `start --feed` has it.
        data: the instrument as `run --data` has it; by default its bars of the store.
        timeframe: the length of a bar.
        settings: changes of the account, such as `run.cash=50000`.
        folder: where its data is kept; by default named after user, symbol and strategy.
        warmup_days: how many days of bars before the start it sees.
        within: the import paths of a configuration, which narrow the user's list.
        registry: the installed components; loaded if left out.
        **_more: what others' rows have beside that.

    Raises:
        RunError: the class is not allowed, or there is none.
        SpecError: data or settings are wrong.
    """

    def __init__(  # noqa: PLR0913 - most have a default
        self,
        symbol: str,
        strategy_key: str,
        engine_class_path: str,
        params: Mapping[str, Any] | None = None,
        user_id: str | None = None,
        *,
        feed: str = "replay:60x",
        data: str = "",
        timeframe: str = "",
        settings: Sequence[str] = (),
        folder: Path | str | None = None,
        warmup_days: int | None = None,
        within: Sequence[str] = (),
        registry: Registry | None = None,
        **_more: Any,
    ) -> None:
        import backtrader as bt

        from quantcrafter.engine.adapters.backtrader.stepping import SteppedBacktrader

        cls = import_class(engine_class_path, bt.Strategy, "backtrader", within)
        given = dict(params or {})

        def make(terms: ClassTerms) -> SteppedClass:
            return SteppedBacktrader(cls, engine_class_path, given, terms)

        installed = _registry(registry)
        source = _source(engine_class_path, "backtrader", symbol, data, given, timeframe, settings)
        super().__init__(
            symbol,
            strategy_key,
            make=make,
            about=_about(cls, source),
            graph=class_graph(source, installed),
            feed=feed_named(feed, installed),
            folder=Path(folder or _folder(user_id, symbol, strategy_key)),
            warmup_days=warmup_days,
            user_id=user_id,
        )
        self.params = given

    def get_stats(self) -> dict[str, Any]:
        return {"engine": "backtrader"} | super().get_stats()


class VnpyWorkerAdapter(StrategyWorker):
    """A class written for vnpy as a worker: a `CtaTemplate`, or a real-time engine of the user's own.

    A `CtaTemplate` runs on a feed, and its orders fill by vnpy's crossing. Any other class is an engine: it is made
    with those of the arguments that it takes (`symbol`, `strategy_params`, `user_id`, `broker`, ...), started by its
    `start_with_polling`, `start` or `run`, and ended by its `stop`. It brings its own data and gateway. If its
    `strategy` has no `save_state` and `load_state`, its position and variables are kept by us.

    Args:
        symbol: the instrument.
        strategy_key: the name of the strategy.
        engine_class_path: the class, such as `scripts.dragon.RealTimeEngine`; it must be allowed.
        params: its parameters.
        user_id: whose it is.
        securities_account_id: of a real-time engine: its account.
        broker: the same: its broker.
        account_id: the same: its account at the broker.
        warmup_days: how many days of bars before the start it sees.
        **kwargs: of a `CtaTemplate` those of `BacktraderWorkerAdapter`.

    Raises:
        RunError: the class is not allowed, or there is none.
        SpecError: data or settings are wrong.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - as its users call it
        self,
        symbol: str,
        strategy_key: str,
        engine_class_path: str,
        params: Mapping[str, Any] | None = None,
        user_id: str | None = None,
        securities_account_id: str | None = None,
        broker: str | None = None,
        account_id: str | None = None,
        warmup_days: int = 90,
        **kwargs: Any,
    ) -> None:
        super().__init__(symbol, strategy_key, user_id, **kwargs)
        self.params = dict(params or {})
        self.warmup_days = warmup_days
        self.folder = Path(kwargs.get("folder") or _folder(user_id, symbol, strategy_key))
        _prepare_vnpy()
        cls = import_class(engine_class_path, within=kwargs.get("within", ()))
        self.inner: BarClassWorker | None = None
        self.engine: Any = None
        if _is_cta(cls):
            self.inner = self._of_template(cls, engine_class_path, kwargs)
            return
        self._arguments = {
            "symbol": symbol,
            "strategy_params": self.params,
            "params": self.params,
            "user_id": user_id,
            "securities_account_id": securities_account_id,
            "broker": broker,
            "account_id": account_id,
            "warmup_days": warmup_days,
        }
        self.engine = cls(**_taken(cls, self._arguments))

    @property
    def key(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def state(self) -> WorkerState:
        return super().state if self.inner is None else self.inner.state

    @property
    def writes_status(self) -> bool:
        """Whether it writes its status file itself."""
        return self.inner is not None

    def run(self) -> None:
        """Run until the worker is stopped.

        Raises:
            RunError: the class raised, or can't be started.
        """
        if self.inner is not None:
            self.inner.run()
            return
        self._state = WorkerState.STARTING
        try:
            self.load_state()
            start = self._starter()
            self._state = WorkerState.RUNNING
            start()
            while not self._stop_event.wait(_WAIT_S):
                pass
        except BaseException:
            self._state = WorkerState.ERROR
            raise
        finally:
            self._end_engine()
        self._state = WorkerState.STOPPED

    def stop(self, save_state: bool = True) -> None:  # noqa: FBT001, FBT002 - as its users call it
        if self.inner is not None:
            self.inner.stop(save_state)
            return
        if save_state and self.is_running:
            self.save_state()
        self._stop_event.set()

    def get_stats(self) -> dict[str, Any]:
        shown = {"symbol": self.symbol, "strategy": self.strategy_key, "engine": "vnpy", "state": str(self.state)}
        if self.inner is not None:
            return shown | self.inner.get_stats()
        own = self.engine.get_stats() if callable(getattr(self.engine, "get_stats", None)) else {}
        strategy = getattr(self.engine, "strategy", None)
        variables = {} if strategy is None else own_variables(strategy)
        return shown | {"position": self.get_position(), "variables": variables} | dict(own)

    def get_position(self) -> float:
        if self.inner is not None:
            return self.inner.get_position()
        return float(getattr(getattr(self.engine, "strategy", None), "pos", 0) or 0)

    def save_state(self) -> None:
        """Keep position and variables: by the strategy's own `save_state` if it has one."""
        strategy = getattr(self.engine, "strategy", None)
        if self.inner is not None or strategy is None:
            return
        if callable(getattr(strategy, "save_state", None)):
            strategy.save_state()
        else:
            keep_variables(self.folder, strategy)

    def load_state(self) -> None:
        """Load what `save_state` kept."""
        strategy = getattr(self.engine, "strategy", None)
        if self.inner is not None or strategy is None:
            return
        if callable(getattr(strategy, "load_state", None)):
            strategy.load_state()
        else:
            restore_variables(self.folder, strategy)

    def _of_template(self, cls: type[Any], path: str, kwargs: Mapping[str, Any]) -> BarClassWorker:
        from quantcrafter.engine.adapters.vnpy.stepping import SteppedCta

        unknown = [name for name in self.params if name not in cls.parameters]
        if unknown:
            has = (
                Message("It has: {parameters}.", parameters=", ".join(cls.parameters))
                if cls.parameters
                else Message("It has none.")
            )
            raise RunError(
                Message("'{path}' has no parameter '{unknown}'. {has}", path=path, unknown=unknown[0], has=has)
            )

        def make(terms: ClassTerms) -> SteppedClass:
            return SteppedCta(cls, path, self.params, terms)

        installed = _registry(kwargs.get("registry"))
        source = _source(
            path,
            "vnpy",
            self.symbol,
            kwargs.get("data", ""),
            self.params,
            kwargs.get("timeframe", ""),
            kwargs.get("settings", ()),
        )
        return BarClassWorker(
            self.symbol,
            self.strategy_key,
            make=make,
            about=_about(cls, source),
            graph=class_graph(source, installed),
            feed=feed_named(kwargs.get("feed", "replay:60x"), installed),
            folder=self.folder,
            warmup_days=self.warmup_days,
            user_id=self.user_id,
        )

    def _starter(self) -> Callable[[], object]:
        """Return the method that starts a real-time engine.

        Raises:
            RunError: it has none.
        """
        for name in _STARTS:
            found = getattr(self.engine, name, None)
            if callable(found):
                return found  # type: ignore[no-any-return]
        raise RunError(
            Message(
                "The class '{name}' can't be started: it is no CtaTemplate, and has none of {methods}.",
                name=type(self.engine).__name__,
                methods=", ".join(_STARTS),
            )
        )

    def _end_engine(self) -> None:
        stop = getattr(self.engine, "stop", None)
        if callable(stop):
            try:
                stop()
            except Exception:
                log.exception("The engine of the worker '%s' raised in stop.", self.key)


_STARTS = ("start_with_polling", "start", "run")


def create_vnpy_worker(config: Mapping[str, Any]) -> VnpyWorkerAdapter:
    """Return the worker of a configuration by the names of `VnpyWorkerAdapter`'s arguments."""
    return VnpyWorkerAdapter(**_arguments(config))


def create_backtrader_worker(config: Mapping[str, Any]) -> BacktraderWorkerAdapter:
    """Return the worker of a configuration by the names of `BacktraderWorkerAdapter`'s arguments."""
    return BacktraderWorkerAdapter(**_arguments(config))


def class_worker(symbol: str, strategy_key: str, user_id: str | None = None, **options: Any) -> StrategyWorker:
    """Return the worker of a class of vnpy or backtrader; `options` are `engine` and the arguments of its adapter."""
    create = create_backtrader_worker if options.pop("engine") == "backtrader" else create_vnpy_worker
    return create({**options, "symbol": symbol, "strategy_key": strategy_key, "user_id": user_id})


def _arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with the class under one name; rows of the first generation call it `engine_class`."""
    given = dict(config)
    path = given.pop("engine_class", None)
    given.setdefault("engine_class_path", path)
    return given


def _source(
    path: str,
    engine: str,
    symbol: str,
    data: str,
    params: Mapping[str, Any],
    timeframe: str,
    settings: Sequence[str],
) -> ClassSource:
    if not data:
        fields = {"symbol": symbol, "data": "store"} | ({"timeframe": timeframe} if timeframe else {})
        data = json.dumps(fields, ensure_ascii=False)
    return ClassSource(path, engine, (data,), params, timeframe, tuple(settings))


def _about(cls: type[Any], source: ClassSource) -> str:
    """Return what makes a class the same strategy: its code, its parameters and what it runs on."""
    try:
        code = inspect.getsource(inspect.getmodule(cls) or cls)
    except (OSError, TypeError):
        code = ""
    return json.dumps([source.path, source.engine, source.data, dict(source.parameters), source.overrides, code])


def _folder(user_id: str | None, symbol: str, strategy_key: str) -> Path:
    name = "_".join(each for each in (user_id, symbol, strategy_key) if each)
    return workers_folder() / "".join(each if each.isalnum() or each in "._-" else "_" for each in name)


def _is_cta(cls: type[Any]) -> bool:
    try:
        from vnpy_ctastrategy.template import CtaTemplate
    except ImportError:
        return False
    return issubclass(cls, CtaTemplate)


def _prepare_vnpy() -> None:
    """Prepare vnpy's folder if it is installed; a real-time engine may do without it."""
    from quantcrafter.engine.adapters.vnpy.place import prepare

    try:
        prepare()
    except ImportError:
        log.debug("vnpy is not installed.")


def _taken(cls: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the arguments that a class takes."""
    known = inspect.signature(cls).parameters.values()
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in known):
        return {name: value for name, value in arguments.items() if name != "params"}
    return {each.name: arguments[each.name] for each in known if each.name in arguments}
