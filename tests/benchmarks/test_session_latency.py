"""How long a session takes from a bar to its commands; reported, never failing by the clock."""

from __future__ import annotations

import gc
import time

import numpy as np
import pytest

from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.simulation.kernel_forms import compiled
from tests.support.bar_by_bar import until

HISTORY = 5_000
APPENDED = 2_000
WARM = 20
STRATEGY = """\
quantcrafter: 1
name: Twenty nodes
instruments: [{symbol: ONE, data: synthetic, timeframe: 1m, bars: 7000, seed: 3}]
indicators:
  fast: {use: ta.EMA, input: bars.close, timeperiod: 12}
  slow: {use: ta.EMA, input: bars.close, timeperiod: 26}
  base: {use: ta.SMA, input: bars.close, timeperiod: 200}
  strength: {use: ta.RSI, input: bars.close, timeperiod: 14}
  range: {use: ta.ATR, timeperiod: 14}
  bands: {use: ta.BBANDS, input: bars.close, timeperiod: 20}
  trend: {use: ta.ADX, timeperiod: 14}
  macd: {use: ta.MACD, input: bars.close}
logic:
  over: {use: compare, left: bars.close, op: ">", right: base}
  strong: {use: compare, left: strength, op: ">", right: 50}
  weak: {use: compare, left: strength, op: "<", right: 45}
  rising: {use: compare, left: macd.macd, op: ">", right: macd.macdsignal}
  cross: {use: crosses_above, left: fast, right: slow}
  under: {use: crosses_below, left: fast, right: slow}
  since: {use: bars_since, condition: cross}
  recent: {use: compare, left: since, op: "<=", right: 3}
  trending: {use: compare, left: trend, op: ">", right: 15}
advisors:
  in: {use: rule, enter_long: [over, strong, rising, recent], exit_long: [under, weak]}
filters:
  calm: {use: condition, input: trending}
risk:
  stop: {use: atr_stop, atr: range, multiple: 2}
  target: {use: atr_target, atr: range, multiple: 3}
money: {size: {use: percent_of_equity, percent: 50}}
execution: {entry: {use: market, signals: [in], filters: [calm], risk: [stop, target], money: size}}
"""


@pytest.mark.benchmark_report
@pytest.mark.slow
def test_report_the_time_from_a_bar_to_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    graph = load_text(STRATEGY, load_registry())
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, HISTORY), kernel=compiled())
    wall: list[int] = []
    own: list[int] = []
    commands = 0
    for number in range(HISTORY, HISTORY + WARM):  # loads the machine code
        session.append({"ONE": bar_of(market.bars[0], number)})
    gc.collect()
    gc.freeze()
    for number in range(HISTORY + WARM, HISTORY + APPENDED):
        bars = {"ONE": bar_of(market.bars[0], number)}
        started, busy = time.perf_counter_ns(), time.thread_time_ns()
        commands += len(session.append(bars))
        own.append(time.thread_time_ns() - busy)
        wall.append(time.perf_counter_ns() - started)
    gc.unfreeze()
    with capsys.disabled():
        about = f"{APPENDED:,} bars after {HISTORY:,}, 20 nodes, {commands} commands"
        print(f"\n{about}: from bar to commands")  # noqa: T201 - a report
        for name, times in (("by the clock", wall), ("CPU of the thread", own)):
            half, most, worst = (np.percentile(times, each) / 1_000 for each in (50, 99, 100))
            shown = f"half within {half:.0f} us, 99 of 100 within {most:.0f} us, all within {worst:,.0f} us"
            print(f"  {name}: {shown}")  # noqa: T201 - a report
    assert commands > 20
