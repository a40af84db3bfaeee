"""Columns of a running strategy have the bits of a batch over the same bars, at every bar."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, DataError, Signals
from quantcrafter.engine.graph import BASE_CLOCK, BoundGraph, Evaluation, evaluate_together, make_plan
from quantcrafter.engine.graph.column_cache import ColumnCache
from quantcrafter.engine.graph.history import HistoryCache, bar_of
from quantcrafter.engine.graph.live import LiveColumns, columns_of
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph, load_text
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.sessions.session_data import SessionData
from quantcrafter.engine.simulation.node_program import NodeProgram
from tests.support.bar_by_bar import moments, until
from tests.support.remembering import STRATEGY, documented

EXAMPLES = sorted((Path(__file__).parents[4] / "resources" / "examples").glob("*.yaml"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def same_bits(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and not isinstance(one, Signals):
        return all(map(same_bits, one, other))
    if isinstance(one, Signals):
        return same_bits(one.flags, other.flags) and (one.strength is None or same_bits(one.strength, other.strength))
    if isinstance(one, Bars):
        return isinstance(other, Bars) and one.content_hash == other.content_hash
    left, right = np.ascontiguousarray(one), np.ascontiguousarray(other)
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def check(graph: BoundGraph, *, start: int, bars: int) -> None:
    """Compare each bar's columns with those of a batch over all of `bars`, and the last bar's with the whole batch."""
    plan = make_plan(graph)
    market = load_market(graph, lambda *_: None, lambda: False)
    data = SessionData(graph, until(graph, market, start), HistoryCache())
    book = ColumnCache()
    live = columns_of(plan, data.clocks, book, NodeProgram)
    whole_market = [Evaluation(plan, *market.cut(i, len(market.bars[i]))) for i in range(len(live))]
    batch = evaluate_together(plan, whole_market)
    sources = list(plan.sources()) + [each for part in plan.components for each in part.sources()]
    for number, brought in enumerate(moments(graph, market, start)):
        if number == bars:
            break
        data.take(brought)
        for columns, whole in zip(live, batch, strict=True):
            columns.advance()
            n = columns.clocks[BASE_CLOCK].count
            for source in sources if n else ():
                newest = columns.column(source)
                assert same_bits(newest if isinstance(newest, (Signals, Bars)) else newest[-1:], cut(whole, source, n))
                ready = whole.ready_at(source)
                assert (columns.ready_at(source) <= n - 1) == (ready <= n - 1)


def cut(whole: Evaluation, source: Any, n: int) -> Any:
    column = whole.column(source)
    if isinstance(column, Signals):
        return Signals(column.flags[:n], None if column.strength is None else column.strength[:n])
    return column.slice(0, n) if isinstance(column, Bars) else column[n - 1 : n]


LOOPS = """\
quantcrafter: 1
name: Loops
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1h, bars: 900, seed: 3}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 20}
  bands: {use: ta.BBANDS, input: bars.close, timeperiod: 20}
  strength: {use: ta.RSI, input: bars.close, timeperiod: 7}
  engulfing: {use: ta.CDLENGULFING, bars: bars}
logic:
  standing: {use: rank, input: fast, bars: 30}
  score: {use: zscore, input: fast, bars: 15}
  swing: {use: volatility, input: bars.close, bars: 12}
  up: {use: crosses_above, left: fast, right: slow}
  down: {use: crosses_below, left: fast, right: slow}
  since: {use: bars_since, condition: up}
  top: {use: highest_since, input: bars.high, condition: up}
  bottom: {use: lowest_since, input: bars.low, condition: down}
  low: {use: compare, left: score, op: "<", right: -0.5}
  calm: {use: compare, left: swing, op: "<", right: standing}
  late: {use: compare, left: since, op: ">", right: 9}
  beyond: {use: compare, left: top, op: ">", right: bottom}
advisors:
  turn: {use: crossover, fast: fast, slow: slow, direction: both}
  swinging: {use: levels, input: strength, direction: both}
  back:
    {use: band_reversal, input: bars.close, upper: bands.upperband, middle: bands.middleband, lower: bands.lowerband}
  candles: {use: candlestick, pattern: engulfing, hold: 4}
  most: {use: vote, signals: [turn, swinging, back, candles], need: 2}
  by_rule: {use: rule, enter_long: [low, calm], exit_long: [late, beyond]}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [most, by_rule, turn, swinging, back, candles], money: size}}
"""


@pytest.mark.parametrize("start", [0, 1, 333])
def test_loops_with_a_memory_have_the_bits_of_a_batch(start: int, registry: Registry) -> None:
    check(load_text(LOOPS, registry), start=start, bars=250)


def test_every_loop_with_a_memory_is_carried_out_at_the_new_bars_only(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = load_text(LOOPS, registry)
    marked = {node.component.name for node in graph.nodes.values() if node.component.loops}
    assert len(marked) == 13
    for name in ("crosses", "bars_since", "highest_since", "percent_rank", "zscore", "volatility"):
        monkeypatch.setattr(f"quantcrafter.nodes.kernels.{name}", refused)
    for place in ("lines.crosses", "rules.pattern_flags", "rules.stances"):
        monkeypatch.setattr(f"quantcrafter.nodes.advisors.{place}", refused)
    monkeypatch.setattr("quantcrafter.nodes.logic.conditions.crosses", refused)
    data = SessionData(graph, until(graph, load_market(graph, lambda *_: None, lambda: False), 300), HistoryCache())
    LiveColumns(make_plan(graph), data.clocks[0], ColumnCache(), NodeProgram)


def refused(*_: object) -> None:
    """Stand for a loop over all bars, which a running strategy must not run."""
    raise AssertionError


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("start", [0, 300])
def test_examples_have_the_columns_of_a_batch_at_every_bar(path: Path, start: int, registry: Registry) -> None:
    check(load_graph(path, registry), start=start, bars=100)


def test_nodes_that_remember_have_the_columns_of_a_batch() -> None:
    check(load_text(STRATEGY, documented()), start=0, bars=400)
    check(load_text(STRATEGY, documented()), start=150, bars=250)


CLOCKS = """\
quantcrafter: 1
name: Clocks
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1h, bars: 900, seed: 3}
  - {symbol: TWO, data: synthetic, timeframe: 30m, bars: 1200, seed: 4}
data:
  day: {use: resample, timeframe: 1d}
  four: {use: resample, timeframe: 4h}
  week: {use: resample, timeframe: 1w}
  other: {use: feed, symbol: OTHER, data: synthetic, timeframe: 2h, bars: 400, seed: 5}
indicators:
  slow: {use: ta.SMA, input: day.close, timeperiod: 5}
  wide: {use: ta.ATR, bars: four, timeperiod: 14}
  strength: {use: ta.RSI, input: other.close, timeperiod: 7}
  smooth: {use: ta.EMA, input: slow, timeperiod: 9}
  weekly: {use: ta.SMA, input: week.close, timeperiod: 2}
logic:
  over: {use: compare, left: bars.close, op: ">", right: smooth}
  strong: {use: compare, left: strength, op: ">", right: 45}
  daily: {use: compare, left: slow, op: ">", right: weekly}
  both: {use: and, conditions: [over, strong]}
  cross: {use: crosses_above, left: bars.close, right: slow}
  since: {use: bars_since, condition: cross}
  recent: {use: compare, left: since, op: "<", right: 20}
advisors:
  in: {use: rule, enter_long: [both], exit_long: [daily], combine: all}
filters:
  hours: {use: time_window, start: "02:00", end: "20:00"}
  fresh: {use: condition, input: recent}
risk:
  stop: {use: atr_stop, atr: wide, multiple: 3}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [in], filters: [hours, fresh], risk: [stop], money: size}}
"""


@pytest.mark.parametrize("start", [0, 200])
def test_columns_of_several_clocks_have_the_bits_of_a_batch(start: int, registry: Registry) -> None:
    check(load_text(CLOCKS, registry), start=start, bars=1500)


UNIVERSE = """\
quantcrafter: 1
name: Universe
instruments:
  - {symbol: ONE, data: synthetic, timeframe: 1h, bars: 400, seed: 3, values: {kind: a}}
  - {symbol: TWO, data: synthetic, timeframe: 30m, bars: 700, seed: 4, values: {kind: b}}
  - {symbol: LATE, data: synthetic, timeframe: 1h, bars: 200, seed: 5, start_date: 2010-01-10, values: {kind: a}}
  - {symbol: ENDS, data: synthetic, timeframe: 1h, bars: 90, seed: 6, values: {kind: b}}
indicators:
  strength: {use: ta.RSI, input: bars.close, timeperiod: 7}
logic:
  rank: {use: universe_rank, input: strength}
  smooth: {use: lag, input: rank, bars: 2}
  score: {use: universe_zscore, input: smooth, max_age_days: 1}
  mean: {use: universe_mean, input: strength, within: kind}
  percent: {use: universe_percentile, input: score}
  best: {use: top_n, input: strength, n: 2}
  above: {use: compare, left: mean.difference, op: ">", right: 0}
  high: {use: compare, left: percent, op: ">", right: 40}
advisors:
  in: {use: rule, enter_long: [best, above], exit_long: [high]}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [in], money: size}}
"""


@pytest.mark.parametrize("start", [0, 1, 150])
def test_nodes_that_see_the_universe_have_the_bits_of_a_batch(start: int, registry: Registry) -> None:
    graph = load_text(UNIVERSE, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    ends = [int(bars.close_ns[-1]) for bars in market.bars]
    assert ends[3] < min(ends[:3])
    assert market.bars[2].close_ns[0] > market.bars[0].close_ns[100]
    check(graph, start=start, bars=600)


def test_strategies_of_a_process_share_histories_and_columns(registry: Registry) -> None:
    graph = load_text(CLOCKS, registry)
    other = load_text(CLOCKS.replace("multiple: 3", "multiple: 2"), registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    histories, book = HistoryCache(), ColumnCache()
    both = [SessionData(each, until(each, market, 200), histories) for each in (graph, other)]
    assert both[0].clocks[0][BASE_CLOCK].history is both[1].clocks[0][BASE_CLOCK].history
    live = [LiveColumns(make_plan(graph), both[n].clocks[0], book, NodeProgram) for n in (0, 1)]
    after_one = book.computed
    for brought in list(moments(graph, market, 200))[:20]:
        both[0].take(brought)
        live[0].advance()
    computed = book.computed
    for brought in list(moments(graph, market, 200))[:20]:
        both[1].take(brought)
        live[1].advance()
    assert computed > after_one
    assert book.computed == computed
    plan = make_plan(graph)
    assert all(same_bits(live[0].column(each), live[1].column(each)) for each in plan.sources())


def test_shared_columns_keep_to_their_limit_and_are_computed_again(registry: Registry) -> None:
    graph = load_text(CLOCKS, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    data = SessionData(graph, until(graph, market, 400), HistoryCache())
    book, roomy = ColumnCache(limit=800), ColumnCache()
    live = [LiveColumns(make_plan(graph), data.clocks[0], each, NodeProgram) for each in (book, roomy)]
    assert book.bytes <= 800 < roomy.bytes
    plan = make_plan(graph)
    for brought in list(moments(graph, market, 400))[:10]:
        data.take(brought)
        for each in live:
            each.advance()
        assert all(same_bits(live[0].column(each), live[1].column(each)) for each in plan.sources())


def test_a_late_bar_and_one_of_nothing_are_refused_and_change_nothing(registry: Registry) -> None:
    graph = load_text(CLOCKS, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    known = until(graph, market, 300)
    data = SessionData(graph, known, HistoryCache())
    before = data.marks()
    late = bar_of(known["other"], len(known["other"]) - 1)
    with pytest.raises(DataError, match="closed before the latest step"):
        data.take({"other": late})
    with pytest.raises(DataError, match=r"no instrument or feed 'OEN'.*ONE"):
        data.take({"OEN": late})
    whole = next(each for each in moments(graph, market, 300) if {"ONE", "TWO"} <= set(each))
    apart = {"ONE": whole["ONE"], "TWO": replace(whole["TWO"], close_ns=whole["TWO"].close_ns + 1)}
    with pytest.raises(DataError, match="must close at the same moment"):
        data.take(apart)
    assert data.marks() == before
    with pytest.raises(DataError, match="missing for 'other'"):
        SessionData(graph, {name: bars for name, bars in known.items() if name != "other"}, HistoryCache())
