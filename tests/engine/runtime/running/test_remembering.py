"""What event-style components remember: `ctx.state` of each node, instrument and run; nothing in the component."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from pydantic import PrivateAttr

from quantcrafter.engine.api import (
    ENTER_LONG,
    Advisor,
    Component,
    ComponentError,
    Indicator,
    Protection,
    RiskManager,
    SeriesInput,
    StrategyContext,
    param,
    port,
)
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.runtime.replay import Replay
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.run import run
from tests.support.ledger_checks import assert_same_bits
from tests.support.remembering import STRATEGY, documented, registry_with

SHORT = """\
quantcrafter: 1
name: Short
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1d, bars: 60, seed: 3}
  - {symbol: TWO, data: synthetic, timeframe: 1d, bars: 50, seed: 4}
NODES
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [in], money: sizeRISK}}
"""
INDICATOR = """\
indicators: {mine: {use: mine.node}}
logic: {up: {use: compare, left: mine, op: ">", right: 3}}
advisors: {in: {use: rule, enter_long: [up]}}"""
RISK = """\
logic: {up: {use: compare, left: bars.close, op: ">", right: 0}}
advisors: {in: {use: rule, enter_long: [up]}}
risk: {mine: {use: mine.node}}"""


def run_with(*classes: type[Component], nodes: str = INDICATOR, registry: Registry | None = None) -> Any:
    risk = ", risk: [mine]" if "risk:" in nodes else ""
    text = SHORT.replace("NODES", nodes).replace("RISK", risk)
    installed = registry or registry_with(*classes)
    return run(load_text(text, installed), registry=installed)


def column(result: Any, node: str, instrument: int) -> list[float]:
    trace = result.trace
    values: list[float] = trace.evaluations[instrument].values[trace.plan.step_of[node]][0].tolist()
    return values


def signal_flags(result: Any, node: str, instrument: int) -> list[int]:
    trace = result.trace
    values: list[int] = trace.evaluations[instrument].values[trace.plan.step_of[node]][0].flags.tolist()
    return values


# ---------------------------------------------------------------------- what is documented


def test_the_documented_components_trade_and_remember() -> None:
    result = run(load_text(STRATEGY, documented()), registry=documented())

    held = np.array(column(result, "held", 0))
    begins = np.flatnonzero(held[1:] & ~held[:-1]) + 1
    signals = [bar for bar, each in enumerate(signal_flags(result, "third", 0)) if each & ENTER_LONG]
    assert signals == begins[2 - int(held[0]) :: 3].tolist()
    assert len(result.ledger.trades) > 5
    assert {int(fill["lots"]) for fill in result.ledger.fills} >= {1, 10}
    assert column(result, "line", 0) != column(result, "line", 1)


def test_a_second_run_begins_without_what_the_first_remembered() -> None:
    graph = load_text(STRATEGY, documented())

    assert_same_bits(run(graph, registry=documented()).ledger, run(graph, registry=documented()).ledger)


def test_a_replay_that_goes_back_puts_back_what_was_remembered() -> None:
    spec = load_text(STRATEGY, documented()).spec
    whole = run(spec, registry=documented()).ledger
    replay = Replay(spec, registry=documented(), snapshot_steps=7)
    for index in (300, 40, 41, 250, 249, 0, 399, 133, len(replay)):
        replay.jump(index)
    assert_same_bits(replay.ledger(), whole)


def test_a_fork_goes_on_with_what_was_remembered() -> None:
    spec = load_text(STRATEGY, documented()).spec
    replay = Replay(spec, registry=documented(), snapshot_steps=50)
    replay.jump(203)
    fork = replay.fork()
    fork.jump(len(fork))
    assert_same_bits(fork.ledger(), run(spec, registry=documented()).ledger)


def test_components_that_remember_do_not_look_ahead() -> None:
    assert find_lookahead(load_text(STRATEGY, documented()), registry=documented(), cuts=6) == []


# ---------------------------------------------------------------------- each node, instrument and run its own


class Counter(Indicator):
    """Count the bars."""

    name = "mine.node"

    def on_bar(self, ctx: StrategyContext) -> float:
        ctx.state["bars"] = ctx.state.get("bars", 0) + 1
        return float(ctx.state["bars"])


def test_each_instrument_and_each_run_has_a_state_of_its_own() -> None:
    registry = registry_with(Counter)
    for _ in range(2):
        result = run_with(registry=registry)
        assert column(result, "mine", 0) == [float(bar + 1) for bar in range(60)]
        assert column(result, "mine", 1) == [float(bar + 1) for bar in range(50)]


def test_a_risk_manager_remembers_for_each_instrument() -> None:
    seen: dict[str, list[int]] = {"ONE": [], "TWO": []}

    class Guard(RiskManager):
        """Count."""

        name = "mine.node"

        def on_bar(self, ctx: StrategyContext) -> Protection | None:
            ctx.state["asked"] = ctx.state.get("asked", 0) + 1
            seen[ctx.market.symbol].append(ctx.state["asked"])
            return None

    run_with(Guard, nodes=RISK)
    assert seen == {"ONE": list(range(1, 61)), "TWO": list(range(1, 51))}


# ---------------------------------------------------------------------- what a state may hold

REFUSED = {
    "a number of numpy": (np.float64(1.5), "value.item()"),
    "an array": (np.zeros(2), "values.tolist()"),
    "a tuple": ((1, 2), "list(values)"),
    "a set": ({1}, "list(values)"),
    "a deque": (deque([1]), "list(values)"),
    "an object": (object(), "Store its parts"),
    "a huge number": (2**63, "64 bits"),
    "a number as key": ({"a": {1: 2}}, "Use str(1)"),
    "bytes in a list": ([1, [b"x"]], "[1][0]"),
    "too much": ([[0] * 200 for _ in range(60)], "10,000 values"),
    "a long text": ("x" * 100_001, "100,000 characters"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("decides", [False, True])
def test_a_state_that_cannot_be_saved_is_refused_with_its_place(name: str, decides: bool) -> None:  # noqa: FBT001
    value, told = REFUSED[name]

    class Bad(RiskManager if decides else Indicator):  # type: ignore[misc]
        """Remember the wrong thing."""

        name = "mine.node"

        def on_bar(self, ctx: StrategyContext) -> Any:
            if ctx.index == 5:
                ctx.state["value"] = value

    with pytest.raises(ComponentError, match="bar 5 of ONE") as raised:
        run_with(Bad, nodes=RISK if decides else INDICATOR)
    assert "ctx.state['value']" in str(raised.value)
    assert told in str(raised.value)
    assert raised.value.node == "mine"


def test_a_list_that_is_in_the_state_twice_is_refused_since_it_would_come_back_as_two() -> None:
    class Twice(Indicator):
        """Remember one list twice."""

        name = "mine.node"

        def on_bar(self, ctx: StrategyContext) -> float:
            ctx.state["a"] = ctx.state["b"] = [1.0]
            return 0.0

    with pytest.raises(ComponentError, match=r"ctx.state\['b'\] is the same list.*Store a copy"):
        run_with(Twice)


def test_a_state_that_is_replaced_by_something_else_is_refused() -> None:
    class Replaced(Indicator):
        """Remember a list."""

        name = "mine.node"

        def on_bar(self, ctx: StrategyContext) -> float:
            ctx.state = [1]  # type: ignore[assignment]
            return 0.0

    with pytest.raises(ComponentError, match=r"ctx\.state must be a dict, was list"):
        run_with(Replaced)


# ---------------------------------------------------------------------- attributes


class Private(Indicator):
    """Count in a private attribute."""

    name = "mine.node"
    _bars: int = PrivateAttr(default=0)

    def on_bar(self, ctx: StrategyContext) -> float:  # noqa: ARG002 - it counts calls
        self._bars += 1
        return float(self._bars)


class Field(Indicator):
    """Count in a parameter."""

    name = "mine.node"
    bars: int = param("Bars.", default=0)

    def on_bar(self, ctx: StrategyContext) -> float:  # noqa: ARG002 - it counts calls
        self.bars += 1  # type: ignore[misc]  # what a user may write, and must be told of
        return float(self.bars)


class Unknown(Indicator):
    """Count in an attribute that it does not declare."""

    name = "mine.node"

    def on_bar(self, ctx: StrategyContext) -> float:
        self.bars = ctx.index
        return 0.0


class Computing(Indicator):
    """Keep something while computing."""

    name = "mine.node"
    _seen: int = PrivateAttr(default=0)
    input: SeriesInput = port("A line.", default="bars.close")

    def compute(self, input: Any) -> Any:  # noqa: A002 - the port's name
        self._seen = len(input)
        return input


class InPlace(Indicator):
    """Count in a list that it holds."""

    name = "mine.node"
    _bars: list[int] = PrivateAttr(default_factory=list)

    def on_bar(self, ctx: StrategyContext) -> float:
        self._bars.append(ctx.index)
        return float(len(self._bars))


class Around(Indicator):
    """Count past the rules."""

    name = "mine.node"

    def on_bar(self, ctx: StrategyContext) -> float:
        object.__setattr__(self, "bars", ctx.index)
        return 0.0


class Deleting(Indicator):
    """Delete an attribute."""

    name = "mine.node"
    _bars: int = PrivateAttr(default=0)

    def on_bar(self, ctx: StrategyContext) -> float:  # noqa: ARG002 - it deletes
        del self._bars
        return 0.0


@pytest.mark.parametrize("cls", [Private, Field, Unknown, Computing, InPlace, Around, Deleting])
def test_a_component_that_writes_to_itself_stops_the_run_and_is_told_of_ctx_state(cls: type[Component]) -> None:
    with pytest.raises(ComponentError, match=r"Node 'mine'.*can't be set.*ctx\.state") as raised:
        run_with(cls)
    assert raised.value.node == "mine"


def test_a_risk_manager_that_writes_to_itself_stops_the_run() -> None:
    class Writing(RiskManager):
        """Count in a private attribute."""

        name = "mine.node"
        _asked: int = PrivateAttr(default=0)

        def on_bar(self, ctx: StrategyContext) -> None:  # noqa: ARG002 - it counts calls
            self._asked += 1

    class Listing(RiskManager):
        """Count in a list that it holds."""

        name = "mine.node"
        _asked: list[int] = PrivateAttr(default_factory=list)

        def on_bar(self, ctx: StrategyContext) -> None:
            self._asked.append(ctx.index)

    for cls in (Writing, Listing):
        with pytest.raises(ComponentError, match=r"'_asked' can't be set.*ctx\.state"):
            run_with(cls, nodes=RISK)


def test_what_follows_from_the_parameters_is_made_before_the_run_or_cached() -> None:
    class Prepared(Advisor):
        """Hold a table of its own."""

        name = "mine.node"
        size: int = param("Size.", default=3)
        _made: list[int] = PrivateAttr(default_factory=list)

        def model_post_init(self, context: Any) -> None:
            super().model_post_init(context)
            self._made = list(range(self.size))

        @cached_property
        def table(self) -> list[int]:
            return [each * 2 for each in range(self.size)]

        def on_bar(self, ctx: StrategyContext) -> int:
            return ENTER_LONG if ctx.index % (len(self._made) + len(self.table)) == 0 else 0

    result = run_with(Prepared, nodes="advisors: {in: {use: mine.node}}")
    assert len(result.ledger.fills) == 2
