"""The bars of a loaded market, brought one moment at a time as they close."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.api import Bar, Bars
from engine.graph import BoundGraph
from engine.graph.history import bar_of
from engine.runtime.prepare import Market
from engine.runtime.session_data import sources_of


def bars_by_name(graph: BoundGraph, market: Market) -> dict[str, Bars]:
    """Return all bars of each instrument and feed, as a session names them."""
    found: dict[str, Bars] = {each.spec.symbol: bars for each, bars in zip(graph.instruments, market.bars, strict=True)}
    for source in sources_of(graph):
        for instrument, feeds in zip(graph.instruments, market.feeds, strict=True):
            feed = source.name.partition("@")[0]
            if (
                source.name not in found
                and feed in feeds
                and source.timeframe
                in (
                    graph.feeds[feed].component.timeframe,
                    instrument.spec.timeframe,
                )
            ):
                found[source.name] = feeds[feed]
    return found


def until(graph: BoundGraph, market: Market, steps: int) -> dict[str, Bars]:
    """Return what had closed after so many steps; a step is a moment at which instruments' bars close."""
    named = bars_by_name(graph, market)
    end = _ends(market)[steps - 1] if steps else -1
    return {name: bars.slice(0, int(np.searchsorted(bars.close_ns, end, side="right"))) for name, bars in named.items()}


def moments(graph: BoundGraph, market: Market, begin: int = 0) -> Iterator[dict[str, Bar]]:
    """Yield what a session is brought from step `begin` on: bars by name, those of feeds each by itself before."""
    named = bars_by_name(graph, market)
    done = {name: len(bars) for name, bars in until(graph, market, begin).items()}
    symbols = {each.spec.symbol for each in graph.instruments}
    for end in _ends(market)[begin:]:
        together: dict[str, Bar] = {}
        for name, bars in named.items():
            while done[name] < len(bars) and bars.close_ns[done[name]] <= end:
                bar = bar_of(bars, done[name])
                done[name] += 1
                if name in symbols or (bar.close_ns == end and name not in together):
                    together[name] = bar
                else:
                    yield {name: bar}
        yield together


def _ends(market: Market) -> list[int]:
    return sorted({int(close) for bars in market.bars for close in bars.close_ns})
