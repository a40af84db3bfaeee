"""From signals to orders."""

from quantcrafter.nodes.execution.grid import Grid
from quantcrafter.nodes.execution.market import MarketOrder
from quantcrafter.nodes.execution.pair import PairOrders
from quantcrafter.nodes.execution.rebalance import Rebalance
from quantcrafter.nodes.execution.scale_in import ScaleIn
from quantcrafter.nodes.execution.waiting import Limit, StopEntry, StopLimit

COMPONENTS = (MarketOrder, Limit, StopEntry, StopLimit, ScaleIn, Grid, Rebalance, PairOrders)
