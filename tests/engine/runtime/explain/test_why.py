"""What the explanation of a bar says, held to the run's own records and to other runs."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import ENTER_LONG, EXIT_LONG, Compared, Question, Reason
from quantcrafter.engine.runtime.explain import (
    AccountBlock,
    ComparedSides,
    Crossing,
    Facts,
    Obstacle,
    Why,
    Wire,
    decision_bar,
    explain,
)
from quantcrafter.nodes.advisors.lines import Levels
from tests.support.kept_runs import example_run, registry, saved_run


@pytest.fixture
def pullback() -> Facts:
    return Facts(example_run("rsi_pullback"), registry())


def first_set(why: Why, flag: int) -> tuple[Obstacle, ...]:
    (way,) = [way for way in why.ways if way.flag == flag]
    return way.sets[0]


# ---------------------------------------------------------------------- what happened


def test_an_entry_is_explained_at_the_bar_that_decided_it(pullback: Facts) -> None:
    trades = pullback.run.ledger.trades
    for number in (0, 3, len(trades) - 1):
        bar = decision_bar(pullback, int(trades["entry_bar"][number]), number)
        why = explain(pullback, bar)

        assert bar == trades["entry_bar"][number] - 1
        assert [(order.reason, order.side) for order in why.ordered if order.reason == "entry"] == [("entry", 1)]
        assert why.ordered[-1].order == trades["entry_order"][number]
        assert not [way for way in why.ways if way.flag == ENTER_LONG]
        assert why.path.nodes == {"bars", "rsi", "average", "dip", "uptrend", "entry"}
        assert Wire("dip", "signal", "entry", "signals", 0) in why.path.wires
        assert Wire("uptrend", "filter", "entry", "filters", 0) in why.path.wires
        assert Wire("bars", "close", "uptrend", "input") in why.path.wires
        assert len(why.path.wires) == 7


def test_a_stop_is_explained_by_its_rule_at_the_bar_it_filled_in() -> None:
    facts = Facts(example_run("engulfing_candles"), registry())
    trades = facts.run.trades
    later = trades["exit_bar"] > trades["entry_bar"]
    number = int(np.flatnonzero(later & (trades["exit_reason"] == "stop_loss"))[0])
    bar = int(trades["exit_bar"][number])

    why = explain(facts, decision_bar(facts, bar, number))

    assert why.bar == bar
    (fill,) = [fill for fill in why.filled if fill.reason == "stop_loss"]
    assert (fill.node, fill.price) == ("stop", trades["exit_price"][number])
    assert {"stop", "entry"} <= why.path.nodes
    assert Wire("stop", "risk", "entry", "risk", 0) in why.path.wires


def test_an_exit_by_a_signal_lights_the_signal_and_no_filter(pullback: Facts) -> None:
    trades = pullback.run.trades
    number = int(np.flatnonzero(trades["exit_reason"] == "signal")[0])

    why = explain(pullback, decision_bar(pullback, int(trades["exit_bar"][number]), number))

    assert [order.reason for order in why.ordered] == ["signal"]
    assert why.path.nodes == {"bars", "rsi", "dip", "entry"}


def test_a_blocked_entry_names_the_filter_and_how_far_it_was_from_passing(pullback: Facts) -> None:
    rows = pullback.run.ledger.blocked
    blocked_bars = rows["bar"][rows["reason"] == 0]
    assert len(blocked_bars) == 80
    for bar in blocked_bars[:10].tolist():
        why = explain(pullback, bar)
        (obstacle,) = first_set(why, ENTER_LONG)
        test = obstacle.test
        assert [blocked.nodes for blocked in why.blocked] == [("uptrend",)]
        assert why.path.blocking == {"uptrend"}
        assert obstacle.node == "uptrend"
        assert isinstance(test, ComparedSides)
        assert test.op == ">"
        assert (
            test.left.value == pullback.bars.close[bar] <= test.right.value == pullback.column("average", "value")[bar]
        )


def test_the_warm_up_and_a_position_held_are_named(pullback: Facts) -> None:
    early = first_set(explain(pullback, 50), ENTER_LONG)
    assert [each.test for each in early if isinstance(each.test, AccountBlock)] == [AccountBlock("warmup", 199)]

    entry = int(pullback.run.ledger.trades["entry_bar"][0])
    held = explain(pullback, entry)
    assert held.position is not None
    assert (held.position.since, held.position.lots) == (entry, pullback.run.ledger.trades["lots"][0])
    assert AccountBlock("long", entry) in [each.test for each in first_set(held, ENTER_LONG)]
    (leaving,) = first_set(held, EXIT_LONG)
    assert isinstance(leaving.test, Crossing)
    assert leaving.test.right.value == 65
    assert leaving.test.left.value == pullback.column("rsi", "value")[entry]


def test_every_bar_of_the_examples_that_entered_nothing_says_why_not() -> None:
    for name in ("rsi_pullback", "weekly_trend_daily_entry", "channel_breakout", "engulfing_candles"):
        facts = Facts(example_run(name), registry())
        blocked = {(int(row["bar"]), int(row["instrument"])) for row in facts.run.ledger.blocked}
        for bar in range(1, len(facts.bars), 37):
            why = explain(facts, bar)
            entered = any(order.reason == "entry" for order in why.ordered)
            assert entered or why.ways or (bar, 0) in blocked
            assert all(way.exact and all(way.sets) for way in why.ways)


# ---------------------------------------------------------------------- the smallest set, by running it


LEAVES = 5
TRUE, FALSE = 1, 1_000_000
"""What the close is held against so that a leaf is true, or false."""


def random_strategy(seed: int) -> tuple[str, dict[str, int]]:
    """Return a strategy of random logic over conditions that are true or false as their level says, and the levels."""
    dice = np.random.default_rng(seed)
    levels = {f"leaf{number}": int(dice.choice((TRUE, FALSE))) for number in range(LEAVES)}
    lines = [f'  {name}: {{use: compare, left: bars.close, op: ">", right: {level}}}' for name, level in levels.items()]
    names = list(levels)
    for number in range(6):
        use = dice.choice(("and", "or", "not"))
        chosen = dice.permutation(names)[: dice.integers(1, 4)]
        wires = f"input: {chosen[0]}" if use == "not" else f"conditions: [{', '.join(chosen)}]"
        names.append(f"gate{number}")
        lines.append(f"  {names[-1]}: {{use: {use}, {wires}}}")
    picked = ", ".join(dice.permutation(names[-4:])[:2])
    logic = "\n".join(lines)
    return (
        f"""\
quantcrafter: 1
instruments: [{{symbol: TEST, data: synthetic, timeframe: 1d, seed: 1, bars: 12}}]
logic:
{logic}
advisors: {{go: {{use: rule, enter_long: [{picked}], combine: {dice.choice(("all", "any"))}}}}}
filters: {{gate: {{use: condition, input: {names[-1]}, group: {dice.choice(("trade", "block"))}}}}}
money: {{size: {{use: fixed_quantity, quantity: 1}}}}
execution: {{entry: {{use: market, signals: [go], filters: [gate], money: size}}}}
""",
        levels,
    )


@pytest.mark.parametrize("seed", range(8))
def test_turning_just_that_set_round_makes_the_order_and_no_smaller_one_does(seed: int, tmp_path: Path) -> None:
    text, levels = random_strategy(seed)

    def orders(*chosen: str) -> bool:
        turned = (f"logic.{name}.right={TRUE + FALSE - levels[name]}" for name in chosen)
        run = saved_run(text, tmp_path, *turned)
        return bool((run.ledger.orders["created_bar"] == 0).any())

    why = explain(Facts(saved_run(text, tmp_path), registry()), 0)
    names = list(levels)
    smallest: Any = next(
        (
            {frozenset(chosen) for chosen in combinations(names, size) if orders(*chosen)}
            for size in range(LEAVES + 1)
            if any(orders(*chosen) for chosen in combinations(names, size))
        ),
        set(),
    )
    sets = {frozenset(each.node for each in chosen) for way in why.ways for chosen in way.sets}
    assert sets == smallest - {frozenset()}
    assert bool(why.ordered) == (frozenset() in smallest)


def test_a_plugin_without_words_is_told_of_as_false() -> None:
    pullback = example_run("rsi_pullback")
    facts = Facts(pullback, registry())
    facts._components["dip"] = None
    (obstacle,) = first_set(explain(facts, 320), ENTER_LONG)
    assert (obstacle.node, type(obstacle.test).__name__) == ("dip", "Unexplained")


class _Lying(Levels):
    """Says that it enters wherever the close is positive, which is not what it computes."""

    def explain(self, question: Question) -> Reason:  # noqa: ARG002 - it does not care
        return Compared("input", ">", 0.0)


class _Broken(Levels):
    """Cannot explain itself."""

    def explain(self, question: Question) -> Reason:
        return Compared("input", ">", question.number("none"))


@pytest.mark.parametrize("cls", [_Lying, _Broken])
def test_a_component_that_is_wrong_about_itself_or_fails_costs_its_words_only(cls: type[Levels]) -> None:
    facts = Facts(example_run("rsi_pullback"), registry())
    facts._components["dip"] = cls.model_construct(**facts.run.nodes["dip"].parameters)
    (obstacle,) = first_set(explain(facts, 320), ENTER_LONG)
    assert (obstacle.node, type(obstacle.test).__name__) == ("dip", "Unexplained")
    trades = facts.run.ledger.trades
    why = explain(facts, int(trades["entry_bar"][3]) - 1)
    assert {"bars", "rsi", "dip", "uptrend"} <= why.path.nodes
