"""The job `run`: a strategy's text is run, and kept in a folder that the desktop opens."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from engine.api.waiting import IMPORT
from engine.runtime.jobs.contract import INSTRUMENTS, JobContext, LogLine, Request

if TYPE_CHECKING:
    from engine.api import EngineAdapter
    from engine.runtime.prepare import Loader, Progress
    from engine.runtime.result import RunResult

_LIBRARIES = "libraries"
"""Stands in the memory of a process that has imported what runs need."""


@dataclass(frozen=True, slots=True)
class RunRequest(Request):
    """Run a strategy.

    Args:
        text: the YAML text, as it is to be run.
        file: the file that it belongs to, empty if there is none yet.
        base_dir: where files named by the strategy are looked for.
        overrides: changes such as `indicators.fast.timeperiod=20`, which win over the text.
        mode: wins over `run.mode`.
        engine: wins over `run.engine`.
        keep: put the run into the history. One that is not kept is a trial: the folders of the last few stay.
        unless: the hash of what was run already; a text that does the same is not run again.
        in_use: folders of earlier runs that are being looked at and must stay.
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


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A finished run: its id in the history (empty if it is not kept there), and the folder of `RunFolder`."""

    id: str
    folder: Path


def run_strategy(request: RunRequest, context: JobContext) -> RunOutcome | None:
    """Carry out a RunRequest; None where there was nothing to do.

    Raises:
        QuantCrafterError: as for `engine.runtime.run.run`; or the run cannot be kept.
    """
    if _LIBRARIES not in context.memory:
        context.progress(IMPORT, 0, 1)
    from engine.plugins import load_registry
    from engine.runtime.run import run
    from engine.runtime.source import load_text
    from engine.spec.identity import strategy_hash

    registry = load_registry()
    context.memory[_LIBRARIES] = True
    graph = load_text(request.text, registry, file=request.file, base_dir=request.base_dir, overrides=request.overrides)
    if request.unless and strategy_hash(graph.spec) == request.unless:
        return None
    context.memory[INSTRUMENTS] = {each.spec.symbol: number for number, each in enumerate(graph.instruments)}
    for warning in graph.warnings:
        context.log(LogLine(logging.WARNING, f"{warning.message} {warning.remedy}".strip(), node=warning.node))
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
    for finding in result.findings:
        context.log(LogLine(logging.WARNING, finding))
    for note in result.notes:
        context.log(LogLine(logging.INFO, note))
    outcome = _keep(result, request, context) if request.keep else _keep_trial(result, request, context)
    context.log(LogLine(logging.INFO, _summary(result)))
    return outcome


def _loader(context: JobContext) -> Loader:
    """Return the bars' cache of the process."""
    from engine.data.cache import BarCache

    cache: BarCache = context.memory.setdefault(BarCache, BarCache())
    return cache


def _progress(engine: type[EngineAdapter] | None, context: JobContext) -> Progress:
    """Return what tells of progress; an engine that is not ready yet compiles before its first bar."""
    from engine.runtime.engines import is_ready

    if engine is None or is_ready(engine):
        return context.progress
    context.log(LogLine(logging.INFO, "The simulator is compiled for this machine, once; that takes a while ..."))

    def tell(stage: str, done: int, total: int) -> None:
        context.progress("compile" if stage == "simulate" and done == 0 else stage, done, total)

    return tell


def _keep(result: RunResult, request: RunRequest, context: JobContext) -> RunOutcome:
    """Put the run into the history and its trace into a folder of the same name.

    A history that cannot be used does not spoil the run: it is then shown like a trial.
    """
    from engine.api import RunError
    from engine.runtime.history import RunHistory, RunRecord
    from engine.runtime.run_writer import save_run
    from engine.runtime.traces import trace_folder

    context.progress("save", 0, 1)
    try:
        run_id = RunHistory().add(RunRecord.from_result(result))
    except RunError as error:
        context.log(LogLine(logging.WARNING, f"The run is not kept: {error}"))
        return _keep_trial(result, request, context)
    folder = save_run(result, trace_folder(run_id))
    _make_room((*request.in_use, folder), context)
    return RunOutcome(run_id, folder)


def _make_room(in_use: tuple[Path, ...], context: JobContext) -> None:
    """Delete the oldest of what runs take beyond their limit; where that fails the run is there all the same."""
    from engine.api import RunError
    from engine.runtime.storage import clean

    try:
        clean(in_use)
    except RunError as error:
        context.log(LogLine(logging.WARNING, str(error)))


def _keep_trial(result: RunResult, request: RunRequest, context: JobContext) -> RunOutcome:
    from engine.runtime.run_writer import save_run
    from engine.runtime.traces import prune_trials, trial_folder

    owner = str(os.getppid())
    folder = save_run(result, trial_folder(owner, secrets.token_hex(6)))
    prune_trials(owner, (*request.in_use, folder))
    _make_room((*request.in_use, folder), context)
    return RunOutcome("", folder)


def _summary(result: RunResult) -> str:
    trades = len(result.trades)
    seconds = result.timing.get("total_s", 0.0)
    return f"{result.bars:,} bars, {trades:,} {'trade' if trades == 1 else 'trades'} in {seconds:.2f} s"
