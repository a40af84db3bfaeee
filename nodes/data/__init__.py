"""Further feeds: the instrument's own bars in a longer timeframe, and other instruments."""

from quantcrafter.nodes.data.feed import Feed
from quantcrafter.nodes.data.resample import Resample

COMPONENTS = (Resample, Feed)

__all__ = ["COMPONENTS", "Feed", "Resample"]
