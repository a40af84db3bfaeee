"""Signals into orders."""

from nodes.execution.market import MarketExecution

COMPONENTS = (MarketExecution,)
"""The execution logic, in the order of the palette."""

__all__ = ["COMPONENTS", "MarketExecution"]
