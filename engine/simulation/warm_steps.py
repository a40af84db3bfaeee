"""What steps that read the position remember of the bars before a run begins: there is no position on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunCancelledError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.simulation.records import WHOLE
from quantcrafter.engine.simulation.state import SimulationState

CHUNK_STEPS = 50_000
"""How many steps run between two looks at `cancelled`."""


def remembered_steps(job: EngineJob) -> tuple[FloatColumn, ...]:
    """Return the state of the job's steps after all of its bars, for each instrument; no decision is taken on them.

    Instruments may have no bars.

    Raises:
        RunCancelledError: `job.cancelled()` returned True.
    """
    program = job.steps
    if program is None:
        return ()
    found = [program.state] * len(job.instruments)
    known = [i for i, each in enumerate(job.instruments) if len(each.bars)]
    if not known:
        return tuple(found)
    idle = (replace(job.instruments[i], first_bar=len(job.instruments[i].bars)) for i in known)
    state = SimulationState.of(replace(job, instruments=tuple(idle)))
    done, total = 0, len(state.ts_ns)
    while done < total:
        if job.cancelled():
            raise RunCancelledError(Message("The run was cancelled."))
        with np.errstate(all="ignore"):
            done = state.kernel(*state.arrays(), done, min(done + CHUNK_STEPS, total), WHOLE)
        state.harvest()
    for row, i in enumerate(known):
        found[i] = state.steps.state[row].copy()
    return tuple(found)
