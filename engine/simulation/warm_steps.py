"""The memory of steps that read the position at the start of a run: what the bars before leave, without a position.

1. Most programs remember a bounded number of bars (`bars_remembered`); the others remember all.
2. The bar loop runs over these bars before the start and takes no decision; the state of the steps is kept.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunCancelledError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.api.step_program import Known, Op, StepProgram
from quantcrafter.engine.simulation.ahead import kernel_for
from quantcrafter.engine.simulation.instructions import calculated
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED
from quantcrafter.engine.simulation.records import WHOLE
from quantcrafter.engine.simulation.state import SimulationState

CHUNK_STEPS, INTERPRETED_STEPS = 50_000, 2_000
"""How many steps run before the next check for cancellation, and for machine code while there is none."""

_FLAT = {int(each): 0.0 for each in (Known.SIDE, Known.QUANTITY, Known.BARS, Known.ENTRIES, Known.ENTRIES_MADE)}
"""What is known of a position while there is none; the others of `_OPEN` are NaN."""

_OF_ACCOUNT = frozenset({Known.EQUITY, Known.CASH, Known.DRAWDOWN_PERCENT, Known.OPEN_POSITIONS})
_OPEN = frozenset(Known) - _OF_ACCOUNT - {Known.LAST_TRADE_PERCENT, Known.LAST_TRADE_R}

_WINDOWED = frozenset({Op.LAG, Op.CROSS, Op.COUNT, Op.RANK, Op.ZSCORE, Op.VOLATILITY})
"""Operations whose result depends on as many bars as their size, and on the one before."""


def bars_remembered(program: StepProgram) -> int | None:
    """Return the number of bars without a position after which no state depends on earlier ones; None for all."""
    changing = {*program.inputs, *program.rows["out"].tolist()}
    fixed = {number: float(value) for number, value in enumerate(program.registers) if number not in changing}
    overwritten: set[int] = set()
    total = 0
    for row in program.rows:
        op, out, a, b, place = (int(row[name]) for name in ("op", "out", "a", "b", "state"))
        if op == Op.KNOWN:
            if int(row["size"]) in _OPEN:
                fixed[out] = _FLAT.get(int(row["size"]), math.nan)
        elif op < Op.LAG:
            if a in fixed and b in fixed:
                with np.errstate(all="ignore"):
                    fixed[out] = float(calculated(row, op, np.float64(fixed[a]), np.float64(fixed[b])))
        elif place in overwritten:
            continue
        elif op == Op.HOLD and fixed.get(b, 0.0) != 0.0:
            overwritten.add(place)
            total += 1
        elif op in _WINDOWED:
            total += int(row["size"]) + 1
        elif op == Op.GROWTH and a in fixed:
            total += 1
        else:
            return None
    return total


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
    memory = bars_remembered(program)
    counts = [len(each.bars) if memory is None else min(memory, len(each.bars)) for each in job.instruments]
    known = [i for i, count in enumerate(counts) if count]
    if not known:
        return tuple(found)
    idle = []
    for i in known:
        end = len(job.instruments[i].bars)
        idle.append(replace(job.instruments[i].rows(end - counts[i], end), first_bar=counts[i]))
    state = SimulationState.of(replace(job, instruments=tuple(idle)))
    done, total = 0, len(state.ts_ns)
    while done < total:
        if job.cancelled():
            raise RunCancelledError(Message("The run was cancelled."))
        state.kernel = kernel_for(sum(counts), len(state.steps.program), with_rare=state.has_rare)
        chunk = INTERPRETED_STEPS if state.kernel is INTERPRETED else CHUNK_STEPS
        with np.errstate(all="ignore"):
            done = state.kernel(*state.arrays(), done, min(done + chunk, total), WHOLE)
        state.harvest()
    for row, i in enumerate(known):
        found[i] = state.steps.state[row].copy()
    return tuple(found)
