"""Fire counts, and the nodes that never changed a decision: held to runs without them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.runtime.explain import Census, Facts, firings, next_firing, previous_firing, take_census
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.kept_runs import example_run, registry, saved_run

STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: AAPL, data: sample, timeframe: 1d}]
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 20}
  rsi: {use: ta.RSI, input: bars.close, timeperiod: 14}
logic:
  rising: {use: crosses_above, left: fast, right: slow}
  falling: {use: crosses_below, left: fast, right: slow}
  positive: {use: compare, left: bars.close, op: ">", right: 0}
  above: {use: compare, left: fast, op: ">", right: slow}
  strong: {use: compare, left: rsi, op: ">", right: 55}
  extreme: {use: compare, left: rsi, op: ">", right: 99.9}
  both: {use: and, conditions: [rising, above, strong]}
  either: {use: or, conditions: [both, extreme]}
advisors:
  go: {use: rule, enter_long: [either, positive], exit_long: [falling]}
  quiet: {use: levels, input: rsi, long_entry: 0.5, long_exit: 99.9}
filters:
  open: {use: volatility_band, input: bars.close, minimum: 0}
  calm: {use: volatility_band, input: rsi, maximum: 65, group: trade}
  calmer: {use: volatility_band, input: rsi, minimum: 75, group: block}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [go, quiet], filters: [open, calm, calmer], money: size}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Census]:
    run = saved_run(STRATEGY, tmp_path_factory.mktemp("runs"))
    return run, take_census(run, registry())


def test_nodes_that_changed_nothing_are_told_apart(made: tuple[RunFolder, Census]) -> None:
    idle = {node: each.idle for node, each in made[1].nodes.items() if each.idle}
    assert idle == {
        "positive": "always",
        "above": "no_difference",
        "extreme": "never",
        "quiet": "silent",
        "open": "passed",
        "calmer": "passed",
    }


WITHOUT = {
    "positive": "logic.positive.right=-1",
    "above": "logic.above.op='!='",
    "extreme": "logic.extreme.right=100",
    "quiet": "advisors.quiet.long_entry=0.1",
    "open": "filters.open.minimum=-1",
    "calmer": "filters.calmer.minimum=1000",
    "calm": "filters.calm.maximum=1000",
    "strong": "logic.strong.right=-1",
}


@pytest.mark.parametrize("node", WITHOUT)
def test_a_run_with_a_constant_in_its_place_trades_the_same_just_where_it_is_idle(
    node: str, made: tuple[RunFolder, Census], tmp_path: Path
) -> None:
    run, census = made
    other = saved_run(STRATEGY, tmp_path, WITHOUT[node])
    same = len(other.ledger.fills) == len(run.ledger.fills) and bool((other.ledger.fills == run.ledger.fills).all())
    assert same == (census.nodes[node].idle is not None)


def test_a_filter_counts_what_it_held_back(made: tuple[RunFolder, Census]) -> None:
    run, census = made
    rows = run.ledger.blocked
    bars = rows["bar"][rows["reason"] == 0]
    rsi = run.column("rsi")[bars]
    assert census.nodes["calm"].blocked == (rsi > 65).sum() == len(bars)
    assert census.nodes["calmer"].blocked == (rsi >= 75).sum()
    assert census.nodes["calmer"].alone == 0
    assert census.nodes["open"].blocked == 0


def test_a_condition_fires_where_it_begins_and_a_signal_wherever_it_has_a_flag(made: tuple[RunFolder, Census]) -> None:
    run, census = made
    facts = Facts(run, registry())
    strong, signal = run.column("strong"), run.column("go")
    begins = [bar for bar in range(len(strong)) if strong[bar] and not (bar and strong[bar - 1])]
    assert firings(facts, "strong").tolist() == begins
    assert firings(facts, "go").tolist() == np.flatnonzero(signal).tolist()
    assert census.nodes["strong"].fired == (len(begins),)
    assert firings(facts, "fast").tolist() == []
    assert "fast" not in census.nodes


def test_the_decision_stage_fires_with_its_orders() -> None:
    run = example_run("rsi_pullback")
    facts = Facts(run, registry())
    trades, orders = run.ledger.trades, run.ledger.orders
    entries = orders[(orders["reason"] == 0)]
    assert firings(facts, "size").tolist() == sorted(set(entries["created_bar"].tolist()))
    stopped = trades["exit_bar"][trades["exit_reason"] == 3]
    assert firings(facts, "stop").tolist() == sorted(set(stopped.tolist()))


def test_one_goes_from_firing_to_firing() -> None:
    bars = np.array([3, 7, 20])
    assert [next_firing(bars, bar) for bar in (None, 0, 3, 19, 20)] == [3, 3, 7, 20, None]
    assert [previous_firing(bars, bar) for bar in (None, 30, 20, 3, 0)] == [20, 20, 7, None, None]
