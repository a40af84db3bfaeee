"""Keeps a session in a run folder: what it was brought, what its nodes gave, and what it booked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from quantcrafter.engine.api import Ledger, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph import BASE_CLOCK, make_plan
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.results.run_tables import data_hash
from quantcrafter.engine.runtime.results.trace import ColumnStore, Trace
from quantcrafter.engine.runtime.run_store.run_folder import CURVES, OPEN_ORDERS, RECORDS, RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import RunWriter, chunk_of, describe, final_state, growing_state
from quantcrafter.engine.runtime.running.prepare import Market, evaluate, job_of
from quantcrafter.engine.runtime.running.run import origin_of
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.stats.metrics import compute_metrics


class SessionRecorder:
    """Adds what a session did since the last time to its folder; it drains the session, so nobody else may.

    The folder's bars begin with the session's first step; columns look back to those known before.
    Every column is computed over all bars at each `record`, so record many bars at once where there are many.

    Args:
        session: a session that was not brought anything yet, of a strategy without nodes that read the position.
        folder: the folder to make.

    Raises:
        RunError: the folder exists or cannot be written; the strategy has nodes that read the position, or the session
            has done steps.
    """

    def __init__(self, session: StrategySession, folder: Path) -> None:
        if session.plan.loop is not None:
            raise RunError(
                Message("A session whose nodes read the position can't be recorded: what they gave isn't kept.")
            )
        if session.steps:
            raise RunError(
                Message(
                    "A session is recorded from its first step on, this one has done {steps:,}.", steps=session.steps
                )
            )
        self._session = session
        self._known = [each[BASE_CLOCK].count for each in session.clocks]
        self._done = list(self._known)
        self._writer = RunWriter.create(folder, describe(self._view(_no_ledger(session))))

    def record(self, *, finished: bool = False) -> int:
        """Add what was brought and booked since the last time, and return the folder's revision.

        Raises:
            RunError: the folder cannot be written. What was drained is lost to it.
            ComponentError: a component failed.
        """
        booked = self._session.drain()
        view = self._view(replace(booked, open_positions=self._session.ledger().open_positions))
        counts = [len(job.bars) for job in view.instruments]
        new = [slice(done, count) for done, count in zip(self._done, counts, strict=True)]
        chunk = chunk_of(view, new, state=self._state(view))
        at_work = self._session.ledger().orders
        revision = self._writer.append(replace(chunk, records={**chunk.records, OPEN_ORDERS: at_work}))
        self._done = counts
        if finished:
            revision = self._finish()
        return revision

    def close(self) -> None:
        """Close the folder."""
        self._writer.close()

    def __enter__(self) -> Self:
        """Return the recorder."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the folder."""
        self.close()

    def _state(self, view: RunResult) -> dict[str, Any]:
        """Return what is small, with bars counted as the session does: from its first step on."""
        state = growing_state(view)
        state["first_bars"] = self._counted(state["first_bars"])
        state["warmup"] = max(state["first_bars"])
        state["ready"] = {name: self._counted(ready) for name, ready in state["ready"].items()}
        return state

    def _counted(self, bars: list[int]) -> list[int]:
        return [max(0, bar - known) for bar, known in zip(bars, self._known, strict=True)] if bars else []

    def _finish(self) -> int:
        run = RunFolder.open(self._writer.folder)
        state = final_state(run)
        state["metrics"] = compute_metrics(run.ledger, run.instruments, cash=run.settings.cash)
        state["data_hash"] = data_hash(run.instruments)
        none = {name: slice(0, 0) for name in (*RECORDS, *CURVES)}
        return self._writer.append(chunk_of(run, [slice(0, 0)] * len(run.instruments), none, state))

    def _view(self, ledger: Ledger) -> RunResult:
        session = self._session
        graph, plan = session.graph, make_plan(session.graph)
        clocks = session.clocks
        market = Market(
            tuple(each[BASE_CLOCK].bars for each in clocks),
            tuple({name: each[name].bars for name in graph.feeds} for each in clocks),
            (),
        )
        store = ColumnStore()
        evaluations = evaluate(plan, market, lambda *_: None, lambda: False, store)
        jobs = job_of(graph, graph.spec.run, plan, evaluations).instruments
        decision = plan.decision
        return RunResult(
            strategy=graph.spec.name,
            engine=graph.spec.run.engine,
            mode=graph.spec.run.mode,
            bars=len(ledger.ts_ns),
            warmup=max(job.first_bar for job in jobs),
            ledger=ledger,
            instruments=jobs,
            settings=graph.spec.run,
            rule_nodes=decision.rule_nodes if decision is not None else (),
            metrics={},
            timing={},
            synthetic=any(bars.synthetic for bars in market.bars)
            or any(feed.synthetic for feeds in market.feeds for feed in feeds.values()),
            origin=origin_of(graph),
            warnings=graph.warnings,
            trace=Trace(plan, evaluations, graph, store),
        )


def _no_ledger(session: StrategySession) -> Ledger:
    empty = session.ledger()
    return replace(empty, ts_ns=np.zeros(0, np.int64), equity=np.zeros(0), cash=np.zeros(0), open_positions=())
