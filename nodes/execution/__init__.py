"""From signals to orders."""

from nodes.execution.grid import Grid
from nodes.execution.market import Market
from nodes.execution.rebalance import Rebalance
from nodes.execution.scale_in import ScaleIn
from nodes.execution.waiting import Limit, StopEntry, StopLimit

COMPONENTS = (Market, Limit, StopEntry, StopLimit, ScaleIn, Grid, Rebalance)
