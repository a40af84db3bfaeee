"""Further executions for random jobs: rules of all kinds but weights, with signals, sizes and columns of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quantcrafter.engine.api.engine import EngineJob, Execution, ExecutionColumns, InstrumentJob
from quantcrafter.engine.api.entries import EntryRule, GridRule, Offset, OrderLife, ScaleInRule
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, SizeKind, SizeRule
from quantcrafter.engine.api.unit_rules import unit_fault
from quantcrafter.engine.simulation.execution_terms import protection_of

RULES = (
    ExecutionRule(),
    ExecutionRule(OnOpposite.REVERSE),
    ExecutionRule(entry=EntryRule(OrderKind.AT_CLOSE)),
    ExecutionRule(entry=EntryRule(OrderKind.LIMIT, Offset(percent=0.3), life=OrderLife.BARS, bars=3)),
    ExecutionRule(OnOpposite.IGNORE, entry=EntryRule(OrderKind.LIMIT, Offset(multiple=0.4), follow=True)),
    ExecutionRule(OnOpposite.REVERSE, entry=EntryRule(OrderKind.STOP, Offset(ticks=20.0), life=OrderLife.DAY)),
    ExecutionRule(entry=EntryRule(OrderKind.STOP_LIMIT, Offset(percent=0.2), Offset(percent=0.3))),
    ExecutionRule(entry=EntryRule(OrderKind.STOP, Offset(percent=0.2), two_sided=True)),
    ExecutionRule(OnOpposite.REVERSE_AT_PRICE, entry=EntryRule(OrderKind.STOP, Offset(percent=0.3), two_sided=True)),
    ExecutionRule(OnOpposite.REVERSE_AT_PRICE, entry=EntryRule(OrderKind.LIMIT, Offset(percent=0.3))),
    ExecutionRule(scale_in=ScaleInRule(3, Offset(percent=0.5), in_favour=False, factor=1.5)),
    ExecutionRule(scale_in=ScaleInRule(4, Offset(percent=0.4), resting=True, sizes=(1.0, 2.0, 3.0, 4.0))),
    ExecutionRule(
        entry=EntryRule(OrderKind.STOP, Offset(ticks=20.0)),
        scale_in=ScaleInRule(4, Offset(multiple=0.5), in_favour=False, resting=True),
    ),
    ExecutionRule(grid=GridRule(4, Offset(percent=0.6), 80.0)),
)
VOLATILITY = SizeRule(SizeKind.VOLATILITY_TARGET, 15.0, column="volatility", most=120.0)
SIZES = (
    SizeRule(SizeKind.QUANTITY, 4.0),
    SizeRule(SizeKind.CASH, 3_000.0),
    SizeRule(SizeKind.EQUITY_PERCENT, 60.0),
    SizeRule(SizeKind.RISK_PERCENT, 1.0),
    VOLATILITY,
)


def with_executions(job: EngineJob, seed: int) -> EngineJob:
    """Return the job with one or two more executions, or as it is where its first one brings positions to weights."""
    if job.executions[0].rule.rebalance is not None:
        return job
    rng = np.random.default_rng(seed)
    executions, columns = list(job.executions), []
    for number in range(int(rng.integers(1, 3))):
        rule, size = RULES[rng.integers(len(RULES))], SIZES[rng.integers(len(SIZES))]
        chosen = tuple(int(k) for k in np.flatnonzero(rng.random(len(job.protection)) < 0.6))
        made = Execution(rule, size, f"more_{number}", chosen if rng.random() < 0.5 else None)
        if unit_fault(rule, protection_of(replace(job, executions=(made,)), 0)) is not None:
            made = Execution(ExecutionRule(), size, f"more_{number}")
        executions.append(made)
        named = (
            *("line",) * (rng.random() < 0.3),
            *(name for name in job.instruments[0].execution_columns if name == "rank"),
        )
        columns.append([_columns(each, rng, named, sized=size is VOLATILITY) for each in job.instruments])
    if rng.random() < 0.3 and len(job.protection) > 1 and all(rule.scope == "position" for rule in job.protection):
        executions[0] = replace(executions[0], protection=(0,))
    instruments = (replace(each, further=tuple(made[i] for made in columns)) for i, each in enumerate(job.instruments))
    return replace(job, executions=tuple(executions), instruments=tuple(instruments))


def _columns(
    instrument: InstrumentJob, rng: np.random.Generator, named: tuple[str, ...], *, sized: bool
) -> ExecutionColumns:
    n = len(instrument.bars)
    columns = {"atr": np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0.2, 2.0, n))}
    if "line" in named:
        columns["line"] = np.where(rng.random(n) < 0.1, np.nan, instrument.bars.close * rng.uniform(0.99, 1.01, n))
    if "rank" in named:
        columns["rank"] = rng.integers(0, 4, n).astype(np.float64)
    flags = np.where(rng.random(n) < 0.3, rng.integers(0, 16, n), 0).astype(np.uint8)
    size = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(5.0, 40.0, n)) if sized else None
    return ExecutionColumns(flags, rng.random(n) < 0.8, columns, size)


def until_bar(columns: ExecutionColumns, bars: int) -> ExecutionColumns:
    """Return the columns of the first bars."""
    return ExecutionColumns(
        columns.flags[:bars],
        columns.allowed[:bars],
        {name: column[:bars] for name, column in columns.columns.items()},
        None if columns.size is None else columns.size[:bars],
    )
