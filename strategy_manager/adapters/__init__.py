"""Workers around the engines of others, by the names of the first generation."""

from quantcrafter.engine.orchestrator.own_classes.adapters import BacktraderWorkerAdapter, VnpyWorkerAdapter

__all__ = ["BacktraderWorkerAdapter", "VnpyWorkerAdapter"]
