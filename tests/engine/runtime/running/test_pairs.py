"""Pairs in a strategy file: on every engine, bar by bar, from a saved run, in explanations, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.app.services.event_texts import filled_text, ordered_text
from quantcrafter.engine.adapters.vnpy.client import end_shared_process
from quantcrafter.engine.api import BAR_STANDARD, Capability, SpecError
from quantcrafter.engine.api.ledger import Reason
from quantcrafter.engine.graph import make_plan
from quantcrafter.engine.runtime.explain import Facts, explain, take_census
from quantcrafter.engine.runtime.parity.run import run_parity
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.running.engines import find_engine, needs_of
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.session_recorder import SessionRecorder
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.bar_by_bar import run_on, step_count, until
from tests.support.kept_runs import registry, saved_run
from tests.support.run_views import assert_same_views

STRATEGY = """\
quantcrafter: 1
name: Pair
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1h, bars: 700, seed: 3, tick_size: 0.01}
  - {symbol: TWO, data: synthetic, timeframe: 1h, bars: 600, seed: 4, tick_size: 0.01, lot_size: 10}
data:
  other: {use: feed, symbol: TWO, data: synthetic, timeframe: 1h, bars: 600, seed: 4}
indicators:
  hedge: {use: hedge_ratio, first: bars.close, second: other.close, bars: 40, intercept: false}
logic:
  spread: {use: spread, first: bars.close, second: other.close, ratio: hedge.ratio}
  z: {use: zscore, input: spread, bars: 30}
  cheap: {use: compare, left: z, op: "<", right: -1}
  dear: {use: compare, left: z, op: ">", right: 1}
  pos: {use: position}
  gained: {use: compare, left: pos.open_percent, op: ">", right: 0.5}
advisors:
  signal:
    {use: rule, enter_long: [cheap], exit_long: [dear, gained], enter_short: [dear], exit_short: [cheap, gained],
     combine_exits: any}
money: {size: {use: fixed_quantity, quantity: 300}}
execution:
  pair: {use: pair, signals: [signal], ratio: hedge.ratio, money: size, stop_percent: 1}
run: {cash: 1000000, commission: {percent: 0.01}}
"""


@pytest.fixture(autouse=True, scope="module")
def _one_vnpy() -> Iterator[None]:
    yield
    end_shared_process()


@pytest.fixture(scope="module")
def result() -> Any:
    return run(load_text(STRATEGY, registry()), registry=registry())


def test_both_legs_fill_at_the_same_time_by_the_ratio_of_the_decision(result: Any) -> None:
    fills = result.ledger.fills[result.ledger.fills["reason"] != Reason.OTHER_LEG]
    assert len(fills) > 40
    # The data of the second leg end first, with a pair that is still open.
    alone = result.ledger.fills[result.ledger.fills["reason"] == Reason.OTHER_LEG]
    assert [(fill["instrument"], fill["bar"]) for fill in alone] == [(0, 600)]
    one, two = fills[fills["instrument"] == 0], fills[fills["instrument"] == 1]
    bars = [job.bars for job in result.instruments]
    np.testing.assert_array_equal(bars[0].open_ns[one["bar"]], bars[1].open_ns[two["bar"]])
    np.testing.assert_array_equal(one["side"], -two["side"])
    assert {Reason.ENTRY, Reason.SIGNAL, Reason.STOP_LOSS} <= set(one["reason"].tolist())
    entries = one["reason"] == Reason.ENTRY
    ratio = result.trace.column("hedge", "ratio", 0)[one["bar"][entries] - 1]
    wanted = np.floor(ratio * 300.0 / 10.0 + 0.5)
    np.testing.assert_array_equal(two["lots"][entries], wanted)


def test_conditions_on_the_position_see_the_profit_of_both_legs(result: Any) -> None:
    seen = result.trace.column("pos", "open_percent", 0)
    one, two = (job.bars for job in result.instruments)
    trades = result.ledger.trades
    for first in trades[(trades["instrument"] == 0) & (trades["exit_reason"] != Reason.OTHER_LEG)]:
        second = trades[(trades["entry_order"] == first["entry_order"] + 1) & (trades["instrument"] == 1)][0]
        at = int(first["exit_bar"]) - 1
        other = int(np.searchsorted(two.close_ns, one.close_ns[at], side="right")) - 1
        values = [300.0 * first["entry_price"], second["lots"] * 10.0 * second["entry_price"]]
        moves = [one.close[at] / first["entry_price"] - 1.0, two.close[other] / second["entry_price"] - 1.0]
        profit = first["side"] * (values[0] * moves[0] - values[1] * moves[1]) - 0.0001 * sum(values)
        assert seen[at] == pytest.approx(100.0 * profit / sum(values))


def test_the_same_node_closes_on_the_open_profit_of_both(result: Any) -> None:
    gained, z = result.trace.column("gained", "", 0), result.trace.column("z", "", 0)
    closed = result.ledger.orders[
        (result.ledger.orders["reason"] == Reason.SIGNAL) & (result.ledger.orders["instrument"] == 0)
    ]
    by_profit = [row for row in closed if gained[row["created_bar"]] and abs(z[row["created_bar"]]) < 1.0]
    assert len(by_profit) >= 2


def test_all_engines_make_the_same_trades() -> None:
    report = run_parity(load_text(STRATEGY, registry()), registry=registry())
    assert [each.name for each in report.outcomes] == ["native", "backtrader", "vnpy"]
    assert not [each.differences for each in report.outcomes if each.differences]


def test_an_engine_without_pairs_is_refused_by_the_name_of_the_capability() -> None:
    assert Capability.PAIRS not in BAR_STANDARD
    graph = load_text(STRATEGY, registry())
    needs = needs_of(make_plan(graph).decisions, ["spot", "spot"], graph.spec.run)
    assert ("pairs of instruments", "pair") in [(str(need.capability), need.node) for need in needs]
    with pytest.raises(SpecError, match="doesn't do pairs of instruments, which node 'pair' needs"):
        find_engine("through", _Through(), mode="backtest", needs=needs)


class _Through:
    """A registry with one engine, which does what the bar standard requires and no more."""

    def engine(self, name: str) -> Any:
        native = registry().engine("native")
        assert native is not None
        return (
            type("Through", (native,), {"name": "through", "capabilities": BAR_STANDARD}) if name == "through" else None
        )

    def engine_names(self) -> tuple[str, ...]:
        return ("through",)


def test_a_session_recorded_bar_by_bar_is_the_run(result: Any, tmp_path: Path) -> None:
    graph = load_text(STRATEGY, registry())
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    with SessionRecorder(session, tmp_path / "run") as recorder:
        for end in (50, 300, step_count(market)):
            run_on(session, graph, market, end)
            recorder.record(finished=end == step_count(market))
    found = RunFolder.open(tmp_path / "run")
    assert_same_views(found, replace(result, findings=(), notes=(), timing={}))
    assert found.decisions[0].legs == (0, 1)


def test_a_saved_run_reads_as_the_one_in_memory(result: Any, tmp_path: Path) -> None:
    saved = saved_run(STRATEGY, tmp_path)
    assert_same_views(saved, replace(result, origin=saved.origin, timing=saved.timing))


# ---------------------------------------------------------------------- explanations


def test_both_legs_are_explained_by_the_signals_of_the_first(result: Any) -> None:
    facts = [Facts(result, registry(), leg) for leg in (0, 1)]
    orders = result.ledger.orders
    for second in orders[(orders["instrument"] == 1) & (orders["reason"] == Reason.ENTRY)]:
        first = orders[second["parent"]]
        whys = [explain(facts[0], int(first["created_bar"])), explain(facts[1], int(second["created_bar"]))]
        for why in whys:
            entry = next(order for order in why.ordered if order.reason == "entry")
            assert {"pair", "signal", "z", "cheap" if first["side"] > 0 else "dear"} <= why.path.nodes
            assert ordered_text(entry)
        entry = next(order for order in whys[1].ordered if order.reason == "entry")
        ratio = result.trace.column("hedge", "ratio", 0)[first["created_bar"]]
        assert entry.hedge == pytest.approx(ratio * 300.0)
        assert abs(entry.quantity - entry.hedge) <= 5.0
        assert "the hedge ratio asks for" in ordered_text(entry)
        assert math.isnan(next(order for order in whys[0].ordered if order.reason == "entry").hedge)


def test_the_pair_s_own_stop_is_named_where_it_closed_both(result: Any) -> None:
    fills = result.ledger.fills
    stopped = fills[fills["reason"] == Reason.STOP_LOSS]
    for fill in stopped[:6]:
        facts = Facts(result, registry(), int(fill["instrument"]))
        why = explain(facts, int(fill["bar"]))
        found = next(each for each in why.filled if each.reason == "stop_loss")
        assert found.node == "pair"
        assert "the stop-loss of 'pair'" in filled_text(found, facts)
        decided = explain(facts, int(fill["bar"]) - 1)
        assert "the pair's own stop" in " ".join(ordered_text(order) for order in decided.ordered)


def test_no_reason_is_given_for_the_second_leg_alone(result: Any) -> None:
    facts = Facts(result, registry(), 1)
    assert all(not explain(facts, bar).ways for bar in range(100, 140))
    assert take_census(result, registry()).nodes["signal"].idle is None


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stop_percent: 1", "second: THREE", "'second' of 'pair' must be an instrument of the strategy, was 'THREE'"),
        ("stop_percent: 1", "first: TWO", "Both legs of 'pair' are TWO"),
        ("stop_percent: 1", "risk: [stop]", "'stop' would close one leg of 'pair' alone"),
        ("use: fixed_quantity, quantity: 300", "use: risk_percent, percent: 1", "which a leg of 'pair' doesn't have"),
    ],
)
def test_what_makes_no_pair_is_refused(old: str, new: str, message: str) -> None:
    text = STRATEGY.replace(old, new)
    if "stop]" in new:
        text = text.replace("money: {size", "risk: {stop: {use: percent_stop, percent: 2}}\nmoney: {size")
    with pytest.raises(SpecError) as caught:
        load_text(text, registry())
    assert message in str(caught.value)


def test_a_pair_needs_a_second_instrument() -> None:
    lines = [
        line
        for line in STRATEGY.splitlines()
        if "symbol: TWO, data: synthetic, timeframe: 1h, bars: 600, seed: 4, tick" not in line
    ]
    with pytest.raises(SpecError, match="'pair' trades two instruments, and the strategy has 1"):
        load_text("\n".join(lines), registry())


def test_the_ratio_counts_units_as_traded_where_columns_are_computed_on_adjusted_prices() -> None:
    def entries(adjust: str, ratio: str) -> Any:
        text = SAMPLE.format(adjust=adjust, ratio=ratio)
        ledger = run(load_text(text, registry()), registry=registry()).ledger
        return ledger.orders[ledger.orders["reason"] == Reason.ENTRY]

    # By value, the quantity is the same whatever the columns are computed on, but for the price of the decision.
    by_value, by_units = entries("actions", "ratio: 1, ratio_of: value"), entries("actions", "ratio: even")
    assert len(by_units) >= 4
    np.testing.assert_array_equal(by_value["created_bar"], by_units["created_bar"])
    assert np.abs(by_value["lots"] - by_units["lots"]).max() <= 1


SAMPLE = """\
quantcrafter: 1
name: Adjusted
instruments:
  - {{symbol: AAPL, data: sample, adjust: {adjust}, lot_size: 1}}
  - {{symbol: IBM, data: sample, adjust: {adjust}, lot_size: 1}}
data:
  ibm: {{use: feed, symbol: IBM, data: sample, adjust: {adjust}}}
indicators:
  average: {{use: ta.SMA, input: bars.close, timeperiod: 200}}
logic:
  even: {{use: arithmetic, left: bars.close, op: "/", right: ibm.close}}
advisors:
  cross: {{use: crossover, fast: bars.close, slow: average, direction: both}}
money: {{size: {{use: fixed_cash, cash: 30000}}}}
execution:
  pair: {{use: pair, signals: [cross], {ratio}, money: size}}
run: {{cash: 1000000, end: 2006-01-01}}
"""
