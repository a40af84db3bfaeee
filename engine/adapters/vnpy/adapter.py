"""The vnpy engine."""

from __future__ import annotations

from quantcrafter.engine.api.capability import Capability
from quantcrafter.engine.api.engine import ClassJob, ClassRun, EngineAdapter, EngineJob
from quantcrafter.engine.api.ledger import Ledger


class VnpyEngine(EngineAdapter):
    """Lets vnpy's CTA backtester decide which orders fill and at what price; sizes, brackets and books are ours.

    vnpy runs in a separate process, without Qt, and keeps its settings in your QuantCrafter folder. Also runs
    strategy classes written for vnpy (CtaTemplate), by vnpy alone.
    """

    name = "vnpy"
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
    packages = ("vnpy", "vnpy_ctastrategy")
    install = 'pip install "quantcrafter[vnpy]"'

    def run(self, job: EngineJob) -> Ledger:
        from quantcrafter.engine.adapters.vnpy.client import shared_process

        ledger: Ledger = shared_process().call("job", job)
        return ledger

    def run_class(self, job: ClassJob) -> ClassRun:
        from quantcrafter.engine.adapters.vnpy.client import VnpyProcess

        # A process for each run: somebody's class may leave anything behind, and may have been edited since.
        process = VnpyProcess()
        try:
            run: ClassRun = process.call("class", job)
        finally:
            process.close()
        return run
