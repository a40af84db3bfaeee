"""How a worker that runs goes on with a changed configuration.

1. With another strategy it is changed between two bars, if the new one can carry position and orders.
2. With other options of its feed that leave the bars as they are, it is closed and opened again. Its log goes on.
3. With another broker, feed or mode, with other options of them, or with a strategy that can't carry on, it begins
   anew, if it has neither position nor order, and its broker is simulated. Otherwise the change is refused, and it goes
   on as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from quantcrafter.engine.api import FeedState, QuantCrafterError, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.core import StrategyCore
from quantcrafter.engine.live.hours_side import WorkerHours
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.origin import elsewhere, origin_of
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.live.swap import is_idle
from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.orchestrator.worker_config import (
    ANOTHER_ROW,
    WorkerConfig,
    broker_named,
    feed_named,
    reason_of_error,
)
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.runtime.running.load_graph import load_text

log = logging.getLogger("quantcrafter.host")

Hours = Callable[[BoundGraph], WorkerHours | None]


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a change leads to: what becomes of position and orders, and whether the worker is opened again, or anew."""

    told: tuple[str, ...]
    reopens: bool = False
    is_anew: bool = False


def replace_strategy(
    worker: SessionWorker, old: WorkerConfig, new: WorkerConfig, registry: Registry, hours: Hours, *, preview: bool
) -> Replacement:
    """Let a worker go on with a changed configuration, or say with `preview` what would become of it.

    Who calls it closes and opens the worker again if the answer says so. `hours` gives the hours of a strategy.

    Raises:
        RunError: it can't, and goes on as it was.
        SpecError, DataError, ComponentError, ValueError: the new strategy, feed or broker can't be used here; the same.
    """
    graph = load_text(
        new.text,
        registry,
        file=new.file,
        base_dir=new.base_dir,
        overrides=list(new.overrides),
        by_hand=new.by_hand,
    )
    feed, broker = feed_named(new.feed, registry), broker_named(new.broker, registry)
    if old.mode != new.mode:
        return _anew(worker, Message("It has another {what}.", what="mode"))
    if other := elsewhere(
        origin_of(worker.feed, worker.broker), feed.beside(new.base_dir), broker.beside(new.base_dir)
    ):
        return _anew(worker, Message("It is changed: {why}.", why=other))
    if old.strategy_hash != new.strategy_hash:
        try:
            told = worker.preview(graph)
        except (QuantCrafterError, ValueError) as error:
            if worker.state is WorkerState.ERROR:
                raise
            return _anew(worker, reason_of_error(error))
        if not preview:
            log.info("The strategy is changed. %s", " ".join(told))
            worker.change(graph, hours(graph) if new.by_hours else None)
        return Replacement(told, reopens=(old.feed, old.broker) != (new.feed, new.broker))
    if not preview:
        worker.follow(hours(graph) if new.by_hours else None)
    return Replacement(
        (str(Message("The strategy stays as it is.")),), reopens=(old.feed, old.broker) != (new.feed, new.broker)
    )


def _anew(worker: SessionWorker, why: str) -> Replacement:
    """Let a worker without position and orders begin anew.

    Raises:
        RunError: it has some, or its broker is outside: its orders are known by the log.
    """
    core = worker.core
    if core.venue == "external":
        raise RunError(Message("{why} At a broker outside, give it another key instead.", why=why))
    if not is_idle(core):
        raise RunError(Message("{why}", why=why))
    return Replacement((str(Message("{why} It begins anew, with a new account.", why=why)),), is_anew=True)


def as_logged(config: WorkerConfig) -> WorkerConfig | None:
    """Return the configuration with the strategy of the worker's log, if the row of a store has another one by now.

    None means that the log is of a replay that has ended, or is to be begun anew for another reason.

    Raises:
        RunError: the log can't be read.
    """
    if not config.row or not (config.folder / LOG).exists():
        return config
    with InputLog.read(config.folder / LOG) as opened:
        meta = opened.meta()
        if not opened.has_anchor or meta.get("strategy_hash") in (None, config.strategy_hash):
            return config
        last = opened.inputs(opened.last_seq - 1)
        if any(isinstance(each, FeedState) and each.state == "ended" for _, each in last):
            return None
    return replace(
        config,
        text=meta["text"],
        file=meta["file"],
        base_dir=meta["base_dir"],
        overrides=tuple(meta["overrides"]),
        by_hand=meta.get("by_hand") is True,
        strategy_hash=meta["strategy_hash"],
        row=ANOTHER_ROW,
    )


def what_holds(core: StrategyCore) -> str:
    """Return what keeps a worker from being removed: its positions, or orders at a broker outside; '' for nothing."""
    held = core.session.positions
    if held:
        what = ", ".join(f"{quantity:g} {symbol}" for symbol, quantity in held.items())
    elif core.venue == "external" and not is_idle(core):
        what = str(Message("orders that work"))
    else:
        return ""
    return str(Message("It holds {what}.", what=what))
