"""The backtrader engine."""

from __future__ import annotations

from quantcrafter.engine.api.capability import Capability
from quantcrafter.engine.api.engine import ClassJob, ClassRun, EngineAdapter, EngineJob
from quantcrafter.engine.api.ledger import Ledger


class BacktraderEngine(EngineAdapter):
    """Lets backtrader's broker decide which orders fill and at what price; sizes, brackets and the ledger are ours.

    Also runs strategy classes written for backtrader, by backtrader alone.
    """

    name = "backtrader"
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
            Capability.PAIRS,
            Capability.CONTINUOUS_FUTURES,
            Capability.CHANGING_COSTS,
            Capability.WITHDRAWALS,
            Capability.STRATEGY_CLASSES,
        }
    )
    packages = ("backtrader",)
    install = 'pip install "quantcrafter[backtrader]"'

    def run(self, job: EngineJob) -> Ledger:
        from quantcrafter.engine.adapters.backtrader.simulation import simulate

        return simulate(job)

    def run_class(self, job: ClassJob) -> ClassRun:
        from quantcrafter.engine.adapters.backtrader.classes import run_class

        return run_class(job)
