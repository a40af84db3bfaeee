"""Size of entries."""

from quantcrafter.nodes.money.adaptive import AntiMartingale, FixedRatio, Kelly, Martingale, VolatilityTarget
from quantcrafter.nodes.money.sizing import FixedCash, FixedLots, FixedQuantity, PercentOfEquity, RiskPercent

COMPONENTS = (
    FixedQuantity,
    FixedLots,
    FixedCash,
    PercentOfEquity,
    RiskPercent,
    VolatilityTarget,
    Kelly,
    Martingale,
    AntiMartingale,
    FixedRatio,
)
