"""Further feeds: the instrument's own bars in a longer timeframe, and other instruments."""

from quantcrafter.nodes.data.feed import OtherBars
from quantcrafter.nodes.data.resample import Resample

COMPONENTS = (Resample, OtherBars)

__all__ = ["COMPONENTS", "OtherBars", "Resample"]
