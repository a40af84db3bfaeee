"""Protection of positions."""

from nodes.risk.partial import PartialTarget
from nodes.risk.protective import AtrStop, AtrTarget, PercentStop, PercentTarget

COMPONENTS = (PercentStop, AtrStop, PercentTarget, AtrTarget, PartialTarget)
