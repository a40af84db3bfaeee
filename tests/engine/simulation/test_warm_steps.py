"""The state of steps at the start of a run: bounded where the program's memory is, and that of all bars otherwise."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import EngineJob, InstrumentJob
from quantcrafter.engine.api.engine import ExecutionColumns
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.run import StageTimer, prepare_run
from quantcrafter.engine.simulation import warm_steps
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.warm_steps import bars_remembered, remembered_steps
from tests.support.kept_runs import registry
from tests.support.ledger_checks import assert_same_bits

STRATEGY = """\
quantcrafter: 1
name: Reads its position
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1d, bars: 400, seed: 3}
  - {symbol: TWO, data: synthetic, timeframe: 1d, bars: 300, seed: 4}
indicators:
  average: {use: ta.EMA, input: bars.close, timeperiod: 12}
logic:
  pos: {use: position}
  up: {use: compare, left: bars.close, op: ">", right: average}
  free: {use: compare, left: pos.side, op: "==", right: 0}
  old: {use: compare, left: pos.bars, op: ">=", right: 5}
  fresh: {use: and, conditions: [up, free]}
  MEMORY
advisors:
  go: {use: rule, enter_long: [node], exit_long: [old]}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [go], money: size}
run: {cash: 100000}
"""
CASES = [
    # The position node holds the day of the entry, and counts the entries of the day: a bar each.
    ("node: {use: and, conditions: [up, free]}", 2),
    (
        (
            "level: {use: where, condition: fresh, then: 1, otherwise: 0}\n"
            "  node: {use: compare, left: level, op: '>', right: 0}"
        ),
        3,
    ),
    (
        (
            "often: {use: rolling_count, condition: fresh, bars: 9}\n"
            "  node: {use: compare, left: often, op: '>=', right: 5}"
        ),
        12,
    ),
    (
        "since: {use: bars_since, condition: fresh}\n  node: {use: compare, left: since, op: '==', right: 2}",
        None,
    ),
]


def job_of(nodes: str) -> EngineJob:
    graph = load_text(STRATEGY.replace("MEMORY", nodes), registry())
    return prepare_run(graph, graph.spec.run, clock=StageTimer()).job


@pytest.mark.parametrize(("nodes", "bars"), CASES)
def test_what_a_program_remembers_is_enough_for_the_same_books(
    nodes: str, bars: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(nodes)
    assert job.steps is not None
    assert bars_remembered(job.steps) == bars
    earlier = replace(job, instruments=tuple(each.rows(0, 150) for each in job.instruments))
    ledgers = []
    for remembers in (bars_remembered, lambda _program: None):
        monkeypatch.setattr(warm_steps, "bars_remembered", remembers)
        states = remembered_steps(earlier)
        pairs = zip(job.instruments, states, strict=True)
        later = [replace(each.rows(150, len(each.bars)), step_state=state) for each, state in pairs]
        ledgers.append(simulate(replace(job, instruments=tuple(later))))
    assert_same_bits(*ledgers)
    assert len(ledgers[0].fills) > 5


def test_an_instrument_without_earlier_bars_begins_with_the_programs_own_state() -> None:
    job = job_of(CASES[2][0])
    assert job.steps is not None
    first, second = job.instruments
    states = remembered_steps(replace(job, instruments=(first.rows(0, 0), second.rows(0, 50))))
    assert np.array_equal(states[0], job.steps.state, equal_nan=True)
    assert not np.array_equal(states[1], job.steps.state, equal_nan=True)


def test_every_column_of_a_job_is_cut_to_the_rows() -> None:
    columns = [each.name for each in fields(InstrumentJob) if "Column" in str(each.type) and each.name != "step_state"]
    first = job_of(CASES[0][0]).instruments[0]
    n = len(first.bars)
    numbers = np.arange(n, dtype=np.float64)
    filled: dict[str, Any] = {}
    for name in columns:
        kind = next(str(each.type) for each in fields(InstrumentJob) if each.name == name)
        further = ExecutionColumns(first.flags, first.allowed, {"line": numbers}, numbers)
        value = further if "Execution" in kind else numbers
        filled[name] = (value,) if kind.startswith("tuple") else {"line": value} if "Mapping" in kind else value
    cut = replace(first, **filled).rows(10, 25)
    assert len(columns) > 10
    for name in columns:
        value = getattr(cut, name)
        listed = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        for each in listed:
            parts = (each.flags, each.allowed, *each.columns.values(), each.size) if name == "further" else (each,)
            assert [len(part) for part in parts] == [15] * len(parts), name
            assert parts[-1][0] == 10.0, name
    assert len(cut.bars) == 15
    assert len(cut.seen) == 25
