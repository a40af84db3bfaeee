"""The bar store: a user's own bars, kept by symbol and timeframe for fast memory-mapped loading."""

from quantcrafter.engine.data.store.bar_columns import Overlap
from quantcrafter.engine.data.store.index import Series
from quantcrafter.engine.data.store.origin import Origin
from quantcrafter.engine.data.store.store import BarStore, Put
from quantcrafter.engine.data.store.stored_gaps import Gap, gaps_of

__all__ = ["BarStore", "Gap", "Origin", "Overlap", "Put", "Series", "gaps_of"]
