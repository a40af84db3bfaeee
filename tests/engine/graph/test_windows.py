from __future__ import annotations

from quantcrafter.engine.graph import Plan, bind, make_plan
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.spec import parse_strategy
from tests.support.catalog import SmallCatalog, strategy_text

HEAD = """
quantcrafter: 1
name: w
instruments: [{symbol: A, data: sample, timeframe: 1h}]
"""
TAIL = """
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [in], money: size}}
"""


def plan_of(body: str, tail: str = TAIL) -> Plan:
    graph, problems = bind(parse_strategy(HEAD + body + tail), load_registry())
    assert not problems, [str(problem) for problem in problems]
    return make_plan(graph)


def test_what_a_path_remembers_adds_up_along_the_wires() -> None:
    plan = plan_of("""
indicators:
  slow: {use: ta.SMA, input: fast, timeperiod: 20}
  fast: {use: ta.SMA, input: bars.close, timeperiod: 10}
logic: {up: {use: compare, left: fast, op: ">", right: slow}}
advisors: {in: {use: rule, enter_long: [up], exit_long: [up]}}
""")
    windows = {name: plan.steps[step].window for name, step in plan.step_of.items()}
    assert windows["fast"] == {"bars": 9}
    assert windows["slow"] == {"bars": 9 + 19}
    assert windows["up"] == {"bars": 28}
    assert plan.window == {"bars": 28}


def test_a_path_with_a_node_that_remembers_everything_does_so_too() -> None:
    plan = plan_of("""
indicators: {total: {use: ta.OBV}, mean: {use: ta.SMA, input: total, timeperiod: 5}}
logic: {up: {use: compare, left: mean, op: ">", right: 1}}
advisors: {in: {use: rule, enter_long: [up]}}
""")
    assert plan.steps[plan.step_of["mean"]].lookback == 4
    assert plan.steps[plan.step_of["mean"]].window == {"bars": None}
    assert plan.window == {"bars": None}


def test_bars_of_another_clock_are_counted_apart() -> None:
    plan = plan_of("""
data: {day: {use: resample, timeframe: 1d}}
indicators:
  slow: {use: ta.SMA, input: day.close, timeperiod: 50}
  fast: {use: ta.SMA, input: bars.close, timeperiod: 10}
logic:
  up: {use: compare, left: fast, op: ">", right: slow}
  often: {use: rolling_count, condition: up, bars: 30}
  many: {use: compare, left: often, op: ">", right: 20}
advisors: {in: {use: rule, enter_long: [many]}}
""")
    assert plan.steps[plan.step_of["slow"]].window == {"day": 49}
    assert plan.steps[plan.step_of["often"]].window == {"bars": 9 + 29, "day": 49}
    assert plan.window == {"bars": 38, "day": 49}


def test_a_component_that_does_not_tell_its_lookback_counts_as_one_that_remembers_everything() -> None:
    body = """
indicators: {mean: {use: mean, input: bars.close}}
logic: {up: {use: above, left: mean, right: 1}}
advisors: {trend: {use: while, condition: up}}
money: {size: {use: units}}
execution: {entry: {use: at_market, signals: [trend], money: size}}
"""
    graph, _ = bind(parse_strategy(strategy_text(body)), SmallCatalog())
    assert make_plan(graph).window == {"bars": None}
