"""Protection of positions."""

from nodes.risk.protective import AtrStop, AtrTarget, PercentStop, PercentTarget

COMPONENTS = (PercentStop, AtrStop, PercentTarget, AtrTarget)
