"""The benchmark of a run, from what was loaded for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from quantcrafter.engine.api import Bars, InstrumentJob, Ledger, RunSettings
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.graph.bound import BoundBenchmark
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, to_ns, traded_bars
from quantcrafter.engine.runtime.running.rates import rate_columns
from quantcrafter.engine.stats.benchmark import Benchmark, benchmark_of


def run_benchmark(
    graph: BoundGraph, market: LoadedMarket, instruments: Sequence[InstrumentJob], ledger: Ledger
) -> Benchmark | None:
    """Return what a run is compared with at each of its steps; None without a benchmark."""
    chosen = graph.benchmark
    if chosen is None:
        return None
    if chosen.instrument is not None:
        return benchmark_of(chosen.name, instruments[chosen.instrument], ledger, instruments)
    feeds = market.feeds[0]
    bars = feeds[chosen.feed] if chosen.feed else market.benchmark
    if bars is None:
        return None
    if chosen.feed:  # it has bars from before the start of the run
        first = min(int(np.searchsorted(bars.open_ns, to_ns(graph.spec.run.start) or bars.open_ns[0])), len(bars) - 1)
        bars = bars.slice(first, len(bars))
    return benchmark_of(chosen.name, _held(chosen, bars, feeds, graph.spec.run), ledger, instruments)


def _held(chosen: BoundBenchmark, bars: Bars, feeds: Mapping[str, Bars], run: RunSettings) -> InstrumentJob:
    """Return the benchmark as an instrument that is held: with its splits and dividends, in the account's currency."""
    traded = traded_bars(bars)
    actions = traded.actions
    none = np.zeros(len(traded), np.uint8)
    job = InstrumentJob(
        symbol=chosen.name,
        bars=traded,
        tick_size=1.0,
        lot_size=1.0,
        flags=none,
        allowed=none.astype(np.bool_),
        first_bar=0,
        split=None if actions is None else actions.split,
        dividend=None if actions is None else actions.dividend,
    )
    currency = chosen.terms.value("currency")
    if currency is None or currency == run.currency or currency not in run.rates:
        return job
    at_open, at_close, _ = rate_columns(traded, feeds, run.rates[currency])
    return replace(job, currency=currency, rate_open=at_open, rate_close=at_close)
