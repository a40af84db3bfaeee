"""Arrays for a job's program of steps, and its results."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.step_program import INSTRUCTION_DTYPE, Known, StepProgram, StepRecord
from quantcrafter.engine.simulation.account_terms import joined
from quantcrafter.engine.simulation.instructions import KNOWN
from quantcrafter.engine.simulation.records import MarketArrays, Table
from quantcrafter.engine.simulation.steps import Steps, warm_up


def check_steps(instrument: InstrumentJob, program: StepProgram | None) -> None:
    """Refuse columns of an instrument that aren't those that the program reads."""
    lengths = [len(column) for column in instrument.step_columns]
    wanted = [len(instrument.bars)] * (0 if program is None else len(program.inputs))
    if lengths != wanted:
        raise RunError(
            Message(
                "The steps of {symbol} need columns of the lengths {wanted}, had {lengths}.",
                symbol=instrument.symbol,
                wanted=wanted,
                lengths=lengths,
            )
        )


def with_steps(job: EngineJob, market: MarketArrays) -> tuple[MarketArrays, Steps]:
    """Return the steps of a job, and the market whose flags and filter mask they write to."""
    jobs, program, rows = job.instruments, job.steps, len(market.close)
    if program is None:
        return market, _no_steps(len(jobs), len(job.executions))
    columns = [joined([each.step_columns[k] for each in jobs], np.float64) for k in range(len(program.inputs))]
    steps = Steps(
        program=np.array(program.rows, INSTRUCTION_DTYPE),
        registers=np.tile(program.registers, (len(jobs), 1)),
        state=np.array([program.state if each.step_state is None else each.step_state for each in jobs], np.float64),
        columns=joined([np.array(columns, np.float64).reshape(len(columns), rows)], np.float64),
        inputs=np.array(program.inputs, np.int64),
        outputs=np.full((len(program.outputs), rows), np.nan),
        recorded=np.array(program.outputs, np.int64),
        heads=_heads(program, len(job.executions)),
        flags=np.array(market.flags),
        signals=np.array(market.signals),
        allowed=np.array(market.allowed),
    )
    flags, signals = joined([steps.flags], np.uint8), joined([steps.signals], np.uint8)
    return market._replace(flags=flags, signals=signals, allowed=joined([steps.allowed], np.bool_)), steps


@cache
def _no_steps(instruments: int, executions: int) -> Steps:
    """Return the steps of jobs without any, which nobody writes to."""
    return Steps(
        program=np.empty(0, INSTRUCTION_DTYPE),
        registers=np.empty((instruments, 0)),
        state=np.empty((instruments, 0)),
        columns=joined([np.empty((0, 0))], np.float64),
        inputs=np.empty(0, np.int64),
        outputs=np.empty((0, 0)),
        recorded=np.empty(0, np.int64),
        heads=np.full((executions, 2), -1, np.int64),
        flags=np.empty(0, np.uint8),
        signals=np.empty((executions, 0), np.uint8),
        allowed=np.empty((executions, 0), np.bool_),
    )


def _heads(program: StepProgram, executions: int) -> npt.NDArray[np.int64]:
    """Return the registers of signals and verdict of each execution; -1 where columns give them."""
    heads = np.full((executions, 2), -1, np.int64)
    heads[: len(program.heads)] = program.heads
    return heads


def record_of(steps: Steps, holdings: Table) -> StepRecord | None:
    """Return what the steps gave so far, for each instrument: views, which go on with the simulation."""
    if not len(steps.program):
        return None
    spans = [slice(int(start), int(end)) for start, end in zip(holdings["start"], _ends(steps, holdings), strict=True)]
    return StepRecord(
        tuple(steps.outputs[:, span] for span in spans),
        tuple(steps.signals[:, span] for span in spans),
        tuple(steps.allowed[:, span] for span in spans),
    )


def _ends(steps: Steps, holdings: Table) -> npt.NDArray[np.int64]:
    return np.append(holdings["start"][1:], len(steps.flags))


def take_over_steps(mine: Steps, theirs: Steps, holdings: Table, done: list[int]) -> None:
    """Bring steps to where those of another simulation stand; `done` is how many bars of each instrument are done.

    Where the programs differ, this one is run over the bars gone by, with what the other one knew of the position.

    Raises:
        RunError: the other one did not know what this one reads.
    """
    if not len(mine.program):
        return
    spans = [range(int(start), int(start) + count) for start, count in zip(holdings["start"], done, strict=True)]
    same = mine.program.tobytes() == theirs.program.tobytes() and np.array_equal(
        mine.registers, theirs.registers, equal_nan=True
    )
    if same and np.array_equal(mine.columns, theirs.columns, equal_nan=True):
        mine.state[:] = theirs.state
        for span in spans:
            for name in ("outputs", "flags", "signals", "allowed"):
                getattr(mine, name)[..., span.start : span.stop] = getattr(theirs, name)[..., span.start : span.stop]
        return
    recorded = _known_columns(theirs)
    registers = {}
    for row in mine.program[mine.program["op"] == KNOWN]:
        if int(row["size"]) not in recorded:
            name = Known(int(row["size"])).name.lower()
            raise RunError(
                Message(
                    "A fork reads '{name}' of the position, which the run before it didn't. Run it again.", name=name
                )
            )
        registers[int(row["out"])] = recorded[int(row["size"])]
    with np.errstate(all="ignore"):
        for i, span in enumerate(spans):
            warm_up(mine, i, span, registers)


def _known_columns(steps: Steps) -> dict[int, npt.NDArray[np.float64]]:
    """Return the recorded columns of what was known of the position, by `Known`."""
    places = {int(register): place for place, register in enumerate(steps.recorded)}
    rows = steps.program[steps.program["op"] == KNOWN]
    return {int(row["size"]): steps.outputs[places[int(row["out"])]] for row in rows if int(row["out"]) in places}
