"""What an engine can do, by names that a message can say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Capability(StrEnum):
    """One thing that an engine can do or cannot; its value is how messages call it."""

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
"""All that a strategy file can ask of an engine under QC-BAR-1."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a run asks of its engine; `node` is the node that asks for it, '' for the run as a whole."""

    capability: Capability
    node: str = ""
