"""What each rule costs on a million bars, beside the plain cross and a loop in C, in one run."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.data.cache import BarCache
from engine.plugins import load_registry
from engine.runtime.prepare import evaluate, instrument_job
from engine.runtime.run import Clock, Prepared, never, prepare_run, silent
from engine.runtime.source import load_text
from engine.runtime.trace import ColumnStore
from engine.simulation.driver import simulate
from engine.simulation.kernels import compiled
from tests.benchmarks.test_simulation_speed import CASH, PERCENT, QUANTITY, compile_loop

BARS = 1_000_000
TURNS = 4

CASES: dict[str, dict[str, Any]] = {
    "plain cross": {},
    "plain cross, few fills": {"periods": (500, 1500)},
    "percent stop": {"risk": "{use: percent_stop, percent: 2}"},
    "trailing stop": {"risk": "{use: trailing_stop, percent: 2}"},
    "ATR stop": {"risk": "{use: atr_stop, atr: atr, multiple: 2}", "atr": True},
    "drawdown halt": {"risk": "{use: max_drawdown, percent: 90}"},
    "borrow fees": {"run": ", borrow_percent: 1"},
    "slippage by range": {"run": ", slippage: {range_percent: 1}"},
    "limit entries": {"entry": "use: limit, offset_ticks: 1"},
    "5 instruments": {"instruments": 5},
}


def strategy(
    periods: tuple[int, int] = (10, 30),
    risk: str = "",
    run: str = "",
    entry: str = "use: market",
    instruments: int = 1,
    *,
    atr: bool = False,
) -> str:
    """Return a moving average cross with one rule more; the bars are shared out among the instruments."""
    bars = BARS // instruments
    data = f"data: synthetic, timeframe: 1m, bars: {bars}"
    lines = [f"  - {{symbol: S{k}, {data}, seed: {k}}}" for k in range(instruments)]
    wired = ", risk: [rule]" if risk else ""
    return "\n".join(
        [
            "quantcrafter: 1",
            "name: speed",
            "instruments:",
            *lines,
            "indicators:",
            f"  fast: {{use: ta.SMA, input: bars.close, timeperiod: {periods[0]}}}",
            f"  slow: {{use: ta.SMA, input: bars.close, timeperiod: {periods[1]}}}",
            *(["  atr: {use: ta.ATR, bars: bars, timeperiod: 14}"] if atr else []),
            "advisors:",
            "  cross: {use: crossover, fast: fast, slow: slow, direction: long}",
            *(["risk:", f"  rule: {risk}"] if risk else []),
            f"money: {{size: {{use: fixed_quantity, quantity: {QUANTITY}}}}}",
            f"execution: {{entry: {{{entry}, signals: [cross], money: size{wired}}}}}",
            f"run: {{cash: {CASH:.0f}, commission: {{percent: {PERCENT}}}{run}}}",
        ]
    )


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    result = work()
    return 1e3 * (time.process_time() - begun), result


def columns(prepared: Prepared) -> None:
    plan = prepared.plan
    assert plan.decision is not None
    for i, each in enumerate(evaluate(plan, prepared.market, silent, never, ColumnStore())):
        instrument_job(prepared.graph, i, plan.decision, each)


@pytest.mark.benchmark_report
@pytest.mark.timeout(1_800)
def test_what_each_rule_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loop, pointer = compile_loop(tmp_path), ctypes.POINTER(ctypes.c_double)
    registry, cache = load_registry(), BarCache(1 << 32)
    rows = []
    for name, settings in CASES.items():
        graph = load_text(strategy(**settings), registry)
        prepared = prepare_run(graph, graph.spec.run, clock=Clock(), loader=cache)
        bars = prepared.job.instruments[0].bars
        prices = tuple(np.ascontiguousarray(column).ctypes.data_as(pointer) for column in (bars.open, bars.close))
        periods = settings.get("periods", (10, 30))

        def in_c(prices: Any = prices, n: int = len(bars), periods: Any = periods) -> int:
            return loop(*prices, n, *periods, CASH, PERCENT, QUANTITY, np.empty(n).ctypes.data_as(pointer))

        best = [np.inf, np.inf, np.inf]
        for _ in range(TURNS):
            c_ms, _fills = spent(in_c)
            column_ms, _ = spent(lambda prepared=prepared: columns(prepared))
            loop_ms, ledger = spent(lambda prepared=prepared: simulate(prepared.job, kernel=compiled()))
            best = [min(pair) for pair in zip(best, (c_ms * BARS / len(bars), column_ms, loop_ms), strict=True)]
        rows.append((name, len(ledger.fills), *best))
    head = "| rule | fills | C ms | columns ms | simulation ms | x C |\n|---|---:|---:|---:|---:|---:|"
    body = [
        f"| {name} | {fills:,} | {c_ms:.1f} | {column_ms:.1f} | {loop_ms:.1f} | {(column_ms + loop_ms) / c_ms:.1f} |"
        for name, fills, c_ms, column_ms, loop_ms in rows
    ]
    with capsys.disabled():
        print("\n".join([f"\n{BARS:,} bars", head, *body]))  # noqa: T201 - the report is what this is for
