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
    SEVERAL_EXECUTIONS = "several execution nodes"
    PAIRS = "pairs of instruments"
    CONTRACTS = "contracts on margin"
    POSITION_CONDITIONS = "conditions on the position"
    TWO_SIDED_ENTRIES = "entries on both sides at once"
    REVERSING_ORDERS = "orders that reverse a position at their price"
    ORDERS_AT_CLOSE = "orders at the close"
    CLOSING_AUCTION = "fills at the close of the decision"
    CONTINUOUS_FUTURES = "continuous futures"
    CHANGING_COSTS = "spreads, funding and swap that change"
    WITHDRAWALS = "withdrawals of profit"
    STRATEGY_CLASSES = "strategy classes written for it"


BAR_STANDARD = frozenset(
    {
        Capability.MARKET_ORDERS,
        Capability.STOP_ORDERS,
        Capability.LIMIT_ORDERS,
        Capability.STOP_LIMIT_ORDERS,
        Capability.PARTIAL_FILLS,
        Capability.SEVERAL_INSTRUMENTS,
        Capability.CONTRACTS,
        Capability.POSITION_CONDITIONS,
        Capability.SEVERAL_EXECUTIONS,
    }
)
"""What QC-BAR-1 asks of an engine. A new capability is not added: each engine declares it once it has it."""


@dataclass(frozen=True, slots=True)
class Need:
    """A capability that a run requires; `node` is the node that requires it, '' for the run as a whole."""

    capability: Capability
    node: str = ""
