"""What a sweep offers to vary, the values it suggests, and what taking them over writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.dialogs.sweep_form import ValueRange, Variable, suggested, taking_over, variable, variables
from quantcrafter.app.document.document import Document
from quantcrafter.engine.runtime.research.sweep import Axis
from tests.support.kept_runs import EXAMPLES, registry

ADX = """\
quantcrafter: 1
instruments: [{symbol: AAPL, data: sample}]
indicators: {adx: {use: ta.ADX, bars: bars}}
logic: {strong: {use: compare, left: adx, op: ">", right: 20}}
advisors: {go: {use: rule, enter_long: [strong]}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [go], money: size}}
"""


def example(name: str) -> Document:
    return Document.open(EXAMPLES / f"{name}.yaml", registry())


def test_every_number_of_a_node_can_be_varied_and_nothing_else() -> None:
    found = {each.title: each for each in variables(example("rsi_pullback"))}
    assert list(found)[:2] == ["rsi.timeperiod", "average.timeperiod"]
    assert found["rsi.timeperiod"].path == "indicators.rsi.timeperiod"
    assert (found["rsi.timeperiod"].whole, found["rsi.timeperiod"].now) == (True, 2)
    assert {"dip.long_entry", "dip.long_exit", "stop.percent", "size.percent"} <= set(found)
    assert "dip.mode" not in found


def test_a_default_counts_as_the_present_value_and_a_number_on_a_port_can_be_varied() -> None:
    found = {each.title: each for each in variables(Document(ADX, registry()))}
    assert found["adx.timeperiod"].now == 14
    assert (found["strong.right"].path, found["strong.right"].now) == ("logic.strong.right", 20)
    assert "strong.left" not in found


def test_a_parameter_of_a_block_can_be_varied() -> None:
    found = variable(example("weekly_trend_daily_entry"), "week", "period")
    assert found is not None
    assert (found.path, found.now) == ("filters.week.period", 20)


numbers = st.floats(0.01, 1e6)


@given(now=numbers, whole=st.booleans())
def test_suggested_values_hold_the_present_one_and_keep_to_the_range(*, now: float, whole: bool) -> None:
    each = Variable("n", "p", "indicators.n.p", whole, float(round(now)) if whole else now, 1 if whole else 0.001)
    values = suggested(each).values(each)
    assert 1 <= len(values) <= 21
    assert list(values) == sorted(set(values))
    assert all(value >= each.low for value in values)
    assert not whole or all(isinstance(value, int) for value in values)


def test_a_short_period_is_tried_with_some_longer_ones() -> None:
    short = Variable("rsi", "timeperiod", "indicators.rsi.timeperiod", True, 2.0, 2)

    assert suggested(short).values(short) == (2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("span", "whole", "values"),
    [
        (ValueRange(10, 30, 10), True, (10, 20, 30)),
        (ValueRange(0.1, 0.5, 0.1), False, (0.1, 0.2, 0.3, 0.4, 0.5)),
        (ValueRange(1, 2, 0.4), True, (1, 2)),
        (ValueRange(5, 4, 1), True, ()),
        (ValueRange(1, 2, 0), False, ()),
    ],
)
def test_values_go_from_the_first_to_the_last(span: ValueRange, *, whole: bool, values: tuple[float, ...]) -> None:
    assert span.values(Variable("n", "p", "x", whole, 1.0)) == values


def test_an_axis_writes_what_the_file_would_have() -> None:
    assert Axis("indicators.rsi.timeperiod", (2,)).override(2) == "indicators.rsi.timeperiod=2"
    assert Axis("data.weekly.timeframe", ("1w",)).override("1w") == 'data.weekly.timeframe="1w"'


def test_taking_over_is_one_step_that_undo_takes_back() -> None:
    document = example("rsi_pullback")
    before = document.text
    chosen = [variable(document, *each) for each in (("rsi", "timeperiod"), ("dip", "long_entry"))]
    document.do(*taking_over(tuple(each for each in chosen if each), (5, 25.0)), label="Apply")
    assert "timeperiod: 5}" in document.text
    assert "long_entry: 25" in document.text
    document.undo()
    assert document.text == before
