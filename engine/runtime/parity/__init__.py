"""Parity: the same strategy on several engines, and the first thing in which they differ."""

from quantcrafter.engine.runtime.parity.model import Cause, Difference, EngineOutcome, ParityReport

__all__ = ["Cause", "Difference", "EngineOutcome", "ParityReport"]
