"""Parity: the same strategy on several engines, and their first difference."""

from quantcrafter.engine.runtime.parity.model import Cause, Difference, EngineOutcome, ParityReport

__all__ = ["Cause", "Difference", "EngineOutcome", "ParityReport"]
