"""Size of entries."""

from nodes.money.sizing import FixedCash, FixedQuantity, PercentOfEquity, RiskPercent

COMPONENTS = (FixedQuantity, FixedCash, PercentOfEquity, RiskPercent)
