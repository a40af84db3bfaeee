"""Runs a strategy on several engines and compares the results.

Bars are loaded and columns computed once; every engine gets the same job.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from quantcrafter.engine.api import (
    EngineAdapter,
    InstrumentJob,
    Ledger,
    Need,
    Problem,
    RunCancelledError,
    RunError,
    SpecError,
)
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.runtime.parity.compare import ComparedRuns
from quantcrafter.engine.runtime.parity.model import Cause, ComparedData, EngineDifference, EngineOutcome, ParityReport
from quantcrafter.engine.runtime.results.run_tables import data_hash
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.runtime.running.engines import capabilities_of, engine_choices, find_engine, needs_of, run_job
from quantcrafter.engine.runtime.running.load_graph import Installed
from quantcrafter.engine.runtime.running.prepare import Loader, Progress, with_choices
from quantcrafter.engine.runtime.running.run import (
    Prepared,
    StageTimer,
    never,
    prepare_run,
    result_of,
    silent,
    spec_hash,
)

_LEAST = 2


def run_parity(
    graph: BoundGraph,
    *,
    registry: Installed,
    engines: Sequence[str] = (),
    progress: Progress = silent,
    cancelled: Callable[[], bool] = never,
    loader: Loader = load_bars,
) -> ParityReport:
    """Run a strategy on several engines and return their differences from the first.

    Args:
        graph: the strategy.
        registry: the installed components.
        engines: their names, the reference first; all that are installed if left out.
        progress: called with stage (the engine's name while it simulates), done and total.
        cancelled: called from time to time; True ends it.
        loader: loads the bars.

    Raises:
        SpecError: an engine is unknown or not installed, or there are not two of them.
        DataError: bars are unavailable or rejected.
        ComponentError: a component failed.
        RunError: the strategy cannot be run; RunCancelledError if the owner cancelled.
    """
    names, left_out = _chosen(engines, registry)
    for name in names:
        find_engine(name, registry, mode="backtest", file=graph.spec.file)
    settings = with_choices(graph.spec.run, "backtest", names[0])
    clock = StageTimer()
    prepared = prepare_run(graph, settings, clock=clock, progress=progress, cancelled=cancelled, loader=loader)
    outcomes = _Round(prepared, registry, progress).outcomes(names)
    instruments = prepared.job.instruments
    return ParityReport(
        strategy=graph.spec.name,
        file=graph.spec.file,
        file_hash=hashlib.sha256(graph.spec.text.encode()).hexdigest(),
        spec_hash=spec_hash(graph),
        data_hash=data_hash(instruments),
        overrides=graph.spec.overrides,
        settings=settings.model_dump(mode="json", exclude={"engine", "mode"}),
        instruments=tuple(_data(each) for each in instruments),
        outcomes=tuple(outcomes),
        left_out=left_out,
        version=version("quantcrafter"),
    )


def _chosen(engines: Sequence[str], registry: Installed) -> tuple[list[str], dict[str, str]]:
    """Return the engines to run and, if none were named, those that are not installed with their install commands."""
    names = list(dict.fromkeys(engines))
    left_out: dict[str, str] = {}
    if not engines:
        for choice in engine_choices(registry):
            if choice.missing:
                left_out[choice.name] = choice.missing
            else:
                names.append(choice.name)
    if len(names) < _LEAST:
        named = ", ".join(names) or Message("none")
        hints = joined((Message("{name} is {missing}.", name=name, missing=why) for name, why in left_out.items()))
        text = Message("A comparison needs at least two engines, had {named}.", named=named)
        raise SpecError([Problem("parity_engines", text, hints or Message("Name another one."))])
    return names, left_out


def _data(instrument: InstrumentJob) -> ComparedData:
    bars = instrument.bars
    return ComparedData(
        instrument.symbol, str(bars.timeframe), len(bars), bars.source, bars.content_hash, bars.synthetic
    )


@dataclass
class _Round:
    prepared: Prepared
    registry: Installed
    progress: Progress

    def outcomes(self, names: Sequence[str]) -> list[EngineOutcome]:
        """Run every engine; the first that can run is the reference."""
        made: list[EngineOutcome] = []
        expected: RunView | None = None
        for name in names:
            outcome, run = self._outcome(name, expected)
            made.append(outcome)
            if expected is None and run is None:
                raise RunError(
                    Message("{found} Name another engine first, as the reference.", found=outcome.differences[0].found)
                )
            expected = run if expected is None else expected
        return made

    def _outcome(self, name: str, expected: RunView | None) -> tuple[EngineOutcome, RunView | None]:
        cls = self.registry.engine(name)
        versions = cls.versions() if cls is not None else {}
        started = time.perf_counter()
        try:
            ledger = self._ledger(name)
        except RunCancelledError:
            raise
        except (SpecError, RunError) as error:
            refused = self._refused(name, error)
            return EngineOutcome(name, versions, seconds=time.perf_counter() - started, differences=refused), None
        seconds = time.perf_counter() - started
        settings = with_choices(self.prepared.settings, None, name)
        run = result_of(replace(self.prepared, settings=settings), ledger, StageTimer())
        differences = () if expected is None else ComparedRuns(name, expected, run).differences()
        final = float(ledger.equity[-1]) if len(ledger.equity) else None
        counts = (len(ledger.orders), len(ledger.fills), len(ledger.trades))
        return EngineOutcome(name, versions, *counts, final, seconds, differences), run

    def _ledger(self, name: str) -> Ledger:
        adapter: EngineAdapter = find_engine(name, self.registry, mode="backtest", needs=self._needs())
        job = replace(self.prepared.job, progress=lambda done, total: self.progress(name, done, total))
        return run_job(adapter, job)

    def _needs(self) -> tuple[Need, ...]:
        kinds = [each.kind for each in self.prepared.job.instruments]
        further = capabilities_of(self.prepared.job.instruments)
        return needs_of(self.prepared.plan.decisions, kinds, self.prepared.settings, further)

    @staticmethod
    def _refused(name: str, error: SpecError | RunError) -> tuple[EngineDifference, ...]:
        """Return the missing capabilities of the engine as differences."""
        if not isinstance(error, SpecError):
            return (EngineDifference(name, Cause.CAPABILITY, "run", Message("done"), str(error), node=error.node),)
        return tuple(
            EngineDifference(name, Cause.CAPABILITY, "run", Message("done"), problem.message, node=problem.node)
            for problem in error.problems
        )
