"""Sizes of entries."""

from nodes.money.sizing import FixedCash, FixedQuantity, PercentOfEquity, RiskPercent

COMPONENTS = (FixedQuantity, FixedCash, PercentOfEquity, RiskPercent)
"""The money managers, in the order of the palette."""

__all__ = ["COMPONENTS", "FixedCash", "FixedQuantity", "PercentOfEquity", "RiskPercent"]
