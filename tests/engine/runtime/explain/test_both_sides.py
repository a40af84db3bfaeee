"""Orders on both sides, reversals and orders at the close are explained: why they were made, and how they ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quantcrafter.engine.api.ledger import OrderStatus, Reason, StatusReason
from quantcrafter.engine.runtime.explain.census import take_census
from quantcrafter.engine.runtime.explain.run_facts import Facts
from quantcrafter.engine.runtime.explain.why import explain
from quantcrafter.engine.runtime.running.run import run
from tests.support.kept_runs import example_run, registry
from tests.support.small_cases import SmallCase


def test_two_orders_are_explained_by_their_signals_and_the_cancelled_one_by_its_counterpart() -> None:
    result = example_run("opening_range_breakout")
    ended = result.ledger.orders[result.ledger.orders["status_reason"] == StatusReason.OCO]
    facts = Facts(result, registry())
    why = explain(facts, int(ended["created_bar"][0]))
    assert [order.reason for order in why.ordered] == ["entry", "entry"]
    assert {order.side for order in why.ordered} == {1, -1}
    assert sorted(order.status_reason for order in why.ordered) == ["none", "oco"]
    assert {"both_ways", "range_ends"} <= why.path.nodes
    # The moment of the day decided both, with its number.
    assert any(each.node == "range_ends" and each.wanted for each in why.causes)


def test_a_bar_with_signals_for_both_sides_is_no_contradiction() -> None:
    result = example_run("opening_range_breakout")
    facts = Facts(result, registry())
    census = take_census(result, registry()).nodes
    assert census["both_ways"].idle is None
    assert census["range_ends"].idle is None
    made = np.unique(result.ledger.orders["created_bar"][result.ledger.orders["reason"] == Reason.ENTRY])
    quiet = [bar for bar in range(1_000, 3_000, 53) if bar not in made]
    for why in (explain(facts, bar) for bar in quiet):
        assert why.ways
        assert all(way.exact for way in why.ways)


def test_a_reversal_is_explained_by_the_signal_of_its_side() -> None:
    result = example_run("dual_thrust")
    orders = result.ledger.orders[result.ledger.orders["reason"] == Reason.REVERSAL]
    orders = orders[orders["status"] == OrderStatus.FILLED]
    facts = Facts(result, registry())
    bar = int(orders["created_bar"][5])
    why = explain(facts, bar)
    assert "reversal" in {order.reason for order in why.ordered}
    assert any(each.node == "day_begins" for each in why.causes)
    filled = explain(facts, int(orders["closed_bar"][0]))
    assert {fill.reason for fill in filled.filled} == {"reversal"}


def test_an_order_at_the_close_is_explained_at_its_decision_and_its_fill(tmp_path: Path) -> None:
    bars = [(100, 101, 99, 100, "enter_long"), (102, 103, 101, 103), (103, 104, 102, 103)]
    path = SmallCase("use: market, at: close").write(tmp_path, bars)
    facts = Facts(run(path, registry=registry()), registry())
    (order,) = explain(facts, 0).ordered
    assert (order.reason, order.closed, order.price) == ("entry", 1, 103.0)
    (fill,) = explain(facts, 1).filled
    assert (fill.reason, fill.price, fill.decided) == ("entry", 103.0, 0)
