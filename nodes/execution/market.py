"""Market orders at the next open or close."""

from __future__ import annotations

from typing import Literal

from quantcrafter.engine.api import EntryRule, ExecutionRule, OrderKind, param
from quantcrafter.nodes.execution.base import SignalExecution


class MarketOrder(SignalExecution):
    """Send a market order for each entry and exit signal; it fills at the next bar's open, or with `at` at its close.

    Several signals combine: with any, one entry signal is enough; with all, every signal must give the entry at the
    same bar. An exit from any of them is an exit. Filters block entries, never exits. The risk managers' orders are
    placed when an entry fills: the nearest stop-loss and the nearest take-profit, which cancel each other.

    `on_opposite` determines what an entry signal against the open position does, if there is no exit signal on the same
    bar: ignore it, close the position, or reverse it (close it and open the other side by a second order).

    With `at: close`, entries, exits by signal and reversals fill at the close of the next bar, after its stops and
    targets. With `fills: {close: auction}` under `run`, they fill at the very close of the decision: that looks ahead
    unless there is a closing auction to which orders can be sent in time. Exits by time, halts and margin calls always
    fill at the open.
    """

    name = "market"
    category = "Orders"

    at: Literal["open", "close"] = param(
        "Whether orders of signals fill at the open or at the close of the next bar.", default="open"
    )

    def rule(self) -> ExecutionRule:
        kind = OrderKind.AT_CLOSE if self.at == "close" else OrderKind.MARKET
        return ExecutionRule(self.opposite(), self.combine, EntryRule(kind))
