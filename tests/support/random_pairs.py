"""Random jobs that trade pairs, alone or beside other executions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob, Execution, ExecutionColumns, InstrumentJob
from quantcrafter.engine.api.entries import PairRule
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, SizeKind, SizeRule
from tests.support.random_executions import VOLATILITY
from tests.support.random_jobs import jobs

SIZES = (
    SizeRule(SizeKind.QUANTITY, 11.0),
    SizeRule(SizeKind.CASH, 3_000.0),
    SizeRule(SizeKind.EQUITY_PERCENT, 45.0),
    SizeRule(SizeKind.EQUITY_PERCENT, 90.0),
    SizeRule(SizeKind.ANTI_MARTINGALE, 10.0, factor=2.0, most=80.0),
    SizeRule(SizeKind.KELLY, 0.5, least=5.0, most=50.0, trades=3, start=20.0, window=10),
    VOLATILITY,
)


def with_pairs(job: EngineJob, seed: int) -> EngineJob:
    """Return a job whose executions trade one or two pairs, which may share a leg, or those beside the first one."""
    rng = np.random.default_rng(seed)
    count = len(job.instruments)
    kept = list(job.executions[:1]) if rng.random() < 0.3 and job.executions[0].rule.rebalance is None else []
    made, columns = [], []
    for number in range(int(rng.integers(1, 3))):
        first, second = (int(place) for place in rng.permutation(count)[:2])
        rule, size = _rule(job, rng, first, second), SIZES[rng.integers(len(SIZES))]
        made.append(Execution(rule, size, f"pair_{number}", ()))
        columns.append(
            [
                _columns(each, rng, place == second, sized=size is VOLATILITY)
                for place, each in enumerate(job.instruments)
            ]
        )
    own = [each.executions[0] for each in job.instruments]
    every = [*([own] if kept else []), *columns]
    instruments = tuple(_with(each, [row[i] for row in every]) for i, each in enumerate(job.instruments))
    return replace(job, executions=(*kept, *made), instruments=instruments)


def _rule(job: EngineJob, rng: np.random.Generator, first: int, second: int) -> ExecutionRule:
    def limit(value: float) -> float:
        return value if rng.random() < 0.3 else 0.0

    pair = PairRule(
        job.instruments[first].symbol,
        job.instruments[second].symbol,
        bool(rng.integers(2)),
        limit(0.5),
        limit(20.0),
        limit(1.0),
        limit(50.0),
    )
    return ExecutionRule(OnOpposite(int(rng.integers(3))), pair=pair)


def _columns(instrument: InstrumentJob, rng: np.random.Generator, is_second: bool, *, sized: bool) -> ExecutionColumns:  # noqa: FBT001 - of a leg
    n = len(instrument.bars)
    flags = np.where(rng.random(n) < 0.3, rng.integers(0, 16, n), 0).astype(np.uint8)
    ratio = np.where(rng.random(n) < 0.1, rng.choice([np.nan, -1.0, 0.0], n), rng.uniform(0.05, 4.0, n))
    size = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(5.0, 40.0, n)) if sized else None
    return ExecutionColumns(flags, rng.random(n) < 0.8, {"ratio": np.full(n, 1.25) if is_second else ratio}, size)


def _with(instrument: InstrumentJob, executions: list[ExecutionColumns]) -> InstrumentJob:
    first, *further = executions
    return replace(
        instrument,
        flags=first.flags,
        allowed=first.allowed,
        execution_columns=first.columns,
        size_column=first.size,
        further=tuple(further),
    )


_drawn = st.one_of(jobs(several=False, units=False), jobs(account=True, several=False, units=False))
pair_jobs = st.builds(with_pairs, _drawn.filter(lambda job: len(job.instruments) > 1), st.integers(0, 2**32 - 1))
"""Jobs that trade pairs."""
