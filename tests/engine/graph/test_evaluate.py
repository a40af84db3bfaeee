from __future__ import annotations

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, ComponentError, DataRequest, Signals, Timeframe
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.resample import resample
from quantcrafter.engine.graph import Evaluation, NodeColumn, Plan, StepColumn, bind, make_plan
from quantcrafter.engine.spec import parse_strategy
from tests.support.catalog import CALLS, Ramp, SmallCatalog, strategy_text

TAIL = """
money: {size: {use: units}}
execution: {entry: {use: at_market, signals: [trend], money: size}}
"""


def plan_of(body: str) -> Plan:
    graph, problems = bind(parse_strategy(strategy_text(body + TAIL)), SmallCatalog())
    assert not problems, [str(problem) for problem in problems]
    return make_plan(graph)


def minute_bars(count: int = 60) -> Bars:
    request = DataRequest("X", Timeframe.parse("1m"))
    return load_bars(Ramp(bars=count), request).bars


def evaluate(body: str, bars: Bars, feeds: dict[str, Bars] | None = None) -> tuple[Plan, Evaluation]:
    plan = plan_of(body)
    return plan, Evaluation(plan, bars, feeds or {}).run()


BASIC = """
indicators:
  slow: {use: mean, input: fast, period: 4}
  fast: {use: mean, input: bars.close, period: 3}
  same: {use: mean, input: bars.close, period: 3}
logic:
  up: {use: above, left: fast, right: slow}
  high: {use: above, left: same, right: 105.5}
advisors: {trend: {use: while, condition: up}}
"""


def test_steps_come_after_what_they_read() -> None:
    plan = plan_of(BASIC)
    for number, step in enumerate(plan.steps):
        for wires in step.inputs.values():
            for source in wires if isinstance(wires, tuple) else (wires,):
                if isinstance(source, StepColumn):
                    assert source.step < number


def test_equal_expressions_are_computed_once() -> None:
    CALLS.clear()
    plan, _ = evaluate(BASIC, minute_bars())
    assert plan.step_of["fast"] == plan.step_of["same"]
    assert sorted(CALLS) == ["mean3", "mean4"]


def test_warm_up_adds_up_along_the_wires() -> None:
    plan, result = evaluate(BASIC, minute_bars())
    assert result.ready[plan.step_of["fast"]] == 2
    assert result.ready[plan.step_of["slow"]] == 5
    assert result.ready[plan.step_of["up"]] == 5
    slow = np.asarray(result.values[plan.step_of["slow"]][0])
    assert np.isnan(slow[:5]).all()
    assert not np.isnan(slow[5:]).any()


def test_a_number_in_place_of_a_wire_is_a_full_column() -> None:
    plan, result = evaluate(BASIC, minute_bars(10))
    assert np.asarray(result.values[plan.step_of["high"]][0]).tolist() == [False] * 7 + [True] * 3


HIGHER = """
data: {five: {use: coarser, timeframe: 5m}}
indicators:
  mean5: {use: mean, input: five.close, period: 2}
  own: {use: mean, input: bars.close, period: 2}
logic:
  up: {use: above, left: own, right: mean5}
advisors: {trend: {use: while, condition: up}}
"""


def test_a_higher_timeframe_is_computed_on_its_own_bars_and_seen_once_they_closed() -> None:
    bars = minute_bars(17)
    five = resample(bars, Timeframe.parse("5m"))
    plan, result = evaluate(HIGHER, bars, {"five": five})
    step = plan.step_of["mean5"]
    assert plan.steps[step].clock == "five"
    assert len(result.values[step][0]) == len(five) == 3
    seen = result.column(StepColumn(step, 0))
    closes = bars.close
    assert np.isnan(seen[:9]).all()
    assert seen[9] == seen[13] == (closes[4] + closes[9]) / 2
    assert seen[14] == seen[16] == (closes[9] + closes[14]) / 2
    assert plan.steps[plan.step_of["up"]].clock == "bars"
    assert result.ready[plan.step_of["up"]] == 9


def test_the_event_style_gives_the_same_kind_of_column() -> None:
    plan, result = evaluate("advisors: {trend: {use: rising}}", minute_bars(5))
    signal = result.values[plan.step_of["trend"]][0]
    assert isinstance(signal, Signals)
    assert signal.flags.tolist() == [2, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raise", "failed on 10 bars of X: ZeroDivisionError: on purpose"),
        ("short", "returned float64 of shape (9,)"),
        ("bool", "returned bool"),
        ("pair", "returned a tuple of 2"),
        ("none", "returned object"),
    ],
)
def test_a_misbehaving_component_is_named(how: str, words: str) -> None:
    body = f"""
indicators: {{odd: {{use: weird, input: bars.close, how: {how}}}}}
logic: {{up: {{use: above, left: odd, right: 1}}}}
advisors: {{trend: {{use: while, condition: up}}}}
"""
    with pytest.raises(ComponentError, match="odd") as caught:
        evaluate(body, minute_bars(10))
    assert words in str(caught.value)
    assert caught.value.node == "odd"


def test_sources_of_different_steps_are_different() -> None:
    assert StepColumn(0, 1) != StepColumn(1, 0)
    graph, _ = bind(parse_strategy(strategy_text(BASIC + TAIL)), SmallCatalog())
    assert {source.node for source in graph.nodes["up"].sources() if isinstance(source, NodeColumn)} == {"fast", "slow"}
