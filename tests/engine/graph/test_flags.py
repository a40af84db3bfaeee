from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import Problem
from quantcrafter.engine.graph import BoundGraph, NodeColumn, bind, make_plan
from quantcrafter.engine.graph.bound import MarketColumn, Number
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.run import spec_hash
from quantcrafter.engine.spec import StrategySpec, check_strategy
from tests.support.catalog import SmallCatalog, strategy_text

NODES = """
indicators:
  fast: {use: mean, input: bars.close, period: 3}
  slow: {use: mean, input: fast, period: 5}
  range: {use: channel}
logic:
  up: {use: above, left: fast, right: slow}
advisors:
  trend: {use: while, condition: up}
  climb: {use: rising}
filters:
  dear: {use: gate, condition: up}
risk:
  stop: {use: stop, percent: 2}
money:
  size: {use: units, quantity: 10}
execution:
  entry: {use: at_market, signals: [trend, climb], filters: [dear], risk: [stop], money: size}
"""


def read(text: str) -> tuple[StrategySpec, list[Problem]]:
    spec, problems = check_strategy(text, file="s.yaml")
    assert spec is not None
    return spec, problems


def flagged(*flags: str, nodes: str = NODES) -> tuple[BoundGraph, list[Problem]]:
    for flag in flags:
        name, key = flag.split(".")
        head = f"  {name}: {{"
        assert head in nodes
        nodes = nodes.replace(head, f"{head}{key}: true, ")
    spec, problems = read(strategy_text(nodes))
    graph, found = bind(spec, SmallCatalog())
    return graph, [*problems, *found]


def test_flags_are_no_parameters_and_change_what_a_strategy_is() -> None:
    plain, none = flagged()
    graph, problems = flagged("dear.mute")
    assert none == problems == []
    assert spec_hash(plain) != spec_hash(graph) != spec_hash(flagged("slow.bypass")[0])


def test_a_bypassed_node_is_read_through() -> None:
    graph, problems = flagged("slow.bypass")
    assert problems == []
    assert "slow" not in graph.nodes
    assert graph.nodes["up"].inputs["right"] == graph.nodes["up"].inputs["left"] == _column("fast")


def _column(name: str) -> object:
    graph, _ = flagged()
    return next(source for source in graph.nodes["up"].sources() if getattr(source, "node", "") == name)


def test_bypassed_nodes_in_a_row_lead_to_the_first_that_is_not() -> None:
    graph, problems = flagged("slow.bypass", "fast.bypass")
    assert problems == []
    assert graph.nodes["up"].inputs == {"left": MarketColumn("bars", "close"), "right": MarketColumn("bars", "close")}


def test_a_number_is_passed_on_too() -> None:
    nodes = NODES.replace("input: fast, period: 5", "input: 7, period: 5")
    graph, _ = flagged("slow.bypass", nodes=nodes)
    assert graph.nodes["up"].inputs["right"] == Number(7.0)


@pytest.mark.parametrize("name", ["trend", "up", "stop", "size"])
def test_a_node_without_a_fitting_input_cannot_be_bypassed(name: str) -> None:
    _, problems = flagged(f"{name}.bypass")
    wrong = [problem for problem in problems if problem.code == "bypass"]
    assert [(problem.node, problem.field) for problem in wrong] == [(name, "bypass")]
    assert "no" in wrong[0].message
    assert wrong[0].line == 1 + strategy_text(NODES).splitlines().index(
        next(line for line in strategy_text(NODES).splitlines() if line.startswith(f"  {name}:"))
    )


def test_an_execution_node_cannot_be_bypassed() -> None:
    _, problems = flagged("entry.bypass")
    assert [problem.message for problem in problems] == ["'entry' has no output to pass on, so it can't be bypassed."]


def test_a_muted_filter_does_not_filter_and_a_muted_stop_does_not_protect() -> None:
    graph, problems = flagged("dear.mute", "stop.mute")
    assert problems == []
    (decision,) = make_plan(graph).decisions
    assert (decision.filters, decision.protection, len(decision.signals)) == ((), (), 2)
    assert graph.nodes["entry"].component.model_dump()["filters"] == ()


def test_what_a_muted_node_fed_is_muted_until_something_can_do_without() -> None:
    graph, problems = flagged("slow.mute")
    assert problems == []
    assert set(graph.nodes) == {"fast", "range", "climb", "stop", "size", "entry"}
    assert graph.nodes["entry"].component.model_dump()["signals"] == ("climb",)


def test_nothing_left_to_trade_on_is_an_error_in_words() -> None:
    _, problems = flagged("trend.mute", "climb.mute")
    assert [(p.code, p.node, p.field) for p in problems] == [("muted", "entry", "signals")]
    assert problems[0].message == "Everything that 'signals' of 'entry' reads is muted: nothing is left to trade on."


def test_a_muted_money_manager_is_an_error_in_words() -> None:
    _, problems = flagged("size.mute")
    assert [(p.code, p.node, p.field) for p in problems] == [("muted", "entry", "money")]
    assert "sizes the orders" in problems[0].message


def test_a_muted_execution_node_is_an_error() -> None:
    _, problems = flagged("entry.mute")
    assert [problem.message for problem in problems] == ["'entry' is muted, so the strategy never trades."]


def test_mute_goes_before_bypass() -> None:
    graph, problems = flagged("slow.mute", "slow.bypass")
    assert problems == []
    assert "up" not in graph.nodes


def test_a_muted_feed_mutes_what_reads_its_columns() -> None:
    nodes = NODES.replace("fast: {use: mean, input: bars.close", "fast: {use: mean, input: weekly.close")
    nodes = "\ndata:\n  weekly: {use: resample, timeframe: 1w, mute: true}" + nodes
    spec, problems = read(strategy_text(nodes).replace("use: mean", "use: ta.SMA").replace("period:", "timeperiod:"))
    assert problems == []
    graph, _ = bind(spec, SmallCatalog())
    assert "weekly" not in graph.nodes


BLOCK = """
blocks:
  smooth:
    inputs: {price: series}
    outputs: {line: mean, is_up: above}
    indicators: {mean: {use: mean, input: price, period: 9}}
    logic: {above: {use: above, left: price, right: mean}}
"""


def blocked(flag: str) -> tuple[BoundGraph, list[Problem]]:
    nodes = NODES.replace(
        "slow: {use: mean, input: fast, period: 5}", f"slow: {{use: smooth, price: fast, {flag}: true}}"
    )
    nodes = nodes.replace("right: slow}", "right: slow.line}")
    spec, problems = read(strategy_text(BLOCK + nodes))
    graph, found = bind(spec, SmallCatalog())
    return graph, [*problems, *found]


def test_a_bypassed_block_is_read_through() -> None:
    graph, problems = blocked("bypass")
    assert problems == []
    assert graph.nodes["up"].inputs["right"] == NodeColumn("fast", "value", graph.nodes["up"].inputs["left"].type)  # type: ignore[union-attr]
    assert not any(name.startswith("slow/") for name in graph.nodes)


def test_a_bypassed_block_without_a_fitting_input_is_an_error_at_its_use() -> None:
    nodes = NODES.replace("slow: {use: mean, input: fast, period: 5}", "slow: {use: smooth, price: fast, bypass: true}")
    nodes = nodes.replace("right: slow}", "right: fast}").replace(
        "condition: up}\nfilters", "condition: slow.is_up}\nfilters"
    )
    nodes = nodes.replace("trend: {use: while, condition: up}", "trend: {use: while, condition: slow.is_up}")
    spec, _ = read(strategy_text(BLOCK + nodes))
    _, problems = bind(spec, SmallCatalog())
    assert [(p.code, p.node, p.field) for p in problems] == [("bypass", "slow", "bypass")]


def test_a_muted_block_gives_nothing() -> None:
    graph, problems = blocked("mute")
    assert problems == []
    assert "up" not in graph.nodes
    assert "trend" not in graph.nodes


def test_the_hash_tells_a_bypassed_block_from_a_muted_one() -> None:
    assert spec_hash(blocked("mute")[0]) != spec_hash(blocked("bypass")[0])


@pytest.mark.parametrize("flag", ["yes", "1", "[true]"])
def test_a_flag_that_is_no_truth_value_is_refused_at_its_place(flag: str) -> None:
    text = strategy_text(NODES.replace("stop: {use: stop, ", f"stop: {{use: stop, mute: {flag}, "))
    _, problems = read(text)
    assert [(p.code, p.node, p.field) for p in problems] == [("flag", "stop", "mute")]
    assert "must be true or false" in problems[0].message


def test_a_flag_can_be_set_from_the_command_line() -> None:
    spec, problems = check_strategy(strategy_text(NODES), overrides=["filters.dear.mute=true"])
    assert problems == []
    assert spec is not None
    assert spec.nodes["dear"].mute


def test_an_example_runs_with_its_filter_muted() -> None:
    path = Path("resources/examples/rsi_pullback.yaml")
    spec, problems = check_strategy(
        path.read_text(), overrides=["filters.uptrend.mute=true", "indicators.rsi.bypass=true"]
    )
    assert spec is not None
    _, found = bind(spec, load_registry())
    assert [*problems, *found] == []


SAMPLE = "{symbol: AAPL, data: sample}"
RULE = """
logic:
  dear: {use: compare, left: bars.close, op: ">", right: 10, mute: true}
  cheap: {use: compare, left: bars.close, op: "<", right: 20}
advisors:
  go: {use: rule, enter_long: [dear], exit_long: [cheap]}
  rising: {use: rule, enter_long: [cheap]}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [go, rising], money: size}}
"""


@pytest.mark.parametrize(("left", "kept"), [(", exit_long: [cheap]", {"go"}), ("", set())])
def test_a_rule_keeps_its_exits_when_its_entries_are_muted_and_is_muted_when_nothing_is_left(
    left: str, kept: set[str]
) -> None:
    spec, _ = read(strategy_text(RULE.replace(", exit_long: [cheap]", left), instrument=SAMPLE))
    graph, problems = bind(spec, load_registry())
    assert problems == []
    assert set(graph.nodes) == {"cheap", "rising", "size", "entry", *kept}


def test_an_entry_at_a_distance_in_ranges_cannot_do_without_the_range() -> None:
    nodes = """
indicators: {atr: {use: ta.ATR, mute: true}}
logic: {up: {use: compare, left: bars.close, op: ">", right: 10}}
advisors: {go: {use: rule, enter_long: [up]}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: limit, signals: [go], money: size, offset_atr: 2, atr: atr}}
"""
    spec, _ = read(strategy_text(nodes, instrument=SAMPLE))
    _, problems = bind(spec, load_registry())
    assert [p.message for p in problems] == ["What 'atr' of 'entry' reads is muted, and 'entry' can't do without it."]
