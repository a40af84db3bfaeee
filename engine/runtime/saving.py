"""save_run: writes a finished run to a folder, for `SavedRun` to read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from engine.api import InstrumentJob, RunError, Signals
from engine.api.bars import BAR_COLUMNS
from engine.api.os_errors import fault
from engine.api.wording import shown_path
from engine.graph import MarketColumn
from engine.graph.bound import BASE_CLOCK
from engine.graph.plan import StepColumn
from engine.runtime.result import RunResult
from engine.runtime.saved import ACCOUNT, CURVES, FILE, FORMAT, RECORDS, TIMES, Column
from engine.runtime.trace import Trace, saved_source
from engine.runtime.traces import unfinished
from engine.stats import curve


def save_run(result: RunResult, folder: Path) -> Path:
    """Write a run with its whole trace to a new folder and return it.

    Raises:
        RunError: the folder exists already, or cannot be written.
    """
    folder = Path(folder)
    beside = unfinished(folder)
    try:
        beside.mkdir(parents=True)
        for name, column in _columns(result):
            np.save(beside / f"{name}.npy", column)
        (beside / FILE).write_text(json.dumps(_description(result)), encoding="utf-8")
        beside.rename(folder)
    except BaseException as error:
        shutil.rmtree(beside, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        cause, remedy = fault(error, "home")
        raise RunError(f"The run cannot be kept in '{shown_path(folder)}': {cause}. {remedy}") from error
    return folder


def _columns(result: RunResult) -> Iterator[tuple[str, Column]]:
    jobs = result.instruments
    for name in (*TIMES, *BAR_COLUMNS):
        yield f"bars.{name}", _joined([getattr(job.bars, name) for job in jobs])
    yield "market.flags", _joined([job.flags for job in jobs])
    yield "market.allowed", _joined([job.allowed for job in jobs])
    yield from _account_columns(jobs)
    for name in (*RECORDS, *CURVES):
        yield name, getattr(result.ledger, name)
    with np.errstate(all="ignore"):
        _, daily = curve.daily_equity(result.ledger, jobs)
        yield "daily_returns", curve.daily_returns(daily, result.job_settings.cash)
    trace: Trace | None = result.trace
    if trace is None:
        return
    for number, step in enumerate(trace.plan.steps):
        for place in range(len(step.component.outputs)):
            values = [each.column(StepColumn(number, place)) for each in trace.evaluations]
            name = f"column.{number}.{place}"
            if not isinstance(values[0], Signals):
                yield name, _joined(values)
                continue
            yield name, _joined([value.flags for value in values])
            if all(value.strength is not None for value in values):
                yield f"{name}.strength", _joined([value.strength for value in values])

    for feed, column in _feed_columns(trace):
        values = [each.column(MarketColumn(feed, column)) for each in trace.evaluations]
        yield f"feed.{feed}.{column}", _joined(values)


def _account_columns(jobs: Sequence[InstrumentJob]) -> Iterator[tuple[str, Column]]:
    """Yield the columns of the account that any instrument has."""
    for name, neutral in ACCOUNT.items():
        given = [getattr(job, name) for job in jobs]
        if any(column is not None for column in given):
            filled = (
                np.full(len(job.bars), neutral) if own is None else own for job, own in zip(jobs, given, strict=True)
            )
            yield f"market.{name}", _joined(list(filled))


def _feed_columns(trace: Trace | None) -> list[tuple[str, str]]:
    """Return the columns of feeds other than the instrument's own that nodes read."""
    if trace is None or trace.graph is None:
        return []
    read = (source for node in trace.graph.nodes.values() for source in node.sources())
    found = ((each.feed, each.column) for each in read if isinstance(each, MarketColumn) and each.column)
    return list(dict.fromkeys(pair for pair in found if pair[0] != BASE_CLOCK))


def _joined(parts: Sequence[Column]) -> Column:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _description(result: RunResult) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "strategy": result.strategy,
        "engine": result.engine,
        "mode": result.mode,
        "bars": result.bars,
        "warmup": result.warmup,
        "metrics": dict(result.metrics),
        "timing": dict(result.timing),
        "findings": result.findings,
        "notes": result.notes,
        "synthetic": result.synthetic,
        "data_hash": result.data_hash,
        "settings": result.job_settings.model_dump(mode="json"),
        "origin": asdict(result.origin),
        "rule_nodes": result.rule_nodes,
        "months": curve.monthly_returns(result.ledger, result.instruments, result.job_settings.cash),
        "instruments": [_instrument(job) for job in result.instruments],
        "open_positions": [asdict(each) for each in result.ledger.open_positions],
        "nodes": _nodes(result.trace),
        "decision": asdict(result.trace.decision)
        if result.trace is not None and result.trace.decision is not None
        else None,
        "feeds": [{"feed": feed, "column": column} for feed, column in _feed_columns(result.trace)],
    }


def _instrument(job: InstrumentJob) -> dict[str, Any]:
    return {
        "symbol": job.symbol,
        "timeframe": str(job.bars.timeframe),
        "bars": len(job.bars),
        "tick_size": job.tick_size,
        "lot_size": job.lot_size,
        "kind": job.kind,
        "multiplier": job.multiplier,
        "currency": job.currency,
        "first_bar": job.first_bar,
        "session": asdict(job.bars.session),
        "source": job.bars.source,
        "synthetic": job.bars.synthetic,
    }


def _nodes(trace: Trace | None) -> list[dict[str, Any]]:
    if trace is None or trace.graph is None:
        return []
    found = []
    for name, node in trace.graph.nodes.items():
        step = trace.plan.step_of.get(name, -1)
        component = node.component
        ready = [each.ready_at(StepColumn(step, 0)) for each in trace.evaluations] if step >= 0 else []
        found.append(
            {
                "id": name,
                "role": component.role,
                "use": node.spec.use,
                "parameters": component.model_dump(mode="json", include=set(type(component).parameters())),
                "inputs": {
                    port: [asdict(saved_source(each)) for each in (wires if isinstance(wires, tuple) else (wires,))]
                    for port, wires in node.inputs.items()
                },
                "outputs": [{"name": each.name, "type": each.type} for each in component.outputs],
                "step": step,
                "ready": ready,
            }
        )
    return found
