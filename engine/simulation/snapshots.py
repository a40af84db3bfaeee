"""Snapshots: copies of a session's memory in this process, and their transfer to a changed job."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.arrays import head_of
from quantcrafter.engine.simulation.components import States
from quantcrafter.engine.simulation.pages import whole_rows
from quantcrafter.engine.simulation.records import HOLDING_TERMS, PORTFOLIO_TERMS, Table
from quantcrafter.engine.simulation.state import SimulationState
from quantcrafter.engine.simulation.step_arrays import take_over_steps


@dataclass(frozen=True)
class Snapshot:
    """The state after `index` steps. It is not affected by further steps of the session.

    It is for sessions of the same job in this process: `SessionState` is what can be kept.
    """

    index: int
    job: EngineJob
    portfolio: npt.NDArray[np.uint8]
    holdings: Table
    pages: tuple[dict[str, Table], ...]
    steps: FloatColumn
    states: States = field(default_factory=dict)


def snapshot_of(memory: SimulationState, job: EngineJob, index: int, states: States) -> Snapshot:
    """Return a copy of the memory after so many steps."""
    memory.harvest()
    holdings = whole_rows(memory.holdings).copy().view(memory.holdings.dtype)
    portfolio = head_of(memory.portfolios).copy()
    return Snapshot(index, job, portfolio, holdings, tuple(memory.pages), memory.steps.state.copy(), states)


def put_back(memory: SimulationState, snapshot: Snapshot) -> None:
    """Restore the memory."""
    head_of(memory.portfolios)[:] = snapshot.portfolio
    whole_rows(memory.holdings)[:] = whole_rows(snapshot.holdings)
    memory.pages[:] = snapshot.pages
    memory.steps.state[:] = snapshot.steps


def carry_over(mine: SimulationState, theirs: SimulationState, index: int) -> None:
    """Take over another memory's account, books and orders after so many steps, but none of its job's terms.

    Raises:
        RunError: its strategy did not read of the position what this one does.
    """
    pairs = zip(mine.holdings, theirs.holdings, strict=True)
    for record, source, terms in (
        (mine.portfolio, theirs.portfolio, PORTFOLIO_TERMS),
        *((a, b, HOLDING_TERMS) for a, b in pairs),
    ):
        for name in record.dtype.names or ():
            if name not in terms:
                record[name] = source[name]
    # Its job may have sold short, which this one's never does.
    if (mine.holdings["lots"] < 0).any():
        mine.portfolio["paid_up"] = 0
    mine.pages[:] = theirs.pages
    mine.curve[0, :index] = theirs.curve[0, :index]
    changes = int(theirs.portfolio["cash_changes"])
    mine.curve[1:, :changes] = theirs.curve[1:, :changes]
    take_over_steps(mine.steps, theirs.steps, mine.holdings, _bars_done(mine, index))


def _bars_done(memory: SimulationState, steps: int) -> list[int]:
    """Return how many bars of each instrument close within that many steps."""
    first_event, instrument, *_ = memory.timeline
    if len(first_event) == 0:
        return [steps] * len(memory.holdings)
    counts = np.bincount(instrument[: first_event[steps]], minlength=len(memory.holdings))
    return [int(count) for count in counts]
