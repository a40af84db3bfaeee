"""What a worker did, as the result of a run over the same bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import DataRequest, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.load import LoadedBars, load_bars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.beginning import strategy_from
from quantcrafter.engine.live.core import StrategyCore, books_of
from quantcrafter.engine.live.folding import fold
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.runtime.results.notices import check_assertions
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.load_graph import Installed
from quantcrafter.engine.runtime.running.prepare import Loader
from quantcrafter.engine.runtime.running.run import StageTimer, prepare_run, result_of
from quantcrafter.engine.runtime.sessions.session_data import sources_of
from quantcrafter.engine.runtime.sessions.strategy_session import Host


def worker_result(worker: SessionWorker, loader: Loader = load_bars) -> RunResult:
    """Return the books of a worker as the result of a run over the same bars, with its metrics and columns.

    Args:
        worker: a worker that is started, and has taken all bars.
        loader: loads the stored bars, where the feed brings those that the strategy file names.

    Raises:
        DataError: bars are unavailable now.
        RunError: an assertion of the strategy failed that ends a run; or the worker is not started.
    """
    clock = StageTimer()
    if worker.feed.replays:
        graph, loads = worker.strategy, loader
    else:
        with InputLog.read(worker.folder / LOG) as opened:
            graph, loads = _from_its_beginning(worker.strategy, worker.core, opened), _seen(worker.core)
    prepared = prepare_run(graph, graph.spec.run, clock=clock, loader=loads)
    ledger = worker.ledger()
    clock.lap("simulate_s")
    result = result_of(prepared, ledger, clock)
    check_assertions(result)
    return result


def result_so_far(folder: Path, registry: Installed) -> RunResult:
    """Return what a worker has done until now, from its log, as the result of a run over the bars that it has seen.

    Args:
        folder: that of the worker, which may be running.
        registry: the installed components.

    Raises:
        RunError: the log can't be read, or the worker has not begun.
        SpecError: its strategy can't run here.
    """
    clock = StageTimer()
    with InputLog.read(folder / LOG) as opened:
        meta = opened.meta()
        if not {"text", "base_dir", "overrides", "worker", "venue"} <= set(meta) or not opened.has_anchor:
            raise RunError(Message("The log of a worker has no beginning: it was never started."))
        strategy = strategy_from({**meta, "file": ""}, registry)
        core = StrategyCore(strategy, worker=meta["worker"], venue=meta["venue"], host=Host())
        _, begin = fold(opened, core)
        ledger = books_of(opened.books(begin), core)
        graph = _from_its_beginning(core.graph, core, opened)
    prepared = prepare_run(graph, graph.spec.run, clock=clock, loader=_seen(core))
    clock.lap("simulate_s")
    return result_of(prepared, ledger, clock)


def _from_its_beginning(strategy: BoundGraph, core: StrategyCore, opened: InputLog) -> BoundGraph:
    """Return the strategy with the range of bars on which it decided: those after the bars of its anchor."""
    anchor, seq = opened.anchored()
    known = opened.histories(anchor.number, seq)
    session = core.session
    opens = []
    for each in core.graph.instruments:
        count = len(known.get(each.spec.symbol, ()))
        opens += session.bars(each.spec.symbol).open_ns[count : count + 1].tolist()
    start = datetime.fromtimestamp(min(opens, default=anchor.ts_ns) / 1e9, UTC)
    spec = strategy.spec
    run = spec.run.model_copy(update={"start": start, "end": None})
    return replace(strategy, spec=replace(spec, run=run))


def _seen(core: StrategyCore) -> Callable[..., LoadedBars]:
    """Return a loader of the bars that a worker has had."""
    session = core.session
    seen = {(each.symbol, each.timeframe): session.bars(each.name) for each in sources_of(core.graph)}

    def load(_provider: Any, request: DataRequest, **_: Any) -> LoadedBars:
        return LoadedBars(seen[request.symbol, request.timeframe], (), "")

    return load
