"""The compiled driver: the kernel in chunks over a job's arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.api.engine import EngineJob
from engine.api.errors import RunCancelledError
from engine.api.ledger import Ledger
from engine.simulation.ahead import kernel_for
from engine.simulation.kernels import INTERPRETED, RunSteps
from engine.simulation.records import TABLE_ROWS, WHOLE
from engine.simulation.state import State


@dataclass(frozen=True)
class Pace:
    """How a run is cut up; the result does not depend on it.

    `chunk_bars` is how many bars run between two looks at `cancelled`, `table_rows` how many rows of the desk's tables
    are used before they are emptied.
    """

    chunk_bars: int = 100_000
    table_rows: int = TABLE_ROWS


PACE = Pace()

INTERPRETED_BARS = 5_000
"""How many bars run between two looks at `cancelled`, and for machine code, while there is none."""


def simulate(job: EngineJob, pace: Pace = PACE, kernel: RunSteps | None = None) -> Ledger:
    """Run the decision stage of `job` after QC-BAR-1 and return the books.

    Without a `kernel` it is chosen: small jobs run interpreted, and so do large ones while the machine code for this
    computer is still being made by another process.

    Raises:
        RunError: an instrument has no bars, columns of the wrong length, or an impossible tick or lot size.
        RunCancelledError: `job.cancelled()` returned True.
    """
    state = State.of(job, pace.table_rows, kernel)
    arrays, first_event, steps = state.arrays(), state.timeline.first_event, len(state.ts_ns)
    step = 0
    while step < steps:
        if job.cancelled():
            raise RunCancelledError("The run was cancelled.")
        if kernel is None:
            state.kernel = kernel_for(len(state.market.close))
        bars = pace.chunk_bars if state.kernel is not INTERPRETED else min(pace.chunk_bars, INTERPRETED_BARS)
        target = min(step + max(1, bars // len(job.instruments)), steps)
        with np.errstate(all="ignore"):
            done = state.kernel(*arrays, step, target, WHOLE)
        if done < target:
            state.harvest()
        if done > step:
            bars_done = int(first_event[done]) if len(first_event) else done
            job.progress(bars_done, len(state.market.close))
        step = done
    return state.ledger()
