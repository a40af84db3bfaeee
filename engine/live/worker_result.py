"""What a worker did, as the result of a run over the same bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from quantcrafter.engine.api import DataRequest
from quantcrafter.engine.data.load import LoadedBars, load_bars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.runtime.results.notices import check_assertions
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.prepare import Loader
from quantcrafter.engine.runtime.running.run import StageTimer, prepare_run, result_of
from quantcrafter.engine.runtime.sessions.session_data import sources_of


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
    graph, loads = (worker.strategy, loader) if worker.feed.replays else (_from_its_beginning(worker), _seen(worker))
    prepared = prepare_run(graph, graph.spec.run, clock=clock, loader=loads)
    ledger = worker.ledger()
    clock.lap("simulate_s")
    result = result_of(prepared, ledger, clock)
    check_assertions(result)
    return result


def _from_its_beginning(worker: SessionWorker) -> BoundGraph:
    """Return the strategy with the range of bars on which it decided: those after the bars of its anchor."""
    with InputLog.read(worker.folder / LOG) as opened:
        anchor, seq = opened.anchored()
        known = opened.histories(anchor.number, seq)
    session = worker.core.session
    opens = []
    for each in worker.graph.instruments:
        count = len(known.get(each.spec.symbol, ()))
        opens += session.bars(each.spec.symbol).open_ns[count : count + 1].tolist()
    start = datetime.fromtimestamp(min(opens, default=anchor.ts_ns) / 1e9, UTC)
    spec = worker.strategy.spec
    run = spec.run.model_copy(update={"start": start, "end": None})
    return replace(worker.strategy, spec=replace(spec, run=run))


def _seen(worker: SessionWorker) -> Callable[..., LoadedBars]:
    """Return a loader of the bars that a worker has had."""
    session = worker.core.session
    seen = {(each.symbol, each.timeframe): session.bars(each.name) for each in sources_of(worker.graph)}

    def load(_provider: Any, request: DataRequest, **_: Any) -> LoadedBars:
        return LoadedBars(seen[request.symbol, request.timeframe], (), "")

    return load
