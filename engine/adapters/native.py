"""The native engine: QC-BAR-1 as one compiled loop."""

from __future__ import annotations

from quantcrafter.engine.api.capability import Capability
from quantcrafter.engine.api.engine import EngineAdapter, EngineJob
from quantcrafter.engine.api.ledger import Ledger


class NativeEngine(EngineAdapter):
    """Matches orders by itself after QC-BAR-1; the whole bar loop is machine code.

    If a component decides in Python, the loop runs bar by bar, with the same functions. Machine code is compiled once
    on a machine, by a separate process; until then, and for small jobs, the same functions run interpreted.
    """

    name = "native"
    capabilities = frozenset(
        {
            Capability.MARKET_ORDERS,
            Capability.STOP_ORDERS,
            Capability.LIMIT_ORDERS,
            Capability.STOP_LIMIT_ORDERS,
            Capability.PARTIAL_FILLS,
            Capability.SEVERAL_INSTRUMENTS,
            Capability.CONTRACTS,
            Capability.POSITION_CONDITIONS,
            Capability.SEVERAL_EXECUTIONS,
            Capability.TWO_SIDED_ENTRIES,
            Capability.REVERSING_ORDERS,
            Capability.ORDERS_AT_CLOSE,
            Capability.CLOSING_AUCTION,
            Capability.PAIRS,
            Capability.CONTINUOUS_FUTURES,
            Capability.CHANGING_COSTS,
            Capability.WITHDRAWALS,
        }
    )

    def run(self, job: EngineJob) -> Ledger:
        from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise

        return simulate(job) if job.is_compiled else simulate_stepwise(job)
