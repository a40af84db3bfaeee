"""Runs jobs to their end: with the bar loop in chunks, or step by step."""

from __future__ import annotations

from dataclasses import dataclass

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunCancelledError
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.simulation.ahead import kernel_for
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, RunSteps
from quantcrafter.engine.simulation.matcher import Matcher
from quantcrafter.engine.simulation.records import TABLE_ROWS
from quantcrafter.engine.simulation.session import SimulationSession


@dataclass(frozen=True)
class Pace:
    """The chunk sizes of a run; the result doesn't depend on them.

    `chunk_bars` is the number of bars between two checks of `cancelled`, `table_rows` how many rows of its tables are
    used before they are emptied.
    """

    chunk_bars: int = 100_000
    table_rows: int = TABLE_ROWS


PACE = Pace()

CANCEL_BARS = 1_000
"""Number of single steps between two checks of `cancelled`."""

INTERPRETED_BARS = 5_000
"""Number of bars between two checks of `cancelled` and for machine code, while there is none."""


def simulate(job: EngineJob, pace: Pace = PACE, kernel: RunSteps | None = None) -> Ledger:
    """Run the decision stage of `job` after QC-BAR-1 and return the ledger.

    Without a `kernel`, it is selected: small jobs run interpreted, and so do large ones while another process compiles
    the machine code for this computer.

    Raises:
        RunError: an instrument has no bars, columns of the wrong length, or an impossible tick or lot size.
        RunCancelledError: `job.cancelled()` returned True.
    """
    session = SimulationSession(job, table_rows=pace.table_rows, kernel=kernel)
    state, total = session.memory, session.bars_total
    while not session.done:
        if job.cancelled():
            raise RunCancelledError(Message("The run was cancelled."))
        if kernel is None:
            state.kernel = kernel_for(total, len(state.steps.program), with_rare=state.has_rare)
        bars = pace.chunk_bars if state.kernel is not INTERPRETED else min(pace.chunk_bars, INTERPRETED_BARS)
        if session.run_on(max(1, bars // len(job.instruments))):
            job.progress(session.bars_before(session.index), total)
    return state.ledger(last=True)


def simulate_stepwise(job: EngineJob, matcher: Matcher | None = None, kernel: RunSteps | None = None) -> Ledger:
    """Run a job to its end by the Python driver and return the ledger.

    Raises:
        RunError: as of `SimulationSession`.
        RunCancelledError: `job.cancelled()` returned True.
    """
    session = SimulationSession(job, matcher, kernel=kernel)
    while not session.done:
        if job.cancelled():
            raise RunCancelledError(Message("The run was cancelled."))
        for _ in range(min(CANCEL_BARS, len(session) - session.index)):
            session.step()
        job.progress(session.bars_before(session.index), session.bars_total)
    return session.ledger()
