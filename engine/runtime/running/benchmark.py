"""The benchmark of a run, from what was loaded for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from quantcrafter.engine.api import Bars, InstrumentJob, Ledger, RunSettings
from quantcrafter.engine.api.currencies import Conversion, conversion
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.labels import bar_label
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.graph.bound import BoundBenchmark
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, to_ns, traded_bars
from quantcrafter.engine.runtime.running.rates import rate_columns
from quantcrafter.engine.stats.benchmark import Benchmark, benchmark_of

_NEARLY_ALL = 0.9
"""For which part of the steps of a run a benchmark must have a value, or the run says so."""


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


def benchmark_findings(graph: BoundGraph, market: LoadedMarket, benchmark: Benchmark | None) -> tuple[str, ...]:
    """Return a warning where a benchmark has no value in a part of the run, or in all of it."""
    if benchmark is None or not len(benchmark.growth):
        return ()
    known = float(np.mean(np.isfinite(benchmark.growth)))
    if known >= _NEARLY_ALL:
        return ()
    chosen = graph.benchmark
    own = None if chosen is None else market.benchmark if not chosen.feed else market.feeds[0][chosen.feed]
    if chosen is not None and chosen.instrument is not None:
        own = market.bars[chosen.instrument]
    if own is None or not len(own):
        return ()
    first, last = (bar_label(int(own.open_ns[row]), own.timeframe, own.session, named=True) for row in (0, -1))
    if known == 0.0:
        text = Message(
            "The benchmark {name} has no bar within the range of the run, so nothing is compared: its data go from "
            "{first} to {last}.",
            name=benchmark.name,
            first=first,
            last=last,
        )
    else:
        text = Message(
            "The benchmark {name} is compared for {known:.0%} of the run only: its data go from {first} to {last}.",
            name=benchmark.name,
            known=known,
            first=first,
            last=last,
        )
    return (text,)


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
        roll=None if traded.rolls is None else traded.rolls.price,
    )
    currency = chosen.terms.value("currency")
    how = None if currency is None else conversion(currency, run.currency, run.rates)
    if how is None or how == Conversion(1.0):
        return job
    at_open, at_close, _ = rate_columns(traded, feeds, how)
    return replace(job, currency=currency, rate_open=at_open, rate_close=at_close)
