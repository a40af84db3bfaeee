"""Where a worker begins: the bars before its first step, and the terms that they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from quantcrafter.engine.api import Bars, CorporateActions, ResampleNode, Subscription
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import BoundGraph, make_plan
from quantcrafter.engine.graph.data_terms import point_of
from quantcrafter.engine.graph.terms import Terms
from quantcrafter.engine.live.inputs import KnownTerms, written_terms
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, Loader, load_market, traded_bars
from quantcrafter.engine.runtime.running.run import never, silent
from quantcrafter.engine.runtime.sessions.session_data import sources_of
from quantcrafter.engine.spec import InstrumentSpec

ALL_BARS = 2**31
LEAST_HISTORY = 1_500
"""How many bars before the first step a feed is asked for at least."""


@dataclass(frozen=True, slots=True)
class StoredMarket:
    """The stored bars of a strategy, as a backtest loads them.

    `graph` is the strategy with the instruments that have bars, `bars` all bars by name, `begin_ns` the close of the
    last step before the backtest's first one (None if there is none), and `terms` what the bars show.
    """

    graph: BoundGraph
    bars: Mapping[str, Bars]
    begin_ns: int | None
    terms: KnownTerms


def stored_market(graph: BoundGraph, loader: Loader = load_bars) -> StoredMarket:
    """Load the stored bars of a strategy.

    Raises:
        DataError: bars are unavailable or rejected.
    """
    market = load_market(graph, silent, never, loader)
    graph = market.graph
    shown = zip(graph.instruments, market.terms, market.bars, strict=True)
    terms = {each.spec.symbol: written_terms(_with_point(each.spec, own, bars)) for each, own, bars in shown}
    return StoredMarket(graph, _by_name(graph, market), _begin_of(market), terms)


def _with_point(spec: InstrumentSpec, terms: Terms, bars: Bars) -> Terms:
    """Return terms with the point in which spreads count, as all bars show it."""
    if spec.spread is None or spec.spread.unit != "points":
        return terms
    return replace(terms, point=point_of(terms, traded_bars(bars)).value)


def _by_name(graph: BoundGraph, market: LoadedMarket) -> dict[str, Bars]:
    """Return all bars of each instrument and feed, as a session names them."""
    found: dict[str, Bars] = {each.spec.symbol: bars for each, bars in zip(graph.instruments, market.bars, strict=True)}
    for source in sources_of(graph):
        feed = source.name.partition("@")[0]
        for instrument, feeds in zip(graph.instruments, market.feeds, strict=True):
            if source.name in found or feed not in feeds:
                continue
            if source.timeframe in (graph.feeds[feed].component.timeframe, instrument.spec.timeframe):
                found[source.name] = feeds[feed]
    return found


def _begin_of(market: LoadedMarket) -> int | None:
    first_ns = min(int(bars.close_ns[first]) for bars, first in zip(market.bars, market.first, strict=True))
    before = [
        int(bars.close_ns[count - 1])
        for bars in market.bars
        if (count := int(np.searchsorted(bars.close_ns, first_ns))) > 0
    ]
    return max(before, default=None)


def subscriptions_of(graph: BoundGraph, stored: Mapping[str, Bars] | None) -> tuple[Subscription, ...]:
    """Return what a strategy wants bars of; `stored` are the bars that its file names, if they are loaded."""
    sessions = {each.spec.symbol: each.terms.session for each in graph.instruments}
    sessions |= {name: each.terms.session for name, each in graph.feeds.items()}
    found = []
    for source in sources_of(graph):
        bars = None if stored is None else stored[source.name]
        session = sessions[source.name.partition("@")[0]] if bars is None else bars.session
        given = {} if session is None else {"session": session}
        loads = None if stored is None else partial(stored.__getitem__, source.name)
        found.append(Subscription(source.name, source.symbol, source.timeframe, **given, stored=loads))
    return tuple(found)


def history_count(graph: BoundGraph) -> int:
    """Return how many bars before the first step a strategy is given; all that there are where it isn't known."""
    counts = [LEAST_HISTORY]
    for clock, bars in make_plan(graph).window.items():
        if bars is None:
            return ALL_BARS
        counts.append(2 * bars * _bars_in(graph, clock))
    return max(counts)


def _bars_in(graph: BoundGraph, clock: str) -> int:
    """Return how many bars of an instrument may make one of a clock, rounded up."""
    node = graph.nodes.get(clock)
    if node is None or not isinstance(node.component, ResampleNode):
        return 1
    own = min(each.spec.timeframe.nominal_ns for each in graph.instruments)
    return -(-node.component.timeframe.nominal_ns // own)


def ready_for_actions(graph: BoundGraph, known: Mapping[str, Bars]) -> dict[str, Bars]:
    """Return bars with a column of splits and dividends for each instrument that may have some later."""
    may = {each.spec.symbol for each in graph.instruments if each.spec.kind == "spot" and each.spec.continuous is None}
    return {name: _with_actions(bars) if name in may else bars for name, bars in known.items()}


def _with_actions(bars: Bars) -> Bars:
    if bars.actions is not None or bars.traded is not None:
        return bars
    return replace(bars, actions=CorporateActions(np.ones(len(bars)), np.zeros(len(bars))))
