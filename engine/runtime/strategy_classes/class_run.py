"""A run of a strategy class that was written for another engine, from its path to the same result as any run.

1. The import must be allowed by the user's own list.
2. What it runs on is written as the `instruments:` and `run:` of a strategy file, and read as one.
3. Bars are loaded and checked as for any run.
4. The engine runs the class by itself; fills come back and our books are kept from them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quantcrafter.engine.api import (
    Capability,
    ClassInstrument,
    ClassJob,
    ClassRun,
    InstrumentJob,
    Need,
    Problem,
    RunSettings,
    SpecError,
    Timeframe,
)
from quantcrafter.engine.api.folders import allow_for_now
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph import BoundGraph, bind, has_errors
from quantcrafter.engine.graph.written_source import written_source
from quantcrafter.engine.runtime.results.result import RunOrigin, RunResult
from quantcrafter.engine.runtime.running.benchmark import run_benchmark
from quantcrafter.engine.runtime.running.engines import find_engine, run_class_job
from quantcrafter.engine.runtime.running.load_graph import Installed
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, Progress, load_market
from quantcrafter.engine.runtime.running.run import StageTimer, never, silent
from quantcrafter.engine.runtime.strategy_classes.class_paths import AllowedPath, check_allowed, modules_in
from quantcrafter.engine.spec import StrategySpec, check_strategy
from quantcrafter.engine.stats.metrics import compute_metrics


@dataclass(frozen=True)
class ClassSource:
    """What to run: a class by its path, the engine that it was written for, and what it runs on.

    `data` has an instrument each: a CSV or Parquet file, `provider:SYMBOL`, or a mapping as under `instruments:`;
    `timeframe` is that of those that are no mapping, '' for the usual one. `parameters` are passed to the class,
    `overrides` are changes such as `run.cash=5000`.
    """

    path: str
    engine: str
    data: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeframe: str = ""
    overrides: tuple[str, ...] = ()


def run_class(
    source: ClassSource,
    *,
    registry: Installed,
    progress: Progress = silent,
    cancelled: Callable[[], bool] = never,
) -> RunResult:
    """Run a strategy class on the engine that it was written for.

    Args:
        source: what to run.
        registry: the installed components.
        progress: called with stage, done and total.
        cancelled: called from time to time; True ends the run.

    Raises:
        SpecError: there is no such engine, it runs no classes, or data or settings are wrong.
        DataError: bars are unavailable or rejected.
        RunError: the import is not allowed, the class is unavailable, or it failed.
    """
    clock = StageTimer()
    allowed = check_allowed(source.path)
    adapter = find_engine(source.engine, registry, mode="backtest", needs=(Need(Capability.STRATEGY_CLASSES),))
    graph = class_graph(source, registry)
    market = load_market(graph, progress, cancelled)
    graph = market.graph
    clock.lap("load_s")
    clock.lap("columns_s")
    job = ClassJob(
        source.path,
        tuple(
            ClassInstrument(each.spec.symbol, bars, terms.value("tick_size"), terms.value("lot_size"))
            for each, bars, terms in zip(graph.instruments, market.run_bars, market.terms, strict=True)
        ),
        graph.spec.run,
        dict(source.parameters),
        allowed.folder,
        modules_in(allowed.folder),
        progress=lambda done, total: progress("simulate", done, total),
        cancelled=cancelled,
    )
    run = run_class_job(adapter, job)
    clock.lap("simulate_s")
    return _result(job, run, graph, market, clock, _origin(source, allowed, graph))


def _entry(written: str, timeframe: str, registry: Installed) -> str:
    """Return an instrument as a line of a strategy file."""
    if written.lstrip().startswith("{"):
        return written
    source = written_source(written, registry)
    if source is None:
        names = ", ".join(registry.provider_names())
        raise _wrong(
            Message(
                "--data is a CSV or Parquet file, PROVIDER:SYMBOL or a mapping as of 'instruments', was '{written}'.",
                written=written,
            ),
            Message("Providers: {names}.", names=names),
        )
    fields = {"symbol": source.symbol, "data": source.provider}
    if source.path:
        fields["path"] = str(Path(source.path).expanduser().absolute())
    if timeframe:
        fields["timeframe"] = _checked(timeframe)
    return json.dumps(fields, ensure_ascii=False)


def _checked(timeframe: str) -> str:
    try:
        return str(Timeframe.parse(timeframe))
    except ValueError as error:
        raise _wrong(Message("--timeframe: {error}.", error=error), "") from error


def _wrong(message: str, remedy: str) -> SpecError:
    return SpecError([Problem("class_run", message, remedy)])


def _text(source: ClassSource, registry: Installed) -> str:
    lines = [
        "quantcrafter: 1",
        f"name: {source.path.rpartition('.')[2]}",
        f"description: The {source.engine} strategy {source.path}",
        "instruments:",
        *(f"  - {_entry(each, source.timeframe, registry)}" for each in source.data),
        f"run: {{engine: {source.engine}}}",
    ]
    return "\n".join(lines) + "\n"


def class_graph(source: ClassSource, registry: Installed) -> BoundGraph:
    """Return what a strategy class runs on as a graph: instruments and settings, without decisions.

    Raises:
        SpecError: data or settings are wrong.
    """
    text = _text(source, registry)
    spec, problems = check_strategy(text, file="", base_dir=Path.cwd(), overrides=source.overrides, by_hand=True)
    if spec is None:
        raise SpecError(problems)
    for instrument in spec.instruments:  # the user names them on the command line, which is permission enough
        path = instrument.options.get("path")
        if isinstance(path, str):
            allow_for_now(Path.cwd() / path)
    graph, found = bind(spec, registry)
    problems += [problem for problem in found if problem.code != "no_execution"]
    problems += [*_unheeded(spec.run), *_contracts(spec)]
    if has_errors(problems):
        raise SpecError(problems)
    return graph


_HEEDED = frozenset(
    {
        *("mode", "engine", "cash", "currency", "end_of_data", "start", "end", "benchmark", "risk_free"),
        *("commission.percent", "commission.maker_percent", "commission.per_unit", "commission.per_lot"),
        *("commission.per_order", "commission.minimum"),
        *("slippage.bps", "slippage.ticks", "slippage.range_percent"),
    }
)
"""The settings that a strategy class is run by; for the rest it has the rules of its own engine."""


def _unheeded(settings: RunSettings) -> list[Problem]:
    """Return a problem for each setting that would be passed over."""
    given, usual = _flat(settings.model_dump()), _flat(RunSettings().model_dump())
    remedy = Message("Leave it out. These apply: {heeded}.", heeded=", ".join(sorted(_HEEDED)))
    return [
        Problem(
            "class_run",
            Message("'run.{name}' doesn't apply to a strategy class.", name=name),
            remedy,
            path=f"run.{name}",
        )
        for name, value in given.items()
        if name not in _HEEDED and value != usual.get(name)
    ]


def _contracts(spec: StrategySpec) -> list[Problem]:
    """Return a problem for each contract: a strategy class has the margin rules of its own engine."""
    return [
        Problem(
            "class_run",
            Message("'kind: contract' of {symbol} doesn't apply to a strategy class.", symbol=each.symbol),
            Message("Leave it out, or make the strategy a file."),
            path=f"{each.path}.kind",
            field="kind",
        )
        for each in spec.instruments
        if each.kind == "contract"
    ]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {f"{prefix}{name}": value}
    return found


def _origin(source: ClassSource, allowed: AllowedPath, graph: BoundGraph) -> RunOrigin:
    """Return what was run; its hash changes with the class's own file, as far as that can be found."""
    given = tuple(f"{name}={json.dumps(value)}" for name, value in source.parameters.items())
    digest = hashlib.blake2b(graph.spec.text.encode(), digest_size=16)
    for part in (source.path, *given, graph.spec.run.model_dump_json()):
        digest.update(f"\n{part}".encode())
    if allowed.folder:
        code = Path(allowed.folder, *source.path.split(".")[:-1]).with_suffix(".py")
        digest.update(code.read_bytes() if code.is_file() else b"")
    overrides = (*graph.spec.overrides, *given)
    return RunOrigin("", graph.spec.text, graph.spec.description, digest.hexdigest(), overrides)


def _result(
    job: ClassJob, run: ClassRun, graph: BoundGraph, market: LoadedMarket, clock: StageTimer, origin: RunOrigin
) -> RunResult:
    instruments = tuple(
        InstrumentJob(
            each.symbol,
            each.bars,
            each.tick_size,
            lot_size,
            np.zeros(len(each.bars), np.uint8),
            np.ones(len(each.bars), np.bool_),
            0,
            trading_days=terms.value("trading_days"),
            terms=terms.values,
        )
        for each, lot_size, terms in zip(job.instruments, run.lot_sizes, market.terms, strict=True)
    )
    benchmark = run_benchmark(graph, market, instruments, run.ledger)
    return RunResult(
        strategy=graph.spec.name,
        engine=job.settings.engine,
        mode="backtest",
        bars=len(run.ledger.ts_ns),
        warmup=0,
        ledger=run.ledger,
        instruments=instruments,
        settings=job.settings,
        rule_nodes=(),
        metrics=compute_metrics(
            run.ledger,
            instruments,
            cash=job.settings.cash,
            risk_free=job.settings.risk_free,
            benchmark=benchmark,
        ),
        timing=clock.finish(),
        findings=market.findings,
        notes=market.notes,
        synthetic=market.synthetic,
        origin=origin,
        started=clock.started,
        benchmark=benchmark,
    )
