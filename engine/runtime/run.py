"""A run from file to result.

1. The file becomes a graph; every problem is reported at once.
2. Bars are loaded, checked and aligned.
3. Every column is computed once.
4. The engine matches orders and keeps the books.
5. Metrics are taken from the books.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.api import EngineAdapter, EngineJob, InstrumentJob, Problem, RunError, RunSettings, SpecError
from engine.data.load import load_bars
from engine.graph import BoundGraph, make_plan
from engine.runtime.prepare import Columns, Loader, Progress, evaluate, instrument_job, load_market, with_choices
from engine.runtime.result import Origin, RunResult
from engine.runtime.source import Installed, load_graph
from engine.runtime.trace import ColumnStore, Trace
from engine.spec import NodeSpec, StrategySpec
from engine.stats.metrics import compute_metrics


def _silent(stage: str, done: int, total: int) -> None:
    """Ignore progress."""


def _never() -> bool:
    return False


def run(  # noqa: PLR0913 - every one has a default
    source: str | Path | StrategySpec | BoundGraph,
    *,
    registry: Installed,
    overrides: Sequence[str] = (),
    mode: str | None = None,
    engine: str | None = None,
    progress: Progress = _silent,
    cancelled: Callable[[], bool] = _never,
    loader: Loader = load_bars,
    columns: Columns = evaluate,
) -> RunResult:
    """Run a strategy and return what happened.

    Args:
        source: a strategy file, or a spec or graph that was loaded before.
        registry: what is installed.
        overrides: changes such as `indicators.fast.timeperiod=20`, which win over the file.
        mode: wins over `run.mode`.
        engine: wins over `run.engine`.
        progress: called with stage, done and total.
        cancelled: asked now and then; True ends the run.
        loader: brings the bars; a cache, where one run follows another.
        columns: computes them; a memo, where runs differ in little.

    Raises:
        SpecError: the file is wrong; holds every problem.
        DataError: bars cannot be had, or are refused.
        ComponentError: a component failed.
        RunError: the run cannot be carried out; RunCancelledError if it was cancelled.
    """
    clock = _Clock()
    graph = source if isinstance(source, BoundGraph) else load_graph(source, registry, overrides)
    settings = with_choices(graph.spec.run, mode, engine)
    adapter = _engine(settings, registry, graph.spec)
    plan = make_plan(graph)
    if plan.decision is None:
        raise RunError("The strategy has no execution node, so there is nothing to run.")
    market = load_market(graph, progress, cancelled, loader)
    clock.lap("load_s")
    store = ColumnStore()
    evaluations = columns(plan, market, progress, cancelled, store)
    decision = plan.decision
    instruments = tuple(instrument_job(graph, i, decision, each) for i, each in enumerate(evaluations))
    clock.lap("columns_s")
    job = EngineJob(
        instruments=instruments,
        execution=decision.rule,
        size=decision.size,
        protection=tuple(each.rule for each in decision.protection),
        settings=settings,
        progress=lambda done, total: progress("simulate", done, total),
        cancelled=cancelled,
    )
    ledger = adapter.run(job)
    clock.lap("simulate_s")
    metrics = compute_metrics(ledger, instruments, cash=settings.cash)
    return RunResult(
        strategy=graph.spec.name,
        engine=settings.engine,
        mode=settings.mode,
        bars=len(ledger.ts_ns),
        warmup=max(job.first_bar for job in instruments),
        ledger=ledger,
        instruments=instruments,
        job_settings=settings,
        rule_nodes=tuple(each.node for each in decision.protection),
        metrics=metrics,
        timing=clock.finish(),
        findings=market.findings,
        notes=market.notes,
        synthetic=any(bars.synthetic for bars in market.bars)
        or any(feed.synthetic for feeds in market.feeds for feed in feeds.values()),
        data_hash=_data_hash(instruments),
        origin=_origin(graph),
        warnings=graph.warnings,
        trace=Trace(plan, evaluations, store, graph),
    )


class _Clock:
    """Times the stages of a run."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._laps[name] = now - self._last
        self._last = now

    def finish(self) -> dict[str, float]:
        return {**self._laps, "total_s": time.perf_counter() - self._start}


def _engine(settings: RunSettings, registry: Installed, spec: StrategySpec) -> EngineAdapter:
    cls = registry.engine(settings.engine)
    if cls is None:
        names = ", ".join(registry.engine_names())
        text = f"There is no engine '{settings.engine}'."
        raise SpecError([Problem("unknown_engine", text, f"There are: {names}.", spec.file, path="run.engine")])
    if settings.mode not in cls.modes:
        text = f"The engine '{cls.name}' cannot run in mode '{settings.mode}'."
        remedy = f"It can: {', '.join(cls.modes)}."
        raise SpecError([Problem("unknown_mode", text, remedy, spec.file, path="run.mode")])
    return cls()


def _origin(graph: BoundGraph) -> Origin:
    spec = graph.spec
    return Origin(spec.file, spec.text, spec.description, spec_hash(graph), spec.overrides)


def _data_hash(instruments: Sequence[InstrumentJob]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for instrument in instruments:
        digest.update(instrument.bars.content_hash.encode())
    return digest.hexdigest()


def _flags(node: NodeSpec) -> str:
    return ("|bypass" if node.bypass else "") + ("|mute" if node.mute else "")


def spec_hash(graph: BoundGraph) -> str:
    """Return a hash of what the strategy does: nodes, instruments and settings, without the layout."""
    spec = graph.spec
    parts = [
        *(f"{node.path}|{node.use}|{sorted(node.values.items())!r}{_flags(node)}" for node in spec.nodes.values()),
        *(f"{node.id}|{flags}" for node in spec.uses.values() if (flags := _flags(node))),
        *(f"{each!r}" for each in spec.instruments),
        spec.run.model_dump_json(),
    ]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
