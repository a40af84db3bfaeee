"""RunResults over hand-made ledgers."""

from __future__ import annotations

from collections.abc import Sequence

from quantcrafter.engine.api import InstrumentJob, Ledger, RunSettings
from quantcrafter.engine.runtime.results.result import RunOrigin, RunResult
from quantcrafter.engine.stats.metrics import compute_metrics
from tests.support.ledgers import CASH, walk_run


def result_of(
    ledger: Ledger, jobs: Sequence[InstrumentJob], *, strategy: str = "walk", origin: RunOrigin | None = None
) -> RunResult:
    """Return the result that a run with these books would have."""
    return RunResult(
        strategy=strategy,
        engine="native",
        mode="backtest",
        bars=len(ledger.ts_ns),
        warmup=5,
        ledger=ledger,
        instruments=tuple(jobs),
        settings=RunSettings(cash=CASH),
        rule_nodes=("stop",),
        metrics=compute_metrics(ledger, jobs, cash=CASH),
        timing={"load_s": 0.1, "columns_s": 0.2, "simulate_s": 0.3, "total_s": 0.6},
        findings=("SYM0: 2 days are missing.",),
        synthetic=any(job.bars.synthetic for job in jobs),
        origin=origin or RunOrigin(),
    )


def walk_result(count: int = 300, *, seed: int = 1, instruments: int = 1, every: int = 40) -> RunResult:
    """Return a result over random walks."""
    return result_of(*walk_run(count, seed=seed, instruments=instruments, every=every))
