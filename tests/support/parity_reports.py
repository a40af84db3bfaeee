"""Comparisons of engines made by hand."""

from __future__ import annotations

from quantcrafter.engine.runtime.parity import Cause, EngineDifference, EngineOutcome, ParityReport
from quantcrafter.engine.runtime.parity.model import ComparedData


def difference(cause: Cause | None = Cause.FILL_RULE, **changes: object) -> EngineDifference:
    """Return a difference of vnpy at bar 3 of the second instrument."""
    fields: dict[str, object] = {
        "engine": "vnpy",
        "cause": cause,
        "what": "fill",
        "expected": "sell 10 at 98.5 (stop)",
        "found": "no fill (cancelled at bar 4, oco)",
        "instrument": 1,
        "symbol": "IBM",
        "bar": 3,
        "ts_ns": 1_000_000_000_000_000_000,
        "node": "stop",
    }
    return EngineDifference(**{**fields, **changes})  # type: ignore[arg-type]


def report_of(*differences: EngineDifference, **changes: object) -> ParityReport:
    """Return a comparison of native, backtrader and vnpy in which vnpy differs."""
    versions = ({"quantcrafter": "0.1.0"}, {"backtrader": "1.9.78"}, {"vnpy": "4.5.0"})
    outcomes = tuple(
        EngineOutcome(name, version, 12, 8, 4, 100_250.5, 0.25, differences if name == "vnpy" else ())
        for name, version in zip(("native", "backtrader", "vnpy"), versions, strict=True)
    )
    fields: dict[str, object] = {
        "strategy": "Golden cross",
        "file": "golden_cross.yaml",
        "file_hash": "a" * 64,
        "spec_hash": "b" * 32,
        "data_hash": "c" * 32,
        "overrides": (),
        "settings": {"cash": 100_000.0},
        "instruments": (ComparedData("AAPL", "1d", 100, "sample", "d" * 32, synthetic=False),),
        "outcomes": outcomes,
        "version": "0.1.0",
    }
    return ParityReport(**{**fields, **changes})  # type: ignore[arg-type]
