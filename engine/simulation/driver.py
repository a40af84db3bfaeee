"""The compiled driver: the kernel in chunks over a job's arrays."""

from __future__ import annotations

from dataclasses import dataclass

from engine.api.engine import EngineJob
from engine.api.errors import RunCancelledError
from engine.api.ledger import Ledger
from engine.simulation.kernel import run_steps
from engine.simulation.records import TABLE_ROWS
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


def simulate(job: EngineJob, pace: Pace = PACE) -> Ledger:
    """Run the decision stage of `job` after QC-BAR-1 and return the books.

    Raises:
        RunError: an instrument has no bars, columns of the wrong length, or an impossible tick or lot size.
        RunCancelledError: `job.cancelled()` returned True.
    """
    state = State.of(job, pace.table_rows)
    arrays = (state.desks, state.books, state.rules, state.market, state.timeline, state.curve)
    first_event, steps = state.timeline.first_event, len(state.ts_ns)
    chunk = max(1, pace.chunk_bars // len(job.instruments))
    step = 0
    while step < steps:
        if job.cancelled():
            raise RunCancelledError("The run was cancelled.")
        target = min(step + chunk, steps)
        done = run_steps(*arrays, step, target)
        if done < target:
            state.harvest()
        if done > step:
            bars_done = int(first_event[done]) if len(first_event) else done
            job.progress(bars_done, len(state.market.close))
        step = done
    return state.ledger()
