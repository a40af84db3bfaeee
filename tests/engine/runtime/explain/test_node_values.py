"""The value of each node at a bar is what the run's columns, orders and positions say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantcrafter.engine.runtime.explain import Facts, value_at, values_at
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.kept_runs import registry, saved_run

STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: AAPL, data: sample, timeframe: 1d}]
data: {weekly: {use: resample, timeframe: 1w}}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 20}
logic:
  above: {use: compare, left: fast, op: ">", right: slow}
  week: {use: compare, left: weekly.close, op: ">", right: 0}
advisors: {go: {use: crossover, fast: fast, slow: slow, direction: long}}
filters: {wild: {use: volatility_band, input: bars.close, maximum: LIMIT, group: block}}
risk: {stop: {use: percent_stop, percent: 3}}
money: {size: {use: fixed_quantity, quantity: 7}}
execution: {entry: {use: market, signals: [go], filters: [wild], risk: [stop], money: size}}
"""
LIMIT = 30


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return saved_run(STRATEGY.replace("LIMIT", str(LIMIT)), tmp_path_factory.mktemp("runs"))


def test_a_column_has_its_value_and_a_filter_says_whether_it_let_entries_pass(run: RunFolder) -> None:
    facts = Facts(run, registry())
    bars = run.instruments[0].bars
    for bar in (0, 30, 3000):
        found = values_at(facts, bar)
        assert {each.output: each.value for each in found["bars"]} == {
            name: bars.column(name)[bar] for name in ("open", "high", "low", "close")
        }
        for node in ("fast", "above", "go"):
            assert np.array_equal(found[node][0].value, float(run.column(node)[bar]), equal_nan=True)
        (wild,) = found["wild"]
        assert wild.value == (bars.close[bar] <= LIMIT)
        assert wild.passes == (bars.close[bar] > LIMIT)


def test_the_nodes_that_decide_show_their_orders_and_the_position(run: RunFolder) -> None:
    facts = Facts(run, registry())
    trade = run.trades[5]
    between = trade["entry_bar"] + 1
    assert between < trade["exit_bar"]
    held = {node: values_at(facts, between)[node][0] for node in ("entry", "size", "stop")}
    assert (held["entry"].kind, held["entry"].value) == ("position", 7.0)
    assert held["stop"].kind == "price"
    assert held["stop"].value == pytest.approx(0.97 * trade["entry_price"], abs=0.011)
    assert held["size"].kind == "quantity"
    assert math.isnan(held["size"].value)  # nothing was ordered at this bar

    ordered = values_at(facts, trade["entry_bar"] - 1)  # at whose close the signal came
    assert ordered["size"][0].value == 7.0
    assert ordered["entry"][0].value == 0.0
    assert math.isnan(ordered["stop"][0].value)


def test_one_value_is_the_same_alone(run: RunFolder) -> None:
    facts = Facts(run, registry())
    bar = run.trades[5]["entry_bar"] + 1
    found = values_at(facts, bar)
    for node, output in (("fast", "value"), ("above", "value"), ("go", "signal"), ("wild", "filter"), ("stop", "risk")):
        assert value_at(facts, node, output, bar) == found[node][0]
    assert value_at(facts, "bars", "low", bar) == next(each for each in found["bars"] if each.output == "low")
    assert value_at(facts, "bars", "", bar) == next(each for each in found["bars"] if each.output == "close")
    assert value_at(facts, "nobody", "value", bar) is None

    weekly = value_at(facts, "weekly", "close", bar)
    assert weekly is not None
    assert weekly.value == run.feed_column("weekly", "close")[bar]
