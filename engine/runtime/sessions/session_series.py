"""The continuous series of a session: its contracts as the strategy lists them, and the bars that come."""

from __future__ import annotations

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.continuous.growing import GrowingSeries
from quantcrafter.engine.data.continuous.provider import ContinuousProvider
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.runtime.running.prepare import Loader, request_of


def growing_series(graph: BoundGraph, symbol: str, loader: Loader = load_bars) -> GrowingSeries:
    """Return a continuous series of a strategy with the bars that its contracts have by now.

    Raises:
        DataError: contracts are missing or can't be rolled, or their rolls can't be known when they are due.
        RunError: the strategy has no such series.
    """
    for instrument in graph.instruments:
        if instrument.spec.symbol == symbol and isinstance(instrument.provider, ContinuousProvider):
            return instrument.provider.growing(request_of(graph, instrument), loader, instrument.spec.on_bad_bars)
    raise RunError(Message("The strategy has no continuous series '{symbol}'.", symbol=symbol))
