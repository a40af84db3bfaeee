"""Runs of strategies whose nodes see all instruments: late and ended data, sessions, sweeps, cuts, plugins."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter import testing
from quantcrafter.engine.api import Component, SeesUniverse, SpecError
from quantcrafter.engine.graph import StepColumn, bind, make_plan
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.explain import Facts
from quantcrafter.engine.runtime.explain.decision import Stage
from quantcrafter.engine.runtime.explain.logic import is_true, leaves
from quantcrafter.engine.runtime.explain.run_facts import Ref
from quantcrafter.engine.runtime.explain.tree import Tree
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.memo import ColumnMemo
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.spec import check_strategy
from tests.support.bar_by_bar import joined, run_on, until
from tests.support.ledger_checks import assert_same_bits
from tests.support.remembering import registry_with

DOCS = Path(__file__).parents[4] / "docs" / "plugins.md"
TOP = """\
quantcrafter: 1
name: Top
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1d, bars: 400, seed: 1, values: {kind: a}}
  - {symbol: TWO, data: synthetic, timeframe: 1d, bars: 400, seed: 2, values: {kind: b}}
  - {symbol: LATE, data: synthetic, timeframe: 1d, bars: 250, seed: 3, start_date: 2010-04-01, values: {kind: a}}
  - {symbol: ENDS, data: synthetic, timeframe: 1d, bars: 120, seed: 4, values: {kind: b}}
indicators:
  momentum: {use: ta.ROC, input: bars.close, timeperiod: 20}
logic:
  best: {use: top_n, input: momentum, n: 2}
  worst: {use: not, input: best}
advisors:
  go: {use: rule, enter_long: [best], exit_long: [worst]}
money: {size: {use: percent_of_equity, percent: 30}}
execution: {entry: {use: market, signals: [go], money: size}}
run: {end_of_data: close_last}
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def test_late_and_ended_data_hold_up_nobody_and_the_ended_one_is_closed(registry: Registry) -> None:
    graph = load_text(TOP, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    late, ended = int(market.bars[2].close_ns[0]), int(market.bars[3].close_ns[-1])
    assert market.bars[0].close_ns[60] < late
    assert ended < int(market.bars[0].close_ns[-1])
    result = run(graph, registry=registry)
    fills, times = result.ledger.fills, filled_at(market, result.ledger)
    assert ((fills["instrument"] < 2) & (times < late)).any()
    assert (fills["instrument"] == 2).any()
    assert times[fills["instrument"] == 3].max() == ended
    assert all(each.instrument != 3 for each in result.ledger.open_positions)
    _check_by_hand(market, result)


def filled_at(market: Any, ledger: Any) -> Any:
    """Return when the bar of each fill closed."""
    return np.array([market.bars[each["instrument"]].close_ns[each["bar"]] for each in ledger.fills])


def _check_by_hand(market: Any, result: Any) -> None:
    """Hold the column of `best` against ranks by hand at every bar of each instrument."""
    plan = result.trace.plan
    source = plan.step_of["best"]
    momentum = []
    for bars in market.bars:
        value = np.full(len(bars), np.nan)
        value[20:] = (bars.close[20:] / bars.close[:-20] - 1) * 100
        momentum.append(dict(zip(bars.close_ns.tolist(), value.tolist(), strict=True)))
    for number, evaluation in enumerate(result.trace.evaluations):
        (column,) = evaluation.values[source]
        for bar, now in enumerate(evaluation.bars.close_ns.tolist()):
            values = [(each.get(now, np.nan), place) for place, each in enumerate(momentum)]
            known = [(-value, place) for value, place in values if not np.isnan(value)]
            first = [place for _, place in sorted(known)[:2]]
            assert column[bar] == (number in first)


def test_a_session_keeps_the_books_of_the_run_and_goes_on_from_a_saved_state(registry: Registry) -> None:
    graph = load_text(TOP, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    whole = run(graph, registry=registry).ledger
    parts, state = [], None
    for begin, end in ((0, 130), (130, 260), (260, None)):
        session = StrategySession.open(graph, until(graph, market, begin), state)
        run_on(session, graph, market, end)
        state = session.state()
        parts.append(session.ledger() if end is None else session.drain())
    assert_same_bits(joined(parts), replace(whole, steps=None))


def test_a_memo_gives_the_columns_again_and_none_of_another_universe(registry: Registry) -> None:
    memo = ColumnMemo()
    first = run(load_text(TOP, registry), registry=registry, columns=memo.evaluate)
    computed = memo.computed
    again = run(load_text(TOP, registry), registry=registry, columns=memo.evaluate)
    assert memo.computed == computed
    assert_same_bits(first.ledger, again.ledger)
    other = TOP.replace("seed: 2", "seed: 9")
    assert_same_bits(
        run(load_text(other, registry), registry=registry, columns=memo.evaluate).ledger,
        run(load_text(other, registry), registry=registry).ledger,
    )


def test_a_cut_of_all_instruments_finds_a_node_that_reads_later_moments(registry: Registry) -> None:
    assert find_lookahead(load_text(TOP, registry), registry=registry) == []
    ahead = registry_with(_ahead())
    text = TOP.replace("{use: top_n, input: momentum, n: 2}", "{use: mine.ahead, input: momentum}")
    found = find_lookahead(load_text(text, ahead), registry=ahead)
    assert (found[0].node, found[0].origin) == ("best", True)


def _ahead() -> type[Component]:
    from quantcrafter.engine.api import Logic, SeriesInput, Universe, port

    class LooksAhead(SeesUniverse, Logic):
        """Hold while the value is above that of the next moment."""

        name = "mine.ahead"
        input: SeriesInput = port("The value.")

        def across(self, universe: Universe, **inputs: Any) -> Any:  # noqa: ARG002 - as it is called
            later = np.roll(inputs["input"], -1, axis=0)
            return np.nan_to_num(inputs["input"]) > np.nan_to_num(later)

    return LooksAhead


def test_a_node_says_which_rank_an_instrument_has(registry: Registry) -> None:
    for text in (TOP, TOP.replace("n: 2}", "n: 1, within: kind, max_age_days: 3}")):
        result = run(load_text(text, registry), registry=registry)
        seen = set()
        for number, job in enumerate(result.instruments):
            facts = Facts(result, registry, number)
            for bar in range(len(job.bars)):
                root = Tree(facts, bar).of(Ref("best", "value"))
                (leaf,) = leaves(root)
                assert is_true(root) == facts.truth(Ref("best", "value"), bar)
                assert getattr(leaf.about.test, "wanted", "").startswith("at most"), bar
                seen.add(str(getattr(leaf.about.test, "now", "")))
        assert {"no value", "rank 1 of 2", "rank 2 of 2"} <= seen


LATE_FEED = """\
quantcrafter: 1
name: Late feed
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1d, bars: 300, seed: 1}
  - {symbol: TWO, data: synthetic, timeframe: 1d, bars: 300, seed: 2}
data:
  other: {use: feed, symbol: OTHER, data: synthetic, timeframe: 1d, bars: 100, seed: 3, start_date: 2010-07-01}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 3}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 9}
  theirs: {use: ta.SMA, input: other.close, timeperiod: 4}
logic:
  under: {use: compare, left: bars.close, op: "<", right: theirs}
  over: {use: compare, left: bars.close, op: ">=", right: theirs}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
  apart: {use: rule, enter_long: [under, over], exit_long: [over], combine: any}
money: {size: {use: percent_of_equity, percent: 30}}
execution:
  alone: {use: market, signals: [cross], money: size}
  with_feed: {use: market, signals: [apart], money: size}
"""


def test_a_late_feed_delays_only_the_execution_that_reads_it(registry: Registry) -> None:
    graph = load_text(LATE_FEED, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    known = int(market.feeds[0]["other"].close_ns[3])
    result = run(graph, registry=registry)
    times, executions = filled_at(market, result.ledger), result.ledger.fills["execution"]
    assert (times <= known).any()
    assert (executions[times <= known] == 0).all()
    assert (executions == 1).any()
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market)
    assert_same_bits(session.ledger(), replace(result.ledger, steps=None))
    for number in (0, 1):
        facts = Facts(result, registry, number)
        first = [facts.first_bar(each) for each in result.decisions]
        assert first[0] == 9
        assert result.instruments[number].bars.close_ns[first[1]] == known
        stage = Stage(facts, result.decisions[1], first[1] - 1)
        assert "warmup" in [getattr(leaf.about.test, "kind", "") for leaf in leaves(stage.whole_entry(1))]


def test_the_documented_node_of_a_plugin_passes_all_checks_and_runs_bar_by_bar() -> None:
    text = DOCS.read_text(encoding="utf-8").partition("### Seeing the universe")[2]
    code = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {"__name__": "universe_docs"}
    exec(compile(code[1], str(DOCS), "exec", dont_inherit=True), names)  # noqa: S102 - our own documentation
    share = testing.wired(names["Share"])
    testing.check_component(share)
    registry = registry_with(names["Share"])
    strategy = TOP.replace("{use: top_n, input: momentum, n: 2}", "{use: compare, left: share, op: '>', right: 0.3}")
    strategy = strategy.replace("logic:\n", "logic:\n  share: {use: mine.share, input: bars.close}\n")
    graph = load_text(strategy, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    result = run(graph, registry=registry)
    assert len(result.trades) > 3
    assert result.trace is not None
    source = StepColumn(make_plan(graph).step_of["share"], 0)
    shares = [each.column(source) for each in result.trace.evaluations]
    now = int(market.bars[2].close_ns[100])
    rows = [np.searchsorted(bars.close_ns, now) for bars in market.bars[:3]]
    closes = [bars.close[row] for bars, row in zip(market.bars, rows, strict=False)]
    for place, row in enumerate(rows):
        assert shares[place][row] == pytest.approx(closes[place] / sum(closes))
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market)
    assert_same_bits(session.ledger(), replace(result.ledger, steps=None))
    assert find_lookahead(graph, registry=registry) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("n: 2}", "n: 2, within: sort}", "'sort', which is not said of 'ONE', 'TWO', 'LATE'"),
        ("{kind: b}}\nind", "{other: b}}\nind", "'kind', which is not said of 'ENDS'"),
    ],
)
def test_what_is_compared_within_is_said_of_every_instrument(old: str, new: str, said: str, registry: Registry) -> None:
    text = TOP.replace(old, new)
    if "within" not in new:
        text = text.replace("n: 2}", "n: 2, within: kind}")
    with pytest.raises(SpecError, match=said):
        load_text(text, registry)


@pytest.mark.parametrize(
    ("cap", "said"),
    [
        ("within: sort", "'sort', which is not said of 'ONE', 'TWO', 'LATE'"),
        ("within: kind, group: c", "'group' of 'cap' is 'c', which is the 'kind' of no instrument. There are 'a', 'b'"),
        ("group: a", "a 'group' needs 'within'"),
    ],
)
def test_a_cap_counts_a_group_that_there_is(cap: str, said: str, registry: Registry) -> None:
    text = TOP.replace("money: {", f"risk: {{cap: {{use: max_open_trades, trades: 1, {cap}}}}}\nmoney: {{")
    with pytest.raises(SpecError, match=said):
        load_text(text.replace("money: size}", "risk: [cap], money: size}"), registry)


def test_a_cap_of_a_group_holds_at_every_fill(registry: Registry) -> None:
    text = TOP.replace("n: 2}", "n: 4}").replace("seed: 4", "seed: 7")
    text = text.replace("money: {", "risk: {cap: {use: max_open_trades, trades: 1, within: kind}}\nmoney: {", 1)
    result = run(load_text(text.replace("money: size}", "risk: [cap], money: size}"), registry), registry=registry)
    groups = [job.values["kind"] for job in result.instruments]
    held = dict.fromkeys(range(4), 0)
    for fill in result.ledger.fills:
        held[int(fill["instrument"])] += int(fill["side"]) * int(fill["lots"])
        assert all(sum(lots > 0 and groups[n] == kind for n, lots in held.items()) <= 1 for kind in "ab")
    assert {groups[int(each)] for each in result.ledger.fills["instrument"]} == {"a", "b"}
    assert len(result.ledger.interventions) > 0


def test_a_single_instrument_is_warned_of(registry: Registry) -> None:
    lines = [line for line in TOP.splitlines() if not any(name in line for name in ("TWO", "LATE", "ENDS"))]
    spec, _ = check_strategy("\n".join(lines))
    assert spec is not None
    _, problems = bind(spec, registry)
    assert [(each.code, each.severity, each.node) for each in problems] == [("one_instrument", "warning", "best")]


def test_a_node_that_sees_the_universe_cannot_be_behind_the_position(registry: Registry) -> None:
    text = TOP.replace("logic:\n", "logic:\n  pos: {use: position}\n").replace(
        "input: momentum, n", "input: pos.bars, n"
    )
    with pytest.raises(SpecError, match="'input' of 'best' reads 'pos', which depends on the position"):
        load_text(text, registry)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{kind: true}", "must be text or a number, was true"),
        ("{kind: [a]}", "must be text or a number"),
        ("{'1x': a}", "can't be the name of a value"),
        ("{kind: ''}", "must have 1 to 100 characters"),
        ("{kind: .inf}", "must be a finite number"),
        ("a", "must be a mapping, was text"),
    ],
)
def test_a_value_of_an_instrument_that_is_none_is_an_error(written: str, said: str, registry: Registry) -> None:
    with pytest.raises(SpecError, match=said):
        load_text(TOP.replace("{kind: a}", written, 1), registry)
