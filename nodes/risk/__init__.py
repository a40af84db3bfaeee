"""Protection of positions."""

from nodes.risk.stops import AtrStop, PercentStop
from nodes.risk.targets import AtrTarget, PercentTarget

COMPONENTS = (PercentStop, AtrStop, PercentTarget, AtrTarget)
"""The risk managers, in the order of the palette."""

__all__ = ["COMPONENTS", "AtrStop", "AtrTarget", "PercentStop", "PercentTarget"]
