"""Several execution nodes in a strategy file: one at a time has the position of an instrument, on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.adapters.vnpy.client import end_shared_process
from quantcrafter.engine.api import ENTER_LONG, SpecError
from quantcrafter.engine.api.ledger import BlockReason
from quantcrafter.engine.runtime.explain import Facts, explain, take_census
from quantcrafter.engine.runtime.explain.node_values import values_at
from quantcrafter.engine.runtime.parity.run import run_parity
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.session_recorder import SessionRecorder
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.bar_by_bar import run_on, step_count, until
from tests.support.kept_runs import registry, saved_run
from tests.support.run_views import assert_same_views

STRATEGY = """\
quantcrafter: 1
name: Trend and dip
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1h, bars: 700, seed: 3, tick_size: 0.01}
  - {symbol: TWO, data: synthetic, timeframe: 1h, bars: 500, seed: 4, tick_size: 0.01}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 8}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 30}
  rsi: {use: ta.RSI, input: bars.close, timeperiod: 7}
logic:
  pos: {use: position}
  loud: {use: compare, left: pos.last_trade_percent, op: ">", right: 4}
advisors:
  trend: {use: crossover, fast: fast, slow: slow, direction: long}
  dip: {use: levels, input: rsi, direction: long, mode: inside, long_entry: 30, long_exit: 60}
filters:
  calm: {use: condition, group: block, input: loud}
risk:
  wide: {use: percent_stop, percent: 6}
  tight: {use: percent_stop, percent: 2}
money:
  big: {use: fixed_quantity, quantity: 20}
  small: {use: fixed_quantity, quantity: 5}
execution:
  follow: {use: market, signals: [trend], risk: [wide], money: big}
  buy_dips: {use: market, signals: [dip], filters: [calm], risk: [tight], money: small}
run: {commission: {percent: 0.05}}
"""
FOLLOW, DIPS = 0, 1


@pytest.fixture(autouse=True, scope="module")
def _one_vnpy() -> Iterator[None]:
    yield
    end_shared_process()


@pytest.fixture(scope="module")
def result() -> Any:
    return run(load_text(STRATEGY, registry()), registry=registry())


def test_each_execution_has_its_signals_size_and_stop(result: Any) -> None:
    fills, orders = result.ledger.fills, result.ledger.orders
    entries = fills[fills["reason"] == 0]
    assert set(entries["lots"][entries["execution"] == FOLLOW]) == {20}
    assert set(entries["lots"][entries["execution"] == DIPS]) == {5}
    assert min(np.bincount(entries["execution"])) > 5
    assert result.rule_nodes == ("wide", "tight")
    stops = orders[orders["rule"] >= 0]
    assert (stops["rule"] == stops["execution"]).all()
    assert {0, 1} == set(stops["rule"])


def test_one_execution_at_a_time_has_the_position_and_the_first_one_goes_first(result: Any) -> None:
    for number, job in enumerate(result.instruments):
        fills = result.ledger.fills[result.ledger.fills["instrument"] == number]
        held, holder = 0, -1
        for fill in fills:
            if held == 0:
                holder = int(fill["execution"])
            assert fill["execution"] == holder  # whoever opened it changes and closes it
            held += int(fill["lots"]) * int(fill["side"])
        trend, dip = (result.trace.column(name, "", number) for name in ("trend", "dip"))
        both = np.flatnonzero((trend & ENTER_LONG != 0) & (dip & ENTER_LONG != 0))
        for bar in both[both < len(job.bars) - 1]:
            opened = fills[(fills["bar"] == bar + 1) & (fills["reason"] == 0)]
            assert not len(opened) or opened["execution"][0] == FOLLOW


def test_a_signal_beside_another_execution_is_noted_as_blocked(result: Any) -> None:
    blocked = result.ledger.blocked
    other = blocked[blocked["reason"] == BlockReason.OTHER_EXECUTION]
    assert len(other) > 5
    for row in other:
        node = ("trend", "dip")[int(row["execution"])]
        assert int(result.trace.column(node, "", int(row["instrument"]))[row["bar"]]) & int(row["flags"])


def test_the_second_alone_trades_as_it_does_without_the_first() -> None:
    silent = STRATEGY.replace("fast: fast, slow: slow", "fast: fast, slow: fast").replace(
        "timeperiod: 8", "timeperiod: 3"
    )
    alone = STRATEGY.replace("  follow: {use: market, signals: [trend], risk: [wide], money: big}\n", "")
    both, one = (run(load_text(text, registry()), registry=registry()).ledger for text in (silent, alone))
    assert len(one.fills) > 10
    for name in ("instrument", "bar", "side", "lots", "price", "commission"):
        np.testing.assert_array_equal(both.fills[name], one.fills[name])
    np.testing.assert_array_equal(both.equity, one.equity)


def test_all_engines_make_the_same_trades() -> None:
    report = run_parity(load_text(STRATEGY, registry()), registry=registry())
    assert [each.name for each in report.outcomes] == ["native", "backtrader", "vnpy"]
    assert not [each.differences for each in report.outcomes if each.differences]


def test_a_session_recorded_bar_by_bar_is_the_run(result: Any, tmp_path: Path) -> None:
    graph = load_text(STRATEGY, registry())
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    with SessionRecorder(session, tmp_path / "run") as recorder:
        for end in (50, 300, step_count(market)):
            run_on(session, graph, market, end)
            recorder.record(finished=end == step_count(market))
    found = RunFolder.open(tmp_path / "run")
    assert_same_views(found, replace(result, findings=(), notes=(), timing={}))
    assert [each.node for each in found.decisions] == ["follow", "buy_dips"]


def test_a_saved_run_reads_as_the_one_in_memory(result: Any, tmp_path: Path) -> None:
    saved = saved_run(STRATEGY, tmp_path)
    assert_same_views(saved, replace(result, origin=saved.origin, timing=saved.timing))


def test_an_explanation_names_the_execution_that_decided(result: Any) -> None:
    facts = Facts(result, registry())
    seen = set()
    for row in result.ledger.orders[(result.ledger.orders["instrument"] == 0) & (result.ledger.orders["rule"] < 0)]:
        bar, execution = int(row["created_bar"]), int(row["execution"])
        why = explain(facts, bar)
        node, other = (("follow", "trend"), ("buy_dips", "dip"))[execution], (("dip",), ("trend",))[execution]
        if row["reason"] == 0 and not why.blocked and len(why.ordered) == 1:
            assert set(node) <= why.path.nodes
            assert not set(other) & why.path.nodes
            seen.add(execution)
        held = facts.positions.after(bar)
        values = values_at(facts, bar)
        assert values["follow"][0].value == (held.lots if held and held.execution == FOLLOW else 0)
        assert values["buy_dips"][0].value == (held.lots if held and held.execution == DIPS else 0)
    assert seen == {FOLLOW, DIPS}


def test_an_entry_that_another_execution_prevents_says_so(result: Any) -> None:
    facts = Facts(result, registry())
    rows = result.ledger.blocked
    rows = rows[(rows["reason"] == BlockReason.OTHER_EXECUTION) & (rows["instrument"] == 0)]
    found = 0
    for row in rows:
        why = explain(facts, int(row["bar"]))
        name = ("follow", "buy_dips")[int(row["execution"])]
        if held := why.position:
            assert held.execution != row["execution"]
            tests = [each.test for way in why.ways if way.node == name for chosen in way.sets for each in chosen]
            found += any(getattr(test, "kind", "") == "other_execution" for test in tests)
    assert found > 0


def test_a_census_judges_the_nodes_of_each_execution(result: Any) -> None:
    census = take_census(result, registry())
    assert census.nodes["trend"].idle is None
    assert census.nodes["dip"].idle is None
    idle = take_census(
        run(load_text(STRATEGY.replace("right: 4", "right: 400"), registry()), registry=registry()), registry()
    )
    assert idle.nodes["calm"].idle == "passed"


@pytest.mark.parametrize(
    ("execution", "message"),
    [
        ("{use: rebalance, weight: 50, monthly: true}", "'other' sets whole positions"),
    ],
)
def test_what_must_be_alone_is_refused(execution: str, message: str) -> None:
    text = STRATEGY.replace("  buy_dips:", f"  other: {execution}\n  buy_dips:")
    with pytest.raises(SpecError) as caught:
        run(load_text(text, registry()), registry=registry())
    assert message in str(caught.value)


def test_more_than_eight_are_refused() -> None:
    more = "".join(f"  e{n}: {{use: market, signals: [trend], money: big}}\n" for n in range(8))
    with pytest.raises(SpecError, match="at most 8 execution nodes, had 10"):
        load_text(STRATEGY.replace("run: {comm", f"{more}run: {{comm"), registry())
