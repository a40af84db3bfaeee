"""Workers and their lifecycle, by the names of the first generation."""

from quantcrafter.engine.live.worker import StrategyWorker, WorkerState
from quantcrafter.engine.orchestrator.lifecycle import LifecycleEvent, LifecycleManager, TradingScheduler
from quantcrafter.engine.orchestrator.multi_strategy import MultiStrategyOrchestrator
from quantcrafter.engine.orchestrator.strategy_config import StrategyConfig

__all__ = [
    "LifecycleEvent",
    "LifecycleManager",
    "MultiStrategyOrchestrator",
    "StrategyConfig",
    "StrategyWorker",
    "TradingScheduler",
    "WorkerState",
]
