"""Market orders at the next open."""

from __future__ import annotations

from quantcrafter.engine.api import ExecutionRule
from quantcrafter.nodes.execution.base import SignalExecution


class MarketOrder(SignalExecution):
    """Send a market order for each entry and exit signal; it fills at the next bar's open.

    Several signals combine: with any, one entry signal is enough; with all, every signal must give the entry at the
    same bar. An exit from any of them is an exit. Filters block entries, never exits. The risk managers' orders are
    placed when an entry fills: the nearest stop-loss and the nearest take-profit, which cancel each other.

    `on_opposite` determines what an entry signal against the open position does, if there is no exit signal on the same
    bar: ignore it, close the position, or reverse it (close it and open the other side by a second order).
    """

    name = "market"
    category = "Orders"

    def rule(self) -> ExecutionRule:
        return ExecutionRule(self.opposite(), self.combine)
