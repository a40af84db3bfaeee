"""Classes written for vnpy as workers."""

from quantcrafter.engine.orchestrator.own_classes.adapters import VnpyWorkerAdapter, create_vnpy_worker

__all__ = ["VnpyWorkerAdapter", "create_vnpy_worker"]
