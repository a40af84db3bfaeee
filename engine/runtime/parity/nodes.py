"""Which node of the strategy an order comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Signals
from quantcrafter.engine.api.ledger import Reason
from quantcrafter.engine.graph import Decision, Evaluation, Plan


@dataclass(frozen=True)
class Nodes:
    """Finds the node that had an order made: the risk node, the advisor that signalled, or the execution."""

    plan: Plan
    decision: Decision
    evaluations: tuple[Evaluation, ...]

    def of_order(self, order: Any) -> str:
        """Return the node of an order (a row of ORDER_DTYPE)."""
        if order["rule"] >= 0:
            return self.decision.rule_nodes[int(order["rule"])]
        flag = _FLAGS.get((int(order["reason"]), int(order["side"])), 0)
        return self._advisor(int(order["instrument"]), int(order["created_bar"]), flag)

    def of_signal(self, instrument: int, bar: int, flags: int) -> str:
        """Return the node that gave these flags at a bar."""
        return self._advisor(instrument, bar, flags)

    def _advisor(self, instrument: int, bar: int, flag: int) -> str:
        for source in self.decision.signals:
            column = self.evaluations[instrument].column(source)
            if isinstance(column, Signals) and flag and int(column.flags[bar]) & flag:
                return self.plan.steps[source.step].nodes[0]
        return self.decision.node


_FLAGS = {
    (int(Reason.ENTRY), 1): ENTER_LONG,
    (int(Reason.ENTRY), -1): ENTER_SHORT,
    (int(Reason.OPPOSITE), 1): ENTER_LONG,
    (int(Reason.OPPOSITE), -1): ENTER_SHORT,
    (int(Reason.SIGNAL), 1): EXIT_SHORT,
    (int(Reason.SIGNAL), -1): EXIT_LONG,
}
"""The signal that makes an order of that reason and side."""
