"""Firings: the bars at which a node became active.

A condition or a filter fires at a bar at which it is true and was not at the bar before; a signal at every bar with a
flag; a risk rule at the bars at which its orders filled; the execution node at the bars at which it ordered; a sizing
rule at those at which it sized an entry. A node with a numeric output never fires.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import PortType, Role
from quantcrafter.engine.runtime.explain.held_positions import IntColumn
from quantcrafter.engine.runtime.explain.run_facts import BOOLEAN, Facts


def firings(facts: Facts, node: str) -> IntColumn:
    """Return the bars at which a node fired, ascending."""
    known = facts.run.nodes.get(node)
    if known is None:
        return np.empty(0, np.int64)
    for output in known.outputs:
        if output.type in BOOLEAN:
            return _began(facts.column(node, output.name), output.type)
    orders, fills = facts.run.ledger.orders, facts.run.ledger.fills
    if known.role is Role.EXECUTION:
        return np.unique(orders["created_bar"][(orders["instrument"] == facts.instrument) & (orders["rule"] < 0)])
    if known.role is Role.MONEY:
        return np.unique(orders["created_bar"][(orders["instrument"] == facts.instrument) & (orders["reason"] == 0)])
    if known.role is Role.RISK and node in facts.run.rule_nodes:
        own = orders["id"][orders["rule"] == facts.run.rule_nodes.index(node)]
        here = (fills["instrument"] == facts.instrument) & np.isin(fills["order_id"], own)
        return np.unique(fills["bar"][here])
    return np.empty(0, np.int64)


def _began(column: npt.NDArray[np.uint8] | npt.NDArray[np.bool_], kind: PortType) -> IntColumn:
    held = np.asarray(column) != 0
    if kind is not PortType.SIGNAL and len(held):
        held = held & ~np.concatenate(([False], held[:-1]))
    return np.flatnonzero(held).astype(np.int64)


def next_firing(bars: IntColumn, bar: int | None) -> int | None:
    """Return the first firing after a bar, the first of all for None; None when there is none."""
    place = 0 if bar is None else int(np.searchsorted(bars, bar, side="right"))
    return int(bars[place]) if place < len(bars) else None


def previous_firing(bars: IntColumn, bar: int | None) -> int | None:
    """Return the last firing before a bar, the last of all for None; None when there is none."""
    place = (len(bars) if bar is None else int(np.searchsorted(bars, bar, side="left"))) - 1
    return int(bars[place]) if place >= 0 else None
