"""The market that the bar store knows of a series, where the strategy names none."""

from __future__ import annotations

from dataclasses import replace

from quantcrafter.engine.api import DataError, DataProvider, Problem, Severity
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph.suggest import owner_problem
from quantcrafter.engine.graph.terms import Terms
from quantcrafter.engine.spec import InstrumentSpec


def market_problems(instrument: InstrumentSpec, provider: DataProvider | None, terms: Terms) -> list[Problem]:
    """Return a warning if an instrument without a market has bars of the store that are of one."""
    if instrument.data != "store" or terms.market is not None or instrument.market:
        return []
    from quantcrafter.engine.data.store.provider import StoreProvider

    if not isinstance(provider, StoreProvider):
        return []
    try:
        market = provider.known_market(instrument.symbol)
    except DataError:  # said when the bars are loaded
        return []
    if not market:
        return []
    text = Message(
        "The bar store has {symbol} as of the market '{market}', the strategy names none: tick, lot, multiplier, "
        "duties and currency are not those of the market.",
        symbol=instrument.symbol,
        market=market,
    )
    remedy = Message("Add 'market: {market}' to the instrument.", market=market)
    return [replace(owner_problem(instrument, "market_stored", text, remedy, "symbol"), severity=Severity.WARNING)]
