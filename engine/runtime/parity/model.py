"""Results of a comparison of engines: plain, picklable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from quantcrafter.engine.data.labels import DEFAULT_ZONE, named_moment

ACCOUNT = -1
"""The instrument of a difference that concerns the whole account."""


class Cause(StrEnum):
    """The class of a difference; its value is its name.

    SIGNAL: an order was decided differently: at another bar, or with another size or price. FILL_RULE: an order of both
    filled at another bar or price, or only in one of them. ROUNDING: a price or size is off by no more than a tick or
    lot. FEE: commission, slippage or cash differ although the fills are the same. CAPABILITY: the engine rejected the
    run.
    """

    SIGNAL = "signal"
    FILL_RULE = "fill rule"
    ROUNDING = "rounding"
    FEE = "fee"
    CAPABILITY = "capability"


@dataclass(frozen=True, slots=True)
class EngineDifference:
    """One difference between an engine and the reference.

    `bar` counts the instrument's own bars, `ts_ns` is its close (UTC); -1 and 0 if a difference has no location. `what`
    is the differing value in one word, `expected` is that of the reference and `found` that of the engine. `cause` is
    None for consequences of an earlier difference.
    """

    engine: str
    cause: Cause | None
    what: str
    expected: str
    found: str
    instrument: int = ACCOUNT
    symbol: str = ""
    bar: int = -1
    ts_ns: int = 0
    node: str = ""
    zone: str = DEFAULT_ZONE
    """The time zone of the instrument's exchange, in which its times are shown."""

    @property
    def time(self) -> str:
        """The close of the bar in the exchange's time zone, which is named; '' without one."""
        return named_moment(self.ts_ns, self.zone) if self.bar >= 0 else ""


@dataclass(frozen=True)
class EngineOutcome:
    """The result of one engine; counts are 0 and `final_equity` is None if it rejected the run.

    `differences` begins with the first, which has its cause; the others are the fills that differ, in order of time.
    """

    name: str
    versions: Mapping[str, str]
    orders: int = 0
    fills: int = 0
    trades: int = 0
    final_equity: float | None = None
    seconds: float = 0.0
    differences: tuple[EngineDifference, ...] = ()

    @property
    def same(self) -> bool:
        """Whether it agrees with the reference."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class ComparedData:
    """An instrument on which the engines ran, with the hash of its bars."""

    symbol: str
    timeframe: str
    bars: int
    source: str
    hash: str
    synthetic: bool


@dataclass(frozen=True)
class ParityReport:
    """The outcome of every engine; the first one is the reference for the others.

    `file_hash` is the SHA-256 of the strategy's text, `spec_hash` that of its behaviour, `data_hash` of all bars.
    """

    strategy: str
    file: str
    file_hash: str
    spec_hash: str
    data_hash: str
    overrides: tuple[str, ...]
    settings: Mapping[str, Any]
    instruments: tuple[ComparedData, ...]
    outcomes: tuple[EngineOutcome, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    made: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def reference(self) -> EngineOutcome:
        """The engine that the others are compared with."""
        return self.outcomes[0]

    @property
    def same(self) -> bool:
        """Whether all engines agree."""
        return all(outcome.same for outcome in self.outcomes)

    @property
    def synthetic(self) -> bool:
        """Whether any of the data was generated."""
        return any(each.synthetic for each in self.instruments)

    @property
    def first(self) -> EngineDifference | None:
        """The earliest difference of any engine; a rejected run comes first."""
        found = [outcome.differences[0] for outcome in self.outcomes if outcome.differences]
        return min(found, key=lambda each: each.ts_ns, default=None)
