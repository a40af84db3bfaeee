"""What a registered worker is made of, as plain values that other processes and later runs read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantcrafter.engine.api import Broker, Feed, RunError, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.place_faults import made_from
from quantcrafter.engine.orchestrator.trading_hours import Tables
from quantcrafter.engine.runtime.running.engines import OWN_ENGINE, STARTED_MODES, engine_for
from quantcrafter.engine.spec.identity import strategy_hash
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar

if TYPE_CHECKING:
    from quantcrafter.engine.graph import BoundGraph
    from quantcrafter.engine.live.inputs import LiveOutput
    from quantcrafter.engine.live.session_worker import SessionWorker
    from quantcrafter.engine.plugins import Registry
    from quantcrafter.engine.runtime.running.prepare import Loader
    from quantcrafter.engine.runtime.sessions.strategy_session import Host

LIVE = "live"
"""The mode that moves real money."""
ANOTHER_ROW = "?"
"""In place of the version of a row: the worker goes on with what its log says, which is not what the row says now."""
MODES = tuple(mode for mode in STARTED_MODES if mode != LIVE)
"""The modes in which a worker can run without real money."""


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """A strategy with its feed and broker.

    The text is that of the file when the worker was registered: a file that is changed later changes nothing that
    runs. `overrides` are changes of it, such as `run.cash=5000`. `feed` and `broker` are written as on the command
    line. `strategy`, `symbol` and `strategy_hash` are shown until the worker has run. `row` is the version of its row
    in a store, '' if it is from none, and `ANOTHER_ROW` if it is an earlier one. `by_hours` says whether it keeps to
    the hours of its schedule, and `by_hand` whether the user of this computer typed the overrides.
    """

    key: str
    file: str
    text: str
    base_dir: str
    overrides: tuple[str, ...] = ()
    feed: str = "replay:60x"
    broker: str = "paper"
    mode: str = "paper"
    user_id: str | None = None
    strategy: str = ""
    symbol: str = ""
    strategy_hash: str = ""
    row: str = ""
    by_hours: bool = True
    by_hand: bool = False

    @property
    def folder(self) -> Path:
        """Where its data is kept."""
        return workers_folder() / self.key

    @classmethod
    def of(
        cls, graph: BoundGraph, key: str, *, feed: str, broker: str, mode: str, user_id: str | None = None
    ) -> WorkerConfig:
        """Return the configuration of a strategy that is loaded."""
        spec = graph.spec
        return cls(
            key,
            str(Path(spec.file).absolute()) if spec.file else "",
            spec.text,
            str(Path(spec.base_dir).absolute()),
            tuple(spec.overrides),
            feed,
            broker,
            mode,
            user_id,
            strategy=spec.name,
            symbol=graph.instruments[0].spec.symbol,
            strategy_hash=strategy_hash(spec),
            by_hand=spec.by_hand,
        )


@dataclass(frozen=True, slots=True)
class ClassConfig:
    """A worker of a Python class, which runs in a process of its own.

    `path` is the class as `module:Class`; it is called with the symbol, the strategy's key, the user and the params.
    `row` is the version of the row of a store that it is from, '' if it is from none.
    """

    key: str
    path: str
    symbol: str
    strategy_key: str
    user_id: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "paper"
    row: str = ""

    @property
    def folder(self) -> Path:
        """Where its data is kept."""
        return workers_folder() / self.key


def make_worker(
    config: WorkerConfig,
    registry: Registry,
    host: Host,
    loader: Loader,
    tell: Callable[[LiveOutput], object],
    clock: Callable[[], int] = time.time_ns,
    tables: Tables = calendar,
) -> SessionWorker:
    """Return the worker of a configuration; it is not started.

    `tell` is given its outputs. `clock` is the computer's, and `tables` gives the calendars for its schedule.

    Raises:
        SpecError: the strategy can't run here.
        RunError: its broker moves real money, and its mode is not `live`.
        ValueError: there is no such feed or broker, or its options are wrong.
    """
    from quantcrafter.engine.live.session_worker import SessionWorker
    from quantcrafter.engine.orchestrator.scheduled_hours import hours_of
    from quantcrafter.engine.runtime.running.load_graph import load_text

    graph = load_text(
        config.text,
        registry,
        file=config.file,
        base_dir=config.base_dir,
        overrides=list(config.overrides),
        by_hand=config.by_hand,
    )
    broker = broker_named(config.broker, registry)
    if broker.is_live and config.mode != LIVE:
        raise RunError(
            Message("The broker '{name}' moves real money. Add --live if you want that.", name=type(broker).name)
        )
    return SessionWorker(
        graph,
        feed_named(config.feed, registry),
        broker,
        config.folder,
        host=host,
        loader=loader,
        mode=config.mode,
        user_id=config.user_id,
        tell=tell,
        hours=hours_of(graph, clock, tables) if config.by_hours else None,
    )


def feed_named(text: str, registry: Registry) -> Feed:
    """Return the feed that a text such as `replay:60x` names.

    Raises:
        ValueError: there is none, or its options are wrong.
    """
    name, _, place = text.partition(":")
    cls = registry.feed(name)
    if cls is None:
        known = ", ".join(registry.feed_names())
        raise ValueError(Message("there is no feed '{name}'; there are {known}", name=name, known=known))
    return made_from(cls, Message("the feed '{name}'", name=name), place)


def broker_named(text: str, registry: Registry) -> Broker:
    """Return the broker that a text such as `paper` names.

    Raises:
        ValueError: there is none, or its options are wrong.
    """
    name, _, place = text.partition(":")
    cls = registry.broker(name)
    if cls is None:
        known = ", ".join(registry.broker_names())
        raise ValueError(Message("there is no broker '{name}'; there are {known}", name=name, known=known))
    return made_from(cls, Message("the broker '{name}'", name=name), place)


def mode_of(graph: BoundGraph, asked: str | None, feed: Feed, broker: Broker, *, live: bool) -> str:
    """Return the mode in which a strategy is started: the one asked for, else its own, or `paper` for a backtest.

    Args:
        graph: the strategy.
        asked: the mode that is asked for, None for that of the file.
        feed: where its bars come from.
        broker: who fills its orders.
        live: whether the user has said that real money may be moved.

    Raises:
        RunError: real money would move without the user's word, or can't although the mode says so.
    """
    own = asked or graph.spec.run.mode
    if own == LIVE and not live:
        raise RunError(
            Message(
                "The strategy '{name}' has the mode 'live', which moves real money. Add --live, or start it with "
                "'--mode paper'.",
                name=graph.spec.name,
            )
        )
    if broker.is_live and not live:
        raise RunError(
            Message("The broker '{name}' moves real money. Add --live if you want that.", name=type(broker).name)
        )
    if live and (not broker.is_live or own in MODES):
        raise RunError(
            Message(
                "With --live a strategy needs a broker that moves real money, and the mode 'live' or none; the broker "
                "is '{broker}' and the mode '{mode}'.",
                broker=type(broker).name,
                mode=own,
            )
        )
    if live and feed.own_clock:
        raise RunError(
            Message(
                "The feed '{name}' has a clock of its own, so it can't be used with --live. Give one of current "
                "prices.",
                name=type(feed).name,
            )
        )
    if live:
        return LIVE
    return own if own in MODES else "paper"


def check_engine(graph: BoundGraph, registry: Registry) -> None:
    """Refuse a strategy that the native engine can't run.

    Raises:
        SpecError: it can't.
    """
    engine_for(graph, graph.spec.run.model_copy(update={"engine": OWN_ENGINE, "mode": "backtest"}), registry)


def reason_of_error(error: Exception) -> str:
    """Return what is wrong, in one line."""
    if isinstance(error, SpecError):
        return "; ".join(str(problem) for problem in error.problems)
    return str(error)
