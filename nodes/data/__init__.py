"""Further feeds: the instrument's own bars in a longer timeframe, and other instruments."""

from nodes.data.feed import Feed
from nodes.data.resample import Resample

COMPONENTS = (Resample, Feed)

__all__ = ["COMPONENTS", "Feed", "Resample"]
