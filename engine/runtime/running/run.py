"""Runs a strategy, from the file to the result.

1. The file becomes a graph; every problem is reported at once.
2. Bars are loaded from the beginning of the data on, checked and aligned.
3. Every column is computed once, over all of them; what follows sees the part from `run.start` on.
4. The engine matches orders and writes the ledger.
5. Metrics are computed from the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from quantcrafter.engine.api import EngineJob, Ledger, Problem, RunError, RunSettings, Term
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import BoundGraph, Evaluation, Plan, make_plan
from quantcrafter.engine.runtime.results.notices import check_assertions
from quantcrafter.engine.runtime.results.result import RunOrigin, RunResult
from quantcrafter.engine.runtime.results.trace import ColumnStore, Trace
from quantcrafter.engine.runtime.running.benchmark import benchmark_findings, run_benchmark
from quantcrafter.engine.runtime.running.engines import engine_for, run_job
from quantcrafter.engine.runtime.running.expiries import with_expiries
from quantcrafter.engine.runtime.running.job import begin_at, job_of, with_record
from quantcrafter.engine.runtime.running.load_graph import Installed, load_graph
from quantcrafter.engine.runtime.running.prepare import (
    ColumnSource,
    LoadedMarket,
    Loader,
    Progress,
    evaluate,
    load_market,
    with_choices,
)
from quantcrafter.engine.runtime.running.protective_levels import coarse_ticks, levels_beyond_entries
from quantcrafter.engine.runtime.running.warm_up import warm_up_of
from quantcrafter.engine.spec import StrategySpec
from quantcrafter.engine.spec.identity import strategy_hash
from quantcrafter.engine.stats.metrics import compute_metrics


def silent(stage: str, done: int, total: int) -> None:
    """Ignore progress."""


def never() -> bool:
    """Never cancel."""
    return False


def run(  # noqa: PLR0913 - every one has a default
    source: str | Path | StrategySpec | BoundGraph,
    *,
    registry: Installed,
    overrides: Sequence[str] = (),
    mode: str | None = None,
    engine: str | None = None,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = never,
    loader: Loader = load_bars,
    columns: ColumnSource = evaluate,
) -> RunResult:
    """Run a strategy and return the result.

    Args:
        source: a strategy file, or a spec or graph that was loaded before.
        registry: the installed components.
        overrides: changes such as `indicators.fast.timeperiod=20`, which override the file.
        mode: wins over `run.mode`.
        engine: wins over `run.engine`.
        progress: called with stage, done and total.
        cancelled: called from time to time; True ends the run.
        loader: loads the bars; a cache, where one run follows another.
        columns: computes them; a memo, where runs differ in little.

    Raises:
        SpecError: the file is wrong, or the engine cannot do what it asks for; holds every problem.
        DataError: bars are unavailable or rejected.
        ComponentError: a component failed.
        RunError: the run cannot be executed; RunCancelledError if it was cancelled.
    """
    clock = StageTimer()
    graph = source if isinstance(source, BoundGraph) else load_graph(source, registry, overrides)
    settings = with_choices(graph.spec.run, mode, engine)
    adapter = engine_for(graph, settings, registry)
    prepared = prepare_run(
        graph, settings, clock=clock, progress=progress, cancelled=cancelled, loader=loader, columns=columns
    )
    ledger = run_job(adapter, prepared.job)
    clock.lap("simulate_s")
    result = result_of(prepared, ledger, clock)
    check_assertions(result)
    return result


@dataclass(frozen=True)
class Prepared:
    """A strategy ready for an engine: bars loaded, columns computed, the job made of them."""

    graph: BoundGraph
    settings: RunSettings
    plan: Plan
    market: LoadedMarket
    evaluations: tuple[Evaluation, ...]
    store: ColumnStore
    job: EngineJob
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def prepare_run(
    graph: BoundGraph,
    settings: RunSettings,
    *,
    clock: StageTimer,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = never,
    loader: Loader = load_bars,
    columns: ColumnSource = evaluate,
) -> Prepared:
    """Load bars, compute columns and make the job of a run.

    Raises:
        DataError: bars are unavailable or rejected.
        ComponentError: a component failed.
        RunError: there is nothing to run; RunCancelledError if the owner cancelled.
    """
    plan = make_plan(graph)
    if not plan.decisions:
        raise RunError(Message("The strategy has no execution node, so there is nothing to run."))
    market = load_market(graph, progress, cancelled, loader)
    if market.graph is not graph:
        graph = market.graph
        plan = make_plan(graph)
    clock.lap("load_s")
    store = ColumnStore()
    evaluations = columns(plan, market, progress, cancelled, store)
    job = begin_at(job_of(graph, settings, plan, evaluations, progress, cancelled, market.terms), market.first)
    job = with_expiries(job, market)
    warm_up = warm_up_of(plan, market, starts=settings.start is not None)
    findings = (*market.findings, *warm_up.cold, *coarse_ticks(graph, plan, market, evaluations))
    evaluations = tuple(each.since(first) for each, first in zip(evaluations, market.first, strict=True))
    clock.lap("columns_s")
    progress("simulate", 0, 1)
    notes = (*market.notes, *warm_up.unsettled)
    return Prepared(graph, settings, plan, market, evaluations, store, job, findings, notes)


PENCE = "market_pence"
"""The code of a warning which the data may contradict: that prices are in pence, and nothing says so."""


def result_of(prepared: Prepared, ledger: Ledger, clock: StageTimer) -> RunResult:
    """Return the ledger of a prepared run as its result."""
    graph, settings, market = prepared.graph, prepared.settings, prepared.market
    evaluations, instruments = with_record(prepared.plan, prepared.evaluations, prepared.job.instruments, ledger)
    benchmark = run_benchmark(graph, market, instruments, ledger)
    metrics = compute_metrics(
        ledger, instruments, cash=settings.cash, risk_free=settings.risk_free, benchmark=benchmark
    )
    return RunResult(
        strategy=graph.spec.name,
        engine=settings.engine,
        mode=settings.mode,
        bars=len(ledger.ts_ns),
        warmup=max(job.first_bar for job in instruments),
        ledger=ledger,
        instruments=instruments,
        settings=settings,
        rule_nodes=prepared.plan.rule_nodes,
        metrics=metrics,
        timing=clock.finish(),
        findings=(
            *prepared.findings,
            *levels_beyond_entries(ledger, instruments, prepared.plan.protection),
            *benchmark_findings(graph, market, benchmark),
        ),
        notes=prepared.notes,
        synthetic=market.synthetic,
        origin=origin_of(graph),
        warnings=still_true(graph.warnings, graph, [each.terms for each in instruments]),
        started=clock.started,
        trace=Trace(prepared.plan, evaluations, graph, prepared.store),
        benchmark=benchmark,
    )


def still_true(
    warnings: Iterable[Problem], graph: BoundGraph, terms: Iterable[Mapping[str, Term]]
) -> tuple[Problem, ...]:
    """Return the warnings of a strategy without those of prices in pence or pounds where the data say it.

    `terms` are those of each instrument of the graph, by name.
    """
    pairs = zip(graph.instruments, terms, strict=True)
    told = {f"{each.spec.path}.symbol" for each, values in pairs if values["currency"].source == "data"}
    return tuple(each for each in warnings if each.code != PENCE or each.path not in told)


class StageTimer:
    """Times the stages of a run."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self._start = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Note the seconds since the last lap under a name."""
        now = time.perf_counter()
        self._laps[name] = now - self._last
        self._last = now

    def finish(self) -> dict[str, float]:
        """Return the seconds of every lap, and of the whole as `total_s`."""
        return {**self._laps, "total_s": time.perf_counter() - self._start}


def origin_of(graph: BoundGraph) -> RunOrigin:
    """Return the file, text and identity of what a graph was made of."""
    spec = graph.spec
    return RunOrigin(spec.file, spec.text, spec.description, spec_hash(graph), spec.overrides)


def spec_hash(graph: BoundGraph) -> str:
    """Return a hash of what the strategy does: nodes, instruments and settings, without the layout."""
    return strategy_hash(graph.spec)
