"""Classes written for backtrader as workers."""

from quantcrafter.engine.orchestrator.own_classes.adapters import BacktraderWorkerAdapter, create_backtrader_worker

__all__ = ["BacktraderWorkerAdapter", "create_backtrader_worker"]
