"""Plugins' nodes behind the position: with a step form, without one, and with one that is wrong."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from quantcrafter.engine.api import (
    BarsInput,
    Component,
    ComponentError,
    Filter,
    FloatColumn,
    Known,
    Logic,
    Output,
    PortType,
    PositionNode,
    SeriesInput,
    SpecError,
    StepForm,
    StepOutputs,
    param,
    port,
)
from quantcrafter.engine.api.ports import BoolColumn
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.run import run
from tests.support.remembering import plugin_of, registry_with

STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: ONE, data: synthetic, timeframe: 1d, bars: 120, seed: 3}]
logic:
  pos: {use: position}
  mine: {use: mine.node, input: pos.bars}
  flat: {use: compare, left: pos.side, op: "==", right: 0}
advisors: {in: {use: rule, enter_long: [flat], exit_long: [mine]}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [in], money: size}}
"""


class Node(Logic):
    """Hold from some number on, on bars that close above their open."""

    name = "mine.node"
    input: SeriesInput = port("The series.")
    bars: BarsInput = port("The bars.", default="bars")
    least: float = param("From which number on.", default=3.0)

    def compute(self, input: FloatColumn, bars: Any) -> BoolColumn:  # noqa: A002 - the port's name
        rising: BoolColumn = bars.close > bars.open
        return (input >= self.least) & rising

    def steps(self, form: StepForm) -> StepOutputs:
        rising = form.bars("bars", "close") > form.bars("bars", "open")
        return (form.input("input") >= self.least) & rising


def refused(cls: type[Component], text: str = STRATEGY) -> SpecError:
    installed = registry_with(cls)
    with pytest.raises(SpecError) as caught:
        load_text(text, installed)
    return caught.value


def test_a_plugins_node_with_a_step_form_reads_the_position() -> None:
    installed = registry_with(Node)
    result = run(load_text(STRATEGY, installed), registry=installed)
    held, bars = result.column("pos", "bars"), result.instruments[0].bars
    assert np.array_equal(result.column("mine"), (held >= 3) & (bars.close > bars.open))
    assert held.max() > 3
    assert len(result.ledger.trades) > 10


def test_a_plugins_node_without_a_step_form_is_refused_by_name() -> None:
    class Plain(Node):
        """Without a step form."""

        steps = Logic.steps  # type: ignore[pydantic-field]  # the base class has no step form

    error = refused(Plain)
    assert [each.code for each in error.problems] == ["behind_position"]
    assert "'input' of 'mine' reads 'pos', which depends on the position. 'mine.node' has no step form" in str(error)


def test_a_node_that_has_a_step_form_only_as_it_is_set_is_refused_when_it_is_not() -> None:
    class Sometimes(Node):
        """With a step form for small numbers."""

        def steps(self, form: StepForm) -> StepOutputs:
            return super().steps(form) if self.least <= 3 else None

    assert run(load_text(STRATEGY, registry_with(Sometimes)), registry=registry_with(Sometimes)).ledger is not None
    error = refused(Sometimes, STRATEGY.replace("input: pos.bars", "input: pos.bars, least: 4"))
    assert [each.code for each in error.problems] == ["behind_position"]


def test_an_event_style_node_is_refused() -> None:
    class Event(Logic):
        """Decides bar by bar in Python."""

        name = "mine.node"
        input: SeriesInput = port("The series.")

        def on_bar(self, ctx: Any) -> bool:
            return bool(ctx.indicators.input[-1] > 3)

    assert [each.code for each in refused(Event).problems] == ["behind_position"]


def test_a_filter_that_reads_the_position_passes_entries() -> None:
    class Early(Filter):
        """Let pass while little was entered."""

        name = "mine.filter"
        input: SeriesInput = port("The series.")

        def compute(self, input: FloatColumn) -> BoolColumn:  # noqa: A002 - the port's name
            return input <= 2

        def steps(self, form: StepForm) -> StepOutputs:
            return form.input("input") <= 2.0

    installed = registry_with(Node, Early)
    text = STRATEGY.replace("signals: [in]", "signals: [in], filters: [few]")
    text += "filters: {few: {use: mine.filter, input: pos.entries_today}}\n"
    assert len(run(load_text(text, installed), registry=installed).ledger.trades) > 10
    none = text.replace("pos.entries_today", "pos.last_trade_percent")  # NaN before the first trade
    assert len(run(load_text(none, installed), registry=installed).ledger.trades) == 0


WRONG: dict[str, tuple[Any, str]] = {
    "raises": (lambda _self, _form: 1 / 0, "failed in steps: .*division by zero"),
    "a number": (lambda _self, _form: 3.0, r"must return 1 StepValue\(s\), one for each output, from steps"),
    "two values": (lambda _self, form: (form.input("input"), form.input("input")), "must return 1 StepValue"),
    "another port": (lambda _self, form: form.input("other"), "failed in steps: .*other"),
    "bars of none": (lambda _self, form: form.bars("input", "close"), "failed in steps"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_step_form_that_is_wrong_is_told_by_its_node(what: str) -> None:
    steps, words = WRONG[what]
    wrong = type("Wrong", (Node,), {"steps": steps, "__doc__": "Wrong."})
    installed = registry_with(wrong)
    with pytest.raises(ComponentError, match=f"(?s)'mine'.*{words}") as caught:
        load_text(STRATEGY, installed)
    assert caught.value.node == "mine"


def test_a_plugin_may_read_the_position_in_its_own_way() -> None:
    class Size(PositionNode):
        """The value of the position."""

        name = "mine.value"
        outputs: ClassVar[tuple[Output, ...]] = (Output("value", PortType.SERIES, "Quantity x price."),)

        def steps(self, form: StepForm) -> StepOutputs:
            return form.known(Known.QUANTITY) * form.known(Known.ENTRY_PRICE)

    installed = registry_with(Node, Size)
    text = STRATEGY.replace("  pos: {use: position}", "  pos: {use: position}\n  worth: {use: mine.value}")
    result = run(load_text(text, installed), registry=installed)
    expected = result.column("pos", "quantity") * result.column("pos", "entry_price")
    assert np.array_equal(result.column("worth"), expected, equal_nan=True)


def test_a_node_that_reads_the_position_and_has_no_steps_is_no_component() -> None:
    class Empty(PositionNode):
        """Nothing."""

        name = "mine.empty"

    registry = load_registry(extra_plugins=[("mine", plugin_of(Empty))])
    assert "'mine.empty' (Empty) reads the position and has no steps(). Write it." in registry.plugins[-1].error


def test_an_optional_input_that_names_no_node_is_told_where_it_stands() -> None:
    text = """\
quantcrafter: 1
instruments: [{symbol: ABC, data: synthetic, bars: 100}]
logic:
  pos: {use: position}
  share: {use: formula, formula: a / b, a: pos.open_cash, b: acount.equity}
  small: {use: compare, left: share, op: "<", right: 1}
  account: {use: account}
advisors: {enter: {use: rule, enter_long: [small]}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [enter], money: size}}
"""
    with pytest.raises(SpecError) as caught:
        load_text(text, load_registry())
    assert "There is no node 'acount'. Did you mean 'account'?" in str(caught.value)
