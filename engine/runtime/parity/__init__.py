"""Parity: the same strategy on several engines, and their first difference."""

from quantcrafter.engine.runtime.parity.model import Cause, EngineDifference, EngineOutcome, ParityReport

__all__ = ["Cause", "EngineDifference", "EngineOutcome", "ParityReport"]
