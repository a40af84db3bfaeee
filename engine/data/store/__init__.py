"""The bar store: a user's own bars, kept by symbol and timeframe for fast memory-mapped loading."""

from quantcrafter.engine.data.store.columns import Overlap
from quantcrafter.engine.data.store.gaps import Gap, gaps_of
from quantcrafter.engine.data.store.index import Series
from quantcrafter.engine.data.store.store import BarStore, Put

__all__ = ["BarStore", "Gap", "Overlap", "Put", "Series", "gaps_of"]
