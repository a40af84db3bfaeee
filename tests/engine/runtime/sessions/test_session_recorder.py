"""A session that is recorded reads like the batch at its end, and as a prefix of it before."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, RunError
from quantcrafter.engine.graph import BoundGraph, PlanStep, evaluate, live_steps
from quantcrafter.engine.graph.column_cache import ColumnCache
from quantcrafter.engine.graph.data_terms import complete
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.running.load_graph import load_graph, load_text
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.session_recorder import SessionRecorder
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.bar_by_bar import moments, run_on, step_count, ticks_and_lots, until
from tests.support.changing_costs import COSTS, costly
from tests.support.counts import sample, seed
from tests.support.random_strategies import write_random_strategy
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


READS_POSITION = """\
quantcrafter: 1
name: Reads its position
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1h, bars: 300, seed: 3, tick_size: 0.01}
  - {symbol: TWO, data: synthetic, timeframe: 1h, bars: 200, seed: 4, tick_size: 0.01}
indicators:
  average: {use: ta.SMA, input: bars.close, timeperiod: 12}
  lonely: {use: ta.RSI, input: bars.close, timeperiod: 5}
logic:
  pos: {use: position}
  acc: {use: account}
  up: {use: compare, left: bars.close, op: ">", right: average}
  old: {use: compare, left: pos.bars, op: ">=", right: 7}
  lost: {use: compare, left: pos.open_percent, op: "<", right: -0.2}
  flat_before: {use: lag, input: pos.side, bars: 3}
  small: {use: compare, left: acc.drawdown_percent, op: "<", right: 25}
advisors:
  enters: {use: rule, enter_long: [up]}
  leaves: {use: rule, enter_long: [up], exit_long: [old, lost]}
filters:
  calm: {use: condition, input: small}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [enters, leaves], filters: [calm], money: size}}
"""
BEHIND_POSITION = ("pos", "acc", "old", "lost", "flat_before", "small", "leaves", "calm")


def recorded(graph: BoundGraph, folder: Path, rng: random.Random, parts: int) -> RunFolder:
    """Return a session of a strategy that was recorded in so many random parts, to the end of its data."""
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    with SessionRecorder(session, folder) as recorder:
        for end in sorted(rng.randrange(step_count(market) + 1) for _ in range(parts)):
            run_on(session, graph, market, end)
            recorder.record()
        run_on(session, graph, market)
        recorder.record(finished=True)
    return RunFolder.open(folder)


def test_what_nodes_gave_that_read_the_position_is_recorded_as_a_run_has_it(tmp_path: Path) -> None:
    registry = load_registry()
    (tmp_path / "strategy.yaml").write_text(READS_POSITION, encoding="utf-8")
    graph = load_graph(tmp_path / "strategy.yaml", registry)
    batch = run(graph, registry=registry)
    assert len(batch.trades) > 20
    rng = random.Random(seed("position"))  # noqa: S311 - cases of a test, no secrets
    found = recorded(graph, tmp_path / "run", rng, 5)
    for node in BEHIND_POSITION:
        column = found.column(node, "", 1)
        assert len(np.unique(column)) > (node not in {"small", "calm"}), node
        np.testing.assert_array_equal(column, batch.column(node, "", 1))
    assert_same_views(found, replace(batch, findings=(), notes=(), timing={}))


def test_costs_that_change_are_recorded_as_a_run_has_them(tmp_path: Path) -> None:
    registry = load_registry()
    graph = load_graph(costly(tmp_path, COSTS["spread and swap"], bars=60), registry)
    rng = random.Random(seed("costs"))  # noqa: S311 - cases of a test, no secrets
    found, batch = recorded(graph, tmp_path / "run", rng, 3), run(graph, registry=registry)
    assert len(batch.trades) > 5
    assert found.instruments[0].spreads is not None
    assert_same_views(found, replace(batch, findings=(), notes=(), timing={}))


@pytest.mark.slow
def test_random_strategies_are_recorded_as_their_runs_are(tmp_path: Path) -> None:
    """So are the examples' kinds of nodes: event-style ones, loops with a memory, feeds, longer bars, the position."""
    registry = load_registry()
    rng = random.Random(seed("recorded strategies"))  # noqa: S311 - cases of a test, no secrets
    first = seed("strategies that are recorded") % 1_000_000
    for number in range(first, first + sample(3, of=200)):
        (tmp_path / str(number)).mkdir()
        path = write_random_strategy(tmp_path / str(number), registry, number)
        overrides = ["run.benchmark=''"]  # a session has none
        graph = load_graph(path, registry, overrides)
        # It knows no bars that show ticks and lots when it begins.
        overrides += ticks_and_lots(graph, load_market(graph, lambda *_: None, lambda: False))
        graph = load_graph(path, registry, overrides)
        batch = run(graph, registry=registry)
        found = recorded(graph, tmp_path / str(number) / "run", rng, rng.randrange(1, 6))
        try:
            assert_same_views(found, replace(batch, findings=(), notes=(), timing={}))
        except AssertionError as error:
            raise AssertionError(f"{path}: {error}") from error


def test_recording_computes_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it records; the node that no decision reads is computed with the bars."""
    graph = load_graph(write_splits_and_rates(tmp_path), load_registry())
    market = load_market(graph, lambda *_: None, lambda: False)
    asked: list[int] = []
    compute = evaluate.compute_step

    def counted(step: PlanStep, bars: Bars, inputs: dict[str, Any]) -> Any:
        asked.append(len(bars))
        return compute(step, bars, inputs)

    monkeypatch.setattr(live_steps, "compute_step", counted)
    session = StrategySession.open(graph, until(graph, market, 0))
    with SessionRecorder(session, tmp_path / "run") as recorder:
        run_on(session, graph, market, 40)
        before, computed = len(asked), [columns.computed for columns in _books(session)]
        for _ in range(5):
            recorder.record()
        assert (len(asked), [columns.computed for columns in _books(session)]) == (before, computed)
    found = RunFolder.open(tmp_path / "run")
    assert np.isfinite(found.column("lonely", "", 1)).sum() > 20


@pytest.mark.skipif(sys.platform == "win32", reason="the limit of a file's size is POSIX")
def test_what_found_no_room_is_added_by_the_next_record(tmp_path: Path) -> None:
    import resource

    registry = load_registry()
    graph = load_graph(write_splits_and_rates(tmp_path), registry)
    batch = run(graph, registry=registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    with SessionRecorder(session, tmp_path / "run") as recorder:
        run_on(session, graph, market, 100)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
        try:
            with pytest.raises(RunError, match=r"can't be saved in .* larger than is allowed here"):
                recorder.record()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert RunFolder.open(tmp_path / "run").revision == 0
        run_on(session, graph, market)
        assert recorder.record(finished=True) == 3
    assert_same_views(RunFolder.open(tmp_path / "run"), replace(batch, findings=(), notes=(), timing={}))


def _books(session: StrategySession) -> list[ColumnCache]:
    return [columns.cache for columns in session.columns]


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


def test_the_tick_that_known_bars_show_is_recorded(tmp_path: Path) -> None:
    text = READS_POSITION.replace("seed: 3, tick_size: 0.01", "seed: 3, tick_table: mifid_3")
    graph = load_text(text, load_registry())
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 150))
    with SessionRecorder(session, tmp_path / "run"):
        found = RunFolder.open(tmp_path / "run")
    shown = complete(graph.instruments[0].terms, market.bars[0].slice(0, 150)).value("tick_size")
    assert shown != complete(graph.instruments[0].terms, market.bars[0].slice(0, 0)).value("tick_size")
    assert found.instruments[0].tick_size == session.terms[0].value("tick_size") == shown
