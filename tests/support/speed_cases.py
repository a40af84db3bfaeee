"""Strategies that are measured, each a moving average cross or an RSI with one rule more."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.data.cache import BarCache
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.trace import ColumnStore
from quantcrafter.engine.runtime.running.job import instrument_job
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.prepare import evaluate
from quantcrafter.engine.runtime.running.run import Prepared, StageTimer, never, prepare_run, silent
from tests.support.c_loops import cross_in_c, rsi_in_c

BARS = 1_000_000
CASH, PERCENT, QUANTITY = 1e7, 0.1, 10.0
LEVEL, STOP, TARGET = 30.0, 0.5, 1.0
PERIOD = 14
_PRICES = ctypes.POINTER(ctypes.c_double)


@dataclass(frozen=True)
class Case:
    """A strategy: `kind` is cross or rsi, `periods` those of the averages; the bars are shared out."""

    kind: str = "cross"
    periods: tuple[int, int] = (10, 30)
    risk: tuple[str, ...] = ()
    run: str = ""
    entry: str = "use: market"
    instruments: int = 1
    bars: int = BARS

    def text(self) -> str:
        """Return the strategy file."""
        each = self.bars // self.instruments
        data = f"data: synthetic, timeframe: 1m, bars: {each}, tick_size: 0.01"
        cross = [
            f"  fast: {{use: ta.SMA, input: bars.close, timeperiod: {self.periods[0]}}}",
            f"  slow: {{use: ta.SMA, input: bars.close, timeperiod: {self.periods[1]}}}",
        ]
        rsi = [f"  rsi: {{use: ta.RSI, input: bars.close, timeperiod: {PERIOD}}}"]
        advisors = {
            "cross": "  enter: {use: crossover, fast: fast, slow: slow, direction: long}",
            "rsi": f"  enter: {{use: levels, input: rsi, long_entry: {LEVEL:g}, long_exit: 1000, mode: inside, "
            "direction: long}",
        }
        names = [f"rule{k}" for k in range(len(self.risk))]
        rules = [f"  {name}: {rule}" for name, rule in zip(names, self.risk, strict=True)]
        wired = f", risk: [{', '.join(names)}]" if names else ""
        return "\n".join(
            [
                "quantcrafter: 1",
                "name: speed",
                "instruments:",
                *(f"  - {{symbol: S{k}, {data}, seed: {k}}}" for k in range(self.instruments)),
                "indicators:",
                *(cross if self.kind == "cross" else rsi),
                *(["  atr: {use: ta.ATR, bars: bars, timeperiod: 14}"] if "atr: atr" in "".join(self.risk) else []),
                "advisors:",
                advisors[self.kind],
                *(["risk:", *rules] if rules else []),
                f"money: {{size: {{use: fixed_quantity, quantity: {QUANTITY:g}}}}}",
                f"execution: {{entry: {{{self.entry}, signals: [enter], money: size{wired}}}}}",
                f"run: {{cash: {CASH:.0f}, commission: {{percent: {PERCENT}}}{self.run}}}",
            ]
        )

    def prepared(self, cache: BarCache) -> Prepared:
        """Return the run up to its simulation."""
        graph = load_text(self.text(), load_registry())
        return prepare_run(graph, graph.spec.run, clock=StageTimer(), loader=cache)


_BARRIERS = (f"{{use: percent_stop, percent: {STOP}}}", f"{{use: percent_target, percent: {TARGET}}}")
RULES: dict[str, Case] = {
    "plain cross": Case(),
    "plain cross, few fills": Case(periods=(500, 1500)),
    "RSI, stop and target in the bar": Case("rsi", risk=_BARRIERS),
    "percent stop": Case(risk=("{use: percent_stop, percent: 2}",)),
    "trailing stop": Case(risk=("{use: trailing_stop, percent: 2}",)),
    "ATR stop and target": Case(
        risk=("{use: atr_stop, atr: atr, multiple: 20}", "{use: atr_target, atr: atr, multiple: 40}")
    ),
    "drawdown halt": Case(risk=("{use: max_drawdown, percent: 90}",)),
    "borrow fees": Case(run=", borrow_percent: 1"),
    "slippage by range": Case(run=", slippage: {range_percent: 1}"),
    "limit entries": Case(entry="use: limit, offset_ticks: 1"),
    "5 instruments": Case(instruments=5),
    "50 instruments": Case(instruments=50),
}


def columns(prepared: Prepared) -> None:
    """Compute the columns of a run, and what the simulation takes of them."""
    plan = prepared.plan
    for i, each in enumerate(evaluate(plan, prepared.market, silent, never, ColumnStore())):
        instrument_job(prepared.graph, i, plan, each, terms=prepared.market.terms[i])


def in_c(case: Case, bars: Bars, folder: Path) -> Callable[[], int]:
    """Return the loop in C of a case's plain strategy over some bars; it returns the number of fills."""
    n = len(bars)
    prices = {name: np.ascontiguousarray(bars.column(name)) for name in ("open", "high", "low", "close")}
    places = {name: column.ctypes.data_as(_PRICES) for name, column in prices.items()}

    def run() -> int:
        assert prices
        equity = np.empty(n).ctypes.data_as(_PRICES)
        if case.kind == "cross":
            return cross(places["open"], places["close"], n, *case.periods, CASH, PERCENT, QUANTITY, equity)
        return rsi(*places.values(), n, PERIOD, LEVEL, STOP, TARGET, CASH, PERCENT, QUANTITY, equity)

    cross, rsi = cross_in_c(folder), rsi_in_c(folder)
    return run


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU time of some work in milliseconds, and its result."""
    begun = time.process_time()
    result = work()
    return 1e3 * (time.process_time() - begun), result
