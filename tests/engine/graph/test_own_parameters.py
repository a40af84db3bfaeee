"""Parameters per instrument, and conditions on the symbol: the same as a strategy for each instrument alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantcrafter.app.document.document import Document
from quantcrafter.app.inspector.subjects import node_form
from quantcrafter.engine.api import SpecError
from quantcrafter.engine.graph import make_plan
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.explain import Facts
from quantcrafter.engine.runtime.explain.logic import is_true, leaves
from quantcrafter.engine.runtime.explain.run_facts import Ref
from quantcrafter.engine.runtime.explain.tree import Tree
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.memo import ColumnMemo
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.spec.identity import strategy_hash
from tests.support.bar_by_bar import run_on, until
from tests.support.kept_runs import saved_run
from tests.support.ledger_checks import assert_same_bits

STRATEGY = """\
quantcrafter: 1
name: Own
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1d, bars: 300, seed: 1, values: {fast: 4, kind: a}}
  - {symbol: TWO, data: synthetic, timeframe: 1d, bars: 300, seed: 2, values: {fast: 9, kind: b}}
  - {symbol: SIX, data: synthetic, timeframe: 1d, bars: 300, seed: 6, values: {kind: b}}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 6, per_instrument: OWN}
  same: {use: ta.SMA, input: bars.close, timeperiod: 6}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 20}
logic:
  level: {use: constant, value: 1, per_instrument: {TWO: {value: 1.01}}}
  higher: {use: arithmetic, left: slow, op: "*", right: level}
  up: {use: compare, left: fast, op: ">", right: higher}
  down: {use: compare, left: fast, op: "<", right: slow}
  meant: {use: instrument_is, symbols: [ONE], value: kind, values: [b]}
  go: {use: and, conditions: [up, meant]}
advisors:
  both: {use: rule, enter_long: [go], exit_long: [down]}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [both], money: size}}
"""
BY_SYMBOL = "{ONE: {timeperiod: 4}, TWO: {timeperiod: 9}}"
BY_VALUE = "{timeperiod: fast}"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def mean(values: Any, count: int) -> Any:
    found = np.full(len(values), np.nan)
    found[count - 1 :] = np.convolve(values, np.ones(count) / count, "valid")
    return found


@pytest.mark.parametrize("own", [BY_SYMBOL, BY_VALUE, "{timeperiod: fast, ONE: {timeperiod: 4}}"])
def test_each_instrument_has_its_own_parameters_everywhere(own: str, registry: Registry) -> None:
    graph = load_text(STRATEGY.replace("OWN", own), registry)
    result = run(graph, registry=registry)
    plan = make_plan(graph)
    assert plan.step_of["fast"] != plan.step_of["same"]
    assert result.trace is not None
    for number, (job, period) in enumerate(zip(result.instruments, (4, 9, 6), strict=True)):
        fast = mean(job.bars.close, period)
        assert result.trace.column("fast", "value", number) == pytest.approx(fast, nan_ok=True)
        higher = mean(job.bars.close, 20) * (1.01 if job.symbol == "TWO" else 1.0)
        assert (result.trace.column("go", "value", number) == (fast > higher)).all()
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market)
    assert_same_bits(session.ledger(), replace(result.ledger, steps=None))
    assert find_lookahead(graph, registry=registry) == []
    memo = ColumnMemo()
    for _ in range(2):
        assert_same_bits(run(graph, registry=registry, columns=memo.evaluate).ledger, result.ledger)


def test_both_ways_to_write_it_trade_alike_and_are_told_apart_from_a_strategy_without(registry: Registry) -> None:
    graphs = [load_text(STRATEGY.replace("OWN", own), registry) for own in (BY_SYMBOL, BY_VALUE)]
    assert_same_bits(*(run(graph, registry=registry).ledger for graph in graphs))
    without = load_text(STRATEGY.replace(", per_instrument: OWN", ""), registry)
    assert len({strategy_hash(graph.spec) for graph in (*graphs, without)}) == 3


def test_what_is_explained_has_the_parameters_of_the_instrument(registry: Registry, tmp_path: Any) -> None:
    text = STRATEGY.replace("OWN", BY_VALUE).replace(
        "  go:", "  turns: {use: rolling_count, condition: up, bars: 3, per_instrument: {TWO: {bars: 7}}}\n  go:"
    )
    for result in (run(load_text(text, registry), registry=registry), saved_run(text, tmp_path)):
        assert result.nodes["turns"].per_instrument["TWO"]["bars"] == 7
        for number, symbol in enumerate(("ONE", "TWO", "SIX")):
            facts = Facts(result, registry, number)
            component: Any = facts.component("turns")
            assert component.bars == (7 if symbol == "TWO" else 3)
            for bar in (50, 120):
                root = Tree(facts, bar).of(Ref("meant", "value"))
                (leaf,) = leaves(root)
                assert is_true(root)
                assert symbol in str(getattr(leaf.about.test, "now", ""))


def test_the_condition_on_the_instrument_holds_for_those_that_are_named(registry: Registry) -> None:
    for written, expected in (
        ("symbols: [ONE, SIX]", (True, False, True)),
        ("value: kind, values: [b]", (False, True, True)),
        ("value: fast, values: ['9']", (False, True, False)),
    ):
        text = STRATEGY.replace("OWN", BY_VALUE).replace("symbols: [ONE], value: kind, values: [b]", written)
        result = run(load_text(text, registry), registry=registry)
        assert result.trace is not None
        for number, held in enumerate(expected):
            assert (result.trace.column("meant", "value", number) == held).all()


def test_a_symbol_or_value_that_no_instrument_has_is_warned_of(registry: Registry) -> None:
    text = STRATEGY.replace("OWN", BY_VALUE).replace("symbols: [ONE], value: kind", "symbols: [ONEE], value: kin")
    warnings = load_text(text, registry).warnings
    assert [(each.code, each.node) for each in warnings] == [("unknown_symbol", "meant"), ("unknown_value", "meant")]
    assert "'ONEE', which no instrument has" in warnings[0].message
    assert "Did you mean 'kind'" in warnings[1].remedy
    assert load_text(STRATEGY.replace("OWN", BY_VALUE), registry).warnings == ()


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("{KO: {timeperiod: 4}}", "names the instrument 'KO', which there isn't. There are 'ONE'"),
        ("{ONEE: {timeperiod: 4}}", "Did you mean 'ONE'"),
        ("{ONE: {timeperid: 4}}", "has no parameter 'timeperid'. Did you mean 'timeperiod'"),
        ("{ONE: {timeperiod: 0}}", "'timeperiod' of 'ta.SMA' for ONE must be"),
        ("{ONE: {input: bars.open}}", "'input' of 'fast' is an input"),
        ("{timeperiod: quick}", "is the value 'quick', which no instrument has"),
        ("{timeperiod: kind}", "'timeperiod' of 'ta.SMA' for ONE must be"),
        ("{timeperiod: 3}", "must be a mapping or a name, was 3"),
        ("[ONE]", "'per_instrument' must be a mapping"),
    ],
)
def test_parameters_that_are_none_are_refused_with_the_instrument(own: str, said: str, registry: Registry) -> None:
    with pytest.raises(SpecError, match=said) as raised:
        load_text(STRATEGY.replace("OWN", own), registry)
    problem = raised.value.problems[0]
    assert (problem.node, problem.field, problem.line) == ("fast", "per_instrument", 8)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "quantity: 10}",
            "quantity: 10, per_instrument: {ONE: {quantity: 3}}}",
            "'fixed_quantity' is the same for all",
        ),
        (
            "money: {",
            "filters: {f: {use: condition, input: up, per_instrument: {ONE: {group: block}}}}\nmoney: {",
            "'group' of a",
        ),
        ("symbols: [ONE],", "per_instrument: {ONE: {symbols: [TWO]}},", "'instrument_is' is the same for all"),
        ("value: kind, values: [b]", "value: kind", "'value' and 'values' belong together"),
        ("symbols: [ONE], value: kind, values: [b]", "", "there is nothing to compare with"),
    ],
)
def test_what_is_the_same_for_all_has_no_parameters_per_instrument(
    old: str, new: str, said: str, registry: Registry
) -> None:
    with pytest.raises(SpecError, match=said):
        load_text(STRATEGY.replace("OWN", BY_VALUE).replace(old, new), registry)


def test_what_runs_in_the_bar_loop_is_the_same_for_all(registry: Registry) -> None:
    text = STRATEGY.replace("OWN", BY_VALUE).replace(
        "  go:", "  pos: {use: position}\n  held: {use: lag, input: pos.bars, per_instrument: {ONE: {bars: 3}}}\n  go:"
    )
    with pytest.raises(SpecError, match="'lag' has parameters per instrument, and what runs in the bar loop"):
        load_text(text, registry)


def test_the_inspector_shows_and_writes_them(registry: Registry, tmp_path: Any) -> None:
    from quantcrafter.app.inspector.typed_values import parse, show

    path = tmp_path / "strategy.yaml"
    path.write_text(STRATEGY.replace("OWN", BY_SYMBOL), encoding="utf-8")
    document = Document.open(path, registry)
    form = node_form(document, ("fast",), ())
    field = next(each for each in form.fields if each.name == "per_instrument")
    assert show(form.value(field)) == "ONE: {timeperiod: 4}, TWO: {timeperiod: 9}"
    assert parse(field, show(form.value(field))) == form.value(field)
    document.do(*form.edits(field, parse(field, "timeperiod: fast, TWO: {timeperiod: 5}")), label="Set")
    assert not document.problems
    assert document.values["indicators"]["fast"]["per_instrument"] == {"timeperiod": "fast", "TWO": {"timeperiod": 5}}
    document.do(*node_form(document, ("fast",), ()).edits(field, parse(field, "KO: {timeperiod: 5}")), label="Set")
    assert node_form(document, ("fast",), ()).finding(field) is not None
    size = node_form(document, ("size",), ())
    assert all(each.name != "per_instrument" for each in size.fields)
