"""Finds the node of the strategy that created an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.ledger import Reason
from quantcrafter.engine.runtime.results.run_view import RunView


@dataclass(frozen=True)
class Nodes:
    """Finds the node of a run that created an order: the risk node, the advisor that signalled, or the execution."""

    run: RunView

    def of_order(self, order: Any) -> str:
        """Return the node of an order (a row of ORDER_DTYPE)."""
        if order["rule"] >= 0:
            return self.run.rule_nodes[int(order["rule"])]
        flag = _FLAGS.get((int(order["reason"]), int(order["side"])), 0)
        return self.of_signal(int(order["instrument"]), int(order["created_bar"]), flag, int(order["execution"]))

    def of_signal(self, instrument: int, bar: int, flags: int, execution: int) -> str:
        """Return the node that gave these flags to an execution at a bar."""
        if not self.run.decisions:
            return ""
        decision = self.run.decisions[execution]
        for source in decision.signals:
            if flags and int(self.run.column(source.node, source.output, instrument)[bar]) & flags:
                return source.node
        return decision.node


_FLAGS = {
    (int(Reason.ENTRY), 1): ENTER_LONG,
    (int(Reason.ENTRY), -1): ENTER_SHORT,
    (int(Reason.REVERSAL), 1): ENTER_LONG,
    (int(Reason.REVERSAL), -1): ENTER_SHORT,
    (int(Reason.OPPOSITE), 1): ENTER_LONG,
    (int(Reason.OPPOSITE), -1): ENTER_SHORT,
    (int(Reason.SIGNAL), 1): EXIT_SHORT,
    (int(Reason.SIGNAL), -1): EXIT_LONG,
}
"""The signal for an order with that reason and side."""
