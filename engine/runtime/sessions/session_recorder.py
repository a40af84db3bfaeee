"""Records a session in a run folder: its bars, the values of its nodes, and its ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from quantcrafter.engine.api import InstrumentJob, Ledger
from quantcrafter.engine.graph import BASE_CLOCK
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.results.run_tables import data_hash
from quantcrafter.engine.runtime.results.trace import Trace
from quantcrafter.engine.runtime.run_store.run_folder import CURVES, OPEN_ORDERS, RECORDS, RunFolder
from quantcrafter.engine.runtime.run_store.run_log import Chunk
from quantcrafter.engine.runtime.run_store.run_writer import RunWriter, chunk_of, describe, final_state, growing_state
from quantcrafter.engine.runtime.running.job import instrument_job, with_verdicts
from quantcrafter.engine.runtime.running.run import origin_of
from quantcrafter.engine.runtime.sessions.session_columns import NewRows
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.stats.metrics import compute_metrics


class SessionRecorder:
    """Adds what a session did since the last time to its folder; it drains the session, so nobody else may.

    The folder's bars begin with the session's first step; columns look back to those known before. Columns are those
    that the session computed; so that every node has them, it computes those too that no decision reads.

    Args:
        session: a session that was not brought anything yet.
        folder: the folder to make.

    Raises:
        RunError: the folder exists or cannot be written, or the session has done steps.
        ComponentError: a component failed on the bars that are known.
    """

    def __init__(self, session: StrategySession, folder: Path) -> None:
        session.keep_columns()
        self._session = session
        self._known = [each[BASE_CLOCK].count for each in session.clocks]
        self._done = list(self._known)
        self._first_bars = [0] * len(self._known)
        self._waiting: Chunk | None = None
        self._writer = RunWriter.create(folder, describe(self._new(_no_ledger(session))))

    def record(self, *, finished: bool = False) -> int:
        """Add what was brought and booked since the last time, and return the folder's revision.

        Raises:
            RunError: the folder cannot be written. The next call adds what this one could not.
        """
        self._add_waiting()
        booked = self._session.drain()
        at_work = self._session.ledger()
        new = self._new(replace(booked, open_positions=at_work.open_positions))
        chunk = chunk_of(new, state=self._state(new))
        self._waiting = replace(chunk, records={**chunk.records, OPEN_ORDERS: at_work.orders})
        self._done = [done + len(job.bars) for done, job in zip(self._done, new.instruments, strict=True)]
        revision = self._add_waiting()
        return self._finish() if finished else revision

    def _add_waiting(self) -> int:
        """Add what was drained and is not in the folder yet, if there is something."""
        if self._waiting is not None:
            self._writer.append(self._waiting)
            self._waiting = None
        return self._writer.revision

    def close(self) -> None:
        """Close the folder."""
        self._writer.close()

    def __enter__(self) -> Self:
        """Return the recorder."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the folder."""
        self.close()

    def _state(self, new: RunResult) -> dict[str, Any]:
        """Return what is small, with bars counted as the ledger does: from the session's first step on."""
        begins = [done - known for done, known in zip(self._done, self._known, strict=True)]
        for i, (job, begin) in enumerate(zip(new.instruments, begins, strict=True)):
            if self._first_bars[i] >= begin:  # it had not come to it
                self._first_bars[i] = begin + max(job.first_bar, 0)
        state = growing_state(new)
        state["first_bars"] = list(self._first_bars)
        state["warmup"] = max(self._first_bars)
        state["ready"] = {
            name: [max(0, begin + bar) for begin, bar in zip(begins, ready, strict=True)] if ready else []
            for name, ready in state["ready"].items()
        }
        return state

    def _finish(self) -> int:
        run = RunFolder.open(self._writer.folder)
        state = final_state(run)
        state["metrics"] = compute_metrics(
            run.ledger, run.instruments, cash=run.settings.cash, risk_free=run.settings.risk_free
        )
        state["data_hash"] = data_hash([self._with_rolls(job, i) for i, job in enumerate(run.instruments)])
        none = {name: slice(0, 0) for name in (*RECORDS, *CURVES)}
        return self._writer.append(chunk_of(run, [slice(0, 0)] * len(run.instruments), none, state))

    def _with_rolls(self, job: InstrumentJob, i: int) -> InstrumentJob:
        """Return an instrument of the folder with the rolls of its bars, which are no part of these there."""
        rolls = self._session.clocks[i][BASE_CLOCK].bars.rolls
        if rolls is None:
            return job
        return replace(job, bars=replace(job.bars, rolls=rolls.take(slice(self._known[i], self._done[i]))))

    def _new(self, ledger: Ledger) -> RunResult:
        """Return the run at the bars that are new, with what was booked."""
        session = self._session
        graph, plan = session.graph, session.plan
        rows, jobs = [], []
        given = zip(session.columns, self._done, session.take_given(), strict=True)
        for i, (columns, begin, (values, flags, allowed)) in enumerate(given):
            loop = () if plan.loop is None else plan.loop.recorded
            new = NewRows(columns, begin, dict(zip(loop, values, strict=False)))
            job = instrument_job(graph, i, plan, new, terms=session.terms[i])
            rows.append(new)
            jobs.append(job if plan.loop is None else with_verdicts(job, flags, allowed))
        clocks = [clock for each in session.clocks for clock in each.values()]
        return RunResult(
            strategy=graph.spec.name,
            engine=graph.spec.run.engine,
            mode=graph.spec.run.mode,
            bars=len(ledger.ts_ns),
            warmup=0,
            ledger=ledger,
            instruments=tuple(jobs),
            settings=graph.spec.run,
            rule_nodes=plan.rule_nodes,
            metrics={},
            timing={},
            synthetic=any(clock.bars.synthetic for clock in clocks),
            origin=origin_of(graph),
            warnings=graph.warnings,
            trace=Trace(plan, tuple(rows), graph),
        )


def _no_ledger(session: StrategySession) -> Ledger:
    empty = session.ledger()
    return replace(empty, ts_ns=np.zeros(0, np.int64), equity=np.zeros(0), cash=np.zeros(0), open_positions=())
