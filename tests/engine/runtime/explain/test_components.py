"""What a built-in node says of itself is what it computed, at every bar and for every flag."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import Component, PortType, Role
from quantcrafter.engine.runtime.explain import ComparedSides, Crossing, Facts, Ref, Unexplained
from quantcrafter.engine.runtime.explain.logic import is_true, leaves
from quantcrafter.engine.runtime.explain.tree import Tree
from quantcrafter.engine.runtime.results.run_view import RunOutput
from tests.support.builtin_nodes import HAND_WRITTEN, parameters_of
from tests.support.kept_runs import registry, saved_run

BOOLEAN = (PortType.CONDITION, PortType.FILTER, PortType.SIGNAL)
TESTED = [
    (cls, values)
    for cls in HAND_WRITTEN
    if any(output.type in BOOLEAN for output in cls.outputs)
    for values in parameters_of(cls)
]
STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: TEST, data: synthetic, timeframe: 30m, seed: 3, bars: 400}]
indicators:
  quick: {use: ta.SMA, input: bars.close, timeperiod: 2}
  middle: {use: ta.SMA, input: bars.close, timeperiod: 4}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 8}
  doji: {use: ta.CDLDOJI, bars: bars}
  spinning: {use: ta.CDLSPINNINGTOP, bars: bars}
logic:
  first: {use: compare, left: quick, op: ">", right: middle}
  second: {use: compare, left: quick, op: "<", right: slow}
  third: {use: compare, left: bars.close, op: ">", right: bars.open}
advisors:
  one: {use: crossover, fast: quick, slow: slow, direction: both}
  two: {use: levels, input: bars.close, long_entry: 99, long_exit: 101, direction: both}
  three: {use: crossover, fast: quick, slow: middle, direction: both}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [one], money: size}}
"""
SERIES = ("quick", "slow", "middle", "bars.close")
LISTS = {PortType.CONDITION: "[first, second, third]", PortType.SIGNAL: "[one, two, three]"}


def with_node(cls: type[Component], values: dict[str, Any]) -> str:
    """Return the strategy with the component in it, its ports wired and its numbers near the prices."""
    parts = [f"use: {cls.name}"]
    series, conditions = iter(SERIES), iter(("first", "second", "third"))
    for port in cls.inputs():
        if port.type is PortType.BARS:
            parts.append(f"{port.name}: bars")
        elif port.many:
            parts.append(f"{port.name}: {LISTS[port.type]}")
        elif port.type is PortType.SERIES:
            parts.append(f"{port.name}: {'spinning' if port.name == 'pattern' else next(series)}")
        else:
            parts.append(f"{port.name}: {next(conditions)}")
    parts += [f"{name}: {value!r}" if isinstance(value, str) else f"{name}: {value}" for name, value in values.items()]
    section = {Role.LOGIC: "logic", Role.ADVISOR: "advisors", Role.FILTER: "filters"}[cls.role]
    node = f"  tested: {{{', '.join(parts)}}}\n"
    text = STRATEGY if f"\n{section}:" in STRATEGY else STRATEGY.replace("\nmoney:", f"\n{section}:\nmoney:")
    return text.replace(f"\n{section}:\n", f"\n{section}:\n{node}")


@pytest.mark.parametrize(("cls", "values"), TESTED, ids=lambda value: getattr(value, "name", ""))
def test_a_node_says_of_itself_what_it_computed(cls: type[Component], values: dict[str, Any], tmp_path: Path) -> None:
    facts = Facts(saved_run(with_node(cls, values), tmp_path), registry())
    for output in facts.run.nodes["tested"].outputs:
        if output.type in BOOLEAN:
            check(facts, output, values)


def check(facts: Facts, output: RunOutput, values: dict[str, Any]) -> None:
    """Hold that every bar of an output is explained as it was computed."""
    seen = set()
    for bar in range(len(facts.bars)):
        for flag in (1, 2, 4, 8) if output.type is PortType.SIGNAL else (0,):
            ref = Ref("tested", output.name, flag)
            root = Tree(facts, bar).of(ref)
            held = facts.truth(ref, bar)
            seen.add(held)
            assert is_true(root) == held
            unsaid = [leaf for leaf in leaves(root) if isinstance(leaf.about.test, Unexplained) and not leaf.fixed]
            assert not unsaid, f"bar {bar}, flag {flag}"
    never = values.get("op") == "==" or values.get("minutes") == 5 or output.name in ("before_holiday", "after_holiday")
    if "symbols" in values:  # the same at every bar
        assert seen == {"TEST" in values["symbols"]}
        return
    assert seen == ({False} if never else {True, False})  # two averages are never quite equal, nor is there a holiday


def test_a_crossing_says_since_when_the_lines_stand_as_they_do(tmp_path: Path) -> None:
    facts = Facts(saved_run(STRATEGY, tmp_path), registry())
    signs = facts.column("quick", "value") > facts.column("slow", "value")
    for bar in range(60, 120):
        (leaf,) = leaves(Tree(facts, bar).of(Ref("one", "signal", 1)))
        test = leaf.about.test
        assert isinstance(test, Crossing)
        assert test.since is not None
        assert (signs[test.since : bar + 1] == signs[bar]).all()
        assert signs[test.since - 1] != signs[bar]
        assert test.stands_right == signs[bar]


def test_a_comparison_has_the_numbers_of_the_trace(tmp_path: Path) -> None:
    facts = Facts(saved_run(STRATEGY, tmp_path), registry())
    (leaf,) = leaves(Tree(facts, 50).of(Ref("first", "value")))
    test = leaf.about.test
    assert isinstance(test, ComparedSides)
    assert (test.left.node, test.left.value) == ("quick", facts.column("quick", "value")[50])
    assert (test.right.node, test.right.value) == ("middle", facts.column("middle", "value")[50])
    assert test.gap == pytest.approx(abs(test.left.value - test.right.value) / max(test.left.value, test.right.value))


WEEKLY = """\
quantcrafter: 1
instruments: [{symbol: AAPL, data: sample, timeframe: 1d}]
data: {weekly: {use: resample, timeframe: 1w}}
indicators:
  quick: {use: ta.SMA, input: weekly.close, timeperiod: 3}
  slow: {use: ta.SMA, input: weekly.close, timeperiod: 9}
advisors: {turn: {use: crossover, fast: quick, slow: slow, direction: both}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [turn], money: size}}
"""


def test_a_crossing_on_a_longer_timeframe_is_explained_all_week(tmp_path: Path) -> None:
    facts = Facts(saved_run(WEEKLY, tmp_path), registry())
    column = facts.column("turn", "signal")
    fired = [bar for bar in range(len(column)) if column[bar] & 1][:60]
    assert any(bar + 1 in fired for bar in fired)  # a week has several days
    for bar in [*fired, *range(400, 500)]:
        ref = Ref("turn", "signal", 1)
        (leaf,) = leaves(Tree(facts, bar).of(ref))
        assert leaf.held == facts.truth(ref, bar)
        assert isinstance(leaf.about.test, Crossing)
        assert leaf.about.test.left.value == facts.column("quick", "value")[bar]
