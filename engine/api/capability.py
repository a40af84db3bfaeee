"""Capabilities of an engine, with names for messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Capability(StrEnum):
    """One capability of an engine; its value is its name in messages."""

    MARKET_ORDERS = "market orders"
    STOP_ORDERS = "stop orders"
    LIMIT_ORDERS = "limit orders"
    STOP_LIMIT_ORDERS = "stop-limit orders"
    PARTIAL_FILLS = "partial fills"
    SEVERAL_INSTRUMENTS = "several instruments"
    CONTRACTS = "contracts on margin"
    POSITION_CONDITIONS = "conditions on the position"
    STRATEGY_CLASSES = "strategy classes written for it"


BAR_STANDARD = frozenset(Capability) - {Capability.STRATEGY_CLASSES}
"""Everything that a strategy file can require from an engine under QC-BAR-1."""


@dataclass(frozen=True, slots=True)
class Need:
    """A capability that a run requires; `node` is the node that requires it, '' for the run as a whole."""

    capability: Capability
    node: str = ""
