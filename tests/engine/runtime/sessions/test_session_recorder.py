"""A session that is recorded reads like the batch at its end, and as a prefix of it before."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.running.source import load_graph
from quantcrafter.engine.runtime.sessions.session_recorder import SessionRecorder
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.bar_by_bar import moments, run_on, step_count, until
from tests.support.counts import seed
from tests.support.run_views import assert_same_views, write_splits_and_rates


@pytest.mark.slow
def test_a_recorded_session_shows_prefixes_and_is_the_batch_at_its_end(tmp_path: Path) -> None:
    registry = load_registry()
    graph = load_graph(write_splits_and_rates(tmp_path), registry)
    batch = run(graph, registry=registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    rng = random.Random(seed("recorded"))  # noqa: S311 - cases of a test, no secrets
    ends = sorted(rng.randrange(1, step_count(market)) for _ in range(6))
    session = StrategySession.open(graph, until(graph, market, 0))
    with SessionRecorder(session, tmp_path / "run") as recorder:
        found = RunFolder.open(tmp_path / "run")
        for end in ends:
            run_on(session, graph, market, end)
            recorder.record()
            found = found.latest()
            assert not found.is_finished
            assert found.bars == end
            np.testing.assert_array_equal(found.ledger.equity, batch.ledger.equity[:end])
            for number in range(len(batch.instruments)):
                column = found.column("fast", "", number)
                np.testing.assert_array_equal(column, batch.column("fast", "", number)[: len(column)])
        run_on(session, graph, market)
        recorder.record(finished=True)
    found = found.latest()
    assert found.is_finished
    assert_same_views(found, replace(batch, findings=(), notes=(), timing={}))


def test_a_session_that_has_done_steps_is_refused_and_no_folder_is_made(tmp_path: Path) -> None:
    graph = load_graph(write_splits_and_rates(tmp_path), load_registry())
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market, 2)
    with pytest.raises(RunError, match="from its first step on, this one has done 2"):
        SessionRecorder(session, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_session_with_bars_known_before_has_those_of_its_steps_and_fills_at_their_prices(tmp_path: Path) -> None:
    graph = load_graph(write_splits_and_rates(tmp_path), load_registry())
    market = load_market(graph, lambda *_: None, lambda: False)
    known = until(graph, market, 60)
    session = StrategySession.open(graph, known)
    with SessionRecorder(session, tmp_path / "run") as recorder:
        for bars in moments(graph, market, 60):
            session.append(bars)
        recorder.record(finished=True)
    found = RunFolder.open(tmp_path / "run")
    assert len(found.fills) > 10
    for job, spec, loaded in zip(found.instruments, graph.instruments, market.bars, strict=True):
        before = len(known[spec.spec.symbol])
        np.testing.assert_array_equal(job.bars.close_ns, loaded.close_ns[before:])
    for fill in found.ledger.fills:
        priced = found.instruments[fill["instrument"]].bars
        assert priced.low[fill["bar"]] <= fill["price"] <= priced.high[fill["bar"]]
    assert found.metrics["trades"] == len(found.trades)
