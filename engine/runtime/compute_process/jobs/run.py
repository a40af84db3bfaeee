"""The job `run`: runs a strategy's text and saves the run in a folder that the desktop opens."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.waiting import IMPORT
from quantcrafter.engine.runtime.compute_process.jobs.contract import INSTRUMENTS, JobContext, LogLine, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quantcrafter.engine.api import EngineAdapter, Problem
    from quantcrafter.engine.runtime.results.result import RunResult
    from quantcrafter.engine.runtime.running.prepare import Loader, Progress

_LIBRARIES = "libraries"
"""Marks in the memory of a process that the imports for runs are done."""


@dataclass(frozen=True, slots=True)
class RunRequest(Request):
    """Run a strategy.

    Args:
        text: the YAML text, as it is to be run.
        file: its file, empty if there is none yet.
        base_dir: where files named by the strategy are searched for.
        overrides: changes such as `indicators.fast.timeperiod=20`, which override the text.
        mode: overrides `run.mode`.
        engine: overrides `run.engine`.
        keep: put the run into the history. One that is not kept is a trial: the folders of the last few stay.
        unless: the hash of the previous run; an equivalent text is not run again.
        in_use: folders of earlier runs that are being displayed and must stay.
    """

    kind: ClassVar[str] = "run"

    text: str
    file: str = ""
    base_dir: str = "."
    overrides: tuple[str, ...] = ()
    mode: str | None = None
    engine: str | None = None
    keep: bool = True
    unless: str = ""
    in_use: tuple[Path, ...] = ()

    def execute(self, context: JobContext) -> RunOutcome | None:
        return run_strategy(self, context)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A finished run: its id in the history (empty if it is not kept there), and the folder of `RunFolder`."""

    id: str
    folder: Path


def run_strategy(request: RunRequest, context: JobContext) -> RunOutcome | None:
    """Carry out a RunRequest; None where there was nothing to do.

    Raises:
        QuantCrafterError: as for `quantcrafter.engine.runtime.running.run.run`; or the run cannot be kept.
    """
    if _LIBRARIES not in context.memory:
        context.progress(IMPORT, 0, 1)
    from quantcrafter.engine.plugins import load_registry
    from quantcrafter.engine.runtime.running.load_graph import load_text
    from quantcrafter.engine.runtime.running.run import PENCE, run
    from quantcrafter.engine.spec.identity import strategy_hash

    registry = load_registry()
    context.memory[_LIBRARIES] = True
    graph = load_text(request.text, registry, file=request.file, base_dir=request.base_dir, overrides=request.overrides)
    if request.unless and strategy_hash(graph.spec) == request.unless:
        return None
    context.memory[INSTRUMENTS] = {each.spec.symbol: number for number, each in enumerate(graph.instruments)}
    _log(context, [each for each in graph.warnings if each.code != PENCE])  # the data may contradict it
    progress = _progress(registry.engine(request.engine or graph.spec.run.engine), context)
    result = run(
        graph,
        registry=registry,
        mode=request.mode,
        engine=request.engine,
        progress=progress,
        cancelled=context.cancelled,
        loader=_loader(context),
    )
    _log(context, [each for each in result.warnings if each.code == PENCE])
    for finding in result.findings:
        context.log(LogLine(logging.WARNING, finding))
    for note in result.notes:
        context.log(LogLine(logging.INFO, note))
    outcome = _keep(result, request, context) if request.keep else _keep_trial(result, request, context)
    context.log(LogLine(logging.INFO, _summary(result)))
    return outcome


def _loader(context: JobContext) -> Loader:
    """Return the bars' cache of the process."""
    from quantcrafter.engine.data.cache import BarCache

    cache: BarCache = context.memory.setdefault(BarCache, BarCache())
    return cache


def _log(context: JobContext, warnings: Iterable[Problem]) -> None:
    for warning in warnings:
        context.log(LogLine(logging.WARNING, joined([warning.message, warning.remedy]), node=warning.node))


def _progress(engine: type[EngineAdapter] | None, context: JobContext) -> Progress:
    """Return the progress callback; an engine that is not ready yet compiles before its first bar."""
    from quantcrafter.engine.runtime.running.engines import is_ready

    if engine is None or is_ready(engine):
        return context.progress
    context.log(
        LogLine(logging.INFO, Message("Compiling the simulator for this machine, once; this takes a while ..."))
    )

    def post(stage: str, done: int, total: int) -> None:
        context.progress("compile" if stage == "simulate" and done == 0 else stage, done, total)

    return post


def _keep(result: RunResult, request: RunRequest, context: JobContext) -> RunOutcome:
    """Put the run into the history with its columns.

    If the history can't be used, the run is not lost: it is then shown like a trial.
    """
    from quantcrafter.engine.api import RunError
    from quantcrafter.engine.runtime.run_store.history import RunHistory
    from quantcrafter.engine.runtime.run_store.trace_folders import trace_folder

    context.progress("save", 0, 1)
    try:
        run_id = RunHistory().add(result)
    except RunError as error:
        context.log(LogLine(logging.WARNING, Message("The run is not saved: {error}", error=str(error))))
        return _keep_trial(result, request, context)
    folder = trace_folder(run_id)
    _make_room((*request.in_use, folder), context)
    return RunOutcome(run_id, folder)


def _make_room(in_use: tuple[Path, ...], context: JobContext) -> None:
    """Delete the oldest data of runs beyond their limit; if that fails, the run is kept anyway."""
    from quantcrafter.engine.api import RunError
    from quantcrafter.engine.runtime.run_store.cleanup import clean

    try:
        clean(in_use)
    except RunError as error:
        context.log(LogLine(logging.WARNING, str(error)))


def _keep_trial(result: RunResult, request: RunRequest, context: JobContext) -> RunOutcome:
    from quantcrafter.engine.runtime.run_store.run_writer import save_run
    from quantcrafter.engine.runtime.run_store.trace_folders import prune_trials, trial_folder

    owner = str(os.getppid())
    folder = save_run(result, trial_folder(owner, secrets.token_hex(6)), durable=False)
    prune_trials(owner, (*request.in_use, folder))
    _make_room((*request.in_use, folder), context)
    return RunOutcome("", folder)


def _summary(result: RunResult) -> str:
    trades = len(result.trades)
    seconds = result.timing.get("total_s", 0.0)
    if trades == 1:
        return Message("{bars:,} bars, 1 trade in {seconds:.2f} s", bars=result.bars, seconds=seconds)
    return Message(
        "{bars:,} bars, {trades:,} trades in {seconds:.2f} s", bars=result.bars, trades=trades, seconds=seconds
    )
